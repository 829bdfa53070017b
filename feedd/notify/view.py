"""What templates see of a message: one mapping, the same for every channel, that JSON can hold. Pure.

Strangers' texts in it are single lines without control characters; mark-up in them is for the template to escape.
docs/notifications.md lists it.
"""

import re
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from feedd.changes import markdown, markup, plain
from feedd.changes.direction import TURNING
from feedd.changes.values import Diff
from feedd.model import Kind
from feedd.notify.values import DIGEST, Fact, Form, Message, Shape
from feedd.publish.changes import WORDS
from feedd.publish.health import WORDS as ADVICE
from feedd.publish.times import rfc3339

IN_FULL = 50  # changes of a digest; of the rest headlines and links
TEXT_BYTES = 20_000  # of one difference
HTML_BYTES = 100_000
TEXT_ROOM = (
    200_000  # bytes of the differences of a message, in a form; what comes when there is none has none
)
HTML_ROOM = 400_000
CONTEXT = 1  # unchanged sentences round a change
LONGEST_LINE = 500  # characters
LONGEST_BEGINNING = 2_000
REASONS_SHOWN = 50

SHORTEST_DIFFERENCE = 200  # bytes: less shows nothing
CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\ufffe\uffff\ud800-\udfff]+")
# a background that is half transparent is readable on white and on black; strokes tell where there are no colours
STYLES = {
    "<ins>": '<ins style="background:rgba(46,160,67,.25)">',
    "<del>": '<del style="background:rgba(248,81,73,.25)">',
    "</del><ins": "</del> <ins",
}
LABELS: Mapping[Kind, str] = {Kind.ADDED: "New", **WORDS}
COUNTED: Mapping[Kind, tuple[str, str]] = {
    Kind.ADDED: ("added", "added"),
    Kind.EDITED: ("edited", "edited"),
    Kind.SILENT_EDIT: ("silently edited", "silently edited"),
    Kind.REVERTED: ("reverted", "reverted"),
    Kind.REMOVED: ("removed", "removed"),
    Kind.RESTORED: ("restored", "restored"),
    Kind.SOURCE_FAILING: ("source failing", "sources failing"),
    Kind.SOURCE_RECOVERED: ("source recovered", "sources recovered"),
    Kind.SOURCE_PAUSED: ("source paused", "sources paused"),
    Kind.SOURCE_MOVED: ("source moved", "sources moved"),
    Kind.SOURCE_SILENT: ("source silent", "sources silent"),
}
INCIDENTS: Mapping[Kind, str] = {
    Kind.SOURCE_FAILING: "failing",
    Kind.SOURCE_PAUSED: "paused",
    Kind.SOURCE_MOVED: "moved",
    Kind.SOURCE_SILENT: "silent",
}


class Bounds(NamedTuple):
    """How much of a message is said, where a service takes little."""

    difference: int | None = None  # bytes of one, in any form; None: what there is always room for
    began: int = LONGEST_BEGINNING  # characters; of notes too
    reasons: int = REASONS_SHOWN
    line: int = LONGEST_LINE
    address: int | None = None  # characters of an article's: longer ones are left out. None: all are told
    named: int | None = None  # changes; the others are counted. None: all
    advises: bool = True
    coloured: bool = True


EVERYTHING = Bounds()


def view(message: Message, forms: Collection[Form], base_url: str, bounds: Bounds = EVERYTHING) -> Shape:
    """Differences are made in `forms` alone, which takes time; in the others they are null."""
    room = {form: HTML_ROOM if form is Form.HTML else TEXT_ROOM for form in forms}
    named = message.facts[: bounds.named]
    return {
        "id": message.id,
        "type": message.type,
        "timestamp": rfc3339(message.at_ms),
        "channel": message.channel,
        "count": len(message.facts) + message.more,
        "more": message.more + len(message.facts) - len(named),
        "headline": headline(message),
        "base_url": base_url,
        "data": message.data,
        "changes": [
            changed(fact, room, bounds, in_full=number < IN_FULL) for number, fact in enumerate(named)
        ],
    }


def headline(message: Message) -> str:
    """What it is about, in one line."""
    facts = message.facts
    if len(facts) == 1 and not message.more:
        return flat(facts[0].headline)
    if not facts and message.type != DIGEST:
        return "A message of feedd"
    count = len(facts) + message.more
    words = "1 change" if count == 1 else f"{count:,} changes"
    return words if message.more or not facts else f"{words}: {tally(facts)}"


