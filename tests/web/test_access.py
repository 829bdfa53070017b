"""Who may: over real connections to the whole application."""

import base64
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from gated import Gated
from running import until

from feedd.access.keys import new_token
from feedd.access.scopes import Scope

FORM = "application/x-www-form-urlencoded"
HIDDEN = re.compile(r'name="csrf" value="([^"]+)"')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gated]:
    with Gated(tmp_path_factory.mktemp("public")) as gated:
        yield gated


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Gated]:
    with Gated(tmp_path_factory.mktemp("closed"), access="token") as gated:
        yield gated


@pytest.fixture(scope="module")
def reader(site: Gated) -> str:
    return site.token("reader")


@pytest.fixture(scope="module")
def editor(site: Gated) -> str:
    return site.token("editor", Scope.WRITE)


@contextmanager
def logged_in(site: Gated, token: str, **settings: str) -> Iterator[httpx.Client]:
    with site.client() as client:
        csrf = HIDDEN.findall(client.get("/login").text)[0]
        answer = client.post("/login", data={"token": token, "csrf": csrf, **settings})
        assert answer.status_code == 303, answer.text
        yield client


def csrf_of(client: httpx.Client) -> str:
    found: str = HIDDEN.findall(client.get("/settings").text)[0]
    return found


def test_while_nobody_has_a_token_nothing_is_changed(tmp_path: Path) -> None:
    with Gated(tmp_path) as site:
        assert site.get("/").status_code == 200
        answer = site.post("/api/v1/things", "x")
        assert answer.status_code == 403
        assert "feedd token new NAME --scope write" in answer.json()["detail"]
        assert site.post("/deliveries", "x").status_code == 403
        assert "Nobody has a token yet" in site.get("/login").text
        made = site.token("a", Scope.WRITE)
        assert site.post("/api/v1/things", "x").status_code == 401
        assert site.post("/api/v1/things", "x", Authorization=f"Bearer {made}").status_code == 200
        site.revoke("a")
        assert site.post("/api/v1/things", "x", Authorization=f"Bearer {made}").status_code == 401
        assert site.done == ["x"]


def test_each_scope_may_what_it_says(site: Gated, reader: str, editor: str) -> None:
    site.done.clear()
    answer = site.post("/api/v1/things", "x")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="feedd"'
    assert answer.headers["content-type"] == "application/problem+json"
    answer = site.post("/api/v1/things", "x", Authorization=f"Bearer {reader}")
    assert answer.status_code == 403
    assert answer.json()["detail"] == "The token 'reader' may read; this needs one that may write."
    assert site.done == []
    answer = site.post("/api/v1/things", "x", Authorization=f"Bearer {editor}")
    assert (answer.status_code, answer.json()["name"], site.done) == (200, "editor", ["x"])
    assert site.get("/api/v1/admin").status_code == 401
    assert site.get("/api/v1/admin", Authorization=f"Bearer {editor}").status_code == 403


def test_a_wrong_token_is_said_to_be_wrong(site: Gated) -> None:
    assert site.get("/feeds/all.atom", Authorization=f"Bearer {new_token()}").status_code == 401
    assert site.get(f"/feeds/all.atom?key={new_token()}").status_code == 401
    with site.client(auth=("me", new_token())) as client:
        assert client.get("/feeds/all.atom").status_code == 401


def test_what_is_meant_for_a_proxy_is_none_of_ours(site: Gated) -> None:
    for other in ("feedd_x", "x" * 10_000, "eyJhbGciOiJub25lIn0.e30."):
        assert site.get("/feeds/all.atom", Authorization=f"Bearer {other}").status_code == 200
        assert site.get("/feeds/secret.atom", Authorization=f"Bearer {other}").status_code == 401
    with site.client(auth=("me", "password")) as client:
        assert client.get("/feeds/all.atom").status_code == 200
        assert client.get("/feeds/secret.atom").status_code == 401
    assert site.get("/feeds/all.atom?key=wrong").status_code == 200
    assert site.get("/feeds/secret.atom?key=wrong").status_code == 401
    assert site.get("/feeds/all.atom", Authorization="Digest x").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/feeds/secret.atom", "/feeds/secret.rss", "/feeds/secret.json?limit=1"],
    ids=["atom", "rss", "json"],
)
def test_a_private_feed_for_readers(site: Gated, reader: str, path: str) -> None:
    refused = site.get(path)
    assert refused.status_code == 401
    assert refused.headers["www-authenticate"] == 'Basic realm="feedd", charset="UTF-8"'
    assert refused.headers["cache-control"] == "no-store"
    assert "frame-ancestors 'none'" in refused.headers["content-security-policy"]
    with site.client() as client:
        by_basic = client.get(path, auth=("anybody", reader))
    by_bearer = site.get(path, Authorization=f"Bearer {reader}")
    by_key = site.get(f"{path}{'&' if '?' in path else '?'}key={reader}")
    assert {each.status_code for each in (by_basic, by_bearer, by_key)} == {200}
    assert by_basic.content == by_bearer.content == by_key.content
    assert reader not in by_key.text + str(by_key.headers)
    assert by_key.headers["cache-control"] == "private, no-cache"
    assert "Cookie" in by_key.headers["vary"]
    assert site.get(path, If_None_Match=by_key.headers["etag"]).status_code == 401


