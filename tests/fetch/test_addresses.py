from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedd.errors import FetchError
from feedd.fetch import address
from feedd.fetch.address import Address
from feedd.fetch.shown import shown
from feedd.fetch.values import Basic


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("http://example.org", "http://example.org/"),
        ("HTTP://EXAMPLE.org:80/a b", "http://example.org/a%20b"),
        ("https://example.org:443/?q=1#part", "https://example.org/?q=1"),
        ("https://example.org:8443/", "https://example.org:8443/"),
        (" https://bücher.example/ä ", "https://xn--bcher-kva.example/%C3%A4"),
        ("http://example.org./", "http://example.org/"),
        ("http://[2001:DB8::1]:8080/x", "http://[2001:db8::1]:8080/x"),
        ("http://under_score.example/", "http://under_score.example/"),
    ],
)
def test_addresses_are_read(url: str, normal: str) -> None:
    place, auth = address.read(url)
    assert place.url == normal
    assert auth is None
    assert address.read(place.url)[0] == place


@pytest.mark.parametrize(
    "url",
    ["", "example.org/feed", "//example.org/", "file:///etc/passwd", "http://", "http:///x", "http://a..b/", "http://a b/",
     "http://example.org:0/", "http://example.org:99999/", "http://example.org:x/", "http://[::1", "http://" + "a" * 300 + "/",
     "http://exa\nmple.org/", "https://example.org/" + "a" * 70_000, "mailto:a@example.org", "http://\udcff/", "http://☃\x00.net/"],
)  # fmt: skip
def test_what_is_no_address_says_so(url: str) -> None:
    with pytest.raises(FetchError, match="no address of the web"):
        address.read(url)


def test_user_and_password_are_taken_out() -> None:
    place, auth = address.read("https://us%40er:p%3Aw%2F@example.org/x")
    assert auth == Basic("us@er", "p:w/")
    assert place.url == "https://example.org/x"


@pytest.mark.parametrize(
    ("url", "safe"),
    [
        ("https://user:secret@example.org/feed?token=secret#secret", "https://example.org/feed?…"),
        ("https://user:sec@ret/secret@example.org/", "https://example.org/"),
        ("http://user:p/secret@host/", "http://host/"),
        ("https://example.org/\x1b[31mred\n", "https://example.org/\ufffd[31mred\ufffd"),
        ("https://example.org/" + "a" * 500, "https://example.org/" + "a" * 180 + "…"),
    ],
)
def test_errors_show_no_secret(url: str, safe: str) -> None:
    assert shown(url) == safe


@given(st.text(max_size=60), st.sampled_from(["", "http://", "https://", "http://user:secret@", "//"]))
def test_anything_is_an_address_or_an_error(text: str, start: str) -> None:
    base, _ = address.read("https://example.org/a/b?c")
    for found in (
        outcome(lambda: address.read(start + text)[0]),
        outcome(lambda: address.follow(base, start + text)),
    ):
        if isinstance(found, FetchError):
            assert "secret" not in str(found).replace(text, "")
        else:
            assert found.url.isascii()
            assert address.read(found.url)[0].origin == found.origin


def outcome(read: Callable[[], Address]) -> Address | FetchError:
    try:
        return read()
    except FetchError as error:
        return error
