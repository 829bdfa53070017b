"""What waits is delivered, whatever receivers do: by a real Deliverer, a real store, over loopback."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from receivers import SECRET, Receiver, told
from running import write_seed
from webserver import Web

from feedd.config.load import load
from feedd.config.settings import Config
from feedd.folder import FolderLooker
from feedd.notify.deliverer import Deliverer
from feedd.store.desk import Desk
from feedd.store.reader import Reader
from feedd.telling import deliverer
from feedd.wiring import prepare

HOUR_MS = 3_600_000
FAST = 1_200  # seconds of the receivers' troubles in one of ours
PATIENCE_S = 20.0


class Desks:
    """A folder, a store, channels; looks go on while messages are delivered."""

    def __init__(self, root: Path, channels: str) -> None:
        self.seeds = root / "seeds"
        self.seeds.mkdir()
        self.file = root / "config.toml"
        self.channels = channels
        self.file.write_text(f'[sources.news]\ntype = "directory"\npath = "seeds"\n{channels}\n')
        self.config: Config = load(self.file)
        self.desk = Desk(self.config.store.path)
        self.reader = Reader(self.config.store.path)
        prepare(self.desk, self.config)
        self.look()

    def look(self) -> None:
        import threading

        looked = FolderLooker(self.desk, threading.Event(), self.seeds).look(self.config.sources[0])  # type: ignore[arg-type]
        assert looked.error is None

    def add(self, count: int, start: int = 0) -> None:
        for number in range(start, start + count):
            write_seed(self.seeds / f"{number}.md", f"Title {number}")
        self.look()

    def edit(self, count: int, word: str) -> None:
        for number in range(count):
            write_seed(self.seeds / f"{number}.md", f"Title {number}", f"<p>They say {word} now.</p>")
        self.look()

    def told(self) -> list[int]:
        """What is to be told."""
        return [
            number for (number,) in self.reader.rows("SELECT id FROM changes WHERE NOT silent ORDER BY id")
        ]

    def statuses(self, channel: str | None = None) -> dict[str, int]:
        return dict(
            self.reader.rows(
                "SELECT status, count(*) FROM deliveries WHERE change_id IS NOT NULL AND (?1 IS NULL OR channel_id ="
                " (SELECT id FROM channels WHERE name = ?1)) GROUP BY status",
                [channel],
            )
        )

    @asynccontextmanager
    async def delivering(self, fast: int = 1) -> AsyncIterator[Deliverer]:
        async with deliverer(self.config, self.desk, self.reader) as made:
            began_s, began_ms = time.monotonic(), time.time_ns() // 1_000_000
            made.clock = lambda: began_ms + int((time.monotonic() - began_s) * 1000 * fast)
            made.look_again_s = 0.02
            running = asyncio.create_task(made.run())
            try:
                yield made
            finally:
                running.cancel()
                with suppress(asyncio.CancelledError):
                    await running

    def close(self) -> None:
        self.reader.close()
        self.desk.close()


def webhook(name: str, url: str, more: str = "") -> str:
    return f'[notify.{name}]\ntype = "webhook"\nurl = "{url}"\nsecret = "{SECRET}"\n{more}\n'


async def until(found: Callable[[], Any]) -> Any:
    end = time.monotonic() + PATIENCE_S
    while not (result := found()):
        assert time.monotonic() < end
        await asyncio.sleep(0.02)
    return result


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as made:
        yield made


def test_a_receiver_out_of_sorts_for_hours_gets_everything_in_order_and_others_never_wait(
    web: Web, tmp_path: Path
) -> None:
    shaky, steady = Receiver(web, "/shaky"), Receiver(web, "/steady")
    desks = Desks(tmp_path, webhook("shaky", shaky.url) + webhook("steady", steady.url))

    async def run() -> None:
        async with desks.delivering(FAST):
            for turn, mood in enumerate(("wrong", "broken", "slow", "wrong", "well")):
                shaky.mood = mood
                began = time.monotonic()
                await asyncio.to_thread(desks.add, 5, turn * 5)
                await asyncio.to_thread(desks.edit, 5 * turn + 5, f"the {turn * 7919}th thing")
                await until(lambda: desks.statuses("steady").get("pending", 0) == 0)
                await asyncio.sleep(max(0.0, began + 1.0 - time.monotonic()))  # twenty minutes of it, or more
            await until(lambda: desks.statuses("shaky").get("pending", 0) == 0)

    asyncio.run(run())
    assert told(steady.got) == desks.told()
    assert told(shaky.got) == desks.told()
    assert shaky.refused > 5
    assert len(steady.got) == len(desks.told())  # no repeats, where nothing was lost
    assert desks.statuses() == {"delivered": 2 * len(desks.told())}
    desks.close()


def test_a_receiver_that_is_down_for_three_days_fails_and_the_health_feed_says_so(
    web: Web, tmp_path: Path
) -> None:
    down = Receiver(web, "/down")
    down.mood = "wrong"
    desks = Desks(tmp_path, webhook("desk", down.url))
    desks.add(8)

    async def run() -> None:
        async with desks.delivering(200_000):  # two and a third days a second
            await until(lambda: desks.statuses() == {"failed": 8})

    asyncio.run(run())
    (incident,) = desks.reader.incidents(5)
    assert (incident.subject, incident.kind, incident.of) == ("desk", "undelivered", "channel")
    assert "500" in incident.detail
    desks.close()


def test_gone_for_good_disables_the_channel_alone(web: Web, tmp_path: Path) -> None:
    gone, steady = Receiver(web, "/gone"), Receiver(web, "/steady")
    gone.mood = "gone"
    desks = Desks(tmp_path, webhook("leaver", gone.url) + webhook("steady", steady.url))
    desks.add(6)

    async def run() -> None:
        async with desks.delivering():
            await until(lambda: desks.statuses("steady") == {"delivered": 6})
            await until(lambda: desks.statuses("leaver") == {"cancelled": 6})

    asyncio.run(run())
    assert gone.refused <= 4  # those that were on their way
    desks.close()


def test_a_digest_tells_everything_in_one_message(web: Web, tmp_path: Path) -> None:
    receiver = Receiver(web)
    desks = Desks(tmp_path, webhook("desk", receiver.url, 'digest = "1h"'))
    desks.add(30)
    desks.edit(30, "something else")

    async def run() -> None:
        async with desks.delivering(FAST):
            await asyncio.sleep(0.3)
            assert receiver.got == []
            await until(lambda: desks.statuses() == {"delivered": 60})

    asyncio.run(run())
    (message,) = receiver.got
    assert message.type == "digest"
    assert told([message]) == desks.told()
    desks.close()


def test_more_than_max_per_hour_goes_into_one_summary(web: Web, tmp_path: Path) -> None:
    receiver = Receiver(web)
    desks = Desks(tmp_path, webhook("desk", receiver.url, "max_per_hour = 3"))
    desks.add(50)

    async def run() -> None:
        async with desks.delivering():
            await until(lambda: desks.statuses() == {"delivered": 50})

    asyncio.run(run())
    assert sorted(got.type for got in receiver.got) == ["digest", "entry.added", "entry.added"]
    assert told(receiver.got) == desks.told()
    desks.close()


def test_what_is_due_is_tried_once_by_an_update(web: Web, tmp_path: Path) -> None:
    receiver, down = Receiver(web), Receiver(web, "/down")
    down.mood = "wrong"
    desks = Desks(tmp_path, webhook("desk", receiver.url) + webhook("down", down.url))
    desks.add(20)

    async def run() -> bool:
        async with deliverer(desks.config, desks.desk, desks.reader) as made:
            return await made.drain(10.0)

    assert asyncio.run(run())
    assert desks.statuses("desk") == {"delivered": 20}
    assert desks.statuses("down") == {"pending": 20}
    assert 4 <= down.refused <= 8  # then it is left alone
    desks.close()
