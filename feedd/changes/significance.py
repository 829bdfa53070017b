"""How much a change says: a Diff → none, minor or substantial, and why in words. Pure.

The rules are those of docs/changes.md. Substantial is the default; what is less is a white list (see `edits`).
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from functools import cached_property
from itertools import chain, groupby, pairwise
from typing import NamedTuple

from feedd.changes.edits import edits, is_capitalised
from feedd.changes.numbers import tells_number
from feedd.changes.relative import LONGEST, Standing, is_beside_time, standing
from feedd.changes.segment import is_character, is_word, key, tokens
from feedd.changes.values import Diff, Hunk, Judged, Op
from feedd.changes.wordings import Finding, Rank, substantial
from feedd.model import Significance

MOST_REASONS = 8
LONGEST_REASON = 120  # characters
MOST_EDITS = 64  # telling findings, behind which edits are not looked into any more
LINE_END = 60  # characters in which the word at the end of a paragraph is looked for
JOINED = 6_000  # characters of a region that is also judged as a whole
LEVELS = (Significance.NONE, Significance.MINOR, Significance.SUBSTANTIAL)
VISIBLE = re.compile(r"\w")
ENDS_SENTENCE = re.compile(r"[^\W\d_A-Z]{4,}[.!?…][\"'”’»)\]]*\s*$")
STOPPED = re.compile(r"[.!…。！۔][\"'”’»)\]」』]*\s*$")
PICTURE = "[picture: "  # as plain text tells of one: no label of what stands below it
LABEL_WORDS = 8  # a line of more words is no label
HAN_A_WORD = 2  # characters of a script without spaces that count as a word
LEADS_ON = re.compile(r"[:：?？؟]\W*$")


def judge(diff: Diff, *, live: bool = False) -> Judged:
    """How much a change says; `live`: it is one of a live blog, where whole sentences that are added say little."""
    authors = tuple(author for author in diff.authors[0] if author in diff.authors[1])
    elsewhere = [*headline(diff.title), *frame(diff)]
    titles = frozenset((key(diff.title.old), key(diff.title.new)))
    found = text(diff.hunks, Context(authors, titles))
    added = [finding for finding in found if finding.rank is Rank.ADDED]
    links = linked(diff, only_adds=bool(added) and len(added) == len(found))
    adds_only = bool(added) and len(added) == len(found) and not elsewhere and not links
    if live:
        found = [quieter(finding) for finding in found]
    found += elsewhere + links
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


class Context(NamedTuple):
    """What of an article tells which of its lines are no part of the story."""

    authors: tuple[str, ...]  # those of both versions
    titles: frozenset[str]  # keys


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


def text(hunks: Sequence[Hunk], context: Context) -> list[Finding]:
    """What the text says anew. Once it is plainly substantial, edits are no longer looked into, only sentences counted."""
    found: list[Finding] = []
    within = moved_within(hunks)
    telling = 0  # findings that are substantial, live blog or not
    for region in regions(hunks):
        left = without_relative_times(region, context)
        whole = as_a_whole(region, left)
        if whole is not None:
            found += whole
            continue
        for at, hunk in left:
            if hunk.op in ONE_SIDED or telling < MOST_EDITS:
                anew = one(region, at, hunk, within)
                telling += sum(map(is_telling, anew))
                found += anew
    return found


def moved_within(hunks: Sequence[Hunk]) -> frozenset[int]:
    """The moves of sentences that leave others behind in their paragraph, and come to others in one."""
    if all(hunk.move is None for hunk in hunks):
        return frozenset()
    old, new = Counter(hunk.old_block for hunk in hunks), Counter(hunk.new_block for hunk in hunks)
    left = {hunk.move for hunk in hunks if hunk.old and old[hunk.old_block] > 1}
    return frozenset(
        hunk.move
        for hunk in hunks
        if hunk.move in left and hunk.new and new[hunk.new_block] > 1 and hunk.move
    )


def is_telling(finding: Finding) -> bool:
    return finding.level is Significance.SUBSTANTIAL and finding.rank is not Rank.ADDED


def without_relative_times(region: Region, context: Context) -> list[tuple[int, Hunk]]:
    """The hunks by place, without pairs that differ in nothing but how long ago they say it was, and without empty ones."""
    lines = Lines(region, context)
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

    def __init__(self, region: Region, context: Context) -> None:
        self.region = region
        self.context = context

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
        old, new = self.standing(at, hunk.old), self.standing(at, hunk.new)
        return bool(old and new and old.frame == new.frame and not (old.is_day and new.is_day))

    def frame(self, at: int, text: str) -> str | None:
        """What stands beside the relative time; None: the hunk is no such line."""
        found = self.standing(at, text)
        return found.frame if found and not found.is_day else None

    def standing(self, at: int, text: str) -> Standing | None:
        if len(text) > 2 * LONGEST:
            return None
        found = standing(key(text), self.context.authors)
        return found if found and (found.labelled or self.is_alone(at)) else None

    def is_alone(self, at: int) -> bool:
        """Whether a hunk is a whole paragraph, and what stands before it does not ask for it."""
        hunk = self.region.hunks[at]
        if any(self.blocks[side] > 1 for side in ((0, hunk.old_block), (1, hunk.new_block))):
            return False
        asking = (self.before(at, side) for side in ("old", "new") if getattr(hunk, side))
        return not any(may_ask(text, self.context) for text in asking if text)

    def before(self, at: int, side: str) -> str:
        """What stands before a hunk in that version."""
        hunks = chain((self.region.hunks[place] for place in range(at - 1, -1, -1)), (self.region.before,))
        texts = (getattr(hunk, side) for hunk in hunks if hunk)
        return next((text for text in texts if text and not text.startswith(PICTURE)), "")


def may_ask(text: str, context: Context) -> bool:
    """Whether a line may be the label of what stands behind it: "Time of death:", "Last seen"."""
    if LEADS_ON.search(text[-20:]):
        return True
    if STOPPED.search(text[-20:]) or len(text) > LONGEST or text.startswith(PICTURE):
        return False
    line = key(text)
    size = sum(1 / HAN_A_WORD if is_character(part) else 1 for part in tokens(line) if is_word(part))
    return size <= LABEL_WORDS and line not in context.titles and not is_beside_time(line, context.authors)


def as_a_whole(region: Region, hunks: Sequence[tuple[int, Hunk]]) -> list[Finding] | None:
    """What a region says if sentences were joined or parted; None if they were not, or if that is not little."""
    if len(hunks) < 2 or any(hunk.op is Op.MOVE for _, hunk in hunks):
        return None
    old = joined([(hunk.old_block, hunk.old) for _, hunk in hunks])
    new = joined([(hunk.new_block, hunk.new) for _, hunk in hunks])
    if not old or not new:
        return None
    is_long = len(old) + len(new) > JOINED
    if is_long and key(old) != key(new):
        return None
    if any(told_apart(*ends) for ends in chain(line_ends(old), line_ends(new))):
        return None
    if is_long:
        return []
    found = edits(old, new, opens=opens(region, hunks[0][0]))
    return None if any(finding.level is Significance.SUBSTANTIAL for finding in found) else found


def line_ends(text: str) -> Iterator[tuple[str, str]]:
    """Around the end of each paragraph: the part before it, and the part behind it."""
    for before, behind in pairwise(filter(str.strip, text.split("\n"))):
        left, right = tokens(key(before[-LINE_END:])), tokens(key(behind[:LINE_END]))
        if left and right:
            yield left[-1], right[0]


def told_apart(left: str, right: str) -> bool:
    """Whether two parts would be another number, or another name, without the end of a paragraph between them."""
    if tells_number((left,)) and tells_number((right,)):
        return True
    return is_capitalised(left) and is_capitalised(right)


def joined(sentences: Sequence[tuple[int | None, str]]) -> str:
    """The sentences as one text; a line a paragraph."""
    found, last = "", None
    for block, sentence in sentences:
        if block is None:
            continue
        found += ("\n" if found and block != last else "") + sentence
        last = block
    return found


def one(region: Region, at: int, hunk: Hunk, within: frozenset[int]) -> list[Finding]:
    match hunk.op:
        case Op.INSERT:
            return [substantial(Rank.ADDED, "sentence added")]
        case Op.DELETE:
            return [substantial(Rank.REMOVED, "sentence removed")]
        case Op.MOVE:
            moved = [substantial(Rank.MOVED, "sentence moved" if hunk.move in within else "paragraph moved")]
            return moved + (edits(piece_texts(hunk, "old"), hunk.new) if hunk.pieces else [])
        case _:
            return edits(hunk.old, hunk.new, opens=opens(region, at))


def piece_texts(hunk: Hunk, side: str) -> str:
    return "".join(getattr(piece, side) for piece in hunk.pieces)


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
