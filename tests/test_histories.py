"""What happened to sources over several looks, and must come out right: identities, settings, servers, articles."""

import sqlite3
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

from net import RSS, Net, item, rss
from webserver import Reply, Request, Web

DATE = "Mon, 02 Mar 2026 10:00:00 GMT"
WORDS = "<p>The whole article {0}, with many more words than its summary has, so that a reader finds it.</p>"
PAGE = (
    "<html><head><title>{0}</title></head><body><article><h1>{0}</h1>"
    + WORDS * 6
    + "</article></body></html>"
)


def put(net: Net, *items: str, head: str = "", path: str = "/feed.xml", **more: object) -> None:
    net.web.page(path, rss(*items, head=head), type=RSS, **more)  # type: ignore[arg-type]


def local(net: Net, number: int, text: str = "Some words.", date: str = "") -> str:
    """An item whose article lies on the loopback web."""
    dated = f"<pubDate>{date}</pubDate>" if date else ""
    link = f"<link>{net.web.url}/p/{number}</link><guid isPermaLink='false'>g{number}</guid>"
    return f"<title>{number}</title>{link}{dated}<description>{text}</description>"


def test_items_of_one_title_without_guid_and_link(net: Net) -> None:
    net.feed()
    put(
        net,
        *[
            f"<title>Update</title><description>Text {n}</description><pubDate>Mon, 0{n} Mar 2026 10:00:00 GMT</pubDate>"
            for n in (3, 2, 1)
        ],
    )
    assert net.update()["added"] == 3


def test_a_guid_that_all_items_bear_first_seen_alone(net: Net) -> None:
    net.feed()
    put(net, item("one", guid="same"))
    net.update()
    put(net, item("two", guid="same"))
    net.update("a")
    put(net, item("three", guid="same"), item("two", guid="same"), item("one", guid="same"))
    net.update("a")
    assert sorted(net.titles()) == ["one", "three", "two"]


def test_an_article_of_another_host_stalls_nothing(net: Net) -> None:
    with Web(host="127.0.0.2") as other:
        other.page("/p", "slow", status=429, headers={"Retry-After": "2000000"})
        for n in range(3):
            net.web.page(f"/p/{n}", PAGE.format(n))
        put(
            net,
            f"<title>x</title><link>{other.url}/p</link><description>d</description>",
            *[local(net, n) for n in range(3)],
        )
        net.feed(settings="full_text = true")
        net.update()
        assert len(net.titles()) == 4
        assert datetime.fromisoformat(net.source()["next_check"]) < datetime.now(UTC) + timedelta(days=1)


def test_full_text_switched_on_with_more_items_than_one_look_reads(net: Net) -> None:
    for n in range(8):
        net.web.page(f"/p/{n}", PAGE.format(n))
    put(net, *[local(net, n) for n in range(8)])
    net.feed()
    net.update()
    net.feed(settings="full_text = true\nmax_articles = 5")
    net.update("a")
    net.update("a")
    assert set(net.kinds()) == {"added"}


def test_full_text_switched_on_and_an_article_that_comes_late(net: Net) -> None:
    put(net, local(net, 1))
    net.feed()
    net.update()
    net.web.page("/p/1", "oops", status=500)
    net.feed(settings="full_text = true")
    net.update("a")
    net.web.page("/p/1", PAGE.format(1))
    net.update("a")
    assert net.kinds() == ["added"]


def test_changed_settings_and_an_item_that_is_absent_that_day(net: Net) -> None:
    both = item("one", guid="1", text="one AD"), item("two", guid="2", text="two AD")
    put(net, *both)
    net.feed()
    net.update()
    net.feed(settings='ignore = [" AD"]')
    put(net, both[0])
    net.update("a")
    put(net, *both)
    net.update("a")
    assert net.kinds() == ["added", "added"]


def test_a_first_pass_in_parts_is_silent(net: Net) -> None:
    for n in range(8):
        net.web.page(f"/p/{n}", PAGE.format(n))
    put(net, *[local(net, n, date=DATE) for n in range(8)])
    net.feed(settings="full_text = true\nmax_articles = 5")
    net.update()
    net.update("a")
    assert {silent for (silent,) in net.rows("SELECT silent FROM changes")} == {1}


def test_a_first_pass_over_a_sitemap_in_parts_is_silent(net: Net) -> None:
    for n in range(8):
        net.web.page(f"/p/{n}", PAGE.format(n))
    net.web.page(
        "/s.xml",
        "<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>"
        + "".join(f"<url><loc>{net.web.url}/p/{n}</loc></url>" for n in range(8))
        + "</urlset>",
        type="application/xml",
    )
    net.sources('[sources.a]\ntype="sitemap"\nurl="{web}/s.xml"\ncontent="auto"\nmax_articles=3\n')
    for _ in range(3):
        net.update("a")
    assert len(net.kinds()) == 8
    assert {silent for (silent,) in net.rows("SELECT silent FROM changes")} == {1}


