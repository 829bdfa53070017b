"""What is wrong with a configuration, as a person would say it. Pure."""

import difflib
from collections.abc import Sequence

from pydantic import BaseModel
from pydantic_core import ErrorDetails

EXPECTED = {
    "string_type": "a text in quotes",
    "int_type": "a whole number",
    "bool_type": "true or false",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a table",
    "model_type": "a table",
    "model_attributes_type": "a table",
}


def known_at(model: type[BaseModel], place: Sequence[int | str]) -> tuple[str, ...]:
    """The keys that the table may have in which something stands."""
    for key in place[:-1]:
        field = next((info for name, info in model.model_fields.items() if key in {name, info.alias}), None)
        inner = field.annotation if field is not None else None
        if not (isinstance(inner, type) and issubclass(inner, BaseModel)):
            return ()
        model = inner
    return tuple(info.alias or name for name, info in model.model_fields.items() if name != "name")


def in_words(detail: ErrorDetails, known: tuple[str, ...], *, secret: bool = False) -> str:
    """What pydantic found, as a person would say it; the value itself is left out where it may be secret."""
    given = "what is written there" if secret else repr(detail["input"])
    match detail["type"]:
        case "extra_forbidden":
            return unknown(str(detail["loc"][-1]), known)
        case "missing":
            return "is missing"
        case "value_error":
            return str(detail["ctx"]["error"])
        case "literal_error":
            return f"{given} is not one of {detail['ctx']['expected']}"
        case "greater_than_equal" | "less_than_equal":
            return f"{given} is out of bounds: {detail['msg'].removeprefix('Input ')}"
        case kind if kind in EXPECTED:
            return f"{given} is not {EXPECTED[kind]}"
        case "string_pattern_mismatch":
            return f"{given} holds characters that can't be sent, or nothing"
        case _:
            return f"{given}: {detail['msg']}"


def unknown(key: str, known: tuple[str, ...]) -> str:
    if not known:
        return "unknown key"
    return f"unknown key{suggestion(key, known) or '; known here: ' + ', '.join(known)}"


def suggestion(word: str, known: list[str] | tuple[str, ...]) -> str:
    near = difflib.get_close_matches(word, known, 1)
    return f"; did you mean '{near[0]}'?" if near else ""
