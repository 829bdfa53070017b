"""Diffs as people read them: on a terminal, as HTML, as unified text, as JSON."""

import re
from typing import Any

import click
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from feedd import shapes
from feedd.changes import markup
from feedd.changes.layout import Fold, Paragraph, rows
from feedd.changes.markup import changes_html, inline, side_by_side
from feedd.changes.terminal import coloured
from feedd.changes.unified import unified
from feedd.changes.values import Diff, Hunk, Judged, Op, Piece
from feedd.harmless import harmless
from feedd.model import Significance
from feedd.normalise.html import clean
from feedd.normalise.text import plain_text

SAME_TITLE = Hunk(Op.EQUAL, "A title", "A title", 0, 0)
ESCAPES = "\x1b[31mred\x07 \u202eright\u2028next\ud800"


def diff(*hunks: Hunk, title: Hunk = SAME_TITLE, **beside: Any) -> Diff:
    around = {"image": (None, None), "authors": ((), ()), "links": ((), ()), **beside}
    return Diff(title, hunks, **around)


def plain(found: Diff, **how: Any) -> str:
    """What a terminal without colours shows."""
    return click.unstyle(coloured(found, **how))


def same(text: str, old: int = 0, new: int = 0) -> Hunk:
    return Hunk(Op.EQUAL, text, text, old, new)


def come(text: str, block: int = 0) -> Hunk:
    return Hunk(Op.INSERT, "", text, None, block)


def gone(text: str, block: int = 0) -> Hunk:
    return Hunk(Op.DELETE, text, "", block, None)


def edited(old: str, new: str, *pieces: Piece, old_block: int = 0, new_block: int = 0) -> Hunk:
    return Hunk(Op.REPLACE, old, new, old_block, new_block, pieces)


def moved(text: str, old: int, new: int, *pieces: Piece, now: str | None = None) -> tuple[Hunk, Hunk]:
    """The end where a text stood, and where it stands."""
    return (
        Hunk(Op.MOVE, text, "", old, None, move=1),
        Hunk(Op.MOVE, "", now or text, None, new, pieces, move=1),
    )


PER_CENT = edited(
    "It was 1.5 % in May.",
    "It was 15 % in May.",
    Piece(Op.EQUAL, "It was ", "It was "),
    Piece(Op.DELETE, "1.5", ""),
    Piece(Op.INSERT, "", "15"),
    Piece(Op.EQUAL, " % in May.", " % in May."),
)


def test_words_that_differ_are_marked_within_their_sentence() -> None:
    found = diff(same("Before."), PER_CENT, same("After."))
    assert inline(found) == (
        '<p dir="auto">Before. It was <del>1.5</del><ins>15</ins> % in May. After.</p>\n'
    )
    assert plain(found) == "Before. It was [-1.5-]{+15+} % in May. After.\n"
    assert unified(found, "1", "2") == (
        "--- 1\n+++ 2\n@@ -1,4 +1,4 @@\n Title: A title\n Before.\n"
        "-It was 1.5 % in May.\n+It was 15 % in May.\n After.\n"
    )
    assert '<td dir="auto">Before. It was <del>1.5</del> % in May. After.</td>' in side_by_side(found)
    assert '<td dir="auto">Before. It was <ins>15</ins> % in May. After.</td>' in side_by_side(found)


def test_colours_say_what_the_marks_say() -> None:
    found = coloured(diff(PER_CENT))
    assert click.style("[-1.5-]", fg="red") + click.style("{+15+}", fg="green") in found
    assert click.unstyle(found) == "It was [-1.5-]{+15+} % in May.\n"


def test_a_feed_says_with_marks_what_a_reader_may_not_style() -> None:
    assert changes_html(diff(PER_CENT), ()) == (
        '<p dir="auto">It was <del>[-1.5-]</del> <ins>{+15+}</ins> % in May.</p>\n'
    )
    assert changes_html(diff(edited("One thing.", "Another.")), ()) == (
        '<p dir="auto"><del>[-One thing.-]</del> <ins>{+Another.+}</ins></p>\n'
    )
    assert changes_html(diff(gone("一。"), come("二。")), ()) == (
        '<p dir="auto"><del>[-一。-]</del></p>\n<p dir="auto"><ins>{+二。+}</ins></p>\n'
    )
    assert changes_html(diff(edited("一。", "二。")), ()) == (
        '<p dir="auto"><del>[-一。-]</del> <ins>{+二。+}</ins></p>\n'
    )
    assert changes_html(diff(come("x"), title=edited("Old", "New")), ()).startswith(
        '<ul><li dir="auto">Title: <del>[-Old-]</del> <ins>{+New+}</ins></li></ul>'
    )
    for show in (inline, side_by_side):
        assert "[-" not in show(diff(PER_CENT))


