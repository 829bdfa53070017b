"""A clock that jumps by a year, there and back: nothing waits for the year, nothing is told for it, nothing is lost."""

import asyncio
import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from threading import Event

import pytest
from archive import Archive

from feedd.model import Conversation, Item
from feedd.normalise.article import normalise
from feedd.schedule import Due, Ticker, Timing
from feedd.store import clock, conversation, pruning
from feedd.store.desk import Desk
from feedd.store.passes import SourceKey, Window
from feedd.store.reader import Reader
from feedd.store.retention import Keeps

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
YEAR_MS = 365 * DAY_MS
NOW_MS = 1_795_000_000_000
NAMES = tuple(f"s{number:02}" for number in range(40))


class Looks:
    """Looks at sources by a clock of its own; each is planned for an hour later."""

    def __init__(self, path: Path) -> None:
        self.desk = Desk(path)
        self.reader = Reader(path)
        self.keys = {name: SourceKey(name, "feed", f"https://{name}.example.org/", "", "") for name in NAMES}
        self.desk.run(lambda writer: writer.configure(list(self.keys.values()), [], NOW_MS))

    def due(self, now_ms: int) -> list[str]:
        return self.desk.run(lambda writer: writer.due(now_ms))

    def look(self, name: str, now_ms: int, *articles: tuple[str, str], **said: int) -> None:
        """Find these articles: what their addresses end with, and what they say."""
        items = [
            Item(
                end,
                NOW_MS,
                NOW_MS,
                normalise(f"https://example.org/{end}", "Title", body),
                None,
                settled=True,
            )
            for end, body in articles
        ]
        started = self.desk.run(lambda writer: writer.begin(self.keys[name], now_ms))
        held = Conversation(held_until=said.get("held_until"))
        holds = [("host:a.example.org", said["held_until"])] if said else []
        window = Window(items, [], Due(now_ms + HOUR_MS, "every 1h"), held, holds)
        self.desk.run(lambda writer: writer.close_window(self.keys[name], started.look, window))

    def rows(self, query: str) -> list[tuple[object, ...]]:
        return self.reader.rows(query, [])

    def shown(self) -> list[str]:
        """What a feed shows, the first of it first."""
        rows = self.rows("SELECT url FROM entries ORDER BY position DESC, published DESC, id DESC")
        return [str(url).rpartition("/")[2] for (url,) in rows]

    def close(self) -> None:
        self.reader.close()
        self.desk.close()


@pytest.fixture
def looks(tmp_path: Path) -> Iterator[Looks]:
    with closing(Looks(tmp_path / "feedd.db")) as made:
        yield made


def a_round(looks: Looks, now_ms: int) -> None:
    """A minute apart, as a daemon that has run for a while looks at them."""
    for place, name in enumerate(NAMES):
        looks.look(name, now_ms + place * MINUTE_MS)


def test_a_year_forward_is_one_round_and_back_waits_for_no_year(
    looks: Looks, caplog: pytest.LogCaptureFixture
) -> None:
    a_round(looks, NOW_MS)
    now = NOW_MS + 50 * MINUTE_MS
    assert looks.due(now) == []
    future = now + YEAR_MS
    assert sorted(looks.due(future)) == list(NAMES), "each once"
    a_round(looks, future)
    assert looks.due(future + 45 * MINUTE_MS) == []
    back = now + 46 * MINUTE_MS
    assert len(looks.due(back)) < len(NAMES) // 2, "no flood"
    plans = looks.rows("SELECT next_check FROM sources ORDER BY next_check")
    assert len(set(plans)) == len(NAMES), "as spread as they were"
    assert len(looks.due(back + HOUR_MS)) == len(NAMES), "within the hour that each is looked at"
    (latest,) = looks.rows("SELECT max(last_checked) FROM sources")[0]
    assert isinstance(latest, int)
    assert latest <= back
    said = [record.getMessage() for record in caplog.records]
    assert [each.partition(":")[0] for each in said] == [
        "the clock went on by 365d at once, or the machine slept",
        "the clock was set back by 365d",
    ]


