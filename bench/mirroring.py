"""An archive in a folder: a cold pass over all that a source has, and one after a single new entry."""

import os
import shutil
import time
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.deciding import HOUR_MS, NOW_MS, batches, items
from bench.figures import Figure, ratio
from feedd.config.load import load
from feedd.looks import key_of
from feedd.mirror.mirrors import Mirrors
from feedd.model import Item
from feedd.store.desk import Desk
from feedd.store.reader import Reader
from feedd.wiring import prepare

TOML = """[store]
path = "mirroring.db"
[sources.a]
type = "directory"
path = "a"
[archive.out]
directory = "out"
"""


def mirroring(scratch: Path, count: int) -> list[Figure]:
    path, out = scratch / "mirroring.toml", scratch / "out"
    path.write_text(TOML)
    config = load(path)
    reader = Reader(config.store.path)
    with Desk(config.store.path) as desk:
        prepare(desk, config)
        key = key_of(config.sources[0])

        def looked(made: Sequence[Item], now_ms: int) -> None:
            look = desk.run(lambda writer: writer.begin(key, now_ms)).look
            desk.run(lambda writer: writer.record(look, key.extraction, made, []))

        for some in batches(range(count)):
            looked(items(some, 1), NOW_MS)
        standing = Mirrors(config, desk, reader)
        cold = seconds(standing.catch_up)
        written = [file.read_bytes() for file in out.rglob("*.md")]
        plain = seconds(lambda: write(scratch / "plain", written))
        begun = seconds(Mirrors(config, desk, reader).catch_up)
        looked(items([count], 1), NOW_MS + HOUR_MS)
        grown = seconds(standing.catch_up)
        looked(items([count + 1], 1), NOW_MS + 2 * HOUR_MS)
        grown_by_command = seconds(Mirrors(config, desk, reader).catch_up)
    reader.close()
    shutil.rmtree(out)
    return [
        Figure(
            f"an archive of {count:,} entries as seed files, cold (one run)",
            f"{count / plain:,.0f} files/s",
            f"{count / cold:,.0f} entries/s",
            ratio(cold / plain),
            "",
        ),
        Figure("… at the start, when nothing is new", "", f"{begun * 1e3:.0f} ms", "", ""),
        Figure("… after one new entry, in the daemon", "", f"{grown * 1e3:.0f} ms", "", ""),
        Figure("… after one new entry, in a command", "", f"{grown_by_command * 1e3:.0f} ms", "", ""),
    ]


def seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def write(folder: Path, contents: Sequence[bytes]) -> None:
    """The floor: the same bytes in as many files, on the disk."""
    folder.mkdir()
    for number, data in enumerate(contents):
        with open(folder / f"{number}.md", "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