def test_what_touches_is_marked_once() -> None:
    pieces = (Piece(Op.INSERT, "", "very "), Piece(Op.INSERT, "", "late"))
    assert plain(diff(edited("", "very late", *pieces))) == "{+very late+}\n"
    assert changes_html(diff(edited("", "very late", *pieces)), ()).count("{+") == 1


def test_a_sentence_with_nothing_in_common_is_replaced_whole() -> None:
    found = diff(edited("One thing.", "Another."))
    assert inline(found) == '<p dir="auto"><del>One thing.</del> <ins>Another.</ins></p>\n'
    assert inline(diff(edited("一。", "二。"))) == '<p dir="auto"><del>一。</del><ins>二。</ins></p>\n'


@pytest.mark.parametrize(
    ("hunks", "paragraphs"),
    [
        ((same("A.", 0, 0), same("B.", 1, 1)), ["A.", "B."]),
        ((same("A."), gone("B."), same("C.")), ["A.B.C."]),
        ((same("A.", 0, 0), gone("B.", 1), same("C.", 2, 1)), ["A.", "B.", "C."]),
        ((same("A.", 0, 0), come("B.", 1), same("C.", 1, 2)), ["A.", "B.", "C."]),
        ((gone("A.", 0), come("B.", 0), same("C.", 0, 0)), ["A.B.C."]),  # its first sentence was replaced
        ((gone("A.", 0), come("B.", 0)), ["A.", "B."]),  # nothing is left of the old one
        ((same("A.", 0, 0), gone("B.", 0), same("C.", 0, 1)), ["A.B.", "C."]),  # it was parted
        ((same("A.", 0, 0), gone("B.", 1), same("C.", 1, 0)), ["A.B.C."]),  # two were joined
        ((gone("A.", 0), gone("B.", 1), same("C.", 2, 0)), ["A.", "B.", "C."]),
    ],
)
def test_paragraphs(hunks: tuple[Hunk, ...], paragraphs: list[str]) -> None:
    made = [row for row in rows(hunks) if isinstance(row, Paragraph)]
    assert ["".join(hunk.new or hunk.old for hunk in row.hunks) for row in made] == paragraphs


def test_a_move_is_told_in_words_at_both_ends() -> None:
    was, now = moved("This paragraph goes.", 2, 0)
    up = inline(diff(now, same("Between.", 0, 1), was))
    assert "<em>[moved here from below] </em>This paragraph goes." in up
    assert "<em>[moved above: “This paragraph goes.”]</em>" in up
    assert "<ins>" not in up
    assert "<del>" not in up
    was, now = moved("This paragraph goes.", 0, 1)
    down = plain(diff(was, same("Between.", 1, 0), now))
    assert down.index("[moved below: “This paragraph goes.”]") < down.index("[moved here from above] This")
    table = side_by_side(diff(was, same("Between.", 1, 0), now))
    assert "<em>[moved below] </em>This paragraph goes." in table
    assert "<em>[moved here from above] </em>This paragraph goes." in table


def test_what_was_edited_as_it_moved_is_marked_where_it_stands_now() -> None:
    pieces = (
        Piece(Op.EQUAL, "He said ", "He said "),
        Piece(Op.DELETE, "no", ""),
        Piece(Op.INSERT, "", "yes"),
    )
    was, now = moved("He said no", 0, 1, *pieces, now="He said yes")
    assert "</em>He said <del>no</del><ins>yes</ins>" in inline(diff(was, same("x", 1, 0), now))


def test_unchanged_runs_are_folded() -> None:
    many = [same(f"Sentence {number}.", number, number) for number in range(20)]
    found = diff(*many[:10], come("New."), *many[10:])
    text = plain(found, context=2)
    assert text == (
        "… 8 unchanged sentences …\n\nSentence 8.\n\nSentence 9.\n\n{+New.+}\n\nSentence 10.\n\nSentence 11.\n\n"
        "… 8 unchanged sentences …\n"
    )
    assert inline(found, context=0).count("… 10 unchanged sentences …") == 2
    assert "unchanged" not in inline(found)
    assert (
        len(list(rows(found.hunks, 9))) == 21
    )  # one sentence is no longer than what would say that it is hidden


def test_sentences_within_a_paragraph_that_stayed_are_counted() -> None:
    long = same("One. Two! Three? 四。五。", 0, 0)
    assert next(rows((long, come("New.", 1)), 0)) == Fold(5)


