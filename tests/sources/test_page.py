from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedd.errors import SelectorRot, SourceError
from feedd.sources.page import MAX_ENTRIES, PageItems, PageSelectors, items_of_page
from feedd.sources.selector import compile_selector

URL = "https://example.org/jobs/"
KEYS = ("entry", "title", "link", "date", "summary", "image", "author", "next_page")


def ms(*parts: int) -> int:
    return int(datetime(*parts, tzinfo=UTC).timestamp() * 1000)  # type: ignore[misc,arg-type]


def read(page: str | bytes, content_type: str | None = "text/html", **wanted: Any) -> PageItems:
    chosen: dict[str, Any] = {
        key: compile_selector(value) if key in KEYS else value for key, value in wanted.items()
    }
    data = page if isinstance(page, bytes) else page.encode()
    return items_of_page(data, URL, content_type, PageSelectors(**chosen))


JOBS = """<!doctype html><html lang=en><head><title>Jobs at Ex</title><base href="/base/"></head><body>
<ul>
<li class="job" id="j1"><h3>Baker <em>(night)</em></h3><a href="1?x=1&amp;y=2">Apply</a><time datetime="2026-11-24T10:21:00+01:00">today</time>
 <div class="sum">Bread &amp; <b>rolls</b></div><img src="data:image/gif;base64,R0" data-src="/i/1.jpg"><span class="by">Ann</span><span class="by">Bob</span><span class="by">Ann</span></li>
<li class="job"><h3>Miller</h3><a href="https://other.example/2">Apply</a><time>24 November 2026</time></li>
<li class="job"><h3></h3><p>nothing here</p></li>
<li class="job"><a href="javascript:void(0)">Only words</a></li>
</ul><a class="next" href="?page=2">More</a></body></html>"""


def test_a_list_of_entries() -> None:
    page = read(
        JOBS,
        entry="li.job",
        title="h3",
        link="a",
        date="time",
        summary=".sum",
        image="img",
        author=".by",
        next_page="a.next",
    )
    assert page.matched == 4
    assert page.next_url == "https://example.org/base/?page=2"
    first, second = page.items
    assert first.title == "Baker (night)"
    assert first.url == "https://example.org/base/1?x=1&y=2"
    assert first.published_ms == ms(2026, 11, 24, 9, 21)
    assert first.html == "Bread &amp; <b>rolls</b>"
    assert first.image == "https://example.org/i/1.jpg"
    assert first.details.authors == ("Ann", "Bob")
    assert first.guid is None
    assert first.base_url == "https://example.org/base/"
    assert (second.title, second.url, second.published_ms) == (
        "Miller",
        "https://other.example/2",
        ms(2026, 11, 24),
    )
    assert (second.html, second.image, second.details.authors) == ("", None, ())
    assert page.rejected == (
        ("entry 3", "has neither a title nor a link"),
        ("entry 4", "has neither a title nor a link"),
    )


def test_what_is_not_said_is_found_in_the_usual_places() -> None:
    page = read(JOBS, entry="li.job")
    assert [(item.title, item.url) for item in page.items] == [
        ("Baker (night)", "https://example.org/base/1?x=1&y=2"),
        ("Miller", "https://other.example/2"),
        ("Only words", None),
    ]


def test_an_entry_may_be_the_link_itself() -> None:
    page = read(
        '<a class=e href="/a">One</a><a class=e href="/b"><h2>Two</h2>more</a>', entry="a.e", link="a"
    )
    assert [(item.title, item.url) for item in page.items] == [
        ("One", "https://example.org/a"),
        ("Two", "https://example.org/b"),
    ]


def test_attributes_of_the_entry_itself() -> None:
    page = read(
        '<li data-u="/x" data-t="A &lt; B" data-d="1795512060000">.</li>',
        entry="li",
        link="@data-u",
        title="@data-t",
        date="@data-d",
    )
    assert [(item.title, item.url, item.published_ms) for item in page.items] == [
        ("A < B", "https://example.org/x", ms(2026, 11, 24, 9, 21))
    ]


def test_xpath_and_css_side_by_side() -> None:
    page = read(
        JOBS,
        entry="xpath://li[@class='job']",
        title="xpath:./h3",
        link="a@href",
        date="xpath:.//time/@datetime",
        author="xpath:.//span/text()",
    )
    assert page.items[0].url == "https://example.org/base/1?x=1&y=2"
    assert page.items[0].published_ms == ms(2026, 11, 24, 9, 21)
    assert page.items[0].details.authors == ("Ann", "Bob")
    assert page.items[1].published_ms is None


JSON = b"""{"data": {"next": "/api?p=2", "items": [
 {"headline": "One", "path": "/1", "at": 1795512060, "body": "<p>A</p>", "pic": "i.png", "by": ["Ann", "Bob"]},
 {"headline": "Two & three", "path": "/2", "at": "2026-11-24", "body": "1 < 2", "by": null},
 {"other": true}, 7, {"title": "Four", "url": "/4"}]}}"""


def test_a_page_that_is_json() -> None:
    page = read(
        JSON, "application/json", entry="json:data.items[*]", title="json:headline", link="json:path", date="json:at",
        summary="json:body", image="json:pic", author="json:by", next_page="json:data.next",
    )  # fmt: skip
    one, two = page.items
    assert (one.title, one.url, one.html) == ("One", "https://example.org/1", "<p>A</p>")
    assert (one.image, one.details.authors) == ("https://example.org/jobs/i.png", ("Ann", "Bob"))
    assert one.published_ms == ms(2026, 11, 24, 9, 21)
    assert (two.title, two.html, two.published_ms) == ("Two & three", "1 &lt; 2", ms(2026, 11, 24))
    assert [where for where, _ in page.rejected] == ["entry 3", "entry 4", "entry 5"]
    assert page.next_url == "https://example.org/api?p=2"
    assert read(JSON, None, entry="json:data.items").items[-1].url == "https://example.org/4"


