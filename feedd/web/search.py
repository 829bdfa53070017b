"""The page /search, and any search as a feed: /search.atom, .rss, .json."""

from collections.abc import Callable, Collection
from urllib.parse import urlencode

from anyio import CapacityLimiter, to_thread
from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from feedd.errors import UsageError
from feedd.looks import now_ms
from feedd.publish.cache import FORMATS, Rendered
from feedd.search.feeds import LIMIT, SearchFeeds
from feedd.search.finder import Finder, Results
from feedd.web.conditional import accepts_gzip, is_unchanged, validators
from feedd.web.pages import page

LIMITS = range(1, 1001)
SHOWN = 30
MOST_SHOWN = 300
SEARCHING = 2  # threads of their own: what may take seconds holds up no page
LONGEST_QUERY = 4_000  # characters; more is not even looked at


class Search:
    """Answers searches from the store alone."""

    def __init__(
        self, finder: Finder, feeds: SearchFeeds, hidden: Callable[[Request], Collection[str]] = lambda _: ()
    ) -> None:
        """`hidden`: the names of feeds that whoever asks may not see."""
        self.finder = finder
        self.feeds = feeds
        self.hidden = hidden
        self.threads = CapacityLimiter(SEARCHING)

    async def page(self, request: Request) -> Response:
        text, count = query_of(request), number(request, SHOWN, range(1, MOST_SHOWN + 1))
        return await to_thread.run_sync(self.shown, text, count, self.hidden(request), limiter=self.threads)

    def shown(self, text: str, count: int, hidden: Collection[str]) -> Response:
        results, wrong = None, ""
        if text.strip():
            try:
                results = self.finder.find(text, count, hidden=hidden)
            except UsageError as error:
                wrong = str(error)
        return page(
            "search.html",
            400 if wrong else 200,
            query=text,
            wrong=wrong,
            results=results,
            hits=marked(results) if results else [],
            addresses=addresses(text) if results else [],
            more=f"/search?{urlencode({'q': text, 'limit': MOST_SHOWN})}" if count < MOST_SHOWN else "",
            titles=self.feeds.titles,
        )

    def feed(self, format_: str) -> Callable[[Request], object]:
        async def answer(request: Request) -> Response:
            text, limit = query_of(request), number(request, LIMIT, LIMITS)
            if (
                request.headers.get("sec-fetch-dest") == "document"
            ):  # a browser opens it, to be read by a person
                return RedirectResponse(f"/search?{urlencode({'q': text})}", 303, {"Vary": "Sec-Fetch-Dest"})
            hidden = self.hidden(request)
            rendered = await to_thread.run_sync(
                self.rendered, text, format_, limit, hidden, limiter=self.threads
            )
            return answered(request, rendered)

        return answer

    def rendered(self, text: str, format_: str, limit: int, hidden: Collection[str]) -> Rendered:
        try:
            return self.feeds.rendered(text, format_, limit, hidden=hidden)
        except UsageError as error:
            raise HTTPException(400, f"{sentence(str(error))}") from error


def routes(search: Search) -> list[Route]:
    feeds = [Route(f"/search.{format_}", search.feed(format_)) for format_ in FORMATS]
    return [Route("/search", search.page), *feeds]


def query_of(request: Request) -> str:
    text = request.query_params.get("q", "")
    if len(text) > LONGEST_QUERY:
        raise HTTPException(400, f"A search has at most 1,000 characters; this one has {len(text):,}.")
    return text


def number(request: Request, usual: int, allowed: range) -> int:
    text = request.query_params.get("limit")
    if text is None:
        return usual
    if not (text.isascii() and text.isdigit() and len(text) <= 4 and int(text) in allowed):
        raise HTTPException(400, f"limit is a whole number from 1 to {allowed.stop - 1}.")
    return int(text)


def answered(request: Request, rendered: Rendered) -> Response:
    gzipped = accepts_gzip(request.headers)
    headers = validators(rendered, gzipped=gzipped)
    if is_unchanged(request.headers, rendered, now_ms=now_ms()):
        return Response(status_code=304, headers=headers)
    if gzipped:
        headers["Content-Encoding"] = "gzip"
    headers["Content-Type"] = rendered.media_type
    return Response(rendered.gzipped if gzipped else rendered.body, headers=headers)


def sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def marked(results: Results) -> list[dict[str, object]]:
    """Each result; its title and passage are escaped already, and hold no element but `<mark>`."""
    return [
        {
            "entry": each.entry,
            "title": Markup(each.title or "untitled"),  # noqa: S704
            "fragment": Markup(each.fragment),  # noqa: S704
        }
        for each in results.hits
    ]


def addresses(text: str) -> list[tuple[str, str, str]]:
    query = urlencode({"q": text})
    return [
        (label, f"/search.{format_}?{query}", FORMATS[format_][0].partition(";")[0])
        for label, format_ in (("Atom", "atom"), ("RSS", "rss"), ("JSON Feed", "json"))
    ]
