"""Checks that need a user who may not do everything: run in a process of their own, as such a user."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NOBODY = 65_534
PREAMBLE = """
import os, sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from place import Place, counts, seed
import feedd.cli.main, feedd.dry_run, feedd.notify.file
from feedd.errors import *
if os.geteuid() == 0:
    os.setgroups([])
    os.setresgid({user}, {user}, {user})
    os.setresuid({user}, {user}, {user})
root = Path({root!r})
os.chdir(root)
"""


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that any user may enter and write; the folders of pytest are its own user's alone."""
    with tempfile.TemporaryDirectory() as name:
        os.chmod(name, 0o777)
        yield Path(name)


def as_nobody(root: Path, script: str) -> str:
    """Run `script` as a user without rights, after everything is imported; returns what it prints."""
    preamble = PREAMBLE.format(tests=os.path.dirname(__file__), user=NOBODY, root=os.fspath(root))
    command = [sys.executable, "-W", "error", "-c", preamble + script]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout
