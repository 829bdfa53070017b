"""What a page states of itself as JSON-LD: the objects in it, so many at most. Pure."""

import json
from collections.abc import Iterator
from typing import Any

MAX_OBJECTS = 1_000  # that are looked at
MAX_JSON = 2_000_000  # characters of one script
BELOW = ("@graph", "mainEntity", "mainEntityOfPage")


def objects_of(root: Any) -> Iterator[dict[str, Any]]:
    """The objects of a page, the outermost first."""
    waiting: list[Any] = []
    for script in root.iter("script"):
        said = script.text or ""
        if "ld+json" in (script.get("type") or "").lower() and len(said) <= MAX_JSON:
            try:
                waiting.append(json.loads(said, strict=False))
            except (ValueError, RecursionError):
                continue  # other places say it too
    return unfolded(waiting)


def unfolded(waiting: list[Any]) -> Iterator[dict[str, Any]]:
    for _ in range(MAX_OBJECTS):
        if not waiting:
            return
        match waiting.pop(0):
            case list(several):
                waiting[:0] = several[:MAX_OBJECTS]
            case dict(said):
                yield said
                waiting.extend(said[key] for key in BELOW if key in said)
            case _:
                pass


def types_of(said: dict[str, Any]) -> list[str]:
    """The names of an object's types, without the vocabulary's address."""
    return [each.rpartition("/")[2].rpartition(":")[2] for each in strings(said.get("@type"))]


def strings(value: object) -> list[str]:
    return [each for each in (value if isinstance(value, list) else [value]) if isinstance(each, str)]
