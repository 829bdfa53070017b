import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedd.errors import NotAFeed, SourceError
from feedd.sources.output import Output, items_of_output
from feedd.sources.page import PageSelectors
from feedd.sources.seedfile import Seed, render
from feedd.sources.selector import compile_selector

URL = "https://example.org/"
DAY = int(datetime(2026, 11, 24, tzinfo=UTC).timestamp() * 1000)
PAGE = PageSelectors(compile_selector("li"))
RSS = b'<?xml version="1.0"?><rss version="2.0"><channel><title>F</title><language>de</language><item><title>One</title><link>https://example.org/1</link></item></channel></rss>'


def titles(data: bytes | str, kind: str = "auto", page: PageSelectors | None = None) -> list[str]:
    raw = data if isinstance(data, bytes) else data.encode()
    return [item.title for item in items_of_output(raw, kind, URL, page).items]


def test_a_feed() -> None:
    output = items_of_output(RSS, "auto", URL)
    assert (output.title, output.language, [item.title for item in output.items]) == ("F", "de", ["One"])


def test_json_lines() -> None:
    lines = [
        {"id": "1", "url": "/a", "title": "A &amp; B", "content_html": "<p>x</p>", "date_published": "2026-11-24",
         "date_modified": DAY, "authors": [{"name": "Ann"}], "tags": ["t"], "image": "/i.png", "language": "en",
         "attachments": [{"url": "/f.mp3", "mime_type": "audio/mpeg", "size_in_bytes": 7}]},
        {"title": "Text", "content_text": "1 < 2", "author": {"name": "Bob"}},
    ]  # fmt: skip
    output = items_of_output("\n\n".join(map(json.dumps, lines)).encode() + b"\n", "auto", URL)
    one, two = output.items
    assert (one.guid, one.url, one.html) == ("1", "https://example.org/a", "<p>x</p>")
    assert (one.published_ms, one.updated_ms, one.image) == (DAY, DAY, "https://example.org/i.png")
    assert (one.details.authors, one.details.categories, one.details.language) == (("Ann",), ("t",), "en")
    assert one.details.enclosures[0].length == 7
    assert (two.html, two.url, two.details.authors) == ("1 &lt; 2", None, ("Bob",))
    assert output.rejected == ()


def test_a_bad_line_costs_no_other() -> None:
    data = (
        '{"title": "One"}\n{"title": broken}\n[1]\n\n7\n{}\n{"title": "x", "url": "ftp://x.example"}\n{"title": "Two", "x": "\u2028"}\n'
        + "[" * 100_000
    )
    output = items_of_output(data.encode(), "jsonl", URL)
    assert [item.title for item in output.items] == ["One", "Two"]
    assert [where for where, _ in output.rejected] == [
        "line 2",
        "line 3",
        "line 5",
        "line 6",
        "line 7",
        "line 9",
    ]
    reasons = [reason for _, reason in output.rejected]
    assert reasons[0].startswith("is no JSON: ")
    assert reasons[1] == "is no JSON object"
    assert reasons[3] == "has neither a title nor a text nor an address"
    assert "'ftp://x.example'" in reasons[4]


def test_an_array_of_items() -> None:
    output = items_of_output(b'[\n {"title": "One"},\n 3,\n {"title": "Two"}\n]', "auto", URL)
    assert [item.title for item in output.items] == ["One", "Two"]
    assert output.rejected == (("item 2", "is no JSON object"),)


SEEDS = (
    "<!--1706867102000-->\n[One](https://example.org/1)\n------\n\n<p>a</p>\n"
    "<!--NaN-->\n[T [w] (o)](https://example.org/2)\n------\n\n<p>b</p>\n<!--not a seed-->\n<p>c</p>\n"
    "<!--5-->\n[Three](mailto:x@example.org)\n------\n\n<p>c</p>\n"
    "<!--6-->\n[Four](https://example.org/4)\n------\n\n"
)


