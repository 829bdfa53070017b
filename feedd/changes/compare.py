"""Two versions of an entry → what differs between them: by sentence, then by word. Pure.

What both begin and end with is told paragraph by paragraph, as most of an article stays in most edits; the
sentences in between are aligned (see `align`), and what was edited is compared word by word (`compare_pieces`).
Two texts are the same here if `segment.key` says so.
"""

from collections.abc import Iterator

from feedd.changes.addresses import picture
from feedd.changes.align import align
from feedd.changes.compare_edges import with_edges
from feedd.changes.compare_hunks import differing
from feedd.changes.compare_links import links
from feedd.changes.compare_pieces import pieces
from feedd.changes.matching import Numbers
from feedd.changes.segment import key
from feedd.changes.values import Content, Diff, Hunk, Op
from feedd.normalise.text import compared


def compare(old: Content, new: Content) -> Diff:
    """What differs. The hunks' `old`, joined by paragraph, are the old text; their `new` the new one."""
    numbers = Numbers()
    before, after = compared(old.html), compared(new.html)
    found = tuple(hunks([line.text for line in before], [line.text for line in after], numbers))
    cells, new_cells = ({at for at, line in enumerate(lines) if line.ends} for lines in (before, after))
    if cells or new_cells:
        found = tuple(with_edges(found, cells, new_cells))
    return Diff(
        title(old.title, new.title, numbers),
        found,
        images(old.image, new.image),
        (old.authors, new.authors),
        links(old, new),
    )


def title(old: str, new: str, numbers: Numbers) -> Hunk:
    if old == new or key(old) == key(new):
        return Hunk(Op.EQUAL, old, new, 0, 0)
    return Hunk(Op.REPLACE, old, new, 0, 0, pieces(old, new, numbers))


def images(old: str | None, new: str | None) -> tuple[str | None, str | None]:
    """Both; the old one twice if the new one is the same picture in another size."""
    if old and new and picture(old) == picture(new):
        return old, old
    return old, new


def hunks(old: list[str], new: list[str], numbers: Numbers) -> Iterator[Hunk]:
    head = common_head(old, new, numbers)
    tail = common_head(old[head:][::-1], new[head:][::-1], numbers)
    end, new_end = len(old) - tail, len(new) - tail
    yield from stayed(old[:head], new[:head], 0, 0)
    if head < end or head < new_end:
        yield from differing(align(old[head:end], new[head:new_end], numbers, head), numbers)
    yield from stayed(old[end:], new[new_end:], end, new_end)


def common_head(old: list[str], new: list[str], numbers: Numbers) -> int:
    """How many paragraphs both begin with."""
    head = 0
    for before, after in zip(old, new, strict=False):
        if before != after and numbers[before] != numbers[after]:
            break
        head += 1
    return head


def stayed(old: list[str], new: list[str], i: int, j: int) -> Iterator[Hunk]:
    for at, (before, after) in enumerate(zip(old, new, strict=True)):
        yield Hunk(Op.EQUAL, before, after, i + at, j + at)
