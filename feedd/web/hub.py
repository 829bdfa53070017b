"""`/hub`: where readers ask to be told of feeds (W3C WebSub, section 5)."""

import asyncio
import logging

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from feedd.errors import StoreError
from feedd.web.events import address_of
from feedd.websub.hub import Hub
from feedd.websub.requests import MOST_BYTES, Refusal

FORM = "application/x-www-form-urlencoded"
BODY_S = 10.0
TOO_LONG = Refusal(413, f"The request is longer than {MOST_BYTES} bytes.")
SAID = """\
This is a WebSub hub (https://www.w3.org/TR/websub/) for the feeds of this site, which are listed in /feeds.opml.

A program that wants to be told of a feed sends here a POST request with the form fields hub.mode (subscribe or
unsubscribe), hub.topic (the address of the feed), hub.callback (where it wants to be told) and, if it likes,
hub.lease_seconds and hub.secret. A feed reader that knows WebSub does so by itself: just add the feed to it.
"""
log = logging.getLogger(__name__)


def routes(hub: Hub) -> list[Route]:
    """What the application adds to its own."""

    async def take(request: Request) -> Response:
        return await taken(hub, request)

    return [Route("/hub", about, methods=["GET"]), Route("/hub", take, methods=["POST"])]


async def about(_: Request) -> Response:
    return Response(SAID, media_type="text/plain")


async def taken(hub: Hub, request: Request) -> Response:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != FORM:
        return refused(Refusal(415, f"The request is a form: its Content-Type is {FORM}."))
    try:
        async with asyncio.timeout(BODY_S):
            body = await whole(request)
    except TimeoutError:
        return refused(Refusal(408, f"The request did not arrive within {BODY_S:g} s."))
    except ClientDisconnect:
        return Response(status_code=400)
    if body is None:
        return refused(TOO_LONG)
    try:
        refusal = await hub.ask(body, address_of(request))
    except StoreError as error:
        log.error("a subscription can't be taken: %s", error)  # noqa: TRY400 (words are enough)
        refusal = Refusal(503, "The database can't be read at the moment.", 60)
    if refusal is not None:
        return refused(refusal)
    return Response("The callback is asked now whether it meant that.\n", 202, media_type="text/plain")


async def whole(request: Request) -> bytes | None:
    """The body; None if it is too long, which is told as soon as that is known."""
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and (len(announced) > 9 or int(announced) > MOST_BYTES):
        return None
    body = bytearray()
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            return None
    return bytes(body)


def refused(refusal: Refusal) -> Response:
    headers = {"Retry-After": str(refusal.retry_after_s)} if refusal.retry_after_s else {}
    return Response(f"{refusal.words}\n", refusal.status, headers, "text/plain")
