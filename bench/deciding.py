"""Deciding against the store: what is unchanged, and what was edited."""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.figures import Figure
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


def batches(total: int) -> Iterator[range]:
    return (range(start, min(start + BATCH, total)) for start in range(0, total, BATCH))


def passed(writer: Writer, total: int, count: int, now_ms: int) -> float:
    """Seconds that recording takes in one pass over so many items; making them does not count."""
    look: Pass = writer.begin(SOURCE, now_ms).look
    seconds = 0.0
    for numbers in batches(total):
        made = items(numbers, count)
        began = time.perf_counter()
        writer.record(look, SOURCE.extraction, made, [])
        seconds += time.perf_counter() - began
    return seconds


def judged(pairs: Sequence[tuple[Content, Content]]) -> float:
    """Seconds that comparing and judging take, as the store does it."""
    began = time.perf_counter()
    levels = {judged_as_stored(old, new).level for old, new in pairs}
    assert levels == {Significance.SUBSTANTIAL}
    return time.perf_counter() - began


def deciding(scratch: Path, scale: int) -> list[Figure]:
    """A store of many entries: a pass over them all, unchanged, and one in which some were edited."""
    database, known, edits = scratch / "deciding.db", UNCHANGED // scale, EDITS // scale
    writer = Writer(database)
    writer.configure([SOURCE], [], NOW_MS)
    passed(writer, known, 1, NOW_MS)
    unchanged = passed(writer, known, 1, NOW_MS + HOUR_MS)
    edited = passed(writer, edits, 2, NOW_MS + 2 * HOUR_MS)
    writer.close()
    pairs = [(Content("t", body(number, 1)), Content("t", body(number, 2))) for number in range(edits)]
    rate = edits / judged(pairs)
    return [
        Figure(f"deciding on {known:,} unchanged entries", "", "", f"{unchanged:.2f} s", "3 s"),
        Figure(f"judging {edits:,} edits", "", "", f"{rate:,.0f}/s", "over 1,000/s"),
        Figure("… and recording them", "", "", f"{edits / edited:,.0f}/s", ""),
    ]
