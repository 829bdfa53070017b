"""Feeds on the web, from the server to the listing: what is told, what is kept, what is asked of the server."""

import json
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from net import RSS, Net, item, rss
from webserver import Reply, Request, Wire

DATE = "Mon, 02 Mar 2026 10:00:00 GMT"
LATER = "Tue, 03 Mar 2026 10:00:00 GMT"


def test_entries_come_in_and_are_served(net: Net) -> None:
    more = (
        "<author>ann@example.org (Ann)</author><category>News</category><comments>https://example.org/c</comments>"
        "<enclosure url='https://example.org/a.mp3' type='audio/mpeg' length='1234'/>"
    )
    net.web.page(
        "/feed.xml", rss(item("one", date=DATE, guid="g1", more=more), item("two", date=DATE)), type=RSS
    )
    net.feed(settings='language = "en"')
    said = net.update()
    assert (said["status"], said["added"]) == ("ok", 2)
    (one,) = [each for each in net.entries() if each["title"] == "one"]
    assert one["url"] == "https://example.org/one"
    assert one["published"] == "2026-03-02T10:00:00Z"
    shown = net.shown(one["id"])
    assert shown["author"] == "Ann"
    assert shown["categories"] == ["News"]
    assert shown["enclosures"][0]["url"] == "https://example.org/a.mp3"
    assert (shown["enclosures"][0]["type"], shown["enclosures"][0]["length"]) == ("audio/mpeg", 1234)
    made = next(each for each in json.loads(net.body("a", "json"))["items"] if each["title"] == "one")
    assert made["authors"] == [{"name": "Ann"}]
    assert made["attachments"][0]["size_in_bytes"] == 1234
    assert '<link rel="enclosure" href="https://example.org/a.mp3"' in net.body("a", "atom")
    assert "<enclosure url=" in net.body("a", "rss")


def test_conditional_requests(net: Net) -> None:
    net.web.page("/feed.xml", rss(item("one")), type=RSS, etag=True, last_modified=DATE)
    net.feed()
    assert net.update()["added"] == 1
    assert net.update("a")["status"] == "unchanged"
    assert net.web.last("/feed.xml").headers["if-none-match"].startswith('"')
    assert net.web.last("/feed.xml").headers["if-modified-since"] == DATE
    net.feed(settings='rewrite = { title = "one", to = "1" }')
    assert net.update("a")["status"] == "ok"
    assert "if-none-match" not in net.web.last("/feed.xml").headers
    assert net.titles() == ["1"]
    assert net.kinds() == ["added"], "our own edits are nobody's news"


def test_the_same_document_again_is_not_read(net: Net) -> None:
    net.web.page("/feed.xml", rss(item("one")), type=RSS)
    net.feed()
    net.update()
    assert net.update("a")["status"] == "unchanged"
    assert net.update("a")["duplicates"] == 0


def test_an_edit_is_told_by_guid_and_by_link(net: Net) -> None:
    net.feed()
    net.web.page("/feed.xml", rss(item("one", guid="g", text="Old words.", date=DATE)), type=RSS)
    net.update()
    net.web.page("/feed.xml", rss(item("one", guid="g", text="New words.", date=DATE)), type=RSS)
    assert net.update("a")["silent_edited"] == 1
    # the link follows the headline, the guid stays
    net.web.page(
        "/feed.xml", rss(item("one-b", title="B", guid="g", text="New words.", date=LATER)), type=RSS
    )
    assert net.update("a")["edited"] == 1
    # the guid follows the headline, the link stays
    net.web.page(
        "/feed.xml", rss(item("one-b", title="C", guid="h", text="New words.", date=LATER)), type=RSS
    )
    assert net.update("a")["silent_edited"] == 1
    (entry,) = net.entries()
    assert (entry["title"], entry["url"]) == ("C", "https://example.org/one-b")
    assert entry["published"] == "2026-03-02T10:00:00Z"
    assert entry["updated"] > entry["published"]
    for address in ("https://example.org/one", "https://EXAMPLE.org/one-b#x"):
        assert net.shown(address)["id"] == entry["id"]
    assert net.kinds() == ["added", "silent-edit", "edited", "silent-edit"]


