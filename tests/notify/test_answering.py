import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedd.fetch.values import Answer
from feedd.notify.answering import SHOWN, outcome
from feedd.notify.values import Delivered, Failed

NOW_MS = 1_767_225_600_000  # 2026-01-01
URL = "https://hooks.example.org/services/T0123456789/very%20secret?key=hidden+words&x=1"


def answered(status: int, body: str | bytes = b"", url: str = URL, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(url, status, named, body.encode() if isinstance(body, str) else body)


def why(answer: Answer, *secrets: str) -> str:
    found = outcome(answer, NOW_MS, secrets)
    assert isinstance(found, Failed)
    return found.why


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (200, "ok", "hooks.example.org answered 200 OK; it says: ok"),
        (204, "", "hooks.example.org answered 204 No Content"),
        (299, "a\r\n b\t\x1b[31m", "hooks.example.org answered 299; it says: a b [31m"),
    ],
)
def test_taken(status: int, body: str, said: str) -> None:
    assert outcome(answered(status, body), NOW_MS) == Delivered(said)


@pytest.mark.parametrize(
    ("status", "gone", "rests"),
    [
        (400, False, False),
        (404, False, False),
        (410, True, False),
        (429, False, True),
        (500, False, False),
        (503, False, True),
        (999, False, False),
    ],
)
def test_not_taken(status: int, gone: bool, rests: bool) -> None:
    found = outcome(answered(status, "no", retry_after="120"), NOW_MS)
    assert isinstance(found, Failed)
    assert found[1:] == (NOW_MS + 120_000, gone, rests)
    assert found.why.startswith(f"hooks.example.org answered {status}")
    assert found.why.endswith("; it says: no")


@pytest.mark.parametrize(
    ("retry_after", "at_ms"),
    [
        ("0", NOW_MS),
        ("90", NOW_MS + 90_000),
        ("Thu, 01 Jan 2026 00:10:00 GMT", NOW_MS + 600_000),
        ("Thu, 01 Jan 2020 00:00:00 GMT", NOW_MS),
        ("99999999999999999999", NOW_MS + 30 * 86_400_000),
        ("soon", None),
    ],
)
def test_when_to_try_again(retry_after: str, at_ms: int | None) -> None:
    for status in (302, 404, 429, 500):
        found = outcome(answered(status, retry_after=retry_after), NOW_MS)
        assert isinstance(found, Failed)
        assert found.retry_after_ms == at_ms


@pytest.mark.parametrize(
    ("location", "where"),
    [
        ("https://new.example.org:8443/secret?secret", "to https://new.example.org:8443"),
        ("http://hooks.example.org/secret", "to http://hooks.example.org"),
        ("/secret", "to another address of the same host"),
        ("//user:secret@other.example/secret", "to https://other.example"),
        ("javascript:secret()", "nowhere"),
        ("http://[", "nowhere"),
        ("", "nowhere"),
    ],
)
def test_redirects(location: str, where: str) -> None:
    told = why(answered(308, "secret", location=location))
    assert f"answered 308 Permanent Redirect and points {where}; redirects are not followed" in told
    assert "correct the address" in told
    assert "secret" not in told


def test_a_304_is_no_redirect() -> None:
    assert why(answered(304)) == "hooks.example.org answered 304 Not Modified"


@pytest.mark.parametrize(
    "body",
    [
        "Cannot POST /services/T0123456789/very%20secret?key=hidden+words&x=1",
        "no such thing: /services/T0123456789/very secret",
        '{"error": "no hook \\/services\\/T0123456789\\/very secret"}',
        "unknown key 'hidden words'",
        "unknown key 'hidden+words'",
        "the token sesame-opens is not known",
        "Authorization: Bearer sesame-opens",
    ],
)
def test_what_a_receiver_repeats_is_not_shown(body: str) -> None:
    told = why(answered(404, body), "Bearer sesame-opens")
    assert "…" in told
    assert not [each for each in ("T0123456789", "very", "hidden", "sesame") if each in told]


def test_html_is_shown_as_text() -> None:
    page = "<!DOCTYPE html><html><head><title>Not here</title></head><body>/a?b=long&amp;secret=c &lt;b&gt;</body>"
    answer = answered(404, page, "https://example.org/a?b=long&secret=c", content_type="text/HTML; charset=x")
    assert why(answer) == "example.org answered 404 Not Found; it says: Not here … <b>"


def test_long_answers_are_cut() -> None:
    told = why(answered(500, "word " * 100_000))
    assert told.endswith("word…")
    assert len(told) < SHOWN + 100


TEXTS = st.text(max_size=40) | st.sampled_from(
    ["https://a.example/", "//", "http://[", "/x", "text/html", "7"]
)


@given(
    st.integers(-10, 2000) | st.sampled_from([200, 204, 301, 308, 410, 429, 503]),
    st.dictionaries(st.sampled_from(["location", "retry-after", "content-type", "x"]), TEXTS),
    st.binary(max_size=400) | st.text(max_size=400).map(lambda text: text.encode("utf-8", "surrogatepass")),
    st.sampled_from([URL, "http://127.0.0.1:1/", "https://[::1]/x"]) | TEXTS,
    st.lists(st.text(max_size=20), max_size=3),
)
def test_whatever_is_answered_the_words_are_bounded_and_hold_no_secret(
    status: int, headers: dict[str, str], body: bytes, url: str, secrets: list[str]
) -> None:
    found = outcome(Answer(url, status, headers, body + b" T0123456789"), NOW_MS, secrets)
    words = found.said if isinstance(found, Delivered) else found.why
    assert words.isprintable()
    assert len(words) < 2 * SHOWN + 250
    assert isinstance(found, Delivered) == (200 <= status < 300)
    if url == URL:
        assert "T0123456789" not in words
    if isinstance(found, Failed) and found.retry_after_ms is not None:
        assert NOW_MS <= found.retry_after_ms <= NOW_MS + 30 * 86_400_000


@given(st.text(max_size=300), st.lists(st.text(min_size=8, max_size=20), max_size=3))
def test_no_secret_is_shown_wherever_it_stands(text: str, secrets: list[str]) -> None:
    body = text[:150] + "".join(f" {each} " for each in secrets) + text[150:]
    told = why(Answer("https://example.org/", 500, {}, body.encode("utf-8", "replace")), *secrets)
    assert not [each for each in secrets if each in told and each.isprintable() and "…" not in each]
