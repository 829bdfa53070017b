"""Everything that goes wrong, as a problem document (RFC 9457)."""

import logging
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any, NotRequired

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from typing_extensions import TypedDict

from feedd.comparison import TooLong
from feedd.errors import FeeddError, NoLongerKept, Stopped, StoreError, TooSlow, UnknownName, UsageError
from feedd.web import access

RETRY_AFTER_S = 30
LONGEST_NAME = 100
ENDS = (".", "!", "?")
STATUS_OF: Mapping[type[FeeddError], int] = {
    UnknownName: 404,
    NoLongerKept: 410,
    TooLong: 422,
    UsageError: 400,
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
    return f"{words[:1].upper()}{words[1:]}" + ("" if words.endswith(ENDS) else ".")


def problem(
    request: Request,
    status: int,
    words: str,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[Wrong] = (),
) -> Response:
    content: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": words,
        "instance": request.url.path,
    }
    if errors:
        content["errors"] = list(errors)
    return access.Problem(content, status, {"Cache-Control": "no-store", **(headers or {})})


async def refused(request: Request, error: HTTPException) -> Response:
    if request.method == "OPTIONS" and error.status_code == 405 and error.headers:
        allowed = {each.strip() for each in error.headers.get("Allow", "").split(",")}
        return Response(status_code=204, headers={"Allow": ", ".join(sorted({*allowed, "OPTIONS"}))})
    words = error.detail
    if words == HTTPStatus(error.status_code).phrase:  # a router's own words say less than one could
        words = WORDS.get(error.status_code, f"{words}.")
    return problem(request, error.status_code, words if words.endswith(ENDS) else f"{words}.", error.headers)


WORDS = {
    404: "There is nothing at this address; see /openapi.json for what there is.",
    405: "This address does not take that method; the header Allow says which it takes.",
}


async def invalid(request: Request, error: RequestValidationError) -> Response:
    """An address that names nothing is not found; what else is wrong with a request is said part by part."""
    wrong = [named(each) for each in error.errors()]
    status = 404 if any(each["in"] == "path" for each in wrong) else 400
    said = "; ".join(f"{each['name'] or each['in']}: {each['detail']}" for each in wrong[:3])
    return problem(request, status, f"{said}.", errors=wrong)


def named(error: Mapping[str, Any]) -> Wrong:
    where, *names = error["loc"]
    if where != "body":
        names = names[:1]  # what follows is a place in a list
    elif error.get("type") == "json_invalid":
        names = []
    name = ".".join(str(each) for each in names)[:LONGEST_NAME]
    words = str(error["msg"]).removeprefix("Value error, ")
    return {"in": str(where), "name": name, "detail": words}


async def failed(request: Request, error: FeeddError) -> Response:
    match error:
        case StoreError():
            log.error("a request failed: %s", error)
            return problem(request, 503, "The database can't be read at the moment.", {"Retry-After": "60"})
        case TooSlow():
            return problem(request, 503, sentence(str(error)), {"Retry-After": str(RETRY_AFTER_S)})
        case Stopped():
            return problem(request, 503, "feedd is ending.", {"Retry-After": str(RETRY_AFTER_S)})
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
