"""Pages, watched pages, sitemaps, programs and full text, from the server to the listing."""

import sys

from net import RSS, Net, item, rss

PAGE = """<html><head><title>Jobs</title></head><body><ul>
<li class=job><h3>Cook</h3><a href="/jobs/1">more</a><time datetime="2026-03-02T10:00:00Z">2 March</time></li>
<li class=job><h3>Driver</h3><a href="/jobs/2">more</a></li>
<li class=job><p>nothing</p></li>
</ul></body></html>"""
JOBS = """[sources.jobs]
type = "page"
url = "{web}/jobs"
entry = "li.job"
title = "h3"
link = "a"
date = "time"
"""
WORDS = " ".join(
    ["The quick brown fox jumps over the lazy dog, and then it rests for a while in the sun."] * 12
)


def article(text: str) -> str:
    return (
        f"<html><head><title>An article</title></head><body><nav><a href=/>Home</a></nav><article><h1>An article</h1>"
        f"<p>{text}</p><p>{WORDS}</p></article><footer>About us</footer></body></html>"
    )


def test_a_page_becomes_a_feed(net: Net) -> None:
    net.web.page("/jobs", PAGE)
    net.sources(JOBS)
    said = net.update()
    assert (said["added"], len(said["rejected"])) == (2, 1)
    by_title = {each["title"]: each for each in net.entries()}
    assert by_title["Cook"]["url"] == f"{net.web.url}/jobs/1"
    assert by_title["Cook"]["published"] == "2026-03-02T10:00:00Z"
    assert by_title["Driver"]["date_guessed"]
    net.web.page("/jobs", PAGE.replace("Cook", "Chef"))
    assert net.update("jobs")["silent_edited"] == 1
    assert net.update("jobs")["status"] == "unchanged"


def test_a_selector_that_rots_is_a_failure(net: Net) -> None:
    net.web.page("/jobs", PAGE)
    net.sources(JOBS)
    net.update()
    net.web.page("/jobs", PAGE.replace("class=job", "class=position"))
    said = net.update("jobs")
    assert (said["status"], said["removed"]) == ("failed", 0)
    assert "li.job" in said["error"]
    (incident,) = net.document("health").entries
    assert "selector" in incident.title
    assert len(net.titles()) == 2


def test_pages_of_a_list_are_followed_so_far(net: Net) -> None:
    def page(number: int) -> str:
        return f"<li class=job><h3>Job {number}</h3><a href=/jobs/{number}>x</a></li><a rel=next href='/p{number + 1}'>next</a>"

    for number in range(1, 9):
        net.web.page(f"/p{number}", page(number))
    net.sources(JOBS.replace("{web}/jobs", "{web}/p1") + 'next_page = "a[rel=next]"\nmax_pages = 3\n')
    assert net.update()["added"] == 3
    assert net.web.count("/p4") == 0


def test_robots_are_honoured_and_can_be_told_off(net: Net) -> None:
    net.web.page("/jobs", PAGE)
    net.web.page("/robots.txt", "User-agent: *\nDisallow: /jobs\n", type="text/plain")
    net.sources(JOBS)
    assert "robots.txt" in net.update()["error"]
    assert net.web.count("/jobs") == 0
    net.sources(JOBS + "robots = false\n")
    assert net.update("jobs")["added"] == 2


def test_the_article_behind_the_link(net: Net) -> None:
    net.web.page("/jobs", PAGE)
    net.web.page("/jobs/1", article("We look for a cook."))
    net.web.page("/jobs/2", article("We look for a driver."))
    net.sources(JOBS + 'content = "auto"\n')
    assert net.update()["added"] == 2
    cook = next(each for each in net.entries() if each["title"] == "Cook")
    text = net.shown(cook["id"])["text"]
    assert "We look for a cook." in text
    assert "About us" not in text
    before = net.web.count("/jobs/1")
    net.web.page("/jobs", PAGE.replace("Driver", "Pilot"))
    said = net.update("jobs")
    assert net.web.count("/jobs/1") == before, "an item that is as it was is not asked for again"
    assert (said["silent_edited"] + said["edited"], said["duplicates"]) == (1, 1)


def test_full_text_of_a_feed(net: Net) -> None:
    page = f"{net.web.url}/article"
    feed = rss(f"<title>one</title><link>{page}</link><description>Short.</description>")
    net.web.page("/feed.xml", feed, type=RSS)
    net.web.page("/article", "not yet", status=500)
    net.feed(settings="full_text = true")
    assert net.update()["added"] == 1
    assert net.shown(page)["text"] == "Short.", "the summary stands in for an article that can't be had"
    net.web.page("/article", article("The whole story."))
    said = net.update("a")
    assert (said["edited"], said["silent_edited"]) == (0, 0), "that it comes at last is no edit"
    assert "The whole story." in net.shown(page)["text"]
    assert net.kinds() == ["added"]
    net.web.page("/feed.xml", feed.replace("Short.", "Shorter."), type=RSS)
    net.web.page("/article", article("The whole story, corrected."))
    assert net.update("a")["edited"] == 1


