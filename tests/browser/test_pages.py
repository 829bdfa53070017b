"""The pages as people use them, in a browser: reading, searching, comparing, subscribing, logging in, by keyboard."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import browsing
import pytest
from browsing import Tab
from playwright.sync_api import Browser, Route, expect
from receivers import SECRET, Receiver
from running import FIRST_MS, Site, until
from webserver import Web

browser = browsing.browser
NARROW, WIDE = {"width": 360, "height": 740}, {"width": 1280, "height": 800}
MORE = """
[sources.broken]
type = "feed"
url = "{web}/none.xml"
allow_private = true
[feeds.quiet]
access = "token"
[notify.desk]
type = "webhook"
url = "{hook}"
secret = "{secret}"
"""


class Set(NamedTuple):
    """A site with an article that was edited, one of right-to-left script, a source that fails, a channel that did."""

    site: Site
    hook: Receiver
    token: str  # that may write
    edited: int

    def tab(self, browser: Browser, **settings: object) -> Tab:
        return Tab(browser, self.site.url, **{"viewport": WIDE, "locale": "en-GB", **settings})


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Set]:
    with Web() as web:
        hook = Receiver(web)
        hook.mood = "gone"
        more = MORE.format(web=web.url, hook=hook.url, secret=SECRET)
        site = Site(tmp_path_factory.mktemp("pages"), "watch = true", more)
        site.seed("fees.txt", "Fees rise", "<p>The fee is 1.5 %.</p><p>It was long.</p>")
        site.seed("tokyo.txt", "东京的天气", "<p>今天很热,明天下雨。</p>", FIRST_MS - 2000)
        site.seed("arabic.txt", "أخبار اليوم", "<p>هذا خبر من الصحيفة.</p>", FIRST_MS - 3000)
        site.feedd("update", status=None)
        changed = "<p>The fee is 15 %.</p><p>It was short.</p>"
        site.seed("fees.txt", "Fees soar", changed, FIRST_MS + 1000)
        token = site.feedd("token", "new", "desk", "--scope", "write").stdout.split()[-1]
        with site.running():
            until(lambda: hook.refused > 0)
            until(lambda: site.json("search", "fee"))
            edited = site.json("show", "https://example.org/fees")["id"]
            yield Set(site, hook, token, edited)


def test_reading_and_comparing(browser: Browser, made: Set) -> None:
    with made.tab(browser) as tab:
        tab.page.goto("/")
        tab.page.get_by_role("link", name="Fees soar").first.click()
        expect(tab.page.get_by_role("heading", level=1)).to_have_text("Fees soar")
        tab.page.get_by_role("button", name="Compare").click()
        expect(tab.page).to_have_url(re.compile(r"/diff/1\.\.2$"))
        expect(tab.page.locator(".diff ins").first).to_be_visible()
        tab.page.keyboard.press("n")
        expect(tab.page.locator("[data-change]").first).to_have_class(re.compile("here"))
        tab.page.get_by_role("link", name="Side by side").click()
        expect(tab.page.locator(".diff table")).to_be_visible()


def test_searching_in_chinese(browser: Browser, made: Set) -> None:
    with made.tab(browser, locale="zh-CN") as tab:
        tab.page.goto("/")
        tab.page.keyboard.press("/")
        tab.page.keyboard.type("雨")
        tab.page.keyboard.press("Enter")
        expect(tab.page.locator("mark").first).to_have_text("雨")
        expect(tab.page.get_by_role("link", name="东京的天气")).to_be_visible()


def test_language_and_colours_are_kept(browser: Browser, made: Set) -> None:
    with made.tab(browser) as tab:
        tab.page.goto("/changes")
        tab.page.get_by_role("link", name="中文").click()
        expect(tab.page.locator("html")).to_have_attribute("lang", "zh-Hans")
        tab.page.get_by_role("link", name="深色").click()
        tab.page.goto("/feeds")
        expect(tab.page.locator("html[lang=zh-Hans][data-theme=dark]")).to_be_visible()
        back = "getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)"
        assert max(tab.page.evaluate(back)) < 64


def test_subscribing(browser: Browser, made: Set) -> None:
    with made.tab(browser, permissions=["clipboard-read", "clipboard-write"]) as tab:
        tab.page.goto("/feeds/news")
        tab.page.get_by_role("button", name="Copy the address: Atom").click()
        expect(tab.page.get_by_text("Copied")).to_be_visible()
        address = tab.page.evaluate("navigator.clipboard.readText()")
        assert address == f"{made.site.url}/feeds/news.atom"
        tab.page.goto(address)
        assert tab.page.url.endswith("/feeds/news"), "a person is shown the page"


def test_logging_in_and_retrying_a_delivery(browser: Browser, made: Set) -> None:
    with made.tab(browser) as tab:
        tab.page.goto("/deliveries")
        expect(tab.page.get_by_role("button", name=re.compile("Retry"))).to_have_count(0)
        tab.page.get_by_role("link", name="Log in", exact=True).click()
        tab.page.get_by_label("Token").fill("wrong")
        tab.page.get_by_role("button", name="Log in").click()
        expect(tab.page.get_by_role("alert")).to_be_visible()
        tab.page.get_by_label("Token").fill(made.token)
        tab.page.get_by_role("button", name="Log in").click()
        expect(tab.page).to_have_url(f"{made.site.url}/deliveries")
        made.hook.mood = "well"
        tab.page.get_by_role("button", name=re.compile("Retry")).first.click()
        expect(tab.page.get_by_role("status").first).to_contain_text("tried again")
        until(lambda: made.hook.got)


def test_the_keyboard(browser: Browser, made: Set) -> None:
    with made.tab(browser) as tab:
        tab.page.goto("/feeds/news")
        rows = tab.page.locator("[data-row]")
        for key, at in (("j", 0), ("j", 1), ("k", 0)):
            tab.page.keyboard.press(key)
            expect(rows.nth(at)).to_have_class(re.compile("here"))
        tab.page.keyboard.press("?")
        expect(tab.page.get_by_role("dialog")).to_be_visible()
        tab.page.keyboard.press("Escape")
        expect(tab.page.get_by_role("dialog")).to_be_hidden()
        tab.page.keyboard.press("Enter")
        expect(tab.page).to_have_url(re.compile(r"/entries/\d+$"))
        tab.page.keyboard.press("g")
        tab.page.keyboard.press("c")
        expect(tab.page).to_have_url(f"{made.site.url}/changes")


def test_what_is_new_arrives_by_itself(browser: Browser, made: Set) -> None:
    with made.tab(browser) as tab:
        tab.page.goto("/")
        expect(tab.page.locator("#live")).not_to_be_empty()
        made.site.seed("late.txt", "Late news")
        expect(tab.page.locator("#newest").get_by_role("link", name="Late news")).to_be_visible(
            timeout=15_000
        )


def test_an_open_article_says_that_a_newer_version_has_come(browser: Browser, made: Set) -> None:
    made.site.seed("open.txt", "Open article", "<p>The fee is 1.5 %.</p>")
    with made.tab(browser) as tab:
        tab.page.goto("/")
        tab.page.get_by_role("link", name="Open article").click(timeout=45_000)
        expect(tab.page.locator("#live")).not_to_be_empty()
        note = tab.page.get_by_role("status").filter(has_text="A newer version has come")
        expect(note).to_be_hidden()
        made.site.seed("open.txt", "Opened article", "<p>The fee is 15 %.</p>", FIRST_MS + 1000)
        link = note.get_by_role("link", name="Show the newest")
        expect(link).to_be_visible(timeout=45_000)
        expect(tab.page.get_by_role("button", name="Compare")).to_be_visible()
        link.click()
        expect(tab.page.get_by_role("heading", level=1)).to_have_text("Opened article")
        expect(tab.page.locator(".newer")).to_be_hidden()


def test_many_pages_of_one_browser_share_a_stream(browser: Browser, made: Set) -> None:
    with made.tab(browser) as tab:
        asked: list[str] = []
        tab.context.on("request", lambda request: asked.append(request.url))
        pages = [tab.page, *(tab.context.new_page() for _ in range(7))]
        for page in pages:
            page.goto("/feeds/news")
            expect(page.locator("#live")).to_have_text("live")
        assert len([url for url in asked if url.endswith("/events")]) == 1
        made.site.seed("shared.txt", "Shared news")
        for page in pages:
            expect(page.get_by_role("link", name="Shared news")).to_be_visible(timeout=15_000)
        pages[0].close()  # the one that listened
        made.site.seed("after.txt", "News after that")
        expect(pages[-1].get_by_role("link", name="News after that")).to_be_visible(timeout=15_000)
        tab.happened.clear()


def test_a_stream_that_was_refused_is_asked_for_again(browser: Browser, made: Set) -> None:
    with made.tab(browser) as tab:
        refused: list[str] = []

        def answer(route: Route) -> None:
            if refused:
                route.continue_()
            else:
                refused.append(route.request.url)
                route.fulfill(status=503, body="later")

        tab.page.route("**/events", answer)
        tab.page.goto("/feeds/news")
        expect(tab.page.locator("#live")).to_have_text("not live: reconnecting")
        made.site.seed("missed.txt", "News that no stream told")
        until(lambda: made.site.json("search", "stream"))
        expect(tab.page.locator("#live")).to_have_text("live", timeout=10_000)
        expect(tab.page.get_by_role("link", name="News that no stream told")).to_be_visible(timeout=10_000)


def test_a_page_that_could_not_be_had_is_asked_for_again(browser: Browser, made: Set) -> None:
    with made.tab(browser) as tab:
        tab.page.goto("/feeds/news")
        expect(tab.page.locator("#live")).to_have_text("live")
        refused: list[str] = []

        def answer(route: Route) -> None:
            if refused:
                route.continue_()
            else:
                refused.append(route.request.url)
                route.fulfill(status=503, body="later")

        tab.page.route("**/feeds/news", answer)
        made.site.seed("again.txt", "News at the second try")
        expect(tab.page.get_by_role("link", name="News at the second try")).to_be_visible(timeout=15_000)
        assert refused


def test_what_is_swapped_keeps_focus_and_selection(browser: Browser, made: Set) -> None:
    with made.tab(browser) as tab:
        tab.page.goto("/")
        tab.page.locator("#newest").get_by_role("link", name="original").nth(1).focus()
        before = tab.page.evaluate("document.activeElement.href")
        tab.page.evaluate("refresh()")
        assert tab.page.evaluate("document.activeElement.href") == before
        tab.page.evaluate("shown.clear()")  # as if all of it had changed
        tab.page.evaluate("refresh()")
        assert tab.page.evaluate("document.activeElement.href") == before
        text = tab.page.locator("[data-live] [data-row] a").first
        text.evaluate("each => getSelection().selectAllChildren(each)")
        tab.page.evaluate("shown.clear()")
        tab.page.evaluate("refresh()")
        assert tab.page.evaluate("getSelection().toString()") == text.text_content()
        assert not tab.page.evaluate("refresh()"), "it is swapped another time"


def test_copying_where_there_is_no_clipboard(browser: Browser, made: Set) -> None:
    with made.tab(browser, permissions=["clipboard-read"]) as tab:
        tab.context.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
        tab.page.goto("/feeds/news")
        tab.page.get_by_role("button", name="Copy the address: RSS").click()
        expect(tab.page.get_by_text("Copied")).to_be_visible()
        tab.page.goto("/search")
        tab.page.get_by_role("searchbox").focus()
        tab.page.keyboard.press("Control+V")
        assert tab.page.get_by_role("searchbox").input_value() == f"{made.site.url}/feeds/news.rss"


def test_without_scripts(browser: Browser, made: Set) -> None:
    with made.tab(browser, java_script_enabled=False) as tab:
        tab.page.goto("/")
        tab.page.get_by_role("searchbox").fill("fee")
        tab.page.get_by_role("searchbox").press("Enter")
        tab.page.get_by_role("link", name="Fees soar").first.click()
        expect(tab.page.get_by_role("article").first).to_contain_text("The fee is 15 %.")
        assert tab.page.locator("button[data-copy]:visible").count() == 0
        tab.page.goto("/feeds/news")
        assert tab.page.locator("button[data-copy]:visible, button[data-keys]:visible").count() == 0


def test_a_narrow_screen_shows_the_whole_menu(browser: Browser, made: Set) -> None:
    for language in ("en-GB", "zh-CN"):
        with made.tab(browser, viewport=NARROW, locale=language) as tab:
            tab.page.goto("/deliveries")
            menu = tab.page.get_by_role("navigation").first
            assert menu.evaluate("each => each.scrollWidth - each.clientWidth") <= 0, language


def test_right_to_left(browser: Browser, made: Set) -> None:
    with made.tab(browser, viewport=NARROW) as tab:
        tab.page.goto("/feeds/news")
        tab.page.get_by_role("link", name="أخبار اليوم").click()
        for selector in ("h1", ".content p"):
            assert (
                tab.page.locator(selector).first.evaluate("each => getComputedStyle(each).direction") == "rtl"
            )
        assert tab.page.locator("html").evaluate("each => getComputedStyle(each).direction") == "ltr"


def test_axe_finds_nothing_on_any_page(browser: Browser, made: Set) -> None:
    """On a narrow screen, in the dark, in Chinese, for who may do most."""
    entry = f"/entries/{made.edited}"
    lists = "/ /changes /sources /sources/news /sources/broken /feeds /feeds/news /deliveries /search /search?q=fee"
    paths = [
        *lists.split(),
        entry,
        f"{entry}?revision=1",
        f"{entry}/diff/1..2",
        f"{entry}/diff/1..2?view=side",
    ]
    with made.tab(browser, viewport=NARROW, color_scheme="dark", locale="zh-CN") as tab:
        assert tab.visit("/login") + tab.violations() == []
        tab.page.locator("#token").fill(made.token)
        tab.page.locator("main button").click()
        found = {
            path: said
            for path in [*paths, "/settings", "/api"]
            if (said := tab.visit(path) + tab.violations())
        }
        assert tab.visit("/nothing") + tab.violations() == ["answers 404"]
    assert found == {}


def test_axe_finds_nothing_in_the_light(browser: Browser, made: Set) -> None:
    """Where other colours meet: on a wide screen, for a guest."""
    entry = f"/entries/{made.edited}"
    paths = ["/", "/sources/broken", "/deliveries", "/search?q=fee", entry, f"{entry}/diff/1..2"]
    with made.tab(browser, color_scheme="light") as tab:
        found = {path: said for path in paths if (said := tab.visit(path) + tab.violations())}
    assert found == {}