def test_what_differs_besides_the_text_stands_above_it() -> None:
    found = diff(
        same("Text."),
        title=edited("Old title", "New title"),
        image=(None, "https://example.org/a.jpg"),
        authors=(("Ann",), ("Ann", "Bob")),
        links=(("https://example.org/x",), tuple(f"https://example.org/{n}" for n in range(25))),
    )
    text = plain(found)
    assert text.startswith(
        "Title: [-Old title-] {+New title+}\nLead picture: {+https://example.org/a.jpg+}\n"
        "Authors: [-Ann-] {+Ann, Bob+}\nLinks taken out: [-https://example.org/x-]\nLinks put in: {+https://example.org/0+}, "
    )
    assert "and 5 more" in text
    assert '<li dir="auto">Authors: <del>Ann</del> <ins>Ann, Bob</ins></li>' in inline(found)
    assert (
        "-Authors: Ann\n+Authors: Ann, Bob\n-Link: https://example.org/x\n+Link: https://example.org/0\n"
        in unified(found, "1", "2")
    )


def test_no_difference_is_said_in_words() -> None:
    found = diff(Hunk(Op.EQUAL, "“A”", '"A"', 0, 0))
    for shown in (inline(found), side_by_side(found), coloured(found), changes_html(found, ())):
        assert "Only mark-up or typography differs." in shown
    assert unified(found, "1", "2") == ""


def test_nothing_acts_that_stands_in_a_text() -> None:
    found = diff(
        edited(ESCAPES, f"{ESCAPES} <script>alert(1)</script>"), same(ESCAPES), title=edited(ESCAPES, "x")
    )
    for text in (plain(found), unified(found, ESCAPES, "2")):
        assert (
            re.search(
                "[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2028\u2029\ud800-\udfff]", text
            )
            is None
        )
        assert r"\x1b[31mred\x07 \u202eright next\ud800" in text
    for page in (
        inline(found),
        side_by_side(found, names=("<i>", "&")),
        changes_html(found, (ESCAPES, "<b>")),
    ):
        assert "<script" not in page
        assert "<i>" not in page
        assert "<b>" not in page
        page.encode()


def test_joiners_of_letters_and_emoji_stay() -> None:
    kept = "می\u200cخواهم 👩\u200d👩\u200d👧 e\u0301"
    assert harmless(kept) == kept


def test_a_feed_shows_reasons_first_and_no_more_than_it_may() -> None:
    huge = diff(come("x<" * 3_000_000), *(come(f"Sentence {n}.", n) for n in range(1, 20_000)))
    found = changes_html(huge, ("number 1.5 % → 15 %", "title"))
    assert found.startswith('<ul><li dir="auto">number 1.5 % → 15 %</li><li dir="auto">title</li></ul>\n')
    assert 90_000 < len(found.encode()) <= 101_000
    assert found.endswith(markup.CUT)
    small = changes_html(diff(PER_CENT), ("a" * 1_000_000,) * 100)
    assert len(small.encode()) < 101_000
    assert "It was <del>[-1.5-]</del> <ins>{+15+}</ins>" in small
    assert "and 50 more" in small


def test_many_small_pieces_are_cut_where_there_is_no_room() -> None:
    pieces = tuple(Piece(op, "甲", "乙") for op in (Op.DELETE, Op.INSERT, Op.EQUAL) * 10_000)
    for show in (inline, side_by_side):
        found = show(diff(edited("甲", "乙", *pieces)), limit=50_000)
        assert len(found.encode()) < 51_000
        assert "ends here" in found
        html.fragment_fromstring(found, create_parent="div")


def test_the_shape_tells_a_move_once_where_it_stands_now() -> None:
    was, now = moved("Old words.", 3, 0, Piece(Op.REPLACE, "Old", "New"), now="New words.")
    judged = Judged(Significance.SUBSTANTIAL, ("moved",))
    shape = shapes.diff(2, 5, diff(now, same("x", 0, 1), was, PER_CENT, come("I"), gone("D")), judged)
    assert list(shape) == "from to title significance reasons hunks image authors links".split()
    assert (shape["from"], shape["to"], shape["significance"], shape["reasons"]) == (
        2,
        5,
        "substantial",
        ["moved"],
    )
    assert shape["title"] == {"old": "A title", "new": "A title"}
    assert [(each["op"], each["old"], each["new"]) for each in shape["hunks"]] == [
        ("move", "Old words.", "New words."),
        ("equal", "x", "x"),
        ("replace", PER_CENT.old, PER_CENT.new),
        ("insert", "", "I"),
        ("delete", "D", ""),
    ]
    assert (shape["hunks"][0]["old_paragraph"], shape["hunks"][0]["new_paragraph"]) == (3, 0)
    assert shape["hunks"][2]["pieces"][1] == {"op": "delete", "old": "1.5", "new": ""}


TEXTS = st.text(st.sampled_from("ab .<&\"'>\n\x1b日。é"), min_size=1, max_size=12)
BLOCKS = st.integers(0, 3)


