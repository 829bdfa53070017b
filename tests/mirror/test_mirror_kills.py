"""Whatever kills a pass half-way, the next one makes it good."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

from mirrored import GIT, SOURCES, files, git, over
from shelf import BORN_MS, Piece, Shelf

ENTRIES = 40
TIMES = 12
PASS = """
import os, sys
from feedd.config.load import load
from feedd.mirror.mirrors import Mirrors
from feedd.store.desk import Desk
from feedd.store.reader import Reader
config = load(__import__("pathlib").Path(sys.argv[1]))
for line in sys.stdin:
    if (pid := os.fork()) == 0:
        with Desk(config.store.path) as desk:
            os._exit(0 if Mirrors(config, desk, Reader(config.store.path)).catch_up() else 1)
    print(pid, flush=True)
    os.waitpid(pid, 0)
    print("ended", flush=True)
"""


def test_kills_lose_nothing(tmp_path: Path) -> None:
    toml = SOURCES + GIT + '[archive.calm]\ndirectory = "calm"\n'
    shelf, out = Shelf(tmp_path, toml), tmp_path / "out"
    command = [sys.executable, "-c", PASS, os.fspath(shelf.path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as passes:
        assert passes.stdin is not None
        assert passes.stdout is not None
        for turn in range(TIMES):
            at_ms = BORN_MS + turn * 1000
            changed = [
                Piece(f"n{number}", body=f"<p>{turn}</p>", time_ms=at_ms)
                for number in range(turn, ENTRIES + turn)
            ]
            shelf.look("a", at_ms, changed)
            passes.stdin.write(b"\n")
            passes.stdin.flush()
            pid = int(passes.stdout.readline())
            time.sleep(0.015 * turn)
            with suppress(ProcessLookupError):  # it was done by then
                os.kill(pid, signal.SIGKILL)
            assert passes.stdout.readline() == b"ended\n"
        passes.stdin.close()
    assert over(shelf).catch_up()  # and waits for a git that was at work
    shutil.rmtree(tmp_path / "calm")
    assert over(shelf).catch_up()
    assert files(out) == files(tmp_path / "calm")
    assert len(files(out)) == ENTRIES + TIMES - 1 + 3
    assert git(out, "status", "--porcelain") == ""
    assert (
        len(git(out, "log", "--format=%h").splitlines()) <= TIMES
    )  # some were killed before they could commit
    assert git(out, "fsck", "--no-dangling") == ""
    shelf.close()
