import time
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given, reject
from hypothesis import strategies as st

from feedd.errors import SeedError
from feedd.sources.decode import decode
from feedd.sources.seedfile import Seed, parse, render

URL = "https://example.org/a"
DATA = Path(__file__).parent.parent / "data"


def seed_text(
    title: str = "Title", url: str = URL, body: str = "<p>Body</p>", stated: str = "1706867102000"
) -> str:
    return f"<!--{stated}-->\n[{title}]({url})\n------\n\n{body}\n"


def test_a_real_file() -> None:
    seed = parse(decode((DATA / "rfi.txt").read_bytes()))
    assert seed.time_ms == 1706867102000
    assert seed.title == "路透社：日本向特朗普传递信息 不要与中国达成协议"
    assert seed.url.startswith("https://www.rfi.fr/cn/%E7%BE%8E%E5%9B%BD/20240202-%E8%B7%AF")
    assert seed.url.endswith(
        "-%E4%B8%8D%E8%A6%81%E4%B8%8E%E4%B8%AD%E5%9B%BD%E8%BE%BE%E6%88%90%E5%8D%8F%E8%AE%AE"
    )
    assert seed.body.startswith("<div>02/02/2024 - 10:21</div><img src=")
    assert seed.body.endswith("</share-modal></span></div></div>")


@pytest.mark.parametrize(
    "title",
    [
        "[Live] The count goes on",
        "The count (updated)",
        "A [b](c",
        "](",
        "[x](y)",
        'He said "no"',
        "C:\\new \\[escaped\\]",
        "《山谷》：「新」学校",
        "ＦＵＬＬ　".strip() + "（width）",
        "🎈 lifts 👩‍🚀",
        "A & B &amp; <b>C</b>",
        "------",
        "<!--1-->",
        "",
    ],
)
def test_titles_are_taken_as_they_stand(title: str) -> None:
    assert parse(seed_text(title=title)) == Seed(1706867102000, title, URL, "<p>Body</p>")


@pytest.mark.parametrize(
    "title, folded",
    [
        ("over\ntwo lines", "over two lines"),
        ("over\n\n  three\t\nlines ", "over three lines"),
        ("a rule\n------\nwithin", "a rule ------ within"),
        ("full\u3000width\xa0space", "full width space"),
    ],
)
def test_white_space_in_titles_is_folded(title: str, folded: str) -> None:
    assert parse(seed_text(title=title)).title == folded


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/wiki/Foo_(bar)",
        "https://example.org/a)b(c",
        "https://example.org/((",
        "https://example.org/%E8%B7%AF%E9%80%8F",
        "https://example.org/路透",
        "https://example.org/[x]?y=[z]",
        "no address that a browser knows",
    ],
)
def test_urls_end_at_the_last_parenthesis(url: str) -> None:
    assert parse(seed_text(url=url)).url == url


@pytest.mark.parametrize(
    "stated, time_ms",
    [
        ("1706867102000", 1706867102000),
        (" 1706867102000 ", 1706867102000),
        ("1706867102", 1706867102),
        ("-86400000", -86400000),
        ("0", 0),
        ("99999999999999999", 99999999999999999),
        ("9" * 19, None),
        ("NaN", None),
        ("undefined", None),
        ("null", None),
        ("", None),
        ("1706867102000.5", None),
        ("1e12", None),
        ("2024-02-02", None),
        ("١٢٣", None),
        ("17 06", None),
    ],
)
def test_times_are_read_raw_or_not_at_all(stated: str, time_ms: int | None) -> None:
    assert parse(seed_text(stated=stated)).time_ms == time_ms


def test_the_comment_may_be_missing() -> None:
    assert parse(f"[Title]({URL})\n------\n\n<p>Body</p>\n") == Seed(None, "Title", URL, "<p>Body</p>")


@pytest.mark.parametrize(
    "text",
    [
        f"\n\n  <!--1-->\n\n[T]({URL})\n------\n\nB",
        f"<!--1--> [T]({URL})\n------\nB",
        f"<!--1-->\n[T]({URL})\n\n------   \n\n\nB\n\n",
        f"<!--1-->\n[T]( {URL} ) \n------\t\nB",
    ],
)
def test_loose_layout(text: str) -> None:
    assert parse(text) == Seed(1, "T", URL, "B")


@pytest.mark.parametrize(
    "text, reason",
    [
        ("", "empty"),
        (" \n\n\t", "empty"),
        ("<!--1706867102000-->", "cut short"),
        ("<!--1706867102000-->\n[Tit", "cut short"),
        (f"<!--1-->\n[Title]({URL})", "cut short"),
        (f"<!--1-->\n[Title]({URL})\n---", "cut short"),
        (f"<!--1-->\n[Title]({URL})\n\n<p>Body</p>", "cut short"),
        (f"<!--1-->\n[Title]({URL})\n-------\n\n<p>Body</p>", "cut short"),
        (f"<!--1-->\n[Title]({URL}) ------\n\n<p>Body</p>", "cut short"),
        (f"<!--1-->\n[Title]({URL})\n------", "body is empty"),
        (f"<!--1-->\n[Title]({URL})\n------\n\n  \n", "body is empty"),
        ("<!--1-->\n[Title]()\n------\n\nB", "no address"),
        ("<!--1-->\n[Title]( )\n------\n\nB", "no address"),
        ("<!--1-->\nTitle\n------\n\nB", "no link"),
        (f"<!--1-->\n[Title] ({URL})\n------\n\nB", "no link"),
        (f"<!--1\n[Title]({URL})\n------\n\nB", "no link"),
    ],
)
def test_what_is_no_seed_file_says_why(text: str, reason: str) -> None:
    with pytest.raises(SeedError, match=reason):
        parse(text)


