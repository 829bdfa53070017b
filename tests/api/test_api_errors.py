"""What is wrong, huge, negative, missing or hostile: a problem document with words, never a bug."""

import logging
from collections.abc import Iterator
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

import pytest
from stack import Stack, problem

WRONG = {
    "limit": ("0", "101", "-1", "1.5", "1e1", " 1", "1_0", "٣", "", "x", "9" * 5_000, "%00", "1&limit=2"),
    "wait": ("61", "-1", "x", "9" * 400),
    "since": ("yesterday", "2026-11-29", "2026-13-01T00:00:00Z", "0", "%00", "x" * 5_000),
    "cursor": ("x", "1", "2AAAAAAAAAAM", "1" + "A" * 5_000, "%00", "../..", "%ED%A0%80"),
    "removed": ("maybe", "", "TRUE", "1"),
    "source": ("A", "a b", "", "-a", "%00", "a%0a", "x" * 5_000, "<script>", "%ED%A0%80", "a&source=b"),
    "kind": ("deleted", "", "%00"),
}
LISTINGS = {
    "/entries": ("limit", "since", "cursor", "removed", "source"),
    "/sources/a/looks": ("limit", "cursor"),
    "/entries/1/revisions": ("limit", "cursor"),
    "/deliveries": ("limit", "since", "cursor"),
    "/changes": ("limit", "wait", "kind"),
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("api")) as made:
        yield made


@pytest.mark.parametrize("path", LISTINGS)
def test_parameters_that_are_none(stack: Stack, path: str) -> None:
    for name in LISTINGS[path]:
        for value in WRONG[name]:
            answer = stack.client.get(f"/api/v1{path}?{name}={value}")
            assert answer.status_code == 400, (path, name, value[:50])
            assert {"in": "query", "name": name}.items() <= problem(answer)["errors"][0].items()


def test_a_typo_widens_nothing(stack: Stack) -> None:
    found = stack.get("/entries?suorce=a", 400)
    assert found["errors"][0]["name"] == "suorce"
    assert "source" in found["detail"]
    stack.get("/sources?limit=1", 400)
    stack.get("/entries?limit=1&limit=2", 400)


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/nothing",
        "/sources/",
        "/sources/A",
        "/sources/a%00",
        "/sources/a%0a",
        "/%0a",
        "/sources/%2e%2e",
        f"/sources/{'x' * 5_000}",
        "/feeds/x<script>",
        "/entries/0",
        "/entries/999999999999999999",
        f"/entries/{'9' * 400}",
        "/entries/-1",
        "/entries/1.5",
        "/entries/%F0%9F%94%A5",
        "/entries/%ED%A0%80",
        "/entries/00000000-0000-0000-0000-000000000000",
        "/entries/1/revisions/0",
        "/entries/1/revisions/9007199254740992",
        "/entries/1/revisions/x",
        "/deliveries/0",
        "/deliveries/x",
    ],
    ids=lambda path: quote(path, safe="")[:30] or "empty",
)
def test_addresses_that_are_none(stack: Stack, path: str) -> None:
    answer = stack.client.get(f"/api/v1{path}")
    assert answer.status_code == 404, answer.text
    problem(answer)


def test_other_versions_of_the_api_are_not_there(stack: Stack) -> None:
    for path in ("/api/", "/api/v2/sources", "/api/v1x"):
        answer = stack.client.get(path)
        assert answer.status_code == 404, path
        problem(answer)


@pytest.mark.parametrize(
    "query",
    ["", "%00", '"unbalanced', "(", "AND", "-", "*", "feed:", "x" * 1_001, "before:never", "%ED%A0%80"],
)
def test_searches(stack: Stack, query: str) -> None:
    answer = stack.client.get(f"/api/v1/search?q={query}")
    assert answer.status_code in {200, 400}
    if answer.status_code == 400:
        problem(answer)


def test_a_search_of_100_kb(stack: Stack) -> None:
    connection = HTTPConnection("127.0.0.1", stack.listening.getsockname()[1], timeout=10)
    connection.request("GET", f"/api/v1/search?q={'x' * 100_000}")
    assert connection.getresponse().status == 400
    connection.close()
    with stack.connect(stack.token) as client:
        answer = client.get(f"/api/v1/search?q={'x' * 20_000}")
    assert answer.status_code == 414
    problem(answer)
    assert stack.get(f"/search?q={'x' * 5_000}", 400)["errors"][0]["name"] == "q"
    stack.get("/search", 400)


