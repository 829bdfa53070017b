"""Worker processes, and what a kill leaves: real processes, killed between transactions and within them."""

import multiprocessing
import os
import signal
import sqlite3
import struct
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from dying import Death, Dying
from place import T0, Place, counts, seed
from stores import new_store

from feedd.errors import SourceError
from feedd.looks import Request
from feedd.workers import BATCH, WORTH_IT, mapped

FILES = 1_800
PATIENCE_S = 60.0
COMMITS = 3  # of each update that dies: the first is that of the configuration
TIMES = {
    "at",
    "seen_at",
    "changed_at",
    "removed_at",
    "first_pass_at",
    "last_checked",
    "last_changed",
    "next_check",
}
COMPARED = {
    "sources": TIMES,
    "entries": TIMES | {"position", "updated"},
    "revisions": TIMES | {"position"},
    "locations": set[str](),
    "changes": TIMES,
}
needs_two_cores = pytest.mark.skipif(
    (os.cpu_count() or 1) < 2, reason="one core: no worker processes are used"
)


def until(done: Callable[[], object]) -> None:
    end = time.monotonic() + PATIENCE_S
    while not done():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.005)


def pids(batch: Sequence[int]) -> tuple[int, list[int]]:
    return os.getpid(), list(batch)


def fails(batch: Sequence[int]) -> int:
    raise SourceError(f"no {batch[0]}")


@pytest.mark.parametrize("count", [0, 1, BATCH, BATCH + 1, WORTH_IT - 1])
def test_little_is_done_here(count: int) -> None:
    results = list(mapped(pids, range(count)))
    assert [each for _, batch in results for each in batch] == list(range(count))
    assert {pid for pid, _ in results} <= {os.getpid()}


@needs_two_cores
def test_much_is_done_elsewhere_in_order() -> None:
    results = list(mapped(pids, range(WORTH_IT * 2)))
    assert [each for _, batch in results for each in batch] == list(range(WORTH_IT * 2))
    assert os.getpid() not in {pid for pid, _ in results}
    assert multiprocessing.active_children() == []


@needs_two_cores
def test_what_goes_wrong_elsewhere_is_raised_here() -> None:
    with pytest.raises(SourceError, match="no 0"):
        list(mapped(fails, range(WORTH_IT)))
    assert multiprocessing.active_children() == []


def cut_off_once(batch: Sequence[Path]) -> list[str]:
    """Ends as a worker does that is killed while it sends its result: the beginning of that is on its way."""
    try:
        batch[0].with_name("first").unlink()
    except FileNotFoundError:
        return [each.name for each in batch]
    frame = sys._getframe()
    while "result_queue" not in frame.f_locals:
        assert frame.f_back is not None
        frame = frame.f_back
    results = frame.f_locals["result_queue"]
    with results._wlock:
        os.write(results._writer.fileno(), struct.pack("!i", 1_000_000) + b"the beginning")
        os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