def test_a_corrected_address_is_our_own_edit(net: Net) -> None:
    put(net, *[item(f"n{n}", guid=f"{n}", text="summary", date=DATE) for n in range(4)])
    put(
        net,
        *[item(f"n{n}", guid=f"{n}", text="the whole long text of it", date=DATE) for n in range(4)],
        path="/full.xml",
    )
    net.feed()
    net.update()
    net.feed("/full.xml")
    net.update("a")
    assert set(net.kinds()) == {"added"}


def test_credentials_stay_with_the_sources_own_host(net: Net) -> None:
    with Web(host="127.0.0.2") as other:
        other.page("/p", PAGE.format("x"))
        put(net, f"<title>x</title><link>{other.url}/p</link><description>d</description>")
        net.feed(settings='full_text = true\nauth = { bearer = "s3cr3t" }\ncookies = { sid = "c00kie" }')
        net.update()
        assert "s3cr3t" not in str([r.headers for r in other.requests])


def test_credentials_stay_behind_when_a_source_moves(net: Net) -> None:
    with Web(host="127.0.0.2") as other:
        other.page("/new.xml", rss(item("one")), type=RSS)
        net.web.redirect("/feed.xml", other.url + "/new.xml", 301)
        net.feed(settings='auth = { bearer = "s3cr3t" }')
        for _ in range(3):
            net.update("a")
        with sqlite3.connect(net.database) as db:
            db.execute("UPDATE sources SET moving_since = moving_since - 86400001")
        db.close()
        net.update("a")
        net.update("a")
        assert [r.headers.get("authorization") for r in other.requests] == [None] * 5


def test_headline_and_guid_that_go_back(net: Net) -> None:
    net.feed()
    for letter in "aba":
        put(net, item("one", title=letter.upper(), guid=letter))
        net.update("a")
    assert net.titles() == ["A"]
    assert net.kinds() == ["added", "edited", "reverted"]


def test_a_renamed_source_shows_what_is_current(net: Net) -> None:
    put(net, item("one", guid="1"))
    net.feed()
    net.update()
    net.sources('[sources.b]\ntype="feed"\nurl="{web}/feed.xml"\n')
    net.update()
    put(net, item("one", guid="1", text="Corrected words."))
    net.update("b")
    assert "Corrected" in net.document("all").entries[0].content_html


def test_a_first_pass_is_ordered_by_publication(net: Net) -> None:
    def entry(name: str, published: str, updated: str) -> str:
        return f"<entry><id>urn:x:{name}</id><title>{name}</title><link href='https://example.org/{name}'/><published>{published}T00:00:00Z</published><updated>{updated}T00:00:00Z</updated><summary>s</summary></entry>"

    net.web.page(
        "/feed.xml",
        "<feed xmlns='http://www.w3.org/2005/Atom'><title>t</title>"
        + entry("old", "2020-01-01", "2026-03-01")
        + entry("new", "2026-02-01", "2026-02-01")
        + "</feed>",
        type="application/atom+xml",
    )
    net.feed()
    net.update()
    assert [each.title for each in net.document("a").entries] == ["new", "old"]


def test_who_asked_for_rest_is_not_the_new_server(net: Net) -> None:
    net.web.page("/feed.xml", "later", status=429, headers={"Retry-After": "86400"})
    net.feed()
    net.update()
    with Web(host="127.0.0.2") as other:
        other.page("/feed.xml", rss(item("one")), type=RSS)
        net.sources(f'[sources.a]\ntype = "feed"\nurl = "{other.url}/feed.xml"\n')
        assert net.update("a")["added"] == 1


def test_rest_is_for_the_host_that_asked(net: Net) -> None:
    with Web(host="127.0.0.2") as other:
        other.page("/x", "slow", status=429, headers={"Retry-After": "2000"})
        net.web.redirect("/feed.xml", other.url + "/x", 302)
        net.feed(settings='rate_limit_scope = "host"')
        net.update()
        assert [scope for scope, _ in net.rows("SELECT scope, until FROM holds")] == ["host:127.0.0.2"]


def test_articles_rest_on_any_status(net: Net) -> None:
    for n in range(6):
        net.web.page(f"/p/{n}", "slow down", status=403, headers={"Retry-After": "86400"})
    put(net, *[local(net, n) for n in range(6)])
    net.feed(settings="full_text = true")
    net.update()
    assert sum(net.web.count(f"/p/{n}") for n in range(6)) == 1


def test_articles_rest_after_too_many_requests(net: Net) -> None:
    for n in range(6):
        net.web.page(f"/p/{n}", "slow down", status=429)
    put(net, *[local(net, n) for n in range(6)])
    net.feed(settings="full_text = true")
    net.update()
    assert sum(net.web.count(f"/p/{n}") for n in range(6)) == 1


