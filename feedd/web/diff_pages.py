"""What differs between two versions of an entry: in one text or side by side; for programs, too."""

import json
import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import urlencode

from markupsafe import Markup
from starlette.exceptions import HTTPException
from starlette.responses import RedirectResponse, Response

from feedd.changes.layout import words_changed
from feedd.changes.markup import inline, side_by_side
from feedd.changes.unified import unified
from feedd.changes.values import Diff
from feedd.comparison import Comparison, Comparisons, TooLong, after, befores
from feedd.publish.cache import Feeds
from feedd.store.reader import Entry, Revision
from feedd.web.diff_markup import Anchored, anchored, anchored_rows, worded
from feedd.web.entry_pages import entry_of, revision_of, written
from feedd.web.look import Look
from feedd.web.pages import page
from feedd.web.parameters import Query, chosen, in_words, number_of
from feedd.web.translation import translated

PAIR = re.compile(r"([0-9]{1,18})\.\.([0-9]{1,18})")
CONTEXT = 2  # unchanged sentences round a change
VIEWS = ("inline", "side")
FORMATS = ("html", "json", "unified")
WHOLE = "whole"
NUMBERED = 200  # changes that are all linked to; of more, some are
LINKED = 60  # of those


class View(NamedTuple):
    """How a comparison is shown."""

    side: bool
    whole: bool  # with all that is unchanged

    @property
    def longer(self) -> "View":
        """The same with the whole text, or without it."""
        return self._replace(whole=not self.whole)

    @property
    def query(self) -> str:
        named = [("view", "side")] * self.side + [("text", WHOLE)] * self.whole
        return f"?{urlencode(named)}" if named else ""


class Pair(NamedTuple):
    """Addresses of comparisons, in the same view."""

    entry_id: int
    view: View

    def of(self, old: Revision, new: Revision, view: View | None = None) -> str:
        return f"/entries/{self.entry_id}/diff/{old.number}..{new.number}{(view or self.view).query}"


class Asked(NamedTuple):
    """What a request for a comparison says."""

    entry: str
    pair: str
    query: Query
    accepted: str  # media types


def to_comparison(feeds: Feeds, wanted: str, query: Query) -> Response:
    """What the form of an entry's page asks for has an address of its own."""
    found, _ = entry_of(feeds, wanted)
    old, new = (number_of(query.get(name, ""), name) for name in ("from", "to"))
    view = View(chosen(query, "view", VIEWS, "inline") == "side", whole=False)
    return RedirectResponse(f"/entries/{found.id}/diff/{old}..{new}{view.query}", 303)


def diff(look: Look, feeds: Feeds, comparisons: Comparisons, asked: Asked) -> Response:
    found, history = entry_of(feeds, asked.entry)
    named = PAIR.fullmatch(asked.pair)
    if named is None:
        raise HTTPException(404, "Two versions are named by their numbers, as in diff/1..2.")
    old, new = (revision_of(history, number) for number in named.groups())
    format_ = chosen(asked.query, "format", FORMATS, "json" if prefers_json(asked.accepted) else "html")
    view = View(
        chosen(asked.query, "view", VIEWS, "inline") == "side",
        chosen(asked.query, "text", ("", WHOLE), "") == WHOLE,
    )
    comparison = between(comparisons, found.id, old, new)
    match format_:
        case "json":
            return answered(json.dumps(comparison.shape, ensure_ascii=False), "application/json")
        case "unified":
            return answered(unified(comparison.diff, *comparison.names), "text/plain")
        case _:
            return diff_page(look, feeds, found, history, comparison, view)


def between(comparisons: Comparisons, entry_id: int, old: Revision, new: Revision) -> Comparison:
    """Raises HTTPException."""
    with in_words():
        try:
            return comparisons.of(old, new)
        except TooLong as error:
            command = f"feedd diff {entry_id} {old.number} {new.number}"
            raise HTTPException(422, f"V{str(error)[1:]}; the command `{command}` compares them.") from error


def diff_page(
    look: Look, feeds: Feeds, found: Entry, history: Sequence[Revision], comparison: Comparison, view: View
) -> Response:
    old, new, what, judged = comparison
    html, changes = compared(what, look.language, (old.number, new.number), view)
    pair = Pair(found.id, view)
    earlier, later = befores(history).get(old.number), after(history, new)
    answer = page(
        look,
        "diff.html",
        entry=found,
        written=written(feeds, found),
        old=old,
        new=new,
        judged=judged,
        words=words_changed(what),
        view=view,
        pair=pair,
        views=[
            (View(side=False, whole=view.whole), not view.side),
            (View(side=True, whole=view.whole), view.side),
        ],
        comparison=Markup(html),  # noqa: S704 - escaped: see changes.markup
        changes=changes,
        numbers=numbers(changes),
        earlier=pair.of(earlier, old) if earlier else None,
        later=pair.of(new, later) if later else None,
        titles=feeds.titles,
    )
    answer.headers.add_vary_header("Accept")
    return answer


def compared(what: Diff, language: str, versions: tuple[int, int], view: View) -> Anchored:
    context = None if view.whole else CONTEXT
    if view.side:
        old, new = (translated("Version %(num)s", language) % {"num": number} for number in versions)
        found = anchored_rows(side_by_side(what, context=context, names=(old, new)))
    else:
        found = anchored(inline(what, context=context))
    return found._replace(html=worded(found.html, language))


def numbers(changes: int) -> list[int]:
    """Of the changes that are linked to; of many, some that lie evenly, and the last."""
    step = 1 if changes <= NUMBERED else -(-changes // LINKED)
    found = list(range(1, changes + 1, step))
    return found if not found or found[-1] == changes else [*found, changes]


def prefers_json(accepted: str) -> bool:
    """Whether a client names JSON and no page for people."""
    return "application/json" in accepted and "text/html" not in accepted


def answered(text: str, media_type: str) -> Response:
    headers = {"Cache-Control": "no-cache", "Vary": "Accept"}
    return Response(text.encode("utf-8", "backslashreplace"), 200, headers, f"{media_type}; charset=utf-8")