def tally(facts: Sequence[Fact]) -> str:
    """`3 added, 1 source failing`."""
    counts = Counter(fact.kind for fact in facts)
    return ", ".join(
        f"{counts[kind]:,} {words[counts[kind] > 1]}" for kind, words in COUNTED.items() if counts[kind]
    )


def changed(fact: Fact, room: dict[Form, int], bounds: Bounds = EVERYTHING, *, in_full: bool) -> Shape:
    began = min(bounds.began, LONGEST_BEGINNING)
    return {
        "id": fact.change_id,
        "kind": fact.kind.value,
        "label": LABELS.get(fact.kind, "Source"),
        "headline": flat(fact.headline, bounds.line),
        "title": flat(fact.title, bounds.line),
        "source": flat(fact.source),
        "at": rfc3339(fact.at_ms),
        "significance": str(fact.significance),
        "reasons": reasons(fact.reasons, bounds) if in_full else [],
        "url": within(web_address(fact.article_url), bounds.address),
        "page": web_address(fact.page_url),
        "page_name": page_name(fact),
        "began": flat(fact.began, began) if in_full and began else "",
        "note": flat(fact.note, began) if fact.note and in_full and began else None,
        "advice": advice(fact) if in_full and bounds.advises else None,
        "diff": difference(fact.diff, room, bounds) if fact.diff is not None and in_full else None,
    }


def reasons(some: Sequence[str], bounds: Bounds = EVERYTHING) -> list[str]:
    shown = [line for each in some[: bounds.reasons] if (line := flat(each, bounds.line))]
    more = len(some) - bounds.reasons
    return [*shown, f"and {more:,} more"] if more > 0 and bounds.reasons else shown


def within(url: str | None, longest: int | None) -> str | None:
    """An address, unless it is too long: a part of one leads nowhere."""
    return None if url is None or (longest is not None and len(url) > longest) else url


def page_name(fact: Fact) -> str:
    """What the page of feedd shows."""
    if fact.kind not in LABELS:
        return "The source’s feed"
    return "Comparison" if "/diff/" in fact.page_url else "All versions"


def advice(fact: Fact) -> str | None:
    """What to do about a source."""
    incident = INCIDENTS.get(fact.kind)
    return ADVICE[incident].advice.format(flat(fact.source)) if incident else None


def difference(diff: Diff, room: dict[Form, int], bounds: Bounds = EVERYTHING) -> Shape | None:
    """In each form that has room left; `room` is what is left of it afterwards. None: there is none for any."""
    most = bounds.difference
    if most is not None and most < SHORTEST_DIFFERENCE:
        return None
    made: dict[str, str | None] = dict.fromkeys(Form)
    for form, left in room.items():
        if left > 0:
            text = spelled(diff, form, left if most is None else min(left, most), coloured=bounds.coloured)
            room[form] = left - plain.size(text)
            made[form.value] = text
    return made


def spelled(diff: Diff, form: Form, room: int, *, coloured: bool = True) -> str:
    match form:
        case Form.PLAIN:
            return plain.inline(diff, context=CONTEXT, limit=min(TEXT_BYTES, room))
        case Form.MARKDOWN:
            return markdown.inline(diff, context=CONTEXT, limit=min(TEXT_BYTES, room))
        case Form.HTML:
            html = TURNING.sub("", markup.inline(diff, context=CONTEXT, limit=min(HTML_BYTES, room)))
            return styled(html) if coloured else html


def styled(html: str) -> str:
    """With colours, where that keeps it in bounds: texts in it are escaped, so that each tag is one of ours."""
    coloured = html
    for found, put in STYLES.items():
        coloured = coloured.replace(found, put)
    return coloured if plain.size(coloured) <= HTML_BYTES else html


def flat(text: str, longest: int = LONGEST_LINE) -> str:
    """One line of text, without what turns the order of letters round beyond it."""
    line = " ".join(CONTROLS.sub(" ", text[: 4 * longest]).split())
    return line if len(line) <= longest else f"{line[: longest - 1].rstrip()}…"


def web_address(url: str | None) -> str | None:
    """An address that may become a link."""
    if url is None or not url.startswith(("http://", "https://")) or CONTROLS.search(url) or " " in url:
        return None
    return url
