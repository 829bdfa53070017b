"""`python -m bench [--quick] [NAME…]`: measure feedd against floors and peers, and print one table.

Rows are shown on standard error as they come. What fails has a row that says so, costs no other its row, and is told by
the exit status. Apart from these: `python -m bench.cluster` and `python -m bench.soak`.
"""

import argparse
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from functools import partial
from pathlib import Path

from bench import (
    comparing,
    costs,
    deciding,
    growth,
    ingest,
    kills,
    mirroring,
    orders,
    parsing,
    peers,
    publishing,
    rates,
    searching,
    serving,
    telling,
    web,
)
from bench.figures import Figure, heading, line, table

Measurement = Callable[[Path], list[Figure]]


def measurements(scale: int) -> dict[str, Measurement]:
    """All there is to measure, at a `scale`-th of the sizes."""
    usual, large = 20_000 // scale, 100_000 // scale
    return {
        "cold": partial(ingest.cold, count=usual),
        "unchanged": partial(ingest.unchanged, count=usual),
        "growth": partial(ingest.growth, count=large),
        "drop": partial(serving.drop, count=1_000 // scale),
        "rates": rates.rates,
        "serving": partial(serving.during_ingest, count=usual // 2),
        "parsing": parsing.parsing,
        "comparing": comparing.comparing,
        "deciding": partial(deciding.deciding, scale=scale),
        "web": partial(web.many, count=500 // scale),
        "costs": partial(costs.costs, count=200 // scale),
        "orders": partial(orders.orders, count=150 // scale),
        "crowd": partial(web.crowd, count=10_000 // scale),
        "telling": partial(telling.reaction, count=1_000 // scale),
        "deliveries": partial(telling.sustained, count=1_000 // scale, files=10_000 // scale),
        "searching": partial(searching.searching, count=1_000_000 // scale),
        "following": partial(searching.following, count=usual // 2),
        "mirroring": partial(mirroring.mirroring, count=usual // 2),
        "publishing": partial(publishing.among_many, count=100 // scale),
        "archives": partial(publishing.archives, count=50_000 // scale),
        "kills": partial(kills.kills, changes=1_000 // scale, times=100 // scale),
        "large": partial(growth.growing, sources=10_000 // scale),
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
    figures, failed = list[Figure](), list[str]()
    title = heading(peers.versions())
    with tempfile.TemporaryDirectory(prefix="feedd-bench-") as scratch:
        for name in arguments.names or chosen:
            begun = time.monotonic()
            try:
                found = chosen[name](Path(scratch))
            except KeyboardInterrupt:  # what was measured so far is shown
                failed.append(f"{name}, and what comes after it")
                break
            except Exception as error:  # noqa: BLE001 (whatever it is, other rows stand)
                traceback.print_exc()
                failed.append(name)
                found = [Figure(f"{name}: failed, {type(error).__name__}", "", "", "", "")]
            figures += found
            print(*map(line, found), f"{name}: {time.monotonic() - begun:.0f} s", sep="\n", file=sys.stderr)
    print(f"{title}\n\n{table(figures)}")
    sys.exit(f"failed: {', '.join(failed)}" if failed else 0)


if __name__ == "__main__":
    main()