def test_every_beginning_of_a_file_is_read_or_refused() -> None:
    whole = seed_text(title="A [b] (c)", url="https://example.org/Foo_(bar)")
    for end in range(len(whole)):
        try:
            seed = parse(whole[:end])
        except SeedError:
            continue
        assert seed.title == "A [b] (c)"
        assert seed.url == "https://example.org/Foo_(bar)"
        assert "<p>Body</p>".startswith(seed.body)


@pytest.mark.parametrize(
    "body, one_line",
    [
        ("<p>a</p>\n<p>b</p>", "<p>a</p> <p>b</p>"),
        ("<p>a\n   b</p>\n\n\n", "<p>a b</p>"),
        ("<p>a</p>\n------\n<p>b</p>", "<p>a</p> ------ <p>b</p>"),
        ("<p>[x](y)\n------\nz</p>", "<p>[x](y) ------ z</p>"),
        ("one\ntwo\n\nthree", "<p>one<br>two</p><p>three</p>"),
        ("just text", "just text"),
        ("<pre>a\n  b</pre>", "<pre>a&#10;  b</pre>"),
        ('<pre\nclass="x">a\nb</pre>\n<img\nsrc="c">', '<pre class="x">a&#10;b</pre>&#10;<img src="c">'),
    ],
)
def test_bodies_come_as_one_line(body: str, one_line: str) -> None:
    assert parse(seed_text(body=body)).body == one_line


@pytest.mark.parametrize(
    "text",
    [
        "<!--1-->\n[T\n" + "------\n" * 200_000,
        "<!--1-->\n" + "[](" * 200_000 + ")\n------\nB",
        "<!--1-->\n[T](U)" + "\n" * 500_000,
        f"<!--1-->\n[T]({URL})\n------\n<pre><" + "\n" * 500_000,
        "<!--" * 200_000,
    ],
)
def test_hostile_files_are_judged_quickly(text: str) -> None:
    start = time.perf_counter()
    with suppress(SeedError):
        parse(text)
    assert time.perf_counter() - start < 2


HOSTILE = st.lists(
    st.one_of(
        st.sampled_from('[|]|(|)|](|------|<!--|-->|\\|"|《|》| |\n|\u3000|🎈'.split("|")),
        st.text(max_size=3),
    ),
    max_size=8,
).map("".join)


@given(
    time_ms=st.none() | st.integers(-(10**17), 10**17),
    title=HOSTILE,
    url=HOSTILE,
    body=st.lists(st.one_of(HOSTILE, st.sampled_from(["<p>", "<pre>", "</pre>", "\n\n"])), max_size=6).map(
        "".join
    ),
)
@example(time_ms=None, title="[x](y)\n------\n", url="a)\n------\n", body="------")
def test_what_was_read_is_written_and_read_the_same(
    time_ms: int | None, title: str, url: str, body: str
) -> None:
    stated = "NaN" if time_ms is None else str(time_ms)
    try:
        seed = parse(seed_text(title, url, body, stated))
    except SeedError:
        reject()
    assert seed.time_ms == time_ms
    assert parse(render(seed)) == seed


ONE_LINE = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).map(str.strip).filter(bool)


@given(
    time_ms=st.none() | st.integers(-(10**17), 10**17),
    title=HOSTILE.map(lambda text: " ".join(text.split())),
    url=ONE_LINE.filter(lambda url: "](" not in url),
    body=ONE_LINE,
)
def test_every_seed_in_normal_form_survives(time_ms: int | None, title: str, url: str, body: str) -> None:
    seed = Seed(time_ms, title, url, body)
    assert parse(render(seed)) == seed


def test_render_writes_the_bytes_of_the_format() -> None:
    assert render(Seed(1706867102000, "Title", URL, "<p>Body</p>")) == seed_text()


@pytest.mark.parametrize(
    "seed",
    [
        Seed(1, "two  spaces", URL, "<p>Body</p>"),
        Seed(1, "Title", "https://example.org/](x", "<p>Body</p>"),
        Seed(1, "Title", URL, "<p>a</p>\n<p>b</p>"),
        Seed(1, "Title", URL, ""),
        Seed(1, "Title", "", "<p>Body</p>"),
        Seed(10**18, "Title", URL, "<p>Body</p>"),
    ],
)
def test_render_refuses_what_could_not_be_read_back(seed: Seed) -> None:
    with pytest.raises(SeedError):
        render(seed)
