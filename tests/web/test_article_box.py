"""What a page makes of an article's HTML."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import html

from feedd.normalise.html import clean
from feedd.web.article import boxed, pictures_in, written_in

REL = ' rel="noreferrer nofollow ugc"'
NAMES = (
    "p div h1 h2 h3 h6 ul ol li dl dt dd table tr td th b em a img video audio main section details summary pre hr br"
    " figure figcaption blockquote span"
).split()


def shown(raw: str, *, pictures: bool = False) -> str:
    return boxed(clean(raw, "https://example.org/a/"), "en", pictures=pictures)


@pytest.mark.parametrize(
    ("raw", "box"),
    [
        ("<h1>A</h1><h3>B</h3><h2>C</h2><h1>D</h1>", "<h2>A</h2><h3>B</h3><h3>C</h3><h2>D</h2>"),
        ("<h6>A</h6><h2>B</h2><h4>C</h4>", "<h2>A</h2><h2>B</h2><h3>C</h3>"),
        ("<a href='/x'></a><a href='/x'> <b> </b></a>y", "y"),
        ("<a href='/x' title='t'>x</a>", f'<a href="https://example.org/x" title="t"{REL}>x</a>'),
        ("<a>x</a>", "<a>x</a>"),
        ("<ul><p>x</p><li>y</li><br></ul>", "<ul><li><p>x</p></li><li>y</li></ul>"),
        ("<div><li>x</li><dt>y</dt></div>", "<div><div>x</div><div>y</div></div>"),
        ("<dl><div><dt>x</dt><dd>y</dd></div></dl>", "<dl><div><dt>x</dt><dd>y</dd></div></dl>"),
        ("<main>x</main>", "<div>x</div>"),
        ("<p lang='en'>x</p><p lang='no such &amp;'>y</p>", '<p lang="en">x</p><p>y</p>'),
        (
            "<a href='/x'><video src='/v.mp4'></video></a>",
            f'<a href="https://example.org/x"{REL}><span class="picture"><b>Video</b></span> </a>',
        ),
        (
            "<audio src='/v.mp3'></audio>",
            f'<a class="picture" href="https://example.org/v.mp3"{REL}><b>▶ Sound</b></a> ',
        ),
        (
            "<img src='/x.png' alt='a &quot;b&quot;>'>",
            '<span class="picture"><b>Picture</b> a &quot;b&quot;&gt;</span>',
        ),
        ("<img src='/x.png'>", '<span class="picture"><b>Picture</b></span>'),
    ],
)
def test_tags_are_made_fit_for_a_page(raw: str, box: str) -> None:
    assert shown(raw).replace("a &quot;b&quot;>", "a &quot;b&quot;&gt;") == box


def test_wide_tables_are_scrolled_by_themselves() -> None:
    tree = html.fragment_fromstring(
        shown(
            "<table><tr><th></th><th>a</th></tr><tr><td><table><tr><td>b</td></tr></table></td></tr></table>"
        ),
        "div",
    )
    (around,) = tree.xpath(".//div[@class='scroll']")
    assert (around.get("tabindex"), around.get("role"), around.get("aria-label")) == ("0", "group", "Table")
    assert len(around.xpath(".//table")) == 2
    assert around.xpath("count(.//th)") == 1, "an empty one heads nothing"


def test_a_picture_says_something_where_it_is_a_link() -> None:
    box = shown("<a href='/x'><img src='/1.png'></a><img src='/2.png' width='5'>", pictures=True)
    tree = html.fragment_fromstring(box, "div")
    assert tree.xpath(".//img/@alt") == ["Picture", ""]
    assert (
        pictures_in(clean("<img src='https://example.org/1.png'><p>&lt;img&gt;</p>", "https://example.org/"))
        == 1
    )


trees = st.recursive(
    st.sampled_from(["x", "two words", "<br>", "<img src='https://example.org/1.png'>", "<hr>", " "]),
    lambda inner: st.tuples(st.sampled_from(NAMES), st.lists(inner, max_size=4)).map(
        lambda made: (
            f"<{made[0]} href='https://example.org/' src='https://example.org/'>{''.join(made[1])}</{made[0]}>"
        )
    ),
    max_leaves=25,
)


@settings(max_examples=150, deadline=None)
@given(st.lists(trees, max_size=4).map("".join), st.booleans())
def test_whatever_the_article(raw: str, pictures: bool) -> None:
    cleaned = clean(raw, "https://example.org/")
    box = boxed(cleaned, "en", pictures=pictures)
    tree = html.fragment_fromstring(box, "div")
    assert not tree.xpath(".//video | .//audio | .//main | .//h1")
    assert bool(tree.xpath(".//img")) <= pictures
    assert all(each.get("rel") == "noreferrer nofollow ugc" for each in tree.xpath(".//a[@href]"))
    levels = [int(level) for level in re.findall("<h([1-6])", box)]
    assert all(later <= before + 1 for before, later in zip([1, *levels], levels, strict=False))
    told = [re.sub(r"<[^>]*>|▶|Picture|Video|Sound|\s", "", text) for text in (cleaned, box)]
    assert told[0] == told[1], "no word is lost"
    assert box.count("<") - box.count("</") - len(re.findall("<(?:img|br|hr|col|wbr)", box)) == box.count(
        "</"
    )


@pytest.mark.parametrize(
    ("languages", "written"),
    [
        (("ar", "en"), ("ar", "rtl")),
        ((None, "he-IL"), ("he-IL", "rtl")),
        (("fa_IR",), ("fa-IR", "rtl")),
        (("AR",), ("AR", "rtl")),
        (("pa-Arab-PK",), ("pa-Arab-PK", "rtl")),
        (("ar-Latn",), ("ar-Latn", "auto")),
        (("en",), ("en", "auto")),
        (("English (UK)", "zh-Hant"), ("zh-Hant", "auto")),
        (('"><script>', None), ("", "auto")),
        ((), ("", "auto")),
    ],
)
def test_the_direction_of_a_language(languages: tuple[str | None, ...], written: tuple[str, str]) -> None:
    assert written_in(*languages) == written
