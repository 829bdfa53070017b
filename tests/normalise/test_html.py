import re
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from selectolax.lexbor import LexborHTMLParser

from feedd.normalise.article import normalise
from feedd.normalise.html import SANITISER, SIMPLE_TREE, clean, is_clean, sanitised
from feedd.normalise.text import plain_text
from feedd.sources.decode import decode
from feedd.sources.seedfile import parse

BASE = "https://example.org/news/1"
PICTURE = "https://example.org/p.jpg"
SHOWN = f'<img src="{PICTURE}">'
BLANK = "data:image/svg+xml,%3Csvg%3E"
SHARE = '<a href="https://x.com/intent/tweet?url=x"><span></span></a>'
RFI = Path(__file__).parent.parent / "data" / "rfi.txt"


@pytest.mark.parametrize(
    "raw, cleaned",
    [
        ('<p class="x" id="y" style="color:red" tabindex="-1">a</p>', "<p>a</p>"),
        ('<h2 id="x" tabindex="-1">Heading</h2>', "<h2>Heading</h2>"),
        (
            '<time datetime="2024-02-02T10:21">02/02/2024</time>',
            '<time datetime="2024-02-02T10:21">02/02/2024</time>',
        ),
        ("<div><div><div>a</div></div></div>", "<div><div><div>a</div></div></div>"),
        ("<section>a</section><section>b</section>", "<section>a</section><section>b</section>"),
        ("<p>a<font color=red>b</font></p>", "<p>ab</p>"),
        ('<p dir="rtl" lang="fa">a</p>', '<p dir="rtl" lang="fa">a</p>'),
        ("<p>5 < 6 & 7 > 3</p>", "<p>5 &lt; 6 &amp; 7 &gt; 3</p>"),
        ("<p>a", "<p>a</p>"),
        ("  <p>a</p>\n", "<p>a</p>"),
        ("just text", "just text"),
        ("", ""),
        ("<pre>a\n  b</pre>", "<pre>a\n  b</pre>"),
        ("<pre>\n\n\na</pre>", "<pre>a</pre>"),
        (
            f"<figure>{SHOWN}<figcaption>c</figcaption></figure>",
            f"<figure>{SHOWN}<figcaption>c</figcaption></figure>",
        ),
    ],
)
def test_the_article_stays(raw: str, cleaned: str) -> None:
    assert clean(raw, BASE) == cleaned


def test_text_that_is_clean_needs_no_tree() -> None:
    """To the letter what a tree makes of it: of every third character that may stand in one."""
    every = "".join(filter(is_clean, map(chr, range(1, 0x110000, 3))))
    assert len(every) > 350_000
    some = [every[start : start + 90_000] for start in range(0, len(every), 90_000)]
    for raw in (
        *some,
        *(f"<p>{letters}</p>" for letters in some),
        " a\n<p></p>b<p> c\t</p> ",
        "<p>\n\na</p>\n\n<p>b</p>",
        "",
    ):
        assert is_clean(raw)
        assert clean(raw, BASE) == sanitised(raw, BASE)
        assert SANITISER.clean(raw) == raw


@pytest.mark.parametrize(
    "raw",
    [
        "a\r\nb",
        "\ufeffa",
        "a\xa0b",
        "a & b",
        "a &copy; b",
        "a > b",
        "a<br/>b",
        "<!-- a -->",
        "<p>a",
        "<p><p>a</p></p>",
        "<p><div>a</div></p>",
        "<p><b>a</i></p>",
        "<p><b><i>a</i></b></p>",
        '<p><i href="https://a.org/">a</i></p>',
        '<p><a href="/a">a</a></p>',
        '<p><a href="https://a.org">a</a></p>',
        '<p><a href="https://a.org/?a&b">a</a></p>',
        '<p><a href="https://x.com/intent/tweet">a</a></p>',
        '<img src="https://a.org/a.jpg" onerror="x">',
        '<img src="https://a.org/blank.gif">',
        '<img src="https://pixel.wp.com/g">',
        '<img src="https://1.2.3.400/a.jpg">',
        "a" * 100_001,
    ],
)
def test_what_may_not_be_clean_needs_a_tree(raw: str) -> None:
    assert not is_clean(raw)


