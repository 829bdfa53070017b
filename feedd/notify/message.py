"""What a delivery says: a change with all that belongs to it, several changes in one, or a sample."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import suppress
from typing import NamedTuple
from unicodedata import category

from feedd import shape_types, shapes
from feedd.changes.direction import isolated
from feedd.changes.values import Content, Diff, Op
from feedd.changes.verdict import compared_and_judged
from feedd.comparison import Comparison, Comparisons, TooLong
from feedd.errors import NoLongerKept
from feedd.model import NO_DETAILS, Kind, Significance
from feedd.normalise.text import summary
from feedd.normalise.url import shown
from feedd.notify.values import DIGEST, TEST, Fact, Message, Shape
from feedd.publish import changes, health
from feedd.publish.changes import BEGAN, LONGEST_TITLE, cut, titled, worded
from feedd.store.changelog import Change, Side
from feedd.store.log import Logged
from feedd.store.proposals import by_source
from feedd.store.reader import Entry, Reader, Revision

KEPT_BYTES = 1_000_000  # of comparisons: all channels are told of a change in turn, and seldom later
ROOM = 1_000_000  # characters of differences in one digest
NAMED = 500  # changes in one digest
LONGEST_NOTE = 2_000
WORDS: Mapping[Kind, str] = {Kind.ADDED: "Added", **changes.WORDS}
TROUBLE: Mapping[Kind, tuple[str, bool]] = {  # what it is called in the health feed, and whether it lasts
    Kind.SOURCE_FAILING: ("failing", True),
    Kind.SOURCE_RECOVERED: ("failing", False),
    Kind.SOURCE_PAUSED: ("paused", True),
    Kind.SOURCE_MOVED: ("moved", True),
    Kind.SOURCE_SILENT: ("silent", True),
}
NOT_KEPT = "The version that this tells of is no longer kept."
NOTHING_BEFORE = "The version before is no longer kept, so that there is nothing to compare with."
GONE = "The entry is no longer kept."
BACK = "The article is back, as it was."
THE_SAME = "The text is the same as before."
TOO_LONG = "The versions are too long to be compared here."
NO_ROOM = "There are too many changes for a comparison of each: see its page."
A_SAMPLE = "This is a sample: it says that messages arrive, and how they look. Nothing was changed."
SAMPLES = (
    Content("A sample from feedd", "<p>The bridge opens on Monday.</p><p>The mayor will speak.</p>"),
    Content("A sample from feedd", "<p>The bridge opens on Friday.</p><p>The mayor will speak.</p>"),
)


class Told(NamedTuple):
    """A change of an entry with what is left of all that belongs to it."""

    logged: Logged
    change: Change | None = None  # None: the entry is gone
    entry: Entry | None = None  # as its version was, else as it is now
    revision: Revision | None = None
    previous: Revision | None = None
    comparison: Comparison | None = None
    note: str | None = None  # in words: what is missing, and why

    @property
    def page_url(self) -> str:
        """Below the base of all addresses."""
        ends = (self.change.old, self.change.new) if self.change is not None else (None, None)
        return page_path(self.logged, *ends)


class Messages:
    """Makes messages from the store alone. Usable from any thread; versions are compared once for all channels.

    `priorities`, `languages` and `titles` are those of sources, by name. `room`: characters of differences that one
    digest tells, before it leaves the others to their pages. `paused`: sources that the configuration pauses.
    """

    def __init__(
        self,
        reader: Reader,
        base_url: str,
        priorities: Mapping[str, int],
        languages: Mapping[str, str | None] | None = None,
        titles: Mapping[str, str] | None = None,
        room: int = ROOM,
        paused: Collection[str] = (),
    ) -> None:
        self.reader = reader
        self.base_url = base_url
        self.priorities = priorities
        self.languages = languages or {}
        self.titles = titles or {}
        self.room = room
        self.paused = paused
        self.comparisons = Comparisons(reader, keeps=KEPT_BYTES)

    def of_change(self, logged: Logged, channel: str, message_id: str) -> Message:
        """Whatever is left of the entry and its versions. Raises StoreError."""
        if logged.entry_id is None:
            data, facts, thread = (
                shapes.told_of_source(logged, self.shape_of_source(logged)),
                (self.fact_of_source(logged),),
                None,
            )
        else:
            told = self.told(logged)
            entry = told.entry
            data, facts = self.data_of(told), (self.fact_of(told),)
            thread = entry.uid if entry is not None else None
        return Message(message_id, type_of(logged.kind), logged.at_ms, channel, data, facts, thread)

    def of_digest(self, logged: Sequence[Logged], channel: str, message_id: str, more: int = 0) -> Message:
        """One message with these changes; `more`: further ones, which it counts. So it does where these are too many.

        Raises StoreError.
        """
        more += max(0, len(logged) - NAMED)
        each, facts, room = list[Shape](), list[Fact](), self.room
        for change in logged[:NAMED]:
            if change.entry_id is None:
                each.append(shapes.told_of_source(change, self.shape_of_source(change)))
                facts.append(self.fact_of_source(change))
                continue
            told = self.told(change, compares=room > 0)
            room -= characters(told.comparison)
            each.append(shapes.gathered(change, told.entry, told.revision))
            facts.append(self.fact_of(told))
        at_ms = max((change.at_ms for change in logged), default=0)
        data = shapes.digest(each, more)
        return Message(message_id, DIGEST, at_ms, channel, data, tuple(facts), more=more)

    def sample(self, channel: str, message_id: str, now_ms: int) -> Message:
        """A made-up edit of a made-up article, which says that it is one."""
        told = a_sample(now_ms)
        fact = self.fact_of(told)._replace(page_url=self.base_url)
        return Message(message_id, TEST, now_ms, channel, self.data_of(told), (fact,))

    def fact(self, logged: Logged) -> Fact:
        """One change, as people are told of it. Raises StoreError."""
        if logged.entry_id is None:
            return self.fact_of_source(logged)
        return self.fact_of(self.told(logged))

    def told(self, logged: Logged, *, compares: bool = True) -> Told:
        assert logged.entry_id is not None
        found = self.reader.entries([logged.entry_id], self.priorities)
        if not found:
            return Told(logged, note=GONE)
        now, history = found[0], {each.revision_id: each for each in self.reader.history(logged.entry_id)}
        change = self.change_of(logged, now, history)
        revision = at(history, change.old if logged.kind is Kind.REMOVED else change.new)
        previous = None if logged.kind is Kind.REMOVED else at(history, change.old)
        entry = now if revision is None else self.as_it_was(now, revision, logged)
        told = Told(logged, change, entry or now, revision, previous)
        if revision is None or entry is None:
            return told._replace(revision=None, note=NOT_KEPT)
        if logged.kind in {Kind.ADDED, Kind.REMOVED}:
            return told
        return self.with_comparison(told) if compares else told._replace(note=NO_ROOM)

    def change_of(self, logged: Logged, now: Entry, history: Mapping[int, Revision]) -> Change:
        """The change as feeds tell it; they tell nothing of what was added."""
        if logged.kind in changes.WORDS:
            found = next(self.reader.change_log(before=logged.id + 1), None)
            if found is not None and found.id == logged.id:
                return found
        old, new = side(history, logged.previous_id), side(history, logged.revision_id)
        return Change(
            logged.id, logged.kind, logged.at_ms, logged.source, now.id, now.url, now.title,
            logged.significance, logged.reasons, old, new,
        )  # fmt: skip

    def as_it_was(self, now: Entry, revision: Revision, logged: Logged) -> Entry | None:
        """The entry after the change, so that a message says the same whenever it is sent.

        None: the version was pruned meanwhile.
        """
        with suppress(NoLongerKept, ValueError):  # ValueError: there is no such row any more
            was = self.reader.entry_as(now, revision)
            updated_ms = max(was.published_ms, revision.stated_ms or 0)
            return was._replace(
                revisions=revision.number,
                updated_ms=updated_ms if logged.kind is Kind.ADDED else max(updated_ms, logged.at_ms),
                removed_ms=logged.at_ms if logged.kind is Kind.REMOVED else None,
            )
        return None

    def with_comparison(self, told: Told) -> Told:
        old, new = told.previous, told.revision
        if old is None or new is None:
            return told._replace(note=NOTHING_BEFORE)
        if old.revision_id == new.revision_id:
            return told._replace(note=BACK if told.logged.kind is Kind.RESTORED else THE_SAME)
        try:
            return told._replace(comparison=self.comparisons.of(old, new))
        except NoLongerKept:
            return told._replace(previous=None, note=NOTHING_BEFORE)
        except TooLong:
            return told._replace(note=TOO_LONG)

    def data_of(self, told: Told) -> Shape:
        entry, comparison = told.entry, told.comparison
        whole = None if entry is None else shapes.entry_in_full(entry, self.languages.get(entry.source))
        differs = None if comparison is None else comparison.shape
        return shapes.told(told.logged, whole, told.revision, told.previous, differs)

    def fact_of(self, told: Told) -> Fact:
        logged, change, entry = told.logged, told.change, told.entry
        words = WORDS[logged.kind]
        title = "" if change is None else change.title if worded(change.title) else change.article_url
        tells_text = logged.kind in {Kind.ADDED, Kind.REMOVED} and told.revision is not None
        return Fact(
            change_id=logged.id,
            kind=logged.kind,
            headline=one_line(f"{words}: {titled(change) if change is not None else 'an entry'}"),
            title=one_line(isolated(cut(title, LONGEST_TITLE))),
            at_ms=logged.at_ms,
            source=logged.source,
            page_url=f"{self.base_url}{told.page_url}",
            significance=logged.significance,
            reasons=tuple(map(one_line, logged.reasons)),
            article_url=None if change is None else change.article_url,
            began=summary(entry.content_html, BEGAN) if tells_text and entry is not None else "",
            diff=told.comparison.diff if told.comparison is not None else None,
            note=told.note,
        )

    def shape_of_source(self, logged: Logged) -> shape_types.Source | None:
        row = self.reader.source_numbered(logged.source_id)
        if row is None:
            return None
        proposed = by_source(self.reader.proposals()).get(row.name, ())
        return shapes.source(row, proposed, paused=row.name in self.paused)

    def fact_of_source(self, logged: Logged) -> Fact:
        name, (trouble, lasts) = logged.source, TROUBLE[logged.kind]
        words = health.WORDS[trouble]
        happened = shown(logged.detail or "", LONGEST_NOTE)
        if happened and not happened.endswith((".", "!", "?", "…")):
            happened += "."
        return Fact(
            change_id=logged.id,
            kind=logged.kind,
            headline=(words.open if lasts else words.closed).replace("{}", name),
            title=one_line(isolated(cut(self.titles.get(name, name), LONGEST_TITLE))),
            at_ms=logged.at_ms,
            source=name,
            page_url=f"{self.base_url}{page_path(logged)}",
            note=happened or None,
        )


def type_of(kind: Kind) -> str:
    """As a message calls it: `entry.edited`, `source.failing`."""
    return kind.replace("-", ".", 1) if kind.startswith("source-") else f"entry.{kind}"


def page_path(logged: Logged, old: Side | None = None, new: Side | None = None) -> str:
    """The page of feedd's own that says more, below its base: a comparison, the versions, or the source's feed.

    `old` and `new` are the versions at the ends of the change.
    """
    if logged.entry_id is None:
        return f"feeds/{logged.source}"
    path = f"entries/{logged.entry_id}"
    if old is None or new is None or old.revision_id == new.revision_id or logged.kind is Kind.REMOVED:
        return path
    return f"{path}/diff/{old.number}..{new.number}"


def one_line(text: str) -> str:
    """Without control characters and line breaks, which would be more than text in a header or a log.

    What shows nothing, as a soft hyphen, goes; it parts no word.
    """
    return "".join(map(in_line, text)).strip()


def in_line(char: str) -> str:
    if char.isprintable() or char in ISOLATES or char in PREPENDED:
        return char
    return "" if category(char) == "Cf" else " "


PREPENDED = frozenset(
    "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u08e2"
)  # they show something (UAX #44)
ISOLATES = frozenset(
    "\N{FIRST STRONG ISOLATE}\N{POP DIRECTIONAL ISOLATE}\N{ZERO WIDTH JOINER}\N{ZERO WIDTH NON-JOINER}"
)


def side(history: Mapping[int, Revision], revision_id: int | None) -> Side | None:
    found = history.get(revision_id) if revision_id is not None else None
    return None if found is None else Side(found.revision_id, found.number, found.title)


def at(history: Mapping[int, Revision], end: Side | None) -> Revision | None:
    return None if end is None else history.get(end.revision_id)


def characters(comparison: Comparison | None) -> int:
    """About how many characters a comparison is told with."""
    return sum(map(len, texts(comparison.diff))) if comparison is not None else 0


def texts(diff: Diff) -> Iterator[str]:
    for hunk in diff.hunks:
        yield hunk.new
        if hunk.op is not Op.EQUAL:
            yield hunk.old


def a_sample(now_ms: int) -> Told:
    title, uid = SAMPLES[0].title, "00000000-0000-5000-8000-000000000000"
    url, source = "https://example.org/sample", "sample"
    before_ms = now_ms - 3_600_000
    diff, judged = compared_and_judged(*SAMPLES)
    old, new = (
        Revision(1, source, url, before_ms, before_ms, title, "added", Significance.SUBSTANTIAL, (), 1, newest=False),
        Revision(2, source, url, now_ms, now_ms, title, "edited", judged.level, judged.reasons, 2, newest=True),
    )  # fmt: skip
    entry = Entry(
        id=0, uid=uid, url=url, title=title, published_ms=before_ms, updated_ms=now_ms, date_guessed=False,
        changed_ms=now_ms, seen_ms=now_ms, removed_ms=None, revisions=2, position=now_ms, sources=(source,),
        source=source, image=None, content_html=SAMPLES[1].html, details=NO_DETAILS,
    )  # fmt: skip
    logged = Logged(0, Kind.EDITED, now_ms, 0, source, 0, 2, 1, judged.level, judged.reasons, None)
    ends = Side(1, 1, title), Side(2, 2, title)
    change = Change(0, Kind.EDITED, now_ms, source, 0, url, title, judged.level, judged.reasons, *ends)
    return Told(logged, change, entry, new, old, Comparison(old, new, diff, judged), A_SAMPLE)