def test_items_that_share_what_should_tell_them_apart(net: Net) -> None:
    documents = {
        "/guid.xml": rss(item("one", guid="same"), item("two", guid="same")),
        "/link.xml": rss(item("x", title="one", guid="1"), item("x", title="two", guid="2")),
        "/none.xml": rss(
            "<title>three</title>", "<title>four</title>", "<description>No title</description>"
        ),
        "/all.xml": rss("<title>five</title><guid>g</guid>", "<title>six</title><guid>g</guid>"),
    }
    for path, body in documents.items():
        net.web.page(path, body, type=RSS)
    net.sources(
        "".join(f'[sources.by-{path[1:-4]}]\ntype = "feed"\nurl = "{{web}}{path}"\n' for path in documents)
    )
    assert [each["added"] for each in net.all()] == [2, 2, 3, 2]
    for path, body in documents.items():  # something else in each document, and all else as it was
        net.web.page(path, body.replace("A feed", "The feed"), type=RSS)
    again = net.all("by-guid", "by-link", "by-none", "by-all")
    assert [each["duplicates"] for each in again] == [2, 2, 3, 2]
    assert {kind for (kind,) in net.rows("SELECT kind FROM changes")} == {"added"}


def test_versions_of_one_item_in_one_document_are_told_once(net: Net) -> None:
    """A document that lists an item twice, each time with another text: the newer one is the version that is shown."""
    older, newer = (
        item("one", guid="g", text="Old.", date=DATE),
        item("one", guid="g", text="New.", date=LATER),
    )
    net.feed()
    for number in range(3):
        head = f"<description>{number}</description>"
        net.web.page("/feed.xml", rss(older, newer, head=head), type=RSS)
        net.update("a")
        net.web.page("/feed.xml", rss(newer, older, head=head), type=RSS)
        assert net.update("a")["duplicates"] == 2
    assert net.kinds() == ["added"]
    (entry,) = net.entries()
    assert (entry["revisions"], net.shown(entry["id"])["text"]) == (2, "New.")
    newest = item("one", guid="g", text="Newest.", date="Wed, 04 Mar 2026 10:00:00 GMT")
    net.web.page("/feed.xml", rss(older, newer, newest), type=RSS)
    assert net.update("a")["edited"] == 1
    assert net.kinds() == ["added", "edited"]


def test_times_that_can_not_be(net: Net) -> None:
    now = datetime.now(UTC)
    items = (
        item("1970", date="Thu, 01 Jan 1970 00:00:00 GMT"),
        item("2041", date="Tue, 01 Jan 2041 00:00:00 GMT"),
        item("none"),
    )
    net.web.page("/feed.xml", rss(*items), type=RSS)
    net.feed()
    net.update()
    entries = net.entries()
    assert [each["title"] for each in entries] == ["1970", "2041", "none"], (
        "undated ones in the document's order"
    )
    for each in entries:
        assert each["date_guessed"]
        published = datetime.fromisoformat(each["published"])
        assert abs(published - now) < timedelta(minutes=2)
    net.web.page("/feed.xml", rss(*items, head="<description>x</description>"), type=RSS)
    net.update("a")
    assert [each["published"] for each in net.entries()] == [each["published"] for each in entries]


def test_a_feed_that_dates_everything_anew_tells_nobody(net: Net) -> None:
    net.feed()
    for day in range(1, 5):
        dated = f"Mon, 0{day} Mar 2026 10:00:00 GMT"
        net.web.page("/feed.xml", rss(item("one", date=dated), item("two", date=dated)), type=RSS)
        net.update("a")
    assert net.kinds() == ["added", "added"]
    assert {each["published"] for each in net.entries()} == {"2026-03-01T10:00:00Z"}
    assert [each["revisions"] for each in net.entries()] == [1, 1]


