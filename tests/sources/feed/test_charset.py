import gzip
import zlib

import pytest

from feedd.errors import NotAFeed
from feedd.sources.feed.parse import parse

URL = "https://example.org/feed.xml"
GREEK = "Καλημέρα κόσμε, τι κάνεις σήμερα;"
RUSSIAN = "Школа в долине снова открылась этой осенью, и дети прошли три километра."
CHINESE = "小学今年秋天重新开学，孩子们走了三公里的路"
FRENCH = "L’école de la vallée a rouvert à Noël"


def document(text: str, declared: str | None) -> str:
    head = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    return f"{head}<rss><channel><item><title>{text}</title></item></channel></rss>"


def title(data: bytes, content_type: str | None = None) -> str:
    return parse(data, URL, content_type).items[0].title


@pytest.mark.parametrize(
    "text, encoding, declared, content_type",
    [
        (GREEK, "utf-8", None, None),
        (GREEK, "utf-8", "utf-8", "text/xml"),
        (GREEK, "utf-8-sig", "iso-8859-1", "text/xml; charset=us-ascii"),  # a mark decides
        (GREEK, "utf-16", "utf-8", None),
        (GREEK, "utf-16-le", "utf-16", None),
        (GREEK, "utf-16-be", None, None),
        (GREEK, "utf-32", None, None),
        (GREEK, "utf-32-be", None, None),
        (GREEK, "iso8859-7", "iso-8859-7", None),
        (GREEK, "iso8859-7", None, 'application/rss+xml; charset="ISO-8859-7"'),
        (GREEK, "utf-8", "iso-8859-7", None),  # declared wrong
        (GREEK, "utf-8", "utf-8", "text/xml; charset=ISO-8859-1"),  # a server's default
        (GREEK, "utf-8", None, "text/xml; charset=ISO-8859-1"),
        (GREEK, "utf-8", None, "text/xml; charset=no-such"),
        (FRENCH, "cp1252", "iso-8859-1", None),  # as browsers take it
        (FRENCH, "cp1252", "utf-8", "text/xml; charset=utf-8"),
        (RUSSIAN, "koi8-r", "koi8-r", None),
        (RUSSIAN, "cp1251", "utf-8", None),
        (CHINESE, "gb18030", "gb2312", None),
        (CHINESE, "gbk", "utf-8", "text/xml; charset=gbk"),
        ("学校は再開し", "iso2022_jp", "iso-2022-jp", None),
        ("plain", "cp037", "cp037", None),
    ],
)
def test_the_encoding_is_found(
    text: str, encoding: str, declared: str | None, content_type: str | None
) -> None:
    assert title(document(text, declared).encode(encoding), content_type) == text


def test_a_wrong_label_is_a_warning() -> None:
    found = parse(document(GREEK, "iso-8859-1").encode(), URL)
    assert found.warnings == ("it says that it is in cp1252, and is in utf-8",)
    assert parse(document("plain", "iso-8859-1").encode(), URL).warnings == ()


def test_a_few_broken_bytes_spoil_nothing() -> None:
    data = document(f"{RUSSIAN}|{RUSSIAN * 20}", "utf-8").encode().replace(b"|", b"\xff")
    assert title(data) == f"{RUSSIAN}\ufffd{RUSSIAN * 20}"


def test_controls_are_left_out() -> None:
    assert title(document("a\x00\x0b\x1b\ufffeb\x80", None).encode()) == "ab€"
    assert title(document("a&#0;&#11;b&#xFFFE;&#x85;", None).encode()) == "ab…"


def test_gzip_within() -> None:
    data = document(GREEK, None).encode()
    assert title(gzip.compress(data)) == GREEK
    bomb = zlib.compressobj(9, zlib.DEFLATED, 31)
    packed = b"".join(bomb.compress(b" " * 1_000_000) for _ in range(60)) + bomb.flush()
    with pytest.raises(NotAFeed, match="larger than 50 MB"):
        parse(packed, URL)
    with pytest.raises(NotAFeed, match="can't be unpacked"):
        parse(b"\x1f\x8b\x08\x00broken beyond hope", URL)
