"""A Diff as it is read: in paragraphs, with long unchanged runs folded. Every way of showing one begins here."""

import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby
from typing import NamedTuple

from feedd.changes.segment import is_word, tokens
from feedd.changes.values import Diff, Hunk, Op
from feedd.normalise.text import SENTENCE_END

LINKS_SHOWN = 20  # of those gone, and of those come
EXCERPT = 60  # characters of a text that was moved away
MARKS = {
    Op.INSERT: ("{+", "+}"),
    Op.DELETE: ("[-", "-]"),
}  # that say what colours and styles do, where there are none


class Fold(NamedTuple):
    """Unchanged text that is not shown."""

    sentences: int

    @property
    def words(self) -> str:
        if self.sentences == 1:
            return "… 1 unchanged sentence …"
        return f"… {self.sentences:,} unchanged sentences …"


class Paragraph(NamedTuple):
    hunks: tuple[Hunk, ...]


class Run(NamedTuple):
    """Text that is EQUAL, INSERT or DELETE; MOVE: not of the text, but what we say of a move."""

    op: Op
    text: str


Row = Paragraph | Fold
Key = tuple[str, int]  # of a paragraph: where it stands now, or stood


def rows(hunks: Sequence[Hunk], context: int | None = None) -> Iterator[Row]:
    """The paragraphs in the order in which they are read; with `context`, so many unchanged hunks round a change."""
    blocks: dict[int, set[int]] = {}
    for hunk in hunks:
        if hunk.old_block is not None and hunk.new_block is not None:
            blocks.setdefault(hunk.old_block, set()).add(hunk.new_block)
    key: Key | None = None
    gathered: list[Hunk] = []
    for each in folded(hunks, context):
        here = None if isinstance(each, Fold) else place(each, blocks, key)
        if gathered and here != key:
            yield Paragraph(tuple(gathered))
            gathered = []
        key = here
        if isinstance(each, Fold):
            yield each
        else:
            gathered.append(each)
    if gathered:
        yield Paragraph(tuple(gathered))


def place(hunk: Hunk, blocks: dict[int, set[int]], current: Key | None) -> Key:
    """The paragraph that a hunk belongs to; what is gone stays with what is left of its paragraph."""
    if hunk.new_block is not None:
        return "now", hunk.new_block
    assert hunk.old_block is not None
    left = blocks.get(hunk.old_block)
    if not left:
        return "then", hunk.old_block
    if current is not None and current[0] == "now":
        return "now", current[1] if current[1] in left else min(
            left, key=lambda block: abs(block - current[1])
        )
    return "now", min(left)


def folded(hunks: Sequence[Hunk], context: int | None) -> Iterator[Hunk | Fold]:
    if context is None:
        yield from hunks
        return
    at = 0
    for equal, group in groupby(hunks, key=lambda hunk: hunk.op is Op.EQUAL):
        run = list(group)
        before = context if equal and at > 0 else 0
        after = context if equal and at + len(run) < len(hunks) else 0
        hidden = run[before : len(run) - after] if equal else []
        at += len(run)
        count = sum(map(sentences, hidden))
        if count < 2:
            yield from run
            continue
        yield from run[:before]
        yield Fold(count)
        yield from run[len(run) - after :]


def sentences(hunk: Hunk) -> int:
    text = hunk.new.rstrip()
    return 1 + sum(1 for end in SENTENCE_END.finditer(text) if end.end() < len(text))


def directions(hunks: Iterable[Hunk]) -> dict[int, str]:
    """Of each move: where the text stands now, seen from where it stood."""
    ends: dict[int, str] = {}
    for hunk in hunks:
        if hunk.op is Op.MOVE and hunk.move is not None and hunk.move not in ends:
            ends[hunk.move] = "below" if hunk.new_block is None else "above"
    return ends


OPPOSITE = {"below": "above", "above": "below"}


def inline_runs(hunks: Iterable[Hunk], moves: dict[int, str]) -> Iterator[Run]:
    """Both versions in one text."""
    last = ""
    for hunk in hunks:
        runs = list(runs_of(hunk, moves))
        if runs and last and (space := gap(last, runs[0].text)):
            yield Run(Op.EQUAL, space)
        yield from runs
        last = runs[-1].text if runs else last


def runs_of(hunk: Hunk, moves: dict[int, str]) -> Iterator[Run]:
    match hunk.op:
        case Op.EQUAL:
            yield Run(Op.EQUAL, hunk.new)
        case Op.INSERT:
            yield Run(Op.INSERT, hunk.new)
        case Op.DELETE:
            yield Run(Op.DELETE, hunk.old)
        case Op.REPLACE:
            yield from replaced(hunk)
        case Op.MOVE if hunk.new_block is None:
            yield Run(Op.MOVE, f"[moved {where(hunk, moves)}: “{excerpt(hunk.old)}”]")
        case Op.MOVE:
            yield Run(Op.MOVE, f"[moved here from {OPPOSITE[where(hunk, moves)]}] ")
            yield from replaced(hunk) if hunk.pieces else [Run(Op.EQUAL, hunk.new)]


