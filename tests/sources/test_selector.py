import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedd.errors import SelectorRot, SourceError
from feedd.sources import selector as selectors
from feedd.sources.markup import Document
from feedd.sources.selector import Selector, Value, compile_selector, select, select_all

URL = "https://example.org/list"
PAGE = """<html><head><title>Jobs</title></head><body>
<ul><li class="job" data-url="/1"><h3>One</h3><a class="more x" href="/one">go</a><p>a<b>b</b><br>c</p></li>
<li class="job" data-url="/2"><h3>Two</h3><a href="/two">go</a></li></ul>
<a href="mailto:x@y.example">mail</a></body></html>"""


def found(text: str, page: str = PAGE, content_type: str = "text/html") -> list[str]:
    document = Document(page.encode(), URL, content_type)
    return [selectors.text(each) for each in select_all(compile_selector(text), document)]


def within(text: str, entry: str = "li.job") -> list[str]:
    document = Document(PAGE.encode(), URL, "text/html")
    first = select_all(compile_selector(entry), document)[0]
    return [selectors.text(each) for each in select(compile_selector(text), first)]


@pytest.mark.parametrize(
    ("text", "path", "attribute"),
    [
        ("a@href", "a", "href"),
        ("time@datetime", "time", "datetime"),
        ("@data-url", "", "data-url"),
        ("@HREF", "", "href"),
        (" a.more @ href ", "a.more", "href"),
        ("a[href*='@']", "a[href*='@']", None),
        ('a[href="x@y"]@href', 'a[href="x@y"]', "href"),
        (r"a.sm\@ll@href", r"a.sm\@ll", "href"),
        ("a:is([title='(@)'])@xlink:href", "a:is([title='(@)'])", "xlink:href"),
        ("> h3", ":scope > h3", None),
    ],
)
def test_an_attribute_stands_behind_the_at_sign(text: str, path: str, attribute: str | None) -> None:
    selector = compile_selector(text)
    assert (selector.kind, selector.path, selector.attribute) == ("css", path, attribute)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "empty"),
        ("li..job", "'li..job' is not a CSS selector"),
        ("li[", "is not a CSS selector"),
        ("a@", "no attribute's name behind its @"),
        ("a@href, b@src", "no attribute's name"),
        ("a@b@c", "no attribute's name"),
        ("xpath://a[", "is not an XPath 1.0 expression"),
        ("xpath:", "is not an XPath 1.0 expression"),
        ("xpath:nonsense(.)", "is not an XPath 1.0 expression"),
        ("xpath:document('file:///etc/passwd')", "is not an XPath 1.0 expression"),
        ("xpath:re:test(., 'x')", "is not an XPath 1.0 expression"),
        ("json:a..b", "goes wrong at"),
        ("json:a[", "goes wrong at"),
        ("json:a[x]", "goes wrong at"),
        ("json:.a", "goes wrong at"),
        ("json:a b", "is missing before"),
        ("json:a.", "goes wrong at"),
    ],
)
def test_what_is_no_selector_is_said_so(text: str, words: str) -> None:
    with pytest.raises(ValueError) as caught:
        compile_selector(text)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("h3", ["One", "Two"]),
        ("li.job@data-url", ["/1", "/2"]),
        ("a.more@class", ["more x"]),
        ("li.none", []),
        ("a[href*='@']@href", ["mailto:x@y.example"]),
        ("xpath://li/h3", ["One", "Two"]),
        ("xpath://li/@data-url", ["/1", "/2"]),
        ("xpath:count(//li)", ["2"]),
        ("xpath:string(//h3[2])", [""]),
        ("xpath://h3/text()", ["One", "Two"]),
        ("xpath://comment()", []),
        ("@lang", []),
    ],
)
def test_in_a_page(text: str, expected: list[str]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize("entry", ["li.job", "xpath://li"])
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("@data-url", ["/1"]),
        ("a@href", ["/one"]),
        ("> h3", ["One"]),
        ("> b", []),
        ("li", ["One go ab c"]),  # nothing below: the entry itself
        ("p", ["ab c"]),  # a line break keeps words apart, bold type does not
        ("xpath:.//a/@href", ["/one"]),
        ("xpath:./h3", ["One"]),
        ("xpath:@data-url", ["/1"]),
        ("xpath:string-length(./h3) = 3", [""]),
    ],
)
def test_in_an_entry(entry: str, text: str, expected: list[str]) -> None:
    assert within(text, entry) == expected


def test_xpath_sees_around_an_entry_that_xpath_found() -> None:
    assert within("xpath:following-sibling::li/h3", "xpath://li") == ["Two"]


JSON = '{"data": {"items": [{"a b": "x", "n": 1.0, "tags": ["p", "q"]}, {"a b": "<b>y</b> &amp; z"}], "o": {"k": null}}}'


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('json:data.items[*]["a b"]', ["x", "y & z"]),
        ("json:$.data.items[0].tags", ["p", "q"]),
        ("json:data['items'][-1]['a b']", ["y & z"]),
        ("json:data.items[0].n", ["1"]),
        ("json:data.items[7].n", []),
        ("json:data.items.n", []),
        ("json:data.o.*", []),
        ("json:data.*[0].tags[1]", ["q"]),
        ("json:data.items.*.tags", ["p", "q"]),
    ],
)
def test_in_json(text: str, expected: list[str]) -> None:
    assert found(text, JSON, "application/json") == expected


