import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedd.normalise.html import clean
from feedd.normalise.text import (
    compared,
    content_hash,
    fingerprint,
    fold,
    lead_image,
    links_hash,
    plain_text,
    summary,
)

BASE = "https://example.org/news/1"
SHARE = '<div><div>分享 :</div><a href="https://x.com/intent/tweet?url=x"><span></span></a></div>'


def fingerprint_of(raw: str) -> bytes:
    return fingerprint(clean(raw, BASE))


@pytest.mark.parametrize(
    "one, other",
    [
        ("<p>a b</p>", "<div><p class=x>a <b>b</b></p></div>"),
        ("<p>therapist</p>", "<p>the<b>rap</b>ist</p>"),
        ("<p>a</p><p>b</p>", "<p>a<br>b</p>"),
        ("<p>a</p><p>b</p>", "<section>a</section><section>b</section>"),
        ("<p>a b</p>", "  <p>\n a \t b\n</p>  "),
        ("<p>a b</p>", "<p>a&nbsp;b</p>"),
        ("<p>a</p>", f"<p>a</p>{SHARE}<div data-selfpromo-app></div>"),
        ("<p>a</p>", '<p>a</p><img src="/p.jpg">'),
        ("<p>a</p>", '<p><a href="/b">a</a></p>'),
        ("<p>“a” ‘b’</p>", "<p>\"a\" 'b'</p>"),
        ("<p>it’s</p>", "<p>it's</p>"),
        ("<p>caf\u00e9 가</p>", "<p>cafe\u0301 \u1100\u1161</p>"),
        ("<p>syl\u00adla\u00adble</p>", "<p>syllable</p>"),
        ("<p>syl&shy;lable</p>", "<p>syllable</p>"),
        ("<p>a\u200bb\ufeff\u2060</p>", "<p>ab</p>"),
        ("<p>a &amp; b</p>", "<p>a &#38; b</p>"),
    ],
)
def test_the_fingerprint_ignores(one: str, other: str) -> None:
    assert fingerprint_of(one) == fingerprint_of(other)


@pytest.mark.parametrize(
    "one, other",
    [
        ("1.5%", "15%"),
        ("1.5%", "1.5‰"),
        ("1,5", "15"),
        ("1.5", "1,5"),
        ("-5", "5"),
        ("−5", "5"),
        ("5-6", "56"),
        ("$5", "5"),
        ("$5", "€5"),
        ("5 < 6", "5 > 6"),
        ("1/2", "12"),
        ("10²", "102"),
        ("the rapist", "therapist"),
        ("他不同意", "他同意"),
        ("他 同意", "他同意"),
        ("他同意", "她同意"),
        ("he agreed?", "he agreed."),
        ("he agreed", "he agreed."),
        ("US", "us"),
        ("resume", "résumé"),
        ("now here", "nowhere"),
        ("can't", "cant"),
        ("a – b", "a b"),
        ("«a»", "a"),
        ("خمس", "خمسة"),
        ("می\u200cخواهم", "میخواهم"),
        ("👩‍🚀", "👩🚀"),
        ("&lt;b&gt;", "b"),
    ],
)
def test_the_fingerprint_tells_apart(one: str, other: str) -> None:
    escaped_one, escaped_other = (text.replace("< ", "&lt; ") for text in (one, other))
    assert fingerprint_of(f"<p>{escaped_one}</p>") != fingerprint_of(f"<p>{escaped_other}</p>")


@pytest.mark.parametrize(
    "raw",
    ["<p>the</p><p>rapist</p>", "the<br>rapist", "<div>the</div>rapist"]
    + [
        f"<{tag}>the</{tag}><{tag}>rapist</{tag}>"
        for tag in "section article main header footer h2 blockquote".split()
    ]
    + ["<dl><dt>the<dd>rapist</dl>", "the<hr>rapist"],
)
def test_blocks_part_words(raw: str) -> None:
    assert fingerprint_of(raw) == fingerprint_of("the rapist")
    assert plain_text(clean(raw, BASE)) == "the\nrapist"


