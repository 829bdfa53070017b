"""Worker processes, and what a kill leaves: real processes, killed at random moments."""

import json
import multiprocessing
import os
import random
import signal
import sqlite3
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import pytest
from commands import forker
from place import T0, Place, counts, seed
from running import run

from feedd.errors import SourceError
from feedd.looks import Looked
from feedd.workers import BATCH, WORTH_IT, mapped

FILES = 1_800
PATIENCE_S = 20.0
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
    "sources": TIMES | {"passes"},  # a kill that came too late makes one look more
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


@needs_two_cores
def test_workers_go_away_when_nobody_wants_more() -> None:
    for _ in mapped(pids, range(WORTH_IT * 4)):
        break
    until(lambda: multiprocessing.active_children() == [])


def fill(place: Place, count: int = FILES) -> None:
    """Files of every kind, all of them long there."""
    for number in range(count):
        name = str(number % (count - 200))  # the last 200 have URLs that others have, too
        body = f"<p>{number % 31}</p>" * (number % 150 + 1)
        place.write(f"{number % 7}/{number}.md", seed(name, body=body, stated=T0 + number * 7919 % 1000))
        if number % 500 == 77:
            place.write(f"{number % 7}/bad-{number}.md", "no seed")


@needs_two_cores
def test_a_killed_worker_fails_the_look_and_no_more(place: Place) -> None:
    fill(place)
    looks: list[Looked] = []

    def look() -> None:
        looks.append(place.look())
        place.reader.close()

    thread = threading.Thread(target=look)
    thread.start()
    until(lambda: len(multiprocessing.active_children()) == os.cpu_count())
    (victim, *_) = multiprocessing.active_children()
    assert victim.pid is not None
    os.kill(victim.pid, signal.SIGKILL)
    thread.join()
    assert [(look.status, look.error) for look in looks] == [
        ("failed", "a worker process died; what it was sent is read again at the next look")
    ]
    before = place.one("SELECT count(*) FROM locations")
    looked = place.look()
    assert looked.error is None
    assert place.one("SELECT count(*) FROM locations WHERE rejected IS NULL") == FILES
    assert sum(counts(looked).values()) + before >= FILES
    assert place.kinds().count("source-failing") == 1
    assert place.kinds()[-1] == "source-recovered"


# kill -9


def command(root: Path, database: Path) -> list[str]:
    config = root / f"{database.stem}.toml"
    config.write_text(
        f'[store]\npath = "{database}"\n[sources.a]\ntype = "directory"\npath = "{root / "seeds"}"\n'
    )
    return ["update", "--json", "--config", str(config)]


def update(root: Path, database: Path) -> dict[str, Any]:
    done = run(command(root, database), root)
    assert done.returncode == 0, done.stderr
    (source,) = json.loads(done.stdout)["sources"]
    assert source["status"] != "failed"  # a kill may have come too late to leave anything
    return dict(source)


def stored(database: Path) -> int:
    """How many changes are in the log."""
    if not database.exists():
        return 0
    with closing(sqlite3.connect(database)) as connection:
        try:
            found: int = connection.execute("SELECT count(*) FROM changes").fetchone()[0]
        except sqlite3.OperationalError:  # it is being made
            return 0
    return found


def update_and_kill(root: Path, database: Path, more: int) -> list[int]:
    """Kill an update some time after it has stored `more` changes; returns its workers."""
    before = stored(database)
    with tempfile.TemporaryFile() as said:
        running = forker().start(command(root, database), root, said, said)
    until(lambda: stored(database) >= before + more or running.poll() is not None)
    time.sleep(random.uniform(0, 0.05))
    children = []
    with suppress(OSError):
        for task in Path(f"/proc/{running.pid}/task").iterdir():
            children += (task / "children").read_text().split()
    running.kill()
    running.wait()
    return [int(child) for child in children]


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


@needs_two_cores
def test_a_kill_loses_nothing(place: Place) -> None:
    """Killed again and again, then left alone: the same as one run that nobody disturbed."""
    fill(place)
    calm, killed = place.root / "calm.db", place.root / "killed.db"
    whole = update(place.root, calm)
    workers = []
    for more in (1, 250, 500):
        workers += update_and_kill(place.root, killed, more)
    rest = update(place.root, killed)
    assert tables(killed) == tables(calm)
    assert whole["added"] + whole["duplicates"] == FILES
    assert rest["added"] < whole["added"]
    assert len(workers) >= 2
    until(lambda: not any(map(is_alive, workers)))

    for number in range(0, FILES, 3):
        file = place.folder / f"{number % 7}/{number}.md"
        if number % 9 == 0 and number < 700:
            file.unlink()
        else:
            place.write(f"{number % 7}/{number}.md", seed(str(number), body=f"<p>Edited {number}</p>"))
    edited = update(place.root, calm)
    assert edited["edited"] + edited["silent_edited"] > 400
    assert edited["removed"] > 20
    update_and_kill(place.root, killed, 1)
    update_and_kill(place.root, killed, 300)
    rest = update(place.root, killed)
    assert rest["edited"] + rest["silent_edited"] < edited["edited"] + edited["silent_edited"]
    assert tables(killed) == tables(calm)
