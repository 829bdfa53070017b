"""What is proposed to be ignored: fragments that change at most looks while the rest stands still."""

import re
import time
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedd.changes.restless import ENOUGH, LONGEST, proposed

COUNTERS = {
    "English": "Read by {:,} people so far.",
    "a space between thousands": "Lu {:,} fois",
    "Chinese": "阅读{}次",
    "Japanese": "閲覧数：{}回",
    "Arabic": "عدد القراءات {}",
    "a number at the end": "Views: {}",
    "a number at the beginning": "{} comments",
    "signs that mean something in expressions": "(views) [{}] * 2 + 1?",
}
COUNTED = (7, 12, 1_900, 23_456, 1_234_567)


def page(fragment: str) -> str:
    return f"A title\nWhat stands still, 5 of it.\n{fragment}\nThe end."


@pytest.mark.parametrize("words", COUNTERS.values(), ids=COUNTERS)
def test_a_counter_is_proposed(words: str) -> None:
    variants = [words.format(number).replace(",", " " if "Lu" in words else ",") for number in COUNTED]
    found = proposed([page(each) for each in variants])
    assert found is not None
    assert found.example in variants[-1]
    left = {re.sub(found.pattern, "", page(each)) for each in variants}
    assert len(left) == 1
    assert "What stands still, 5 of it." in left.pop()
    # and it takes the next one out, too
    following = page(words.format(98_765_432).replace(",", " " if "Lu" in words else ","))
    assert len({re.sub(found.pattern, "", each) for each in (page(variants[0]), following)}) == 1


def test_a_teaser_is_proposed_by_what_stands_before_it() -> None:
    teasers = ("Trump wins", "Macron loses", "Xi speaks", "Rain in May", "None left")
    found = proposed([page(f"Also read: {each}") for each in teasers])
    assert found is not None
    assert found.example == "Also read: None left"


def test_a_teaser_with_nothing_around_it_is_proposed_by_its_variants() -> None:
    teasers = ("Trump wins", "Macron loses", "Xi speaks", "Trump wins", "Macron loses")
    found = proposed([page(each) for each in teasers])
    assert found is not None
    assert all(re.fullmatch(found.pattern, each) for each in teasers)


NOTHING: dict[str, Sequence[str]] = {
    "too few": [page(f"{number} views") for number in range(ENOUGH - 1)],
    "nothing changes": [page("12 views")] * ENOUGH,
    "it stood still meanwhile": [page(f"{number} views") for number in (1, 1, 2, 3, 4)],
    "two fragments": [page(f"{number} views\n{number} likes") for number in range(ENOUGH)],
    "paragraphs come": [page("\n".join("12345"[: number + 1])) for number in range(ENOUGH)],
    "a paragraph each time": [page(word * LONGEST) for word in ("one ", "two ", "three ", "four ", "five ")],
    "another line each time": [page(word) for word in ("One", "Two", "Three", "Four", "Five")],
    "a text that is no fragment": [page("a" * 6_000 + f" {number}") for number in range(ENOUGH)],
    "nothing at all": [""] * ENOUGH,
}


@pytest.mark.parametrize("texts", NOTHING.values(), ids=NOTHING)
def test_nothing_is_proposed(texts: Sequence[str]) -> None:
    assert proposed(texts) is None


MARKED_UP = {
    "a number in bold": "<p>Read by <b>{}</b> people</p>",
    "nothing but a number in its element": "<p>Comments <span>{}</span></p>",
    "an entity": "<p>Marks &amp; Spencer: {}</p>",
    "a link that moves": '<p>Also read: <a href="https://example.org/{0}">story {0}</a></p>',
}


@pytest.mark.parametrize("words", MARKED_UP.values(), ids=MARKED_UP)
def test_what_is_proposed_works_on_html(words: str) -> None:
    """It is tried on what a page sends, whose tags say more than what is stored."""
    stored = [f"<p>Stays, 5.</p>{words.format(number)}<p>The end.</p>" for number in COUNTED]
    found = proposed(stored)
    assert found is not None
    sent = [each.replace("<b>", '<b class="n">').replace("<p>", '<p id="x">') for each in stored]
    assert len({re.sub(found.pattern, "", each) for each in sent}) == 1


HOSTILE = {
    "digits": "1" * 300_000,
    "spaces": " " * 300_000,
    "digits apart": "1 " * 150_000,
    "tags": "<" * 300_000,
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
@pytest.mark.parametrize("words", ["{} people in town", "Read by {} people", "<b>{}</b> <i>views</i>"])
def test_what_is_proposed_is_quick_on_any_text(words: str, text: str) -> None:
    found = proposed([page(words.format(number)) for number in COUNTED])
    assert found is not None
    begun = time.process_time()
    re.sub(found.pattern, "", text)
    assert time.process_time() - begun < 2


@given(
    st.lists(st.text(max_size=30), min_size=ENOUGH, max_size=ENOUGH),
    st.text(max_size=20),
    st.text(max_size=20),
)
def test_what_is_proposed_takes_out_the_fragment_and_leaves_the_rest(
    middles: list[str], before: str, after: str
) -> None:
    variants = [f"{before}{each}{after}" for each in middles]
    found = proposed([page(each) for each in variants])
    if found is None:
        return
    compiled = re.compile(found.pattern)
    blocks = [page(each).split("\n") for each in variants]
    assert len({tuple(compiled.sub("", block, count=1) for block in each) for each in blocks}) == 1
    assert all(old != new for old, new in pairwise(variants))
