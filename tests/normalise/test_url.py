from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from feedd.normalise.url import BadUrl, canonical, shown


@pytest.mark.parametrize(
    "one, other",
    [
        ("HTTPS://Example.ORG/a", "https://example.org/a"),
        ("https://example.org:443/a", "https://example.org/a"),
        ("http://example.org:80/a", "http://example.org/a"),
        ("http://example.org:080/a", "http://example.org/a"),
        ("https://example.org:/a", "https://example.org/a"),
        ("https://example.org", "https://example.org/"),
        ("https://example.org?a=1", "https://example.org/?a=1"),
        ("https://example.org/a#part", "https://example.org/a"),
        ("https://example.org/a#", "https://example.org/a"),
        ("https://example.org/a?utm_source=x&utm_medium=y", "https://example.org/a"),
        ("https://example.org/a?b=2&utm_source=x&a=1", "https://example.org/a?b=2&a=1"),
        ("https://example.org/a?%75tm_source=x&a=1", "https://example.org/a?a=1"),
        ("https://example.org/a?UTM_Campaign=x&a=1", "https://example.org/a?a=1"),
        ("https://example.org/a?fbclid=x", "https://example.org/a"),
        ("https://example.org/a?gclid=x", "https://example.org/a"),
        ("https://example.org/a?gclid", "https://example.org/a"),
        ("https://example.org/a?xtor=RSS-1", "https://example.org/a"),
        ("https://example.org/%e8%b7%af", "https://example.org/%E8%B7%AF"),
        ("https://example.org/路", "https://example.org/%E8%B7%AF"),
        ("https://example.org/a?q=%e8%b7%af", "https://example.org/a?q=路"),
        ("https://example.org/%7Euser", "https://example.org/~user"),
        ("https://example.org/%41-%2d", "https://example.org/A--"),
        ("https://example.org/a b", "https://example.org/a%20b"),
        ("https://例子.example.org/", "https://xn--fsqu00a.example.org/"),
        ("https://BÜCHER.example.org/", "https://xn--bcher-kva.example.org/"),
        ("https://xn--BCHER-kva.example.org/", "https://bücher.example.org/"),
        ("https://ｅｘａｍｐｌｅ．ｏｒｇ/", "https://example.org/"),
        ("https://例子。", "https://xn--fsqu00a/"),
        ("  https://example.org/a\n", "https://example.org/a"),
    ],
)
def test_two_urls_are_one(one: str, other: str) -> None:
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(
    "one, other",
    [
        ("https://example.org/a", "https://example.org/a/"),
        ("https://example.org/", "https://example.org/index.html"),
        ("https://example.org/", "https://www.example.org/"),
        ("https://example.org/", "http://example.org/"),
        ("https://example.org/?a=1&b=2", "https://example.org/?b=2&a=1"),
        ("https://example.org/?a=1", "https://example.org/?a=1&a=1"),
        ("https://example.org/?a", "https://example.org/?a="),
        ("https://example.org/?id=utm_source", "https://example.org/"),
        ("https://example.org/?my_utm_source=1", "https://example.org/"),
        ("https://example.org/?gclidx=1", "https://example.org/"),
        ("https://example.org/A", "https://example.org/a"),
        ("https://example.org/?q=A", "https://example.org/?q=a"),
        ("https://example.org/a%2Fb", "https://example.org/a/b"),
        ("https://example.org/a%3Fb", "https://example.org/a?b"),
        ("https://example.org/?a=1%262", "https://example.org/?a=1&2"),
        ("https://example.org/a+b", "https://example.org/a%20b"),
        ("https://example.org/a%2Bb", "https://example.org/a+b"),
        ("https://example.org:8443/", "https://example.org/"),
        ("https://example.org:80/", "https://example.org/"),
        ("http://example.org:443/", "http://example.org/"),
        ("https://example.org/a//b", "https://example.org/a/b"),
        ("https://one@example.org/", "https://example.org/"),
        ("https://example.org/文", "https://example.org/丈"),
        ("https://example.org/a(1)", "https://example.org/a1"),
    ],
)
def test_two_urls_stay_two(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)


