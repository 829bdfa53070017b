"""The pages of entries: the article in its box, what is said of it, the line of its versions."""

import threading
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from inprocess import Pages, hrefs, pages_of, words
from lxml import html
from shelf import BORN_MS, Piece, Shelf

from feedd.keeping import kept
from feedd.model import Details, Enclosure
from feedd.store.pruning import Pruner
from feedd.store.reader import Revision
from feedd.web import entry_pages

HOSTILE = '<script>alert("1")</script> & \u202eأهلا'
FIRST = (
    "<p>The council met. Fees rise by 1.5 %.</p><p>It was long.</p>"
    "<p><a href='https://example.org/x'><img src='https://example.org/1.jpg' alt='A &lt;mayor&gt;'></a></p>"
    "<video src='https://example.org/v.mp4' controls></video>"
)
SECOND = FIRST.replace("1.5 %", "15 %")
THIRD = SECOND.replace("It was long", "It was short")
TOML = """
[sources.news]
type = "directory"
path = "a"
title = "The News"
[sources.other]
type = "directory"
path = "b"
priority = -1
[sources.arabic]
type = "directory"
path = "c"
language = "ar"
"""
SAID = Details(
    ("Ada", "李明"),
    ("water", "local <politics>"),
    (Enclosure("https://example.org/p.mp3", "audio/mpeg", 2_000_000, "Podcast"),),
    comments_url="https://example.org/comments",
)
WRITTEN_MS = BORN_MS - 1_000_000
A, GONE, HOSTILES, ALONE, ARABIC = 1, 2, 3, 4, 5


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    """A is edited twice and seen through a second source, too."""
    shelf = Shelf(tmp_path_factory.mktemp("shelf"), TOML)
    a = Piece("a", "Fees rise", FIRST, WRITTEN_MS, SAID)
    hostile = Piece("hostile", HOSTILE, "<p>One &lt;b&gt; <i>x</i></p>")
    for at, piece in enumerate((a, Piece("gone", "Going"), hostile, Piece("alone"))):
        shelf.look("news", BORN_MS + at, [piece])
    shelf.look("arabic", BORN_MS + 10, [Piece("arabic", "المجلس", "<p>BBC قال المجلس</p>")])
    shelf.look("other", BORN_MS + 1000, [a._replace(body=FIRST.replace("1.5", "2.5"))])
    second = a._replace(title="Fees soar", body=SECOND, time_ms=WRITTEN_MS + 1000)
    shelf.look("news", BORN_MS + 2000, [second, hostile._replace(body="<p>Two &lt;b&gt;</p>")], ["gone"])
    shelf.look("news", BORN_MS + 3000, [second._replace(body=THIRD, time_ms=WRITTEN_MS + 2000)])
    yield shelf
    shelf.close()


@pytest.fixture(scope="module")
def web(shelf: Shelf) -> Iterator[Pages]:
    with pages_of(shelf.feeds) as pages:
        yield pages


def history(web: Pages) -> list[Revision]:
    return web.feeds.reader.history(A)


def test_an_entry_with_its_history(web: Pages) -> None:
    tree = web.page(f"/entries/{A}")
    assert tree.xpath("string(//h1)") == "Fees soar"
    assert tree.xpath("//a[@href='https://example.org/a'][@rel='noreferrer']")
    assert "Fees rise by 15 %." in words(tree.xpath("//article")[0])
    rows = tree.xpath("//ol[@id='versions']/li")
    assert [row.xpath("string(.//a[1])") for row in rows] == [
        "Version 4",
        "Version 3",
        "Version 2",
        "Version 1",
    ]
    assert {row.xpath("string(.//bdi)") for row in rows} == {"The News", "other"}
    assert f"/entries/{A}/diff/3..4" in hrefs(tree)
    assert "substantial" in words(rows[0])
    assert rows[0].xpath(".//ul[@class='reasons']/li[@dir='auto']")
    assert tree.xpath("//section[@id][@data-live][.//h2][.//form]/ol[@id='versions']/li[@data-row]")


def test_what_is_said_of_an_entry(web: Pages) -> None:
    tree = web.page(f"/entries/{A}")
    said = words(tree.xpath("//main")[0])
    for each in ("Ada, 李明", "water", "local <politics>", "Podcast", "audio/mpeg · 2.0 MB", "4 versions"):
        assert each in said
    assert {
        "https://example.org/p.mp3",
        "https://example.org/comments",
        "/sources/news",
        "/sources/other",
    } <= set(hrefs(tree))


def test_the_history_compares_within_a_source(web: Pages) -> None:
    by_source: dict[str, list[int]] = {}
    for each in history(web):
        by_source.setdefault(each.source, []).append(each.number)
    pairs = {href.rpartition("/")[2] for href in hrefs(web.page(f"/entries/{A}")) if "/diff/" in href}
    assert pairs == {f"{old}..{new}" for own in by_source.values() for old, new in pairwise(own)}