@needs_two_cores
def test_a_worker_that_is_killed_while_it_sends_a_result(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """What it was sent is done by another."""
    (tmp_path / "first").touch()
    begun = time.monotonic()
    results = list(mapped(cut_off_once, [tmp_path / str(number) for number in range(WORTH_IT)]))
    assert [int(name) for batch in results for name in batch] == list(range(WORTH_IT))
    assert caplog.messages == ["a worker process died; what it was sent is read once more"]
    assert time.monotonic() - begun < PATIENCE_S
    assert multiprocessing.active_children() == []


@needs_two_cores
def test_workers_go_away_when_nobody_wants_more() -> None:
    for _ in mapped(pids, range(WORTH_IT * 4)):
        break
    until(lambda: multiprocessing.active_children() == [])


def fill(place: Place, count: int = FILES) -> None:
    """Files of every kind, all of them long there."""
    for number in range(count):
        name = str(number % (count - 200))  # the last 200 have URLs that others have, too
        body = f"<p>{number % 31}</p>" * (number % 30 + 1)
        place.write(f"{number % 7}/{number}.md", seed(name, body=body, stated=T0 + number * 7919 % 1000))
        if number % 500 == 77:
            place.write(f"{number % 7}/bad-{number}.md", "no seed")


@needs_two_cores
def test_workers_that_are_killed_twice_fail_the_look_and_no_more(place: Place) -> None:
    many = FILES * 2  # far more than is under way when they are killed
    fill(place, many)

    def kill_all_workers(done: int, of: int) -> None:
        """Called when a batch is recorded: more is under way then, and more is to come."""
        assert done < of
        for victim in multiprocessing.active_children():
            victim.kill()

    look = place.look(progress=kill_all_workers)
    assert (look.status, look.error) == (
        "failed",
        "a worker process died; what it was sent is read again at the next look",
    )
    before = place.one("SELECT count(*) FROM locations")
    assert 0 < before < many
    looked = place.look()
    assert looked.error is None
    assert place.one("SELECT count(*) FROM locations WHERE rejected IS NULL") == many
    assert sum(counts(looked).values()) + before >= many
    assert place.kinds().count("source-failing") == 1
    assert place.kinds()[-1] == "source-recovered"


# kill -9


def command(root: Path, database: Path) -> list[str]:
    config = root / f"{database.stem}.toml"
    config.write_text(
        f'[store]\npath = "{database}"\n[sources.a]\ntype = "directory"\npath = "{root / "seeds"}"\n'
    )
    return ["update", "--json", "--config", str(config)]


def value(database: Path, query: str) -> int:
    with closing(sqlite3.connect(database)) as connection:
        found: int = connection.execute(query).fetchone()[0]
    return found


def looks(database: Path) -> int:
    """How many looks at the source came to their end."""
    return value(database, "SELECT coalesce(max(passes), 0) FROM sources")


def in_pieces(updates: Dying, database: Path, *, at_random: bool) -> list[Death]:
    """One look, by updates that die when they have committed a little; the last one may come to its end."""
    before, deaths = looks(database), list[Death]()
    while looks(database) == before:
        assert len(deaths) < FILES / BATCH * 2, "no update goes on where the one before died"
        deaths.append(updates.run(COMMITS, at_random=at_random))
        assert deaths[-1].status in {0, -signal.SIGKILL, -signal.SIGALRM}
    return deaths


def tables(database: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Everything but times."""
    found = {}
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        for table, times in COMPARED.items():
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
            chosen = ", ".join(column for column in columns if column not in times)
            found[table] = connection.execute(f"SELECT {chosen} FROM {table} ORDER BY 1, 2").fetchall()
    return found


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def edit(place: Place) -> None:
    """Every third file is edited or taken away."""
    for number in range(0, FILES, 3):
        file = place.folder / f"{number % 7}/{number}.md"
        if number % 9 == 0 and number < 700:
            file.unlink()
        else:
            place.write(f"{number % 7}/{number}.md", seed(str(number), body=f"<p>Edited {number}</p>"))


@needs_two_cores
@pytest.mark.parametrize("at_random", [False, True], ids=["between-transactions", "at-random"])
def test_a_kill_loses_nothing(place: Place, at_random: bool) -> None:
    """Killed again and again until all was read: the same as one look that nobody disturbed, to the last row."""
    fill(place)
    killed = new_store(place.root / "killed.db")
    whole = place.look().tally
    assert whole.added + whole.duplicates == FILES
    with Dying(command(place.root, killed)) as updates:
        deaths = in_pieces(updates, killed, at_random=at_random)
        assert len(deaths) > 2
        assert tables(killed) == tables(place.database)
        workers = [pid for death in deaths for pid in death.workers]
        assert workers
        until(lambda: not any(map(is_alive, workers)))

        edit(place)
        edited = place.look(request=Request(accept_removals=True)).tally
        assert edited.edited + edited.silent_edited > 400
        assert edited.removed > 20
        assert len(in_pieces(updates, killed, at_random=at_random)) > 1
        assert tables(killed) == tables(place.database)
