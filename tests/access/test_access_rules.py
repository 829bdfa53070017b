"""What a request shows, and what it needs: pure rules."""

import base64
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedd.access import credentials, origins
from feedd.access.credentials import Shown, Way
from feedd.access.keys import form_token, hashed, is_form_token, is_session, is_token, new_session, new_token
from feedd.access.limits import MINUTE_MS, MOST_ADDRESSES, Attempts
from feedd.access.needs import READ_BY_READERS, names_one_of, needed
from feedd.access.origins import From, is_asked_for, is_of_the_world, is_ours, local_path, origin_of
from feedd.access.scopes import Scope

PRIVATE = frozenset({"secret", "board"})


def basic(text: str) -> str:
    return "Basic " + base64.b64encode(text.encode()).decode()


def test_each_scope_covers_those_before_it() -> None:
    read, write, admin = Scope
    assert [a.covers(b) for a in Scope for b in Scope] == [
        *(True, False, False),
        *(True, True, False),
        *(True, True, True),
    ]
    assert (read, write, admin) == ("read", "write", "admin")


def test_tokens_are_random_and_known_by_their_form() -> None:
    token = new_token()
    assert is_token(token)
    assert token.startswith("feedd_")
    assert token != new_token()
    assert len(hashed(token)) == 32
    assert is_session(new_session())
    for wrong in ("", "feedd_", token[:-1], token + "x", token.upper(), f" {token}", f"{token}\n", "é" * 49):
        assert not is_token(wrong)


@given(st.text(max_size=100))
def test_no_other_text_is_a_form_token(text: str) -> None:
    session = "s" * 43
    assert is_form_token(form_token(session), session)
    assert is_form_token(text, session) == (text == form_token(session))
    assert session not in form_token(session)


@pytest.mark.parametrize(
    ("header", "found"),
    [
        ("Bearer abc", Shown(Way.BEARER, "abc")),
        ("bearer  abc ", Shown(Way.BEARER, "abc")),
        ("Bearer\tabc", Shown(Way.BEARER, "abc")),
        (basic("me:tok:en"), Shown(Way.BASIC, "tok:en")),
        (basic(":token"), Shown(Way.BASIC, "token")),
        (basic("token"), Shown(Way.BASIC, "")),
        ("Basic !!!", Shown(Way.BASIC, "")),
        ("Basic", Shown(Way.BASIC, "")),
        ("Digest abc", None),
        ("", None),
    ],
)
def test_authorization(header: str, found: Shown | None) -> None:
    assert credentials.of_header(header) == found


@given(st.text(max_size=2_000))
def test_any_header_is_read(text: str) -> None:
    for scheme in ("", "Bearer ", "Basic "):
        found = credentials.of_header(scheme + text)
        assert found is None or len(found.secret) <= credentials.LONGEST


@pytest.mark.parametrize(
    ("query", "key", "rest"),
    [
        ("", None, ""),
        ("limit=5", None, "limit=5"),
        ("key=abc", "abc", ""),
        ("limit=5&key=abc&x=%20", "abc", "limit=5&x=%20"),
        ("key=a&key=b", "b", ""),
        ("%6Bey=abc&a=1", "abc", "a=1"),
        ("keys=abc", None, "keys=abc"),
        ("key", "", ""),
    ],
)
def test_the_key_of_an_address(query: str, key: str | None, rest: str) -> None:
    assert credentials.of_query(query) == (key, rest)


@given(st.text(max_size=200))
def test_what_is_left_of_an_address_names_no_key(query: str) -> None:
    _, rest = credentials.of_query(query)
    assert credentials.of_query(rest) == (None, rest)


def test_cookies() -> None:
    session = new_session()
    assert credentials.of_cookies(f"a=b; feedd={session}; c", "feedd") == session
    assert credentials.of_cookies(f"__Host-feedd={session}", "feedd") is None
    assert credentials.of_cookies("feedd=x", "feedd") is None
    assert credentials.of_cookies(f"feedd=x; feedd={session}", "feedd") == session
    assert credentials.of_cookies("a=b; " * 2_000 + f"feedd={session}", "feedd") is None


def need(method: str, path: str, query: str = "", *, closed: bool = False) -> Scope | None:
    return needed(method, path, query, closed=closed, private=PRIVATE).scope


@pytest.mark.parametrize(
    "path",
    ["/healthz", "/readyz", "/login", "/logout", "/style.css", "/hub", "/push/abc", "/static/a.js"],
    ids=lambda path: path.strip("/").replace("/", "-"),
)
def test_what_is_open_however_closed_the_rest_is(path: str) -> None:
    for method in ("GET", "HEAD", "POST"):
        assert need(method, path, closed=True) is None


