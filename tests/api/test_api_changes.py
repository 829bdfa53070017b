"""The change log, followed: from a number on, from now on, and by waiting."""

import asyncio
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from running import until
from shelf import BORN_MS, Piece
from stack import HOUR, Stack, problem

from feedd.api.changes import WAITING
from feedd.following import Shared


@pytest.fixture
def stack(tmp_path: Path) -> Iterator[Stack]:
    with Stack(tmp_path) as made:
        yield made


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(4) as made:
        yield made


def kinds(found: Any) -> list[str]:
    return [each["change"]["kind"] for each in found["items"]]


def edit(stack: Stack, words: str, at_ms: int = BORN_MS + 9 * HOUR) -> None:
    stack.shelf.look("b", at_ms, [Piece("fire", "Another fire", f"<p>{words}</p>", at_ms)])


def waits(stack: Stack, pool: ThreadPoolExecutor, **params: Any) -> "Future[Any]":
    """A request that waits; returns when it does."""
    before = len(stack.shelf.desk.bell.heard)
    found = pool.submit(
        lambda: httpx.get(
            f"{stack.url}/api/v1/changes", params=params, trust_env=False, verify=False, timeout=70
        )
    )
    until(lambda: len(stack.shelf.desk.bell.heard) > before)
    return found


def test_from_a_number_on(stack: Stack) -> None:
    whole = stack.get("/changes", since=0)
    assert kinds(whole) == ["edited", "edited", "removed"]
    assert whole["more"] is False
    numbers = [each["change"]["id"] for each in whole["items"]]
    first = stack.get("/changes", since=0, limit=1)
    assert (first["next"], first["more"]) == (numbers[0], True)
    assert first["items"] == whole["items"][:1]
    rest = stack.get("/changes", since=first["next"])
    assert rest["items"] == whole["items"][1:]
    assert rest["next"] == whole["next"] >= numbers[-1]
    assert whole["items"][0]["entry"]["id"] == stack.id_of("edited")
    assert whole["items"][0]["url"].endswith("/diff/1..2")


def test_from_now_on(stack: Stack) -> None:
    now = stack.get("/changes")
    assert now["items"] == []
    assert stack.get("/changes", since=10**15)["next"] == now["next"]
    edit(stack, "It goes on.")
    assert kinds(stack.get("/changes", since=now["next"])) == ["edited"]


def test_what_was_not_asked_for_is_passed_over(stack: Stack) -> None:
    edit(stack, "It goes on.")
    assert kinds(stack.get("/changes", since=0, source="b")) == ["edited"]
    assert kinds(stack.get("/changes", since=0, kind="removed")) == ["removed"]
    assert kinds(stack.get("/changes", since=0, feed="fires", source=["a", "b"])) == ["edited"] * 3
    nothing = stack.get("/changes", since=0, kind="reverted")
    assert (nothing["items"], nothing["next"]) == ([], stack.get("/changes")["next"])


def test_a_request_waits_until_something_comes(stack: Stack, pool: ThreadPoolExecutor) -> None:
    waiting = waits(stack, pool, source="b", wait=60)
    stack.shelf.look(
        "a", BORN_MS + 8 * HOUR, [Piece("n00", "Number 0", "<p>Edited.</p>", BORN_MS + 8 * HOUR)]
    )
    time.sleep(0.3)
    assert not waiting.done()
    begun = time.monotonic()
    edit(stack, "It goes on.")
    found = waiting.result(10).json()
    assert time.monotonic() - begun < 1
    assert kinds(found) == ["edited"]
    assert found["items"][0]["entry"]["sources"] == ["b"]


def test_a_request_that_waited_in_vain_says_where_to_go_on(stack: Stack) -> None:
    begun = time.monotonic()
    found = stack.get("/changes", wait=1)
    assert 0.9 < time.monotonic() - begun < 4
    assert found == {"items": [], "next": found["next"], "more": False}


def test_who_waits_is_let_go_when_feedd_ends(stack: Stack, pool: ThreadPoolExecutor) -> None:
    waiting = waits(stack, pool, wait=60)
    begun = time.monotonic()
    stack.end()
    answer = waiting.result(10)
    assert (answer.status_code, answer.json()["items"]) == (200, [])
    assert time.monotonic() - begun < 3


def test_who_leaves_is_forgotten(stack: Stack) -> None:
    with pytest.raises(httpx.ReadTimeout):
        httpx.get(f"{stack.url}/api/v1/changes?wait=60", trust_env=False, verify=False, timeout=0.5)
    until(lambda: not stack.shelf.desk.bell.heard)


def test_too_many_wait(stack: Stack) -> None:
    """And all of them are told when something comes."""

    async def crowd() -> tuple[httpx.Response, list[httpx.Response]]:
        address, heard = f"{stack.url}/api/v1/changes?wait=50", stack.shelf.desk.bell.heard
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(trust_env=False, verify=False, timeout=60, limits=limits) as client:
            waiting = [asyncio.create_task(client.get(address)) for _ in range(WAITING)]
            async with asyncio.timeout(20):
                while len(heard) < WAITING:  # noqa: ASYNC110 (they are the server's)
                    await asyncio.sleep(0.02)
            refused = await client.get(address)
            await asyncio.to_thread(edit, stack, "It goes on.")
            answers = await asyncio.gather(*waiting)
        await asyncio.sleep(0.05)  # connections end in the loop's next rounds
        return refused, answers

    refused, answers = asyncio.run(crowd())
    assert refused.status_code == 503
    assert int(refused.headers["retry-after"]) > 0
    assert "try again later" in problem(refused)["detail"]
    assert {(each.status_code, len(each.json()["items"])) for each in answers} == {(200, 1)}


def test_equal_requests_read_the_log_once(stack: Stack) -> None:
    """And what one of them reads is not what the log was before the last ring."""

    async def play() -> None:
        shared, begun, may = Shared[int](), list[int](), threading.Event()

        def read(number: int) -> int:
            begun.append(number)
            may.wait(10)
            return number

        crowd = [asyncio.create_task(shared.read("now", read, number)) for number in range(50)]
        later = asyncio.create_task(shared.read("later", read, 99))
        await asyncio.sleep(0.1)
        crowd[0].cancel()  # whoever leaves takes nothing from the others
        may.set()
        found = await asyncio.gather(*crowd[1:], later)
        assert (set(found[:-1]), found[-1], sorted(begun)) == ({0}, 99, [0, 99])
        assert not shared.under_way

    asyncio.run(play())
    before = stack.shelf.desk.bell.rings
    edit(stack, "It goes on.")
    assert stack.shelf.desk.bell.rings > before


def test_a_source_is_told_as_it_is_listed(stack: Stack) -> None:
    """Also one that the configuration pauses."""
    log = (
        "INSERT INTO changes (source_id, kind, at, pass, silent, detail)"
        " SELECT id, 'source-paused', 1, 1, 0, 'x' FROM sources WHERE name = 'still'"
    )
    stack.shelf.desk.run(lambda writer: writer.connection.execute(log))
    found = stack.get("/changes", since=0, kind="source-paused")["items"][-1]["source"]
    assert found == stack.get("/sources/still")
    assert (found["next_check"], found["next_check_because"]) == (None, "paused")