@pytest.mark.parametrize(
    "clutter",
    [
        "<div data-selfpromo-newsletter></div>",
        "<div data-selfpromo-app><p>Get our app</p></div>",
        '<section role="region" data-e2e="advertisement" aria-label="x"><p>Buy</p></section>',
        '<div class="addtoany_share_save_container"><div>分享 :</div><a href="https://www.addtoany.com/add_to/x">X</a></div>',
        '<ins class="adsbygoogle">ad</ins>',
        f"<div data-ad><p data-ad>分享 :{SHARE}</p><ul><li data-ad>{SHARE}</li></ul></div>",
        f"<div><h3>Share</h3>\n<h4>Teilen</h4><p>分享 :</p><ul><li>{SHARE}<div>{SHARE}</div></li></ul></div>",
        '<div><p>Share</p><iframe src="https://www.facebook.com/sharer/x"></iframe></div>',
        f"<share-box><p>Share</p>{SHARE}</share-box>",
        '<share-button v-on:open="openModal">Share</share-button>',
        '<share-modal v-if="displayModal" v-on:close="closeModal"></share-modal>',
        "<x-empty></x-empty>",
        f"<div><div>分享 :</div><div>{SHARE}</div></div>",
        f"<div>分享 :</div> <div>{SHARE}</div>",
        f"<h3>Share this article</h3>{SHARE}{SHARE}",
        f"<p>Partager :</p>\n<ul><li>{SHARE}</li><li>{SHARE}</li></ul>",
        '<a href="https://www.facebook.com/dialog/share?app_id=1&amp;href=x">Facebook</a>',
        '<a href="https://www.facebook.com/sharer/sharer.php?u=x">Facebook</a>',
        '<a href="whatsapp://send?text=x">WhatsApp</a>',
        '<a href="https://web.whatsapp.com/send?text=x">WhatsApp</a>',
        '<a href="https://x.com/intent/tweet?url=x">X</a>',
        '<a href="https://twitter.com/intent/tweet?url=x">Twitter</a>',
        '<a href="//twitter.com/share?url=x">Twitter</a>',
        '<a href="mailto:?subject=x&amp;body=y">Mail</a>',
        '<img src="https://example.org/p.gif" width="1" height="1">',
        '<img src="https://www.facebook.com/tr?id=1">',
        '<img src="https://example.org/blank.gif">',
        f'<img src="{BLANK}">',
        '<img src="">',
        "<img>",
        '<img src="https://[::1">',
        '<img src="https://exa mple.org/p.jpg">',
        "<script>alert(1)</script>",
        "<style>p { color: red }</style>",
        "<noscript>Turn on scripts</noscript>",
        "<template><p>later</p></template>",
        '<iframe src="https://ads.example.net/frame"></iframe>',
        "<svg><text>drawing</text></svg>",
        "<form><input><button>Subscribe</button></form>",
        "<object data=x></object>",
        "<!-- comment -->",
    ],
)
def test_clutter_goes_and_nothing_else(clutter: str) -> None:
    cleaned = clean(f"<div><p>before</p>{clutter}<p>after</p></div>", BASE)
    assert "".join(cleaned.split()) == "<div><p>before</p><p>after</p></div>"
    assert plain_text(clean(f"<p>before</p>{clutter}<p>after</p>", BASE)) == "before\nafter"
    assert clean(f"<div><div>{clutter}</div></div>", BASE) in {"", "<div><div></div></div>"}


@pytest.mark.parametrize(
    "raw",
    [
        "<p>Share your memories</p>",
        "<p>分享</p>",
        "<p>分享会今天举行</p>",
        '<p><a href="https://x.com/reporter/status/1">a post</a></p>',
        '<p><a href="https://www.facebook.com/mayor/posts/1">a post</a></p>',
        '<p><a href="https://wa.me/33123">call</a></p>',
        '<p><a href="mailto:desk@example.org">write</a></p>',
        '<p><a href="tel:+33123">call</a></p>',
        '<img src="https://example.org/p.jpg" width="1">',
        "<ins>added</ins>",
        "<p></p>",
    ],
)
def test_what_only_looks_like_clutter_stays(raw: str) -> None:
    assert clean(raw, BASE) == raw