def replaced(hunk: Hunk) -> Iterator[Run]:
    """What an edited sentence lost and gained, word by word where that is known."""
    if not hunk.pieces:
        yield Run(Op.DELETE, hunk.old)
        if space := gap(hunk.old, hunk.new):
            yield Run(Op.EQUAL, space)
        yield Run(Op.INSERT, hunk.new)
        return
    for piece in hunk.pieces:
        if piece.op is Op.EQUAL:
            yield Run(Op.EQUAL, piece.new)
            continue
        if piece.old:
            yield Run(Op.DELETE, piece.old)
        if piece.new:
            yield Run(Op.INSERT, piece.new)


def joined(runs: Iterable[Run]) -> Iterator[Run]:
    """Neighbours that are marked alike as one, so that a reader hears of each change once."""
    for op, some in groupby(runs, key=lambda run: run.op):
        yield Run(op, "".join(run.text for run in some))


def side_runs(hunks: Iterable[Hunk], moves: dict[int, str], *, new: bool) -> Iterator[Run]:
    """One of the two versions, with what the other has not marked."""
    mark, last = Op.INSERT if new else Op.DELETE, ""
    for hunk in hunks:
        text = hunk.new if new else hunk.old
        if not text:
            continue
        if space := gap(last, text):
            yield Run(Op.EQUAL, space)
        if hunk.op is Op.MOVE:
            way = where(hunk, moves)
            yield Run(Op.MOVE, f"[moved here from {OPPOSITE[way]}] " if new else f"[moved {way}] ")
        if new and hunk.op in {Op.REPLACE, Op.MOVE} and hunk.pieces:
            yield from one_side(hunk, new=True)
        elif not new and hunk.op is Op.REPLACE and hunk.pieces:
            yield from one_side(hunk, new=False)
        else:
            yield Run(Op.EQUAL if hunk.op in {Op.EQUAL, Op.MOVE} else mark, text)
        last = text


def one_side(hunk: Hunk, *, new: bool) -> Iterator[Run]:
    for piece in hunk.pieces:
        text = piece.new if new else piece.old
        if text:
            mark = Op.INSERT if new else Op.DELETE
            yield Run(Op.EQUAL if piece.op is Op.EQUAL else mark, text)


def where(hunk: Hunk, moves: dict[int, str]) -> str:
    return moves.get(hunk.move, "below") if hunk.move is not None else "below"


def excerpt(text: str) -> str:
    """The beginning of a text, in one line."""
    head = " ".join(text[: EXCERPT * 4].split())
    if len(head) <= EXCERPT and len(text) <= EXCERPT * 4:
        return head
    cut = head[:EXCERPT]
    return (cut[: cut.rfind(" ")] if " " in cut[EXCERPT // 2 :] else cut).rstrip() + "…"


def gap(before: str, after: str) -> str:
    """What stands between two sentences: nothing in scripts that are written without spaces."""
    if not before or not after or before[-1].isspace() or after[0].isspace():
        return ""
    return "" if unicodedata.east_asian_width(before[-1]) in "WF" else " "


def beside(diff: Diff) -> Iterator[tuple[str, tuple[Run, ...]]]:
    """What differs besides the text, by what it is called."""
    if diff.title.op is not Op.EQUAL:
        yield "Title", tuple(replaced(diff.title))
    for name, (old, new) in (
        ("Lead picture", diff.image),
        ("Authors", (", ".join(diff.authors[0]), ", ".join(diff.authors[1]))),
    ):
        if old != new:
            yield name, gone_and_come(old, new)
    gone, come = diff.links
    for name, op, links in (("Links taken out", Op.DELETE, gone), ("Links put in", Op.INSERT, come)):
        if links:
            yield name, tuple(listed(op, links))


def gone_and_come(old: str | None, new: str | None) -> tuple[Run, ...]:
    runs = [Run(op, text) for op, text in ((Op.DELETE, old), (Op.INSERT, new)) if text]
    return tuple(runs[:1] + [Run(Op.EQUAL, " ")] * (len(runs) - 1) + runs[1:])


def listed(op: Op, links: Sequence[str]) -> Iterator[Run]:
    for number, link in enumerate(links[:LINKS_SHOWN]):
        if number:
            yield Run(Op.EQUAL, ", ")
        yield Run(op, link)
    if len(links) > LINKS_SHOWN:
        yield Run(Op.EQUAL, f" and {len(links) - LINKS_SHOWN:,} more")


class Words(NamedTuple):
    """How many words were taken out and put in; each character counts in scripts that are written without spaces."""

    gone: int
    come: int


def words_changed(diff: Diff) -> Words:
    """In title and text. What only moved is neither."""
    count = {Op.DELETE: 0, Op.INSERT: 0}
    title = replaced(diff.title) if diff.title.op is Op.REPLACE else ()
    for op, text in chain(title, *(runs_of(hunk, {}) for hunk in diff.hunks if hunk.op is not Op.EQUAL)):
        if op in count:
            count[op] += sum(map(is_word, tokens(text)))
    return Words(count[Op.DELETE], count[Op.INSERT])


def says_nothing(diff: Diff) -> bool:
    """Whether at most typography and mark-up differ."""
    return all(hunk.op is Op.EQUAL for hunk in diff.hunks) and next(beside(diff), None) is None


NOTHING = "Only mark-up or typography differs."