def test_an_article_that_is_gone_costs_no_conditional_request(net: Net) -> None:
    net.web.page("/p/0", PAGE.format(0))
    put(net, local(net, 0), local(net, 1), etag=True)
    net.feed(settings="full_text = true")
    net.update()
    for _ in range(3):
        net.update("a")
    assert "if-none-match" in net.web.last("/feed.xml").headers


def test_what_rules_leave_out_is_not_fetched(net: Net) -> None:
    for n in range(3):
        net.web.page(f"/p/{n}", PAGE.format(n))
    net.feed(settings='full_text = true\nreject = { title = "1" }')
    for k in range(4):
        put(net, *[local(net, n) for n in range(3)], head=f"<description>{k}</description>")
        net.update("a")
    assert net.web.count("/p/1") == 0


def test_a_watched_page_that_is_gone_is_removed(net: Net) -> None:
    net.web.page("/w", "<p>Hello there</p>")
    net.sources('[sources.a]\ntype = "watch"\nurl = "{web}/w"\n')
    net.update()
    net.web.missing("/w")
    net.update("a")
    net.update("a")
    assert "removed" in net.kinds()


def test_the_incident_of_a_source_that_is_no_more(net: Net) -> None:
    net.feed(settings="failing_after = 1")
    net.update()
    net.sources('[sources.b]\ntype = "feed"\nurl = "{web}/b.xml"\n')
    net.update()
    assert [each.title for each in net.document("health").entries] != ["a is failing"]


def test_auto_is_not_always_due(net: Net) -> None:
    now = datetime.now(UTC)
    put(net, *[item(f"x{k}", date=format_datetime(now - timedelta(minutes=11 * k))) for k in range(40)])
    net.feed(settings='every="auto"')
    net.update()
    net.update()
    net.update()
    assert net.web.count("/feed.xml") == 1


def test_a_304_of_another_document(net: Net) -> None:
    put(net, item("one"), headers={"ETag": '"v1"'})
    net.feed()
    net.update()

    def answer(request: Request) -> Reply:
        if request.headers.get("if-none-match"):
            return Reply(status=304, headers={"ETag": '"v2"'})
        return Reply(rss(item("one"), item("two")), type=RSS, headers={"ETag": '"v2"'})

    net.web.script("/feed.xml", answer)
    net.update("a")
    net.update("a")
    assert len(net.titles()) == 2


def it(number: int, path: str, guid: str | None = None) -> str:
    bears = f"<guid isPermaLink='false'>{guid or f'g{number}'}</guid>"
    return f"<title>t{number}</title><link>https://example.org/{path}</link>{bears}<description>d{number}</description>"


def test_a_watched_page_that_comes_back_as_it_was(net: Net) -> None:
    net.web.page("/w", "<p>Hello there</p>", etag=True)
    net.sources('[sources.a]\ntype = "watch"\nurl = "{web}/w"\n')
    net.update()
    net.web.missing("/w")
    net.update("a")
    net.update("a")
    assert net.titles() == []
    net.web.page("/w", "<p>Hello there</p>", etag=True)
    net.update("a")
    assert len(net.titles()) == 1
    assert net.kinds() == ["added", "removed", "restored"]


def test_edits_of_a_feeds_own_text_where_articles_can_not_be_had(net: Net) -> None:
    net.web.page("/p/1", "pay", status=403)
    put(net, local(net, 1, "Ten died."))
    net.feed(settings="full_text = true")
    net.update()
    put(net, local(net, 1, "Nobody died."))
    net.update("a")
    assert net.kinds() == ["added", "edited"]


def test_one_items_link_taken_over_by_the_next(net: Net) -> None:
    net.feed()
    put(net, it(1, "live"))
    net.update()
    put(net, it(2, "live"), it(1, "archive/1"))
    net.update("a")
    assert sorted(net.titles()) == ["t1", "t2"]
    put(net, it(3, "live"), it(2, "archive/2"), it(1, "archive/1"))
    net.update("a")
    assert sorted(net.titles()) == ["t1", "t2", "t3"]
    assert set(net.kinds()) == {"added"}


def test_one_article_that_never_answers_keeps_no_other_back(net: Net) -> None:
    net.web.page("/p/0", "busy", status=503)
    for number in range(1, 5):
        net.web.page(f"/p/{number}", PAGE.format(number))
    put(net, *[local(net, number) for number in range(5)])
    net.feed(settings="full_text = true")
    for _ in range(2):
        net.update("a")
    assert len(net.titles()) == 5
    assert "whole article" in net.shown(f"{net.web.url}/p/4")["text"]