def test_what_scrolled_off_stays(net: Net) -> None:
    net.feed()
    net.web.page("/feed.xml", rss(item("one"), item("two")), type=RSS)
    net.update()
    net.web.page("/feed.xml", rss(item("three"), item("two")), type=RSS)
    assert net.update("a")["added"] == 1
    net.web.page("/feed.xml", rss(), type=RSS)
    said = net.update("a")
    assert (said["status"], said["removed"]) == ("unchanged", 0)
    assert "holds nothing any more" in said["note"]
    assert "3 entries" in net.source()["note"]
    assert len(net.titles()) == 3
    net.web.page("/feed.xml", rss(item("three")), type=RSS)
    assert net.update("a")["note"] is None


def test_an_article_of_two_feeds_is_one_entry(net: Net) -> None:
    net.web.page("/a.xml", rss(item("one", guid="a1", text="The short one.")), type=RSS)
    net.web.page("/b.xml", rss(item("one", guid="b1", text="The long one, with more words.")), type=RSS)
    net.sources(
        '[sources.a]\ntype = "feed"\nurl = "{web}/a.xml"\n[sources.b]\ntype = "feed"\nurl = "{web}/b.xml"\n'
    )
    for _ in range(3):
        net.all("a")
        net.all("b")
    (entry,) = net.entries()
    assert entry["sources"] == ["a", "b"]
    assert net.kinds() == ["added"]


@pytest.mark.parametrize(
    ("body", "type_", "words"),
    [
        ("<html><link rel=alternate type=application/rss+xml href=/real.xml><p>Hi", "text/html", "/real.xml"),
        ("<html><title>Service unavailable</title><p>Sorry</p></html>", "text/html", "HTML page"),
        ("", RSS, "empty"),
        ("\x00\x01\x02 binary", "application/octet-stream", "no feed"),
        ('{"a": 1}', "application/json", "JSON"),
    ],
)
def test_what_is_no_feed(net: Net, body: str, type_: str, words: str) -> None:
    net.web.page("/feed.xml", rss(item("one")), type=RSS)
    net.feed()
    net.update()
    net.web.page("/feed.xml", body, type=type_)
    said = net.update("a")
    assert said["status"] == "failed"
    assert words in said["error"]
    assert net.titles() == ["one"]
    assert net.source()["failures"] == 1


def test_retry_after_is_honoured(net: Net) -> None:
    net.web.page("/feed.xml", "later", status=429, headers={"Retry-After": "7200"})
    net.feed()
    said = net.update()
    wait = datetime.fromisoformat(said["next_check"]) - datetime.now(UTC)
    assert timedelta(minutes=115) < wait <= timedelta(minutes=121)
    net.web.page("/feed.xml", rss(item("one")), type=RSS)
    assert net.update("a")["added"] == 0
    assert net.web.count("/feed.xml") == 1, "not even by name is it asked before that"
    assert "asked to be left alone" in net.source()["next_check_because"]


def test_retry_after_of_a_year_is_thirty_days(net: Net) -> None:
    at = format_datetime(datetime.now(UTC) + timedelta(days=365), usegmt=True)
    net.web.page("/feed.xml", "later", status=503, headers={"Retry-After": at})
    net.feed()
    wait = datetime.fromisoformat(net.update()["next_check"]) - datetime.now(UTC)
    assert timedelta(days=29) < wait <= timedelta(days=30)


def test_retry_after_for_the_host(net: Net) -> None:
    net.web.page("/a.xml", "later", status=429, headers={"Retry-After": "600"})
    net.web.page("/b.xml", rss(item("one")), type=RSS)
    net.sources(
        '[sources.a]\ntype = "feed"\nurl = "{web}/a.xml"\nrate_limit_scope = "host"\n'
        '[sources.b]\ntype = "feed"\nurl = "{web}/b.xml"\n'
    )
    net.all("a")
    (said,) = net.all("b")
    assert (said["status"], net.web.count("/b.xml")) == ("unchanged", 0)


