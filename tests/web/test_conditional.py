"""Conditional requests and content coding, as tables of values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import Headers

from feedd.publish.cache import Rendered
from feedd.web.conditional import accepts_gzip, is_unchanged, validators

CHANGED_MS = 1_706_867_102_500
LATER_MS = CHANGED_MS + 60_000
CHANGED = "Fri, 02 Feb 2024 09:45:02 GMT"
RENDERED = Rendered(b"x", b"y", "abc", "text/plain", CHANGED_MS, ())


def unchanged(now_ms: int = LATER_MS, **headers: str) -> bool:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return is_unchanged(Headers(named), RENDERED, now_ms=now_ms)


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("", False),
        ("gzip", True),
        ("GZip", True),
        ("br, gzip;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("gzip ; Q=1", True),
        ("*", True),
        ("*;q=0", False),
        ("gzip;q=0, *", False),
        ("identity", False),
        ("identity, *;q=0", False),
        ("gzip;q=x", False),
        ("gzip;q=nan", False),
        ("x-gzip-like", False),
        (",;=,", False),
    ],
)
def test_gzip_is_sent_to_those_who_take_it(accepted: str, expected: bool) -> None:
    assert accepts_gzip(Headers({"accept-encoding": accepted})) is expected


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ('"abc"', True),
        ('"abc-gzip"', True),
        ('W/"abc"', True),
        ('"x", "abc"', True),
        ('"x",W/"abc-gzip"', True),
        ("*", True),
        ('"x"', False),
        ('"abcd"', False),
        ("abc", False),
        ("", False),
        ('"ABC"', False),
    ],
)
def test_a_tag_tells_whether_the_client_has_it(tags: str, expected: bool) -> None:
    assert unchanged(if_none_match=tags) is expected


@pytest.mark.parametrize(
    ("since", "expected"),
    [
        (CHANGED, True),
        ("Fri, 02 Feb 2024 09:45:03 GMT", True),
        ("Fri, 02 Feb 2024 09:45:01 GMT", False),
        ("Fri, 02 Feb 2024 10:45:02 +0100", True),
        ("Friday, 02-Feb-24 09:45:02 GMT", True),
        ("Fri Feb  2 09:45:02 2024", True),
        ("yesterday", False),
        ("", False),
        ("0", False),
        ("Fri, 02 Feb 99999 09:45:02 GMT", False),
        ("Fri, 02 Feb 2024 09:45:02 +999999999999999999999999", False),
        ("Mon, 01 Jan 0001 00:00:00 +2359", False),
        ("Mon, 01 Jan 0001 00:00:00 -0000", False),
    ],
)
def test_a_date_tells_whether_the_client_has_it(since: str, expected: bool) -> None:
    assert unchanged(if_modified_since=since) is expected


def test_the_tag_wins_over_the_date() -> None:
    assert not unchanged(if_none_match='"x"', if_modified_since=CHANGED)
    assert unchanged(if_none_match='"abc"', if_modified_since="Thu, 01 Jan 1970 00:00:00 GMT")


def test_a_date_is_not_taken_within_two_seconds_of_the_change() -> None:
    assert not unchanged(CHANGED_MS + 1_999, if_modified_since=CHANGED)
    assert unchanged(CHANGED_MS + 2_000, if_modified_since=CHANGED)
    assert unchanged(CHANGED_MS, if_none_match='"abc"')


def test_neither() -> None:
    assert not unchanged()


def test_validators_differ_by_coding() -> None:
    plain, gzipped = validators(RENDERED, gzipped=False), validators(RENDERED, gzipped=True)
    assert (plain["ETag"], gzipped["ETag"]) == ('"abc"', '"abc-gzip"')
    assert plain["Last-Modified"] == CHANGED
    assert "Accept-Encoding" in plain["Vary"]


@given(st.text(st.characters(max_codepoint=255), max_size=50))
def test_whatever_a_client_says(text: str) -> None:
    headers = Headers({"if-modified-since": text, "accept-encoding": text})
    assert is_unchanged(headers, RENDERED, now_ms=LATER_MS) in {True, False}
    assert accepts_gzip(headers) in {True, False}