def test_an_earlier_version(web: Pages) -> None:
    tree = web.page(f"/entries/{A}?revision=1")
    assert tree.xpath("string(//h1)") == "Fees rise"
    assert "This is version 1, as The News had it" in words(tree)
    assert "5 %" in words(tree.xpath("//article")[0])
    (current,) = tree.xpath("//ol[@id='versions']//a[@aria-current='page']/text()")
    assert current == "Version 1"


def test_a_removed_entry_says_so(web: Pages) -> None:
    tree = web.page(f"/entries/{GONE}")
    assert "Removed 20" in words(tree)
    assert "Some words." in words(tree)
    assert not tree.xpath("//main//form")


def test_pictures_and_players_are_not_loaded(web: Pages) -> None:
    found = web.get(f"/entries/{A}")
    assert "img-src 'self';" in found.headers["content-security-policy"]
    tree = html.document_fromstring(found.text)
    assert not tree.xpath("//main//img")
    (stand_in,) = tree.xpath("//article//a[@href='https://example.org/x']/span")
    assert words(stand_in) == "Picture A <mayor>"
    (video,) = tree.xpath("//article/a[@href='https://example.org/v.mp4']")
    assert (words(video), video.get("rel")) == ("▶ Video", "noreferrer nofollow ugc")


def test_pictures_are_shown_where_they_are_asked_for(web: Pages) -> None:
    (link,) = web.page(f"/entries/{A}?revision=3").xpath("//a[@rel='nofollow'][contains(text(), 'picture')]")
    assert (link.text, link.get("href")) == ("Show 1 picture", f"/entries/{A}?revision=3&pictures=show")
    found = web.get(link.get("href"))
    (policy,) = found.headers.get_list("content-security-policy")
    assert policy == (
        "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self' https: http:;"
        " base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
    assert found.headers["referrer-policy"] == "no-referrer"
    tree = html.document_fromstring(found.text)
    (picture,) = tree.xpath("//article//img")
    assert dict(picture.attrib) == {
        "src": "https://example.org/1.jpg",
        "alt": "A <mayor>",
        "loading": "lazy",
        "decoding": "async",
        "referrerpolicy": "no-referrer",
    }
    assert not tree.xpath("//article//video")
    assert f"/entries/{A}?revision=3" in hrefs(tree), "and hidden again"


def test_the_form_names_the_versions(web: Pages) -> None:
    (form,) = web.page(f"/entries/{A}").xpath("//main//form")
    assert (form.action, form.method) == (f"/entries/{A}/diff", "GET")
    assert dict(form.fields) == {"from": "3", "to": "4"}
    options = [words(each) for each in form.xpath(".//select[@name='from']/option")]
    assert [each.partition(" ")[0] for each in options] == ["4", "3", "2", "1"]
    assert options[0].endswith("The News")
    answer = web.get(f"{form.action}?from=1&to=3&view=side")
    assert (answer.status_code, answer.headers["location"]) == (303, f"/entries/{A}/diff/1..3?view=side")


def test_of_many_versions_the_form_asks_for_numbers(web: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry_pages, "VERSIONS_OFFERED", 3)
    (form,) = web.page(f"/entries/{A}").xpath("//main//form")
    assert dict(form.fields) == {"from": "3", "to": "4"}
    assert {(each.get("type"), each.get("max")) for each in form.xpath(".//input")} == {("number", "4")}


def test_many_versions_are_paged(web: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(entry_pages, "VERSIONS_SHOWN", 3)
    tree = web.page(f"/entries/{A}")
    assert len(tree.xpath("//ol[@id='versions']/li")) == 3
    (further,) = tree.xpath("//a[text()='Earlier versions']/@href")
    assert further == f"/entries/{A}?before=2#history"
    assert len(web.page(further).xpath("//ol[@id='versions']/li")) == 1


def test_versions_that_were_pruned(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, TOML.replace('title = "The News"', "keep = 1"))
    for number in range(3):
        body = FIRST.replace("1.5", str(number))
        shelf.look("news", BORN_MS + number, [Piece("a", body=body, time_ms=WRITTEN_MS + number)])
    Pruner(shelf.desk, shelf.desk.writer.path, threading.Event()).run(
        kept(shelf.config.sources), BORN_MS + 10
    )
    with pages_of(shelf.feeds) as web:
        tree = web.page("/entries/1")
        assert not tree.xpath("//main//form"), "one is left"
        assert not any("/diff/" in href for href in hrefs(tree))
        (row,) = tree.xpath("//ol[@id='versions']/li")
        assert "substantial" in words(row)
        assert "number 1" in words(row)
        for path in ("/entries/1/diff/2..3", "/entries/1?revision=2"):
            assert "Version 2 is no longer kept." in words(web.page(path, 410))
        assert "There is no version 4 of this entry; the last is 3." in words(
            web.page("/entries/1/diff/3..4", 404)
        )
    shelf.close()


def test_versions_are_paged_by_number_where_some_were_pruned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(entry_pages, "VERSIONS_SHOWN", 2)
    shelf = Shelf(tmp_path, TOML.replace('title = "The News"', "keep = 3"))
    for number in range(6):
        body = FIRST.replace("1.5", str(number))
        shelf.look("news", BORN_MS + number, [Piece("a", body=body, time_ms=WRITTEN_MS + number)])
    Pruner(shelf.desk, shelf.desk.writer.path, threading.Event()).run(
        kept(shelf.config.sources), BORN_MS + 10
    )
    with pages_of(shelf.feeds) as web:
        tree = web.page("/entries/1")
        assert numbers_of(tree) == ["Version 6", "Version 5"]
        (further,) = tree.xpath("//a[text()='Earlier versions']/@href")
        older = web.page(further)
        assert numbers_of(older) == ["Version 4"]
        assert not older.xpath("//a[text()='Earlier versions']")
        assert numbers_of(web.page("/entries/1?before=4")) == []
    shelf.close()


def numbers_of(tree: Any) -> list[str]:
    return [row.xpath("string(.//a[1])") for row in tree.xpath("//ol[@id='versions']/li")]


def test_an_open_page_can_say_that_a_newer_version_has_come(web: Pages) -> None:
    (note,) = web.page(f"/entries/{A}").xpath("//*[@role='status']/p[contains(@class, 'newer')]")
    assert note.xpath("a/@href") == [f"/entries/{A}"]
    assert "A newer version has come" in words(note)


def test_versions_that_were_kept_without_a_word(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, TOML)
    for second, body in enumerate(("<p>One.</p>", "<p><b>One.</b></p>")):
        shelf.look("news", BORN_MS + second * 1000, [Piece("a", body=body, time_ms=WRITTEN_MS + second)])
    with pages_of(shelf.feeds) as web:
        row = web.page("/entries/1").xpath("//ol[@id='versions']/li")[0]
        assert row.xpath("string(.//span[contains(@class, 'level-none')])") == "none"
    shelf.close()


def test_an_article_is_written_as_its_source_says(web: Pages) -> None:
    tree = web.page(f"/entries/{ARABIC}")
    (article,) = tree.xpath("//article")
    assert (article.get("lang"), article.get("dir")) == ("ar", "rtl"), "though it begins with Latin letters"
    assert tree.xpath("//h1[@lang='ar'][@dir='rtl']")
    (article,) = web.page(f"/entries/{ALONE}").xpath("//article")
    assert (article.get("lang"), article.get("dir")) == ("", "auto")


def test_in_chinese(web: Pages) -> None:
    tree = web.page(f"/entries/{A}", language="zh-CN")
    assert {"4 个版本", "文章信息"} <= {words(each) for each in tree.xpath("//h2")}
    assert words(tree.xpath("//article//a/span")[0]) == "图片 A <mayor>"
    reasons = [words(each) for each in tree.xpath("//ul[@class='reasons']/li")]
    assert "数字 1.5% → 15%" in reasons
    assert not tree.xpath("//ul[@class='reasons']//*[@lang='en']"), reasons


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/entries/0", 404),
        ("/entries/999999", 404),
        ("/entries/-1", 404),
        ("/entries/1e3", 404),
        ("/entries/١", 404),
        (f"/entries/{'9' * 400}", 404),
        ("/entries/x%00y", 404),
        ("/entries/%ff", 404),
        ("/entries/1?revision=99", 404),
        ("/entries/1?revision=0", 404),
        ("/entries/1?revision=-1", 404),
        ("/entries/1?revision=%00", 404),
        (f"/entries/1?revision={'9' * 400}", 404),
        ("/entries/1?before=x", 400),
        ("/entries/1?before=0", 400),
        ("/entries/1?pictures=all", 400),
        ("/entries/1?pictures=", 200),
        ("/entries/1/diff", 400),
        ("/entries/1/diff?from=1&to=x", 400),
        ("/entries/1/diff?from=1&to=2&view=upside", 400),
        ("/entries/1/diff?from=1&to=99999999999999999999", 400),
        ("/entries/1?before=1", 200),
    ],
)
def test_what_does_not_exist_is_answered_in_words(web: Pages, path: str, status: int) -> None:
    found = web.get(path)
    assert found.status_code == status, found.text
    if status != 200:
        said = html.document_fromstring(found.text).xpath("string(//main/p)")
        assert said.endswith(".")
        assert said not in {"Not Found", "Bad Request"}


def test_hostile_titles_are_shown_as_they_are(web: Pages) -> None:
    for path in ("", "/diff/1..2", "/diff/1..2?view=side"):
        assert HOSTILE in web.page(f"/entries/{HOSTILES}{path}").xpath("string(//h1)")


def test_lists_of_entries_lead_to_their_pages(web: Pages) -> None:
    for path in ("/", "/feeds/news"):
        tree = web.page(path)
        assert f"/entries/{A}" in hrefs(tree)
        assert "https://example.org/a" in hrefs(tree)


def test_head_is_answered(web: Pages) -> None:
    found = web.get(f"/entries/{A}", "HEAD")
    assert (found.status_code, found.content) == (200, b"")
