"""The change log as items of a feed: one a change that was told, with what differs as its content."""

import threading
import zlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from html import escape
from itertools import islice
from typing import NamedTuple
from uuid import UUID, uuid5

from feedd.allocation import held_bytes
from feedd.changes.direction import TURNING, isolated
from feedd.changes.markup import changes_html, reasons_html
from feedd.changes.verdict import compared
from feedd.errors import NoLongerKept
from feedd.model import Details, Kind, Significance
from feedd.normalise.text import fold, plain_text, summary
from feedd.publish.item import Chosen, Notice
from feedd.publish.plan import Plan
from feedd.rules import Filter, Parts
from feedd.store.changelog import Change, Side
from feedd.store.judging import Unpacked
from feedd.store.reader import Entry, Reader

CHUNK = 25  # entries that are read at once, where rules look at them
LONGEST_COMPARED = 1_000_000  # characters of HTML of both versions
COMPARED_IN_A_DOCUMENT = 20_000_000  # the same, of all its items
KEPT_BYTES = 12_000_000  # of packed differences: more than those of one document
QUICKLY = 1  # zlib's level: to a third, in a hundredth of the time that a comparison takes
KEPT_VERDICTS = 50_000  # on ends of changes
LONGEST_TITLE = 150
BEGAN = 500  # characters of what was removed
WORDS: Mapping[Kind, str] = {
    Kind.EDITED: "Edited",
    Kind.SILENT_EDIT: "Silently edited",
    Kind.REVERTED: "Reverted",
    Kind.REMOVED: "Removed",
    Kind.RESTORED: "Restored",
}
NO_VERSIONS = "<p><em>The versions are no longer kept.</em></p>"
BACK = "<p><em>The article is back, as it was.</em></p>"
THE_SAME = "<p><em>The text is the same as before.</em></p>"
TOO_LONG = "<p><em>The versions are too long to be compared here: see the full comparison.</em></p>"


class Difference(NamedTuple):
    """What a change came to, as HTML."""

    html: str
    characters: int  # that were read for it


class Packed(NamedTuple):
    """The same, as it is kept: there are many, and most are asked for by one document alone."""

    html: bytes
    characters: int


def packed(made: Difference) -> Packed:
    return Packed(zlib.compress(made.html.encode(), QUICKLY), made.characters)


def unpacked(kept: Packed) -> Difference:
    return Difference(zlib.decompress(kept.html).decode(), kept.characters)


class Verdicts:
    """What rules say of the ends of changes, which stay what they are. Usable from any thread.

    Kept by the hash of what was asked, which takes a hundred bytes, where that itself would take a thousand.
    """

    def __init__(self) -> None:
        self.kept: OrderedDict[int, bool] = OrderedDict()
        self.guard = threading.Lock()

    def of(self, rules: Filter, side: Side, entry: Entry, text: Callable[[], str]) -> bool:
        """Whether they let in what the entry was then; `text` is made only if a rule asks for it."""
        said = entry.details
        key = hash((rules, side, entry.url, said.authors, said.categories))
        with self.guard:
            if key in self.kept:
                self.kept.move_to_end(key)
                return self.kept[key]
        try:
            made = rules.objection(Parts(side.title, entry.url, text, said.authors, said.categories)) is None
        except NoLongerKept:
            return False
        with self.guard:
            self.kept[key] = made
            if len(self.kept) > KEPT_VERDICTS:
                self.kept.popitem(last=False)
        return made


