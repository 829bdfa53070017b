"""The lists of an archive: titles and addresses of strangers in Markdown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import html
from markdown import markdown  # type: ignore[import-untyped]
from shelf import BORN_MS

from feedd.mirror.pages import Line, list_page


@pytest.mark.parametrize(
    "url", ["a?b=1&amp;c", "a?b&lt;c", "a?b&#106;c", "a?b&copy=c", "a)b", "a%20b", "'\"|`*_[]()!"]
)
def test_a_list_leads_to_the_article(url: str) -> None:
    """A character reference in an address is no other character."""
    target = f"https://example.org/{url}"
    tree = html.fromstring(markdown(list_page("a", "a", [Line(BORN_MS, "b", target, "a/x.md", None)])))
    assert [each.get("href") for each in tree.iter("a")][-1] == target


def test_a_title_in_a_list_turns_nothing_round_and_ends() -> None:
    lines = [Line(BORN_MS, title, "u", "a/x.md", None) for title in ("a\u202eb\u2028c\x1b[d", "é" * 10_000)]
    turned, long = list_page("a", "a", lines).splitlines()[-2:]
    assert "[ab c\\x1b\\[d](" in turned
    assert f"[{'é' * 300}…](" in long


@given(
    st.lists(st.text(alphabet=" a1.中\n\t\\`*_{}[]()<>#+-=!|~@&;:/\"'\u200b\x1b", max_size=30), max_size=4)
)
def test_no_title_is_markup(titles: list[str]) -> None:
    lines = [Line(BORN_MS, title, f"https://example.org/(a)>b<{title}", "a/x.md", None) for title in titles]
    tree = html.fromstring(markdown(list_page("A [b](c) <i>", "a", lines)) or "<p></p>")
    assert {each.tag for each in tree.iter()} <= {"div", "h1", "p", "a", "ul", "li"}
    assert [each.tag for each in tree.iter("li")] == ["li"] * len(titles)
    targets = [each.get("href") for each in tree.iter("a")]
    assert targets[0] == "a/"
    assert targets[1::2] == ["a/x.md"] * len(titles)
    assert all(target.startswith("https://example.org/(a)%3Eb%3C") for target in targets[2::2])
