"""The parts of a cluster that need no process of their own."""

import asyncio
import pickle
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some
from running import write_seed

from feedd.cluster.engine import is_secret
from feedd.cluster.files import SharedFolders
from feedd.cluster.packing import LARGEST, TooLargeToCross, pack, unpack
from feedd.cluster.values import Files
from feedd.cluster.worker import Hands
from feedd.config.cluster import is_loopback
from feedd.config.load import load
from feedd.errors import ConfigError, FeeddError
from feedd.fetch import hops
from feedd.fetch.manners import Manners
from feedd.fetch.values import Access, Ask, Basic, Bearer
from feedd.model import Item, Rejected
from feedd.rules import Filter
from feedd.sources.directory import Found, Outcome, Reading, Selection, Waiting, scan
from feedd.sources.files import read_files
from feedd.sources.items import Draft
from feedd.workers import BATCH

VALUES = some.recursive(
    some.none() | some.integers() | some.text() | some.binary(),
    lambda inner: some.lists(inner) | some.tuples(inner, inner) | some.dictionaries(some.text(), inner),
)
DRAFTS = some.builds(Draft, some.none(), some.text(), some.none(), some.integers(), some.binary())


@given(some.recursive(VALUES | DRAFTS, lambda inner: some.lists(inner) | some.tuples(inner, inner)))
def test_what_is_packed_is_unpacked(value: object) -> None:
    assert unpack(pack(value)) == value


def test_drafts_cross_one_by_one() -> None:
    """So that no thread waits long for another that unpickles."""
    draft = Draft(None, "x", None, 0, b"")  # type: ignore[arg-type]
    packed = pack([draft] * 1_000)
    assert len(packed.parts) == 1_000
    assert len(packed.whole) < 20_000


