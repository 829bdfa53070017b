"""Diffs as Markdown and as plain text, in bounded room; nothing that strangers wrote is Markdown."""

import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html
from markdown import markdown as rendered  # type: ignore[import-untyped]

from feedd.changes import markdown, plain
from feedd.changes.compare import compare
from feedd.changes.escaping import escaped
from feedd.changes.markdown import marked
from feedd.changes.values import Content, Diff, Hunk, Op, Piece

SAME = Hunk(Op.EQUAL, "A title", "A title", 0, 0)
MARKUP = st.text(alphabet=" ab1.中\n\t\\`*_{}[]()<>#+-=!|~@&;:/\"'x2\u200b\x1b", max_size=40)
OURS = {"html", "body", "div", "p", "strong", "em"}


def diff(*hunks: Hunk, title: Hunk = SAME, **beside: Any) -> Diff:
    around = {"image": (None, None), "authors": ((), ()), "links": ((), ()), **beside}
    return Diff(title, hunks, **around)


def edited(old: str, new: str, *pieces: Piece) -> Hunk:
    return Hunk(Op.REPLACE, old, new, 0, 0, pieces)


def come(text: str, block: int = 0) -> Hunk:
    return Hunk(Op.INSERT, "", text, None, block)


def same(text: str) -> Hunk:
    return Hunk(Op.EQUAL, text, text, 0, 0)


PER_CENT = edited(
    "It was 1.5 % in May.",
    "It was 15 % in May.",
    Piece(Op.EQUAL, "It was ", "It was "),
    Piece(Op.DELETE, "1.5", ""),
    Piece(Op.INSERT, "", "15"),
    Piece(Op.EQUAL, " % in May.", " % in May."),
)


def shown(text: str) -> str:
    """Without what can't be seen."""
    return text.replace("\u200b", "")


def test_what_differs_is_marked() -> None:
    found = diff(same("Before. "), PER_CENT, title=edited("Old", "New"))
    assert markdown.inline(found, limit=9000) == (
        "Title: ~~Old~~ **New**\n\nBefore. It was ~~1.5~~ **15** % in May."
    )
    assert plain.inline(found, limit=9000) == (
        "Title: [-Old-] {+New+}\n\nBefore. It was [-1.5-]{+15+} % in May."
    )


def test_nothing_but_markup() -> None:
    assert markdown.inline(diff(same("A.")), limit=9000).startswith("*Only mark-up or typography differs.*")
    assert plain.inline(diff(same("A.")), limit=9000).startswith("Only mark-up")


def test_long_unchanged_runs_are_folded() -> None:
    found = compare(
        Content("T", "".join(f"<p>Sentence {number}.</p>" for number in range(20))),
        Content("T", "".join(f"<p>Sentence {number}.</p>" for number in range(21))),
    )
    assert markdown.inline(found, limit=9000) == (
        "*… 19 unchanged sentences …*\n\nSentence 19.\n\n**Sentence 20.\u200b**"
    )


def test_a_move_is_told_in_words() -> None:
    was = Hunk(Op.MOVE, "This *goes*.", "", 2, None, move=1)
    now = Hunk(Op.MOVE, "", "This *goes*.", None, 0, move=1)
    text = markdown.inline(diff(now, Hunk(Op.EQUAL, "Between.", "Between.", 0, 1), was), limit=9000)
    assert "*\u200b\\[moved here from below\\]\u200b* This \\*goes\\*." in text
    assert "\\[moved above: “This \\*goes\\*.”\\]" in text


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("(x)", "**\u200b(x)\u200b**"),
        (" late ", " **late** "),
        (" ", "**\u200b␣\u200b**"),
        ("「中」", "**\u200b「中」\u200b**"),
    ],
    ids=["punctuation", "spaces", "space", "brackets"],
)
def test_marks_act_whatever_stands_within(text: str, expected: str) -> None:
    assert marked(Op.INSERT, text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "[click](https://evil.example/)",
        "![x](https://evil.example/pixel.png)",
        "# Heading",
        "> quoted",
        "- item",
        "1. item",
        "10) item",
        "***",
        "`code` ``code``",
        "    code",
        "&lt;b&gt;",
        "[x]: https://evil.example/",
        "<https://evil.example/>",
        "<jo@example.org>",
        "__init__ and _this_ and snake_case",
        "a \\* b \\",
        "~~~",
        "||spoiler||",
        "=====",
        "line\n=====\n",
    ],
)
def test_text_of_strangers_is_text(text: str) -> None:
    tree = html.fromstring(f"<div>{rendered(escaped(text))}</div>")
    assert {node.tag for node in tree.iter()} <= {"div", "p"}
    # python-markdown knows no escape of `~` and `|`, which other Markdown acts on
    found = re.sub(r"\\([~|=])", r"\1", shown(tree.text_content()))
    assert found.split() == text.split()


