"""Cold ingest, an unchanged folder, growth, memory and size."""

from pathlib import Path
from statistics import median

from bench.corpus import make
from bench.figures import Figure, middle, ratio
from bench.side import Side, floor, ours, size

MB = 1_000_000


def folder_of(scratch: Path, count: int) -> Path:
    """A folder of so many seed files, made once."""
    folder = scratch / f"seeds-{count}"
    if not folder.exists():
        make(folder, count)
    return folder


def cold(scratch: Path, count: int, rounds: int = 5) -> list[Figure]:
    """A fresh database and all files, against the floor, in turn."""
    folder = folder_of(scratch, count)
    pairs = [(floor(folder, scratch), ours(folder, scratch)) for _ in range(rounds)]
    ratios = [mine.seconds / least.seconds for least, mine in pairs]
    whole = [mine.whole_s / least.whole_s for least, mine in pairs]
    least, mine = (median(pair[side].seconds for pair in pairs) for side in (0, 1))
    name = f"cold ingest of {count:,} files"
    return [
        Figure(name, cost(least, count), cost(mine, count), middle(ratios, " ×"), "2 × (aim 1.3)"),
        Figure("… with the start of Python and its imports", "", "", ratio(median(whole)), ""),
        size_of(folder, scratch, count),
    ]


def size_of(folder: Path, scratch: Path, count: int) -> Figure:
    files = sum(path.stat().st_size for path in folder.iterdir())
    stored = size(scratch / "feedd.db")
    name = f"database against {count:,} files"
    return Figure(name, f"{files / MB:.1f} MB", f"{stored / MB:.1f} MB", ratio(stored / files), "1.5 ×")


def cost(seconds: float, count: int) -> str:
    return f"{seconds:.2f} s, {seconds / count * 1e6:.0f} µs a file"


def unchanged(scratch: Path, count: int, looks: int = 15) -> list[Figure]:
    """A look at a folder that did not change, against listing it."""
    printed = ours(folder_of(scratch, count), scratch, looks=looks).printed
    ratios = [mine / least for least, mine in zip(printed["listed"], printed["looked"], strict=True)]
    least, mine = (median(printed[side]) for side in ("listed", "looked"))
    name = f"look at {count:,} unchanged files"
    return [Figure(name, f"{least * 1e3:.0f} ms", f"{mine * 1e3:.0f} ms", middle(ratios, " ×"), "2 ×")]


def growth(scratch: Path, count: int, rounds: int = 5) -> list[Figure]:
    """What a file costs in a folder ten times as large; and memory, which the large one needs most of.

    Memory is sampled on both sides, so that this burdens both.
    """
    small, large = folder_of(scratch, count // 10), folder_of(scratch, count)
    pairs = [(ours(small, scratch, sample=True), ours(large, scratch, sample=True)) for _ in range(rounds)]
    ratios = [big.seconds / little.seconds / 10 for little, big in pairs]
    little, big = (median(pair[side].seconds for pair in pairs) for side in (0, 1))
    late = median(ninth_tenth(big) for _, big in pairs)
    pss, rss = (median(big.peak[kind] for _, big in pairs) for kind in (0, 1))
    name, detail = f"cost a file at {count:,} against {count // 10:,}", f"{rss / MB:.0f} MB with shared pages"
    return [
        Figure(name, cost(little, count // 10), cost(big, count), middle(ratios, " ×"), "1.25 ×"),
        Figure("… its ninth tenth against its second", "", "", ratio(late), ""),
        Figure(
            f"peak memory, cold ingest of {count:,} files",
            "",
            f"{detail} counted in each process",
            f"{pss / MB:.0f} MB",
            "250 MB",
        ),
    ]


def ninth_tenth(side: Side) -> float:
    """How much longer the ninth tenth of the files took to store than the second: no start, no end in it."""
    marks = side.printed["marks"]
    total = marks[-1][0]
    at = [next(seconds for done, seconds in marks if done >= total * tenths / 10) for tenths in (1, 2, 8, 9)]
    return float((at[3] - at[2]) / (at[1] - at[0]))