def test_who_starts_after_a_clock_was_set_back_waits_for_nothing(tmp_path: Path) -> None:
    with closing(Looks(tmp_path / "feedd.db")) as looks:
        a_round(looks, NOW_MS + YEAR_MS)
    with closing(Looks(tmp_path / "feedd.db")) as looks:
        looks.due(NOW_MS)
        assert len(looks.due(NOW_MS + HOUR_MS)) == len(NAMES)


def test_who_asked_to_be_left_alone_is_left_alone_for_as_long(looks: Looks) -> None:
    looks.due(NOW_MS)
    looks.look("s00", NOW_MS, held_until=NOW_MS + 2 * DAY_MS)
    looks.due(NOW_MS + YEAR_MS)
    looks.look("s01", NOW_MS + YEAR_MS, held_until=NOW_MS + YEAR_MS + 4 * HOUR_MS)
    looks.due(NOW_MS)
    held = "SELECT name, held_until FROM sources WHERE held_until IS NOT NULL ORDER BY name"
    assert looks.rows(held) == [("s00", NOW_MS + 2 * DAY_MS), ("s01", NOW_MS + 4 * HOUR_MS)]
    assert looks.desk.run(lambda writer: conversation.holds(writer.connection, NOW_MS + 5 * HOUR_MS)) == []


def test_what_the_store_plans_besides_is_planned_anew(looks: Looks) -> None:
    """Pages to be read again, hubs to be asked, leases, sessions: as far from now as they were from then."""
    future = NOW_MS + YEAR_MS
    hub = "'https://hub.example.org/', 'https://x.example.org/', 'https://me.example.org/', ?, '', 'active'"

    def plan(now_ms: int, name: str) -> None:
        run = looks.desk.writer.connection.execute
        run(
            "INSERT INTO locations (source_id, path, recheck, recheck_at) VALUES (1, ?, '{}', ?)",
            [name, now_ms + 1],
        )
        run(
            "INSERT INTO subscriptions (source_id, hub, topic, callback, token, secret, state, confirmed_at, next_attempt,"
            f" lease_until) VALUES ({len(name)}, {hub}, ?, ?, ?)",
            [name, now_ms - 2, now_ms + 2, now_ms + 3],
        )
        run(
            "INSERT INTO meta VALUES (?, ?)", [f"document-check:{len(name)}", json.dumps([now_ms + 4, "why"])]
        )

    looks.desk.run(lambda _: plan(NOW_MS, "now"))
    looks.due(NOW_MS)
    looks.due(future)
    looks.desk.run(lambda _: plan(future, "then"))
    looks.due(NOW_MS)
    assert looks.rows("SELECT recheck_at FROM locations") == [(NOW_MS + 1,)] * 2
    assert (
        looks.rows("SELECT confirmed_at, next_attempt, lease_until FROM subscriptions")
        == [(NOW_MS - 2, NOW_MS + 2, NOW_MS + 3)] * 2
    )
    documents = looks.rows("SELECT value FROM meta WHERE key LIKE 'document-check:%'")
    assert [json.loads(str(value)) for (value,) in documents] == [[NOW_MS + 4, "why"]] * 2


