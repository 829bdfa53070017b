"""The channel `command`, with real programs."""

import asyncio
import json
import os
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from running import until

from feedd.config.channels import CommandChannel
from feedd.notify.command import MOST_SAID, environment, last_line, send
from feedd.notify.file import line_of
from feedd.notify.values import Delivered, Failed, Message, Outcome


def message(**data: Any) -> Message:
    return Message("m1", "entry.edited", 1_706_867_102_000, "desk", data or {"title": "An article"}, ())


def channel(*command: str, **settings: Any) -> CommandChannel:
    values = {"name": "desk", "type": "command", "command": list(command), **settings}
    return CommandChannel.model_validate(values)


def sent(folder: Path, *command: str, one: Message | None = None, **settings: Any) -> Outcome:
    return asyncio.run(send(channel(*command, **settings), one or message(), folder))


def python(folder: Path, script: str, **more: Any) -> Outcome:
    return sent(folder, sys.executable, "-c", script, **more)


def gone(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except FileNotFoundError:
        return True


def test_what_it_gets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The message on standard input; arguments as they stand; little of our environment; its folder."""
    monkeypatch.setenv("DESK_SECRET", "whsec_x")
    monkeypatch.setenv("LANG", "C.UTF-8")
    script = (
        "import json, os, sys; from pathlib import Path\n"
        "Path('got').write_bytes(sys.stdin.buffer.read())\n"
        "Path('rest').write_text(json.dumps([sys.argv[1:], dict(os.environ)])); print('taken\\n')"
    )
    done = sent(
        tmp_path, sys.executable, "-c", script, "$HOME; `id` > x", "", "*", one=message(title="中文\n")
    )
    assert done == Delivered("taken")
    assert (tmp_path / "got").read_bytes() == line_of(message(title="中文\n"))
    arguments, found = json.loads((tmp_path / "rest").read_text())
    assert arguments == ["$HOME; `id` > x", "", "*"]
    expected = {"FEEDD_MESSAGE_ID": "m1", "FEEDD_MESSAGE_TYPE": "entry.edited", "FEEDD_CHANNEL": "desk"}
    expected |= {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    found.pop("LC_CTYPE", None)  # Python's own
    assert found == expected


def test_the_environment_is_small() -> None:
    assert environment(message(), {"PATH": "/bin", "TOKEN": "x"}) == {
        "PATH": "/bin",
        "FEEDD_MESSAGE_ID": "m1",
        "FEEDD_MESSAGE_TYPE": "entry.edited",
        "FEEDD_CHANNEL": "desk",
    }


def test_a_program_of_the_folder(tmp_path: Path) -> None:
    program = tmp_path / "tell"
    program.write_text("#!/bin/sh\nhead -c 7\n")
    program.chmod(0o700)
    assert sent(tmp_path, "./tell") == Delivered('{"id":"')
    assert sent(tmp_path, str(program)) == Delivered('{"id":"')


@pytest.mark.parametrize("script", ["pass", "import sys; sys.stdin.close()"], ids=["ignores", "closes"])
def test_one_that_reads_nothing(tmp_path: Path, script: str) -> None:
    large = message(text="x" * 3_000_000)
    name = os.path.basename(sys.executable)
    assert python(tmp_path, script, one=large) == Delivered(f"{name} ended with exit status 0")


def test_a_large_message(tmp_path: Path) -> None:
    large = message(text="x" * 3_000_000)
    script = "import sys; print(len(sys.stdin.buffer.read()))"
    assert python(tmp_path, script, one=large) == Delivered(str(len(line_of(large))))


def test_one_that_fails(tmp_path: Path) -> None:
    script = "import sys; print('first\\n\\x1b[31mno \\x07 room', file=sys.stderr); print('out'); sys.exit(3)"
    name = os.path.basename(sys.executable)
    assert python(tmp_path, script) == Failed(f"{name} failed with exit status 3; it says: [31mno room")
    assert python(tmp_path, "import os; os.kill(os.getpid(), 9)") == Failed(f"{name} failed with signal 9")
    assert sent(tmp_path, "false") == Failed("false failed with exit status 1")


def test_one_that_can_not_be_run(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("#!/bin/sh\n")
    missing, forbidden = str(tmp_path / "nothing"), str(tmp_path / "data")
    assert sent(tmp_path, missing) == Failed(f"{missing} can't be run: No such file or directory")
    assert sent(tmp_path, forbidden) == Failed(f"{forbidden} can't be run: Permission denied")
    assert sent(tmp_path, "no-such-program-here") == Failed(
        "no-such-program-here can't be run: No such file or directory"
    )


def test_one_that_never_ends(tmp_path: Path) -> None:
    """It is ended, with what it started, and none of it does anything later."""
    script = (
        "import os, subprocess, sys, time; from pathlib import Path\n"
        "child = subprocess.Popen(['sleep', '60']); Path('pids').write_text(f'{os.getpid()} {child.pid}')\n"
        "time.sleep(60)"
    )
    began = time.monotonic()
    done = python(tmp_path, script, timeout="1s")
    assert done == Failed(f"{os.path.basename(sys.executable)} took longer than 1 s (timeout)")
    assert time.monotonic() - began < 3
    for pid in (tmp_path / "pids").read_text().split():
        until(partial(gone, int(pid)))


def test_one_that_prints_for_ever(tmp_path: Path) -> None:
    done = sent(tmp_path, "yes", timeout="1s")
    assert done == Failed("yes took longer than 1 s (timeout)")


def test_one_that_prints_more_than_anybody_reads(tmp_path: Path) -> None:
    """It has taken the message: to call that a failure would have it taken again and again."""
    script = "import sys; sys.stdout.write('x' * 3_000_000 + chr(10) + 'taken'); sys.exit(0)"
    assert python(tmp_path, script) == Delivered("taken")


def test_given_up(tmp_path: Path) -> None:
    """Whoever ends feedd does not wait for programs, and leaves none behind."""

    async def give_up() -> None:
        task = asyncio.create_task(send(channel("sh", "-c", "echo $$ > pid; sleep 60"), message(), tmp_path))
        await asyncio.to_thread(until, lambda: (tmp_path / "pid").exists() and (tmp_path / "pid").read_text())
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    began = time.monotonic()
    asyncio.run(give_up())
    assert time.monotonic() - began < 5
    until(partial(gone, int((tmp_path / "pid").read_text())))


def test_many_that_hang_hold_up_nothing_else(tmp_path: Path) -> None:
    async def quick_beside_slow() -> float:
        slow = [asyncio.create_task(send(channel("sleep", "2"), message(), tmp_path)) for _ in range(40)]
        await asyncio.sleep(0.1)
        began = time.monotonic()
        await asyncio.to_thread(int)
        passed = time.monotonic() - began
        for each in slow:
            each.cancel()
        await asyncio.gather(*slow, return_exceptions=True)
        return passed

    assert asyncio.run(quick_beside_slow()) < 1


@given(st.binary(max_size=2_000))
def test_a_last_line_is_short_and_printable(output: bytes) -> None:
    said = last_line(output)
    assert len(said) <= MOST_SAID
    assert said == "" or said.isprintable()
    assert said == said.strip()
