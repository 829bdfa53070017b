"""What a running daemon can be asked to do, with a real store, folder and receiver, in this process."""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from receivers import SECRET, Receiver
from running import write_seed
from webserver import Web, Wire

from feedd.config.load import load
from feedd.daemon.attending import Attendant
from feedd.errors import Stopped, TooMany, UnknownName, UsageError
from feedd.operations import LOOKS_AT_ONCE, TESTS_AT_ONCE, Operations
from feedd.pipeline import looker
from feedd.store.deliveries import Chosen
from feedd.store.desk import Desk
from feedd.store.reader import Reader, SourceRow
from feedd.telling import deliverer
from feedd.wiring import prepare, wanted

TOML = """
[sources.news]
type = "directory"
path = "seeds"
[sources.asleep]
type = "directory"
path = "seeds"
paused = true
[notify.desk]
type = "webhook"
url = "{url}"
secret = "{secret}"
"""


class Running:
    """A daemon that serves nothing, and what it can be asked."""

    def __init__(self, daemon: Attendant, reader: Reader, operations: Operations) -> None:
        self.daemon = daemon
        self.desk = daemon.desk
        self.reader = reader
        self.operations = operations

    def source(self, name: str = "news") -> SourceRow:
        (row,) = [each for each in self.reader.sources() if each.name == name]
        return row

    def looks(self) -> int:
        return len(self.reader.rows("SELECT id FROM looks"))

    def run(self, statement: str, *values: object) -> None:
        self.desk.run(lambda writer: writer.connection.execute(statement, values))


@asynccontextmanager
async def running(root: Path, url: str = "http://127.0.0.1:9/") -> AsyncIterator[Running]:
    (root / "config.toml").write_text(TOML.format(url=url, secret=SECRET))
    write_seed(root / "seeds" / "one.md")
    config, stop = load(root / "config.toml"), threading.Event()
    with Desk(config.store.path) as desk:
        prepare(desk, config)
        reader, daemon = Reader(config.store.path), Attendant(config, desk)
        async with deliverer(config, desk, reader) as office, looker(config, desk, stop) as daemon.looker:
            operations = Operations(config, desk, daemon.look_asked_for, office.messages, office.tools)
            yield Running(daemon, reader, operations)
            await operations.close()
        reader.close()


def played(root: Path, play: Callable[[Running], Awaitable[None]], url: str = "http://127.0.0.1:9/") -> None:
    async def whole() -> None:
        async with running(root, url) as place:
            await play(place)

    asyncio.run(whole())


def test_a_check_looks_now(tmp_path: Path) -> None:
    async def play(place: Running) -> None:
        looked = await place.operations.check("news")
        assert (looked.status, looked.tally.added) == ("ok", 1)
        assert (await place.operations.check("asleep")).tally.duplicates == 1  # by name, though it is paused

    played(tmp_path, play)


def test_a_crowd_shares_the_look_that_has_not_begun(tmp_path: Path) -> None:
    async def play(place: Running) -> None:
        async with place.daemon.busy["news"]:  # a look is under way
            crowd = [asyncio.create_task(place.operations.check("news")) for _ in range(100)]
            await asyncio.sleep(0.01)
            for task in crowd[:50]:
                task.cancel()  # whoever leaves takes nothing from the others
        found = await asyncio.gather(*crowd, return_exceptions=True)
        assert {type(each) for each in found[:50]} == {asyncio.CancelledError}
        assert len({id(each) for each in found[50:]}) == 1
        assert place.looks() == 1
        await place.operations.check("news")
        assert place.looks() == 2

    played(tmp_path, play)


def test_who_waits_for_a_look_when_feedd_ends_is_told(tmp_path: Path) -> None:
    async def play(place: Running) -> None:
        async with place.daemon.busy["news"]:
            waiting = asyncio.create_task(place.operations.check("news"))
            await asyncio.sleep(0.01)
            await place.operations.close()
            with pytest.raises(Stopped, match="feedd is ending"):
                await waiting
        for asked in (place.operations.check("news"), place.operations.test("desk")):
            with pytest.raises(Stopped, match="feedd is ending"):
                await asked

    played(tmp_path, play)


def test_who_waits_for_a_sample_when_feedd_ends_is_told(tmp_path: Path) -> None:
    asked = threading.Event()

    def hang(wire: Wire) -> None:
        asked.set()
        wire.hang()

    with Web() as web:
        web.raw("/hook", hang)

        async def play(place: Running) -> None:
            waiting = asyncio.create_task(place.operations.test("desk"))
            assert await asyncio.to_thread(asked.wait, 10)
            await asyncio.wait_for(place.operations.close(), 1)
            with pytest.raises(Stopped, match="feedd is ending"):
                await waiting

        played(tmp_path, play, f"{web.url}/hook")


def test_a_crowd_of_one_source_takes_the_place_of_one(tmp_path: Path) -> None:
    """And looks at more sources than there is room for are refused."""

    async def play(place: Running) -> None:
        async with place.daemon.busy["news"], place.daemon.busy["asleep"]:
            looks = {place.operations.look_of("news") for _ in range(2 * LOOKS_AT_ONCE)}
            assert len(looks) == len(place.operations.looking) == 1
            busy = [asyncio.create_task(asyncio.sleep(0)) for _ in range(LOOKS_AT_ONCE)]
            place.operations.looking.update(busy)  # type: ignore[arg-type]
            with pytest.raises(TooMany, match="looks"):
                place.operations.look_of("asleep")
            place.operations.looking.difference_update(busy)
        await asyncio.wait(looks)

    played(tmp_path, play)