def test_what_arrives_stands_first_whatever_the_clock_says(looks: Looks) -> None:
    same, edited = "<p>1</p>", "<p>Quite another text, which says what nobody said before.</p>"
    third = "<p>Yet another one: a third, unlike both that were there.</p>"
    looks.look("s00", NOW_MS, ("old", same))
    looks.look("s00", NOW_MS + YEAR_MS, ("old", edited), ("future", same))
    looks.look("s00", NOW_MS + HOUR_MS, ("new", same), ("future", same), ("old", edited))
    assert looks.shown()[0] == "new"
    looks.look("s00", NOW_MS + 2 * HOUR_MS, ("future", edited), ("new", same), ("old", edited))
    assert looks.shown()[0] == "future"
    looks.look("s00", NOW_MS + 3 * HOUR_MS, ("old", third), ("future", edited), ("new", same))
    assert looks.shown() == ["old", "future", "new"]
    assert looks.rows("SELECT updated FROM entries WHERE url LIKE '%old'") == [(NOW_MS + YEAR_MS,)], (
        "not back"
    )
    kinds = looks.rows("SELECT kind, count(*) FROM changes WHERE NOT silent GROUP BY kind ORDER BY kind")
    assert kinds == [("added", 2), ("silent-edit", 3)], "what was not edited is told to nobody"


def test_no_source_was_silent_in_a_year_that_never_was(looks: Looks) -> None:
    """Each has brought something every hour."""
    day = [(f"{number}", "<p>1</p>") for number in range(20)]
    for number in range(len(day)):
        looks.due(NOW_MS + number * HOUR_MS)
        looks.look("s00", NOW_MS + number * HOUR_MS, *day[: number + 1])
    end = NOW_MS + len(day) * HOUR_MS
    for now in (end, end + YEAR_MS, end + YEAR_MS + HOUR_MS, end + HOUR_MS):
        looks.due(now)
        looks.look("s00", now, *day)
    assert looks.rows("SELECT kind FROM changes WHERE kind LIKE 'source%'") == []


def test_nothing_is_pruned_by_a_clock_that_was_set_forward(tmp_path: Path) -> None:
    with closing(Archive(tmp_path)) as archive:
        for number in range(4):
            archive.add("a", f"<p>{number}</p>", at_ms=NOW_MS - DAY_MS + number)
        keeps = [Keeps("a", age_ms=30 * DAY_MS)]
        pruner = pruning.Pruner(archive.desk, archive.path, Event())
        assert pruner.run_if_due(keeps, NOW_MS) is not None
        assert len(archive.left()) == 4
        for minutes in range(0, 60, 10):
            assert pruner.run_if_due(keeps, NOW_MS + YEAR_MS + minutes * MINUTE_MS) is None
        assert len(archive.left()) == 4
        assert pruner.run_if_due(keeps, NOW_MS + DAY_MS) is not None
        assert len(archive.left()) == 4, "it was set right"
        assert pruner.run_if_due(keeps, NOW_MS + YEAR_MS + DAY_MS) is not None, "it is so"
        assert len(archive.left()) == 1


def test_a_tick_that_fails_is_not_the_last() -> None:
    ticks = list[int]()

    async def some() -> None:
        enough = asyncio.Event()

        async def tick() -> None:
            ticks.append(1)
            if len(ticks) == 2:
                raise ValueError("a bug")
            if len(ticks) == 5:
                enough.set()

        ticker = Ticker(tick, 0.01)
        ticker.start()
        async with asyncio.timeout(5):
            await enough.wait()
        ticker.stop()

    asyncio.run(some())
    assert len(ticks) == 5


@pytest.mark.parametrize(
    ("last_ms", "is_due"), [(NOW_MS - HOUR_MS, False), (NOW_MS + 30_000, False), (NOW_MS + YEAR_MS, True)]
)
def test_an_update_looks_at_what_was_planned_in_a_future(last_ms: int, *, is_due: bool) -> None:
    timing = Timing(2 * YEAR_MS)
    assert timing.is_due(last_ms + 2 * YEAR_MS, NOW_MS, last_ms) is is_due


@pytest.mark.parametrize(
    ("duration_ms", "words"),
    [(90_000, "90s"), (125_000, "2m"), (HOUR_MS, "1h"), (5 * HOUR_MS - 1, "5h"), (YEAR_MS + HOUR_MS, "365d")],
)
def test_how_far_it_jumped_in_round_numbers(duration_ms: int, words: str) -> None:
    assert clock.roughly(duration_ms) == words
