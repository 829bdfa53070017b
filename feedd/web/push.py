"""Where hubs push what our feed sources have: the callbacks of WebSub subscriptions."""

import asyncio
import logging
import re
from contextlib import suppress

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from feedd.errors import StoreError, TooLarge
from feedd.websub.inbox import LATER, NOT_THERE, Callback, Crowded, Inbox, Reply
from feedd.websub.incoming import Pushed
from feedd.websub.links import LONGEST_HEADER

TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
RECEIVE_S = 30.0  # for the whole body
DRAIN_S = 2.0  # for what follows one that is too large …
DRAIN_BYTES = 16_000_000  # … and how much of that
PLAIN_CODINGS = frozenset({"", "identity"})
LONGEST_TYPE = 200  # characters of a Content-Type
log = logging.getLogger(__name__)


def routes(inbox: Inbox) -> list[Route]:
    """`/push/{token}`, for hubs alone."""
    callbacks = Callbacks(inbox)
    return [Route("/push/{token}", callbacks.answer, methods=["GET", "POST"])]


class Callbacks:
    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox

    async def answer(self, request: Request) -> Response:
        token = request.path_params["token"]
        try:
            if not TOKEN.fullmatch(token):
                return response(NOT_THERE)
            if request.method == "POST":
                return response(await self.pushed(request, token))
            if request.method != "GET":  # Starlette takes HEAD for one
                return response(NOT_THERE)
            return response(await self.inbox.verify(token, request.query_params))
        except StoreError as error:
            log.error("a hub was sent away for now: %s", error)  # noqa: TRY400 (words are enough)
            return response(LATER)

    async def pushed(self, request: Request, token: str) -> Reply:
        callback = await self.inbox.callback(token)
        if callback is None:
            return NOT_THERE
        headers = request.headers
        if headers.get("content-encoding", "").strip().lower() not in PLAIN_CODINGS:
            return Reply(415, "Send it without Content-Encoding.")
        try:
            with self.inbox.room(callback):
                body = await received(request, callback)
        except Crowded:
            return Reply(503, "Too much is waiting; send it again.", 60)
        except TooLarge as error:
            await self.inbox.too_large(callback)
            await drained(request)
            return Reply(413, str(error), ends=True)
        except (TimeoutError, ClientDisconnect):
            return Reply(408, "It took too long.")
        kind, link = headers.get("content-type", "")[:LONGEST_TYPE] or None, headers.get("link", "")
        pushed = Pushed(body, kind, link[:LONGEST_HEADER], callback.row.topic)
        return await self.inbox.receive(callback, headers.get("x-hub-signature"), pushed)


async def received(request: Request, callback: Callback) -> bytes:
    """The body. Raises TooLarge as soon as it is, TimeoutError, ClientDisconnect."""
    most, pieces, size = callback.source.max_bytes, list[bytes](), 0
    announced = request.headers.get("content-length", "0")
    if announced.isascii() and announced.isdigit() and int(announced[:19]) > most:
        raise TooLarge(f"It is more than {most} bytes.")
    async with asyncio.timeout(RECEIVE_S):
        async for piece in request.stream():
            size += len(piece)
            if size > most:
                raise TooLarge(f"It is more than {most} bytes.")
            pieces.append(piece)
    return b"".join(pieces)


async def drained(request: Request) -> None:
    """Pass over what is still on its way, up to a bound: who sends all before it listens hears the answer then."""
    size = 0
    with suppress(TimeoutError, ClientDisconnect, RuntimeError):  # the last: all of it is here
        async with asyncio.timeout(DRAIN_S):
            async for piece in request.stream():
                size += len(piece)
                if size > DRAIN_BYTES:
                    return


def response(reply: Reply) -> Response:
    headers = {"Cache-Control": "no-store"}
    if reply.retry_after_s is not None:
        headers["Retry-After"] = str(reply.retry_after_s)
    if reply.ends:
        headers["Connection"] = "close"
    return Response(reply.text, reply.status, headers, "text/plain")
