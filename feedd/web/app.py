"""The web application: feeds for readers, pages for people."""

import logging
from collections.abc import Sequence

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from feedd.comparison import Comparisons
from feedd.errors import StoreError
from feedd.looks import now_ms
from feedd.publish.cache import FORMATS, Feeds, Key
from feedd.publish.opml import opml
from feedd.threads import COMPARING, QUICK
from feedd.web import archives, assets, change_pages, diff_pages, entry_pages, feed_pages, look
from feedd.web.conditional import is_unchanged
from feedd.web.feed_documents import answered, answered_in_part, bases, wants_part
from feedd.web.home import home
from feedd.web.look import look_of
from feedd.web.opened import wants_page
from feedd.web.pages import refused
from feedd.web.policy import policy
from feedd.web.viewer import viewer_of, visible

LIMITS = range(1, 1001)
SECURITY_HEADERS = {
    "Content-Security-Policy": policy(),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}
log = logging.getLogger(__name__)


def application(
    feeds: Feeds, further: Sequence[BaseRoute] = (), layers: Sequence[Middleware] = ()
) -> Starlette:
    """`further`: routes of what only a running daemon has; `layers`: what requests pass before them, the first first."""
    web = Web(feeds)
    app = Starlette(
        routes=[
            Route("/", web.home),
            Route("/feeds", web.feed_list),
            Route("/feeds.opml", web.opml),
            Route("/feeds/{name}.{format}", web.feed),
            Route("/feeds/{name}/archive/{number}.atom", web.archive),
            Route("/feeds/{name}", web.feed_page),
            Route("/changes", web.changes),
            Route("/entries/{id}", web.entry),
            Route("/entries/{id}/diff", web.to_comparison),
            Route("/entries/{id}/diff/{pair}", web.diff),
            *assets.routes(),
            *look.routes(),
            *further,
        ],
        middleware=[Middleware(SecurityHeaders), *layers],
        exception_handlers={HTTPException: refused, StoreError: store_failed, Exception: bug},  # type: ignore[dict-item]
    )
    app.router.redirect_slashes = False
    return app


class Web:
    """Answers requests from the store alone."""

    def __init__(self, feeds: Feeds) -> None:
        self.feeds = feeds
        self.comparisons = Comparisons(feeds.reader)

    async def feed(self, request: Request) -> Response:
        name, format_ = request.path_params["name"], request.path_params["format"]
        if format_ not in FORMATS:
            raise HTTPException(
                404, f"There is no format '{format_}'; feeds are served as .atom, .rss and .json."
            )
        await self.require(name)
        if wants_page(request):
            return RedirectResponse(f"/feeds/{name}", 303, {"Vary": "Sec-Fetch-Dest"})
        key = Key(name, format_, self.limit(request, name))
        rendered = self.feeds.fresh(key)
        if rendered is None:
            rendered = await QUICK.run(self.feeds.rendered, key)
        unchanged = is_unchanged(request.headers, rendered, now_ms=now_ms())
        if wants_part(request) and not unchanged:
            delta = await QUICK.run(self.feeds.delta, key, bases(request.headers))
            if delta is not None:
                return answered_in_part(request, delta)
        return answered(request, rendered)

    async def archive(self, request: Request) -> Response:
        name = request.path_params["name"]
        await self.require(name)
        rendered = await QUICK.run(archives.rendered, self.feeds, name, request.path_params["number"])
        return archives.answered(request, rendered)

    def limit(self, request: Request, name: str) -> int:
        text = request.query_params.get("limit")
        if text is None:
            return self.feeds.plans[name].limit
        if not (text.isascii() and text.isdigit() and len(text) <= 4 and int(text) in LIMITS):
            raise HTTPException(400, "limit is a whole number from 1 to 1000.")
        return int(text)

    async def require(self, name: str) -> None:
        """404 for a feed that never was, 410 for that of a source that left the configuration."""
        if name in self.feeds.plans:
            return
        sources = await QUICK.run(self.feeds.reader.sources)
        if any(source.name == name for source in sources):
            raise HTTPException(
                410, f"The source '{name}' was taken out of the configuration; its feed has ended."
            )
        raise HTTPException(404, "There is no feed of that name.")

    async def opml(self, request: Request) -> Response:
        """All feeds; or one: `?feed=NAME`."""
        shown = visible(self.feeds.plans, viewer_of(request))
        if (name := request.query_params.get("feed")) is not None:
            await self.require(name)
            shown = {name: self.feeds.plans[name]}
        body = opml(shown.values(), self.feeds.base_url)
        return Response(body, headers={"Content-Type": "text/x-opml; charset=utf-8"})

    async def home(self, request: Request) -> Response:
        shown = visible(self.feeds.plans, viewer_of(request))
        return await QUICK.run(home, look_of(request), self.feeds, shown)

    async def feed_list(self, request: Request) -> Response:
        shown = visible(self.feeds.plans, viewer_of(request))
        asked = look_of(request), self.feeds, shown, request.query_params
        return await QUICK.run(feed_pages.feed_list, *asked)

    async def feed_page(self, request: Request) -> Response:
        name = request.path_params["name"]
        await self.require(name)
        asked = look_of(request), self.feeds, name, request.query_params
        return await QUICK.run(feed_pages.feed, *asked)

    async def changes(self, request: Request) -> Response:
        asked = look_of(request), self.feeds, request.query_params
        return await QUICK.run(change_pages.changes, *asked)

    async def entry(self, request: Request) -> Response:
        asked = look_of(request), self.feeds, request.path_params["id"], request.query_params
        return await QUICK.run(entry_pages.entry, *asked)

    async def to_comparison(self, request: Request) -> Response:
        wanted = request.path_params["id"]
        return await QUICK.run(diff_pages.to_comparison, self.feeds, wanted, request.query_params)

    async def diff(self, request: Request) -> Response:
        wanted, pair = request.path_params["id"], request.path_params["pair"]
        accepted = request.headers.get("accept", "")
        asked = diff_pages.Asked(wanted, pair, request.query_params, accepted)
        return await COMPARING.run(diff_pages.diff, look_of(request), self.feeds, self.comparisons, asked)


async def store_failed(_: Request, error: Exception) -> Response:
    log.error("a request failed: %s", error)
    return Response("The database can't be read at the moment.\n", 503, {"Retry-After": "60"}, "text/plain")


async def bug(request: Request, _: Exception) -> Response:
    """Answered around all layers; what serves the application logs the error, which goes on to it."""
    answer = await refused(request, HTTPException(500, "This is a bug in feedd; its log says more."))
    answer.headers.update({**SECURITY_HEADERS, "Cache-Control": "no-store"})
    return answer


class SecurityHeaders:
    """Adds the headers that every answer carries, where it has none of its own of that name."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.raw = [(name.lower().encode(), value.encode()) for name, value in SECURITY_HEADERS.items()]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                own = {name.lower() for name, _ in message["headers"]}
                further = [each for each in self.raw if each[0] not in own]
                message["headers"] = [*message["headers"], *further]
            await send(message)

        await self.app(scope, receive, send_with_headers)