def test_gone_pauses(net: Net) -> None:
    net.web.page("/feed.xml", rss(item("one")), type=RSS)
    net.feed()
    net.update()
    net.web.gone("/feed.xml")
    said = net.update("a")
    assert "410" in said["error"]
    assert "paused" in net.kinds()[-1]
    source = net.source()
    assert (source["next_check"], "410" in source["next_check_because"]) == (None, True)
    (left,) = net.all()
    assert left["status"] == "unchanged"
    assert net.web.count("/feed.xml") == 2
    net.web.page("/feed.xml", rss(item("one"), item("two")), type=RSS)
    assert net.update("a")["added"] == 1
    assert net.source()["next_check"] is not None
    assert net.kinds()[-1] == "source-recovered"


def test_failures_back_off_and_are_told_once(net: Net) -> None:
    net.web.page("/feed.xml", rss(item("one")), type=RSS)
    net.feed(settings='every = "10m"')
    net.update()
    net.web.page("/feed.xml", "broken", status=500)
    waits = []
    for _ in range(5):
        said = net.update("a")
        waits.append((datetime.fromisoformat(said["next_check"]) - datetime.now(UTC)).total_seconds() / 60)
    assert 7 <= waits[0] <= 10.1
    assert waits == sorted(waits)
    assert 100 <= waits[4] <= 161
    assert net.kinds() == ["added", "source-failing"]
    (incident,) = net.document("health").entries
    assert incident.title == "a is failing"
    assert "500" in incident.content_html
    net.web.page("/feed.xml", rss(item("one")), type=RSS)
    net.update("a")
    (after,) = net.document("health").entries
    assert (after.uid, after.title) == (incident.uid, "a has recovered")
    assert net.kinds() == ["added", "source-failing", "source-recovered"]


def test_next_look_is_what_all_agree_on(net: Net) -> None:
    def hours() -> float:
        source = net.source()
        return (datetime.fromisoformat(source["next_check"]) - datetime.now(UTC)).total_seconds() / 3600

    net.web.page("/feed.xml", rss(item("one"), head="<ttl>240</ttl>"), type=RSS)
    net.feed(settings='every = "1h"')
    net.update()
    assert 3.9 < hours() < 4.1
    assert "ttl" in net.source()["next_check_because"]
    net.web.page("/feed.xml", rss(item("one")), type=RSS, headers={"Cache-Control": "max-age=21600"})
    net.update("a")
    assert 5.9 < hours() < 6.1
    net.feed(settings='every = "1h"\nmax_interval = "2h"')
    net.update("a")
    assert 1.9 < hours() < 2.1


def test_a_304_brings_new_freshness(net: Net) -> None:
    net.web.page("/feed.xml", rss(item("one")), type=RSS, headers={"ETag": '"v1"'})
    net.feed()
    net.update()

    def fresh(request: Request) -> Reply:
        assert request.headers["if-none-match"] == '"v1"'
        return Reply(status=304, headers={"Cache-Control": "max-age=36000", "ETag": '"v1"'})

    net.web.script("/feed.xml", fresh)
    wait = datetime.fromisoformat(net.update("a")["next_check"]) - datetime.now(UTC)
    assert wait > timedelta(hours=9)


def test_a_304_that_nobody_asked_for(net: Net) -> None:
    net.web.page("/feed.xml", status=304)
    net.feed()
    assert "set no condition" in net.update()["error"]


def test_a_permanent_redirect_becomes_the_address(net: Net) -> None:
    net.web.redirect("/old.xml", "/new.xml", 301)
    net.web.page("/new.xml", rss(item("one")), type=RSS)
    net.feed("/old.xml")
    for _ in range(3):
        net.update("a")
    assert net.source()["address"] is None, "three times, but not over a day"
    import sqlite3

    with sqlite3.connect(net.database) as db:
        db.execute("UPDATE sources SET moving_since = moving_since - 86400001")
    db.close()
    net.update("a")
    source = net.source()
    assert source["address"] == f"{net.web.url}/new.xml"
    assert "source-moved" in net.kinds()
    before = net.web.count("/old.xml")
    net.update("a")
    assert net.web.count("/old.xml") == before
    net.feed("/other.xml")
    net.web.page("/other.xml", rss(item("two")), type=RSS)
    assert net.update("a")["added"] == 1, "another address in the configuration counts"