class Differences:
    """Makes what differs, and keeps it, since a change in the log stays what it is. Usable from any thread.

    `room`: characters of HTML that one document compares; `keeps`: bytes that those may take which are kept.
    """

    def __init__(self, room: int = COMPARED_IN_A_DOCUMENT, keeps: int = KEPT_BYTES) -> None:
        self.room = room
        self.keeps = keeps
        self.kept: OrderedDict[tuple[int, int], Packed] = OrderedDict()
        self.size = 0
        self.verdicts = Verdicts()
        self.guard = threading.Lock()

    def of(self, change: Change, reader: Reader, versions: Unpacked) -> Difference:
        key = (change.id, hash((change.old, change.new, change.reasons, change.article_url)))
        with self.guard:
            found = self.kept.get(key)
            if found is not None:
                self.kept.move_to_end(key)
        if found is not None:
            return unpacked(found)
        made = difference(change, reader, versions)
        keeping = packed(made)
        with self.guard:
            if key not in self.kept:
                self.kept[key] = keeping
                self.size += held_bytes((key, keeping))
            while self.size > self.keeps and len(self.kept) > 1:
                self.size -= held_bytes(self.kept.popitem(last=False))
        return made


class Log(NamedTuple):
    """Where changes are read, and what their differences are kept in."""

    reader: Reader
    differences: Differences | None  # None: nobody wants to know what differs
    base_url: str
    priorities: Mapping[str, int]


def changes_of(log: Log, plan: Plan, limit: int, configured_ms: int) -> Chosen:
    """The newest changes that the feed tells."""
    born, updated_ms, notices = UUID(log.reader.uuid()), configured_ms, list[Notice]()
    differs = Teller(log)
    for change, seen in judged(log, plan):
        updated_ms = max(updated_ms, change.at_ms, seen.moved_ms)
        if not seen.shows:
            continue
        notices.append(notice_of(change, born, log.base_url, differs.of(change)))
        if len(notices) == limit:
            break
    return Chosen(tuple(notices), updated_ms)


class Teller:
    """Says what differs in the changes of one document, as long as there is room; the newest come first."""

    def __init__(self, log: Log) -> None:
        self.log = log
        self.room = log.differences.room if log.differences else 0
        self.unpacked = Unpacked()

    def of(self, change: Change) -> str:
        reader, differences = self.log.reader, self.log.differences
        if differences is None:
            return ""
        if self.room <= 0:
            return unseen(change).html
        made = differences.of(change, reader, self.unpacked)
        self.room -= made.characters
        return made.html


class Seen(NamedTuple):
    """What the rules of a feed say of an entry's newest version."""

    shows: bool
    moved_ms: int = 0  # when that may have changed last
    entry: Entry | None = None  # without its text


def judged(log: Log, plan: Plan) -> Iterator[tuple[Change, Seen]]:
    """Changes of the feed's sources, newest first, and whether the feed shows them.

    It does where the newest version of the entry passes its rules, or either end of the change: an edit may have
    taken away the very word that the feed is about. Entries are read only if the feed has rules, each once.
    """
    reader = log.reader
    source_ids = None if plan.sources is None else reader.source_ids(plan.sources)
    found = reader.change_log(source_ids, Significance.SUBSTANTIAL if plan.changes == "substantial" else None)
    if not any(plan.filter):
        yield from ((change, Seen(shows=True)) for change in found)
        return
    known, ends = dict[int, Seen](), Ends(log, plan.filter)
    while some := list(islice(found, CHUNK)):
        unknown = {change.entry_id for change in some} - known.keys()
        for entry in reader.entries(unknown, log.priorities, plan.sources):
            moved_ms = max(entry.changed_ms, entry.seen_ms)
            known[entry.id] = Seen(plan.shows(entry), moved_ms, entry._replace(content_html=""))
        for change in some:
            seen = known.get(change.entry_id, Seen(shows=False))
            yield change, seen if seen.shows else seen._replace(shows=ends.let_in(change, seen.entry))


class Ends:
    """The rules of a feed, and the versions at the ends of changes."""

    def __init__(self, log: Log, rules: Filter) -> None:
        self.reader = log.reader
        self.rules = rules
        self.verdicts = log.differences.verdicts if log.differences else Verdicts()
        self.unpacked = Unpacked()

    def let_in(self, change: Change, entry: Entry | None) -> bool:
        """Whether either end of the change passes."""
        ends = [side for side in (change.new, change.old) if side is not None]
        return entry is not None and any(self.passes(side, entry) for side in ends)

    def passes(self, side: Side, entry: Entry) -> bool:
        def text() -> str:
            with suppress(NoLongerKept):
                return plain_text(self.reader.version_content(side.revision_id, self.unpacked).html)
            return ""

        return self.verdicts.of(self.rules, side, entry, text)