@pytest.mark.parametrize(
    "path",
    [
        "/",
        "/feeds",
        "/feeds/all",
        "/feeds/all.atom",
        "/feeds.opml",
        "/events",
        "/metrics",
        "/api/v1/sources",
        "/x",
    ]
    + [
        "/push",
        "/push/a/b",
        "/hub/x",
        "/static/a/b",
        "/static/../feeds",
        "/healthz/",
        "/loginx",
        "/STYLE.css",
        "//hub",
    ],
    ids=lambda path: path.replace("/", "-"),
)
def test_all_else_needs_a_token_where_the_server_is_closed(path: str) -> None:
    assert need("GET", path, closed=True) is Scope.READ
    is_document = READ_BY_READERS.fullmatch(path) is not None  # which takes no POST from anybody
    assert need("POST", path, closed=True) is (Scope.READ if is_document else Scope.WRITE)


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/feeds/secret", ""),
        ("/feeds/secret.atom", "limit=2"),
        ("/feeds/secret.json", ""),
        ("/feeds/secret.whatever", ""),
        ("/feeds/secret/archive/1.atom", ""),
        ("/feeds/secret/archive/1\n", ""),
        ("/feeds/%73ecret.atom", ""),
        ("/api/v1/feeds/secret", ""),
        ("/api/v1/feeds/secret/entries", ""),
        ("/events", "feed=secret"),
        ("/events", "feed=all&feed=secret"),
        ("/events", "feed=all,secret"),
        ("/events", "%66eed=secret"),
        ("/search", "q=feed:secret"),
        ("/search.atom", "q=war+feed%3A%22secret%22"),
        ("/search", "q=-FEED:Secret"),
        ("/api/v1/search", "query=feed:%20board"),
    ],
    ids=range(17),
)
def test_what_names_a_private_feed_needs_a_token(path: str, query: str) -> None:
    assert need("GET", path, query) is Scope.READ
    assert need("HEAD", path, query) is Scope.READ


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/feeds/secrets", ""),
        ("/feeds/all.atom", ""),
        ("/search", "q=secret"),
        ("/events", ""),
        ("/entries/1", ""),
    ],
    ids=range(5),
)
def test_what_is_public_needs_none(path: str, query: str) -> None:
    assert need("GET", path, query) is None


def test_what_changes_something_needs_more() -> None:
    for method in ("POST", "PUT", "PATCH", "DELETE", "MKCOL", "post"):
        assert need(method, "/api/v1/sources/a/check") is Scope.WRITE
    assert need("GET", "/api/v1/tokens") is Scope.ADMIN
    assert need("DELETE", "/api/v1/tokens/a", closed=True) is Scope.ADMIN


@given(st.text(max_size=300), st.text(max_size=300))
def test_any_address_is_judged(path: str, query: str) -> None:
    assert need("GET", "/" + path, query, closed=True) in {None, Scope.READ, Scope.ADMIN}
    assert need("POST", "/api/v1/" + path, query) in {Scope.WRITE, Scope.ADMIN}
    assert names_one_of(PRIVATE, "/" + path, query) in {True, False}


def test_what_is_too_long_to_be_judged_is_not_for_everybody() -> None:
    assert need("GET", "/search", "&".join(["a=b"] * 1_000)) is Scope.READ
    assert need("GET", "/search", "q=" + "a" * 20_000 + "+feed:secret") is Scope.READ


@pytest.mark.parametrize(
    "query",
    [
        "feed：secret",
        "ｆｅｅｄ:secret",
        "FEED:«Secret»",
        "feed:「secret」",
        "fe\u00aded:sec\u200bret",
        "a feed: 'secret' b",
    ],
    ids=range(6),
)
def test_however_a_private_feed_is_searched(query: str) -> None:
    assert need("GET", "/search", f"q={quote(query)}") is Scope.READ


OURS = frozenset({"https://feeds.example"})
PLAIN = frozenset({"http://192.168.1.5:8080"})


@pytest.mark.parametrize(
    ("site", "origin", "own", "is_own"),
    [
        ("same-origin", None, OURS, True),
        ("same-origin", "null", OURS, True),
        ("same-site", "https://feeds.example", OURS, False),
        ("cross-site", "https://feeds.example", OURS, False),
        ("none", None, OURS, False),
        ("", None, OURS, False),
        (None, "https://feeds.example", OURS, True),
        (None, "https://evil.example", OURS, False),
        (None, "null", OURS, False),
        (None, None, OURS, False),
        (None, "null", PLAIN, True),
        (None, None, PLAIN, True),
        (None, "http://192.168.1.5:8080", PLAIN, True),
        (None, "http://192.168.1.5", PLAIN, False),
    ],
    ids=range(14),
)
def test_whether_a_page_of_ours_sent_it(
    site: str | None, origin: str | None, own: frozenset[str], is_own: bool
) -> None:
    assert is_ours(From(site, origin), own) is is_own