def test_seeds_in_a_row() -> None:
    output = items_of_output(SEEDS.encode(), "auto")
    one, two = output.items
    assert (one.title, one.url, one.html, one.published_ms) == (
        "One",
        "https://example.org/1",
        "<p>a</p>",
        1706867102000,
    )
    assert (two.title, two.url, two.published_ms) == ("T [w] (o)", "https://example.org/2", None)
    assert two.html == "<p>b</p> <!--not a seed--> <p>c</p>"
    assert output.rejected == (
        ("line 13", "'mailto:x@example.org' is not an http or https URL"),
        ("line 18", "the body is empty"),
    )


def test_what_stands_before_the_first_seed() -> None:
    assert items_of_output(b"warning: x\n" + SEEDS.encode(), "auto").rejected[0][0] == "line 1"
    assert items_of_output(b"no seed at all", "seeds") == Output(
        (), (("line 1", "what stands before the first seed is none"),)
    )
    assert titles("\ufeff\r\n" + SEEDS.replace("\n", "\r\n")) == ["One", "T [w] (o)"]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 10**13),
            st.sampled_from(["a", "[b](c", "-", "d ]"]),
            st.sampled_from(["<p>x</p>", "<!--7--> y", "------"]),
        )
    )
)
def test_what_is_written_is_read(seeds: list[tuple[int, str, str]]) -> None:
    written = [
        Seed(time, title, f"https://example.org/{number}", body)
        for number, (time, title, body) in enumerate(seeds)
    ]
    output = items_of_output("".join(map(render, written)).encode(), "auto")
    assert [(item.published_ms, item.title, item.url, item.html) for item in output.items] == written
    assert output.rejected == ()


def test_html_for_the_keys_of_a_page() -> None:
    html = "<!doctype html><ul><li><a href=/1>One</a><li></ul>"
    output = items_of_output(html.encode(), "auto", URL, PAGE)
    assert [(item.title, item.url) for item in output.items] == [("One", "https://example.org/1")]
    assert output.rejected == (("entry 2", "has neither a title nor a link"),)
    with pytest.raises(SourceError, match="say with `entry`"):
        items_of_output(html.encode(), "auto", URL)


@pytest.mark.parametrize(
    ("data", "page", "expected"),
    [
        (RSS, PAGE, ["One"]),
        (b"<feed xmlns='http://www.w3.org/2005/Atom'><title>x</title><entry><id>a</id><title>E</title></entry></feed>", PAGE, ["E"]),
        (b"<ul><li><a href=/1>L</a></ul>", PAGE, ["L"]),
        (b'{"version": "https://jsonfeed.org/version/1", "items": [{"id": "1", "title": "J"}]}', PAGE, ["J"]),
        (b'{"title": "Line"}', PAGE, ["Line"]),
        (b'{"list": [{"title": "P"}]}', PageSelectors(compile_selector("json:list[*]")), ["P"]),
        (b" \n", None, []),
    ],
)  # fmt: skip
def test_what_it_is_is_seen(data: bytes, page: PageSelectors | None, expected: list[str]) -> None:
    assert titles(data, "auto", page) == expected


def test_no_feed() -> None:
    with pytest.raises(NotAFeed):
        titles("command not found")


@given(
    st.binary() | st.text("<!->[](){}\"':,1\n-ahtps/").map(str.encode),
    st.sampled_from(["auto", "feed", "page", "seeds", "jsonl"]),
    st.booleans(),
)
def test_any_bytes_are_items_or_a_named_error(data: bytes, kind: str, with_page: bool) -> None:
    try:
        output = items_of_output(data, kind, URL, PAGE if with_page else None)
    except SourceError:
        return
    assert all(item.title or item.url or item.html or item.guid for item in output.items)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9)
VALUES = SCALARS | st.lists(SCALARS | st.dictionaries(st.sampled_from(["name", "url"]), SCALARS), max_size=2)
ITEM_KEYS = "id url title date_published authors tags attachments image content_html".split()


@given(st.lists(st.dictionaries(st.sampled_from(ITEM_KEYS), VALUES, max_size=4), max_size=4))
def test_any_objects_are_items_or_rejected(objects: list[dict[str, Any]]) -> None:
    output = items_of_output("\n".join(map(json.dumps, objects)).encode(), "jsonl", URL)
    assert len(output.items) + len(output.rejected) == len(objects)
