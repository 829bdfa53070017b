"""Pages about one entry, its versions and what differs between them; and about what changed lately."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from typing import NamedTuple

from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from feedd.changes.markup import inline, side_by_side
from feedd.changes.unified import unified
from feedd.comparison import Comparison, Comparisons, TooLong, after, befores, newest_pair, numbered
from feedd.errors import NoLongerKept, UsageError
from feedd.lookup import NUMBER
from feedd.model import Significance
from feedd.publish.cache import Feeds
from feedd.store.reader import Entry, Revision
from feedd.web.pages import page

PAIR = re.compile(r"([0-9]{1,18})\.\.([0-9]{1,18})")
VERSIONS_SHOWN = 100
CHANGES_SHOWN = 50
CONTEXT = 2  # unchanged sentences round a change
VIEWS = ("inline", "side")
FORMATS = ("html", "json", "unified")
TOLD = (Significance.MINOR, Significance.SUBSTANTIAL)  # of changes that are told
PICTURE = re.compile(r'<img(?: alt="(?P<alt>[^"]*)"| [a-z]+="[^"]*")*>')
PLAYER = re.compile(r"<(?P<name>video|audio)(?: [a-z]+=\"[^\"]*\")*>|</(?:video|audio)>")
Query = Mapping[str, str]


def entry(feeds: Feeds, wanted: str, query: Query) -> Response:
    found, history = entry_of(feeds, wanted)
    shown = None
    if "revision" in query:
        shown = revision_of(history, query["revision"])
        with in_words():
            found = feeds.reader.entry_as(found, shown)
    listed = history[: number_of(query["before"], "before") - 1] if "before" in query else history
    earlier = befores(history)
    return page(
        "entry.html",
        entry=found,
        shown=shown,
        content=Markup(without_pictures(found.content_html)),  # noqa: S704 - clean: see normalise.html
        history=[(each, earlier.get(each.number)) for each in reversed(listed[-VERSIONS_SHOWN:])],
        further=len(listed) > VERSIONS_SHOWN,
        last=history[-1].number,
        pair=pair_of(history, found.source),
        titles=feeds.titles,
    )


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


@contextmanager
def in_words(status: int = 400) -> Iterator[None]:
    """What was asked amiss, as an answer: of that status, or 410 for what is no longer kept."""
    try:
        yield
    except UsageError as error:
        said = str(error)
        raise HTTPException(
            410 if isinstance(error, NoLongerKept) else status, f"{said[0].upper()}{said[1:]}."
        ) from error


def number_of(text: str, name: str) -> int:
    """A whole number from 1 on. Raises HTTPException."""
    if not NUMBER.fullmatch(text) or int(text) < 1:
        raise HTTPException(400, f"{name} is a whole number from 1 on.")
    return int(text)


def pair_of(history: Sequence[Revision], source: str) -> tuple[int, int] | None:
    """The versions that the form proposes to compare; None where there are no two."""
    if len(history) == 1:
        return None
    try:
        old, new = newest_pair(history, source)
    except UsageError:
        return history[0].number, history[-1].number
    return old.number, new.number


def without_pictures(html: str) -> str:
    """What would be loaded from elsewhere tells its publisher who reads: its description stands in for it."""
    return PLAYER.sub(
        lambda found: f"[{found['name']}] " if found["name"] else "",
        PICTURE.sub(lambda found: f"[picture{': ' + found['alt'] if found['alt'] else ''}]", html),
    )


def to_comparison(feeds: Feeds, wanted: str, query: Query) -> Response:
    """What the form of an entry's page asks for has an address of its own."""
    found, _ = entry_of(feeds, wanted)
    old, new = (number_of(query.get(name, ""), name) for name in ("from", "to"))
    view = "?view=side" if query.get("view") == "side" else ""
    return RedirectResponse(f"/entries/{found.id}/diff/{old}..{new}{view}", 303)


class Asked(NamedTuple):
    """What a request for a comparison says."""

    entry: str
    pair: str
    query: Query
    accepted: str  # media types


def diff(feeds: Feeds, comparisons: Comparisons, asked: Asked) -> Response:
    found, history = entry_of(feeds, asked.entry)
    named = PAIR.fullmatch(asked.pair)
    if named is None:
        raise HTTPException(404, "Two versions are named by their numbers, as in diff/1..2.")
    old, new = (revision_of(history, number) for number in named.groups())
    format_ = chosen(asked.query, "format", FORMATS, "json" if prefers_json(asked.accepted) else "html")
    view = chosen(asked.query, "view", VIEWS, "inline")
    comparison = between(comparisons, found.id, old, new)
    match format_:
        case "json":
            return answered(json.dumps(comparison.shape, ensure_ascii=False), "application/json")
        case "unified":
            return answered(unified(comparison.diff, *comparison.names), "text/plain")
        case _:
            return diff_page(feeds, found, history, comparison, view)


def between(comparisons: Comparisons, entry_id: int, old: Revision, new: Revision) -> Comparison:
    """Raises HTTPException."""
    with in_words():
        try:
            return comparisons.of(old, new)
        except TooLong as error:
            command = f"feedd diff {entry_id} {old.number} {new.number}"
            raise HTTPException(422, f"V{str(error)[1:]}; the command `{command}` compares them.") from error


def diff_page(
    feeds: Feeds, found: Entry, history: Sequence[Revision], comparison: Comparison, view: str
) -> Response:
    old, new, what, judged = comparison
    if view == "side":
        columns = (f"Version {old.number}", f"Version {new.number}")
        html = side_by_side(what, context=CONTEXT, names=columns)
    else:
        html = inline(what, context=CONTEXT)
    answer = page(
        "diff.html",
        entry=found,
        old=old,
        new=new,
        judged=judged,
        view=view,
        comparison=Markup(html),  # noqa: S704 - escaped: see changes.markup
        earlier=befores(history).get(old.number),
        later=after(history, new),
        titles=feeds.titles,
    )
    answer.headers["Vary"] = "Accept"
    return answer


def chosen(query: Query, name: str, choices: Sequence[str], otherwise: str) -> str:
    """Raises HTTPException."""
    value = query.get(name, otherwise)
    if value not in choices:
        raise HTTPException(400, f"{name} is one of: {', '.join(filter(None, choices))}.")
    return value


def prefers_json(accepted: str) -> bool:
    """Whether a client names JSON and no page for people."""
    return "application/json" in accepted and "text/html" not in accepted


def answered(text: str, media_type: str) -> Response:
    headers = {"Cache-Control": "no-cache", "Vary": "Accept"}
    return Response(text.encode("utf-8", "backslashreplace"), 200, headers, f"{media_type}; charset=utf-8")


def changes(feeds: Feeds, query: Query) -> Response:
    before = number_of(query["before"], "before") if "before" in query else None
    level = chosen(query, "significance", ("", *TOLD), "")
    log = feeds.reader.change_log(None, Significance(level) if level else None, before)
    found = list(islice(log, CHANGES_SHOWN + 1))
    shown = found[:CHANGES_SHOWN]
    return page(
        "changes.html",
        changes=shown,
        next=shown[-1].id if len(found) > len(shown) else None,
        first=before is None,
        level=level,
        levels=TOLD,
        titles=feeds.titles,
    )