@pytest.mark.parametrize(
    "text", ["@everyone", "Now @here", "<@1234>", "<!channel>", "<#12>", "hi @someone", "x@everyone"]
)
def test_nobody_is_mentioned(text: str) -> None:
    made = escaped(text)
    assert not re.search(r"@(everyone|here|someone|[0-9])|<[@!#]", made)
    assert shown(made).replace("\\>", ">") == text


def test_what_is_no_markdown_stays_legible() -> None:
    text = "A mail to jo@example.org: 5 < 6 & snake_case, 3.5 % – (yes!) #1 1.5"
    assert escaped(text) == text


@settings(deadline=None)
@given(MARKUP)
def test_no_text_is_markdown(text: str) -> None:
    tree = html.fromstring(f"<div>{rendered(escaped(text))}</div>")
    assert {node.tag for node in tree.iter()} <= {"div", "p"}
    line = f"{escaped(text)}x"  # a list has no empty lines
    item = html.fromstring(f"<div>{rendered(f'- **before** {line}{chr(10)}- {line}')}</div>")
    assert {node.tag for node in item.iter()} <= {"div", "ul", "li", "strong"}
    assert len(item.findall("ul/li")) == 2


@settings(max_examples=80, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(list(Op)), MARKUP, MARKUP), max_size=5), MARKUP)
def test_no_diff_has_markdown_of_strangers(parts: list[tuple[Op, str, str]], title: str) -> None:
    hunks = []
    for number, (op, old, new) in enumerate(parts):
        match op:
            case Op.EQUAL:
                hunks.append(Hunk(op, old, old, number, number))
            case Op.INSERT:
                hunks.append(Hunk(op, "", new, None, number))
            case Op.DELETE:
                hunks.append(Hunk(op, old, "", number, None))
            case Op.REPLACE:
                hunks.append(Hunk(op, old, new, number, number))
            case Op.MOVE:
                hunks.append(Hunk(op, old, "", number, None, move=number))
    made = markdown.inline(diff(*hunks, title=edited(title, "New")), limit=100_000)
    tree = html.fromstring(f"<div>{rendered(made)}</div>")
    assert {node.tag for node in tree.iter()} <= OURS
    assert not any(node.attrib for node in tree.iter())
    assert "\x1b" not in made


@settings(deadline=None)
@given(st.lists(st.text(max_size=300), min_size=1, max_size=8), st.integers(50, 2_000))
def test_it_keeps_its_bounds(texts: list[str], limit: int) -> None:
    found = diff(*(come(text, number) for number, text in enumerate(texts)))
    for made in (markdown.inline(found, limit=limit), plain.inline(found, limit=limit)):
        assert len(made.encode()) <= limit + 120  # the notice, and a mark that is closed


@pytest.mark.parametrize("show", [markdown.inline, plain.inline])
def test_what_is_cut_says_so(show: Any) -> None:
    found = diff(*(come(f"Sentence {number}. ", number) for number in range(10_000)))
    made = show(found, limit=5_000)
    assert "The comparison is too long to be shown in full" in made.rsplit("\n\n", 1)[1]
    assert "Sentence 100." in made
    huge = show(diff(come("中" * 1_000_000)), limit=5_000)
    assert 4_000 < len(huge.encode()) < 5_200
