"""OPML as other readers write it."""

import time
from collections.abc import Iterable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedd.exchange.naming import tag
from feedd.exchange.opml_in import OpmlReading, Subscription, read_opml


def opml(outlines: str, head: str = '<?xml version="1.0" encoding="UTF-8"?>') -> bytes:
    return f'{head}\n<opml version="2.0"><head><title>x</title></head><body>{outlines}</body></opml>'.encode()


def read(outlines: str) -> OpmlReading:
    return read_opml(opml(outlines))


def urls(outlines: str) -> list[str]:
    return [each.url for each in read(outlines).subscriptions]


def reasons(outlines: str) -> list[tuple[str, str]]:
    return list(read(outlines).skipped)


def test_a_usual_one() -> None:
    found = read(
        """
        <outline text="News" title="News">
          <outline type="rss" text="RFI  中文" title="RFI" xmlUrl="https://example.org/rfi.xml?a=1&amp;b=2"
                   htmlUrl="https://example.org/"/>
          <outline text="Far East"><outline text="日本" xmlUrl="https://example.jp/feed"/></outline>
        </outline>
        <outline text="Top" xmlUrl="http://example.net/atom"/>
        """
    )
    assert found.subscriptions == (
        Subscription("https://example.org/rfi.xml?a=1&b=2", "RFI 中文", "https://example.org/", ("news",)),
        Subscription("https://example.jp/feed", "日本", None, ("news", "far-east")),
        Subscription("http://example.net/atom", "Top"),
    )
    assert found.skipped == ()


@pytest.mark.parametrize(
    ("spelled", "url"),
    [
        ('xmlUrl="https://e.org/f"', "https://e.org/f"),
        ('xmlurl="https://e.org/f"', "https://e.org/f"),
        ('XMLURL="https://e.org/f"', "https://e.org/f"),
        ('xmlUrl=" https://e.org/f\n"', "https://e.org/f"),
        ('xmlUrl="feed:https://e.org/f"', "https://e.org/f"),
        ('xmlUrl="feed://https://e.org/f"', "https://e.org/f"),
        ('xmlUrl="feed://e.org/f"', "http://e.org/f"),
        ('xmlUrl="FEED://e.org/f"', "http://e.org/f"),
        ('xmlUrl="itpc://e.org/f"', "http://e.org/f"),
        ('xmlUrl="https://e.org/a b?q=é"', "https://e.org/a%20b?q=%C3%A9"),
        ('xmlUrl="https://müller.de/f"', "https://xn--mller-kva.de/f"),
        ('xmlUrl="https://E.org/f?utm_source=x#top"', "https://E.org/f?utm_source=x#top"),
        ('type="rss" url="https://e.org/f"', "https://e.org/f"),
        ('type="ATOM" xmlUrl="https://e.org/f"', "https://e.org/f"),
        ('type="whatever" xmlUrl="https://e.org/f"', "https://e.org/f"),
        ('xmlUrl="https://e.org/?a=1&b=2&copy=3&amp;d=4&&"', "https://e.org/?a=1&b=2&copy=3&d=4&&"),
        ('frss:xPath="x" xmlUrl="https://e.org/f"', "https://e.org/f"),
        ('text="a < b" xmlUrl="https://e.org/f"', "https://e.org/f"),
    ],
)
def test_spellings_of_the_address(spelled: str, url: str) -> None:
    assert urls(f"<outline {spelled}/>") == [url]


