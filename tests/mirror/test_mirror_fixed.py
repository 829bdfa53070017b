"""What is written of an article is read as the same article, and written again in the same bytes."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedd.exchange.entries_out import seed_of
from feedd.normalise.article import normalise
from feedd.sources.decode import decode
from feedd.sources.seedfile import parse, render
from feedd.store.reader import Entry

PAGES = sorted(
    path for path in (Path(__file__).parents[1] / "data").rglob("*.html") if path.stat().st_size < 100_000
)
PIECES = [
    "<p>",
    "</p>",
    "<pre>",
    "</pre>",
    "<b>",
    "</b>",
    "<table><tr><td>",
    "</table>",
    "<ul><li>",
    "</ul>",
    "<br>",
]
PIECES += [
    "\n",
    "\n\n",
    " ",
    "a",
    "b &amp; c",
    "&lt;i&gt;",
    "&nbsp;",
    "\u2028",
    "\x85",
    "中文",
    "------",
    "\n------\n",
    "](x)",
]
PIECES += [
    '<img src="/a.png" alt="x\ny">',
    '<a href="/b?c&d" title="e">',
    "</a>",
    "<div>",
    "</div>",
    "<!--",
    "-->",
    "\t",
]


def written(url: str, title: str, html: str) -> str:
    """The file of an article that a source brought."""
    article = normalise(url, title, html)
    entry = Entry(1, article.uid, article.url, article.title, 0, 0, False, 0, 0, None, 1, 0, ("a",), "a", None, article.content_html)  # fmt: skip
    return render(seed_of(entry)._replace(time_ms=1_706_867_102_000))


def settled(url: str, title: str, html: str) -> None:
    first = written(url, title, html)
    seed = parse(decode(first.encode("utf-8", "replace")))
    assert written(seed.url, seed.title, seed.body) == first


@pytest.mark.parametrize("path", PAGES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_pages(path: Path) -> None:
    settled("https://example.org/a_(b)", path.name, decode(path.read_bytes()))


@given(st.lists(st.sampled_from(PIECES), max_size=25).map("".join))
def test_bodies(html: str) -> None:
    settled("https://example.org/a", "A title", html)


@given(st.text(max_size=40) | st.text(alphabet="]([)<>-!\\\n a#&;中", max_size=40))
def test_titles(title: str) -> None:
    settled("https://example.org/a", decode(title.encode("utf-8", "replace")), "")