@pytest.mark.parametrize("raw", ["<ul><li>the<li>rapist</ul>", "<table><tr><td>the<td>rapist</table>"])
def test_cells_and_items_are_no_white_space(raw: str) -> None:
    assert fingerprint_of(raw) != fingerprint_of("the rapist")
    assert plain_text(clean(raw, BASE)) == "the\nrapist"


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("10<sup>6</sup>", "106"),
        ("10<sup>6</sup>", "10<sup>-6</sup>"),
        ("<p>5</p><p>10</p>", "<p>5 10</p>"),
        ("5<br>000", "5 000"),
        ("<p>5\n000</p>", "<p>5</p><p>000</p>"),
        ("<p>第五</p><p>十二人</p>", "<p>第五 十二人</p>"),
        ("<table><tr><td>5</td><td></td></tr></table>", "<table><tr><td></td><td>5</td></tr></table>"),
        ("<ul><li>A B</li><li>C</li></ul>", "<ul><li>A</li><li>B C</li></ul>"),
        ("He is <s>not</s> guilty", "He is not guilty"),
        ("He is <del>not</del> guilty", "He is not guilty"),
        ("He said <q>no</q>", "He said no"),
        ('<img src="/a.jpg" alt="Two soldiers">', '<img src="/a.jpg" alt="Two civilians">'),
    ],
)
def test_the_fingerprint_tells_mark_up_that_says_something(one: str, other: str) -> None:
    assert fingerprint_of(one) != fingerprint_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5 m<sup>2</sup>", "5 m²"),
        ("10<sup>-6</sup>", "10⁻⁶"),
        ("<i>m</i><sup>2</sup>", "m²"),
        ("1<sup>er</sup>", "1er"),
        ("H<sub>2</sub>O", "H2O"),
        ("said <q>no</q>", "said “no”"),
        ('x<img src="/a.jpg" alt="">', 'x<img src="/a.jpg">'),
        ("<blockquote>Yes</blockquote>", "<p>Yes</p>"),
    ],
)
def test_the_fingerprint_ignores_other_mark_up(one: str, other: str) -> None:
    assert fingerprint_of(one) == fingerprint_of(other)


def test_what_is_compared() -> None:
    html = (
        '<p>A <s>b</s></p><ul><li>c<li><p>d</ul><table><tr><td>e<td></table><img src="/f" alt="g &lt;b&gt;">'
    )
    assert compared(clean(html, BASE)) == [
        ("A [struck out: b]", True),
        ("c", True),
        ("d", True),
        ("e", True),
        ("[empty cell:]", True),
        ("[picture: g <b>]", False),
    ]


LETTERS = st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="<>&"))


@given(LETTERS)
def test_fold_keeps_all_but_space_quotes_and_the_invisible(text: str) -> None:
    folded = fold(text)
    assert fold(folded) == folded
    assert fold(unicodedata.normalize("NFD", text)) == folded

    def counted(of: str) -> list[str]:
        return [char for char in of if unicodedata.category(char)[0] in "LN"]

    assert counted(folded) == counted(unicodedata.normalize("NFC", text))


@given(LETTERS, st.sampled_from(["0", "5", "-", ".", "%", "不", "é", "?"]), st.integers(0, 50))
def test_an_inserted_character_never_hides(text: str, char: str, at: int) -> None:
    assert fingerprint(f"<p>{text[:at]}{char}{text[at:]}</p>") != fingerprint(f"<p>{text}</p>")


@pytest.mark.parametrize(
    "clean_html, text",
    [
        ("", ""),
        ("<p>a  b</p><p> </p><p>c<br>d</p>", "a b\nc\nd"),
        ("<p>1 &lt; 2 &amp;amp; 3&nbsp;4</p>", "1 < 2 &amp; 3 4"),
        ('<p>a<img alt="x &gt; y" src="https://example.org/p.jpg">b</p>', "ab"),
        ("<p>东京<b>记者</b></p>", "东京记者"),
    ],
)
def test_plain_text(clean_html: str, text: str) -> None:
    assert plain_text(clean_html) == text


