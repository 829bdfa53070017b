"""A Diff as HTML that stands alone, in a feed reader, too: no styles, no classes, readable without colours.

With `marks`, also where a reader drops <ins> and <del>.
"""

from collections.abc import Callable, Iterable, Sequence
from html import escape
from typing import NamedTuple

from feedd.changes.layout import (
    MARKS,
    NOTHING,
    Fold,
    Row,
    Run,
    beside,
    directions,
    inline_runs,
    joined,
    rows,
    says_nothing,
    side_runs,
)
from feedd.changes.values import Diff, Op
from feedd.normalise.text import FORBIDDEN

CONTEXT = 1  # unchanged sentences round a change
LIMIT = 2_000_000  # bytes of a comparison on a page
ITEM_LIMIT = 100_000  # bytes of an item of a feed
REASONS_SHOWN = 50
UNMARKED = ("", "")
TAGS = {Op.INSERT: "ins", Op.DELETE: "del", Op.MOVE: "em"}
CUT = "<p><em>[The comparison is too long to be shown in full: it ends here.]</em></p>"


class Spelled(NamedTuple):
    """HTML, and whether something was left out for want of room."""

    html: str
    cut: bool


def inline(diff: Diff, *, context: int | None = None, limit: int = LIMIT, marks: bool = False) -> str:
    """Both versions in one text, in paragraphs. `context`: see layout.rows; `limit`: of bytes, about."""
    moves = directions(diff.hunks)

    def paragraph(row: Row, room: int) -> Spelled:
        if isinstance(row, Fold):
            return Spelled(f"<p><em>{row.words}</em></p>\n", cut=False)
        inner = filled(inline_runs(row.hunks, moves), room, marks=marks)
        return inner._replace(html=f'<p dir="auto">{inner.html}</p>\n')

    top = head(diff, marks=marks)
    return top + bounded(rows(diff.hunks, context), paragraph, limit - size(top), CUT)


def side_by_side(
    diff: Diff,
    *,
    context: int | None = None,
    limit: int = LIMIT,
    names: tuple[str, str] = ("Before", "After"),
) -> str:
    """A table, a paragraph a row: what stood there, and what stands there now."""
    moves = directions(diff.hunks)

    def cells(row: Row, room: int) -> Spelled:
        if isinstance(row, Fold):
            return Spelled(f'<tr><td colspan="2"><em>{row.words}</em></td></tr>\n', cut=False)
        sides = [filled(side_runs(row.hunks, moves, new=new), room // 2) for new in (False, True)]
        spelled = "".join(f'<td dir="auto">{side.html}</td>' for side in sides)
        return Spelled(f"<tr>{spelled}</tr>\n", any(side.cut for side in sides))

    top, columns = head(diff), "".join(f"<th>{safe(name)}</th>" for name in names)
    body = bounded(
        rows(diff.hunks, context), cells, limit - size(top), f'<tr><td colspan="2">{CUT}</td></tr>'
    )
    return f"{top}<table><thead><tr>{columns}</tr></thead>\n<tbody>\n{body}</tbody></table>\n"


def changes_html(
    diff: Diff, reasons: Sequence[str], *, context: int | None = CONTEXT, limit: int = ITEM_LIMIT
) -> str:
    """What an item of a change feed shows: the reasons, then what differs; in `limit` bytes, about."""
    top = reasons_html(reasons, limit // 4)
    return top + inline(diff, context=context, limit=limit - size(top), marks=True)


def reasons_html(reasons: Sequence[str], limit: int = ITEM_LIMIT) -> str:
    """The reasons as a list; "" for none."""
    items, more = [], len(reasons) - REASONS_SHOWN
    for reason in reasons[:REASONS_SHOWN]:
        item = filled([Run(Op.EQUAL, reason)], max(limit, 0))
        limit -= size(item.html)
        items.append(f'<li dir="auto">{item.html}</li>')
    if more > 0:
        items.append(f"<li>and {more:,} more</li>")
    return f"<ul>{''.join(items)}</ul>\n" if items else ""


def head(diff: Diff, *, marks: bool = False) -> str:
    """What differs besides the text; in words, if nothing does."""
    if says_nothing(diff):
        return f"<p><em>{NOTHING}</em></p>\n"
    items = [
        f'<li dir="auto">{name}: {filled(runs, ITEM_LIMIT // 10, marks=marks).html}</li>'
        for name, runs in beside(diff)
    ]
    return f"<ul>{''.join(items)}</ul>\n" if items else ""


def bounded(some: Iterable[Row], spelled: Callable[[Row, int], Spelled], room: int, notice: str) -> str:
    """Rows until there is no room for more; then the notice."""
    taken = []
    for row in some:
        html, cut = spelled(row, room)
        room -= size(html)
        taken.append(html)
        if cut or room <= 0:
            taken.append(notice)
            break
    return "".join(taken)


def filled(runs: Iterable[Run], room: int, *, marks: bool = False) -> Spelled:
    """The runs as HTML, as far as there is room for them."""
    taken, last = list[str](), Op.EQUAL
    for op, text in joined(runs):
        fits = text[: max(room, 0)]
        spelled = safe(fits)
        while fits and size(spelled) > room:
            fits = fits[: len(fits) * room // size(spelled)]
            spelled = safe(fits)
        room -= size(spelled) + (16 if marks else 11)  # of <ins></ins>, and of marks
        if fits:
            tag, (start, end) = TAGS.get(op), MARKS.get(op, UNMARKED) if marks else UNMARKED
            if start and last in MARKS:  # a deletion and what replaces it stand apart
                taken.append(" ")
            taken.append(f"<{tag}>{start}{spelled}{end}</{tag}>" if tag else spelled)
            last = op
        if len(fits) < len(text):
            return Spelled("".join((*taken, "…")), cut=True)
    return Spelled("".join(taken), cut=False)


def safe(text: str) -> str:
    """Plain text as HTML that XML can hold, too."""
    return escape(FORBIDDEN.sub("", text), quote=False)


def size(html: str) -> int:
    """In bytes, as it is sent."""
    return len(html) if html.isascii() else len(html.encode())
