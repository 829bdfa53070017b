"""Nothing of an article runs, loads, leads astray or leaves its box, whatever a publisher writes."""

import json
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import browsing
import httpx
import pytest
from browsing import Tab
from hostile import address, payloads, publish, write_heads, write_payloads, write_seed
from lxml import etree, html
from playwright.sync_api import Browser
from running import FIRST_MS, Site
from webserver import Web

from feedd.store.reader import Entry

NARROW, WIDE = 360, 1280
TOGETHER = 30  # articles, in one
LONGEST = 20_000  # characters of an article that is shown together with others
WORDS = re.compile(r">[^<]*<")
ATOM = "{http://www.w3.org/2005/Atom}"
ELEMENTS = frozenset(
    "a abbr address article aside audio b bdi bdo blockquote br caption center cite code col colgroup dd del details"
    " dfn div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li main mark ol p pre q rp"
    " rt ruby s samp section small span strong sub summary sup table tbody td tfoot th thead time tr u ul var video"
    " wbr".split()
)
ATTRIBUTES = frozenset(
    "alt cite colspan controls datetime dir height href lang poster rowspan src start title width".split()
)
ADDRESSES = frozenset({"href", "poster", "src"})
ALLOWED_ADDRESS = re.compile(r"(https?|mailto|tel):[^\s<>\"]+", re.IGNORECASE)

browser = browsing.browser


class Shown(NamedTuple):
    """A site that took all of it in, from seed files and from feeds."""

    url: str
    entries: list[Entry]

    def of(self, *kinds: str) -> list[Entry]:
        return [each for each in self.entries if each.url.split("/")[3] in kinds]

    def get(self, path: str) -> bytes:
        return httpx.get(self.url + path, trust_env=False, verify=False, timeout=60).content


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shown]:
    corpus = payloads()
    with Web() as web:
        site = Site(tmp_path_factory.mktemp("hostile"), more=publish(web, corpus))
        write_payloads(site, corpus)
        write_heads(site, "<p>Words.</p>")
        site.feedd("update")
    contents = list(dict.fromkeys(each.content_html for each in stored(site)))
    write_heads(site, "<p>Other words.</p>", FIRST_MS + 1000)
    for version in range(2):
        write_together(site, contents, version)
        site.feedd("update", "news")
    with site.running() as daemon:
        yield Shown(daemon.site.url, stored(site))


def stored(site: Site) -> list[Entry]:
    reader = site.open_reader()
    entries = reader.entries(list(reader.entry_ids(None, removed=False)), {})
    reader.close()
    return entries


def write_together(site: Site, contents: list[str], version: int) -> None:
    """Many articles in one, as they were stored; the second version holds them in another order, and further ones."""
    short = [each.replace("\n", "&#10;") for each in contents if len(each) < LONGEST]
    for number, start in enumerate(range(0, len(short), TOGETHER)):
        some = short[start : start + TOGETHER]
        parts = some if version == 0 else [*some[2::2], *short[start - 5 : start], *some[1::2]]
        body = "".join(parts) or "<p>Nothing.</p>"
        time_ms = FIRST_MS + 1000 * version
        write_seed(site, f"together-{number}", "Together", address("together", number), body, time_ms)


def test_each_way_in_brings_all_of_it(shown: Shown) -> None:
    corpus = payloads()
    assert len(corpus) == len({each.name for each in corpus}) > 350
    assert len(shown.of("seed")) == len(shown.of("feed")) == len(corpus)
    assert all(each.revisions == 2 for each in shown.of("together"))
    assert sum(len(each.content_html) for each in shown.of("together")) > 40_000


def test_what_runs_is_heard(browser: Browser) -> None:
    """Without feedd between: else the other tests here say nothing."""
    expected = {
        "scripts: plain": "ran: a script",
        "handlers: a picture that fails": "ran: a handler",
        "svg: load": "ran: a handler",
        "page: a style": "has no place in a page: <style>",
        "page: over the page": "carries style",
        "frames: a frame": "asked for document https://evil.example/",
        "addresses: plain": "leads to what is no page",
    }
    with Web() as web, Tab(browser, web.url) as tab:
        paths = {
            each.name: web.page(f"/{number}", f"<!doctype html>{each.body}").removeprefix(web.url)
            for number, each in enumerate(payloads())
            if each.name in expected
        }
        found = tab.visit_framed(paths.values(), WIDE)
    missed = {
        name: found[path] for name, path in paths.items() if expected[name] not in "; ".join(found[path])
    }
    assert missed == {}


