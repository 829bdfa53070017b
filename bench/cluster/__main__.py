"""`python -m bench.cluster [--sources N] [--cores SHARE] [NAME…]`: a cluster in network namespaces, and its troubles.

Needs Linux, root, iproute2 and control groups. `--keep FOLDER` keeps logs and databases.
"""

import argparse
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.cluster import telling
from bench.cluster.network import WORKERS, CanNot, network
from bench.cluster.play import Played, Trouble, cluster, play
from bench.cluster.troubles import TROUBLES
from bench.figures import Figure, heading, table

PACE = "pace"


class Stage:
    """Where plays are played, one after the other."""

    def __init__(self, folder: Path, sources: int, cores: float) -> None:
        self.folder = folder
        self.sources = sources
        self.cores = cores

    def played(self, name: str, workers: int, trouble: Trouble | None = None) -> Played:
        """Raises CanNot."""
        begun = time.monotonic()
        with network(), cluster(self.folder / name, WORKERS[:workers], self.cores) as made:
            found = play(made, self.sources, trouble)
        print(f"{name}: {time.monotonic() - begun:.0f} s", file=sys.stderr)
        for words, state in found.held.incidents:
            print(f"  the health feed said ({state}): {words}", file=sys.stderr)
        return found


def figures(stage: Stage, names: list[str]) -> Iterator[Figure]:
    """Raises CanNot."""
    plays = {"two workers": stage.played("two", 2)}
    undisturbed = plays["two workers"]
    yield telling.whole(undisturbed)
    if PACE in names:
        plays["one worker"] = stage.played("one", 1)
        yield from telling.pace(plays["one worker"], undisturbed, stage.cores)
        yield from (telling.blocks(name, each) for name, each in plays.items())
    for name in (each for each in TROUBLES if each in names):
        words, trouble = TROUBLES[name]
        plays[name] = stage.played(name, 2, trouble)
        yield telling.same(words, plays[name], undisturbed)
    yield from (telling.polite(name, each) for name, each in plays.items())


@contextmanager
def scratch(kept: Path | None) -> Iterator[Path]:
    if kept is not None:
        kept.mkdir(parents=True, exist_ok=True)
        yield kept.resolve()
        return
    with tempfile.TemporaryDirectory(prefix="feedd-bench-") as folder:
        yield Path(folder)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.cluster", description=__doc__)
    choices = (PACE, *TROUBLES)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of: {', '.join(choices)}; else all")
    parser.add_argument("--sources", type=int, default=2_000)
    parser.add_argument("--cores", type=float, default=0.3, help="of a core, for each worker (0.3)")
    parser.add_argument("--keep", type=Path, metavar="FOLDER")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(choices):
        parser.error(f"nothing is named {', '.join(sorted(unknown))}; there are {', '.join(choices)}")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))  # everything that was made is taken down
    title, found = heading(), list[Figure]()
    try:
        with scratch(arguments.keep) as folder:
            stage = Stage(folder, arguments.sources, arguments.cores)
            for each in figures(stage, arguments.names or list(choices)):
                found.append(each)
                print(f"  {each.name}: {each.feedd}: {each.figure}", file=sys.stderr)
    except CanNot as error:
        sys.exit(f"python -m bench.cluster: {error}")
    finally:
        if found:  # as far as it came
            print(f"{title}\n\n{table(found)}")


if __name__ == "__main__":
    main()