@pytest.mark.parametrize(
    ("outline", "why"),
    [
        ('<outline text="T" type="link" url="https://e.org/"/>', "it is a link to another document (type link), not a feed"),
        ('<outline text="T" type="include" url="https://e.org/x.opml"/>', "it is a link to another document (type include), not a feed"),
        ('<outline text="T" type="HTML+XPath" xmlUrl="https://e.org/"/>', "it is a page that is read by rules (type html+xpath), not a feed"),
        ('<outline text="T" type="rss" htmlUrl="https://e.org/"/>', "it has no address (xmlUrl)"),
        ('<outline text="T" type="rss" xmlUrl=" "/>', "it has no address (xmlUrl)"),
        ('<outline text="T"/>', "it is an empty folder, or has no address (xmlUrl)"),
        ('<outline text="T" xmlUrl="ftp://e.org/f"/>', "'ftp://e.org/f' is not an http or https URL"),
        ('<outline text="T" xmlUrl="/feed"/>', "'/feed' is not an http or https URL"),
        ('<outline text="T" xmlUrl="https:///feed"/>', "'https:///feed' has no host"),
        ('<outline text="T" xmlUrl="javascript:alert(1)"/>', "'javascript:alert(1)' is not an http or https URL"),
        ('<outline text="T" isComment="true" xmlUrl="https://e.org/f"/>', "it is commented out"),
        (f'<outline text="T" xmlUrl="https://e.org/{"x" * 4000}"/>', "its address is longer than 4,000 characters"),
    ],
)  # fmt: skip
def test_what_is_skipped(outline: str, why: str) -> None:
    assert read(outline) == ((), (("T", why),))


def test_a_password_is_not_repeated() -> None:
    found = read('<outline xmlUrl="https://me:hunter2@e.org/f"/>')
    assert found.subscriptions == ()
    ((what, why),) = found.skipped
    assert what == "e.org/f"
    assert why == "its address holds a user or password; add it with auth = { user = …, password = … }"


def test_within_a_comment_all_is_comment() -> None:
    found = read(
        '<outline text="F" isComment="TRUE"><outline text="G"><outline text="T" xmlUrl="https://e.org/f"/>'
        '</outline></outline><outline text="U" xmlUrl="https://e.org/g"/>'
    )
    assert found == ((Subscription("https://e.org/g", "U"),), (("T", "it is commented out"),))


def test_twice_is_once_with_the_tags_of_both() -> None:
    found = read(
        '<outline text="A"><outline text="T" xmlUrl="http://e.org/f"/></outline>'
        '<outline text="B"><outline text="U" xmlUrl="https://E.org:443/f?utm_source=x"/></outline>'
        '<outline text="V" xmlUrl="http://e.org/f#x"/>'
    )
    assert found.subscriptions == (Subscription("http://e.org/f", "T", None, ("a", "b")),)
    assert found.skipped == (
        ("U", "it is in the file before, as T; that one got its tags"),
        ("V", "it is in the file before, as T"),
    )


def test_tags() -> None:
    (found,) = read(
        '<outline text="Tech &amp; Science"><outline text="中文 新闻"><outline text="!!"><outline title="Économie">'
        '<outline xmlUrl="https://e.org/f" category="/Philosophy/Baseball/Mets,/Tourism/New York,中文 新闻"/>'
        "</outline></outline></outline></outline>"
    ).subscriptions
    folders = ("tech-science", "中文-新闻", "économie")
    assert found.tags == (*folders, "philosophy", "baseball", "mets", "tourism", "new-york")


def test_outlines_below_a_feed_are_not_in_a_folder_of_its_name() -> None:
    found = read(
        '<outline text="A" xmlUrl="https://e.org/a"><outline text="B" xmlUrl="https://e.org/b"/></outline>'
    )
    assert [each.tags for each in found.subscriptions] == [(), ()]


def test_what_readers_really_write() -> None:
    """Folders that say they are feeds, or categories; feeds that say they are links; one feed in two folders."""
    found = read(
        """
        <outline type="rss" title="tech"><outline type="rss" title="A" xmlUrl="http://e.org/a"/></outline>
        <outline type="category" title="Blogroll">
          <outline text="B" type="link" xmlUrl="http://e.org/b" htmlUrl="http://e.org/" updated=""/>
          <outline text="C" type="link" xmlUrl="" htmlUrl="http://e.org/c" updated=""/>
        </outline>
        <outline text="A" xmlUrl="http://e.org/a"/>,
        <outline text="D" xmlUrl="http://e.org/d"><outline type="podcast-episode" text="E1" url="http://e.org/1.mp3"/>
        </outline><outline version="RSS" text="F" xmlUrl="http://e.org/f" category="Wetenschap" type="rss"/>
        """
    )
    assert [(each.title, each.tags) for each in found.subscriptions] == [
        ("A", ("tech",)),
        ("B", ("blogroll",)),
        ("D", ()),
        ("F", ("wetenschap",)),
    ]
    assert [what for what, _ in found.skipped] == ["C", "A", "E1"]


