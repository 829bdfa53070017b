"""Articles' own pages are looked at again: when, what counts as an edit, and what it costs the servers."""

import json
import sqlite3
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest
from net import RSS, Net, rss
from running import until
from webserver import Reply, Request

from feedd import recheck
from feedd.looks import now_ms
from feedd.recheck import MINUTE_MS

DAY, WEEK = 24 * 60, 7 * 24 * 60  # in minutes
# the document is due long after its articles
PLAIN = 'every = "30d"\nfull_text = true\n'
RECHECKED = 'every = "30d"\nrecheck = true\n'
WORDS = " ".join(["The quick brown fox jumps over the lazy dog, and then it rests in the sun."] * 8)


def days_ago(days: float) -> str:
    return format_datetime(datetime.now(UTC) - timedelta(days=days))


def article(text: str, title: str = "One", modified: str = "") -> str:
    said = f'<meta property="article:modified_time" content="{modified}">' if modified else ""
    return (
        f"<html><head><title>{title}</title>{said}</head><body><article><h1>{title}</h1><p>{text}</p><p>{WORDS}</p>"
        "</article></body></html>"
    )


def listed(net: Net, *names: str, title: str = "", more: str = "", date: str = "") -> str:
    """A feed with these articles, published an hour ago unless another date is given."""
    date = date or days_ago(1 / 24)
    return rss(
        *(
            f"<title>{title or name}</title><link>{net.web.url}/{name}</link><pubDate>{date}</pubDate>"
            f"<description>Short.</description>{more}"
            for name in names
        )
    )


def begin(net: Net, *names: str, settings: str = "", **said: str) -> None:
    """A feed source with these articles, read once."""
    net.web.page("/feed.xml", listed(net, *names, **said), type=RSS)
    for name in names:
        if not net.web.count(f"/{name}"):
            net.web.page(f"/{name}", article("The whole story."))
    net.feed(settings=f"{RECHECKED}{settings}")
    assert net.update()["error"] is None


def change(net: Net, statement: str, *values: object) -> None:
    net.close()
    with sqlite3.connect(net.database) as connection:
        connection.execute(statement, values)
    connection.close()


def pass_time(net: Net) -> None:
    """As if what is to be looked at next were due: the articles, and with them the source, not its document."""
    now = now_ms()
    change(net, "UPDATE locations SET recheck_at = ? WHERE recheck_at IS NOT NULL", now - 1000)
    change(net, "UPDATE sources SET next_check = ? WHERE next_check_because = ?", now - 500, recheck.DUE)


def again(net: Net) -> dict[str, Any]:
    """A look when rechecks are due."""
    pass_time(net)
    return net.update()


def asked(net: Net) -> int:
    """How many requests for articles are in."""
    return sum(request.path not in {"/robots.txt", "/feed.xml"} for request in net.web.requests)


def waits(net: Net) -> list[float | None]:
    """Minutes until each article is looked at again."""
    rows = net.rows("SELECT recheck_at FROM locations WHERE recheck IS NOT NULL ORDER BY path")
    return [None if at is None else round((at - now_ms()) / MINUTE_MS, 1) for (at,) in rows]


def test_an_edit_of_a_page_whose_feed_stands_still_is_found(net: Net) -> None:
    begin(net, "one", "two")
    assert waits(net) == [15, 15]
    assert net.source()["next_check_because"] == recheck.DUE
    before = net.web.count("/feed.xml")
    said = again(net)
    assert (said["status"], said["duplicates"], said["added"]) == ("ok", 2, 0)
    assert waits(net) == [30, 30]
    net.web.page("/one", article("Quite another story."))
    said = again(net)
    assert (said["silent_edited"], said["duplicates"], said["rejected"]) == (1, 1, [])
    assert waits(net) == [15, 120]
    assert net.web.count("/feed.xml") == before, "the document is not asked for"
    assert "Quite another story." in net.shown(f"{net.web.url}/one")["text"]
    assert net.kinds() == ["added", "added", "silent-edit"]


def test_a_front_page_in_place_of_an_article_is_no_edit(net: Net) -> None:
    begin(net, "one")
    net.web.page("/", article("Today's news.", title="The Paper"))
    net.web.redirect("/one", "/")
    said = again(net)
    assert (said["silent_edited"], said["edited"]) == (0, 0)
    assert "leads to the front page" in said["rejected"][0]["reason"]
    assert "The whole story." in net.shown(f"{net.web.url}/one")["text"]
    assert net.kinds() == ["added"]


