from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from feedd.errors import SelectorRot, SourceError
from feedd.normalise.html import clean
from feedd.normalise.text import plain_text
from feedd.sources.article import ExtractedArticle, extract_article

PAGES = Path(__file__).parent.parent / "data" / "pages"
URL = "https://courier.example/news/bamboo-bridge"


def extract(page: str, content: str = "auto", content_type: str | None = None) -> ExtractedArticle:
    return extract_article((PAGES / page).read_bytes(), URL, content_type, content)


def of(markup: str, content: str = "body") -> ExtractedArticle:
    return extract_article(markup.encode(), URL, "text/html; charset=utf-8", content)


def shown(article: ExtractedArticle) -> str:
    return clean(article.html, article.base_url or URL)


def moment(text: str) -> int:
    return int(datetime.fromisoformat(text).astimezone(UTC).timestamp() * 1000)


# per page: what of it is the article, what is none of it, what structure must stay
EXPECTED = {
    "news.html": (
        (
            "washed away by the flood|Every family sent somebody|two metres higher|A crossing older than the road"
            "|carried 41,000 passengers|I have not seen my sister|drew gifts from eleven countries|Length: 84 metres"
            "|Load: 150 people|Bicycles must be pushed|seen from the eastern bank"
        ),
        (
            "cookies|Share on|What the flood took|newsletter|Sign up|Mountain school|riverrat|my commute|All rights"
            "|Weather|Wonderful news"
        ),
        "<img <a <h2> <blockquote> <li> <figcaption>",
    ),
    "chinese.html": (
        "去年春天被洪水冲毁|工程负责人表示|据县志记载|一位老人说|自行车须推行",
        "相关新闻|山谷小学|热门排行|新茶上市|版权所有|财经|微博",
        "<img",
    ),
    "blog.html": (
        (
            "every mistake there is|The first|hung outside like a beard|feeding too late|Curiosity costs honey"
            "|write everything down"
        ),
        "Blogroll|rains|Leave a reply|two colonies|old laptop|Click to share",
        "<img <a <strong>",
    ),
    "howto.html": (
        (
            "still loses lines|What happens|holds the file open|kill -HUP|compressor must wait|40 ms"
            "|Lines lost before and after|no longer grows|lost lines|mailing list"
        ),
        "Ten flags|Cron is fine|tired people|Home",
        "<img <table> <td> <pre> <code> <ol> <ul> <h2> two.png",
    ),
    "short.html": ("closed on Sunday from six|Buses turn at the mill", "All rights|Weather", ""),
    "paywall.html": (
        "Three districts argue|gates closed for the first time",
        "Choose an offer|24.90|All rights",
        "",
    ),
    "german.html": (
        "mit 31 zu 12|Käthe Böhm|Opposition hält|Fahrräder reisen",
        "Impressum|Warum Nachtzüge|Abo",
        "",
    ),
    "divs.html": (
        "He starts at dusk|Do people know you|The children do|when the wires come|Sleep, for a week|lights the next",
        "clockmaker|Seven doors|Follow us|Places",
        "",
    ),
}


@pytest.mark.parametrize("page", EXPECTED)
def test_an_article_is_found_alone(page: str) -> None:
    html = shown(extract(page))
    text = plain_text(html)
    wanted, unwanted, structure = EXPECTED[page]
    assert [words for words in wanted.split("|") if words not in text] == []
    assert [words for words in unwanted.split("|") if words in text] == []
    assert [tag for tag in structure.split() if tag not in html] == []


def test_what_a_news_page_states() -> None:
    article = extract("news.html")
    assert article._replace(html="") == ExtractedArticle(
        title="Bamboo bridge reopens after flood",
        html="",
        published_ms=moment("2026-11-20T08:15:00+01:00"),
        updated_ms=moment("2026-11-21T10:00:00+01:00"),
        image="https://courier.example/img/bridge-lead.jpg",
        authors=("Mara Quill", "Tom Reed"),
        language="en-GB",
        base_url=URL,
    )


@pytest.mark.parametrize(
    ("page", "title", "published", "authors", "language"),
    [
        ("chinese.html", "竹桥修复后重新开放", "2026-11-24T10:21:00+08:00", (), "zh-CN"),
        (
            "blog.html",
            "Notes on keeping bees in a city – Small Gardens",
            "2026-11-03T00:00:00+00:00",
            (),
            "en",
        ),
        ("howto.html", "Rotating logs without losing a line", "2026-09-02T00:00:00+00:00", (), "en"),
        ("paywall.html", "Who pays for the dam?", "2026-11-19T00:00:00+00:00", ("Ada Finch",), "en"),
        ("german.html", "Stadtrat beschließt Nachtzug", None, (), "de"),
    ],
)
def test_what_other_pages_state(
    page: str, title: str, published: str | None, authors: tuple[str, ...], language: str
) -> None:
    article = extract(page)
    stated = moment(published) if published else None
    assert (article.title, article.published_ms, article.authors, article.language) == (
        title,
        stated,
        authors,
        language,
    )


