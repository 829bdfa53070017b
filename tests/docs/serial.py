"""feedd's commands one after another in one process apart: a hundredth of a second each, and none of what they set
(logging, hooks) stays with the tests. They are asked for and answered as lines of JSON.
"""

import gc
import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple, Self


class Done(NamedTuple):
    status: int
    out: str
    errors: str


class Serial:
    """Runs commands until it is closed."""

    def __enter__(self) -> Self:
        environment = {**os.environ, "NO_COLOR": "1"}
        command = [sys.executable, __file__]
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=environment, encoding="utf-8"
        )
        return self

    def __exit__(self, *_: object) -> None:
        self.process.communicate(timeout=30)

    def run(self, words: Sequence[str], cwd: Path) -> Done:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        print(json.dumps([list(words), os.fspath(cwd)]), file=self.process.stdin, flush=True)
        return Done(*json.loads(self.process.stdout.readline()))


def main() -> None:
    from click.testing import CliRunner

    from feedd.cli.main import cli

    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    gc.freeze()  # what is imported stays
    for line in sys.stdin:
        words, cwd = json.loads(line)
        os.chdir(cwd)
        done = CliRunner().invoke(cli, words, prog_name="feedd")
        print(json.dumps([done.exit_code, done.stdout, done.stderr]), file=answers, flush=True)
        del done
        gc.collect()  # closes what the end of a process would: connections to the database


if __name__ == "__main__":
    main()