def test_it_retires_and_begins_anew_with_an_edit(net: Net) -> None:
    begin(net, "one")
    for wait in (30, 120, DAY, WEEK, None):
        again(net)
        assert waits(net) == [wait]
    assert net.source()["next_check_because"] == "every 30d"
    net.web.page("/feed.xml", listed(net, "one", more="<category>x</category>"), type=RSS)
    net.web.page("/one", article("Quite another story."))
    said = net.update("a")
    assert said["edited"] + said["silent_edited"] == 1
    assert waits(net) == [15]


def test_the_document_keeps_its_own_time(net: Net) -> None:
    begin(net, "one")
    (own,) = net.rows("SELECT value FROM meta WHERE key LIKE 'document-check:%'")
    sources = "SELECT etag, last_modified, body_hash, freshness, interval, last_checked FROM sources"
    before = net.rows(sources)
    for _ in range(3):
        again(net)
    assert net.rows("SELECT value FROM meta WHERE key LIKE 'document-check:%'") == [own]
    assert net.rows(sources) == before
    assert net.web.count("/feed.xml") == 1
    for _ in range(4):
        again(net)
    ((at_ms, because),) = net.rows("SELECT next_check, next_check_because FROM sources")
    assert [at_ms, because] == json.loads(own[0]), "it returns when no article is due before"
    assert net.rows("SELECT value FROM meta WHERE key LIKE 'document-check:%'") == []


def test_both_are_looked_at_when_both_are_due_and_by_hand(net: Net) -> None:
    begin(net, "one")
    change(net, "UPDATE locations SET recheck_at = 1")
    net.web.page("/one", article("Quite another story."))
    said = net.update("a")
    assert net.web.count("/feed.xml") == 2
    assert said["silent_edited"] == 1
    pass_time(net)
    change(net, "UPDATE meta SET value = '[1,\"every 1h\"]' WHERE key LIKE 'document-check:%'")
    assert net.update()["duplicates"] == 1
    assert net.web.count("/feed.xml") == 3


def test_a_page_that_was_read_for_its_document_is_not_read_twice(net: Net) -> None:
    begin(net, "one")
    change(net, "UPDATE locations SET recheck_at = 1")
    net.web.page("/feed.xml", listed(net, "one", more="<category>x</category>"), type=RSS)
    net.update("a")
    assert net.web.count("/one") == 2
    assert waits(net) == [30]


def test_requests_are_conditional(net: Net) -> None:
    net.web.page("/one", article("The whole story."), etag=True)
    net.web.page("/feed.xml", listed(net, "one"), type=RSS)
    net.feed(settings=RECHECKED)
    net.update()
    said = again(net)
    assert net.web.last("/one").headers["if-none-match"].startswith('"')
    assert (said["status"], said["duplicates"]) == ("unchanged", 1)
    net.web.page("/one", article("Quite another story."), etag=True)
    assert again(net)["silent_edited"] == 1
    net.feed(settings=RECHECKED + 'content = "article"')
    again(net)
    assert "if-none-match" not in net.web.last("/one").headers


def test_an_article_that_scrolled_off_is_followed_all_the_same(net: Net) -> None:
    more = "<category>News</category><author>Ann</author>"
    begin(net, "one", more=more)
    net.web.page("/feed.xml", listed(net, "two", more=more), type=RSS)
    net.web.page("/two", article("Another one."))
    assert net.update("a")["added"] == 1
    before = net.shown(f"{net.web.url}/one")
    assert again(net)["duplicates"] == 2
    net.web.page("/one", article("Quite another story."))
    assert again(net)["silent_edited"] == 1
    after = net.shown(f"{net.web.url}/one")
    for same in ("id", "uid", "url", "title", "published", "author", "categories"):
        assert after[same] == before[same]
    assert after["author"] == "Ann"
    net.web.page("/feed.xml", listed(net, "two", "one", more=more), type=RSS)
    net.update("a")
    assert net.kinds() == ["added", "added", "silent-edit"]