def test_nothing_in_an_article_runs(browser: Browser, shown: Shown) -> None:
    by_markup = {
        WORDS.sub("><", each.content_html): f"/entries/{each.id}" for each in shown.of("seed", "feed")
    }
    paths = [path for markup, path in by_markup.items() if markup.count("<") > 2]
    assert len(paths) > 100
    with Tab(browser, shown.url) as tab:
        assert tab.visit_framed(paths, NARROW) == {}


@pytest.mark.parametrize("width", [NARROW, WIDE])
def test_many_in_one_and_compared_as_they_are_served(browser: Browser, shown: Shown, width: int) -> None:
    kinds = ("", "/diff/1..2") if width == NARROW else ("/diff/1..2?view=side",)
    paths = [f"/entries/{each.id}{kind}" for each in shown.of("together") for kind in kinds]
    with Tab(browser, shown.url, viewport={"width": width, "height": 800}) as tab:
        found = {path: problems for path in paths if (problems := tab.visit(path))}
    assert found == {}


def test_pictures_that_are_asked_for_bring_nothing_else(browser: Browser, shown: Shown) -> None:
    pictured = {"<img" + each.content_html.partition("<img")[2]: each.id for each in shown.of("feed", "led")}
    with Tab(browser, shown.url) as tab:
        found = tab.visit_framed((f"/entries/{number}?pictures=show" for number in pictured.values()), NARROW)
    asked = {
        path: [said for said in each if not said.startswith("asked for image ")]
        for path, each in found.items()
    }
    assert len(found) > 20
    assert [each for each in asked.items() if each[1]] == []


def test_titles_names_and_addresses(browser: Browser, shown: Shown) -> None:
    with Tab(browser, shown.url) as tab:
        assert tab.visit_framed((f"/entries/{each.id}" for each in shown.of("named", "led")), NARROW) == {}


def test_lists(browser: Browser, shown: Shown) -> None:
    lists = "/ /changes /feeds /feeds/news /feeds/fields /sources /sources/news /sources/fields /deliveries"
    searches = "/search?q=words /search?q=canary /search?q=script%20-words"
    with Tab(browser, shown.url, viewport={"width": NARROW, "height": 800}) as tab:
        found = {path: problems for path in f"{lists} {searches}".split() if (problems := tab.visit(path))}
    assert found == {}


def test_feeds_are_as_clean_as_pages(shown: Shown) -> None:
    atom = etree.fromstring(shown.get("/feeds/all.atom?limit=1000"))
    rss = etree.fromstring(shown.get("/feeds/all.rss?limit=1000"))
    made = json.loads(shown.get("/feeds/all.json?limit=1000"))
    contents = [each.text or "" for each in atom.iter(f"{ATOM}content") if each.get("type") == "html"]
    contents += [each.text or "" for each in rss.iter("{http://purl.org/rss/1.0/modules/content/}encoded")]
    contents += [each["content_html"] for each in made["items"]]
    assert len(contents) > 2000
    assert [said for each in set(contents) for said in amiss(each)] == []
    links = [each.get("href") for each in atom.iter(f"{ATOM}link")]
    links += [each.text for name in ("link", "comments") for each in rss.iter(name)]
    links += [each.get("url") for each in rss.iter("enclosure")]
    links += [value for each in made["items"] for value in addresses(each)]
    assert [each for each in links if not ALLOWED_ADDRESS.fullmatch(each)] == []


def test_quotations_cite_pages(shown: Shown) -> None:
    cited = [
        value
        for each in shown.of("seed", "feed")
        for value in re.findall(r' cite="([^"]*)"', each.content_html)
    ]
    assert [each for each in cited if not ALLOWED_ADDRESS.fullmatch(each)] == []


def addresses(item: dict[str, Any]) -> list[str]:
    named = [item[name] for name in ("url", "external_url", "image", "banner_image") if name in item]
    return named + [each["url"] for each in item.get("attachments", ())]


def amiss(content: str) -> Iterator[str]:
    """What has no place in the content of a feed's entry."""
    for each in html.fragment_fromstring(content, create_parent="div").iter():
        if each.tag not in ELEMENTS:
            yield f"{each.tag}"
            continue
        for name, value in each.attrib.items():
            if name not in ATTRIBUTES or (name in ADDRESSES and not ALLOWED_ADDRESS.fullmatch(value)):
                yield f"{each.tag} {name}={value}"
