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

LONGEST_S = 2.5  # that a daemon lives: its start takes about one


def kills(scratch: Path, changes: int, times: int) -> list[Figure]:
    """Half of the changes are additions, half are edits of the same entries."""
    root = scratch / "kills"
    (root / "seeds").mkdir(parents=True)
    (root / "seeds/first.md").write_text(article(0), encoding="utf-8")
    with receiving(scratch) as receiver:
        config, command = root / "config.toml", ["tee", "-a", str(root / "program.jsonl")]
        config.write_text(
            f'[server]\nlisten = "127.0.0.1:{free_port()}"\n[sources.news]\ntype = "directory"\npath = "seeds"\n'
            f'watch = true\n{receiver.channel("web")}[notify.lines]\ntype = "file"\npath = "lines.jsonl"\n'
            f'[notify.program]\ntype = "command"\ncommand = {json.dumps(command)}\n'
        )
        subprocess.run(
            [sys.executable, "-m", "feedd", "update", "--config", str(config)],
            check=True,
            capture_output=True,
        )
        began, dice = time.time(), random.Random(5)
        writing = threading.Thread(target=write, args=(root / "seeds", changes, times * LONGEST_S / 3))
        writing.start()
        for _ in range(times):
            with (root / "log").open("ab") as log:
                daemon = subprocess.Popen(
                    [sys.executable, "-m", "feedd", "run", "--config", str(config)], stderr=log
                )
            time.sleep(dice.uniform(0.05, LONGEST_S))
            daemon.kill()
            daemon.wait()
        writing.join()
        daemon = subprocess.Popen([sys.executable, "-m", "feedd", "run", "--config", str(config)])
        try:
            wait_for(lambda: is_told(root / "feedd.db", changes), "everything to be told", 300)
        finally:
            daemon.terminate()
            daemon.wait()
        web = [(each.id, each.entry, each.change) for each in receiver.came]
    told = {
        "webhook": web,
        "file": lines(root / "lines.jsonl"),
        "command": lines(root / "program.jsonl"),
    }
    expected = set(logged(root / "feedd.db"))
    figures = []
    for name, came in told.items():
        missing, repeats = (
            expected - {change for _, _, change in came},
            len(came) - len({each[0] for each in came}),
        )
        detail = f"{len(expected):,} changes; {repeats} repeats; {'in order' if in_order(came) else 'OUT OF ORDER'}"
        title = f"changes that {times} kills in {time.time() - began:.0f} s kept from the {name}"
        figures.append(Figure(title, "", detail, f"{len(missing)}", "0"))
    return figures


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


def is_told(database: Path, changes: int) -> bool:
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as connection:
        pending = connection.execute(
            "SELECT count(*) FROM deliveries WHERE status != 'delivered'"
        ).fetchone()[0]
    return len(logged(database)) >= changes and pending == 0


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