def test_a_headline_that_changes_on_the_page_alone(net: Net) -> None:
    net.web.page("/one", article("Story.", title="Minister denies | Site"))
    begin(net, "one", title="Minister denies it")
    again(net)
    assert net.titles() == ["Minister denies it"]
    net.web.page("/one", article("Story.", title="Minister admits | Site"))
    assert again(net)["silent_edited"] == 1
    assert net.titles() == ["Minister admits | Site"]
    net.web.page(
        "/feed.xml", listed(net, "one", title="Minister denies it", more="<category>x</category>"), type=RSS
    )
    net.update("a")
    assert net.titles() == ["Minister admits | Site"], "the document says what it said before"
    net.web.page("/feed.xml", listed(net, "one", title="Minister resigns"), type=RSS)
    net.update("a")
    assert net.titles() == ["Minister resigns"]
    again(net)
    assert net.titles() == ["Minister resigns"]


def test_the_time_that_the_page_states(net: Net) -> None:
    first, second = "2026-03-02T10:00:00Z", "2026-03-02T12:00:00Z"
    net.web.page("/one", article("Story.", modified=first))
    begin(net, "one", date=days_ago(1))
    net.web.page("/one", article("A story.", modified=second))
    assert again(net)["edited"] == 1
    net.web.page("/one", article("No story.", modified=second))
    assert again(net)["silent_edited"] == 1
    ((stated,),) = net.rows("SELECT stated FROM locations")
    assert stated == int(datetime.fromisoformat(second).timestamp() * 1000)


@pytest.mark.parametrize("status", [404, 410])
def test_a_page_that_is_gone_twice_is_removed_and_restored_when_it_is_back(net: Net, status: int) -> None:
    begin(net, "one", "two")
    net.web.page("/one", "gone", status=status)
    said = again(net)
    assert (said["status"], said["removed"], said["duplicates"], len(said["rejected"])) == ("ok", 0, 1, 1)
    assert str(status) in said["rejected"][0]["reason"]
    assert again(net)["removed"] == 1
    assert net.titles() == ["two"]
    assert net.source()["entries"] == 1
    # the document names it all the same, and its summary does not bring it back
    net.web.page("/feed.xml", listed(net, "one", "two", more="<category>x</category>"), type=RSS)
    said = net.update("a")
    assert (said["restored"], said["removed"]) == (0, 0)
    assert net.titles() == ["two"]
    net.web.page("/one", article("The whole story."))
    net.web.page("/feed.xml", listed(net, "one", "two", more="<category>y</category>"), type=RSS)
    assert net.update("a")["restored"] == 1
    assert sorted(net.titles()) == ["one", "two"]
    assert net.kinds() == ["added", "added", "removed", "restored"]
    assert waits(net)[0] == 15


def test_a_removed_article_is_found_to_be_back_without_its_document(net: Net) -> None:
    begin(net, "one", "two")
    net.web.missing("/one")
    again(net)
    again(net)
    assert waits(net)[0] == DAY
    net.web.page("/one", article("Quite another story."))
    said = again(net)
    assert (said["restored"], said["duplicates"]) == (1, 1)
    assert "another story" in net.shown(f"{net.web.url}/one")["text"]
    assert waits(net)[0] == 15


def test_a_page_that_is_gone_once_was_not_removed(net: Net) -> None:
    begin(net, "one")
    net.web.missing("/one")
    again(net)
    net.web.page("/one", article("The whole story."))
    assert again(net)["duplicates"] == 1
    net.web.missing("/one")
    assert again(net)["removed"] == 0
    assert net.kinds() == ["added"]


def test_an_article_that_another_source_holds_stays(net: Net) -> None:
    net.web.page("/feed.xml", listed(net, "one"), type=RSS)
    net.web.page("/one", article("The whole story."))
    net.sources(
        '[sources.a]\ntype = "feed"\nurl = "{web}/feed.xml"\n'
        + RECHECKED
        + '[sources.b]\ntype = "feed"\nurl = "{web}/feed.xml?b"\n'
    )
    net.all()
    net.web.missing("/one")
    again(net)
    assert again(net)["removed"] == 0
    assert net.titles() == ["one"]


