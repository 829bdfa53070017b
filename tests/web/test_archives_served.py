"""Archive documents over HTTP: their headers, who may have them, and where there are none."""

import gzip
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path

import pytest
from gated import Gated
from inprocess import Pages, pages_of
from running import Site, until
from shelf import BORN_MS, Piece, Shelf

from feedd.publish.archivist import Archivist

PATH = "/feeds/all/archive/1.atom"
TOML = """
[sources.one]
type = "directory"
path = "1"
[sources.gone]
type = "directory"
path = "2"
[feeds.lately]
query = "changed:7d"
"""


def pieces(count: int) -> list[Piece]:
    return [Piece(f"n{number:03}", f"Title {number}") for number in range(count)]


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pages]:
    shelf = Shelf(tmp_path_factory.mktemp("shelf"), TOML)
    shelf.look("one", BORN_MS, pieces(150))
    shelf.configure(TOML.replace('[sources.gone]\ntype = "directory"\npath = "2"\n', ""))
    Archivist(shelf.desk, shelf.feeds).catch_up()
    with pages_of(shelf.feeds) as made:
        yield made
    shelf.close()


def test_a_document_and_its_headers(pages: Pages) -> None:
    found = pages.get(PATH, **{"Accept-Encoding": "identity"})
    assert found.status_code == 200
    assert found.headers["content-type"] == "application/atom+xml; charset=utf-8"
    assert found.headers["cache-control"] == "public, max-age=604800, immutable"
    assert found.headers["vary"] == "Accept-Encoding"
    assert found.headers["etag"].startswith('"')
    assert parsedate_to_datetime(found.headers["last-modified"]).timestamp() == BORN_MS // 1000
    assert "content-security-policy" in found.headers
    assert found.text.count("<entry") == 100
    packed = pages.get(PATH, **{"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["etag"] == f'{found.headers["etag"][:-1]}-gzip"'
    assert packed.content == found.content
    assert int(packed.headers["content-length"]) < len(gzip.compress(found.content)) + 1000


def test_a_tag_or_a_date_earns_a_304(pages: Pages) -> None:
    first = pages.get(PATH)
    for headers in (
        {"If-None-Match": first.headers["etag"]},
        {"If-Modified-Since": first.headers["last-modified"]},
    ):
        found = pages.get(PATH, **headers)
        assert (found.status_code, found.content) == (304, b"")
        assert found.headers["cache-control"] == first.headers["cache-control"]
    assert pages.get(PATH, **{"If-None-Match": '"x"'}).status_code == 200
    assert pages.get(PATH, "HEAD").content == b""


def test_it_is_never_sent_in_part(pages: Pages) -> None:
    found = pages.get(PATH, **{"A-IM": "feed", "If-None-Match": '"x"'})
    assert (found.status_code, found.text.count("<entry")) == (200, 100)


@pytest.mark.parametrize("number", ["0", "2", "01", "-1", "1.0", "x", "%D9%A1", "1%00", "9" * 9, "9" * 4000])
def test_what_is_not_full_is_not_there(pages: Pages, number: str) -> None:
    found = pages.get(f"/feeds/all/archive/{number}.atom", Accept="*/*")
    assert found.status_code == 404
    assert "the newest full one of this feed is 1" in found.text


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/feeds/health/archive/1.atom", 404, "has no archive"),
        ("/feeds/lately/archive/1.atom", 404, "has no archive"),
        ("/feeds/changes/archive/1.atom", 404, "This feed has no archive yet"),
        ("/feeds/none/archive/1.atom", 404, "no feed of that name"),
        ("/feeds/gone/archive/1.atom", 410, "has ended"),
        ("/feeds/all/archive/1.rss", 404, ""),
        ("/feeds/all/archive/", 404, ""),
    ],
)
def test_words_where_there_is_none(pages: Pages, path: str, status: int, words: str) -> None:
    found = pages.get(path, Accept="*/*")
    assert found.status_code == status
    assert words in found.text


def test_the_archive_of_a_private_feed_is_private(tmp_path: Path) -> None:
    with Gated(tmp_path) as gated:
        gated.shelf.look("a", BORN_MS + 60_000, pieces(150))
        Archivist(gated.shelf.desk, gated.shelf.feeds).catch_up()
        path, token = "/feeds/secret/archive/1.atom", gated.token("reader")
        assert gated.get(path).status_code == 401
        found = gated.get(path, Authorization=f"Bearer {token}")
        assert found.status_code == 200
        assert "private" in found.headers["cache-control"]
        assert "public" not in found.headers["cache-control"]
        assert "Authorization" in found.headers["vary"]
        assert gated.get(PATH).headers["cache-control"].startswith("public")


def test_a_daemon_keeps_the_archives_of_its_feeds(tmp_path: Path) -> None:
    site = Site(tmp_path, source="watch = true")
    for number in range(101):
        site.seed(f"{number:03}.txt", f"Title {number}", "<p>Text</p>", BORN_MS + number)
    with site.running() as daemon:
        until(lambda: daemon.get(PATH).status_code == 200)
        first = daemon.get(PATH)
        until(lambda: "all/archive/1.atom" in daemon.get("/feeds/all.atom").text)
        for number in range(200, 300):
            site.seed(f"{number}.txt", f"Title {number}", "<p>Text</p>", BORN_MS + number)
        until(lambda: daemon.get("/feeds/all/archive/2.atom").status_code == 200)
        again = daemon.get(PATH)
        assert (again.content, again.headers["etag"]) == (first.content, first.headers["etag"])
        until(lambda: "all/archive/2.atom" in daemon.get("/feeds/all.atom").text)
