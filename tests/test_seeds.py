from pathlib import Path

import pytest

from feedd.model import Article
from feedd.normalise.article import normalise
from feedd.normalise.text import plain_text, summary
from feedd.sources.decode import decode
from feedd.sources.seedfile import Seed, parse, render

SEEDS = Path(__file__).parent.parent / "seeds"
FILES = sorted(path.name for path in SEEDS.iterdir())


def seed_of(name: str) -> Seed:
    return parse(decode((SEEDS / name).read_bytes()))


def article_of(name: str) -> Article:
    seed = seed_of(name)
    return normalise(seed.url, seed.title, seed.body)


def test_there_are_seeds() -> None:
    assert len(FILES) >= 12
    assert {name.rpartition(".")[2] for name in FILES} == {"md", "txt", "html"}


@pytest.mark.parametrize("name", FILES)
def test_a_seed_is_an_article(name: str) -> None:
    seed, article = seed_of(name), article_of(name)
    assert parse(render(seed)) == seed
    assert article.title
    assert "\n" not in article.title
    assert article.url.startswith(("https://example.org/", "https://example.com/", "https://example.net/"))
    assert len(plain_text(article.content_html)) > 100
    assert summary(article.content_html)
    assert (
        article.image is None
        or article.image.startswith("https://example.org/media/")
        or "/zh/" in article.image
    )
    for clutter in (
        "分享",
        "Share",
        "<script",
        "noscript",
        "data:",
        "srcset",
        "selfpromo",
        "\ufffd",
        "Mattresses",
        "inbox",
    ):
        assert clutter not in article.content_html


def test_brackets_and_parentheses() -> None:
    article = article_of("1048575.md")
    assert article.title == "[Live] The ferry returns to Lake Orrin (after eleven winters)"
    assert article.url == "https://example.org/lakes/Orrin_(lake)/ferry"
    assert '<a href="https://example.org/lakes/Orrin_(lake)/road">' in article.content_html
    assert '<a href="https://example.org/lakes/budget?year=2024&amp;page=2">' in article.content_html


def test_a_share_box_and_promotion() -> None:
    article = article_of("1048574_山谷小学重新开学.md")
    assert article.title == "山谷小学重新开学：《最后一课》没有成为最后一课"
    assert article.url.startswith("https://example.com/cn/%E7%A4%BE%E4%BC%9A/20240305-")
    assert article.content_html.endswith(
        "<p>学校的图书角目前有四百一十二本书，都是外地读者寄来的。</p></div>"
    )


def test_crlf_and_a_title_over_lines() -> None:
    assert b"\r\n" in (SEEDS / "1048573.md").read_bytes()
    article = article_of("1048573.md")
    assert article.title == "Council votes 7 to 6 to keep the night library open"
    assert article.url == "https://example.net/2024/03/06/night-library?id=771"
    assert "\r" not in article.content_html


def test_a_time_that_is_none() -> None:
    assert [name for name in FILES if seed_of(name).time_ms is None] == ["1048572.md"]
    assert article_of("1048572.md").title.startswith("🎈 ")


def test_one_url_in_two_files() -> None:
    older, newer = "1048571.md", "0.md"
    assert article_of(older).uid == article_of(newer).uid
    assert article_of(older).fingerprint != article_of(newer).fingerprint
    times = [seed_of(name).time_ms or 0 for name in (older, newer)]
    assert times == sorted(set(times))
    assert len({article_of(name).uid for name in FILES}) == len(FILES) - 1


def test_a_byte_order_mark_and_lazy_pictures() -> None:
    assert (SEEDS / "1048570.md").read_bytes().startswith(b"\xef\xbb\xbf<!--")
    content = article_of("1048570.md").content_html
    for number in (1, 2, 3):
        assert content.count(f"https://example.org/media/oven-{number}.jpg") == 1
    assert content.count("<img") == 3


def test_gb18030() -> None:
    with pytest.raises(UnicodeDecodeError):
        (SEEDS / "1048569_竹桥修复.md").read_bytes().decode()
    article = article_of("1048569_竹桥修复.md")
    assert article.title == "百年竹桥修复完成（附图）：“不用一颗钉子”"
    assert article.image == "https://example.org/zh/bridge/photo-1.jpg"


def test_advertisement_custom_elements_and_a_player() -> None:
    content = article_of("1048568.md").content_html
    assert content.count("<p>") == 4
    assert (
        '<a href="https://www.youtube.com/watch?v=aBcDeFgHiJk">▶ The last piece, filmed from the balcony</a>'
        in content
    )
    assert "<img" not in content


def test_a_srcset_and_a_proxy() -> None:
    article = article_of("1048567.md")
    assert article.image == "https://example.org/media/leopard-1920.jpg"
    assert (
        '<img src="https://images.weserv.nl/?url=example.org/media/leopard-map.png&amp;w=900"'
        in article.content_html
    )


def test_backslashes_and_preformatted_lines() -> None:
    article = article_of("000_5d1f0c77ab93e246.txt")
    assert article.title == 'The sign read "C:\\ARCHIVE\\[closed]", and so the mystery began'
    assert article.content_html.endswith("<pre>C:\\ARCHIVE\n   [closed]\n   [open]</pre>")