def test_origins() -> None:
    assert origin_of("https://Feeds.Example/x/") == "https://feeds.example"
    assert origin_of("http://[::1]:8080/") == "http://[::1]:8080"
    assert origin_of("http://a.example:80/") == "http://a.example"


@pytest.mark.parametrize(
    ("url", "is_so"),
    [
        ("https://feeds.example.org/", True),
        ("http://198.51.100.1.example.org:8080/", True),
        ("http://8.8.8.8/", True),
        ("http://[2606:4700::1111]/", True),
        ("http://127.0.0.1:8080/", False),
        ("http://[::1]:8080/", False),
        ("http://192.168.1.5/", False),
        ("http://[fd00::1]/", False),
        ("http://localhost:8080/", False),
        ("http://localhost./", False),
        ("http://pi.local/", False),
        ("http://nas/", False),
        ("", False),
    ],
    ids=range(13),
)
def test_what_all_the_world_may_reach(url: str, is_so: bool) -> None:
    assert is_of_the_world(url) is is_so


@pytest.mark.parametrize("wanted", ["/", "/feeds", "/entries/1?revision=2", "/search?q=%E4%B8%AD", "/loginx"])
def test_where_one_goes_after_logging_in(wanted: str) -> None:
    assert local_path(wanted) == wanted


@pytest.mark.parametrize(
    "wanted",
    [
        "",
        "x",
        "//evil.example",
        "/\\evil.example",
        "https://evil.example",
        "/a\nb",
        "/\t/evil.example",
        "/" * 3_000,
        "/é",
        "/logout",
        "/login?next=/login",
        "/logout#x",
    ],
    ids=range(12),
)
def test_nobody_is_sent_elsewhere(wanted: str) -> None:
    assert local_path(wanted) == "/"


def test_attempts_are_counted() -> None:
    attempts = Attempts(of_one=3, in_all=5)
    assert [attempts.wait_ms("a", at) for at in (0, 1, 2)] == [0, 0, 0]
    assert attempts.wait_ms("a", 10) == MINUTE_MS - 10
    assert attempts.wait_ms("b", 10) == 0
    assert attempts.wait_ms(None, 10) == 0
    assert attempts.wait_ms("c", 20) == MINUTE_MS - 20
    assert attempts.wait_ms("a", MINUTE_MS) == 0
    assert attempts.wait_ms("a", MINUTE_MS) == 1


def test_who_was_let_in_begins_anew() -> None:
    attempts = Attempts(of_one=1, in_all=100)
    assert attempts.wait_ms("a", 0) == 0
    assert attempts.wait_ms("a", 0) > 0
    attempts.forget("a")
    assert attempts.wait_ms("a", 0) == 0


@given(st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.integers(0, 200_000)), max_size=200))
def test_no_minute_holds_more(tries: list[tuple[str | None, int]]) -> None:
    attempts, let_in = Attempts(of_one=3, in_all=5), list[tuple[str | None, int]]()
    for address, at in sorted(tries, key=lambda each: each[1]):
        if attempts.wait_ms(address, at) == 0:
            let_in.append((address, at))
    for _, start in let_in:
        minute = [address for address, at in let_in if start <= at < start + MINUTE_MS]
        assert len(minute) <= 5
        assert max(minute.count("a"), minute.count("b")) <= 3


def test_addresses_are_forgotten_where_there_are_many() -> None:
    attempts = Attempts(of_one=1, in_all=10**6)
    for number in range(2 * MOST_ADDRESSES):
        attempts.wait_ms(str(number), 0)
    assert len(attempts.by_address) == MOST_ADDRESSES
    assert origins.local_path("/") == "/"


@pytest.mark.parametrize(
    ("host", "url", "may"),
    [
        ("127.0.0.1:8080", "http://127.0.0.1:8080/", True),
        ("localhost:8080", "http://127.0.0.1:8080/", True),
        ("nas.local", "http://127.0.0.1:8080/", True),
        ("nas", "http://127.0.0.1:8080/", True),
        ("[::1]:8080", "http://127.0.0.1:8080/", True),
        ("93.184.216.34", "http://127.0.0.1:8080/", True),
        ("", "http://127.0.0.1:8080/", True),  # HTTP/1.0: no browser
        ("evil.example:8080", "http://127.0.0.1:8080/", False),
        ("rebound.example.org:8080", "http://127.0.0.1:8080/", False),
        ("rebound.example.org.", "http://nas.local/", False),
        ("127.0.0.1.example.org", "http://nas.local/", False),
        ("[::1", "http://nas.local/", False),
        ("alias.example.net", "https://feeds.example.org/", True),
    ],
)
def test_the_name_that_is_asked_for(host: str, url: str, *, may: bool) -> None:
    assert is_asked_for(host, url) is may
