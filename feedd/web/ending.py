"""The end of feedd, for requests that change something: they are answered at once, and do not hold it up."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from feedd.access.needs import SAFE
from feedd.web.problem import problem

GRACE_S = 0.3  # to be answered in its own way
RETRY_AFTER_S = 30
WORDS = "feedd is ending: ask again when it runs."


class Ending:
    """The layer: `Middleware(Ending, stopping=stopping)`, within the one that counts. `stopping` is set at the end.

    A body of which the rest never comes would be waited for until the server loses patience.
    """

    def __init__(self, app: ASGIApp, stopping: asyncio.Event) -> None:
        self.app = app
        self.stopping = stopping

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in SAFE:
            await self.app(scope, receive, send)
            return
        has_begun = False

        async def noted(message: Message) -> None:
            nonlocal has_begun
            has_begun = True
            await send(message)

        async def answered() -> None:
            await self.app(scope, receive, noted)

        doing = asyncio.create_task(answered())
        ending = asyncio.create_task(self.stopping.wait())
        try:
            await asyncio.wait({doing, ending}, return_when=asyncio.FIRST_COMPLETED)
            if not has_begun:
                await asyncio.wait({doing}, timeout=GRACE_S)
            if not (has_begun or doing.done()):
                doing.cancel()
                await asyncio.gather(doing, return_exceptions=True)
            if not has_begun and doing.cancelled():
                await refusal(Request(scope))(scope, receive, send)
            else:
                await doing
        finally:
            ending.cancel()
            doing.cancel()
            await asyncio.gather(doing, ending, return_exceptions=True)


def refusal(request: Request) -> Response:
    headers = {"Retry-After": str(RETRY_AFTER_S), "Cache-Control": "no-store"}
    if request.scope["path"].startswith("/api/"):
        return problem(request, 503, WORDS, headers)
    return Response(f"{WORDS}\n", 503, headers, "text/plain")
