"""Pages that stand alone: which links stay, and where they lead."""

import pytest

from feedd.site.alone import alone, name_of

PUBLISHED = {"index.html", "feeds.html", "feeds/a.html", "feeds/a.atom", "entries/1.html"}


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("/", "index.html"),
        ("/feeds", "feeds.html"),
        ("/feeds/a#newest", "feeds/a.html"),
        ("/feeds/a.atom?raw=1", "feeds/a.atom"),
        ("/feeds/a/archive/2.atom", "feeds/a/archive/2.atom"),
        ("/entries/1/diff/1..2", "entries/1/diff/1..2.html"),
        ("/feeds?page=2", None),
        ("/entries/1?revision=2", None),
        ("//elsewhere.example/feeds", None),
        ("https://elsewhere.example/feeds", None),
        ("", None),
    ],
)
def test_the_file_of_an_address(address: str, name: str | None) -> None:
    assert name_of(address) == name


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ('<a href="/entries/1#history">x</a>', '<a href="/b/entries/1#history">x</a>'),
        ('<a href="/feeds/a.atom?raw=1">x</a>', '<a href="/b/feeds/a.atom">x</a>'),
        ('<a class="x" href="/sources/a">x</a>', '<a class="x" href="/b/feeds/a">x</a>'),
        ('<a href="/sources/b">x</a>', "x"),
        ('<a href="/entries/1?revision=2">x</a>', "x"),
        ('<nav><a href="/search">x</a><a href="/feeds">y</a></nav>', '<nav><a href="/b/feeds">y</a></nav>'),
        ('<a class="button quiet" href="/login">x</a>', ""),
        ('<a href="https://example.org/?a=1&amp;b=2">x</a>', '<a href="https://example.org/?a=1&amp;b=2">x</a>'),
        ('<a href="//example.org/">x</a>', "x"),
        ('<p data-live="60">1 &lt; 2 &amp; 日本</p>', "<p>1 &lt; 2 &amp; 日本</p>"),
        ("<form><input></form><script>1</script><dialog>?</dialog>", ""),
        ('<img src="/static/icon.svg?v=1">', '<img src="/b/static/icon.svg?v=1">'),
    ],
    ids=range(12),
)  # fmt: skip
def test_what_becomes_of(before: str, after: str) -> None:
    page = f"<!DOCTYPE html><html><head></head><body>{before}</body></html>"
    assert alone(page, "/b", PUBLISHED.__contains__) == page.replace(before, after) + "\n"
