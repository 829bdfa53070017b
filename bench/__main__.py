"""`python -m bench [--quick] [NAME…]`: measure feedd against floors and peers, and print one table."""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench import (
    comparing,
    deciding,
    ingest,
    kills,
    mirroring,
    parsing,
    publishing,
    searching,
    serving,
    telling,
    web,
)
from bench.figures import Figure, heading, table

Measurement = Callable[[Path], list[Figure]]


def measurements(scale: int) -> dict[str, Measurement]:
    """All there is to measure, at a `scale`-th of the sizes."""
    usual, large = 20_000 // scale, 100_000 // scale
    return {
        "cold": partial(ingest.cold, count=usual),
        "unchanged": partial(ingest.unchanged, count=usual),
        "growth": partial(ingest.growth, count=large),
        "memory": partial(ingest.memory, count=large),
        "drop": partial(serving.drop, count=1_000 // scale),
        "serving": partial(serving.during_ingest, count=large),
        "parsing": parsing.parsing,
        "comparing": comparing.comparing,
        "deciding": partial(deciding.deciding, scale=scale),
        "web": partial(web.many, count=500 // scale),
        "telling": partial(telling.reaction, count=1_000 // scale),
        "deliveries": partial(telling.sustained, count=2_000 // scale, files=20_000 // scale),
        "kills": partial(kills.kills, changes=1_000 // scale, times=100 // scale),
        "searching": partial(searching.searching, count=1_000_000 // scale),
        "following": partial(searching.following, count=usual),
        "mirroring": partial(mirroring.mirroring, count=usual),
        "publishing": partial(publishing.among_many, count=100 // scale),
        "archives": partial(publishing.archives, count=1_000_000 // scale),
        "crowd": partial(web.crowd, count=10_000 // scale),
    }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"some of: {', '.join(measurements(1))}")
    parser.add_argument(
        "--quick", action="store_true", help="a tenth of the files: rough figures in little time"
    )
    arguments = parser.parse_args()
    chosen = measurements(10 if arguments.quick else 1)
    if unknown := set(arguments.names) - chosen.keys():
        parser.error(f"no measurement is named {', '.join(sorted(unknown))}; there are {', '.join(chosen)}")
    title, figures = heading(), list[Figure]()
    with tempfile.TemporaryDirectory(prefix="feedd-bench-") as scratch:
        for name in arguments.names or chosen:
            begun = time.monotonic()
            figures += chosen[name](Path(scratch))
            print(f"{name}: {time.monotonic() - begun:.0f} s", file=sys.stderr)
    print(f"{title}\n\n{table(figures)}")


if __name__ == "__main__":
    main()