@pytest.mark.parametrize("version", ["1.0", "1.1", "2.0", "", "9"])
def test_versions(version: str) -> None:
    text = f'<opml version="{version}"><body><outline text="A" xmlUrl="https://e.org/a"/></body></opml>'
    assert [each.title for each in read_opml(text.encode()).subscriptions] == ["A"]


@pytest.mark.parametrize(
    ("data", "title"),
    [
        (opml('<outline text="é中" xmlUrl="https://e.org/"/>').decode().encode("utf-8-sig"), "é中"),
        (opml('<outline text="é中" xmlUrl="https://e.org/"/>').decode().encode("utf-16"), "é中"),
        (opml('<outline text="é中" xmlUrl="https://e.org/"/>').decode().encode("utf-16-be"), "é中"),
        (opml('<outline text="é" xmlUrl="https://e.org/"/>', '<?xml version="1.0" encoding="iso-8859-1"?>')
            .decode().encode("latin-1"), "é"),
        (opml('<outline text="é" xmlUrl="https://e.org/"/>', '<?xml version="1.0" encoding="iso-8859-1"?>'), "é"),
        (opml('<outline text="中文" xmlUrl="https://e.org/"/>', "<?xml version='1.0' encoding='gb2312'?>")
            .decode().encode("gbk"), "中文"),
        (opml('<outline text="é" xmlUrl="https://e.org/"/>', '<?xml version="1.0" encoding="nonsense"?>'), "é"),
        (b"\n\n  " + opml('<outline text="x" xmlUrl="https://e.org/"/>'), "x"),
        (opml('<outline text="a\x08b" xmlUrl="https://e.org/"/>'), "ab"),
        (opml('<outline text="Caf&eacute;&nbsp;&LT;&unheard;" xmlUrl="https://e.org/"/>'), "Café <&unheard;"),
        (b'<OPML xmlns="http://example.org/ns"><BODY><OUTLINE TEXT="x" XMLURL="https://e.org/"/></BODY></OPML>', "x"),
        (b'<outline text="x" xmlUrl="https://e.org/"/>', "x"),
        (b'<opml><body><outline text="x" xmlUrl="https://e.org/"><outline text="cut', "x"),
    ],
)  # fmt: skip
def test_encodings_and_broken_documents(data: bytes, title: str) -> None:
    assert [each.title for each in read_opml(data).subscriptions] == [title]


@pytest.mark.parametrize(
    "data", [b"", b"hello", b"<rss/>", b"<html><body/></html>", b"[sources.x]", b"\0" * 9, b"{}"]
)
def test_what_is_no_opml(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"^it is no OPML document"):
        read_opml(data)


def test_entities_are_not_expanded() -> None:
    letters = "abcdefghij"
    bomb = "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in pairwise(letters))
    doctype = f'<!DOCTYPE opml [<!ENTITY a "lol">{bomb}<!ENTITY file SYSTEM "file:///etc/passwd">]>'
    start = time.monotonic()
    data = opml('<outline text="&j;&file;" xmlUrl="https://e.org/"/>', doctype)
    assert [each.title for each in read_opml(data).subscriptions] == ["&j;&file;"]
    assert [each.title for each in read_opml(data.decode().encode("utf-16")).subscriptions] == ["&j;&file;"]
    assert time.monotonic() - start < 2


def test_a_document_type_elsewhere_is_not_fetched() -> None:
    doctype = (
        '<!DOCTYPE opml SYSTEM "http://127.0.0.1:9/opml.dtd" [<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]>'
    )
    data = opml('<outline text="x" xmlUrl="https://e.org/"/>', doctype)
    assert [each.url for each in read_opml(data).subscriptions] == ["https://e.org/"]


def test_a_document_type_gives_no_attributes() -> None:
    """A long default for an attribute of each outline would fill the memory."""
    long = "x" * 200_000
    doctype = f'<!DOCTYPE opml [<!ATTLIST outline xmlUrl CDATA "https://e.org/f" text CDATA "{long}">]>'
    found = read_opml(opml("<outline/>" * 20_000, doctype))
    assert found.subscriptions == ()
    assert {what for what, _ in found.skipped} == {"an outline without a title"}


