"""What the API is asked to do: looks, pauses, deliveries, samples. Only those may who have a token for it."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from running import until
from shelf import BORN_MS, Piece
from stack import HOUR, SEED, Stack, problem

from feedd.access.scopes import Scope
from feedd.store.writer import Writer

DOING = (
    "/sources/a/check",
    "/sources/a/pause",
    "/sources/a/resume",
    "/deliveries/retry",
    "/deliveries/1/retry",
    "/deliveries/1/cancel",
    "/channels/desk/test",
)


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("api")) as made:
        at = BORN_MS + 9 * HOUR
        made.shelf.look("b", at, [Piece("fire", "Another fire", "<p>It goes on.</p>", at)])
        yield made


@pytest.mark.parametrize("path", DOING)
def test_who_may(stack: Stack, path: str) -> None:
    answer = stack.client.post(f"/api/v1{path}")
    assert answer.status_code == 401
    assert "Bearer" in answer.headers["www-authenticate"]
    problem(answer)
    reader = stack.new_token(f"reader of {path}"[:40].replace("/", "-"), Scope.READ)
    assert "needs one that may write" in stack.post(path, 403, token=reader)["detail"]


def test_a_look_now(stack: Stack) -> None:
    (stack.root / "b" / "new.txt").write_text(SEED.format(name="seed", title="A seed", words="Some words."))
    found = stack.post("/sources/b/check")
    assert found["name"] == "b"
    assert found["status"] in {"ok", "failed", "unchanged"}
    assert stack.get("/sources/b/looks", limit=1)["items"][0]["status"] == found["status"]


def test_a_look_that_takes_longer_goes_on(stack: Stack) -> None:
    before = stack.get("/sources/a/looks", limit=1)["items"]
    stack.loop.call_soon_threadsafe(stack.may_look.clear)
    assert stack.post("/sources/a/check?wait=0", 202) == {"name": "a", "status": "running"}
    assert stack.get("/sources/a/looks", limit=1)["items"] == before
    stack.loop.call_soon_threadsafe(stack.may_look.set)
    until(lambda: stack.get("/sources/a/looks", limit=1)["items"] != before)


def test_pause_and_resume(stack: Stack) -> None:
    found = stack.post("/sources/b/pause")
    assert found["next_check"] is None
    assert found["next_check_because"].startswith("paused by tester since ")
    assert stack.get("/sources/b") == found
    assert stack.post("/sources/b/resume")["next_check"] is not None
    assert "configuration" in stack.post("/sources/still/resume", 409)["detail"]
    for action in ("check", "pause", "resume"):
        stack.post(f"/sources/nobody/{action}", 404)
        stack.post(f"/sources/gone/{action}", 410)


def test_deliveries(stack: Stack) -> None:
    whole = stack.get("/deliveries")["items"]
    assert {each["channel"] for each in whole} == {"desk", "hook"}
    assert {each["status"] for each in whole} == {"pending"}
    first = stack.get("/deliveries", limit=1)
    assert stack.get("/deliveries", cursor=first["next"])["items"] == whole[1:]
    assert {each["channel"] for each in stack.get("/deliveries", channel="desk")["items"]} == {"desk"}
    assert stack.get("/deliveries?status=delivered")["items"] == []
    assert stack.get("/deliveries", since="2100-01-01T00:00:00Z")["items"] == []
    one = whole[0]["id"]
    assert stack.get(f"/deliveries/{one}") == whole[0]
    assert stack.post(f"/deliveries/{one}/cancel")["status"] == "cancelled"
    assert "cancelled" in stack.post(f"/deliveries/{one}/cancel", 409)["detail"]
    assert stack.post(f"/deliveries/{one}/retry")["status"] == "pending"
    stack.post(f"/deliveries/{one}/cancel")
    assert stack.post("/deliveries/retry", json={"status": "cancelled"}) == {"count": 1}
    assert stack.post("/deliveries/retry", json={"ids": [one]})["count"] in {0, 1}
    stack.post("/deliveries/retry", 404, json={"ids": [9_999]})
    stack.post("/deliveries/retry", 404, json={"channel": "nobody"})
    stack.get("/deliveries/9999", 404)
    stack.get("/deliveries?channel=nobody", 404)


def test_channels(stack: Stack) -> None:
    found = {each["name"]: each for each in stack.get("/channels")["items"]}
    assert set(found) == {"desk", "hook"}
    assert (found["desk"]["type"], found["desk"]["state"]) == ("file", "ok")
    assert "whsec" not in json.dumps(found)
    tried = stack.post("/channels/desk/test")
    assert (tried["channel"], tried["delivered"]) == ("desk", True)
    assert (stack.root / "told.jsonl").exists()
    assert stack.post("/channels/hook/test")["delivered"] is False
    stack.post("/channels/nobody/test", 404)


def test_what_receivers_say_is_for_those_with_a_token(stack: Stack) -> None:
    path, words = (
        stack.root / "told.jsonl",
        "localhost refused every recipient; it says: not for ann@b.example",
    )

    def fail(writer: Writer) -> None:
        run = writer.connection.execute
        run("UPDATE channels SET failures = 9, error = ? WHERE name = 'hook'", [words])
        run(
            "UPDATE channels SET failures = 9, error = ? WHERE name = 'desk'",
            [f"{path} can't be written: there is no folder {path.parent}"],
        )
        run("UPDATE deliveries SET error = ?", [words])

    stack.shelf.desk.run(fail)
    one = stack.get("/deliveries", limit=1)["items"][0]
    for said in (one, stack.get(f"/deliveries/{one['id']}")):
        assert said["error"] == "localhost refused every recipient"
    desk, hook = stack.get("/channels")["items"]
    assert (desk["where"], desk["error"]) == (None, "told.jsonl can't be written: there is no folder …")
    assert (hook["where"], hook["error"]) == ("127.0.0.1:9", "localhost refused every recipient")
    home = stack.client.get("/").text
    assert "refused every recipient" in home
    assert "ann@b.example" not in home
    assert "there is no folder …" in home
    with stack.connect(stack.new_token("sees-all", Scope.READ)) as client:
        assert client.get("/api/v1/deliveries").json()["items"][0]["error"] == words
        found = client.get("/api/v1/channels").json()["items"]
        assert (found[0]["where"], found[1]["error"]) == (str(path), words)
        assert "ann@b.example" in client.get("/").text


@pytest.mark.parametrize(
    ("settings", "status"),
    [
        ({}, 400),
        ({"json": []}, 400),
        ({"json": {}}, 400),
        ({"json": {"channel": None}}, 400),
        ({"json": {"status": "pending"}}, 400),
        ({"json": {"ids": []}}, 400),
        ({"json": {"ids": ["1"]}}, 400),
        ({"json": {"ids": [0]}}, 400),
        ({"json": {"ids": [10**30]}}, 400),
        ({"json": {"ids": [1.5]}}, 400),
        ({"json": {"ids": [True]}}, 400),
        ({"json": {"ids": list(range(1, 102))}}, 400),
        ({"json": {"channel": "A b"}}, 400),
        ({"json": {"cahnnel": "desk"}}, 400),
        ({"content": b'{"channel": "\\ud800"}', "headers": {"Content-Type": "application/json"}}, 400),
        ({"content": b'{"channel": "\xff"}', "headers": {"Content-Type": "application/json"}}, 400),
        ({"content": b"[" * 60_000, "headers": {"Content-Type": "application/json"}}, 400),
        ({"content": b"{", "headers": {"Content-Type": "application/json"}}, 400),
        ({"content": b"x" * 100_000, "headers": {"Content-Type": "application/json"}}, 413),
        ({"content": b"{}", "headers": {"Content-Type": "text/plain"}}, 415),
        ({"data": {"status": "failed"}}, 415),
    ],
    ids=lambda value: value if isinstance(value, int) else str(value)[:40].replace("/", "-"),
)
def test_bodies_that_are_none(stack: Stack, settings: dict[str, Any], status: int) -> None:
    headers = {"Authorization": f"Bearer {stack.token}", **settings.pop("headers", {})}
    answer = stack.client.post("/api/v1/deliveries/retry", headers=headers, **settings)
    assert answer.status_code == status, answer.text
    errors = problem(answer).get("errors", [])
    assert {each["in"] for each in errors} == ({"body"} if status == 400 else set())
    assert not [each for each in errors if each["detail"].startswith(("Input", "Field", "Value", "Extra"))]
