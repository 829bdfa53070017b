"""The page of an entry: the article in its box, what is said of it, and the line of its versions."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit

from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.responses import Response

from feedd.comparison import befores, newest_pair, numbered
from feedd.errors import UsageError
from feedd.lookup import NUMBER
from feedd.publish.cache import Feeds
from feedd.store.reader import Entry, Revision
from feedd.web.article import Written, boxed, pictures_in, written_in
from feedd.web.look import Look
from feedd.web.pages import page
from feedd.web.parameters import Query, chosen, in_words, number_of
from feedd.web.policy import policy

VERSIONS_SHOWN = 100
VERSIONS_OFFERED = 200  # to be compared, by name; of more, numbers are asked for
SHOW = "show"
PUBLISHERS = "'self' https: http:"  # where pictures come from, in the one answer in which they were asked for


class Version(NamedTuple):
    """A version in the line of versions."""

    revision: Revision
    before: Revision | None  # what its source had until then; None: nothing, or it is no longer kept
    here: bool  # the one that is shown


class Pictures(NamedTuple):
    """The pictures of an article."""

    number: int
    shown: bool
    lead: str | None  # address of one that stands outside the text


def entry(look: Look, feeds: Feeds, wanted: str, query: Query) -> Response:
    found, history = entry_of(feeds, wanted)
    shown = None
    if "revision" in query:
        shown = revision_of(history, query["revision"])
        with in_words():
            found = feeds.reader.entry_as(found, shown)
    pictures = pictures_of(found, shown=chosen(query, "pictures", ("", SHOW), "") == SHOW)
    before = number_of(query["before"], "before") if "before" in query else None
    listed = [each for each in history if before is None or each.number < before]
    answer = page(
        look,
        "entry.html",
        entry=found,
        host=urlsplit(found.url).hostname or found.url,
        written=written(feeds, found),
        shown=shown,
        content=Markup(boxed(found.content_html, look.language, pictures=pictures.shown)),  # noqa: S704 - see article
        pictures=pictures,
        other=address_of(found, shown, pictures=not pictures.shown),
        versions=versions(history, listed, shown.number if shown else None),
        further=len(listed) > VERSIONS_SHOWN,
        first_seen_ms=history[0].seen_ms,
        kept=len(history),
        last=history[-1].number,
        offered=history[::-1] if len(history) <= VERSIONS_OFFERED else (),
        pair=pair_of(history, found.source),
        titles=feeds.titles,
    )
    if pictures.shown:
        answer.headers["Content-Security-Policy"] = policy(PUBLISHERS)
    return answer


def entry_of(feeds: Feeds, wanted: str) -> tuple[Entry, list[Revision]]:
    """The entry of that number, and its versions. Raises HTTPException."""
    found = feeds.reader.entries([int(wanted)], feeds.priorities) if NUMBER.fullmatch(wanted) else []
    if not found:
        raise HTTPException(404, "There is no entry of that number.")
    return found[0], feeds.reader.history(found[0].id)


def revision_of(history: Sequence[Revision], wanted: str) -> Revision:
    """Raises HTTPException."""
    if NUMBER.fullmatch(wanted):
        with in_words(404):
            return numbered(history, int(wanted))
    raise HTTPException(404, "A version is named by its number: a whole number from 1 on.")


def written(feeds: Feeds, entry: Entry) -> Written:
    """As the entry says, else as its source does."""
    plan = feeds.plans.get(entry.source)
    return written_in(entry.details.language, plan.language if plan else None)


def pictures_of(entry: Entry, *, shown: bool) -> Pictures:
    lead = entry.image if entry.image and escape(entry.image) not in entry.content_html else None
    return Pictures(pictures_in(entry.content_html) + (lead is not None), shown, lead)


def address_of(entry: Entry, shown: Revision | None, *, pictures: bool) -> str:
    """Of this page, with pictures or without."""
    query = {"revision": shown.number} if shown else {}
    named = urlencode({**query, "pictures": SHOW} if pictures else query)
    return f"/entries/{entry.id}{'?' if named else ''}{named}"


def versions(history: Sequence[Revision], listed: Sequence[Revision], shown: int | None) -> list[Version]:
    """The newest first."""
    earlier = befores(history)
    return [
        Version(each, earlier.get(each.number), each.number == shown)
        for each in reversed(listed[-VERSIONS_SHOWN:])
    ]


def pair_of(history: Sequence[Revision], source: str) -> tuple[int, int] | None:
    """The versions that the form proposes to compare; None where there are no two."""
    if len(history) == 1:
        return None
    try:
        old, new = newest_pair(history, source)
    except UsageError:
        return history[0].number, history[-1].number
    return old.number, new.number