def test_what_is_looked_for_in_the_wrong_place_is_said_so() -> None:
    with pytest.raises(SelectorRot, match="is JSON, where 'li' finds nothing"):
        found("li", JSON, "application/json")
    with pytest.raises(SelectorRot, match="looks for JSON within HTML"):
        within("json:a")
    with pytest.raises(SelectorRot, match="looks for HTML within JSON"):
        select(compile_selector("a"), Value({}))
    with pytest.raises(SourceError, match="no JSON that can be read"):
        found("json:a", PAGE)


def test_html_of_what_is_found() -> None:
    document = Document(PAGE.encode(), URL, "text/html")
    paragraph = select_all(compile_selector("p"), document)[0]
    assert selectors.html(paragraph) == "a<b>b</b><br/>c"
    assert selectors.html(Value("a < b")) == "a &lt; b"
    assert selectors.html(Value("<i>a</i>")) == "<i>a</i>"
    assert selectors.html(Value(3)) == "3"
    assert selectors.html(Value({"a": 1})) == ""


@pytest.mark.parametrize(
    ("data", "content_type", "expected"),
    [
        ("<p>日本</p>".encode("shift_jis"), "text/html; charset=Shift_JIS", "日本"),
        ("<meta charset=gbk><p>中文内容</p>".encode("gbk"), None, "中文内容"),
        ("<p>中文</p>".encode(), "text/html; charset=ISO-8859-1", "中文"),  # a server's guess
        ("<p>été</p>".encode("latin-1"), "text/html; charset=iso-8859-1", "été"),
        ("<p>été</p>".encode("latin-1"), "text/html; charset=nonsense", "été"),
        ("\ufeff<p>été</p>".encode(), "text/html; charset=iso-8859-1", "été"),
        ("<p>été</p>".encode("utf-16"), None, "été"),
        (b'<?xml version="1.0" encoding="utf-8"?><html xmlns="x"><p>a</p></html>', None, "a"),
        (b'<?xml version="1.0"?><items><p>a</p></items>', "application/xml", "a"),
    ],
)
def test_encodings(data: bytes, content_type: str | None, expected: str) -> None:
    document = Document(data, URL, content_type)
    assert [selectors.text(each) for each in select_all(compile_selector("p"), document)] == [expected]
    assert [selectors.text(each) for each in select_all(compile_selector("xpath://p"), document)] == [
        expected
    ]


@pytest.mark.parametrize("text", ["p", "xpath://p"])
@pytest.mark.parametrize(
    "page",
    [
        "<div>" * 100_000 + "x",
        "<p><i>x" * 150_000,
        "<b>" * 5_000 + "<p>x</p>",
        f"<p>x<a {' '.join(f'a{n}' for n in range(400_000))}>",
        f"<p>x<a b='>' {' '.join(f'a{n}=x' for n in range(300_000))}",
    ],
    ids=["deep", "many", "bold", "attributes", "unclosed"],
)
def test_a_page_out_of_all_proportion_is_refused(page: str, text: str) -> None:
    with pytest.raises(SourceError, match=r"more than [0-9,]+ (deep|tags|attributes)"):
        found(text, page)


@given(st.text() | st.text("ab.[]@*'\"\\:>()=json:xpath/ "))
def test_any_text_is_a_selector_or_a_value_error(text: str) -> None:
    try:
        selector = compile_selector(text)
    except ValueError:
        return
    assert isinstance(selector, Selector)
    assert compile_selector(selector.text) == selector
    found_or_not(selector, b"<ul><li class=a>x<!--c--><?p?></ul>")


@given(st.binary(), st.sampled_from(["li", "@a", "xpath://*", "xpath://text()", "json:a[*]", "json:$"]))
def test_any_bytes_are_a_page(data: bytes, text: str) -> None:
    found_or_not(compile_selector(text), data)


@given(st.text("<>/abdiv \"'=!-?[]&;xml"), st.sampled_from(["a", "xpath://*", "a@b"]))
def test_any_markup_is_a_page(page: str, text: str) -> None:
    found_or_not(compile_selector(text), page.encode())


def found_or_not(selector: Selector, data: bytes) -> None:
    document = Document(data, URL, None)
    try:
        for each in select_all(selector, document):
            assert isinstance(selectors.text(each), str)
            assert isinstance(selectors.html(each), str)
            for inner in ("b", "xpath:./*", "json:a"):
                try:
                    select(compile_selector(inner), each)
                except SelectorRot:
                    assert inner.startswith("json:") or isinstance(each, Value)
    except SourceError:
        pass


def test_who_only_checks_a_configuration_waits_for_no_library() -> None:
    script = "import sys, feedd.sources.selector as s; s.compile_selector('json:a'); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True)
    assert not {name.split(".")[0] for name in done.stdout.split()} & {
        "bs4",
        "lxml",
        "soupsieve",
        "readability",
    }


def test_long_attributes_are_no_matter() -> None:
    words = " ".join(f"w{number}=&quot;x&quot;" for number in range(50_000))
    assert found("p", f'<div data-props="{words}"><p>x</p></div>') == ["x"]
    assert found("p", f"<script>if (a <b) {words.replace(' ', ';')}</script><p>x</p>") == ["x"]