def test_what_is_not_there_is_unknown(tmp_path: Path) -> None:
    async def play(place: Running) -> None:
        ask = place.operations
        for question in (
            ask.check("nobody"),
            ask.pause("nobody", "me"),
            ask.resume("x\0y" * 1000),
            ask.test("nobody"),
            ask.retry(Chosen(channel="nobody")),
            ask.retry(Chosen(ids=[99])),
            ask.cancel(Chosen(ids=[99])),
        ):
            with pytest.raises(UnknownName, match="there is no ") as raised:
                await question
            assert len(str(raised.value)) < 300
        for question in (ask.retry(Chosen()), ask.cancel(Chosen())):
            with pytest.raises(UsageError, match="say which"):
                await question

    played(tmp_path, play)


def test_a_paused_source_rests_until_it_is_resumed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO, "feedd.operations")

    async def play(place: Running) -> None:
        config, desk = place.daemon.config, place.desk
        news = config.source("news")
        assert news is not None
        await place.operations.pause("news", "desk")
        await place.operations.pause("news", "somebody else")
        paused = place.source()
        assert paused.paused == paused.paused_by
        assert (paused.paused or "").startswith("paused by desk since 20")
        await place.daemon.look(news.name)  # as a tick and an event of the file system do
        assert place.looks() == 0
        later = await asyncio.to_thread(wanted, config, desk, [])
        assert [(each.name, each.next_check_ms, each.note) for each in later.later] == [
            ("news", None, paused.paused)
        ]
        assert desk.run(lambda writer: writer.due(2**60)) == []
        assert (await place.operations.check("news")).tally.added == 1
        assert place.source().paused == paused.paused  # a look by name does not end it
        await asyncio.to_thread(prepare, desk, config)  # nor does a restart
        assert place.source().paused == paused.paused
        await place.operations.resume("news")
        await place.operations.resume("news")
        assert place.source().paused is None
        assert desk.run(lambda writer: writer.due(2**60)) == ["news"]
        assert (place.source().next_check_ms or 0) <= (place.source().last_checked_ms or 0) + 60_000

    played(tmp_path, play)
    assert [record.getMessage() for record in caplog.records if record.name == "feedd.operations"] == [
        "news: paused by desk",
        "news: resumed",
    ]


def test_resuming_ends_what_feedd_paused_and_not_what_the_configuration_did(tmp_path: Path) -> None:
    async def play(place: Running) -> None:
        place.run("UPDATE sources SET paused = 'gone', next_check = ? WHERE name = 'news'", 2**60)
        await place.operations.resume("news")
        row = place.source()
        assert (row.paused, row.next_check_because) == (None, "somebody resumed it")
        assert (row.next_check_ms or 0) < 2**60
        with pytest.raises(UsageError, match=r"\[sources\.asleep\]"):
            await place.operations.resume("asleep")

    played(tmp_path, play)


def test_deliveries_are_tried_again_and_cancelled(tmp_path: Path) -> None:
    async def play(place: Running) -> None:
        for number, status in enumerate(("pending", "failed", "cancelled", "delivered"), 1):
            place.run(
                "INSERT INTO deliveries (channel_id, change_id, thread, type, status, created_at, next_attempt)"
                " VALUES (1, ?, 0, 'entry.added', ?, 1, 5)",
                number,
                status,
            )
        with place.desk.bell.heard_by() as rung:
            assert await place.operations.retry(Chosen(channel="desk")) == 2
            await asyncio.wait_for(rung.wait(), 5)
        with pytest.raises(UnknownName, match="no delivery 4 that fits"):
            await place.operations.cancel(Chosen(ids=[1, 4]))
        assert await place.operations.cancel(Chosen(ids=[1])) == 1
        with pytest.raises(UsageError, match="only what is pending"):
            await place.operations.cancel(Chosen(statuses=["failed"]))
        rows = place.reader.rows("SELECT status FROM deliveries ORDER BY id")
        assert [status for (status,) in rows] == ["cancelled", "pending", "pending", "delivered"]
        place.run("UPDATE channels SET configured = 0")
        with pytest.raises(UsageError, match="not in the configuration"):
            await place.operations.retry(Chosen(channel="desk"))

    played(tmp_path, play)


def test_a_sample_says_what_came_of_it(tmp_path: Path) -> None:
    with Web() as web:
        hook = Receiver(web)

        async def play(place: Running) -> None:
            tried = await place.operations.test("desk")
            assert (tried.channel, tried.delivered) == ("desk", True)
            assert "204" in tried.said
            hook.mood = "wrong"
            refused = await place.operations.test("desk")
            assert not refused.delivered
            assert "500" in refused.said
            crowd = [place.operations.test("desk") for _ in range(TESTS_AT_ONCE + 2)]
            found = await asyncio.gather(*crowd, return_exceptions=True)
            assert sum(isinstance(each, TooMany) for each in found) == 2
            hook.mood = "well"
            assert (await place.operations.test("desk")).delivered

        played(tmp_path, play, hook.url)
        assert {got.type for got in hook.got} == {"test"}