def test_methods(stack: Stack) -> None:
    answer = stack.client.request(
        "DELETE", "/api/v1/sources", headers={"Authorization": f"Bearer {stack.token}"}
    )
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD, OPTIONS")
    problem(answer)
    for method in ("GET", "HEAD"):
        only = stack.client.request(method, "/api/v1/deliveries/retry")
        assert (only.status_code, only.headers["allow"]) == (405, "OPTIONS, POST"), method
    for path in ("/openapi.json", "/api"):
        headers = {"Authorization": f"Bearer {stack.token}"}
        other = stack.client.post(path, headers=headers)
        assert (other.status_code, other.headers["allow"]) == (405, "GET, HEAD, OPTIONS"), path
        assert problem(other)["instance"] == path
        assert stack.client.options(path).status_code == 204
        assert stack.client.head(path).status_code == 200
    options = stack.client.options("/api/v1/sources/a/check")
    assert (options.status_code, options.headers["allow"]) == (204, "OPTIONS, POST")
    head, whole = stack.client.head("/api/v1/sources"), stack.client.get("/api/v1/sources")
    assert (head.status_code, head.content) == (200, b"")
    assert head.headers["content-length"] == whole.headers["content-length"]


@pytest.mark.parametrize(
    ("path", "name", "words"),
    [
        ("/entries?limit=0", "limit", "must be 1 or more"),
        ("/entries?limit=101", "limit", "must be 100 or less"),
        ("/entries?limit=x", "limit", "must be a whole number"),
        ("/entries?removed=maybe", "removed", "must be 'false', 'true' or 'any'"),
        ("/entries?source=A", "source", "has not the form that is expected: "),
        ("/entries?since=2026-11-29T08:00:00+01:00", "since", "%2B"),
        ("/entries?since=yesterday", "since", "must be a time, as 2026-11-29T08:00:00Z"),
        ("/changes?kind=deleted", "kind", "must be 'added', "),
        ("/search", "q", "is missing"),
        ("/search?q=", "q", "must not be empty"),
        ("/search?q=source:nobody", "q", "there is no source 'nobody'"),
        (f"/search?q={'x' * 1_001}", "q", "has more than 1000 characters"),
    ],
    ids=lambda value: value[:30].replace("/", "-"),
)
def test_words_for_people(stack: Stack, path: str, name: str, words: str) -> None:
    (found,) = stack.get(path, 400)["errors"]
    assert found["in"] == "query"
    assert found["name"] == name
    assert words in found["detail"]


def test_names_keep_their_case(stack: Stack) -> None:
    found = stack.get(f"/entries/{stack.id_of('water')}/diff", 409)["detail"]
    assert found.startswith("The source 'b' has one version")
    assert "history" not in found


def test_a_body_where_none_is_taken(stack: Stack) -> None:
    headers = {"Authorization": f"Bearer {stack.token}"}
    for method, path in (("POST", "/sources/a/pause"), ("GET", "/sources")):
        for content in (b"{}", iter([b"{}"])):
            answer = stack.client.request(method, f"/api/v1{path}", headers=headers, content=content)
            assert answer.status_code == 400, (method, answer.text)
            assert problem(answer)["errors"][0]["in"] == "body"
    assert stack.get("/sources/a")["next_check_because"] != "paused"


def test_a_token_that_is_none(stack: Stack) -> None:
    with stack.connect(stack.token[:-1] + ("a" if stack.token[-1] != "a" else "b")) as client:
        answer = client.get("/api/v1/sources")
    assert answer.status_code == 401
    assert problem(answer)["instance"] == "/api/v1/sources"


def test_a_store_that_can_not_be_read(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with Stack(tmp_path) as stack:
        stack.shelf.desk.run(lambda writer: writer.connection.execute("ALTER TABLE sources RENAME TO sauces"))
        answer = stack.client.get("/api/v1/sources")
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "60"
        assert "sauces" not in answer.text
        problem(answer)
    assert any(record.levelno == logging.ERROR for record in caplog.records)


def test_a_bug(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Of which none is known: what no feedd ever wrote stands in for one."""
    with Stack(tmp_path) as stack:
        stack.shelf.desk.run(lambda writer: writer.connection.execute("UPDATE looks SET seconds = 'long'"))
        answer = stack.client.get("/api/v1/sources/a/looks")
        assert answer.status_code == 500
        assert "its log says more" in problem(answer)["detail"]
        stack.get("/sources")
    assert "a bug in feedd" in caplog.text
    assert "TypeError" in caplog.text


def test_the_page_of_the_api(stack: Stack) -> None:
    answer = stack.client.get("/api")
    assert answer.status_code == 200
    for words in ("listEntries", "/sources/{name}/check", "1 to 100", "curl", "Authorization: Bearer"):
        assert words in answer.text
    assert "<script" not in answer.text.replace('<script src="/static/', "")
    chinese = stack.client.get("/api", headers={"Accept-Language": "zh"})
    assert "响应" in chinese.text