@pytest.mark.parametrize(
    "url, expected",
    [
        ("https://example.org/wiki/Foo_(bar)", "https://example.org/wiki/Foo_(bar)"),
        ("https://example.org/100%", "https://example.org/100%25"),
        ("https://example.org/%zz", "https://example.org/%25zz"),
        ("https://example.org/[x]", "https://example.org/%5Bx%5D"),
        ("https://User:Pa%20ss@Example.org/", "https://User:Pa%20ss@example.org/"),
        ("http://[2001:DB8::1]:80/", "http://[2001:db8::1]/"),
        ("http://[2001:db8::1]:8080/", "http://[2001:db8::1]:8080/"),
        ("https://example.org./a", "https://example.org/a"),
        ("https://faß.example.org/", "https://xn--fa-hia.example.org/"),
    ],
)
def test_canonical_spelling(url: str, expected: str) -> None:
    assert canonical(url) == expected


def test_schemes_are_one_where_a_source_says_so() -> None:
    plain, secure = "http://example.org:80/a", "https://example.org/a"
    assert canonical(plain, ignore_scheme=True) == canonical(secure, ignore_scheme=True) == secure


@pytest.mark.parametrize(
    "url, reason",
    [
        ("", "not an http or https URL"),
        ("a/b", "not an http or https URL"),
        ("//example.org/a", "not an http or https URL"),
        ("ftp://example.org/a", "not an http or https URL"),
        ("javascript:alert(1)", "not an http or https URL"),
        ("mailto:a@example.org", "not an http or https URL"),
        ("https:///a", "has no host"),
        ("https://", "has no host"),
        ("https://exa mple.org/", "not a host name"),
        ("https://exa<mple.org/", "not a host name"),
        ("https://[::1/", "is not a URL"),
        ("https://example.org:port/", "is not a URL"),
        ("https://example.org:70000/", "is not a URL"),
        ("https://例子..example.org/", "not a host name"),
    ],
)
def test_no_url(url: str, reason: str) -> None:
    with pytest.raises(BadUrl, match=reason):
        canonical(url)


HOSTS = st.sampled_from(
    [
        "example.org",
        "EXAMPLE.org:80",
        "例子.example.org",
        "u:p@example.org:8443",
        "[::1]",
        "example.org.",
        "例子。",
    ]
)
PIECES = st.one_of(
    st.sampled_from("%|%2|%2f|%2F|%7E|%75tm_a=1|utm_a=1|fbclid|&|?|#|/|=|+| |[|\\".split("|")),
    st.text(max_size=4),
)


@given(
    scheme=st.sampled_from(["http", "https", "HTTPS"]),
    host=HOSTS,
    rest=st.lists(PIECES, max_size=12).map("".join),
)
@example(scheme="http", host="example.org", rest="?%75tm_source=1&a=%75")
@example(scheme="http", host="example.org", rest="\ud800")
def test_canonical_is_idempotent_and_ascii(scheme: str, host: str, rest: str) -> None:
    once = canonical(f"{scheme}://{host}/{rest}")
    assert canonical(once) == once
    assert once.isascii()
    assert once.isprintable()
    assert " " not in once


@given(
    start=st.sampled_from(["http://", "https://"]),
    host=st.text("az09._-", max_size=6),
    rest=st.text("aZ0._-~!$&'()*+,;=:@/%", max_size=8),
    ignore_scheme=st.booleans(),
)
@example(start="https://", host="a.", rest="/", ignore_scheme=False)
@example(start="https://", host="", rest="/a", ignore_scheme=False)
@example(start="http://", host="a", rest="/", ignore_scheme=True)
def test_an_address_that_needs_no_change_is_told_as_others_are(
    start: str, host: str, rest: str, ignore_scheme: bool
) -> None:
    def outcome(url: str) -> str:
        try:
            return canonical(url, ignore_scheme=ignore_scheme)
        except BadUrl:
            return "bad"

    plain = f"{start}{host}{rest}"
    assert outcome(plain) == outcome(plain + "#")  # which goes, and has it taken apart in any case


@given(st.text().filter(lambda text: "//" not in text))
def test_anything_else_is_bad_url_and_says_so_in_one_line(text: str) -> None:
    with pytest.raises(BadUrl) as caught:
        canonical(text)
    assert str(caught.value).isprintable()


@given(st.text())
def test_no_host_breaks_it(host: str) -> None:
    with suppress(BadUrl):
        assert canonical(f"https://{host}/").startswith("https://")


def test_shown_is_one_short_line() -> None:
    assert shown("a\nb\x00c") == "a\ufffdb\ufffdc"
    assert shown("x" * 1000) == "x" * 200 + "…"
    assert shown("x" * 200) == "x" * 200
