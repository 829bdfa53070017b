"""Names of new sources."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedd.config.values import NAME
from feedd.exchange.naming import Namer, slug, tag


@pytest.mark.parametrize(
    ("title", "url", "name"),
    [
        ("RFI News", "https://x.org/", "rfi-news"),
        ("Le Monde – À la une", "https://x.org/", "le-monde-a-la-une"),
        ("Straße", "https://x.org/", "strasse"),
        ("Don't Panic!", "https://x.org/", "dont-panic"),
        ("RFI 法国国际广播电台", "https://www.rfi.fr/cn/rss", "rfi-fr"),
        ("日本", "https://feeds.example.jp/x", "example-jp"),
        ("", "https://müller.de/feed", "muller-de"),
        ("", "https://日本.jp/feed", "xn-wgv71a-jp"),
        ("", "https://blog.org/feed", "blog-org"),
        ("", "http://[2001:db8::1]:8080/", "2001-db8-1"),
        ("", "http://127.0.0.1/", "127-0-0-1"),
        ("…", "nonsense", "source"),
        ("…", "http://[", "source"),
        ("All", "https://x.org/", "all-2"),
        ("Changes", "https://x.org/", "changes-2"),
        ("health", "https://x.org/", "health-2"),
        ("Taken", "https://x.org/", "taken-3"),
        ("x" * 100, "https://x.org/", "x" * 63),
        ("word " * 30, "https://x.org/", "-".join(["word"] * 12)),
        ("--a--", "https://x.org/", "a"),
        ("9", "https://x.org/", "9"),
    ],
)
def test_name(title: str, url: str, name: str) -> None:
    assert Namer(["taken", "taken-2"]).name(title, url) == name


def test_namesakes() -> None:
    namer = Namer([])
    assert [namer.name("A feed", "https://x.org/") for _ in range(3)] == ["a-feed", "a-feed-2", "a-feed-3"]
    assert namer.name("A feed 2", "https://x.org/") == "a-feed-2-2"
    long = [namer.name("x" * 80, "https://x.org/") for _ in range(12)]
    assert len(set(long)) == 12
    assert max(map(len, long)) == 63


def test_many_namesakes_are_quick() -> None:
    start = time.process_time()
    namer = Namer([])
    assert len({namer.name("Feed", "https://x.org/") for _ in range(50_000)}) == 50_000
    assert time.process_time() - start < 5


@given(st.lists(st.tuples(st.text(), st.text())))
def test_names_are_valid_and_unlike(wanted: list[tuple[str, str]]) -> None:
    namer = Namer(["a", "b"])
    made = [namer.name(title, url) for title, url in wanted]
    assert all(NAME.fullmatch(name) for name in made)
    assert len({*made, "a", "b", "all", "changes", "health"}) == len(made) + 5


@given(st.from_regex(NAME, fullmatch=True))
def test_a_name_of_ours_stays(name: str) -> None:
    assert slug(slug(name)) == slug(name)


@pytest.mark.parametrize(
    ("text", "expected"),
    [("News", "news"), ("  Far  East ", "far-east"), ("C++", "c"), ("日本語", "日本語"), ("a_b", "a_b"), ("!?", ""), ("ＡＢ", "ab")],
)  # fmt: skip
def test_tag(text: str, expected: str) -> None:
    assert tag(text) == expected
