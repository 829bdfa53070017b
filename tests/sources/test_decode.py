import codecs
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedd.sources.decode import decode, web_encoding

CHINESE = "记者从山谷报道，小学今年秋天重新开学，孩子们走了三公里的路，老师说学校会一直开下去。"
TAIWAN = "記者從山谷報導，小學今年秋天重新開學，孩子們走了三公里的路，老師說學校會一直開下去。"
JAPANESE = "谷の小学校は今年の秋に再開し、子どもたちは三キロの道を歩いた。先生は学校を続けると話した。"
KOREAN = "산골 초등학교가 올가을 다시 문을 열었고 아이들은 삼 킬로미터를 걸었다."
RUSSIAN = "Школа в долине снова открылась этой осенью, и дети прошли три километра."
FRENCH = "L’école de la vallée a rouvert à Noël : les élèves ont marché trois kilomètres."
THAI = "โรงเรียนในหุบเขาเปิดอีกครั้งในฤดูใบไม้ร่วงนี้"


def seed_text(text: str) -> str:
    return f"<!--1706867102000-->\n[{text}](https://example.org/a)\n------\n\n<p>{text}</p>\n"


@pytest.mark.parametrize(
    "text, encoding",
    [
        (CHINESE, "utf-8"),
        (CHINESE, "gb18030"),
        (CHINESE, "gbk"),
        (TAIWAN, "big5"),
        (JAPANESE, "shift_jis"),
        (JAPANESE, "euc-jp"),
        (JAPANESE, "iso2022_jp"),
        (KOREAN, "euc-kr"),
        (RUSSIAN, "windows-1251"),
        (RUSSIAN, "koi8-r"),
        (FRENCH, "windows-1252"),
        (THAI, "cp874"),
    ],
)
def test_the_encoding_is_found(text: str, encoding: str) -> None:
    assert decode(seed_text(text).encode(encoding)) == seed_text(text)


@pytest.mark.parametrize(
    "text, encoding",
    [(CHINESE, "gb18030"), (TAIWAN, "big5"), (JAPANESE, "shift_jis"), (JAPANESE, "iso2022_jp"), (KOREAN, "euc-kr"),
     (RUSSIAN, "koi8-r"), (FRENCH, "windows-1252")],
)  # fmt: skip
def test_the_encoding_of_a_long_text_is_found_wherever_it_shows(text: str, encoding: str) -> None:
    plain = "plain text\n" * 30_000
    for long in (seed_text(text) * 3000, plain + seed_text(text) + plain, plain + seed_text(text) * 3000):
        assert decode(long.encode(encoding)) == long


def test_a_long_text_that_is_broken_at_its_start_stays_utf8() -> None:
    text = "plain text\n" * 100_000 + seed_text(CHINESE)
    assert decode(b"\x92\n" + text.encode()) == "\ufffd\n" + text


@pytest.mark.parametrize(
    "unit", [b"\x80", b"\xff", b"\x81a", b"\x80<", b"\xe4\xb8<", b"\x1b", b"\x1b$B", b"\0\x92"]
)
def test_fifteen_megabytes_of_junk_take_no_second(unit: bytes) -> None:
    junk = unit * (15_000_000 // len(unit))
    begun = time.process_time()
    decode(junk)
    assert time.process_time() - begun < 2  # 0.3 where nothing else runs


@pytest.mark.parametrize(
    "mark, encoding",
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
    ],
)
def test_a_byte_order_mark_decides(mark: bytes, encoding: str) -> None:
    text = seed_text(f"{CHINESE} 🎈")
    data = mark + text.encode(encoding)
    assert decode(data) == text
    assert decode(data, "windows-1252") == text


def test_a_mark_alone_is_nothing() -> None:
    assert decode(codecs.BOM_UTF8) == ""
    assert decode(b"") == ""


def test_a_second_mark_goes_too() -> None:
    assert decode(codecs.BOM_UTF8 * 2 + b"a") == "a"


@pytest.mark.parametrize(
    "data, text",
    [
        (b"a\r\nb\rc\nd", "a\nb\nc\nd"),
        (b"a\r\r\nb", "a\n\nb"),
        (b"a\x00b\x01c\x08d\x0be\x0cf\x1fg\th", "abcdefg\th"),
        ("a\ufffeb\uffffc\ufffd".encode(), "abc\ufffd"),
        ("路\x00透".encode(), "路透"),
        (codecs.BOM_UTF16_LE + "a\x00b\r\nc".encode("utf-16-le"), "ab\nc"),
        (codecs.BOM_UTF16_LE + b"a\x00\x00\xd8b\x00", "a\ufffdb"),
        ("路\x00透".encode("gb18030") + b"\x00" + CHINESE.encode("gb18030"), "路透" + CHINESE),
        (b"a\x1b$b", "a$b"),
    ],
)
def test_line_ends_and_what_xml_forbids(data: bytes, text: str) -> None:
    assert decode(data) == text


@pytest.mark.parametrize("broken", [b"\xff", b"\xe8\xb7", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf8"])
def test_utf8_broken_in_a_place_stays_utf8(broken: bytes) -> None:
    middle = CHINESE.encode() + broken + CHINESE.encode()
    found = decode(middle)
    assert found.startswith(CHINESE)
    assert found.endswith(CHINESE)
    assert set(found[len(CHINESE) : -len(CHINESE)]) == {"\ufffd"}


def test_utf8_cut_within_a_character_stays_utf8() -> None:
    whole = CHINESE.encode()
    assert decode(whole[:-1]) == CHINESE[:-1] + "\ufffd"


def test_what_the_source_says_comes_before_guessing() -> None:
    assert decode("é".encode(), "windows-1252") == "Ã©"
    assert decode(TAIWAN.encode("big5"), "Big5") == TAIWAN
    assert decode(b"\xff\xff", "utf-8") == "\ufffd\ufffd"


@pytest.mark.parametrize(
    "label, data, text",
    [
        ("gb2312", "镕".encode("gbk"), "镕"),
        ("GBK", "㐀".encode("gb18030"), "㐀"),
        ("x-gbk", "路".encode("gbk"), "路"),
        ("iso-8859-1", b"\x93a\x94 \x80", "“a” €"),
        ("latin1", b"\x85", "…"),
        ("us-ascii", b"\x92", "’"),
        ("Shift_JIS", "①髙".encode("cp932"), "①髙"),
        ("windows-31j", "①".encode("cp932"), "①"),
        (" x-sjis ", "①".encode("cp932"), "①"),
        ("ks_c_5601-1987", "똠".encode("cp949"), "똠"),
        ("windows-874", "โรง".encode("cp874"), "โรง"),
        ("big5", "裏".encode("big5hkscs"), "裏"),
    ],
)
def test_labels_mean_what_they_mean_on_the_web(label: str, data: bytes, text: str) -> None:
    assert decode(data, label) == text


@pytest.mark.parametrize("label", ["no-such-encoding", "base64", "zlib", "rot13", ""])
def test_what_is_no_encoding(label: str) -> None:
    with pytest.raises(LookupError):
        web_encoding(label)


@given(st.binary(max_size=400))
def test_any_bytes_become_text_that_xml_allows(data: bytes) -> None:
    text = decode(data)
    assert "\r" not in text
    assert all(char in "\t\n" or char >= " " for char in text)
    assert not any("\ud800" <= char <= "\udfff" or char in "\ufffe\uffff" for char in text)


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufeff\ufffe\uffff")))
def test_utf8_is_kept_to_the_letter(text: str) -> None:
    assert decode(text.encode()) == text