@pytest.mark.parametrize(
    "clean_html, limit, expected",
    [
        ("<p>Short.</p>", 300, "Short."),
        ("", 300, ""),
        ("<p>One.</p><p>Two.</p>", 300, "One. Two."),
        ("<p>First sentence here. Second one.</p>", 25, "First sentence here."),
        ("<p>A. " + "word " * 20 + "</p>", 20, "A. word word word…"),
        ("<p>" + "x" * 50 + "</p>", 20, "x" * 19 + "…"),
        ("<p>东京今天下雨。明天也下雨。</p>", 10, "东京今天下雨。"),
        ("<p>" + "东" * 50 + "</p>", 10, "东" * 9 + "…"),
        ("<p>It is 1.5 per cent and rising fast</p>", 14, "It is 1.5 per…"),
    ],
)
def test_summary(clean_html: str, limit: int, expected: str) -> None:
    assert summary(clean_html, limit) == expected


@given(st.lists(st.text(max_size=80), max_size=8), st.integers(2, 60))
def test_summary_is_a_bounded_beginning_of_the_text(blocks: list[str], limit: int) -> None:
    cleaned = clean("".join(f"<p>{block}</p>" for block in blocks), BASE)
    text = plain_text(cleaned).replace("\n", " ")
    short = summary(cleaned, limit)
    assert len(short) <= limit
    assert short == text or text.startswith(short.removesuffix("…"))


def test_summary_never_shows_a_tag_that_was_cut() -> None:
    picture = f'<img src="https://example.org/{"a" * 290}">'
    for more in range(60):
        assert summary(f"<p>{'b' * more}</p>" + picture * 50) == "b" * more


@pytest.mark.parametrize(
    "clean_html, image",
    [
        ("<p>a</p>", None),
        (
            '<p>a</p><img src="https://example.org/1.jpg"><img src="https://example.org/2.jpg">',
            "https://example.org/1.jpg",
        ),
        ('<img alt="x" src="https://example.org/?a=1&amp;b=2" width="3">', "https://example.org/?a=1&b=2"),
        ('<img alt=" src=&quot;no&quot;" src="https://example.org/1.jpg">', "https://example.org/1.jpg"),
        ('<p>&lt;img src="https://example.org/1.jpg"&gt;</p>', None),
    ],
)
def test_lead_image(clean_html: str, image: str | None) -> None:
    assert lead_image(clean_html) == image


def test_hashes_see_what_they_are_for() -> None:
    link, other = (
        '<p><a href="https://example.org/1">a</a></p>',
        '<p><a href="https://example.org/2">a</a></p>',
    )
    assert links_hash(link) != links_hash(other)
    assert links_hash(link) == links_hash(link.replace(">a<", ">b<"))
    assert content_hash("T", link) != content_hash("T", other)
    assert content_hash("T", link) != content_hash("U", link)
    assert content_hash("ab", "c") != content_hash("a", "bc")
    assert [len(links_hash("")), len(content_hash("", "")), len(fingerprint(""))] == [8, 16, 16]


def test_hashes_that_are_stored_stay_what_they_are() -> None:
    """Else what a look finds is compared with hashes that nothing equals any more."""
    clean_html = (
        "<h2>Fire in the mill</h2>\n<p>It “burned” for 1<sup>st</sup> hours, <del>two</del> <s>three</s> days…\n and"
        " <q>more</q>. x</p><p>Ten m<sup>2</sup></p>\n<table><tr><td>Smith </td><td>  </td><td>Jones</td></tr></table>"
        "<ul><li>Café</li><li>au lait</li></ul>\n"
        '<p><a href="https://example.org/a?utm_source=x&amp;b=1">why</a> <img src="https://example.org/1.jpg"'
        ' alt="a &lt;b> c"> say src="https://example.org/2"</p>\n<pre>a\n  b</pre>'
    )
    assert fingerprint(clean_html).hex() == "b3cab2a2d1018f205ddcf658d81edf8c"
    assert links_hash(clean_html, "https://example.org/f.mp3").hex() == "22182e116200ff22"


@pytest.mark.parametrize(
    "clean_html",
    [
        "<p>" * 100_000,
        "&lt;" * 100_000,
        '<img alt="' + "x " * 100_000,
        "<a " * 100_000,
        "\u00ad“" * 100_000,
        "。" * 300_000,
    ],
    ids=lambda text: text[:8],
)
def test_long_texts_are_read_quickly(clean_html: str) -> None:
    start = time.perf_counter()
    plain_text(clean_html)
    summary(clean_html)
    fingerprint(clean_html)
    lead_image(clean_html)
    links_hash(clean_html)
    assert time.perf_counter() - start < 5
