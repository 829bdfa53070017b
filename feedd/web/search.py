"""The page /search, and any search as a feed: /search.atom, .rss, .json."""

import json
import re
from collections import Counter
from collections.abc import Callable, Collection
from datetime import timedelta
from itertools import islice
from typing import NamedTuple
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from feedd.errors import TooSlow, UsageError
from feedd.looks import now_ms
from feedd.publish.cache import FORMATS, Rendered
from feedd.publish.times import moment
from feedd.search.feeds import LIMIT, SearchFeeds
from feedd.search.finder import Finder, Results
from feedd.search.indexer import state_of
from feedd.search.query import LONGEST, Changed, InFeed, OfSource, Published, Query
from feedd.store.reader import Entry
from feedd.threads import SLOW
from feedd.web.conditional import accepts_gzip, is_unchanged, validators
from feedd.web.look import Look, look_of
from feedd.web.opened import media_type, wants_page
from feedd.web.pages import page
from feedd.web.queue import RETRY_AFTER, Queue
from feedd.web.viewer import hidden

LIMITS = range(1, 1001)
SHOWN = 30
STEPS = (100, 300)  # results, for who wants more of them
MOST_SHOWN = STEPS[-1]
SUGGESTED = 12  # sources and tags, where nothing was asked for
NARROWED = 6  # sources
DAYS = (7, 30, 365)
LONGEST_TERM = 80  # characters of one that is added
TERM = re.compile(r"-?(?:source|feed|tag|before|after|changed|title|author):", re.IGNORECASE)
QUOTATION = '"“”„‟«»＂「」『』'
LONGEST_QUERY = 4_000  # characters; more is not even looked at


class Marked(NamedTuple):
    """A result; title and passage are escaped already, and hold no element but `<mark>`."""

    entry: Entry
    title: Markup
    fragment: Markup


class Narrowing(NamedTuple):
    """A term of a query, and the search with it, or without it."""

    kind: str  # source | after | changed | term
    value: str  # the source, or a number of days
    term: str
    address: str = ""


class Search:
    """Answers searches from the store alone."""

    def __init__(self, finder: Finder, feeds: SearchFeeds) -> None:
        self.finder = finder
        self.feeds = feeds
        self.queue = Queue(SLOW)

    async def page(self, request: Request) -> Response:
        text, count = query_of(request), number(request, SHOWN, range(1, MOST_SHOWN + 1))
        asked = look_of(request), text, count, hidden(self.finder.plans, request)
        return await self.queue.run(request, self.shown, *asked)

    def shown(self, look: Look, text: str, count: int, hidden: Collection[str]) -> Response:
        results, wrong, status = None, "", 200
        if text.strip():
            try:
                results = self.finder.find(text, count, hidden=hidden)
            except UsageError as error:
                wrong, status = f"{error}.", 400
            except TooSlow as error:
                wrong, status = sentence(str(error)), 503
        answer = page(
            look,
            "search.html",
            status,
            query=text,
            wrong=wrong,
            slow=status == 503,
            results=results,
            hits=marked(results) if results else [],
            terms=removable(results.query.text) if results else [],
            narrowings=narrowings(results, now_ms()) if results else [],
            addresses=addresses(text) if results else [],
            base_url=self.feeds.base_url,
            lines=lines(results.query) if results else None,
            more=f"/search?{urlencode({'q': text, 'limit': step})}" if (step := further(count)) else "",
            state=results.state if results else state_of(self.finder.reader),
            sources=list(islice(self.finder.priorities, SUGGESTED)),
            tags=list(islice(self.finder.tags, SUGGESTED)),
            titles=self.feeds.titles,
        )
        if status == 503:
            answer.headers.update(RETRY_AFTER)
        return answer

    def feed(self, format_: str) -> Callable[[Request], object]:
        async def answer(request: Request) -> Response:
            text, limit = query_of(request), number(request, LIMIT, LIMITS)
            if wants_page(request):
                return RedirectResponse(f"/search?{urlencode({'q': text})}", 303, {"Vary": "Sec-Fetch-Dest"})
            asked = text, format_, limit, hidden(self.finder.plans, request)
            rendered = await self.queue.run(request, self.rendered, *asked)
            return answered(request, rendered)

        return answer

    def rendered(self, text: str, format_: str, limit: int, hidden: Collection[str]) -> Rendered:
        try:
            return self.feeds.rendered(text, format_, limit, hidden=hidden)
        except UsageError as error:
            raise HTTPException(400, sentence(str(error))) from error
        except TooSlow as error:
            raise HTTPException(503, sentence(str(error)), RETRY_AFTER) from error


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
    headers["Content-Type"] = media_type(request, rendered)
    return Response(rendered.gzipped if gzipped else rendered.body, headers=headers)


def sentence(words: str) -> str:
    return f"{words[:1].upper()}{words[1:]}."


def marked(results: Results) -> list[Marked]:
    return [
        Marked(each.entry, Markup(each.title), Markup(each.fragment))  # noqa: S704
        for each in results.hits
    ]


def further(count: int) -> int | None:
    """How many results are shown next; None: there is no page of more."""
    return next((step for step in STEPS if step > count), None)


def with_term(term: str, text: str) -> str:
    """The term comes first: a quotation mark that is not closed takes all behind it."""
    return f"/search?{urlencode({'q': f'{term} {text}'})}"


def narrowings(results: Results, now: int) -> list[Narrowing]:
    """Terms that leave out some of what was found, each of a kind that the query does not have yet."""
    query = results.query
    if len(query.text) > LONGEST - LONGEST_TERM:
        return []
    kinds = {type(each) for each in query.conditions()}
    made = list[Narrowing]()
    if OfSource not in kinds:
        counts = Counter(hit.entry.source for hit in results.hits)
        if len(counts) > 1:
            made += [Narrowing("source", name, f"source:{name}") for name, _ in counts.most_common(NARROWED)]
    if Published not in kinds:
        today = moment(now)
        made += [
            Narrowing("after", str(days), f"after:{today - timedelta(days=days):%Y-%m-%d}") for days in DAYS
        ]
    if Changed not in kinds:
        made.append(Narrowing("changed", "7", "changed:7d"))
    return [each._replace(address=with_term(each.term, query.text)) for each in made]


def removable(text: str) -> list[Narrowing]:
    """The conditions of a query that can be taken out of it without another meaning of the rest."""
    words = text.split()
    if "OR" in words or any(mark in text for mark in QUOTATION):
        return []
    others = {each: " ".join(other for other in words if other != each) for each in words if TERM.match(each)}
    return [
        Narrowing("term", each, each, f"/search?{urlencode({'q': rest})}") for each, rest in others.items()
    ]


def lines(query: Query) -> str | None:
    """What makes a feed of the search in the configuration; None where that can't be (`feed:`)."""
    if any(isinstance(each, InFeed) for each in query.conditions()):
        return None
    # a JSON string is one of TOML, too: nothing that only JSON leaves as it is stands in a clean query
    return f"[feeds.my-search]\nquery = {json.dumps(query.text, ensure_ascii=False)}"


def addresses(text: str) -> list[tuple[str, str, str]]:
    query = urlencode({"q": text})
    return [
        (label, f"/search.{format_}?{query}", FORMATS[format_][0].partition(";")[0])
        for label, format_ in (("Atom", "atom"), ("RSS", "rss"), ("JSON Feed", "json"))
    ]
