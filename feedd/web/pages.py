"""Pages for people, rendered on the server."""

from collections.abc import Mapping
from importlib.resources import files
from itertools import islice

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from feedd import __version__
from feedd.normalise.text import summary
from feedd.publish.cache import Feeds
from feedd.publish.document import Document
from feedd.publish.item import Item, Notice
from feedd.publish.plan import Plan
from feedd.publish.syndication import headline
from feedd.publish.times import moment, rfc3339
from feedd.shapes import printable

NEWEST = 30
SOURCES_SHOWN = 40
STYLE = (files("feedd.web") / "templates/style.css").read_bytes()


def minute(time_ms: int) -> str:
    return moment(time_ms).strftime("%Y-%m-%d %H:%M")


KINDS = {"silent-edit": "edited silently", "duplicate": "kept quietly"}  # changes as people call them


environment = Environment(
    loader=PackageLoader("feedd.web"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
environment.filters.update(
    minute=minute, rfc3339=rfc3339, headline=headline, path=printable, kind=lambda name: KINDS.get(name, name)
)
environment.globals.update(version=__version__)


def page(template: str, status: int = 200, **values: object) -> HTMLResponse:
    headers = {"Cache-Control": "no-cache"}
    return HTMLResponse(environment.get_template(template).render(values), status, headers)


def home(feeds: Feeds, plans: Mapping[str, Plan]) -> Response:
    """`plans`: the feeds that whoever asks may see."""
    document = feeds.document("all", NEWEST)
    sources = [source for source in feeds.reader.sources() if source.configured]
    failing = [source for source in sources if source.error]
    sources.sort(key=lambda source: -(source.last_changed_ms or 0))
    return page(
        "home.html",
        entries=shown(document),
        sources=sources[:SOURCES_SHOWN],
        further=max(0, len(sources) - SOURCES_SHOWN),
        failing=failing[:SOURCES_SHOWN],
        failing_further=max(0, len(failing) - SOURCES_SHOWN),
        rejected=feeds.reader.rejected(NEWEST),
        plans=list(islice(plans.values(), SOURCES_SHOWN)),
        feeds_further=max(0, len(plans) - SOURCES_SHOWN),
        titles=feeds.titles,
    )


def feed_list(feeds: Feeds, plans: Mapping[str, Plan]) -> Response:
    """`plans`: the feeds that whoever asks may see."""
    return page("feeds.html", plans=plans.values(), base_url=feeds.base_url)


def feed(feeds: Feeds, name: str) -> Response:
    document = feeds.document(name, NEWEST)
    addresses = [
        ("Atom", document.url(".atom"), "application/atom+xml"),
        ("RSS", document.url(".rss"), "application/rss+xml"),
        ("JSON Feed", document.url(".json"), "application/feed+json"),
    ]
    return page(
        "feed.html",
        document=document,
        plan=feeds.plans[name],
        addresses=addresses,
        entries=shown(document),
        titles=feeds.titles,
    )


def shown(document: Document) -> list[tuple[Item, str]]:
    """Each entry, or what feedd itself tells, with the beginning of its text."""
    return [
        (item, item.summary if isinstance(item, Notice) else summary(item.content_html, 200))
        for item in document.entries
    ]


async def stylesheet(_: Request) -> Response:
    return Response(
        STYLE, headers={"Content-Type": "text/css; charset=utf-8", "Cache-Control": "max-age=3600"}
    )


async def refused(request: Request, error: HTTPException) -> Response:
    """An error in words: a page for people, a line of text for machines."""
    if "text/html" in request.headers.get("accept", ""):
        answer = page("error.html", error.status_code, code=error.status_code, words=error.detail)
        answer.headers.update(error.headers or {})
        return answer
    return Response(f"{error.detail}\n", error.status_code, error.headers, "text/plain")