@st.composite
def hunks(draw: st.DrawFn) -> Hunk:
    op = draw(st.sampled_from([Op.EQUAL, Op.INSERT, Op.DELETE, Op.REPLACE]))
    old, new, text = draw(BLOCKS), draw(BLOCKS), draw(TEXTS)
    match op:
        case Op.EQUAL:
            return same(text, old, new)
        case Op.INSERT:
            return come(text, new)
        case Op.DELETE:
            return gone(text, old)
        case _:
            other = draw(TEXTS)
            pieces = (Piece(Op.DELETE, text, ""), Piece(Op.INSERT, "", other)) if draw(st.booleans()) else ()
            return edited(text, other, *pieces, old_block=old, new_block=new)


@st.composite
def diffs(draw: st.DrawFn) -> Diff:
    some = draw(st.lists(hunks(), max_size=12))
    if draw(st.booleans()):
        for end in moved(draw(TEXTS), draw(BLOCKS), draw(BLOCKS)):
            some.insert(draw(st.integers(0, len(some))), end)
    return diff(*some)


@given(diffs(), st.none() | st.integers(0, 2))
def test_every_hunk_stands_in_one_paragraph_or_is_folded(found: Diff, context: int | None) -> None:
    shown = [hunk for row in rows(found.hunks, context) if isinstance(row, Paragraph) for hunk in row.hunks]
    assert [hunk for hunk in shown if hunk.op is not Op.EQUAL] == [
        hunk for hunk in found.hunks if hunk.op is not Op.EQUAL
    ]
    if context is None:
        assert tuple(shown) == found.hunks


@given(diffs(), st.integers(0, 2), st.integers(200, 3000))
def test_html_is_well_formed_and_our_sanitiser_lets_it_through(found: Diff, context: int, limit: int) -> None:
    for page in (
        inline(found, context=context),
        side_by_side(found),
        changes_html(found, ("why",), limit=limit),
    ):
        cleaned = clean(page, "https://example.org/")
        assert [cleaned.count(tag) for tag in ("<ins>", "<del>", "<em>", "<td")] == [
            page.count(tag) for tag in ("<ins>", "<del>", "<em>", "<td")
        ]
        tree = html.fragment_fromstring(page, create_parent="div")
        assert {each.tag for each in tree.iter()} <= set(
            "div p ul li ins del em table thead tbody tr th td".split()
        )


@given(diffs())
def test_both_versions_can_be_read_out_of_the_table(found: Diff) -> None:
    tree = html.fragment_fromstring(side_by_side(found), create_parent="div")
    for note in tree.findall(".//em"):
        note.drop_tree()
    squeeze = re.compile(r"[\s\x1b]")
    for column, field in ((1, "old"), (2, "new")):
        cells = "".join(cell.text_content() for cell in tree.xpath(f".//tbody/tr/td[{column}]"))
        assert squeeze.sub("", cells) == squeeze.sub(
            "", "".join(getattr(hunk, field) for hunk in found.hunks)
        )


@given(diffs(), st.integers(0, 4))
@settings(max_examples=120)
def test_a_unified_text_turns_the_old_lines_into_the_new(found: Diff, context: int) -> None:
    every = unified(found, "1", "2", context=10_000)
    lines = [line for line in every.split("\n")[2:] if line and not line.startswith("@@")]
    old = [line[1:] for line in lines if line[0] != "+"]
    new = [line[1:] for line in lines if line[0] != "-"]
    if not lines:
        assert all(hunk.op is Op.EQUAL for hunk in found.hunks)
        return
    assert patched(old, unified(found, "1", "2", context=context)) == new


def patched(lines: list[str], patch: str) -> list[str]:
    """The lines after a unified patch, whose line numbers and context must be right."""
    made: list[str] = []
    at = 0
    parts = re.split(r"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@.*\n", patch, flags=re.MULTILINE)
    for start, olds, _, news, body in zip(*(parts[first::5] for first in range(1, 6)), strict=True):
        first = int(start) - (olds != "0")
        made += lines[at:first]
        at = first
        some = body.split("\n")[:-1]
        assert sum(line[0] != "+" for line in some) == int(olds or 1)
        assert sum(line[0] != "-" for line in some) == int(news or 1)
        for line in some:
            if line[0] != "+":
                assert lines[at] == line[1:]
                at += 1
            if line[0] != "-":
                made.append(line[1:])
    return made + lines[at:]


@given(diffs())
def test_a_terminal_is_shown_the_text_alone(found: Diff) -> None:
    assert "\x1b" not in plain(found)


def test_text_of_an_inline_comparison_is_what_plain_text_makes_of_it() -> None:
    assert plain_text(inline(diff(same("A <b>.", 0, 0), come("B & c.", 1)))) == "A <b>.\nB & c."
