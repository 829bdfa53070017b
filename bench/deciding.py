"""Deciding against the store: what is unchanged, and what was edited."""

import pickle
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from statistics import median

from bench.figures import Figure, middle, ratio
from bench.side import fresh
from feedd.changes.values import Content
from feedd.changes.verdict import judged as judged_as_stored
from feedd.decide import Pass
from feedd.model import Item, Significance
from feedd.normalise.article import derive
from feedd.store.passes import SourceKey
from feedd.store.writer import Writer

UNCHANGED = 100_000
EDITS = 10_000
BATCH = 250
NOW_MS = 1_750_000_000_000
HOUR_MS = 3_600_000
ROUNDS = 5
VERSIONS, VERSIONED = 10, 300
SOURCE = SourceKey("a", "directory", "a", "extraction", "selection")
WORDS = (
    "The council of the harbour town decided late on Tuesday to build the new bridge after all, {count} to 7."
    " Critics had said that it costs 4.{count} million euros more than it was meant to. Work begins in May."
).split(" ")


def body(number: int, count: int) -> str:
    """About 4 kB of HTML in which one sentence holds `count`."""
    sentences = [" ".join(WORDS[(number + line) % 7 :]).format(count=line) for line in range(18)]
    sentences[number % 18] += f" In the end {count} of them voted for it."
    return "".join(f"<p>{sentence}</p>" for sentence in sentences)


def items(numbers: Sequence[int], count: int) -> list[Item]:
    made = []
    for number in numbers:
        url = f"https://example.org/{number}"
        article = derive(url, f"The bridge, part {number}", body(number, count))
        made.append(Item(f"{number}", NOW_MS - number, NOW_MS, article, None, settled=True))
    return made


def batches(numbers: range) -> Iterator[range]:
    return (numbers[start : start + BATCH] for start in range(0, len(numbers), BATCH))


def packed(numbers: range, count: int) -> list[bytes]:
    """Batches of items: to make them costs seventy times as much as to unpickle them."""
    return [pickle.dumps(items(some, count)) for some in batches(numbers)]


def passed(writer: Writer, made: Sequence[bytes], now_ms: int) -> float:
    """Seconds that recording takes in one pass; making the items does not count."""
    look: Pass = writer.begin(SOURCE, now_ms).look
    seconds = 0.0
    for each in made:
        batch = pickle.loads(each)
        began = time.perf_counter()
        writer.record(look, SOURCE.extraction, batch, [])
        seconds += time.perf_counter() - began
    return seconds


def judged(numbers: range) -> float:
    """Seconds that comparing and judging take, as the store does it."""
    pairs = [(Content("t", body(number, 1)), Content("t", body(number, 2))) for number in numbers]
    began = time.perf_counter()
    levels = {judged_as_stored(old, new).level for old, new in pairs}
    assert levels == {Significance.SUBSTANTIAL}
    return time.perf_counter() - began


def deciding(scratch: Path, scale: int) -> list[Figure]:
    """A store of many entries: passes over them all, unchanged, and such in which some were edited."""
    known, edits, hours = UNCHANGED // scale, EDITS // scale // ROUNDS, range(1, ROUNDS + 1)
    writer = opened(scratch / "deciding.db")
    first = packed(range(known), 1)
    passed(writer, first, NOW_MS)
    unchanged = [passed(writer, first, NOW_MS + hour * HOUR_MS) for hour in hours]
    edited = list[float]()
    for hour in hours:  # others in each round: the second edit of an entry costs more than the first
        some = packed(range((hour - 1) * edits, hour * edits), 2)
        edited.append(passed(writer, some, NOW_MS + (ROUNDS + hour) * HOUR_MS))
    writer.close()
    times = [judged(range((hour - 1) * edits, hour * edits)) for hour in hours]
    return [
        Figure(
            f"deciding on {known:,} unchanged entries",
            "",
            f"{median(unchanged) / known * 1e6:.1f} µs each",
            middle(unchanged, " s"),
            "3 s",
        ),
        Figure(
            f"judging {ROUNDS * edits:,} edits, a fifth a round",
            "",
            middle(times, " s"),
            f"{edits / median(times):,.0f}/s",
            "1,000/s at least",
        ),
        Figure("… and recording them", "", middle(edited, " s"), f"{edits / median(edited):,.0f}/s", ""),
        versions(scratch, VERSIONED // scale),
    ]


def opened(database: Path) -> Writer:
    writer = Writer(fresh(database))
    writer.configure([SOURCE], [], NOW_MS)
    return writer


def versions(scratch: Path, number: int) -> Figure:
    """What a history takes, with all that is noted of each version."""
    writer, sizes = opened(scratch / "versions.db"), list[int]()
    for version in range(VERSIONS):
        passed(writer, packed(range(number), version + 1), NOW_MS + version * HOUR_MS)
        sizes.append(bytes_of(writer))
    writer.close()
    once, often = sizes[0] / number / 1e3, sizes[-1] / number / 1e3
    name = f"an article of 3.4 kB in {VERSIONS} versions, of {number:,}"
    return Figure(name, f"one version {once:.1f} kB", f"{often:.1f} kB", ratio(often / once), "2 ×")


def bytes_of(writer: Writer) -> int:
    def ask(name: str) -> int:
        return int(writer.connection.execute(f"PRAGMA {name}").fetchone()[0])

    return ask("page_size") * (ask("page_count") - ask("freelist_count"))
