import pytest
from fetching import fetch, names
from webserver import Reply, Request, Web

from feedd.errors import FetchError, TooManyRedirects
from feedd.fetch import hops
from feedd.fetch.values import Access, Ask, Basic, Bearer, Validators

SECRET = Access(
    headers=(
        ("X-API-Key", "secret"),
        ("Cookie", "own=secret"),
        ("Accept-Language", "de"),
        ("X-Anything", "secret"),
    ),
    cookies=(("sid", "secret"),),
    auth=Basic("user", "secret"),
)


def follow(hop: hops.Hop, target: str, status: int = 302, set_cookie: list[str] | None = None) -> hops.Hop:
    following = hops.following(hop, SECRET, status, target, set_cookie or [])
    assert following is not None
    return following


def sent(ask: Ask, *targets: str, status: int = 302) -> dict[str, str]:
    """The headers of the last request on that way."""
    hop = hops.first(ask)
    for target in targets:
        hop = follow(hop, target, status)
    return {name.decode(): value.decode() for name, value in hops.headers_of(ask, hop)}


@pytest.mark.parametrize(
    ("url", "targets", "kept"),
    [
        ("https://example.org/", [], True),
        ("https://example.org/", ["/b", "https://example.org:443/c"], True),
        ("http://example.org/", ["https://example.org/"], True),
        ("https://example.org/", ["http://example.org/"], False),
        ("http://example.org:8080/", ["https://example.org:8443/"], False),
        ("http://example.org/", ["https://example.org:8443/"], False),
        ("https://example.org/", ["https://www.example.org/"], False),
        ("https://example.org/", ["https://example.org:8443/"], False),
        ("https://example.org/", ["https://example.com/", "https://example.org/back"], False),
        ("https://example.org/", ["http://example.org/", "https://example.org/back"], False),
    ],
)
def test_credentials_stay_with_the_origin(url: str, targets: list[str], kept: bool) -> None:
    headers = sent(Ask(url, SECRET), *targets)
    assert ("authorization" in headers, "cookie" in headers, "x-api-key" in headers) == (kept, kept, kept)
    assert ("secret" in str(headers)) is kept
    assert headers["accept-language"] == "de"
    assert headers["user-agent"] == "feedd"


def test_headers_of_a_request() -> None:
    headers = sent(Ask("https://example.org:8443/", SECRET, accept="text/html"))
    assert headers == {
        "host": "example.org:8443",
        "user-agent": "feedd",
        "accept": "text/html",
        "accept-encoding": "gzip, br, zstd",
        "authorization": "Basic dXNlcjpzZWNyZXQ=",
        "x-api-key": "secret",
        "accept-language": "de",
        "x-anything": "secret",
        "cookie": "own=secret; sid=secret",
    }


def test_what_a_source_configures_counts_before_what_feedd_says() -> None:
    own = Access(
        headers=(("User-Agent", "mine"), ("ACCEPT", "a/b"), ("Host", "evil"), ("Content-Length", "5"))
    )
    headers = sent(Ask("https://example.org/", own))
    assert (headers["user-agent"], headers["accept"], headers["host"]) == ("mine", "a/b", "example.org")
    assert "content-length" not in headers


def test_a_token_and_a_password_in_the_address() -> None:
    assert sent(Ask("https://example.org/", Access(auth=Bearer("t"))))["authorization"] == "Bearer t"
    assert sent(Ask("https://us%40er:pw@example.org/"))["authorization"] == "Basic dXNAZXI6cHc="
    assert sent(Ask("https://user:pw@example.org/", Access(auth=Bearer("t"))))["authorization"] == "Bearer t"
    assert "authorization" not in sent(Ask("https://example.org/"), "https://user:pw@example.com/")


@pytest.mark.parametrize(
    "header", [("X-Key", "se\ncret"), ("X\nY", "v"), ("X Y", "v"), ("", "v"), ("X", "se\x00cret")]
)
def test_a_header_that_can_not_be_sent_is_named_without_its_value(header: tuple[str, str]) -> None:
    with pytest.raises(FetchError, match="the header") as caught:
        sent(Ask("https://example.org/", Access(headers=(header,))))
    assert "cret" not in str(caught.value)


VALIDATORS = Validators('"tag"', "Thu, 01 Jan 2026 00:00:00 GMT")


@pytest.mark.parametrize(
    ("came_from", "targets", "conditional"),
    [
        (None, [], True),
        (None, ["/b"], True),
        (None, ["https://example.com/"], False),
        ("https://example.com/feed", ["https://example.com/feed"], True),
        ("https://example.com/feed", [], False),
        ("https://example.com/feed", ["https://example.com/other"], False),
        ("https://example.org/", [], True),
    ],
)
def test_validators_go_to_where_they_came_from(
    came_from: str | None, targets: list[str], conditional: bool
) -> None:
    headers = sent(Ask("https://example.org/", validators=VALIDATORS._replace(url=came_from)), *targets)
    assert ("if-none-match" in headers, "if-modified-since" in headers) == (conditional, conditional)