def sitemap(net: Net, *paths: str) -> str:
    urls = "".join(f"<url><loc>{net.web.url}{path}</loc></url>" for path in paths)
    return f"<urlset xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{urls}</urlset>"


def test_what_rules_leave_out_is_read_once(net: Net) -> None:
    for number in range(6):
        net.web.page(f"/p/{number}", PAGE.format(f"ADVERT {number}" if number < 3 else number))
    net.web.page("/s.xml", sitemap(net, *(f"/p/{number}" for number in range(6))), type="application/xml")
    net.sources(
        '[sources.a]\ntype = "sitemap"\nurl = "{web}/s.xml"\ncontent = "auto"\nmax_articles = 3\n'
        'reject = { title = "ADVERT" }\n'
    )
    for _ in range(4):
        net.update("a")
    assert len(net.titles()) == 3
    assert [net.web.count(f"/p/{number}") for number in range(6)] == [1] * 6


def test_a_part_that_is_gone_costs_itself_alone(net: Net) -> None:
    parts = "".join(f"<sitemap><loc>{net.web.url}/{number}.xml</loc></sitemap>" for number in (1, 2))
    index = f"<sitemapindex xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>{parts}</sitemapindex>"
    net.web.page("/s.xml", index, type="application/xml")
    net.web.gone("/1.xml")
    net.web.page("/2.xml", sitemap(net, "/x"), type="application/xml")
    net.sources('[sources.a]\ntype = "sitemap"\nurl = "{web}/s.xml"\n')
    said = net.update("a")
    assert (said["status"], said["added"], len(said["rejected"])) == ("ok", 1, 1)


def test_items_of_one_title_one_after_the_other(net: Net) -> None:
    def same(number: int) -> str:
        date = f"<pubDate>Mon, 0{number} Mar 2026 10:00:00 GMT</pubDate>"
        return f"<title>Same</title><description>d{number}</description>{date}"

    net.feed()
    for some in ([1], [2, 1], [3, 2, 1], [3, 2], [3], [4]):
        put(net, *map(same, some))
        net.update("a")
    assert net.kinds() == ["added"] * 4
    assert len(net.titles()) == 4


def test_a_link_that_several_items_bore_tells_nothing_apart(net: Net) -> None:
    net.feed()
    for some in ([2, 1], [3], [4]):
        put(net, *(it(number, "") for number in some))
        net.update("a")
    assert sorted(net.titles()) == ["t1", "t2", "t3", "t4"]


def test_a_guid_that_several_items_bore_tells_nothing_apart(net: Net) -> None:
    net.feed(settings='reject = { title = "skip" }')
    put(net, it(1, "1", "same"), it(2, "2", "same"))
    net.update()
    put(net, "<title>skip</title><guid isPermaLink='false'>same</guid>")
    net.update("a")
    for number in (3, 4):
        put(net, it(number, str(number), "same"))
        net.update("a")
    assert sorted(net.titles()) == ["t1", "t2", "t3", "t4"]


def test_a_summary_that_stood_in_under_other_settings(net: Net) -> None:
    put(net, local(net, 1))
    net.web.page("/p/1", "oops", status=500)
    net.feed(settings="full_text = true")
    net.update()
    net.feed(settings='full_text = true\nignore = [" ADVERT"]')
    net.update("a")
    net.web.page("/p/1", PAGE.format(1))
    net.update("a")
    assert net.kinds() == ["added"]


def test_rest_that_an_article_asks_for_is_its_hosts(net: Net) -> None:
    with Web(host="127.0.0.2") as other:
        other.page("/p/1", "slow", status=429, headers={"Retry-After": "86400"})
        other.page("/b.xml", rss(item("b")), type=RSS)
        put(net, f"<title>x</title><link>{other.url}/p/1</link><description>d</description>")
        net.sources(
            '[sources.a]\ntype = "feed"\nurl = "{web}/feed.xml"\nfull_text = true\nrate_limit_scope = "host"\n'
            f'[sources.b]\ntype = "feed"\nurl = "{other.url}/b.xml"\n'
        )
        net.update("a")
        net.update("b")
        assert other.count("/b.xml") == 0


def test_a_link_that_moves_alone_is_served(net: Net) -> None:
    net.feed()
    for path in "aba":
        put(net, it(1, path))
        net.update("a")
        (entry,) = net.entries()
        assert entry["url"].endswith(f"/{path}")
    assert net.kinds() == ["added"]


def test_a_redirect_that_asks_for_rest(net: Net) -> None:
    net.web.page("/new.xml", rss(item("one")), type=RSS)
    headers = {"Location": "/new.xml", "Retry-After": "86400"}
    net.web.page("/feed.xml", status=302, headers=headers)
    net.feed()
    assert net.update()["added"] == 1
    net.update("a")
    assert net.web.count("/feed.xml") == 1