def test_a_word_before_a_share_link_is_no_heading() -> None:
    assert plain_text(clean(f"<p>Please <b>share</b> {SHARE}</p>", BASE)) == "Please share"
    assert plain_text(clean(f"<p>News</p>{SHARE}", BASE)) == "News"


def test_custom_elements_that_hold_the_article_are_unwrapped() -> None:
    raw = "<x-story v-if=a><p>a</p><x-card><p>b</p><share-button>c</share-button></x-card></x-story>"
    assert clean(raw, BASE) == "<p>a</p><p>b</p>"


def test_what_was_removed_can_be_asked_and_removed_again() -> None:
    """As `clutter` does: it is alone, and its memory nobody else's."""
    tree = LexborHTMLParser("<div><p title='t'>a<b>c</b></p><i>d</i></div>", is_fragment=True)
    box, within = tree.css("div")[0], tree.css("p")[0]
    box.decompose()
    assert (within.parent, within.prev, within.next, within.first_child) == (None, None, None, None)
    assert (within.tag, within.attributes, within.text()) == ("p", {"title": "t"}, "")
    within.decompose()
    assert not tree.html


def test_what_a_custom_element_takes_with_it_leaves_no_gap() -> None:
    assert clean(f"<div><share-box><p>{SHARE}</p></share-box></div>", BASE) == "<div></div>"


@pytest.mark.parametrize(
    "raw",
    [
        f'<img src="{BLANK}" data-lazy-src="{PICTURE}"><noscript><img src="{PICTURE}"></noscript>',
        f'<noscript><img src="{PICTURE}"></noscript><img src="{BLANK}" data-src="{PICTURE}">',
        f'<img src="{BLANK}" data-lazy-src="{PICTURE}"> \n <noscript><img src="https://example.org/other-size.jpg"></noscript>',
        f'<img src="{PICTURE}"><noscript><img src="{PICTURE}"></noscript>',
        f'<img src="/p.jpg"><noscript><img src="{PICTURE}"></noscript>',
        f'<img class="lazy"><noscript><img src="{PICTURE}"></noscript>',
        f'<noscript><img src="{PICTURE}"></noscript>',
        f'<noscript><img src="{PICTURE}"></noscript><noscript><img src="{PICTURE}"></noscript>',
        '<img src="/blank.gif" data-src="/p.jpg">',
        '<img src="/blank.gif" data-original="../p.jpg">',
        '<img src="//example.org/p.jpg">',
        '<img srcSet="/small.jpg 100w, /p.jpg 2000w, /middle.jpg 800w">',
        '<img srcset="/small.jpg, /p.jpg 1.5x">',
        '<img srcset="/small.jpg 1x,/p.jpg 2x,">',
        f'<img src="{BLANK}" data-srcset="/small.jpg 100w, /p.jpg 2000w">',
        '<picture><source srcset="/p.jpg 2x, /small.jpg 1x"><img></picture>',
        '<picture><source srcset="/big.webp 2x"><img src="/p.jpg"></picture>',
    ],
)
def test_a_picture_is_shown_once(raw: str) -> None:
    assert clean(raw, BASE) == SHOWN


def test_pictures_that_only_a_fallback_shows_stay() -> None:
    raw = '<img src="/a.jpg"><noscript><p>b <img src="/b.jpg"></p></noscript>'
    cleaned = clean(raw, BASE)
    assert cleaned == '<img src="https://example.org/a.jpg"><p>b <img src="https://example.org/b.jpg"></p>'


def test_a_proxied_picture_keeps_its_proxy() -> None:
    proxied = '<img src="https://images.weserv.nl/?url=example.org/p.jpg&amp;w=640">'
    assert clean(proxied, BASE) == proxied


