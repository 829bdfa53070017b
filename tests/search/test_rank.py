"""Which results come first."""

from feedd.search.matching import Subject
from feedd.search.query import parse
from feedd.search.rank import Weighed, occurrences, recency, scores, weighed

NOW_MS = 1_750_000_000_000
DAY_MS = 86_400_000


def order(query: str, **articles: tuple[str, str, int]) -> list[str]:
    """The names of articles (title, text, age in days), the best first."""
    words = parse(query).words
    made = [
        weighed(Subject(title, lambda text=text: text, published_ms=NOW_MS - age * DAY_MS), words)  # type: ignore[misc]
        for title, text, age in articles.values()
    ]
    ranked = zip(scores(made, NOW_MS), articles, strict=True)
    return [name for _, name in sorted(ranked, reverse=True)]


def test_a_title_counts_for_more_than_the_text() -> None:
    assert order("water", text=("A", "some water", 5), title=("Water", "some words", 5)) == ["title", "text"]


def test_more_often_counts_for_more() -> None:
    assert order("water", once=("A", "water x y z", 5), often=("A", "water water water z", 5)) == [
        "often",
        "once",
    ]


def test_a_short_text_counts_for_more() -> None:
    assert order("water", long=("A", "water" + " word" * 500, 5), short=("A", "water here", 5)) == [
        "short",
        "long",
    ]


def test_what_is_rare_counts_for_more() -> None:
    found = order(
        "water OR zebra",
        one=("A", "water x", 5),
        two=("A", "water y", 5),
        three=("A", "zebra x", 5),
        four=("A", "water", 5),
    )
    assert found[0] == "three"


def test_of_equals_the_newest_comes_first() -> None:
    assert order("water", old=("A", "water", 900), new=("A", "water", 1)) == ["new", "old"]


def test_recency_is_gentle() -> None:
    assert 1 < recency(0, NOW_MS) < recency(NOW_MS - 30 * DAY_MS, NOW_MS) < recency(NOW_MS, NOW_MS) == 1.5
    assert recency(NOW_MS + DAY_MS, NOW_MS) == 1.5
    assert order("water", old=("Water", "water water", 4000), new=("A", "water" + " x" * 50, 0)) == [
        "old",
        "new",
    ]


def test_nothing_to_rank() -> None:
    assert scores([], NOW_MS) == []
    assert scores([Weighed((), 0, NOW_MS)], NOW_MS) == [1.5]


def test_words_that_follow_each_other_are_all_counted() -> None:
    (one,) = parse("a").words
    assert occurrences(" a a a b a ", one) == 4
    (pair,) = parse('"a b"').words
    assert occurrences(" a b a b b ", pair) == 2
    (start,) = parse("ab*").words
    assert occurrences(" abc xab ab ", start) == 2