def test_what_stands_before_the_root_does_not_count() -> None:
    head = '<?xml version="1.0"?>\n<?xml-stylesheet href="x"?><!-- <opml> & <outline xmlUrl="https://e.org/no"/> -->'
    found = read_opml(opml('<outline text="x" xmlUrl="https://e.org/"/>', head))
    assert [each.url for each in found.subscriptions] == ["https://e.org/"]


def test_a_comment_without_end() -> None:
    start = time.process_time()
    found = read('<outline xmlUrl="https://e.org/"/>' + "<!-- " * 200_000)
    assert [each.url for each in found.subscriptions] == ["https://e.org/"]
    assert time.process_time() - start < 5


def nested(depth: int) -> str:
    start = "".join(f'<outline text="f{number}">' for number in range(depth))
    return f'{start}<outline text="deep" xmlUrl="https://e.org/deep"/>{"</outline>" * depth}'


def test_nesting() -> None:
    deep = read('<outline text="first" xmlUrl="https://e.org/first"/>' + nested(100))
    assert [each.title for each in deep.subscriptions] == ["first", "deep"]
    assert len(deep.subscriptions[1].tags) == 50
    start = time.monotonic()
    found = read('<outline text="first" xmlUrl="https://e.org/first"/>' + nested(100_000))
    assert [each.title for each in found.subscriptions] == ["first"]
    assert found.skipped[-1][0] == "the rest of the document"
    assert time.monotonic() - start < 5


def test_many() -> None:
    outlines = "".join(
        f'<outline text="Folder {number}">'
        + "".join(
            f'<outline type="rss" text="Feed {number} {each}" xmlUrl="https://e{number}.org/{each}" htmlUrl="https://e.org/"/>'
            for each in range(100)
        )
        + "</outline>"
        for number in range(500)
    )
    data = opml(outlines)
    start = time.process_time()
    found = read_opml(data)
    seconds = time.process_time() - start
    assert len(found.subscriptions) == 50_000
    assert seconds < 5  # about one on an idle machine


def test_much_of_one() -> None:
    """One address 20,000 times, each in folders of its own; a category without end."""
    words = ",".join(f"w{number}" for number in range(20_000))
    outlines = "".join(
        f'<outline text="{n}"><outline text="x" xmlUrl="https://e.org/f"/></outline>' for n in range(20_000)
    )
    start = time.process_time()
    found = read(outlines + f'<outline text="y" xmlUrl="https://e.org/g" category="{words}"/>')
    assert [len(each.tags) for each in found.subscriptions] == [50, 50]
    assert len(found.skipped) == 19_999
    assert time.process_time() - start < 5


PIECES: Iterable[str] = (
    "<outline ", 'text="', 'xmlUrl="', "https://e.org/", "feed:", '"', "/>", ">", "</outline>", "&", "&amp;", "&#x", "&#0;",
    "&#xD800;", ";", "<", "<!--", "-->", "<![CDATA[", "]]>", "<!DOCTYPE", "<!ENTITY", "[", "]", "é", "\ud800", "\0", "@", ":",
    'type="rss" ', 'type="link" ', "category=", "<?xml", "?>", "xmlns=", "中", " ", "//", "https://[", "]:99999/",
)  # fmt: skip


@given(st.lists(st.sampled_from(list(PIECES)), max_size=40).map("".join))
def test_anything_is_read_or_refused_in_words(text: str) -> None:
    found = read_opml(b"<opml><body>" + text.encode("utf-8", "surrogatepass"))
    for each in found.subscriptions:
        assert each.url.startswith(("http://", "https://", "HTTP"))
        assert each.url.isascii()
        assert each.title == " ".join(each.title.split())
    assert all(what and why for what, why in found.skipped)


@given(st.binary(max_size=300))
def test_any_bytes(data: bytes) -> None:
    try:
        read_opml(data)
    except ValueError as error:
        assert str(error).startswith("it is no OPML document")  # noqa: PT017


@given(st.text())
def test_tags_are_stable(text: str) -> None:
    assert tag(tag(text)) == tag(text)
    assert len(tag(text)) <= 63
    assert "," not in tag(text)
    assert "/" not in tag(text)
