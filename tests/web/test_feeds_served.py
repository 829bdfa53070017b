"""What a daemon answers over HTTP."""

import gzip
import os
import socket
from collections.abc import Iterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import feedparser
import httpx
import pytest
from lxml import etree, html
from running import Daemon, Site, until, write_seed

GONE = '[sources.gone]\ntype = "directory"\npath = "gone"\n'
MORE = '[sources.other]\ntype = "directory"\npath = "other"\ntitle = "<b>Other</b> & co"\n[feeds.few]\nlimit = 2\n'
HOSTILE_TITLE = '<script>alert("1")</script> & \u202eأهلا'
HOSTILE_FILE = "<img src=x onerror=alert(1)>\x1b[31m.txt"


@pytest.fixture(scope="module")
def daemon(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    """Three sources, one of which is taken out of the configuration before the daemon starts."""
    site = Site(tmp_path_factory.mktemp("site"), more=MORE + GONE)
    for number in range(5):
        site.seed(
            f"{number}.txt", f"Title {number}", f"<p>Text {number} é中文</p>", 1_706_867_102_000 + number
        )
    write_seed(site.root / "other/hostile.md", HOSTILE_TITLE, "<p>&lt;b&gt; x</p>")
    write_seed(site.root / "gone/left.md", "Left")
    (site.seeds / HOSTILE_FILE).write_text("no seed")
    os.utime(site.seeds / HOSTILE_FILE, (1, 1))
    site.feedd("update")
    site.configure(more=MORE)
    with site.running() as running:
        until(lambda: len(running.items()) == 7)
        yield running


@pytest.fixture(scope="module")
def modified(daemon: Daemon) -> str:
    """Last-Modified of the feed of all entries, when two seconds have passed since."""
    date = daemon.get("/feeds/all.atom").headers["last-modified"]
    until(lambda: daemon.get("/feeds/all.atom", If_Modified_Since=date).status_code == 304)
    return str(date)


every_format = pytest.mark.parametrize(
    ("path", "media_type"),
    [
        ("/feeds/all.atom", "application/atom+xml; charset=utf-8"),
        ("/feeds/all.rss", "application/rss+xml; charset=utf-8"),
        ("/feeds/all.json", "application/feed+json; charset=utf-8"),
    ],
)


def test_one_a_source_and_all_are_served(daemon: Daemon) -> None:
    assert len(daemon.items("all")) == 7
    assert daemon.titles("news") == [f"Title {number}" for number in (4, 3, 2, 1, 0)]
    assert daemon.titles("other") == [HOSTILE_TITLE]
    assert len(daemon.get("/feeds/few.json").json()["items"]) == 2


@every_format
def test_a_feed_and_its_headers(daemon: Daemon, path: str, media_type: str) -> None:
    found = daemon.get(path)
    assert found.status_code == 200
    assert found.headers["content-type"] == media_type
    assert found.headers["cache-control"] == "no-cache"
    assert "Accept-Encoding" in found.headers["vary"]
    assert found.headers["etag"].startswith('"')
    assert parsedate_to_datetime(found.headers["last-modified"]).year >= 2024
    assert int(found.headers["content-length"]) > 0


@every_format
def test_a_tag_earns_a_304_without_a_body(daemon: Daemon, path: str, media_type: str) -> None:
    first = daemon.get(path, Accept_Encoding="identity")
    again = daemon.get(path, Accept_Encoding="identity", If_None_Match=first.headers["etag"])
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == first.headers["etag"]
    assert again.headers["last-modified"] == first.headers["last-modified"]
    assert "content-type" not in again.headers
    assert daemon.get(path, If_None_Match='"x"').status_code == 200


def test_a_date_earns_a_304(daemon: Daemon, modified: str) -> None:
    assert daemon.get("/feeds/all.rss", If_Modified_Since=modified).status_code == 304
    long_ago = "Thu, 01 Jan 1970 00:00:00 GMT"
    assert daemon.get("/feeds/all.rss", If_Modified_Since=long_ago).status_code == 200


def test_the_tag_wins_over_the_date(daemon: Daemon, modified: str) -> None:
    path = "/feeds/all.atom"
    assert daemon.get(path, If_None_Match='"x"', If_Modified_Since=modified).status_code == 200


@every_format
def test_gzip_holds_the_same_under_another_tag(daemon: Daemon, path: str, media_type: str) -> None:
    plain = daemon.get(path, Accept_Encoding="identity")
    packed = daemon.get(path, Accept_Encoding="gzip")
    assert "content-encoding" not in plain.headers
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.content == plain.content
    assert packed.headers["etag"] != plain.headers["etag"]
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"])
    again = daemon.get(path, Accept_Encoding="gzip", If_None_Match=packed.headers["etag"])
    assert again.status_code == 304


def test_gzip_on_the_wire(daemon: Daemon) -> None:
    with (
        httpx.Client(trust_env=False, verify=False) as client,
        client.stream(
            "GET", f"{daemon.site.url}/feeds/all.atom", headers={"Accept-Encoding": "gzip"}
        ) as found,
    ):
        body = b"".join(found.iter_raw())
    assert len(feedparser.parse(gzip.decompress(body)).entries) == 7


@pytest.mark.parametrize("path", ["/feeds/all.atom", "/feeds/all", "/", "/feeds.opml", "/feeds/none.atom"])
def test_head_is_get_without_a_body(daemon: Daemon, path: str) -> None:
    with httpx.Client(trust_env=False, verify=False) as client:
        head, get = client.head(daemon.site.url + path), client.get(daemon.site.url + path)
    assert head.status_code == get.status_code
    assert head.content == b""
    for name in ("content-type", "content-length", "etag"):
        assert head.headers.get(name) == get.headers.get(name)


@pytest.mark.parametrize("limit", [1, 3, 7, 1000])
def test_a_limit(daemon: Daemon, limit: int) -> None:
    assert len(daemon.get(f"/feeds/all.json?limit={limit}").json()["items"]) == min(limit, 7)
    assert len(feedparser.parse(daemon.get(f"/feeds/few.atom?limit={limit}").content).entries) == min(
        limit, 7
    )


@pytest.mark.parametrize(
    "limit",
    ["0", "1001", "abc", "-1", "", "9" * 5000, "١٢", "²", "1.5", "+5", "1e2", "0x5", " 5", "%00", "00005"],
)
def test_what_is_no_limit(daemon: Daemon, limit: str) -> None:
    for format_ in ("atom", "rss", "json"):
        found = daemon.get(f"/feeds/all.{format_}?limit={limit}")
        assert found.status_code == 400
        assert found.text == "limit is a whole number from 1 to 1000.\n"


@pytest.mark.parametrize("suffix", [".atom", ".rss", ".json", ""])
def test_there_is_no_such_feed(daemon: Daemon, suffix: str) -> None:
    assert daemon.get(f"/feeds/none{suffix}").status_code == 404
    assert daemon.get(f"/feeds/gone{suffix}").status_code == 410


def test_the_entries_of_a_source_that_left_stay(daemon: Daemon) -> None:
    assert "Left" in daemon.titles()


@pytest.mark.parametrize(
    "name",
    [
        "..%2f..%2fetc%2fpasswd",
        "%2e%2e",
        "..",
        "%00",
        "all%00",
        "all%00.atom",
        "a" * 5000,
        "%ff%fe",
        "%F0%9F%98%80",
    ]
    + [
        "all.atom.atom",
        "all.ATOM",
        "ALL.atom",
        "all.xml",
        "all.",
        ".atom",
        "all%2eatom%2f",
        "all/",
        "%0d%0aX: y",
        "%",
    ]
    + [
        "{name}.atom",
        "'%20or%201=1--.atom",
        "..%5c..%5cx.rss",
        "con.json",
        "%u0000.json",
        "all.atom/",
        "all.atom;x",
    ],
)
def test_odd_names_are_no_feeds(daemon: Daemon, name: str) -> None:
    for path in (f"/feeds/{name}", f"/feeds/{name}.atom"):
        with socket.create_connection(("127.0.0.1", daemon.site.port)) as raw:
            raw.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
            answer = b"".join(iter(lambda: raw.recv(65536), b"")).decode("latin-1")
        status = int(answer.split()[1])
        assert status in ({404} if "%0d" not in name else {404, 400}), (path, answer[:300])
        assert "\r\nX: y" not in answer


def test_a_browser_is_sent_to_the_page(daemon: Daemon) -> None:
    found = daemon.get("/feeds/all.atom", Sec_Fetch_Dest="document")
    assert (found.status_code, found.headers["location"]) == (303, "/feeds/all")
    assert "Sec-Fetch-Dest" in found.headers["vary"]
    assert daemon.get("/feeds/none.atom", Sec_Fetch_Dest="document").status_code == 404


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Accept": "*/*"},
        {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"},
        {"Accept": "application/atom+xml", "User-Agent": "Mozilla/5.0 (compatible; FreshRSS)"},
        {"Sec_Fetch_Dest": "empty"},
        {"Sec_Fetch_Dest": "script"},
    ],
)
def test_every_other_client_gets_the_feed(daemon: Daemon, headers: dict[str, str]) -> None:
    found = daemon.get("/feeds/all.atom", **headers)
    assert found.status_code == 200
    assert "Sec-Fetch-Dest" in found.headers["vary"]
    assert feedparser.parse(found.content).bozo == 0


def test_opml(daemon: Daemon) -> None:
    found = daemon.get("/feeds.opml")
    assert found.headers["content-type"] == "text/x-opml; charset=utf-8"
    root = etree.fromstring(found.content)
    assert (root.tag, root.get("version"), root[0].tag, root[1].tag) == ("opml", "2.0", "head", "body")
    outlines = {outline.get("text"): outline.get("xmlUrl") for outline in root.iterfind("body/outline")}
    mostly_empty = {"What changed", "Health of the sources"}
    assert set(outlines) == {"All entries", "news", "<b>Other</b> & co", "few"} | mostly_empty
    for name, address in outlines.items():
        assert (
            name in mostly_empty
            or len(feedparser.parse(httpx.get(address, trust_env=False, verify=False).content).entries) > 0
        )


def page(daemon: Daemon, path: str, status: int = 200) -> Any:
    found = daemon.get(path, Accept="text/html")
    assert found.status_code == status
    assert found.headers["content-type"] == "text/html; charset=utf-8"
    assert found.text.lower().startswith("<!doctype html>")
    tree = html.fromstring(found.text)
    assert tree.xpath("//script[not(@src)] | //main//img | //*[@onerror] | //b") == []
    assert tree.findtext(".//title")
    assert tree.get("lang") == "en"
    return tree


def test_the_first_page(daemon: Daemon) -> None:
    tree = page(daemon, "/")
    text = tree.text_content()
    assert all(f"Title {number}" in text for number in range(5))
    assert HOSTILE_TITLE in text
    assert "<img src=x onerror=alert(1)>\\x1b[31m.txt" in text
    assert tree.xpath("//a[@href='/feeds/news']")


def test_the_page_of_feeds(daemon: Daemon) -> None:
    tree = page(daemon, "/feeds")
    assert "<b>Other</b> & co" in tree.text_content()
    for name in ("all", "news", "other", "few"):
        for suffix in (".atom?raw=1", ".rss?raw=1", ".json?raw=1", ""):
            assert tree.xpath(f"//a[@href='/feeds/{name}{suffix}']")


def test_the_page_of_a_feed_says_how_to_subscribe(daemon: Daemon) -> None:
    tree = page(daemon, "/feeds/other")
    assert "<b>Other</b> & co" in tree.text_content()
    assert HOSTILE_TITLE in tree.text_content()
    found = {(link.get("type"), link.get("href")) for link in tree.xpath("//link[@rel='alternate']")}
    assert found == {
        (media_type, f"{daemon.site.url}/feeds/other.{format_}")
        for media_type, format_ in (
            ("application/atom+xml", "atom"),
            ("application/rss+xml", "rss"),
            ("application/feed+json", "json"),
        )
    }
    assert f"{daemon.site.url}/feeds/other.atom" in tree.text_content()


@pytest.mark.parametrize(("path", "status"), [("/feeds/none", 404), ("/<b>", 404), ("/feeds/gone", 410)])
def test_errors_are_pages_for_people_and_lines_for_machines(daemon: Daemon, path: str, status: int) -> None:
    assert str(status) in page(daemon, path, status).text_content()
    found = daemon.get(path)
    assert (found.status_code, found.headers["content-type"]) == (status, "text/plain; charset=utf-8")
    assert found.text.count("\n") == 1


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/feeds",
        "/feeds/all",
        "/feeds/all.atom",
        "/feeds.opml",
        "/style.css",
        "/feeds/none",
        "/none",
        "/feeds/gone",
    ],
)
@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_every_answer_forbids_what_pages_do_not_need(daemon: Daemon, path: str, method: str) -> None:
    found = httpx.request(method, daemon.site.url + path, trust_env=False, verify=False)
    assert found.headers["content-security-policy"].startswith("default-src 'none'; ")
    assert found.headers["x-content-type-options"] == "nosniff"
    assert found.headers["referrer-policy"] == "no-referrer"
    assert "server" not in found.headers
    assert len(found.headers.get_list("content-security-policy")) == 1


def test_a_304_and_a_redirect_carry_them_too(daemon: Daemon) -> None:
    for found in (
        daemon.get("/feeds/all.atom", If_None_Match="*"),
        daemon.get("/feeds/all.atom", Sec_Fetch_Dest="document"),
    ):
        assert found.status_code in {303, 304}
        assert "content-security-policy" in found.headers


@pytest.mark.parametrize("accept", ["*/*", "text/html"])
def test_nothing_can_be_written(daemon: Daemon, accept: str) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        found = httpx.request(
            method,
            f"{daemon.site.url}/feeds/all.atom",
            headers={"Accept": accept},
            trust_env=False,
            verify=False,
        )
        assert found.status_code == 405
        assert set(found.headers["allow"].replace(" ", "").split(",")) == {"GET", "HEAD"}


def test_requests_that_are_none(daemon: Daemon) -> None:
    for sent in (
        b"\x00\x01\x02\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 100_000,
    ):
        with socket.create_connection(("127.0.0.1", daemon.site.port)) as raw:
            raw.sendall(sent)
            raw.shutdown(socket.SHUT_WR)
            answer = b"".join(iter(lambda: raw.recv(65536), b""))
        assert b" 500 " not in answer.split(b"\r\n")[0]
    assert daemon.get("/feeds/all.atom").status_code == 200


def test_a_unix_socket(tmp_path: Path) -> None:
    path = tmp_path / "http.sock"
    server = f'listen = "unix:{path}"\nbase_url = "https://feeds.example.org/"'
    site = Site(tmp_path, server=server)
    site.seed("a.txt")
    stale = socket.socket(socket.AF_UNIX)
    stale.bind(os.fspath(path))
    stale.close()  # as a process that was killed leaves it
    with site.running(ready=False) as daemon:

        def listens() -> bool:
            assert daemon.process.poll() is None, daemon.log()
            with socket.socket(socket.AF_UNIX) as probe:
                return probe.connect_ex(os.fspath(path)) == 0

        until(listens)
        with httpx.Client(transport=httpx.HTTPTransport(uds=os.fspath(path))) as client:
            until(lambda: client.get("http://feedd/feeds/all.json").json()["items"])
            feed = client.get("http://feedd/feeds/all.json").json()
        assert feed["feed_url"] == "https://feeds.example.org/feeds/all.json"