@pytest.mark.parametrize("content", [".entry-content", "xpath://div[@class='entry-content']"])
def test_an_article_by_selector(content: str) -> None:
    article = extract("blog.html", content)
    text = plain_text(shown(article))
    assert text.startswith("I got my first hive in April")
    assert text.endswith("write everything down.")
    assert 'src="https://courier.example/news/hive.jpg"' in shown(article)


def test_all_that_a_selector_finds_belongs_to_the_article() -> None:
    article = of("<h1>T</h1><p class=a>One</p><p>not</p><p class=a>Two</p><p class=a> </p>", "p.a")
    assert (article.title, plain_text(shown(article))) == ("T", "One\nTwo")


def test_an_article_in_json() -> None:
    data = b'{"post": {"body": "<p>Text</p>"}}'
    assert extract_article(data, URL, "application/json", "json:post.body").html == "<p>Text</p>"
    with pytest.raises(SelectorRot):
        extract_article(data, URL, "application/json", "auto")


@pytest.mark.parametrize("content", ["article.none", "xpath://article[@id='x']", "auto"])
@pytest.mark.parametrize("page", ["", "<title>Just a moment</title><div id=app></div><script>var a</script>"])
def test_no_article_is_a_failure_that_says_which(page: str, content: str) -> None:
    with pytest.raises(SelectorRot) as caught:
        of(page, content)
    assert content in str(caught.value)
    assert URL in str(caught.value)


def test_addresses_are_relative_to_the_base() -> None:
    article = of(
        '<base href="/archive/"><meta property=og:image content="i.jpg"><p><a href="x">x</a></p>', "p"
    )
    assert article.base_url == "https://courier.example/archive/"
    assert article.image == "https://courier.example/archive/i.jpg"


@pytest.mark.parametrize(
    ("script", "authors", "image"),
    [
        ('{"@type": "BlogPosting", "author": "A. B."}', ("A. B.",), None),
        ('[{"@type": "Person", "name": "No"}, {"@type": ["X", "Article"], "author": ["C", {"name": "D"}, 3]}]', ("C", "D"), None),
        ('{"@graph": [{"@type": "WebPage", "mainEntity": {"@type": "Report", "image": ["/a.png"]}}]}', (), "https://courier.example/a.png"),
        ('{"@type": "NewsArticle", "author": {"name": "https://x.example/me"}, "image": {"url": ["/b.png"]}}', (), "https://courier.example/b.png"),
        ('{"@type": "NewsArticle", "author": broken', (), None),
        ("[" * 100_000, (), None),
        ('{"@type": 7, "author": 8}', (), None),
    ],
)  # fmt: skip
def test_json_ld(script: str, authors: tuple[str, ...], image: str | None) -> None:
    article = of(f'<script type="application/ld+json">{script}</script><p>Text</p>')
    assert (article.authors, article.image) == (authors, image)


def test_time_elements() -> None:
    article = of(
        '<time itemprop="dateModified" datetime="2026-11-25">x</time><time datetime="2020-01-01">y</time>'
        '<time itemprop="datePublished" datetime="2026-11-24">z</time>'
    )
    assert article.published_ms == moment("2026-11-24T00:00:00+00:00")
    assert article.updated_ms == moment("2026-11-25T00:00:00+00:00")


def test_matter_that_is_most_of_the_page_is_kept_whatever_it_is_called() -> None:
    text = "All of this is the story that the page is about, sentence after sentence. " * 12
    article = of(f'<div class="page share"><div class="x"><p>{text}</p><p>{text}</p></div></div>', "auto")
    assert plain_text(shown(article)).count("sentence after sentence") == 24


@pytest.mark.parametrize(
    "page",
    [
        "<div>" * 200_000,
        "<p>x" * 150_000,
        "<p>" + "a " * 1_000_000,
        "<p>" + " \n" * 1_000_000 + "x",
        "<table>" * 240 + "<p>Text of some length, with commas, and so on</p>",
        "<p class='share related'>" * 60_000,
        "<img width=x><p>" + "word, " * 400,
        "<p>" + "&" * 500_000,
        '<meta property="og:image" content="/x">' * 50_000 + "<p>The text of the page, such as it is.",
    ],
    ids=["deep", "many", "long", "blank", "tables", "beside", "image", "references", "metas"],
)
@pytest.mark.timeout(20)
def test_hostile_pages_end(page: str) -> None:
    with suppress(SourceError):
        assert of(page, "auto").html


@settings(max_examples=60)
@given(
    st.binary() | st.text("<>/pdivarticle \"'=!-?[]&;").map(str.encode),
    st.sampled_from(["auto", "p", "xpath://*"]),
)
def test_any_bytes_are_an_article_or_a_named_error(data: bytes, content: str) -> None:
    try:
        article = extract_article(data, URL, None, content)
    except SourceError:
        return
    assert article.html
