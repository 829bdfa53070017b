"""How much a change says: a Diff → none, minor or substantial, and why in words. Pure.

The rules are those of docs/changes.md. Substantial is the default; what is less is a white list (see `edits`).
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import groupby
from typing import NamedTuple

from feedd.changes.edits import Finding, Rank, edits, substantial
from feedd.changes.relative import LONGEST, standing
from feedd.changes.segment import key
from feedd.changes.values import Diff, Hunk, Judged, Op
from feedd.model import Significance

MOST_REASONS = 8
LONGEST_REASON = 120  # characters
MOST_EDITS = 64  # telling findings, behind which edits are not looked into any more
JOINED = 6_000  # characters of a region that is also judged as a whole
LEVELS = (Significance.NONE, Significance.MINOR, Significance.SUBSTANTIAL)
VISIBLE = re.compile(r"\w")
DIGITS_APART = re.compile(r"\d\s*\n\s*\d")
ENDS_SENTENCE = re.compile(r"[^\W\d_A-Z]{4,}[.!?…][\"'”’»)\]]*\s*$")
LEADS_ON = re.compile(r"[:：?？؟]\W*$")


def judge(diff: Diff, *, live: bool = False) -> Judged:
    """How much a change says; `live`: it is one of a live blog, where whole sentences that are added say little."""
    authors = tuple(author for author in diff.authors[0] if author in diff.authors[1])
    beside = [*headline(diff.title), *frame(diff)]
    found = text(diff.hunks, authors)
    added = [finding for finding in found if finding.rank is Rank.ADDED]
    links = linked(diff, only_adds=bool(added) and len(added) == len(found))
    adds_only = bool(added) and len(added) == len(found) and not beside and not links
    if live:
        found = [quieter(finding) for finding in found]
    found += beside + links
    level = max((finding.level for finding in found), key=LEVELS.index, default=Significance.NONE)
    if level is Significance.NONE:
        return Judged(level, ())
    return Judged(level, reasons(found), adds_only)


def quieter(finding: Finding) -> Finding:
    return finding._replace(level=Significance.MINOR) if finding.rank is Rank.ADDED else finding


def reasons(found: Sequence[Finding]) -> tuple[str, ...]:
    """In words, the most telling first; the sentences that were added or removed are counted."""
    told: dict[str, Rank] = {}
    for finding in sorted(found, key=lambda finding: finding.rank):
        if finding.level is not Significance.NONE and finding.rank not in COUNTED:
            told.setdefault(finding.reason[:LONGEST_REASON], finding.rank)
    counts = Counter(finding.rank for finding in found)
    for rank, word in COUNTED.items():
        if counts[rank]:
            told[f"sentence {word}" if counts[rank] == 1 else f"{counts[rank]} sentences {word}"] = rank
    ranked = sorted(told, key=lambda reason: told[reason])
    if len(ranked) <= MOST_REASONS:
        return tuple(ranked)
    return (*ranked[:MOST_REASONS], f"and {len(ranked) - MOST_REASONS} more")


COUNTED = {Rank.REMOVED: "removed", Rank.ADDED: "added"}


# --- the text ---


class Region(NamedTuple):
    """Hunks that differ and stand together, with those around them."""

    before: Hunk | None
    hunks: tuple[Hunk, ...]
    after: Hunk | None


def regions(hunks: Sequence[Hunk]) -> Iterator[Region]:
    """The runs of hunks that differ."""
    start = 0
    for differs, group in groupby(hunks, key=differs_at_all):
        run = tuple(group)
        end = start + len(run)
        if differs:
            yield Region(hunks[start - 1] if start else None, run, hunks[end] if end < len(hunks) else None)
        start = end


def differs_at_all(hunk: Hunk) -> bool:
    """Whether a hunk has more than typography to tell; what a comparison took for equal is looked at again."""
    return hunk.op is not Op.EQUAL or (hunk.old != hunk.new and key(hunk.old) != key(hunk.new))


def text(hunks: Sequence[Hunk], authors: tuple[str, ...]) -> list[Finding]:
    """What the text says anew. Once it is plainly substantial, edits are no longer looked into, only sentences counted."""
    found: list[Finding] = []
    telling = 0  # findings that are substantial, live blog or not
    for region in regions(hunks):
        left = without_relative_times(region, authors)
        whole = as_a_whole(region, left)
        if whole is not None:
            found += whole
            continue
        for at, hunk in left:
            if hunk.op in ONE_SIDED or telling < MOST_EDITS:
                anew = one(region, at, hunk)
                telling += sum(map(is_telling, anew))
                found += anew
    return found


def is_telling(finding: Finding) -> bool:
    return finding.level is Significance.SUBSTANTIAL and finding.rank is not Rank.ADDED


def without_relative_times(region: Region, authors: tuple[str, ...]) -> list[tuple[int, Hunk]]:
    """The hunks by place, without pairs that differ in nothing but how long ago they say it was, and without empty ones."""
    lines = Lines(region, authors)
    left = [(at, hunk) for at, hunk in enumerate(region.hunks) if says(hunk) and not lines.are_same(at)]
    ops = {hunk.op for _, hunk in left}
    if not ops.issuperset(ONE_SIDED):
        return left
    gone: dict[str, list[int]] = defaultdict(list)
    come: dict[str, list[int]] = defaultdict(list)
    for at, hunk in left:
        if hunk.op in ONE_SIDED and (frame := lines.frame(at, hunk.old or hunk.new)):
            (gone if hunk.op is Op.DELETE else come)[frame].append(at)
    same = {at for frame in gone for pair in zip(gone[frame], come[frame], strict=False) for at in pair}
    return [(at, hunk) for at, hunk in left if at not in same]


ONE_SIDED = frozenset({Op.INSERT, Op.DELETE})


def says(hunk: Hunk) -> bool:
    """Whether a hunk holds more than invisible characters."""
    return (
        hunk.op not in ONE_SIDED
        or VISIBLE.search(hunk.old or hunk.new) is not None
        or key(hunk.old or hunk.new) != ""
    )


class Lines:
    """Lines of a region that hold nothing but a relative time and what belongs to it."""

    def __init__(self, region: Region, authors: tuple[str, ...]) -> None:
        self.region = region
        self.authors = authors

    @cached_property
    def blocks(self) -> Counter[tuple[int, int | None]]:
        """How many hunks, those around the region counted, stand in a paragraph."""
        around = (self.region.before, *self.region.hunks, self.region.after)
        sides = (((0, hunk.old_block), (1, hunk.new_block)) for hunk in around if hunk is not None)
        return Counter(side for pair in sides for side in pair if side[1] is not None)

    def are_same(self, at: int) -> bool:
        """Whether both ends of a hunk are such lines, and differ in nothing else."""
        hunk = self.region.hunks[at]
        if hunk.op is not Op.REPLACE:
            return False
        old = self.frame(at, hunk.old)
        return old is not None and old == self.frame(at, hunk.new)

    def frame(self, at: int, text: str) -> str | None:
        """What stands beside the relative time; None: the hunk is no such line."""
        if len(text) > 2 * LONGEST:
            return None
        found = standing(key(text), self.authors)
        return found.frame if found and (found.labelled or self.is_alone(at)) else None

    def is_alone(self, at: int) -> bool:
        """Whether a hunk is a whole paragraph, and what stands before it does not ask for it."""
        hunk = self.region.hunks[at]
        if any(self.blocks[side] > 1 for side in ((0, hunk.old_block), (1, hunk.new_block))):
            return False
        before = self.region.hunks[at - 1] if at else self.region.before
        return before is None or not LEADS_ON.search((before.new or before.old)[-20:])


def as_a_whole(region: Region, hunks: Sequence[tuple[int, Hunk]]) -> list[Finding] | None:
    """What a region says if sentences were joined or parted; None if they were not, or if that is not little."""
    if len(hunks) < 2 or any(hunk.op is Op.MOVE for _, hunk in hunks):
        return None
    old = joined([(hunk.old_block, hunk.old) for _, hunk in hunks])
    new = joined([(hunk.new_block, hunk.new) for _, hunk in hunks])
    if not old or not new or DIGITS_APART.search(old) or DIGITS_APART.search(new):
        return None
    if len(old) + len(new) > JOINED:
        return [] if key(old) == key(new) else None
    found = edits(old, new, opens=opens(region, hunks[0][0]))
    return None if any(finding.level is Significance.SUBSTANTIAL for finding in found) else found


def joined(sentences: Sequence[tuple[int | None, str]]) -> str:
    """The sentences as one text; a line a paragraph."""
    found, last = "", None
    for block, sentence in sentences:
        if block is None:
            continue
        found += ("\n" if found and block != last else "") + sentence
        last = block
    return found


def one(region: Region, at: int, hunk: Hunk) -> list[Finding]:
    match hunk.op:
        case Op.INSERT:
            return [substantial(Rank.ADDED, "sentence added")]
        case Op.DELETE:
            return [substantial(Rank.REMOVED, "sentence removed")]
        case Op.MOVE:
            moved = [substantial(Rank.MOVED, "paragraph moved")]
            return moved + (edits(piece_texts(hunk, "old"), hunk.new) if hunk.pieces else [])
        case _:
            return edited(region, at, hunk)


def piece_texts(hunk: Hunk, side: str) -> str:
    return "".join(getattr(piece, side) for piece in hunk.pieces)


def edited(region: Region, at: int, hunk: Hunk) -> list[Finding]:
    """What an edited sentence says. Where both wordings are the same after all, it is not known why: substantial."""
    return edits(hunk.old, hunk.new, opens=opens(region, at))


def opens(region: Region, at: int) -> bool:
    """Whether a sentence surely begins with the hunk: it is the first of its paragraph, or behind a full stop."""
    hunk = region.hunks[at]
    before = region.hunks[at - 1] if at else region.before
    if before is None or before.new_block != hunk.new_block or before.old_block != hunk.old_block:
        return True
    return ENDS_SENTENCE.search((before.new or before.old)[-80:]) is not None


# --- what stands beside the text ---


def headline(title: Hunk) -> list[Finding]:
    """What an edited title says: that it was, and which numbers and negations."""
    if key(title.old) == key(title.new):
        return []
    found = edits(title.old, title.new)
    telling = (Rank.NUMBER, Rank.NEGATION, Rank.DATE)
    return [substantial(Rank.TITLE, "title"), *(finding for finding in found if finding.rank in telling)]


def frame(diff: Diff) -> list[Finding]:
    """Authors and lead picture. A picture that has only left the lead is still in the text."""
    found = []
    old, new = diff.authors
    if [key(author) for author in old] != [key(author) for author in new]:
        found.append(substantial(Rank.AUTHOR, "author"))
    if diff.image[0] != diff.image[1]:
        found.append(substantial(Rank.PICTURE, "lead picture"))
    return found


def linked(diff: Diff, *, only_adds: bool) -> list[Finding]:
    """Links; those that came with sentences are told with them."""
    gone, come = diff.links
    if gone or (come and not only_adds):
        return [substantial(Rank.LINK, "link")]
    return []
