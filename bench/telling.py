"""How soon a change is told, and how many are told in a minute while files go in."""

import time
from pathlib import Path
from statistics import median

from bench.corpus import article, make
from bench.daemon import is_ingested, running, wait_for
from bench.figures import Figure, middle
from bench.hooks import Receiver, receiving
from bench.ingest import folder_of
from bench.serving import APART
from bench.side import fresh

POLL_S = 0.005
BETWEEN_S = 0.25
MINUTE_S = 60.0


def reaction(scratch: Path, count: int, edits: int = 30) -> list[Figure]:
    """A file in a watched folder is edited; when is the webhook received?"""
    folder = scratch / "edited"
    make(folder, count)
    fresh(scratch / "daemon.db")
    with (
        receiving(scratch) as receiver,
        running(scratch, {"edited": folder}, receiver.channel("desk")) as daemon,
    ):
        wait_for(lambda: is_ingested(daemon.database, "edited"), "the first pass")
        taken = []
        for number in range(edits):
            time.sleep(BETWEEN_S + number % 7 / 10)
            taken.append(until_told(receiver, folder, number))
    detail = f"median of {edits}; {min(taken):.2f} to {max(taken):.2f} s"
    name = f"a file edited among {count:,} until the webhook is received"
    return [Figure(name, "", detail, f"{median(taken):.3f} s", "0.4 s")]


def until_told(receiver: Receiver, folder: Path, number: int) -> float:
    """Seconds from the moment that the edit is complete."""
    path, known = folder / f"{number}.md", len(receiver.came)
    text = path.read_text(encoding="utf-8") if path.exists() else article(number)
    path.write_text(text.rstrip() + f"\n<p>The {number * 7919}th of them came late.</p>\n", encoding="utf-8")
    begun = time.time()
    while len(came := receiver.came) == known:
        if time.time() - begun > 30:
            raise TimeoutError(f"nobody is told of {path.name}")
        time.sleep(POLL_S)
    return came[-1].at_s - begun


def sustained(scratch: Path, count: int, files: int, rounds: int = 5) -> list[Figure]:
    """Many additions are to be told while a large archive goes in from another folder."""
    large = folder_of(scratch, files)
    taken = [told(scratch / f"told-{number}", large, count) for number in range(rounds)]
    detail = f"{count:,} in {middle(taken, ' s')}, start of the daemon and both passes included"
    name = f"webhooks a minute while {files:,} files go in"
    return [Figure(name, "", detail, f"{count / median(taken) * MINUTE_S:,.0f}", "1,000 at least")]


def told(scratch: Path, large: Path, count: int) -> float:
    """Seconds from the start of the daemon until all were received."""
    small = scratch / "small"
    make(small, 10, start=APART)
    with receiving(scratch) as receiver:
        channel = receiver.channel("desk")
        with running(scratch, {"told": small}, channel) as daemon:
            wait_for(lambda: is_ingested(daemon.database, "told"), "the first pass")
        make(small, count, start=APART + 10)
        begun = time.time()
        with running(scratch, {"told": small, "archive": large}, channel) as daemon:
            wait_for(lambda: len(receiver.came) >= count, "every change to be told", 300)
            wait_for(lambda: is_ingested(daemon.database, "archive"), "the archive", 300)
        came = receiver.came
    assert len({each.change for each in came}) == count
    return came[-1].at_s - begun
