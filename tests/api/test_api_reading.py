"""What the API shows: each listing and thing, by the shapes that the command line has, too."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from shelf import BORN_MS, Piece
from stack import HOUR, Stack, problem

from feedd import shapes
from feedd.access.scopes import Scope
from feedd.api.values import cursor, milliseconds, unpacked
from feedd.publish.times import rfc3339

META = Path(__file__).parent.parent / "data" / "openapi-3.1.schema.json"
NUMBERS = st.integers(-(2**63), 2**63 - 1)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("api")) as made:
        yield made


def urls(found: Any) -> list[str]:
    return [each["url"].rpartition("/")[2] for each in found["items"]]


def paged(stack: Stack, path: str, **params: Any) -> list[dict[str, Any]]:
    """All items of a listing, page by page, as the header Link leads."""
    items, address = list[dict[str, Any]](), httpx.URL(f"{stack.url}/api/v1{path}", params=params)
    while True:
        answer = stack.client.get(address)
        assert answer.status_code == 200, answer.text
        found = answer.json()
        items += found["items"]
        if found["next"] is None:
            assert "link" not in answer.headers
            return items
        assert answer.links["next"]["url"].endswith(found["next"])
        address = address.join(answer.links["next"]["url"])


def test_keys_in_addresses_are_for_who_has_a_token(stack: Stack) -> None:
    path, token = f"{stack.url}/api/v1/sources", {"Authorization": f"Bearer {stack.token}"}
    for address in (path, f"{path}/keyed"):
        assert "SECRET" not in httpx.get(address, trust_env=False, verify=False).text
        assert "SECRET" in httpx.get(address, headers=token, trust_env=False, verify=False).text
    assert (
        httpx.get(f"{path}/keyed", trust_env=False, verify=False).json()["location"]
        == "http://127.0.0.1:9/feed.xml?…"
    )


def test_the_description_is_valid_openapi_3_1(stack: Stack) -> None:
    document = stack.client.get("/openapi.json").json()
    Draft202012Validator(json.loads(META.read_text())).validate(document)
    assert document["openapi"].startswith("3.1")
    for name, schema in document["components"]["schemas"].items():
        Draft202012Validator.check_schema(schema)
        assert "description" in schema or "enum" in schema, name
    operations = [each for path in document["paths"].values() for each in path.values()]
    ids = [each["operationId"] for each in operations]
    assert len(set(ids)) == len(ids) == 22
    for each in operations:
        assert {"200", "400", "401", "403", "503"} <= set(each["responses"])
        assert all(parameter["description"] for parameter in each.get("parameters", ())), each["operationId"]
    assert "HTTPValidationError" not in json.dumps(document)


def test_the_description_is_asked_for_once(stack: Stack) -> None:
    first = stack.client.get("/openapi.json")
    etag = first.headers["etag"]
    assert etag.startswith('"')
    for said in (etag, f'"other", W/{etag}', "*"):
        again = stack.client.get("/openapi.json", headers={"If-None-Match": said})
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", etag)
    assert stack.client.get("/openapi.json", headers={"If-None-Match": '"other"'}).status_code == 200


def test_sources(stack: Stack) -> None:
    found = stack.get("/sources")["items"]
    assert [each["name"] for each in found] == ["a", "b", "still", "keyed"]
    assert found[0] == stack.get("/sources/a")
    (row,) = (row for row in stack.shelf.reader.sources() if row.name == "a")
    assert found[0] == shapes.source(row)
    assert found[2]["next_check_because"] == "paused"


def test_looks_are_paged(stack: Stack) -> None:
    found = paged(stack, "/sources/a/looks", limit=1)
    assert [each["id"] for each in found] == sorted((each["id"] for each in found), reverse=True)
    assert [each["removed"] for each in found][:1] == [1]
    assert found == paged(stack, "/sources/a/looks", limit=100)
    assert len(found) == 4


def test_feeds(stack: Stack) -> None:
    found = {each["name"]: each for each in stack.get("/feeds")["items"]}
    assert set(found) == {"all", "changes", "health", "a", "b", "still", "keyed", "fires"}
    assert found["fires"] == stack.get("/feeds/fires")
    assert found["fires"]["entries"] == 2
    assert found["fires"]["urls"]["atom"] == "http://feeds.example/feeds/fires.atom"


def test_a_private_feed_is_there_for_who_may_see_it(stack: Stack) -> None:
    for path in ("/feeds/secret", "/entries?feed=secret", "/changes?feed=secret", "/search?q=feed:secret"):
        answer = stack.client.get(f"/api/v1{path}")
        assert answer.status_code == 401, path
        assert problem(answer)["title"] == "Unauthorized"
    with stack.connect(stack.new_token("reader", Scope.READ)) as client:
        assert "secret" in [each["name"] for each in client.get("/api/v1/feeds").json()["items"]]
        assert client.get("/api/v1/feeds/secret").status_code == 200
        assert client.get("/api/v1/entries?feed=secret").json()["items"]


def test_entries_are_listed_by_when_they_were_published(stack: Stack) -> None:
    found = paged(stack, "/entries", limit=7)
    order = [(each["published"], each["id"]) for each in found]
    assert order == sorted(order, reverse=True)
    assert len(set(order)) == len(order) == 44
    assert "removed" not in [each["url"].rpartition("/")[2] for each in found]
    (entry,) = stack.shelf.reader.entries([found[0]["id"]], {})
    assert found[0] == shapes.entry(entry)


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"source": "b"}, ["water", "fire"]),
        ({"source": "a", "removed": "true"}, ["removed"]),
        ({"removed": "true"}, ["removed"]),
        ({"feed": "fires"}, ["fire", "edited"]),
        ({"feed": "fires", "source": "a"}, ["edited"]),
        ({"feed": "b", "source": "a"}, []),
        ({"source": "a", "until": rfc3339(BORN_MS - 37 * HOUR)}, ["n38", "n39"]),
        ({"source": "a", "since": rfc3339(BORN_MS - 2 * HOUR), "until": rfc3339(BORN_MS)}, ["n01", "n02"]),
        ({"since": "2030-01-01T00:00:00Z"}, []),
        ({"until": "1970-01-01t00:00:00.5+14:00"}, []),
    ],
    ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
)
def test_filters(stack: Stack, params: dict[str, Any], expected: list[str]) -> None:
    assert urls(stack.get("/entries", **params)) == expected
    assert len(paged(stack, "/entries", limit=1, **params)) == len(expected)


def test_removed_any_has_both(stack: Stack) -> None:
    assert len(paged(stack, "/entries", removed="any", limit=100)) == 45


def test_pages_neither_skip_nor_repeat_while_entries_arrive(tmp_path: Path) -> None:
    """Whatever was there at the beginning is met once."""
    with Stack(tmp_path) as stack:
        traverse(stack)


def traverse(stack: Stack) -> None:
    before = {each["id"] for each in paged(stack, "/entries", limit=100)}
    seen, following, arrived = list[int](), None, 0
    while True:
        params = {"limit": 5} | ({} if following is None else {"cursor": following})
        found = stack.get("/entries", **params)
        seen += [each["id"] for each in found["items"]]
        if (following := found["next"]) is None:
            break
        arrived += 1
        times = (BORN_MS + arrived * HOUR, BORN_MS - arrived * HOUR, BORN_MS - 20 * HOUR, BORN_MS - 99 * HOUR)
        pieces = [Piece(f"new{arrived}x{place}", time_ms=at) for place, at in enumerate(times)]
        stack.shelf.look("b", BORN_MS + arrived, pieces)
    assert len(seen) == len(set(seen))
    assert before <= set(seen)
    assert arrived > 5


def test_an_entry_by_number_and_uid(stack: Stack) -> None:
    found = stack.get(f"/entries/{stack.id_of('edited')}")
    assert found["text"] == "Four houses burned down."
    assert stack.get(f"/entries/{found['uid']}") == found
    assert stack.get(f"/entries/urn:uuid:{found['uid'].upper()}") == found


def test_versions(stack: Stack) -> None:
    entry = stack.id_of("edited")
    found = paged(stack, f"/entries/{entry}/revisions", limit=1)
    assert [each["revision"] for each in found] == [1, 2, 3]
    assert found == shapes.history(stack.shelf.reader.history(entry))
    second = stack.get(f"/entries/{entry}/revisions/2")
    assert second["text"] == "Three houses burned."
    assert {name: value for name, value in found[1].items() if name != "published"}.items() <= second.items()
    stack.get(f"/entries/{entry}/revisions/4", 404)


@pytest.mark.parametrize(
    ("query", "expected"), [("", (2, 3)), ("?from=1", (1, 3)), ("?to=2", (1, 2)), ("?from=3&to=1", (3, 1))]
)
def test_differences(stack: Stack, query: str, expected: tuple[int, int]) -> None:
    found = stack.get(f"/entries/{stack.id_of('edited')}/diff{query}")
    assert (found["from"], found["to"]) == expected
    assert any(each["op"] == "replace" for each in found["hunks"])


@pytest.mark.parametrize(
    ("name", "query", "status"),
    [("edited", "?from=1&to=1", 409), ("edited", "?to=1", 409), ("edited", "?from=9", 404), ("n01", "", 409)],
)
def test_what_can_not_be_compared(stack: Stack, name: str, query: str, status: int) -> None:
    stack.get(f"/entries/{stack.id_of(name)}/diff{query}", status)


def test_search(stack: Stack) -> None:
    found = stack.get("/search", q="burned")
    assert urls(found) == ["edited"]
    assert "<mark>" in found["items"][0]["fragment"]
    assert found["index"]["building"] is False
    assert stack.get("/search", 400, q="feed:zz")["detail"] == "q: there is no feed 'zz'."
    nothing = stack.get("/search", q="(*)!")
    assert (nothing["items"], nothing["more"]) == ([], False)


def test_times_of_rfc_3339() -> None:
    assert milliseconds("1970-01-01T00:00:00Z") == 0
    assert milliseconds("1970-01-01t00:00:01.2345z") == 1_234
    assert milliseconds("1970-01-01T01:00:00+01:00") == 0
    assert milliseconds("1969-12-31T19:00:00-05:00") == 0
    assert milliseconds("2016-12-31T23:59:60Z") == milliseconds("2016-12-31T23:59:59.999Z")
    assert milliseconds("0001-01-01T00:00:00+14:00") < milliseconds("0001-01-01T00:00:00Z")
    for wrong in (
        "1",
        "2026-11-29",
        "2026-02-30T00:00:00Z",
        "2026-11-29T08:00:00",
        "2026-11-29T08:00:61Z",
        5,
    ):
        with pytest.raises(ValueError):
            milliseconds(wrong)


@given(st.lists(NUMBERS, min_size=1, max_size=2))
def test_a_cursor_holds_its_numbers(numbers: list[int]) -> None:
    assert unpacked(cursor(*numbers)) == tuple(numbers)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(published=NUMBERS, number=NUMBERS)
def test_any_cursor_is_some_place(stack: Stack, published: int, number: int) -> None:
    stack.get("/entries", cursor=cursor(published, number), limit=1)
    stack.get("/sources/a/looks", cursor=cursor(number), limit=1)
