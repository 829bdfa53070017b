import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedd.errors import SelectorRot, SourceError
from feedd.model import RawItem
from feedd.sources.watched import Watching, watched_item

URL = "https://example.org/legal/terms"
PAGE = """<html><head><title>Terms  of use</title><style>p{}</style></head><body>
<nav>Home</nav><main><h1>Terms</h1><p>You may <b>read</b>.</p><p class="stamp">Updated <i>5 minutes</i> ago</p>
<script>var x = 1</script><!-- build 77 --><ul><li>One</li><li>Two</li></ul><img src="logo.png?v=3"></main>
<table><tr class="r"><td>1</td></tr><tr class="r"><td>2</td></tr></table></body></html>"""


def watch(page: str | bytes = PAGE, content_type: str | None = "text/html", **wanted: Any) -> RawItem:
    data = page if isinstance(page, bytes) else page.encode()
    return watched_item(data, URL, content_type, Watching(**wanted))


def test_a_page_is_one_entry() -> None:
    item = watch()
    assert (item.guid, item.url, item.title, item.published_ms, item.updated_ms) == (
        None,
        URL,
        "Terms of use",
        None,
        None,
    )
    assert "var x" not in item.html
    assert "build 77" not in item.html
    assert "<nav>Home</nav>" in item.html
    assert "<title>" not in item.html
    assert item.base_url == URL


@pytest.mark.parametrize("select", ["main", "xpath://main"])
def test_a_part_of_a_page(select: str) -> None:
    html = watch(select=select).html
    assert html.startswith("<main><h1>Terms</h1>")
    assert "Home" not in html
    assert "var x" not in html


def test_several_parts_stand_one_after_another() -> None:
    assert watch(select="h1, li").html == "<h1>Terms</h1><ul><li>One</li><li>Two</li></ul>"
    assert (
        watch(select="tr.r").html
        == '<table><tr class="r"><td>1</td></tr><tr class="r"><td>2</td></tr></table>'
    )
    assert watch(select="xpath://td/text()").html == "<p>1</p><p>2</p>"
    assert watch(select="img@src").html == "<p>logo.png?v=3</p>"


@pytest.mark.parametrize(
    ("remove", "gone"),
    [
        (("p.stamp", "nav"), ("Updated", "Home")),
        (("xpath://p[@class='stamp']", "xpath://nav"), ("Updated", "Home")),
        (("main", "li"), ("Terms</h1>", "One")),
        (("img@src",), ("logo.png",)),
        (("xpath://body", ".none", "xpath:count(//p)"), ()),
    ],
)
def test_what_is_removed(remove: tuple[str, ...], gone: tuple[str, ...]) -> None:
    try:
        html = watch(remove=remove).html
    except SelectorRot:
        assert remove[0] == "xpath://body"
        return
    assert all(words not in html for words in gone)
    assert "<td>1</td>" in html


def test_what_is_ignored_may_go_across_mark_up_within_a_block() -> None:
    item = watch(select="main", ignore=(re.compile(r"Updated .* ago"),))
    assert "Updated" not in item.html
    assert "stamp" not in item.html  # a block that is empty without it
    assert "<p>You may <b>read</b>.</p>" in item.html


def test_what_is_ignored_goes_not_across_blocks() -> None:
    assert "One" in watch(ignore=(re.compile("One.*Two", re.DOTALL),)).html


def test_parts_of_texts_are_ignored() -> None:
    html = watch(
        "<p>seen 1<b>2</b>3 times by 45 people <i>6</i></p>", ignore=(re.compile("[0-9]+"), re.compile(" by"))
    ).html
    assert html == "<p>seen <b></b> times  people <i></i></p>"


def test_text_only() -> None:
    item = watch(select="main", text_only=True, ignore=(re.compile("[0-9]+ minutes"),))
    assert item.html == "<p>Terms</p><p>You may read.</p><p>Updated ago</p><p>One</p><p>Two</p>"
    assert watch("<pre>a\n  b\n</pre>", text_only=True).html == "<p>a</p><p>b</p>"