@pytest.mark.parametrize("apart", [False, True])
def test_what_is_too_large_does_not_cross(apart: bool) -> None:
    half = b"." * (LARGEST // 2 + 1)
    large = [Draft(None, None, None, 0, each) if apart else each for each in (half, half[:-1] + b",")]  # type: ignore[arg-type]
    with pytest.raises(TooLargeToCross, match="64 MB"):
        pack(large)


def test_a_result_that_is_too_large_is_left_to_the_daemon(tmp_path: Path) -> None:
    """Together 100 MB: the worker says so, and keeps none of it."""
    path = write_seed(tmp_path / "a.md", body="<p>" + "Words " * 700_000 + "end.</p>")
    (found,) = found_in(tmp_path)

    async def asked() -> dict[str, Any]:
        hands = Hands()
        files = pack(Files(reading(tmp_path), [found] * 16, 10**19))
        return await hands.order("a test", 1, *files)

    assert asyncio.run(asked()) == {"left": "what was read comes to more than 64 MB"}
    assert path.stat().st_size > 4_000_000


@pytest.mark.parametrize(
    ("access", "url", "secret"),
    [
        (Access(), "http://a.example/", False),
        (Access(headers=(("Accept-Language", "de"), ("User-Agent", "x"))), "http://a.example/", False),
        (Access(headers=(("X-Key", "1"),)), "http://a.example/", True),
        (Access(cookies=(("a", "b"),)), "http://a.example/", True),
        (Access(auth=Bearer("x")), "http://a.example/", True),
        (Access(auth=Basic("x", "y")), "http://a.example/", True),
        (Access(proxy="http://user:word@proxy.example:3128"), "http://a.example/", True),
        (Access(), "http://user:word@a.example/", True),
    ],
)
def test_what_is_secret(access: Access, url: str, secret: bool) -> None:
    ask = Ask(url, access)
    assert is_secret(access, hops.first(ask)) is secret


@pytest.mark.parametrize(
    ("host", "near"),
    [("127.0.0.1", True), ("127.9.9.9", True), ("::1", True), ("localhost", True), ("10.0.0.1", False),
     ("0.0.0.0", False), ("localhost.example.org", False), ("scheduler", False)],
)  # fmt: skip
def test_what_stays_on_this_machine(host: str, near: bool) -> None:
    assert is_loopback(host) is near


@pytest.mark.parametrize(
    ("section", "words"),
    [
        ("", "scheduler"),
        ('scheduler = "host:8786"', "no address of a scheduler"),
        ('scheduler = "tcp://host:0"', "no address of a scheduler"),
        ('scheduler = "tcp://host:70000"', "no address of a scheduler"),
        ('scheduler = "tls://host:8786"', "a tls:// scheduler needs tls_ca and tls_cert"),
        ('scheduler = "tcp://host:8786"\ntls_ca = "a.pem"', "need a scheduler with tls://"),
        ('scheduler = "tls://host:8786"\ntls_ca = "a.pem"\ntls_cert = "b.pem"', "there is no file"),
        ('scheduler = "tcp://host:8786"\nper_worker = 0', "per_worker"),
    ],
)
def test_mistakes(tmp_path: Path, section: str, words: str) -> None:
    (config := tmp_path / "config.toml").write_text(f"[cluster]\n{section}\n")
    with pytest.raises(ConfigError, match=words) as error:
        load(config)
    assert str(error.value).startswith(f"{config}: cluster")


def test_who_left_its_turn_may_still_be_there() -> None:
    """A host is nobody else's while it is kept."""

    async def asked() -> list[str]:
        manners, said = Manners(), []

        async def turn() -> None:
            async with manners.turn("a.example", per_host=1):
                said.append("next")

        release = manners.keep("a.example")
        waiting = asyncio.create_task(turn())
        await asyncio.sleep(0.05)
        said.append("released")
        release()
        await waiting
        assert manners.known == 0
        return said

    assert asyncio.run(asked()) == ["released", "next"]


def test_the_next_turn_keeps_its_distance_from_the_request() -> None:
    async def gap() -> float:
        manners, clock = Manners(), asyncio.get_running_loop().time
        async with manners.turn("a.example", 0.2, 1):
            await asyncio.sleep(0.1)
            manners.began("a.example", 0.0)
            began_s = clock()
        async with manners.turn("a.example", 0.2, 1):
            return clock() - began_s

    assert asyncio.run(gap()) >= 0.19


def reading(folder: Path) -> Reading:
    return Reading(str(folder), None, True, (), (), Filter((), ()), False)


def found_in(folder: Path) -> list[Found]:
    return scan(folder, Selection(["**"], []), {}).changed


def test_only_articles_of_workers_are_believed(tmp_path: Path) -> None:
    """That a file is not there, or can't be read, says nothing if a worker says it; and a worker may say nothing at all."""
    for number in range(BATCH * 3 + 10):
        write_seed(tmp_path / f"{number:04}.md", f"Number {number}")
    (tmp_path / "bad.md").write_text("no seed")
    files, now_ns = found_in(tmp_path), 10**19
    asked = []

    async def read(order: Files) -> list[Outcome]:
        asked.append(len(order.batch))
        outcomes = read_files(*order[:3])
        match len(asked):
            case 1:
                return []
            case 2:
                doubtful: list[Outcome] = [Waiting("x"), Rejected("x", "not there"), *outcomes[2:]]
                return doubtful
        return outcomes

    async def mapped() -> list[list[Outcome]]:
        folders = SharedFolders(read, lambda: 2)
        return await asyncio.to_thread(lambda: list(folders.mapped(reading(tmp_path), files, now_ns, bool)))

    found = [each for batch in asyncio.run(mapped()) for each in batch]
    assert found == read_files(reading(tmp_path), files, now_ns)
    assert sum(isinstance(each, Item) for each in found) == BATCH * 3 + 10
    assert asked == [BATCH, BATCH, BATCH, 11]


def test_a_stop_leaves_nothing_behind(tmp_path: Path) -> None:
    for number in range(BATCH * 2):
        write_seed(tmp_path / f"{number:04}.md", f"Number {number}")
    files = found_in(tmp_path)
    cut = []

    async def read(order: Files) -> list[Outcome]:
        if order.batch[0] == files[0]:
            return read_files(*order[:3])
        try:
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            cut.append(len(order.batch))
            raise
        return []

    async def first() -> int:
        folders = SharedFolders(read, lambda: 2)

        def one() -> int:
            batches = folders.mapped(reading(tmp_path), files, 10**19, bool)
            found = len(next(batches))
            batches.close()  # type: ignore[attr-defined]
            return found

        found = await asyncio.to_thread(one)
        await asyncio.sleep(0.05)
        return found

    assert asyncio.run(first()) == BATCH
    assert cut == [BATCH]


def test_what_a_worker_is_asked_by_an_older_daemon_is_no_bug_of_dask() -> None:
    """Whatever comes: an answer, and no exception with what may be secret in it."""
    answer = asyncio.run(Hands().order("a test", 1, b"no pickle", []))
    assert "a bug in feedd, on a worker" in str(unpack_error(answer))


def unpack_error(answer: dict[str, Any]) -> FeeddError:
    error: FeeddError = pickle.loads(answer["error"])
    return error
