"""feedd's side: `python -m bench.ours FOLDER DATABASE [LOOKS]` prints what was measured, as JSON.

A fresh database is opened, the folder ingested as the daemon does it, and the database closed. Then, LOOKS times
in turn, the floor of an unchanged folder is measured and another look taken.
"""

# Worker processes import this module again, so what they don't need is imported where it is used.
import json
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from feedd.config.sources import DirectorySource


def cold(source: "DirectorySource", database: Path) -> dict[str, object]:
    """Seconds from opening the database to closing it, and after how many of them how many files were stored."""
    from feedd.folder import FolderLooker
    from feedd.looks import key_of, now_ms
    from feedd.store.desk import Desk

    marks: list[tuple[int, float]] = []
    begun = time.perf_counter()
    with Desk(database) as desk:
        desk.run(lambda writer: writer.configure([key_of(source)], [], now_ms()))
        looker = FolderLooker(desk, threading.Event(), database.parent)
        looked = looker.look(
            source, progress=lambda done, _: marks.append((done, time.perf_counter() - begun))
        )
    seconds = time.perf_counter() - begun
    assert looked.tally.added == marks[-1][0], looked
    return {"seconds": seconds, "marks": marks}


def unchanged(source: "DirectorySource", database: Path, looks: int) -> dict[str, object]:
    """Seconds that looks at the unchanged folder take, and those of listing it alone."""
    from bench.floor import list_and_stat
    from feedd.folder import FolderLooker
    from feedd.store.desk import Desk

    listed, looked = [], []
    with Desk(database) as desk:
        looker = FolderLooker(desk, threading.Event(), database.parent)
        for _ in range(looks):
            begun = time.perf_counter()
            list_and_stat(source.path)
            listed.append(time.perf_counter() - begun)
            begun = time.perf_counter()
            found = looker.look(source)
            looked.append(time.perf_counter() - begun)
            assert found.status == "unchanged", found
    return {"listed": listed, "looked": looked}


def main(folder: str, database: Path, looks: int = 0) -> None:
    from feedd.config.load import load
    from feedd.config.sources import DirectorySource

    config = database.with_suffix(".toml")
    config.write_text(f"[sources.corpus]\ntype = 'directory'\npath = '{folder}'\n")
    (source,) = load(config).sources
    assert isinstance(source, DirectorySource)
    figures = cold(source, database)
    if looks:
        figures |= unchanged(source, database, looks)
    print(json.dumps(figures))


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:]))