@pytest.mark.parametrize(
    "raw, cleaned",
    [
        ('<a href="/a?b=1&c=2">x</a>', '<a href="https://example.org/a?b=1&amp;c=2">x</a>'),
        ('<a href="2">x</a>', '<a href="https://example.org/news/2">x</a>'),
        ('<a href="#note">x</a>', '<a href="https://example.org/news/1#note">x</a>'),
        ('<a href=" http://example.net/ ">x</a>', '<a href="http://example.net/">x</a>'),
        ('<a href="javascript:alert(1)">x</a>', "<a>x</a>"),
        ('<a href="data:text/html,x">x</a>', "<a>x</a>"),
        ('<a href="http://[::1">x</a>', "<a>x</a>"),
        ('<blockquote cite="/q">x</blockquote>', '<blockquote cite="https://example.org/q">x</blockquote>'),
        ('<q cite="java&#9;script:x()">x</q>', "<q>x</q>"),
        ('<blockquote cite=" JavaScript:x()">x</blockquote>', "<blockquote>x</blockquote>"),
        ('<q cite="mailto:a@example.org">x</q>', '<q cite="mailto:a@example.org">x</q>'),
        (
            '<video poster="/p.jpg"><source src="/v.mp4"></video>',
            '<video poster="https://example.org/p.jpg" src="https://example.org/v.mp4" controls=""></video>',
        ),
        ('<audio src="a.mp3"></audio>', '<audio src="https://example.org/news/a.mp3" controls=""></audio>'),
    ],
)
def test_addresses_are_absolute_or_absent(raw: str, cleaned: str) -> None:
    assert clean(raw, BASE) == cleaned


@pytest.mark.parametrize(
    "source, target",
    [
        ("https://www.youtube.com/embed/abcdefghijk?rel=0", "https://www.youtube.com/watch?v=abcdefghijk"),
        ("//www.youtube-nocookie.com/embed/abcdefghijk", "https://www.youtube.com/watch?v=abcdefghijk"),
        ("https://player.vimeo.com/video/123", "https://vimeo.com/123"),
        ("https://w.soundcloud.com/player/?url=https%3A//example.org/track", "https://example.org/track"),
    ],
)
def test_a_player_becomes_a_link(source: str, target: str) -> None:
    for attribute in ("src", "data-lazy-src", "data-src"):
        raw = f'<p>a</p><iframe {attribute}="{source}" title="A &amp; B"></iframe>'
        assert clean(raw, BASE) == f'<p>a</p><p><a href="{target}">▶ A &amp; B</a></p>'


WORDS = st.text(st.characters(categories=["Lu", "Ll", "Lo", "Nd"]), min_size=1, max_size=8).map(
    lambda word: f"w{word}"
)
CLUTTER = st.sampled_from(
    [
        "",
        SHARE,
        "<script>s</script>",
        f"<div><div>分享 :</div>{SHARE}</div>",
        "<div data-selfpromo-app>s</div>",
        "<x-ad>s</x-ad>",
    ]
)


@settings(derandomize=True)
@given(
    st.lists(
        st.tuples(WORDS, st.sampled_from(["p", "div", "section", "blockquote", "x-card", "h2"]), CLUTTER)
    )
)
def test_no_word_of_the_article_is_lost(blocks: list[tuple[str, str, str]]) -> None:
    raw = "".join(f"<{tag}><p>{word}</p>{clutter}</{tag}>{clutter}" for word, tag, clutter in blocks)
    assert plain_text(clean(raw, BASE)).split("\n") == [word for word, _, _ in blocks] or not blocks


ADDRESSES = st.builds(
    "http{}://{}/{}".format,
    st.sampled_from(["", "s", "s", "s"]),
    st.sampled_from(
        "a.org news.a-b.example x.com wa.me t.me 1.2.org 0x7f.a1.b 1.2.3.4 a.0x1 xn--a.org ad.a.org a_b.org".split()
    ),
    st.text("abIT019/.?=#%[]:;@!'()*+,-_~", max_size=8)
    | st.sampled_from(["share", "a?b=1&amp;c=2", "intent/post", "t.gif", "a/blank.png?x"]),
)
PHRASES = st.lists(
    st.sampled_from(
        ["a", "分享 :", "Share", " ", "\n", "<br>", "&nbsp;", "&amp;", "&lt;p&gt;", '"', "'", "="]
    )
    | st.text(max_size=2),
    max_size=3,
).map("".join)
EMPHASES = st.builds("<{0}>{1}</{0}>".format, st.sampled_from("a b code em i small strong".split()), PHRASES)
LINKS = st.builds('<a href="{}">{}</a>'.format, ADDRESSES, PHRASES)
PARAGRAPHS = st.lists(PHRASES | EMPHASES | LINKS, max_size=4).map(lambda parts: f"<p>{''.join(parts)}</p>")