def test_an_article_that_can_not_be_had_any_more_keeps_what_there_was(net: Net) -> None:
    page = f"{net.web.url}/article"
    feed = rss(f"<title>one</title><link>{page}</link><description>Short.</description>")
    net.web.page("/feed.xml", feed, type=RSS)
    net.web.page("/article", article("The whole story."))
    net.feed(settings="full_text = true")
    net.update()
    net.web.page("/feed.xml", feed.replace("Short", "Shorter"), type=RSS)
    net.web.page("/article", "later", status=503)
    said = net.update("a")
    assert "can't be had" in said["rejected"][0]["reason"]
    assert "The whole story." in net.shown(page)["text"]
    net.web.page("/article", article("The whole story, corrected."))
    assert net.update("a")["edited"] == 1, "it is tried again although the feed did not change"


def test_a_watched_page(net: Net) -> None:
    def page(terms: str, visitors: int) -> str:
        return (
            f"<html><title>Terms</title><body><p>{visitors} visitors</p><main><h1>Terms</h1><p>{terms}</p>"
            f"<p>Seen {visitors} times</p><div class=ad>Buy {visitors}</div></main></body></html>"
        )

    net.sources(
        '[sources.terms]\ntype = "watch"\nurl = "{web}/terms"\nselect = "main"\nremove = [".ad"]\n'
        'ignore = ["Seen [0-9]+ times"]\n'
    )
    net.web.page("/terms", page("You may.", 1))
    assert net.update()["added"] == 1
    net.web.page("/terms", page("You may.", 2))
    assert net.update("terms")["duplicates"] == 1
    net.web.page("/terms", page("You may not.", 3))
    assert net.update("terms")["edited"] == 1
    (entry,) = net.entries()
    assert (entry["title"], entry["revisions"]) == ("Terms", 2)
    text = net.shown(entry["id"])["text"]
    assert "You may not." in text
    assert "visitors" not in text
    assert "Buy" not in text
    uid = entry["uid"]
    net.web.page("/elsewhere", page("You may not.", 4))
    net.sources(
        '[sources.terms]\ntype = "watch"\nurl = "{web}/elsewhere"\nselect = "main"\nremove = [".ad"]\n'
        'ignore = ["Seen [0-9]+ times"]\n'
    )
    assert net.update()["duplicates"] == 1, "correcting the address loses nothing"
    assert [each["uid"] for each in net.entries()] == [uid]


def test_a_sitemap_index(net: Net) -> None:
    head = "<?xml version='1.0'?>"
    space = "xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'"
    net.web.page("/a1", article("The first story."))
    net.web.page(
        "/index.xml",
        f"{head}<sitemapindex {space}><sitemap><loc>{net.web.url}/one.xml</loc></sitemap></sitemapindex>",
        type="application/xml",
    )
    listed = f"<url><loc>{net.web.url}/a1</loc><lastmod>2026-03-02</lastmod></url>"
    net.web.page("/one.xml", f"{head}<urlset {space}>{listed}</urlset>", type="application/xml")
    net.sources('[sources.map]\ntype = "sitemap"\nurl = "{web}/index.xml"\ncontent = "auto"\n')
    assert net.update()["added"] == 1
    (entry,) = net.entries()
    assert (entry["title"], entry["published"]) == ("An article", "2026-03-02T00:00:00Z")
    assert "The first story." in net.shown(entry["id"])["text"]
    net.web.page("/a1", article("The first story, corrected."))
    changed = listed.replace("2026-03-02", "2026-03-05")
    net.web.page("/one.xml", f"{head}<urlset {space}>{changed}</urlset>", type="application/xml")
    assert net.update("map")["edited"] == 1


def test_a_program(net: Net) -> None:
    script = net.root / "source.py"
    net.sources(
        f'[sources.prog]\ntype = "command"\ncommand = ["{sys.executable}", "{script}"]\ntimeout = "5s"\n'
    )
    script.write_text(
        "import json\nprint(json.dumps({'url': 'https://example.org/1', 'title': 'one', 'content_html': '<p>Hi'}))\n"
        "print('rubbish')\n"
    )
    said = net.update()
    assert (said["added"], len(said["rejected"])) == (1, 1)
    assert net.update("prog")["status"] == "unchanged"
    script.write_text("import sys\nsys.stderr.write('no credit left\\n')\nsys.exit(3)\n")
    said = net.update("prog")
    assert "no credit left" in said["error"]
    assert "3" in said["error"]
    script.write_text("import time\nprint('x', flush=True)\ntime.sleep(60)\n")
    net.sources(
        f'[sources.prog]\ntype = "command"\ncommand = ["{sys.executable}", "{script}"]\ntimeout = "1s"\n'
    )
    assert "longer than 1 s" in net.update("prog")["error"]
    script.write_text("while True: print('x' * 1000)\n")
    net.sources(
        f'[sources.prog]\ntype = "command"\ncommand = ["{sys.executable}", "{script}"]\nmax_bytes = "100kB"\n'
    )
    assert "more than 100,000 bytes" in net.update("prog")["error"]
    net.sources('[sources.prog]\ntype = "command"\ncommand = ["/nowhere/prog"]\n')
    assert "can't be run" in net.update("prog")["error"]
    assert net.titles() == ["one"]