def test_a_private_feed_has_a_private_page(site: Gated, reader: str) -> None:
    answer = site.get("/feeds/secret", Accept="text/html")
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")  # a browser asks for no password
    assert 'href="/login?next=/feeds/secret"' in answer.text
    with logged_in(site, reader) as client:
        assert client.get("/feeds/secret").status_code == 200
        assert client.get("/feeds/secret.atom").status_code == 200
    assert site.get("/events?feed=secret").status_code == 401
    assert site.get("/search?q=feed:secret").status_code == 401


def test_the_key_is_seen_by_nothing_below(site: Gated, reader: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    page = site.get(f"/feeds/all?a=1&key={reader}", Accept="text/html")
    assert page.status_code == 200
    assert reader not in page.text
    refused = site.get(f"/feeds/all?a=1&key={new_token()}", Accept="text/html")
    assert "key=" not in refused.text
    assert "/login?next=/feeds/all%3Fa%3D1" in refused.text
    assert site.get(f"/api/v1/things?a=1&key={reader}&b=2").json()["query"] == "a=1&b=2"
    ours = [each.getMessage() for each in caplog.records if each.name.startswith("feedd")]
    assert reader not in "".join(ours)
    # pytest hears it all the same; it has no handler of its own, which uvicorn goes by
    assert not logging.getLogger("uvicorn.access").propagate


def test_neither_basic_nor_key_change_anything(site: Gated, editor: str) -> None:
    site.done.clear()
    with site.client(auth=("x", editor)) as client:
        assert client.post("/api/v1/things").status_code == 401
        assert client.post("/deliveries").status_code == 401
        assert client.get("/api/v1/things").json()["name"] is None
    assert site.post(f"/deliveries?key={editor}").status_code == 401
    assert site.done == []


def test_lists_show_what_one_may_see(site: Gated, reader: str) -> None:
    assert "secret" not in site.get("/api/v1/things").json()["feeds"]
    assert "secret" in site.get("/api/v1/things", Authorization=f"Bearer {reader}").json()["feeds"]


def test_a_closed_server(closed: Gated) -> None:
    token = closed.token("me")
    for path in (
        "/",
        "/feeds",
        "/feeds/all",
        "/feeds/all.atom",
        "/feeds.opml",
        "/entries/1",
        "/changes",
        "/nothing",
    ):
        answer = closed.get(path)
        assert answer.status_code == 401, path
        assert closed.get(path, Authorization=f"Bearer {token}").status_code in {200, 404}, path
    for path in ("/healthz", "/login", "/style.css"):
        assert closed.get(path).status_code == 200, path
    assert closed.get("/metrics").status_code == 401
    assert closed.get("/metrics", Authorization=f"Bearer {token}").status_code == 200
    assert closed.get("/feeds/all.atom").headers["www-authenticate"].startswith("Basic")
    assert closed.get("/feeds").headers["www-authenticate"].startswith("Bearer")
    assert closed.get(f"/feeds.opml?key={token}").status_code == 200
    with logged_in(closed, token, next="/feeds") as client:
        assert client.get("/").status_code == 200


def test_logging_in_and_out(site: Gated, reader: str) -> None:
    with logged_in(site, reader) as client:
        cookie = next(each for each in client.cookies.jar if each.name == "feedd")
        assert not cookie.secure
        page = client.get("/settings")
        assert "reader" in page.text
        assert reader not in page.text
        session = str(cookie.value)
        assert session not in page.text
        answer = client.post("/logout", data={"csrf": csrf_of(client)})
        assert (answer.status_code, answer.headers["location"]) == (303, "/")
        assert client.get("/settings").headers["location"] == "/login?next=/settings"
    assert site.get("/settings", Cookie=f"feedd={session}").status_code == 303  # it ended here, too


def test_the_cookie_says_who_may_have_it(site: Gated, reader: str) -> None:
    with site.client() as client:
        csrf = HIDDEN.findall(client.get("/login").text)[0]
        answer = client.post("/login", data={"token": f" {reader}\n", "csrf": csrf, "next": "//evil.example"})
        assert answer.headers["location"] == "/"
        said = answer.headers.get_list("set-cookie")
        kept = next(each for each in said if each.startswith("feedd="))
        assert {"HttpOnly", "Path=/", "SameSite=lax", "Max-Age=2592000"} <= set(kept.split("; "))
        assert "Secure" not in kept


def test_the_cookie_under_https(tmp_path: Path) -> None:
    with Gated(tmp_path, base_url="https://feeds.example/") as site:
        token = site.token("a")
        shown = site.get("/login")
        (before,) = shown.headers.get_list("set-cookie")
        assert before.startswith("__Host-feedd-login=")
        assert "Secure" in before
        data = f"token={token}&csrf={HIDDEN.findall(shown.text)[0]}"
        headers = {"Cookie": before.partition(";")[0], "Content_Type": FORM}
        assert (
            site.post("/login", data, **headers).status_code == 403
        )  # nothing says that a page of ours sent it
        assert site.post("/login", data, **headers, Origin="null").status_code == 403
        assert site.post("/login", data, **headers, Sec_Fetch_Site="cross-site").status_code == 403
        answer = site.post("/login", data, **headers, Origin="https://feeds.example")
        assert answer.status_code == 303
        (kept,) = (each for each in answer.headers.get_list("set-cookie") if each.startswith("__Host-feedd="))
        assert {"Secure", "HttpOnly", "Path=/", "SameSite=lax"} <= set(kept.split("; "))
        assert "Domain" not in kept
        assert site.get("/feeds/secret", Cookie=kept.partition(";")[0]).status_code == 200


def test_a_session_ends_with_its_token(site: Gated) -> None:
    with logged_in(site, site.token("short")) as client:
        assert client.get("/feeds/secret").status_code == 200
        site.revoke("short")
        assert client.get("/feeds/secret").status_code == 401


def test_forms_of_a_session(site: Gated, editor: str) -> None:
    site.done.clear()
    with logged_in(site, editor) as client:
        csrf = csrf_of(client)
        assert client.post("/deliveries", data={"id": "1"}).status_code == 403
        assert client.post("/deliveries", data={"id": "1", "csrf": csrf[:-1]}).status_code == 403
        assert (
            client.post(
                "/deliveries", data={"id": "1", "csrf": csrf}, headers={"Origin": "https://evil.example"}
            ).status_code
            == 403
        )
        elsewhere = {"Sec-Fetch-Site": "same-site"}
        assert (
            client.post("/deliveries", data={"id": "1", "csrf": csrf}, headers=elsewhere).status_code == 403
        )
        assert client.post("/deliveries", data={"csrf": csrf, "x": "y" * 200_000}).status_code == 403
        assert client.post("/logout", data={"csrf": "x"}).status_code == 403
        assert site.done == []
        ours = {"Sec-Fetch-Site": "same-origin", "Origin": "null"}
        answer = client.post("/deliveries", data={"id": "1", "csrf": csrf}, headers=ours)
        assert answer.json()["body"] == f"id=1&csrf={csrf}"
        answer = client.post("/api/v1/things", json={"a": 1}, headers={"X-CSRF-Token": csrf})
        assert answer.json()["body"] == '{"a":1}'
        assert client.delete("/api/v1/things").status_code == 403
    with logged_in(site, editor) as other:
        assert other.post("/deliveries", data={"csrf": csrf}).status_code == 403  # it is another session's


def test_a_session_may_what_its_token_may(site: Gated, reader: str) -> None:
    with logged_in(site, reader) as client:
        answer = client.post("/deliveries", data={"csrf": csrf_of(client)})
        assert (answer.status_code, "may read" in answer.text) == (403, True)


def test_what_is_no_login(site: Gated, reader: str) -> None:
    with site.client() as client:
        csrf = HIDDEN.findall(client.get("/login").text)[0]
        assert client.post("/login", data={"token": reader}).status_code == 403
        wrong = client.post("/login", data={"token": new_token(), "csrf": csrf})
        assert (wrong.status_code, "no such token" in wrong.text) == (403, True)
        assert client.post("/login", content=b"x" * 20_000).status_code == 413
        assert client.post("/login", content=b"\xff\x00&&&=").status_code == 403
        assert "feedd" not in client.cookies
    hostile = site.get('/login?next="><script>alert(1)</script>')
    assert (hostile.status_code, "<script>" in hostile.text) == (200, False)
    assert site.get("/logout").status_code == 405


def test_attempts_are_limited(tmp_path: Path) -> None:
    with Gated(tmp_path) as site, site.client(headers={"X-Forwarded-For": "192.0.2.1"}) as client:
        without_form = [client.post("/login", data={"token": "x"}).status_code for _ in range(11)]
        assert without_form == [403] * 11  # nothing was tried
        tried = {"token": "x", "csrf": HIDDEN.findall(client.get("/login").text)[0]}
        statuses = [client.post("/login", data=tried).status_code for _ in range(11)]
        assert statuses == [403] * 10 + [429]
        answer = client.post("/login", data=tried, headers={"Accept": "text/html"})
        assert 0 < int(answer.headers["retry-after"]) <= 60
        assert "<h1" in answer.text
        assert answer.headers["cache-control"] == "no-store"
        other = client.post("/login", data=tried, headers={"X-Forwarded-For": "192.0.2.2"})
        assert other.status_code == 403
        local = [client.post("/login", data=tried, headers={"X-Forwarded-For": ""}) for _ in range(12)]
        assert {each.status_code for each in local} == {403}  # many may be behind it


def test_a_key_counts_beside_the_password_of_a_proxy(site: Gated, reader: str) -> None:
    proxys = "Basic " + base64.b64encode(b"me:password").decode()
    assert site.get(f"/feeds/secret.atom?key={reader}", Authorization=proxys).status_code == 200
    wrong = "Basic " + base64.b64encode(f"me:{new_token()}".encode()).decode()
    assert site.get(f"/feeds/secret.atom?key={reader}", Authorization=wrong).status_code == 401


def test_who_shows_an_old_token_may_see_what_is_open_to_all(site: Gated) -> None:
    old = f"Bearer {new_token()}"
    for path in ("/login", "/healthz", "/style.css"):
        assert site.get(path, Authorization=old).status_code == 200
    assert site.get("/feeds/a.atom", Authorization=old).status_code == 401


def test_a_browser_that_has_a_key_is_shown_the_feed_itself(site: Gated, reader: str) -> None:
    opened = {"Sec_Fetch_Dest": "document"}
    assert site.get(f"/feeds/secret.atom?key={reader}", **opened).status_code == 200
    assert site.get("/feeds/a.atom?key=none", **opened).status_code == 303


def test_what_is_too_long_to_be_judged_is_said_to_be(site: Gated, reader: str) -> None:
    query = "/search?q=" + "a" * 11_000
    answer = site.get(query)
    assert (answer.status_code, "too long" in answer.text) == (414, True)
    assert "www-authenticate" not in answer.headers
    assert site.get("/feeds/secret.atom").status_code == 401


def test_use_is_noted(site: Gated) -> None:
    token = site.token("used")
    query = "SELECT used_at FROM tokens WHERE name = 'used'"
    assert site.shelf.reader.rows(query) == [(None,)]
    site.get("/", Authorization=f"Bearer {token}")
    first = until(lambda: site.shelf.reader.rows(query)[0][0])
    site.get("/", Authorization=f"Bearer {token}")
    site.shelf.desk.run(lambda _: None)
    assert site.shelf.reader.rows(query) == [(first,)]


def test_hostile_requests(site: Gated) -> None:
    for path in (
        "/feeds/secret%00.atom",
        "/events?feed=" + "a," * 5_000,
        "/search?q=" + "feed:" * 2_000,
        "/%ff?key=%ff",
    ):
        assert site.get(path).status_code in {400, 401, 404, 414}, path
    answer = site.get("/", Cookie="feedd=" + "x" * 7_000 + "; ;;=; feedd")
    assert answer.status_code == 200


def test_a_name_that_was_bent_to_this_machine_reads_nothing(tmp_path: Path) -> None:
    with Gated(tmp_path, base_url="http://127.0.0.1:8080/") as site:
        assert site.get("/", host="localhost:8080").status_code == 200
        for path in ("/", "/api/v1/entries", "/feeds/all.atom"):
            answer = site.get(path, host="rebound.example.org")
            assert (answer.status_code, "base_url" in answer.text) == (421, True)
        page = site.get("/", host="rebound.example.org", accept="text/html", **{"accept-language": "zh"})
        assert "不以此名称提供服务" in page.text
