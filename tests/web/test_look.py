"""Languages and colours of the pages, and what they load."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from gated import Gated
from hypothesis import given
from hypothesis import strategies as st
from lxml import html

from feedd.access.scopes import Scope
from feedd.web import assets, pages
from feedd.web.translation import CATALOGUES, LANGUAGES, counted, preferred, translated

TEMPLATES = sorted(pages.environment.list_templates(["html"]))
PLACEHOLDER = re.compile(r"%\((\w+)\)s|<[^>]+>")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gated]:
    with Gated(tmp_path_factory.mktemp("look")) as gated:
        yield gated


def texts_of(template: str) -> set[str]:
    """All texts of a template that are translated; of those that are counted, the form for many."""
    assert pages.environment.loader is not None
    source, _, _ = pages.environment.loader.get_source(pages.environment, template)
    found = pages.environment.extract_translations(source)  # type: ignore[attr-defined]
    told = [(name, text if isinstance(text, tuple) else (text,)) for _, name, text in found]
    chosen = [texts[1] if name == "ngettext" else texts[0] for name, texts in told]
    return {text for text in chosen if text is not None}  # what is named by a variable is not known here


@pytest.mark.parametrize("template", TEMPLATES)
def test_each_text_of_a_page_is_there_in_every_language(template: str) -> None:
    for language, texts in CATALOGUES.items():
        assert not {text for text in texts_of(template) if text not in texts}, language


def test_no_translation_is_left_over_or_loses_a_value() -> None:
    said_by_templates = set().union(*map(texts_of, TEMPLATES))
    for texts in CATALOGUES.values():
        for english, text in texts.items():
            assert text.strip() == text != ""
            if english in said_by_templates:
                wanted, given_ = (sorted(PLACEHOLDER.findall(each)) for each in (english, text))
                assert wanted == given_, english


@pytest.mark.parametrize("language", sorted(CATALOGUES))
def test_what_is_said_on_several_pages_is_said_alike(language: str) -> None:
    said = dict[str, str]()
    for part in sorted(Path(str(assets.FOLDER / "words" / language)).iterdir()):
        for english, text in tomllib.loads(part.read_text("utf-8")).items():
            assert said.setdefault(english, text) == text, (part.name, english)


@pytest.mark.parametrize(
    ("accepted", "language"),
    [
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-US,en;q=0.9,zh;q=0.8", "en"),
        ("fr, de;q=0.9", "en"),
        ("fr, zh;q=0.1", "zh"),
        ("zh;q=0, en;q=0.1", "en"),
        ("ZH-Hant-TW", "zh"),
        ("zh;q=nonsense, en", "en"),
        ("zh;q=9, en;q=1", "zh"),
        (",".join(["xx"] * 40 + ["zh"]), "en"),
    ],
)
def test_the_language_is_the_one_that_is_liked_best(accepted: str, language: str) -> None:
    assert preferred(accepted) == language


@given(st.text(max_size=300))
def test_any_header_names_a_language(accepted: str) -> None:
    assert preferred(accepted) in LANGUAGES


def test_numbers_have_their_forms() -> None:
    assert [counted("one", "many", number, "en") for number in (0, 1, 2)] == ["many", "one", "many"]
    assert counted("%(num)s entry", "%(num)s entries", 1, "zh") == "%(num)s 条"
    assert translated("no such text", "zh") == "no such text"


def test_pages_speak_the_language_of_the_browser_until_it_is_chosen(site: Gated) -> None:
    assert '<html lang="en">' in site.get("/", Accept_Language="fr").text
    chinese = site.get("/", Accept_Language="zh-CN")
    assert '<html lang="zh-Hans">' in chinese.text
    assert "最新内容" in chinese.text
    assert {"accept-language", "cookie"} <= {
        each.strip().lower() for each in chinese.headers["vary"].split(",")
    }
    with site.client(headers={"Accept-Language": "zh"}) as client:
        chosen = client.get("/preferences?language=en&theme=dark&next=/feeds")
        assert (chosen.status_code, chosen.headers["location"]) == (303, "/feeds")
        page = client.get("/").text
        assert '<html lang="en" data-theme="dark">' in page
        assert 'content="dark"' in page
        client.get("/preferences?theme=auto")
        assert '<html lang="en">' in client.get("/").text


@pytest.mark.parametrize(
    ("path", "status", "heading", "said"),
    [
        ("/nowhere", 404, "找不到", "这里没有页面。"),
        ("/feeds/none", 404, "找不到", "没有这个名称的订阅源。"),
        ("/entries/1?revision=99", 404, "找不到", "该条目没有第 99 版；最后一版是第 1 版。"),
        ("/feeds?page=0", 400, "无法完成", "page 须为从 1 开始的整数。"),
        ("/feeds/secret", 401, "需要令牌", "仅供持有令牌的人使用"),
    ],
)
def test_what_can_not_be_shown_is_said_in_words(
    site: Gated, path: str, status: int, heading: str, said: str
) -> None:
    answer = site.get(path, Accept="text/html", Accept_Language="zh")
    tree = html.document_fromstring(answer.text)
    assert (answer.status_code, tree.xpath("string(//h1)")) == (status, heading)
    assert said in tree.xpath("string(//main/p[1])")
    assert not tree.xpath("//main//*[@lang='en']")
    english = html.document_fromstring(site.get(path, Accept="text/html").text).xpath("string(//h1)")
    assert english[0].isupper()
    assert heading == translated(english, "zh")


def test_a_method_that_an_address_does_not_take(site: Gated) -> None:
    bearer = f"Bearer {site.token('poster', Scope.WRITE)}"
    answer = site.post("/feeds", Accept="text/html", Authorization=bearer)
    assert answer.status_code == 405
    assert html.document_fromstring(answer.text).xpath("string(//h1)") == "Not possible here"


@pytest.mark.parametrize("wanted", ["//evil.example/", "https://evil.example", "/\\evil", "", "x" * 5000])
def test_preferences_lead_nowhere_else(site: Gated, wanted: str) -> None:
    with site.client() as client:
        answer = client.get("/preferences", params={"language": "zh", "next": wanted})
    assert answer.headers["location"] == "/"


@pytest.mark.parametrize("query", ["language=xx", "theme=blue", "language=", "theme=%00"])
def test_preferences_that_there_are_not(site: Gated, query: str) -> None:
    answer = site.get(f"/preferences?{query}")
    assert answer.status_code == 400
    assert "is one of" in answer.text
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("cookie", ["feedd-language=<script>; feedd-theme=x", "feedd-theme=dark<", "=;;=,"])
def test_cookies_that_nobody_set_change_nothing(site: Gated, cookie: str) -> None:
    page = site.get("/", Cookie=cookie)
    assert page.status_code == 200
    assert '<html lang="en">' in page.text


def test_what_pages_load_is_theirs_and_is_kept(site: Gated) -> None:
    page = site.get("/").text
    loaded = re.findall(r'(?:src|href)="(/(?:style\.css|static/)[^"]*)"', page)
    assert {address.partition("?")[0] for address in loaded} == set(assets.ASSETS)
    for address in loaded:
        answer = site.get(address)
        assert answer.headers["cache-control"] == assets.FOREVER
        assert site.get(address, If_None_Match=answer.headers["etag"]).status_code == 304
    assert site.get("/style.css?v=other").headers["cache-control"] == assets.FOR_AN_HOUR
    assert site.get("/static/../app.py").status_code == 404
    assert site.get("/static/none.js").status_code == 404


def test_pages_need_nothing_that_their_policy_forbids() -> None:
    for template in TEMPLATES:
        assert pages.environment.loader is not None
        source, _, _ = pages.environment.loader.get_source(pages.environment, template)
        assert not re.search(
            r"\sstyle=|<style|<script(?! src)|\son[a-z]+=|javascript:|https?://(?!www\.w3)", source
        ), template


def test_the_script_listens_for_every_kind_of_change() -> None:
    from feedd.model import Kind

    script = Path(str(assets.FOLDER / "static/pages.js")).read_text()
    assert not [kind for kind in Kind if f'"{kind}"' not in script]