@pytest.mark.parametrize("etag", ['"a\r\nX: y"', '"' + "x" * 2000 + '"', ""])
def test_a_validator_that_would_break_requests_is_left_out(etag: str) -> None:
    headers = sent(Ask("https://example.org/", validators=VALIDATORS._replace(etag=etag)))
    assert "if-none-match" not in headers
    assert "if-modified-since" in headers


@pytest.mark.parametrize(
    ("way", "moved_to"),
    [
        ([(301, "/b")], "https://example.org/b"),
        ([(308, "/b"), (301, "https://example.com/c#part")], "https://example.com/c"),
        ([(301, "/b"), (302, "/c")], "https://example.org/b"),
        ([(301, "/b"), (302, "/c"), (301, "/d")], "https://example.org/b"),
        ([(302, "/b"), (301, "/c")], None),
        ([(303, "/b")], None),
        ([(307, "/b")], None),
    ],
)
def test_where_permanent_redirects_alone_lead(way: list[tuple[int, str]], moved_to: str | None) -> None:
    hop = hops.first(Ask("https://example.org/a"))
    for status, target in way:
        hop = follow(hop, target, status)
    assert hop.moved_to == moved_to


@pytest.mark.parametrize("status", [200, 204, 300, 304, 305, 306, 404, 410, 503])
def test_other_statuses_are_answers(status: int) -> None:
    assert hops.following(hops.first(Ask("https://example.org/")), SECRET, status, "/b", []) is None


def test_a_redirect_to_nowhere_is_an_answer() -> None:
    for location in (None, ""):
        assert hops.following(hops.first(Ask("https://example.org/")), SECRET, 302, location, []) is None


def test_cookies_of_a_server_go_back_to_it_alone() -> None:
    hop = hops.first(Ask("https://example.org/"))
    hop = follow(
        hop, "/b", set_cookie=["a=1; Path=/; Secure", "b=2; HttpOnly", "broken", "=x", "sid=new", "c=\x01"]
    )
    assert hops.cookies_for(SECRET, hop) == "sid=new; a=1; b=2"
    away = follow(hop, "https://example.com/")
    assert hops.cookies_for(SECRET, away) == ""
    plain = follow(away, "http://example.org/")
    assert hops.cookies_for(SECRET, plain) == "b=2; sid=new"


def test_cookies_are_bounded() -> None:
    hop = hops.first(Ask("https://example.org/"))
    hop = follow(
        hop, "/b", set_cookie=[f"c{number}={number}" for number in range(500)] + ["big=" + "x" * 5000]
    )
    assert len(hop.cookies) == 50
    assert len(str(hop.cookies)) < 10_000


def test_redirects_in_circles_and_without_end() -> None:
    with Web() as web:
        for number in range(12):
            web.redirect(f"/{number}", f"/{number + 1}")
        web.page("/12", "here")
        web.redirect("/a", "/b")
        web.redirect("/b", "/a?secret=1#x")
        web.redirect("/a?secret=1", "/a")
        with pytest.raises(TooManyRedirects, match=r"redirects in a circle, to http://127\.0\.0\.1:\d+/a$"):
            fetch(web.url + "/a")
        with pytest.raises(TooManyRedirects, match=r"more than 10 times \(max_redirects\)"):
            fetch(web.url + "/0")
        assert fetch(web.url + "/2").body == b"here"
        with pytest.raises(TooManyRedirects, match="more than 0 times"):
            fetch(web.url + "/11", max_redirects=0)


def test_a_redirect_to_itself_that_sets_a_cookie_is_no_circle() -> None:
    def gate(request: Request) -> Reply:
        if "seen=1" in request.headers.get("cookie", ""):
            return Reply("in")
        return Reply(status=302, headers={"Location": "/", "Set-Cookie": "seen=1; Path=/"})

    with Web() as web:
        web.script("/", gate)
        answer = fetch(web.url + "/")
        again = fetch(web.url + "/")
    assert (answer.body, again.body, len(web.requests)) == (b"in", b"in", 4)
    assert "set-cookie" not in answer.headers


def test_secrets_do_not_follow_to_another_host_over_the_wire() -> None:
    with Web() as web, Web() as other:
        web.redirect("/a", f"{other.url}/b")
        other.redirect("/b", f"{web.url}/c")
        web.page("/c", "back")
        answer = fetch(
            f"http://user:secret@127.0.0.1:{web.port}/a", headers=SECRET.headers, cookies=SECRET.cookies
        )
    assert answer.url == f"{web.url}/c"
    assert web.requests[0].headers["authorization"] == "Basic dXNlcjpzZWNyZXQ="
    assert "secret" in str(web.requests[0])
    assert "secret" not in str([other.requests, web.requests[1:]])
    assert other.requests[0].headers["accept-language"] == "de"


def test_hosts_are_told_apart_by_name() -> None:
    with Web() as web:
        web.script("/", lambda request: Reply(request.headers["host"]))
        answer = fetch(f"http://a.example:{web.port}/", resolve=names())
    assert answer.body == f"a.example:{web.port}".encode()