@pytest.mark.parametrize(
    ("page", "said"),
    [
        (
            "<title>Before you  go on</title><p>Accept?</p>",
            ["entry 'li.job'", "Before you go on", "bytes of HTML", URL, "feedd test"],
        ),
        ("", ["entry 'li.job'", "0 bytes"]),
        ("plain words", ["entry 'li.job'"]),
    ],
)
def test_an_entry_that_finds_nothing_is_a_failure(page: str, said: list[str]) -> None:
    with pytest.raises(SelectorRot) as caught:
        read(page, entry="li.job")
    assert all(words in str(caught.value) for words in said), str(caught.value)


def test_json_where_nothing_is() -> None:
    with pytest.raises(SelectorRot, match="bytes of JSON"):
        read(b'{"a": []}', "application/json", entry="json:a[*]")


def test_an_element_that_is_absent_costs_nothing() -> None:
    page = read(
        JOBS,
        entry="li.job",
        title="h3",
        link="a",
        date=".no",
        summary=".no",
        image=".no",
        author=".no",
        next_page=".no",
    )
    assert len(page.items) == 2
    assert page.next_url is None


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ('<img src="/a.jpg">', "https://example.org/a.jpg"),
        ('<img class=lazy src="/img/blank.gif" data-lazy-src="b.jpg">', "https://example.org/jobs/b.jpg"),
        ('<img srcset="s.jpg 100w, l.jpg 800w">', "https://example.org/jobs/l.jpg"),
        (
            '<picture><source srcset="p.webp 2x"><img src="data:,"></picture>',
            "https://example.org/jobs/p.webp",
        ),
        ("<div style=\"color:red; background-image: url('/bg.png')\"></div>", "https://example.org/bg.png"),
        ('<meta content="//cdn.example/m.jpg">', "https://cdn.example/m.jpg"),
        ('<a href="full.jpg">see</a>', "https://example.org/jobs/full.jpg"),
        ('<img src="data:image/png;base64,xx">', None),
        ('<img src="javascript:alert(1)">', None),
        ("<p>none</p>", None),
    ],
)
def test_pictures(markup: str, expected: str | None) -> None:
    tag = markup[1:].split(maxsplit=1)[0].split(">", maxsplit=1)[0]
    page = read(f"<li><h3>T</h3>{markup}</li>", entry="li", image=tag)
    assert page.items[0].image == expected


def test_a_picture_whose_frame_holds_it() -> None:
    page = read(
        '<li><h3>T</h3><picture><source srcset="a.webp"><img src="data:,"></picture></li>',
        entry="li",
        image="img",
    )
    assert page.items[0].image == "https://example.org/jobs/a.webp"


@pytest.mark.parametrize(
    ("said", "wanted", "expected"),
    [
        (
            "mardi 24 novembre 2026 à 10h21",
            {"language": "fr", "timezone": "Europe/Paris"},
            ms(2026, 11, 24, 9, 21),
        ),
        ("24.11.26 um 10.21", {"date_format": ("%d.%m.%y um %H.%M",)}, ms(2026, 11, 24, 10, 21)),
        ("11/12/2026", {"date_format": ("%Y", "%m/%d/%Y")[1:]}, ms(2026, 11, 12)),
        ("2026-11-24T10:21:00Z", {"date_format": ("%d.%m.%Y",)}, ms(2026, 11, 24, 10, 21)),
        ("24 Nov", {"language": "en"}, None),
        ("yesterday", {"language": "en"}, None),
        ("3 hours ago", {"language": "en"}, None),
    ],
)
def test_dates(said: str, wanted: dict[str, Any], expected: int | None) -> None:
    assert (
        read(f"<li><h3>T</h3><i>{said}</i></li>", entry="li", date="i", **wanted).items[0].published_ms
        == expected
    )


def test_the_text_stands_in_for_a_datetime_that_is_none() -> None:
    page = read("<li><h3>T</h3><time datetime='soon'>24 Nov 2026</time></li>", entry="li", date="time")
    assert page.items[0].published_ms == ms(2026, 11, 24)


def test_a_page_of_very_many_entries_is_read_in_part_and_says_so() -> None:
    page = read("<li><a href='/a'>x</a>" * (MAX_ENTRIES + 5), entry="li")
    assert (len(page.items), page.matched) == (MAX_ENTRIES, MAX_ENTRIES + 5)
    assert page.rejected == (
        (f"entry {MAX_ENTRIES + 1}", "a page is read up to 2,000 entries; it and more follow"),
    )


def test_a_page_that_goes_on_with_itself_ends() -> None:
    assert (
        read("<li><a href='/a'>x</a></li><a class=n href='#top'>", entry="li", next_page=".n").next_url
        is None
    )


@given(st.binary() | st.text("<>/lia h3img\"'=srctime!-?&;").map(str.encode))
def test_any_bytes_are_a_page_or_a_named_error(data: bytes) -> None:
    try:
        page = read(
            b"<li>" + data,
            None,
            entry="li",
            title="h3",
            date="time",
            image="img",
            summary="xpath:.//a",
            author="@a",
            next_page="a",
        )
    except SourceError:
        return
    assert page.matched == len(page.items) + len(page.rejected)
