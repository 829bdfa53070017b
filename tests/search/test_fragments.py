"""Passages that show what was looked for, with marks."""

import re
import time
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedd.errors import UsageError
from feedd.search.fragments import LEAD, LENGTH, passage, whole
from feedd.search.query import parse

HAN = "".join(map(chr, range(0x4E00, 0x4E00 + 100)))
LONG = "lorem ipsum dolor sit amet, " * 100


def marked(text: str, query: str) -> str:
    return passage(text, parse(query).words).html


@pytest.mark.parametrize(
    ("text", "query", "html"),
    [
        ("Fees rise.", "rise", "Fees <mark>rise</mark>."),
        ("Fees rise, fees fall", "fees", "<mark>Fees</mark> rise, <mark>fees</mark> fall"),
        ("Le Café", "cafe", "Le <mark>Café</mark>"),
        ("Le Cafe\u0301 ici", "cafe", "Le <mark>Café</mark> ici"),
        ("die Straße hier", "strasse", "die <mark>Straße</mark> hier"),
        ("新的5G网络来了", "5g网络", "新的<mark>5G网络</mark>来了"),
        ("网络", "网 络", "<mark>网络</mark>"),
        ("ＡＢＣ网", "abc", "<mark>ＡＢＣ</mark>网"),
        ("newest new", "new", "newest <mark>new</mark>"),
        ("newest new", "new*", "<mark>newest</mark> <mark>new</mark>"),
        ("one, two; three", '"one two"', "<mark>one, two</mark>; three"),
        ("one three two", '"one two"', "one three two"),
        ("a <script>x</script> & b", "x", "a &lt;script&gt;<mark>x</mark>&lt;/script&gt; &amp; b"),
        ("<mark>one</mark>", "two one", "&lt;mark&gt;<mark>one</mark>&lt;/mark&gt;"),
        ("line\none\u202etwo\x1b[1m", "one", "line <mark>one</mark> two [1m"),
        ("nothing here", "absent", "nothing here"),
        ("nothing here -not", "nothing -not", "<mark>nothing</mark> here -not"),
        ("", "one", ""),
    ],
)
def test_what_is_marked(text: str, query: str, html: str) -> None:
    assert marked(text, query) == html


def test_the_passage_has_most_of_what_was_looked_for() -> None:
    text = f"{LONG} rare here. {LONG} rare and water with rare words. {LONG}"
    shown = passage(text, parse("water rare").words)
    assert shown.html.count("<mark>") == 3
    assert len(shown.text) <= LENGTH + 2
    assert shown.text.startswith("…")
    assert shown.text.endswith("…")


def test_the_title_takes_no_words_of_the_text_alone() -> None:
    words = parse("author:lee title:one lee").words
    assert whole("One Lee", words).html == "<mark>One</mark> <mark>Lee</mark>"
    assert passage("One Lee", words).html == "One <mark>Lee</mark>"


@given(st.text(max_size=300), st.text(alphabet='ab网络é1 "*🎉ß', min_size=1, max_size=8))
def test_a_fragment_is_a_piece_of_the_text(text: str, typed: str) -> None:
    try:
        words = parse(typed).words
    except UsageError:
        return
    html = passage(text + typed + text, words).html
    assert set(re.findall("<[^>]*>", html)) <= {"<mark>", "</mark>"}
    assert len(unescape(re.sub("</?mark>", "", html))) <= LENGTH + LEAD + 2


def test_a_sentence_is_marked_as_one() -> None:
    sentence = "The committee said, on Monday, that it would not yet decide. " * 5
    assert marked(f"{LONG}{sentence}", f'"{sentence}"').startswith("…")
    assert whole(f"前{HAN}后", parse(HAN).words).html == f"前<mark>{HAN}</mark>后"
    assert whole(f"前{HAN[1:]}后", parse(HAN).words).html == f"前{HAN[1:]}后"


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("a " * 25_000, f'"{"a " * 100}" "{"a " * 99}b"'),
        ("网" * 50_000, f"{'网' * 100} {'网' * 99}络"),
        (LONG * 20, f"{HAN} {HAN[::-1]}"),
    ],
    ids=["words", "han", "absent"],
)
def test_long_phrases_cost_little(text: str, query: str) -> None:
    """Whatever a query and an article make of each other: a pattern made of all would take a second or more."""
    begun = time.process_time()
    passage(text, parse(query).words)
    assert time.process_time() - begun < 0.5
