"""What goes wrong, as programs are told it: a problem document (RFC 9457)."""

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response


def problem(
    request: Request,
    status: int,
    words: str,
    headers: Mapping[str, str] | None = None,
    errors: Sequence[object] = (),
) -> Response:
    """`errors`: what is wrong with which part of the request, each as an object of JSON."""
    content: dict[str, object] = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": words,
        "instance": request.url.path,
    }
    if errors:
        content["errors"] = list(errors)
    said = {"Cache-Control": "no-store", **(headers or {})}
    return Response(json.dumps(content), status, said, "application/problem+json")