def test_a_program_that_prints_a_page(net: Net) -> None:
    script = net.root / "source.py"
    script.write_text(f"print({PAGE!r})\n")
    net.sources(
        f'[sources.prog]\ntype = "command"\ncommand = ["{sys.executable}", "{script}"]\nurl = "https://example.org/"\n'
        'entry = "li.job"\ntitle = "h3"\nlink = "a"\n'
    )
    assert net.update()["added"] == 2
    assert {each["url"] for each in net.entries()} == {
        "https://example.org/jobs/1",
        "https://example.org/jobs/2",
    }


def test_feed_items_agree_with_pages(net: Net) -> None:
    """A feed that is printed is a feed."""
    script = net.root / "source.py"
    script.write_text(f"print({rss(item('one'))!r})\n")
    net.sources(f'[sources.prog]\ntype = "command"\ncommand = ["{sys.executable}", "{script}"]\n')
    assert net.update()["added"] == 1


def program(net: Net, text: str, more: str = "") -> None:
    """A source `prog`: a shell script beside the configuration, named as a person would."""
    script = net.root / "fetch.sh"
    script.write_text(f"#!/bin/sh\n{text}\n")
    script.chmod(0o755)
    net.sources(f'[sources.prog]\ntype = "command"\ncommand = ["./fetch.sh", "s3cr3t"]\n{more}\n')


def test_a_program_runs_beside_the_configuration_and_its_children_hold_up_nothing(net: Net) -> None:
    line = """echo '{"url": "https://example.org/1", "title": "one"}'"""
    program(net, f"{line}\nsleep 30 &\nsetsid sleep 30 &\n", 'timeout = "20s"')
    said = net.update()
    assert (said["added"], said["error"]) == (1, None)
    assert said["seconds"] < 10
    assert "s3cr3t" not in str(net.source("prog"))


def test_what_strangers_say_moves_no_terminal(net: Net) -> None:
    program(net, "printf '\\033]0;pwned\\007 no luck' >&2; exit 3")
    said = net.update()
    assert "no luck" in said["error"]
    assert said["error"].isprintable()
    assert net.source("prog")["error"].isprintable()
    net.web.page("/feed.xml", "<html><link rel=alternate type=application/rss+xml href='/a&#27;]0;x&#7;'>")
    net.feed()
    assert net.update()["error"].isprintable()


def test_what_a_sitemap_names_in_vain_is_said(net: Net) -> None:
    space = "xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'"
    urls = "".join(f"<url><loc>{url}</loc></url>" for url in (f"{net.web.url}/a", "file:///etc/passwd"))
    net.web.page("/s.xml", f"<urlset {space}>{urls}</urlset>", type="application/xml")
    net.sources('[sources.map]\ntype = "sitemap"\nurl = "{web}/s.xml"\n')
    said = net.update()
    assert (said["added"], len(said["rejected"])) == (1, 1)


def test_a_secret_that_can_not_be_had_fails_its_source_alone(net: Net) -> None:
    net.web.page("/feed.xml", rss(item("one")), type=RSS)
    net.sources(
        '[sources.a]\ntype = "feed"\nurl = "{web}/feed.xml"\nauth = { bearer = "file:nowhere" }\n'
        '[sources.b]\ntype = "feed"\nurl = "{web}/feed.xml"\nheaders = { X-Key = "env:FEEDD_TEST_NOT_SET" }\n'
        '[sources.c]\ntype = "feed"\nurl = "{web}/feed.xml"\n'
    )
    said = {each["name"]: each for each in net.all()}
    assert "nowhere can't be read" in said["a"]["error"]
    assert "FEEDD_TEST_NOT_SET is not set" in said["b"]["error"]
    assert said["c"]["added"] == 1


def test_hostile_enclosures_leave_the_feeds_valid(net: Net) -> None:
    enclosure = "<enclosure url='https://example.org/a b.mp3' type='x&#10;y' length='-5'/>"
    net.web.page("/feed.xml", rss(item("one", more=enclosure)), type=RSS)
    net.feed()
    net.update()
    (found,) = net.shown(1)["enclosures"]
    assert (found["url"], found["type"], found["length"]) == ("https://example.org/a%20b.mp3", None, None)
