"""Trimming paragraphs that stayed changes nothing of what is said of the rest."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pairs import FOLDER, pairs

from feedd.changes.compare import compare
from feedd.changes.significance import judge
from feedd.changes.trim import common_end, common_start, trimmed
from feedd.changes.values import Content

words = st.sampled_from(["One.", "Two is 2.", "Three, not 4.", "“Four”", "五。", "<b>Six</b>", "", "<br>"])
block = st.tuples(st.sampled_from(["p", "li", "div"]), st.lists(words, max_size=4))
page = st.lists(block, max_size=8)


def html(blocks: list[tuple[str, list[str]]]) -> str:
    return "".join(f"<{name}>{' '.join(text)}</{name}>" for name, text in blocks)


@given(st.text(alphabet="ab", max_size=12), st.text(alphabet="ab", max_size=12))
def test_common_ends(one: str, other: str) -> None:
    start, end = common_start(one, other), common_end(one, other)
    assert one[:start] == other[:start]
    assert one[start : start + 1] != other[start : start + 1] or start == min(len(one), len(other))
    assert one[len(one) - end :] == other[len(other) - end :]


@given(page, page, page, page)
def test_what_is_judged_is_the_same(head: list, old: list, new: list, tail: list) -> None:  # type: ignore[type-arg]
    one, other = Content("t", html(head + old + tail)), Content("t", html(head + new + tail))
    whole, short = judge(compare(one, other)), judge(compare(*trimmed(one, other)))
    assert whole.level == short.level


def test_what_stayed_is_not_read() -> None:
    stays = "<p>What stays, 1.</p>" * 1000
    old, new = trimmed(
        Content("t", f"{stays}<p>It costs 5.</p>{stays}"), Content("t", f"{stays}<p>It costs 6.</p>{stays}")
    )
    one = "<p>What stays, 1.</p>"
    assert (old.html, new.html) == (f"{one}<p>It costs 5.</p>{one}", f"{one}<p>It costs 6.</p>{one}")


def test_the_nearest_that_holds_text_is_left() -> None:
    around = "<p>Far.</p><p>Near:</p><h2></h2><p> </p><p><br></p>"
    old, new = trimmed(Content("t", f"{around}<p>2 hours</p>"), Content("t", f"{around}<p>3 hours</p>"))
    kept = "<p>Near:</p><h2></h2><p> </p><p><br></p>"
    assert (old.html, new.html) == (f"{kept}<p>2 hours</p>", f"{kept}<p>3 hours</p>")


@pytest.mark.parametrize("name", [path.stem for path in sorted(FOLDER.glob("*.tsv"))])
def test_every_labelled_pair_is_judged_the_same_in_a_longer_article(name: str) -> None:
    many = "".join(f"<p>Paragraph {number} of the article stays. So it is.</p>" for number in range(20))
    frames = [
        (many, many),
        (many + "<p>Time of death:</p>", "<p>Who?</p>" + many),
        (many + "<h2>When:</h2>", "<h2>What it means</h2>" + many),
        (many + "<p>Time:</p><p></p>", "<p></p><p>End.</p>" + many),
        ("<p>The same.</p>" * 5, "<p>The same.</p>" * 5),
    ]
    for pair in pairs(name):
        for before, behind in frames:
            old, new = (Content("t", f"{before}{html}{behind}") for html in (pair.old, pair.new))
            whole, short = judge(compare(old, new)), judge(compare(*trimmed(old, new)))
            assert (whole.level, set(whole.reasons)) == (short.level, set(short.reasons)), pair


def test_what_is_the_same_is_left() -> None:
    one = Content("t", "<p>One.</p>")
    assert trimmed(one, one) is not None
