"""`python -m bench.soak [--minutes N] [--sources N] [--seed N] [--dev] [--keep FOLDER]`: days in the life, in minutes.

A site publishes, edits, errs and dies by a script (`play`); the real daemon follows it, and others follow the daemon.
At the end all that the site showed is held against all that was recorded and told. Exit status 1 if anything differs.
"""

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

from bench.figures import heading, table
from bench.soak.judging import judged
from bench.soak.living import Wanted, life


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="python -m bench.soak", description="A day of a daemon's life, in minutes."
    )
    parser.add_argument("--minutes", type=float, default=12.0, help="of the play; an hour of it lasts 15 s")
    parser.add_argument("--sources", type=int, default=200)
    parser.add_argument("--seed", type=int, default=7, help="of what happens")
    parser.add_argument(
        "--dev", action="store_true", help="Python says what was not closed; memory and threads do not count"
    )
    parser.add_argument(
        "--keep", type=Path, help="a folder for database, log and ledger, to look into them afterwards"
    )
    asked = parser.parse_args()
    wanted, title = Wanted(asked.minutes, asked.sources, asked.seed, asked.dev), heading()
    with tempfile.TemporaryDirectory(prefix="feedd-soak-") as scratch:
        folder = asked.keep or Path(scratch)
        folder.mkdir(parents=True, exist_ok=True)
        sources, listeners, lived = asyncio.run(life(wanted, folder))
        figures, mistakes = judged(folder, sources, listeners, lived, weighed=not wanted.developing)
    print(f"{title}\n\n{table(figures)}\n")
    print("\n".join(mistakes[:100]) if mistakes else "Nothing was lost, doubled or left over.")
    return 1 if mistakes else 0


if __name__ == "__main__":
    sys.exit(main())
