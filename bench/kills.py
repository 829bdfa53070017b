"""`kill -9` at random moments of a run with many changes and three channels: does every change reach every channel?"""

import json
import random
import sqlite3
import subprocess
import sys
import threading
import time
from contextlib import closing
from pathlib import Path

from bench.corpus import article
from bench.daemon import free_port, wait_for
from bench.figures import Figure
from bench.hooks import receiving

LONGEST_S = 2.0  # that a daemon lives: its start takes about one
QUIET_S = 5.0  # without a change, when nobody writes any more


def kills(scratch: Path, changes: int, times: int) -> list[Figure]:
    """Half of the changes are additions, half are edits of the same entries."""
    root, began = scratch / "kills", time.time()
    (root / "seeds").mkdir(parents=True)
    (root / "seeds/first.md").write_text(article(0), encoding="utf-8")
    with receiving(scratch) as receiver:
        tee = json.dumps(["tee", "-a", str(root / "program.jsonl")])
        (root / "config.toml").write_text(
            f'[server]\nlisten = "127.0.0.1:{free_port()}"\n[sources.news]\ntype = "directory"\npath = "seeds"\n'
            f'watch = true\n{receiver.channel("web")}[notify.lines]\ntype = "file"\npath = "lines.jsonl"\n'
            f'[notify.program]\ntype = "command"\ncommand = {tee}\n'
        )
        play(root, changes, times)
        web = [(each.id, each.entry, each.change) for each in receiver.came]
    expected, spent_s = set(logged(root / "feedd.db")), time.time() - began
    told = {
        "webhook": web,
        "file": lines(root / "lines.jsonl"),
        "command": lines(root / "program.jsonl"),
    }
    figures = []
    for name, came in told.items():
        missing = expected - {change for _, _, change in came}
        repeats = len(came) - len({each[0] for each in came})
        detail = f"{len(expected):,} changes; {repeats} repeats; {'in order' if in_order(came) else 'OUT OF ORDER'}"
        title = f"changes that {times} kills in {spent_s:.0f} s kept from the {name}"
        figures.append(Figure(title, "", detail, f"{len(missing)}", "0"))
    return figures


def play(root: Path, changes: int, times: int) -> None:
    """Let daemons die while files are written, and one tell what is left."""
    config = str(root / "config.toml")
    update, run = ([sys.executable, "-m", "feedd", verb, "--config", config] for verb in ("update", "run"))
    subprocess.run(update, check=True, capture_output=True)
    dice, database = random.Random(5), root / "feedd.db"
    writing = threading.Thread(target=write, args=(root / "seeds", changes, times * LONGEST_S / 3))
    writing.start()
    with (root / "log").open("ab") as log:
        for _ in range(times):
            daemon = subprocess.Popen(run, stderr=log)
            time.sleep(dice.uniform(0.05, LONGEST_S))
            daemon.kill()
            daemon.wait()
        writing.join()
        daemon = subprocess.Popen(run, stderr=log)
        try:
            told_of = 0  # where daemons died too soon, a file's addition and its edit are one change
            while told_of < changes // 2 or told_of != len(logged(database)):
                told_of = len(logged(database))
                time.sleep(QUIET_S)
                wait_for(lambda: is_told(database), "everything to be told", 300)
        finally:
            daemon.terminate()
            daemon.wait()


def write(folder: Path, changes: int, seconds: float) -> None:
    """Add the files, then edit them, spread over that time."""
    for number in range(changes):
        place = number % (changes // 2) + 1
        text = article(place) + (
            f"\n<p>The {number * 7919}th came late.</p>\n" if number >= changes // 2 else ""
        )
        partial = folder / f".{place}.tmp"
        partial.write_text(text, encoding="utf-8")
        partial.replace(folder / f"{place}.md")
        time.sleep(seconds / changes)


def is_told(database: Path) -> bool:
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        pending = "SELECT count(*) FROM deliveries WHERE status != 'delivered'"
        return bool(connection.execute(pending).fetchone()[0] == 0)


def logged(database: Path) -> list[int]:
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        return [number for (number,) in connection.execute("SELECT id FROM changes WHERE NOT silent")]


def lines(path: Path) -> list[tuple[str, int, int]]:
    """(id, entry, change) of each message; a line that was cut off counts for nothing."""
    found = []
    earlier = [
        path.with_name(f"{path.name}.{number}") for number in range(9, 0, -1)
    ]  # the channel moves full ones on
    texts = [each.read_text(encoding="utf-8", errors="replace") for each in (*earlier, path) if each.exists()]
    for line in "".join(texts).split("\n"):
        try:
            said = json.loads(line)
            found.append((said["id"], said["data"]["entry"]["id"], said["data"]["change"]["id"]))
        except ValueError:
            continue
    return found


def in_order(came: list[tuple[str, int, int]]) -> bool:
    """Whether the changes of each entry came in their order, each message counted when it came first."""
    first = dict[str, tuple[int, int]]()
    for message, entry, change in came:
        first.setdefault(message, (entry, change))
    newest = dict[int, int]()
    for entry, change in first.values():
        if newest.get(entry, 0) > change:
            return False
        newest[entry] = change
    return True