def notice_of(change: Change, born: UUID, base_url: str, differs: str) -> Notice:
    """A change as an item. Its id never changes."""
    history = f"{base_url}entries/{change.entry_id}"
    ends = compared_ends(change)
    url = f"{history}/diff/{ends[0].number}..{ends[1].number}" if ends else history
    words = WORDS[change.kind]
    return Notice(
        uid=str(uuid5(born, f"change:{change.id}")),
        url=url,
        title=f"{words}: {titled(change)}",
        summary=cut("; ".join(change.reasons) or f"{words}.", 300),
        content_html=f"{differs}{links(change, url, history)}",
        published_ms=change.at_ms,
        updated_ms=change.at_ms,
        source=change.source,
        article_url=change.article_url,
        details=Details(categories=(change.kind.value, change.significance.value)),
    )


def compared_ends(change: Change) -> tuple[Side, Side] | None:
    """The two versions that are compared, where there are two."""
    old, new = change.old, change.new
    return (old, new) if old and new and old.revision_id != new.revision_id else None


def titled(change: Change) -> str:
    """The title; where it changed, the old and the new one."""
    new = isolated(cut(change.title if worded(change.title) else change.article_url, LONGEST_TITLE))
    ends = compared_ends(change)
    if ends is None or worded(ends[0].title) in {"", worded(ends[1].title)}:
        return new
    return f"{isolated(cut(ends[0].title, LONGEST_TITLE))} → {new}"


def worded(title: str) -> str:
    """What a title says, whatever its typography; "" for nothing."""
    return fold(TURNING.sub("", title))


def cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[: limit - 1].rstrip()}…"


def difference(change: Change, reader: Reader, unpacked: Unpacked) -> Difference:
    """Reasons and what differs. What is no longer kept, or too long, is said in words."""
    said = reasons_html(change.reasons)
    if change.kind is Kind.REMOVED:
        return removal(change, reader, unpacked)
    if change.old is None or change.new is None:
        return Difference(said + NO_VERSIONS, 0)
    ends = compared_ends(change)
    if ends is None:
        return Difference(BACK if change.kind is Kind.RESTORED else said + THE_SAME, 0)
    try:
        old, new = (reader.version_content(each.revision_id, unpacked) for each in ends)
    except NoLongerKept:  # pruned since the log was read
        return Difference(said + NO_VERSIONS, 0)
    characters = len(old.html) + len(new.html)
    if characters > LONGEST_COMPARED:
        return unseen(change)._replace(characters=characters)
    return Difference(changes_html(compared(old, new), change.reasons), characters)


def unseen(change: Change) -> Difference:
    return Difference(reasons_html(change.reasons) + TOO_LONG, 0)


def removal(change: Change, reader: Reader, unpacked: Unpacked) -> Difference:
    said = f"<p>The article is no longer there.</p>{reasons_html(change.reasons)}"
    if change.old is None:
        return Difference(said + NO_VERSIONS, 0)
    try:
        gone = reader.version_content(change.old.revision_id, unpacked).html
    except NoLongerKept:
        return Difference(said + NO_VERSIONS, 0)
    began = summary(gone, BEGAN)
    if began:
        said += f'<p>It began:</p><blockquote dir="auto"><del>{escape(began, quote=False)}</del></blockquote>'
    return Difference(said, len(gone))


def links(change: Change, url: str, history: str) -> str:
    """Where to read on: RSS has no other place for the article's address."""
    article = escape(change.article_url)
    items = [f'Article: <a href="{article}">{article}</a>']
    if url != history:
        items.append(f'<a href="{escape(url)}">Full comparison</a>')
    items.append(f'<a href="{escape(history)}">All versions</a>')
    return f"<p>{' · '.join(items)}</p>"