BODIES = st.recursive(
    PARAGRAPHS | PHRASES | st.builds('<img src="{}">'.format, ADDRESSES),
    lambda parts: st.builds(
        "<{0}>{1}</{0}>".format,
        st.sampled_from("article aside blockquote div figcaption figure section".split()),
        st.lists(parts, max_size=3).map("".join),
    ),
    max_leaves=5,
)


@settings(derandomize=True, max_examples=150)
@given(st.lists(BODIES, max_size=2).map("".join))
def test_what_is_simple_is_what_a_tree_and_the_sanitiser_make_of_it(raw: str) -> None:
    if is_clean(raw):
        assert clean(raw, BASE) == sanitised(raw, BASE)
    if SIMPLE_TREE.fullmatch(raw):
        assert SANITISER.clean(raw) == raw


BOXES = st.recursive(
    st.sampled_from([SHARE, "<div data-ad><b>s</b></div>", "<script>s</script>", '<img src="">']),
    lambda boxes: st.builds(
        "<{0}>{1}{2}\n</{0}>".format,
        st.sampled_from(["div", "ul", "aside", "section", "span"]),
        st.sampled_from(["", "<h3>Share</h3>", "<p>分享 :</p> ", "Teilen"]),
        st.lists(boxes, min_size=1, max_size=3).map("".join),
    ),
    max_leaves=12,
)


@settings(derandomize=True)
@given(BOXES)
def test_of_boxes_in_boxes_nothing_is_left(box: str) -> None:
    assert clean(f"<p>a</p>{box}<p>b</p>", BASE) == "<p>a</p><p>b</p>"


def test_what_is_nested_too_deeply_is_shown_as_text() -> None:
    raw = "<div>" * 1000 + "<h2>One &amp; two</h2><p>1 &lt; 2</p><script>alert(1)</script>"
    assert clean(raw, BASE) == "<p>One &amp; two</p><p>1 &lt; 2</p>"


def test_a_drawing_of_many_strokes_is_not_nested_deeply() -> None:
    drawing = "<svg>" + '<path d="M0 0"/>' * 1000 + "</svg>"
    assert clean(f'<p>a</p>{drawing}<p><a href="/b">b</a></p>', BASE) == (
        '<p>a</p><p><a href="https://example.org/b">b</a></p>'
    )


def test_a_real_article() -> None:
    seed = parse(decode(RFI.read_bytes()))
    article = normalise(seed.url, seed.title, seed.body)
    assert article.title == seed.title
    assert article.url == seed.url
    assert article.image == (
        "https://s.rfi.fr/media/display/04a2646c-b8f3-11ee-a3c3-005056bfb2b6/w:1280/p:16x9/"
        "2024-01-20T210702Z_49434914_RC2UL5AMRZDA_RTRMADP_3_USA-ELECTION-TRUMP.JPG"
    )
    assert article.content_html.count("<img") == 1
    lines = plain_text(article.content_html).split("\n")
    paragraphs = [
        " ".join(re.sub("<[^>]*>", "", found).split()) for found in re.findall("<p>(.*?)</p>", seed.body)
    ]
    assert lines == ["02/02/2024 - 10:21", *filter(None, paragraphs)]


def test_a_real_share_box_goes() -> None:
    seed = parse(decode(RFI.read_bytes()))
    cleaned = clean(seed.body, seed.url)
    for gone in "分享 facebook whatsapp twitter x.com share- selfpromo <a v-on feedd".split():
        assert gone not in cleaned