def test_plain_text() -> None:
    item = watch("User-agent: *\nDisallow: /a?b<c\n", "text/plain")
    assert (item.title, item.html) == ("terms", "<pre>User-agent: *\nDisallow: /a?b&lt;c\n</pre>")
    assert watch("a\n\nb", "text/plain", text_only=True).html == "<p>a</p><p>b</p>"
    assert watch("a 1\nb 2", "text/plain", ignore=(re.compile(r"(?m)\s\d$"),)).html == "<pre>a\nb</pre>"
    with pytest.raises(SelectorRot, match="plain text"):
        watch("a", "text/plain", select="p")


def test_json_is_shown_in_one_form() -> None:
    one, two = (
        '{"b": [1, {"d": "é", "c": null}], "a": "<x>"}',
        ' {"a":"<x>","b":[1,{"c":null,"d":"\\u00e9"}]}\n',
    )
    assert watch(one, "application/json").html == watch(two, "application/json").html
    assert watch(one, "application/json").html.startswith('<pre>{\n  "a": "&lt;x&gt;",\n  "b": [\n    1,')


def test_parts_of_json() -> None:
    page = '{"time": 7, "items": [{"n": 1, "at": 3}, {"n": 2, "at": 4}]}'
    assert watch(page, None, select="json:items[*].n").html == "<pre>1\n2</pre>"
    cleared = watch(page, None, remove=("json:time", "json:items[*].at", "json:none.x", "p")).html
    assert "at" not in cleared
    assert "time" not in cleared
    assert watch(page, None, remove=("json:items[0]",), select="json:items[*].n").html == "<pre>2</pre>"
    assert watch(page, None, remove=("json:*",)).html == "<pre>{}</pre>"
    with pytest.raises(SelectorRot, match="'json:none' finds nothing"):
        watch(page, None, select="json:none")


@pytest.mark.parametrize(
    ("page", "wanted", "words"),
    [
        (PAGE, {"select": "article"}, "select 'article' finds nothing"),
        ("", {}, "nothing is left"),
        ("<title>App</title><script>x</script>", {}, "nothing is left"),
        ("<p>a</p>", {"remove": ("p",)}, "nothing is left"),
        ("<p>a</p>", {"ignore": (re.compile("a"),)}, "nothing is left"),
        ("<p>a</p>", {"select": "p", "remove": ("p",)}, "select 'p' finds nothing"),
    ],
)
def test_nothing_to_watch_is_a_failure(page: str, wanted: dict[str, Any], words: str) -> None:
    with pytest.raises(SelectorRot, match=re.escape(words)):
        watch(page, **wanted)


def test_a_picture_alone_is_something() -> None:
    assert watch("<img src=a.png>").html == '<img src="a.png"/>'


@given(
    st.lists(st.text("ab1", max_size=6), max_size=6),
    st.sampled_from(["[0-9]+", "a.*?b", "ab", "", "b*", "(?s).+", "(?<=a)b", "^a|b$"]),
)
def test_what_is_ignored_is_what_the_expression_finds_in_all_texts(texts: list[str], pattern: str) -> None:
    page = f"<p>{''.join(f'<b>{text}</b>' for text in texts)}</p><img>"
    html = watch(page, ignore=(re.compile(pattern),), select="p, img").html
    before = html.partition("<img")[0]
    assert re.sub("<[^>]*>", "", before) == re.sub(pattern, "", "".join(texts))


@given(
    st.binary() | st.text("<>/pdivtable \"'=!-?[]{}:1&;").map(str.encode),
    st.sampled_from([None, "p", "xpath://*", "json:a", "@a"]),
    st.sampled_from([(), ("p",), ("xpath://p",), ("json:a[0]", "p@a")]),
    st.booleans(),
)
def test_any_bytes_are_a_page_or_a_named_error(
    data: bytes, select: str | None, remove: tuple[str, ...], text_only: bool
) -> None:
    try:
        item = watch(
            data, None, select=select, remove=remove, ignore=(re.compile("[a-p]+"),), text_only=text_only
        )
    except SourceError:
        return
    assert item.html
    assert item.title


def test_deep_json() -> None:
    with pytest.raises(SourceError):
        watch("[" * 100_000 + "]" * 100_000, "application/json")