def test_a_whole_site_that_is_gone_is_a_fault(net: Net) -> None:
    names = [f"page{number}" for number in range(30)]
    begin(net, *names)
    for name in names:
        net.web.missing(f"/{name}")
    again(net)
    assert again(net)["removed"] == 0
    assert len(net.entries()) == 30
    for name in names:
        net.web.page(f"/{name}", article("The whole story."))
    assert again(net)["duplicates"] == 30


def test_other_failures_say_nothing_and_end(net: Net) -> None:
    begin(net, "one")
    net.web.page("/one", "<html>consent</html>")
    said = again(net)
    assert "no article" in said["rejected"][0]["reason"]
    net.web.page("/one", "later", status=500)
    looks = 1
    while waits(net) != [None]:
        again(net)
        looks += 1
    assert looks == recheck.FAILURES_UNTIL_RETIRED
    assert net.source()["failures"] == 0, "the source itself is well"
    assert net.kinds() == ["added"]


def test_a_host_that_asks_for_rest_is_left_alone(net: Net) -> None:
    begin(net, "one", "two", "three")
    before = asked(net)
    for name in ("one", "two", "three"):
        net.web.page(f"/{name}", "busy", status=429, headers={"Retry-After": "7200"})
    said = again(net)
    assert asked(net) == before + 1
    assert len(said["rejected"]) == 1
    assert min(wait or 0 for wait in waits(net)) >= 15
    again(net)
    assert asked(net) == before + 1
    assert all(wait and wait > 115 for wait in waits(net))


def test_a_host_that_fails_is_not_asked_for_all_its_pages(net: Net) -> None:
    names = [f"page{number}" for number in range(9)]
    begin(net, *names)
    for name in names:
        net.web.page(f"/{name}", "broken", status=500)
    before = asked(net)
    assert len(again(net)["rejected"]) == 3
    assert asked(net) == before + 3


def test_the_rest_that_the_source_asked_for_counts_for_its_articles(net: Net) -> None:
    begin(net, "one")
    net.web.page("/feed.xml", "busy", status=503, headers={"Retry-After": "7200"})
    assert net.update("a")["status"] == "failed"
    before = asked(net)
    assert again(net)["duplicates"] == 0
    assert asked(net) == before
    assert (waits(net)[0] or 0) > 115


def test_articles_are_followed_while_the_document_fails(net: Net) -> None:
    begin(net, "one")
    net.web.page("/feed.xml", "broken", status=500)
    assert net.update("a")["status"] == "failed"
    net.web.page("/one", article("Quite another story."))
    assert again(net)["silent_edited"] == 1
    assert net.source()["failures"] == 1


def test_what_a_rule_leaves_out_now_stays_as_it_is(net: Net) -> None:
    begin(net, "one", settings='reject = { text = "withdrawn" }')
    net.web.page("/one", article("This was withdrawn."))
    said = again(net)
    assert (len(said["rejected"]), said["edited"] + said["silent_edited"]) == (1, 0)
    assert "whole story" in net.shown(f"{net.web.url}/one")["text"]
    assert waits(net) == [30]


def test_robots_are_honoured(net: Net) -> None:
    begin(net, "one")
    before = net.web.count("/one")
    net.web.page("/robots.txt", "User-agent: *\nDisallow: /one\n", type="text/plain")
    assert "robots.txt" in again(net)["rejected"][0]["reason"]
    assert net.web.count("/one") == before


def test_so_many_at_a_look(net: Net) -> None:
    names = [f"page{number}" for number in range(7)]
    begin(net, *names, settings="max_articles = 5")
    net.update("a")
    pass_time(net)
    before = asked(net)
    assert net.update()["duplicates"] == 5
    assert asked(net) == before + 5
    ((at_ms, because),) = net.rows("SELECT next_check, next_check_because FROM sources")
    assert because == recheck.DUE
    assert MINUTE_MS < at_ms - now_ms() <= recheck.APART_MS, "the rest follows soon, not at once"


