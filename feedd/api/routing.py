"""How operations are reached: routes that take nothing but what is described, and answers without a second check.

A typo must not widen a listing in silence: parameters that are unknown, or named twice, are refused.
"""

import asyncio
import inspect
import json
import weakref
from collections.abc import Callable, Coroutine, Mapping, Sequence
from typing import Any, get_origin

from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from feedd.api.problems import bug
from feedd.errors import FeeddError
from feedd.web.problem import problem

MOST_BYTES = 64_000  # of a body
BODY_S = 10.0
LONGEST_ADDRESS = 16_000  # characters: 100 names of sources, and as many of feeds
EXPECTED = (HTTPException, RequestValidationError, FeeddError)
Handler = Callable[[Request], Coroutine[Any, Any, Response]]
Endpoint = Callable[..., Coroutine[Any, Any, Response]]


class Operation(APIRoute):
    """A method and an address of the API."""

    def __init__(self, path: str, endpoint: Endpoint, **settings: Any) -> None:
        super().__init__(path, held_loosely(endpoint), **settings)
        self.held = endpoint

    def get_route_handler(self) -> Handler:
        answer = super().get_route_handler()
        fields = self.dependant.query_params
        lists = frozenset(each.alias for each in fields if get_origin(each.field_info.annotation) is list)
        known = frozenset(each.alias for each in fields)
        takes_body = self.body_field is not None

        async def handle(request: Request) -> Response:
            try:
                check_names(request, known, lists)
                if not takes_body:
                    check_no_body(request)
                    return await answer(request)
                bound = Request(request.scope, bounded(request.receive))
                check_type(bound, await in_time(bound))
                return await answer(bound)
            except EXPECTED:
                raise
            except Exception as error:  # noqa: BLE001 (it is logged, and feedd lives on)
                return bug(request, error)

        return handle


def held_loosely(endpoint: Endpoint) -> Endpoint:
    """The same, but it does not keep alive what it is a method of.

    FastAPI remembers thousands of endpoints over all applications; each reload makes others, over a configuration of
    its own.
    """
    if not inspect.ismethod(endpoint):
        return endpoint
    method = weakref.WeakMethod(endpoint)

    async def called(*values: Any, **named: Any) -> Response:
        found = method()
        assert found is not None  # the route holds it
        return await found(*values, **named)  # type: ignore[no-any-return]

    called.__name__, called.__doc__ = endpoint.__name__, endpoint.__doc__
    called.__signature__ = inspect.signature(endpoint, eval_str=True)  # type: ignore[attr-defined]
    return called


def check_names(request: Request, known: frozenset[str], lists: frozenset[str]) -> None:
    """Raises RequestValidationError."""
    wrong, seen = list[dict[str, object]](), set[str]()
    for name, _ in request.query_params.multi_items():
        if name not in known:
            words = f"is no parameter here; there are: {', '.join(sorted(known)) or 'none'}"
            wrong.append({"loc": ("query", name), "msg": words})
        elif name in seen and name not in lists:
            wrong.append({"loc": ("query", name), "msg": "stands twice"})
        seen.add(name)
    if wrong:
        raise RequestValidationError(wrong[:10])


def check_no_body(request: Request) -> None:
    """What would be sent in vain may be meant to narrow what is done. Raises RequestValidationError."""
    length = request.headers.get("content-length", "0").strip()
    if length.strip("0") or "transfer-encoding" in request.headers:
        raise RequestValidationError(
            [{"loc": ("body",), "msg": "none is taken here; parameters go into the address"}]
        )


def check_type(request: Request, body: bytes) -> None:
    """Raises HTTPException."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if body and kind != "application/json":
        raise HTTPException(415, "Send JSON, with Content-Type: application/json.")


def bounded(receive: Receive) -> Receive:
    """Reads a body that is not too large; else raises HTTPException."""
    size = 0

    async def read() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > MOST_BYTES:
            raise HTTPException(413, f"A body has at most {MOST_BYTES:,} bytes.")
        return message

    return read


async def in_time(request: Request) -> bytes:
    """The body, which the request keeps. Raises HTTPException."""
    try:
        async with asyncio.timeout(BODY_S):
            return await request.body()
    except TimeoutError:
        raise HTTPException(408, f"The request did not arrive within {BODY_S:g} s.") from None


def answer(shape: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """`shape`: what `shapes` made, of the type that the operation names."""
    text = json.dumps(shape, ensure_ascii=False, separators=(",", ":"))
    said = {"Cache-Control": "no-cache", **(headers or {})}
    return Response(text.encode("utf-8", "replace"), status, said, "application/json")


def page(request: Request, items: Sequence[object], following: str | None) -> Response:
    """A page of a listing. The next one is named in the header Link, too, relative to this one (RFC 8288)."""
    headers = {}
    if following is not None:
        query = request.url.remove_query_params("cursor").include_query_params(cursor=following).query
        headers["Link"] = f'<?{query}>; rel="next"'
    return answer({"items": items, "next": following}, headers=headers)


class Heads:
    """A layer that answers HEAD as GET, without the body (RFC 9110, section 9.3.2), and refuses endless addresses."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if len(scope["path"]) + len(scope["query_string"]) > LONGEST_ADDRESS:
            words = f"An address has at most {LONGEST_ADDRESS:,} characters."
            await problem(Request(scope), 414, words)(scope, receive, send)
            return
        if scope["method"] != "HEAD":
            await self.app(scope, receive, send)
            return

        async def without_body(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        await self.app({**scope, "method": "GET"}, receive, without_body)
