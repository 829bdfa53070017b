"""The operations as they are described: method, address, answers, and what may go wrong with each."""

from collections.abc import Callable, Mapping
from typing import Any

from feedd.api.routing import Operation

PROBLEM = "#/components/schemas/Problem"
FAILURES: Mapping[int, str] = {
    400: "The request is wrong; `errors` says in what.",
    401: "This needs a token, or the token is none.",
    403: "The token may not do this, or nobody has a token yet and nothing can be changed over HTTP.",
    404: "There is no such thing.",
    405: "The address does not take that method; the header Allow says which it takes.",
    408: "The request did not arrive in time.",
    409: "This can't be done as things are; the detail says why.",
    410: "It was there, and is not kept any longer, or was taken out of the configuration.",
    413: "The body is too large.",
    414: "The address is too long.",
    415: "The body is not JSON.",
    422: "The versions are too long to be compared here.",
    503: "The database can't be read, feedd is ending, too many wait, or this took too long; the detail says which, and the header Retry-After when to come back.",
}
ALWAYS = (400, 401, 403, 405, 414, 503)
OF_BODIES = (408, 413, 415)


def failures(statuses: Mapping[int, str]) -> dict[int | str, dict[str, Any]]:
    content = {"application/problem+json": {"schema": {"$ref": PROBLEM}}}
    return {status: {"description": words, "content": content} for status, words in statuses.items()}


def operation(
    method: str,
    path: str,
    endpoint: Callable[..., Any],
    answers: Any,
    *fails: int,
    name: str,
    tag: str,
    also: Mapping[int, dict[str, Any]] | None = None,
) -> Operation:
    """`answers`: the type of what it answers with 200; `fails`: statuses besides those of every operation."""
    summary, _, rest = (endpoint.__doc__ or "").strip().partition("\n")
    responses = failures({status: FAILURES[status] for status in sorted({*ALWAYS, *fails})})
    responses.update((also or {}).items())
    return Operation(
        path,
        endpoint,
        methods=[method],
        response_model=answers,
        response_description="Done.",
        responses=responses,
        operation_id=name,
        tags=[tag],
        summary=summary.rstrip("."),
        description=" ".join(rest.split()),
    )


def get(path: str, endpoint: Callable[..., Any], answers: Any, *fails: int, name: str, tag: str) -> Operation:
    return operation("GET", path, endpoint, answers, *fails, name=name, tag=tag)


def post(
    path: str,
    endpoint: Callable[..., Any],
    answers: Any,
    *fails: int,
    name: str,
    tag: str,
    also: Mapping[int, dict[str, Any]] | None = None,
) -> Operation:
    return operation("POST", path, endpoint, answers, *fails, name=name, tag=tag, also=also)
