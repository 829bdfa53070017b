"""Everything that goes wrong, as a problem document (RFC 9457)."""

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, NotRequired

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import TypedDict

from feedd.comparison import TooLong
from feedd.errors import (
    FeeddError,
    NoLongerKept,
    Stopped,
    StoreError,
    TooMany,
    TooSlow,
    UnknownName,
    UsageError,
)
from feedd.web.problem import problem

RETRY_AFTER_S = 30
LONGEST_NAME = 100
ENDS = (".", "!", "?")
STATUS_OF: Mapping[type[FeeddError], int] = {
    UnknownName: 404,
    NoLongerKept: 410,
    TooLong: 422,
    UsageError: 400,
}
UNREADABLE = (
    "There was an error parsing the body"  # FastAPI's words for JSON that is no UTF-8, or nested too deeply
)
WORDS = {
    404: "There is nothing at this address; see /openapi.json for what there is.",
    405: "This address does not take that method; the header Allow says which it takes.",
}
# What pydantic finds, by its name for it (docs.pydantic.dev, "Validation Errors"), with what it says of it besides.
FINDINGS: Mapping[str, str] = {
    "missing": "is missing",
    "greater_than_equal": "must be {ge} or more",
    "less_than_equal": "must be {le} or less",
    "string_too_short": "must not be empty",
    "string_too_long": "has more than {max_length} characters",
    "string_pattern_mismatch": "has not the form that is expected: {pattern}",
    "literal_error": "must be {expected}",
    "enum": "must be {expected}",
    "extra_forbidden": "is nothing that is known here",
    "too_short": "must hold {min_length} or more",
    "too_long": "holds more than {max_length}",
    "json_invalid": "is not JSON: {error}",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "string_type": "must be a string",
    "string_unicode": "must be text in UTF-8",
    "list_type": "must be a list",
    "model_attributes_type": "must be an object, as {{…}}",
    "model_type": "must be an object, as {{…}}",
    "dict_type": "must be an object, as {{…}}",
}
log = logging.getLogger(__name__)


Where = TypedDict("Where", {"in": str})  # a class can't have a key that is a word of Python's


class Wrong(Where):
    """What is wrong with a part of a request: in its path, query or body."""

    name: str
    detail: str


class Problem(TypedDict):
    """What went wrong, and what to do (RFC 9457)."""

    type: str
    title: str
    status: int
    detail: str
    instance: NotRequired[str]
    errors: NotRequired[list[Wrong]]


def sentence(words: str) -> str:
    """Names stay as they are written."""
    begun = words if words.startswith("feedd") else f"{words[:1].upper()}{words[1:]}"
    return begun if begun.endswith(ENDS) else f"{begun}."


async def refused(request: Request, error: HTTPException) -> Response:
    headers = dict(error.headers or {})
    if error.status_code == 405 and "Allow" in headers:
        headers["Allow"] = allowed(headers["Allow"])
        if request.method == "OPTIONS":
            return Response(status_code=204, headers=headers)
    words, errors = error.detail, list[Wrong]()
    if words == HTTPStatus(error.status_code).phrase:  # a router's own words say less than one could
        words = WORDS.get(error.status_code, words)
    elif words == UNREADABLE:
        errors = [{"in": "body", "name": "", "detail": "must be JSON in UTF-8"}]
        words = "body: must be JSON in UTF-8"
    return problem(
        request, error.status_code, words if words.endswith(ENDS) else f"{words}.", headers, errors
    )


def allowed(methods: str) -> str:
    """All methods that an address takes, where routes take these (RFC 9110, section 10.2.1)."""
    found = {"OPTIONS", *(each.strip() for each in methods.split(","))}
    return ", ".join(sorted(found | {"HEAD"} if "GET" in found else found))


async def invalid(request: Request, error: RequestValidationError) -> Response:
    """An address that names nothing is not found; what else is wrong with a request is said part by part."""
    wrong = [named(each) for each in error.errors()]
    status = 404 if any(each["in"] == "path" for each in wrong) else 400
    said = "; ".join(f"{each['name'] or each['in']}: {each['detail']}" for each in wrong[:3])
    return problem(request, status, said if said.endswith(ENDS) else f"{said}.", errors=wrong)


def named(error: Mapping[str, Any]) -> Wrong:
    where, *names = error["loc"]
    if where != "body":
        names = names[:1]  # what follows is a place in a list
    elif error.get("type") == "json_invalid":
        names = []
    name = ".".join(str(each) for each in names)[:LONGEST_NAME]
    return {"in": str(where), "name": name, "detail": found(error)}


def found(error: Mapping[str, Any]) -> str:
    """What is wrong, in words for people."""
    words = FINDINGS.get(str(error.get("type")))
    if words is None:
        return str(error["msg"]).removeprefix("Value error, ")
    return words.format_map(error.get("ctx", {}))


async def failed(request: Request, error: FeeddError) -> Response:
    later = {"Retry-After": str(RETRY_AFTER_S)}
    match error:
        case StoreError():
            log.error("a request failed: %s", error)
            return problem(request, 503, "The database can't be read at the moment.", {"Retry-After": "60"})
        case TooSlow() | TooMany():
            return problem(request, 503, sentence(str(error)), later)
        case Stopped():
            return problem(request, 503, "feedd is ending: ask again when it runs.", later)
        case _:
            status = next((status for kind, status in STATUS_OF.items() if isinstance(error, kind)), 400)
            return problem(request, status, sentence(str(error)))


def bug(request: Request, error: Exception) -> Response:
    log.error("a bug in feedd: %s %s", request.method, request.url.path, exc_info=error)
    return problem(request, 500, "This is a bug in feedd; its log says more.")


def install(app: FastAPI) -> None:
    app.add_exception_handler(HTTPException, refused)  # type: ignore[arg-type]
    app.add_exception_handler(RequestValidationError, invalid)  # type: ignore[arg-type]
    app.add_exception_handler(FeeddError, failed)  # type: ignore[arg-type]