def test_an_archive_makes_no_storm(net: Net) -> None:
    old = "".join(
        f"<url><loc>{net.web.url}/old{number}</loc><lastmod>2020-01-0{number}</lastmod></url>"
        for number in range(1, 6)
    )
    new = f"<url><loc>{net.web.url}/new</loc><lastmod>{datetime.now(UTC):%Y-%m-%d}</lastmod></url>"
    net.web.page("/map.xml", f"<urlset>{old}{new}</urlset>", type="application/xml")
    for name in ("new", *(f"old{number}" for number in range(1, 6))):
        net.web.page(f"/{name}", article("Story.", title=name))
    net.sources('[sources.a]\ntype = "sitemap"\nurl = "{web}/map.xml"\n' + RECHECKED)
    assert net.update()["added"] == 6
    assert waits(net) == [15, None, None, None, None, None]
    net.web.page("/new", article("Story.", title="Newer"))
    assert again(net)["edited"] + net.kinds().count("silent-edit") == 1
    assert "Newer" in net.titles()


def test_a_page_that_lists_articles(net: Net) -> None:
    net.web.page("/jobs", "<li class=job><h3>Cook</h3><a href=/one>more</a></li>")
    net.web.page("/one", article("We look for a cook."))
    net.sources('[sources.a]\ntype = "page"\nurl = "{web}/jobs"\nentry = "li.job"\n' + RECHECKED)
    assert net.update()["added"] == 1
    net.web.page("/one", article("We look for a chef."))
    assert again(net)["edited"] == 1
    assert net.titles() == ["Cook"]


def test_switching_it_on_begins_with_what_is_recent(net: Net) -> None:
    net.web.page("/feed.xml", listed(net, "one"), type=RSS)
    net.web.page("/one", article("The whole story."))
    net.feed(settings=PLAIN)
    net.update()
    net.feed(settings=RECHECKED + "full_text = true")
    assert net.update("a")["error"] is None
    assert waits(net) == [15]
    assert again(net)["duplicates"] == 1
    net.web.page("/one", article("Quite another story."))
    assert again(net)["silent_edited"] == 1
    net.feed(settings=PLAIN)
    net.update("a")
    assert net.source()["next_check_because"] == "every 30d"


def test_our_own_edits_are_nobodys_news(net: Net) -> None:
    begin(net, "one", "two")
    net.web.page("/feed.xml", listed(net, "two"), type=RSS)
    net.feed(settings=RECHECKED + 'content = "p"')
    net.update("a")
    said = again(net)
    assert (said["silent_edited"], said["edited"]) == (0, 0)
    assert net.kinds() == ["added", "added"]
    net.web.page("/one", article("Quite another story."))
    assert again(net)["silent_edited"] == 1


def test_what_a_page_rotates_takes_turns_without_beginning_anew(net: Net) -> None:
    bodies = [article("The one text."), article("The other text.")]

    def answer(_: Request) -> Reply:
        bodies.reverse()
        return Reply(bodies[0])

    net.web.script("/one", answer)
    net.web.page("/feed.xml", listed(net, "one"), type=RSS)
    net.feed(settings=RECHECKED)
    net.update()
    seen = []
    for _ in range(6):
        again(net)
        seen += waits(net)
        if seen[-1] is None:
            break
    assert seen == [15, 30, 120, DAY, WEEK, None]


def test_restarts_forget_nothing(net: Net) -> None:
    begin(net, "one")
    pass_time(net)
    net.web.page("/one", article("Quite another story."))
    with net.running() as daemon:
        until(lambda: "Quite another story." in daemon.items()[0]["content_html"])
    assert net.web.count("/feed.xml") == 1
    ((at_ms, because),) = net.rows("SELECT next_check, next_check_because FROM sources")
    assert because == recheck.DUE
    assert at_ms - now_ms() < 15 * MINUTE_MS


def test_what_the_store_knows_nothing_of_is_let_go(net: Net) -> None:
    begin(net, "one")
    change(net, "UPDATE locations SET entry_id = NULL, revision_id = NULL")
    assert again(net)["status"] == "unchanged"
    assert waits(net) == [None]
    assert net.source()["next_check_because"] == "every 30d"


def test_no_article_is_followed_unless_the_source_says_so(net: Net) -> None:
    net.web.page("/feed.xml", listed(net, "one"), type=RSS)
    net.web.page("/one", article("The whole story."))
    net.feed(settings=PLAIN)
    net.update()
    assert net.rows("SELECT count(*) FROM locations WHERE recheck IS NOT NULL OR recheck_at IS NOT NULL") == [
        (0,)
    ]
    assert net.source()["next_check_because"] == "every 30d"
