"""The language of searches: what is typed → a query, or words that say what is wrong."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedd.errors import UsageError
from feedd.search.matching import Subject, admits
from feedd.search.query import Changed, Clause, OfSource, Part, Published, Query, Tagged, Words, bound, parse

CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
NOW_MS = 1_750_000_000_000
FEB_2024_MS = 1_706_745_600_000
DAY_MS = 86_400_000


def word(*tokens: str, part: Part | None = None, prefix: bool = False) -> Words:
    return Words(tokens, part, prefix)


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("Café", [Clause((word("cafe"),))]),
        ("one two", [Clause((word("one"),)), Clause((word("two"),))]),
        ('"one two"', [Clause((word("one", "two"),))]),
        ("“one two”", [Clause((word("one", "two"),))]),
        ('"one two', [Clause((word("one", "two"),))]),
        ("网络", [Clause((word("网", "络"),))]),
        ("5G网络", [Clause((word("5g", "网", "络"),))]),
        ("ＣＯＶＩＤ－１９疫情", [Clause((word("covid", "19", "疫", "情"),))]),
        ("one -two", [Clause((word("one"),)), Clause((word("two"),), negated=True)]),
        ('one -"two three"', [Clause((word("one"),)), Clause((word("two", "three"),), negated=True)]),
        ("one OR two three", [Clause((word("one"), word("two"))), Clause((word("three"),))]),
        ("OR one OR", [Clause((word("one"),))]),
        ("one or two", [Clause((word("one"),)), Clause((word("or"),)), Clause((word("two"),))]),
        ("one AND two", [Clause((word("one"),)), Clause((word("two"),))]),
        ("elect*", [Clause((word("elect", prefix=True),))]),
        ("网*", [Clause((word("网"),))]),
        ("title:one", [Clause((word("one", part=Part.TITLE),))]),
        ("TITLE：日本", [Clause((word("日", "本", part=Part.TITLE),))]),
        ('author:"Ann Lee"', [Clause((word("ann", "lee", part=Part.AUTHORS),))]),
        ("source:RFI", [Clause((OfSource("rfi"),))]),
        ("source:a OR source:b", [Clause((OfSource("a"), OfSource("b")))]),
        ('tag:"Big News"', [Clause((Tagged("big news"),))]),
        ("after:2024-02", [Clause((Published(FEB_2024_MS, None),))]),
        ("before:2024-2-1", [Clause((Published(None, FEB_2024_MS),))]),
        ("changed:7d", [Clause((Changed(ago_ms=7 * DAY_MS),))]),
        ("changed:2024-02", [Clause((Changed(FEB_2024_MS, FEB_2024_MS + 29 * DAY_MS),))]),
        ("10:30", [Clause((word("10", "30"),))]),
        ("https://example.org/a", [Clause((word("https", "example", "org", "a"),))]),
        ("c++ 🎉", [Clause((word("c"),)), Clause((word("🎉"),))]),
        ("NEAR(aa {tt}: ^x", [Clause((word("near", "aa"),)), Clause((word("tt"),)), Clause((word("x"),))]),
    ],
)  # fmt: skip
def test_what_is_typed(text: str, clauses: list[Clause]) -> None:
    assert list(parse(text).clauses) == clauses


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "nothing to look for"),
        (" \t\x00\u3000 ", "nothing to look for"),
        ("OR", "nothing to look for"),
        ('- -- * "" "" ()', "nothing to look for"),
        ("-one", "only what must not be there"),
        ("-source:a -two", "only what must not be there"),
        ("source:", "needs something behind it"),
        ('title:"!?"', "needs a word behind it"),
        ("before:soon", "is no date"),
        ("before:2024-13", "is no date"),
        ("after:2023-02-29", "is no date"),
        ("after:0000", "is no date"),
        ("changed:7x", "is no date"),
        ("a*", "2 letters or more"),
        ("aa* bb* cc* dd* ee*", "at most 4 words with"),
        ("one OR -two", "OR can't stand beside"),
        ("one OR source:a", "of one kind"),
        ("a " * 33, "at most 32 terms"),
        ("a" * 1001, "at most 1,000 characters"),
        ("网" * 100_000, "at most 1,000 characters"),
        ("网" * 101, "a phrase has at most 100 words"),
        ("tag:" + "网" * 101, "a phrase has at most 100 words"),
        (" ".join(["网" * 67] * 3), "a search has at most 200 words"),
        ("one " * 33, "put a sentence in quotes"),
    ],
    ids=lambda text: text[:20],
)
def test_what_is_wrong_is_said(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        parse(text)


def test_the_last_day_there_is() -> None:
    assert parse("before:9999-12-31 changed:9999-12 after:9999").clauses


pieces = st.sampled_from(
    ["one", "网络", '"', "-", "*", "OR", "AND", "NOT", "NEAR", ":", "title:", "source:", "before:", "(", ")", "^", "{", "\\",
     "'", ";", "\x00", "\u202e", "🎉", " ", "changed:", "7d", "2024-02", "tag:", "+", "''", "\ud800", "é", "\u0301"]
)  # fmt: skip


@given(st.one_of(st.text(max_size=60), st.lists(pieces, max_size=14).map("".join)))
def test_anything_is_a_query_or_a_mistake_in_words(text: str) -> None:
    try:
        query = parse(text)
    except UsageError as error:
        said = str(error)
    else:
        said = query.text
        assert_sound(query)
    assert not CONTROLS.search(said)


def assert_sound(query: Query) -> None:
    assert parse(query.text).clauses == query.clauses
    for each in query.words:
        assert not any(CONTROLS.search(token) or {'"', " "} & set(token) for token in each.tokens)
    admits(query, Subject("one 网络", lambda: "🎉"), NOW_MS)


def article(**said: object) -> Subject:
    values: dict[str, object] = {
        "title": "5G网络 in São Paulo",
        "text": lambda: "COVID疫情 began. One two one.",
        "authors": ("Ann Lee",),
        "categories": ("Big News",),
        "sources": ("rfi",),
        "published_ms": FEB_2024_MS,
        "edited_ms": NOW_MS - 3 * DAY_MS,
    }
    return Subject(**{**values, **said})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("text", "is_met"),
    [
        ("网", True),
        ("网络", True),
        ("络网", False),
        ("5g网络", True),
        ("g网络", False),
        ("sao paulo", True),
        ('"paulo sao"', False),
        ("title:paulo", True),
        ("title:covid", False),
        ("covid疫", True),
        ("cov*", True),
        ("cov", False),
        ('"one tw"', False),
        ("one -two", False),
        ("one -three", True),
        ("three OR two", True),
        ("author:lee", True),
        ("author:one", False),
        ("lee", True),
        ("source:rfi", True),
        ("source:bbc", False),
        ('tag:"big  NEWS"', True),
        ("tag:news", False),
        ("tag:zh", True),
        ("feed:x", True),
        ("feed:y", False),
        ("after:2024-02-01 before:2024-02-02", True),
        ("after:2024-02-02", False),
        ("before:2024-02-01", False),
        ("changed:4d", True),
        ("changed:48h", False),
        ("changed:2025", True),
        ("one -changed:4d", False),
    ],
)
def test_what_a_query_admits(text: str, is_met: bool) -> None:
    query = bound(parse(text), {"zh": {"rfi", "dw"}})
    assert admits(query, article(in_feed=lambda name: name == "x"), NOW_MS) is is_met


def test_what_was_never_edited_did_not_change() -> None:
    assert not admits(parse("changed:1000d"), article(edited_ms=None), NOW_MS)