def test_servers_that_hang_harm_nobody_else(net: Net) -> None:
    def hang(wire: Wire) -> None:
        wire.hang()

    def half(wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n")
        wire.hang()

    def drip(wire: Wire) -> None:
        wire.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\n\r\n<rss>")
        wire.drip(b" " * 1_000, 0.1)

    net.web.raw("/hang.xml", hang)
    net.web.raw("/half.xml", half)
    net.web.raw("/drip.xml", drip)
    net.web.redirect("/loop.xml", "/loop.xml")
    net.web.redirect("/file.xml", "file:///etc/passwd")
    net.web.page("/good.xml", rss(item("one")), type=RSS)
    bad = ("hang", "half", "drip", "loop", "file")
    net.sources(
        "".join(
            f'[sources.{name}]\ntype = "feed"\nurl = "{{web}}/{name}.xml"\ntimeout = "1s"\n'
            for name in (*bad, "good")
        ),
        '[fetch]\nallow_private = true\nhost_interval = "0s"\nper_host = 10\n',
    )
    begun = time.monotonic()
    by_name = {each["name"]: each for each in net.all()}
    assert time.monotonic() - begun < 8
    assert by_name["good"]["added"] == 1
    for name in bad:
        assert by_name[name]["status"] == "failed", name
        assert by_name[name]["error"]
    assert "passwd" not in "".join(net.titles())


def test_private_addresses_are_refused(net: Net) -> None:
    net.web.page("/feed.xml", rss(item("one")), type=RSS)
    net.sources('[sources.a]\ntype = "feed"\nurl = "{web}/feed.xml"\n', fetch="")
    said = net.update()
    assert "allow_private" in said["error"]
    assert net.web.requests == []


def test_secrets_are_never_shown(net: Net) -> None:
    net.web.page("/feed.xml", "no", status=401)
    (net.root / "token").write_text("s3cr3t-token\n")
    net.feed(settings='auth = { bearer = "file:token" }\nheaders = { X-Key = "s3cr3t-key" }')
    done = net.feedd("update", status=1)
    assert net.web.last("/feed.xml").headers["authorization"] == "Bearer s3cr3t-token"
    assert net.web.last("/feed.xml").headers["x-key"] == "s3cr3t-key"
    shown = done.stdout + done.stderr + net.feedd("sources", "--json").stdout
    assert "s3cr3t" not in shown
    assert "s3cr3t" not in net.database.read_bytes().decode("latin-1")


def test_who_asks_is_said(net: Net) -> None:
    net.web.page("/feed.xml", rss(item("one")), type=RSS)
    net.feed()
    net.update()
    agent = net.web.last("/feed.xml").headers["user-agent"]
    assert agent.startswith("feedd/")
    assert "http" in agent


def test_match_and_reject(net: Net) -> None:
    net.web.page("/feed.xml", rss(item("keep"), item("drop"), item("keep-sports")), type=RSS)
    net.feed(settings='match = { title = "keep" }\nreject = { url = "sports" }')
    said = net.update()
    assert said["added"] == 1
    assert [each["reason"].partition(" ")[0] for each in said["rejected"]] == ["left", "left"]
    assert net.titles() == ["keep"]


def test_evidence_is_kept(net: Net) -> None:
    from hashlib import sha256

    from feedd.store.pack import unpack_bytes

    body = rss(item("one"), item("two"))
    net.web.page("/feed.xml", body, type=RSS, headers={"X-Proof": "yes", "Set-Cookie": "secret=1"})
    net.feed(settings="keep_raw = true")
    net.update()
    ((url, status, headers, digest, packed),) = net.rows(
        "SELECT url, status, headers, sha256, body FROM raws"
    )
    assert (url, status) == (f"{net.web.url}/feed.xml", 200)
    assert "X-Proof".lower() in headers
    assert "secret" not in headers
    assert unpack_bytes(packed) == body.encode()
    assert digest == sha256(body.encode()).digest()
    assert net.rows("SELECT DISTINCT raw_id FROM revisions") == [(1,)]
