"""The channel `file`, on real files, with real writers that are killed."""

import asyncio
import fcntl
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nobody import as_nobody, open_folder

from feedd.config.channels import FileChannel
from feedd.notify.file import append, line_of, send
from feedd.notify.values import Delivered, Failed, Message, Outcome

WRITER = """
import sys
from pathlib import Path
from feedd.notify.file import append
path, name, count, most, keep = Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:])
for number in range(count):
    append(path, b'{"who":"%s","n":%d,"pad":"%s"}\\n' % (name.encode(), number, b"x" * (number % 50)), most, keep, 20)
    print(number, flush=True)
"""


def message(name: str = "m1", **data: Any) -> Message:
    return Message(name, "entry.edited", 1_706_867_102_000, "log", data or {"title": "An article"}, ())


def channel(path: Path, **settings: Any) -> FileChannel:
    return FileChannel.model_validate({"name": "log", "type": "file", "path": str(path), **settings})


def sent(path: Path, one: Message | None = None, **settings: Any) -> Outcome:
    return asyncio.run(send(channel(path, **settings), one or message()))


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_bytes().splitlines()]


def numbered(path: Path) -> list[Path]:
    """The file's earlier ones, the oldest first, and itself."""
    found = [
        each for each in path.parent.iterdir() if re.fullmatch(re.escape(path.name) + r"\.[0-9]+", each.name)
    ]
    return [*sorted(found, key=lambda each: -int(each.suffix[1:])), path]


def everything(path: Path) -> list[Any]:
    return [line for each in numbered(path) for line in lines(each)]


def test_a_line_a_message(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    assert sent(path) == Delivered(f"appended to {path}")
    assert isinstance(sent(path, message("m2", title="中\u2028文\ud800")), Delivered)
    first, second = lines(path)
    assert list(first) == ["id", "type", "timestamp", "data"]
    assert (first["id"], first["type"], first["data"]) == ("m1", "entry.edited", {"title": "An article"})
    assert second["data"]["title"] == "中\u2028文?"
    assert len(path.read_text(encoding="utf-8").splitlines()) == 2, "no line has an end within it"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_the_mode_of_a_file_that_is_there_stays(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.touch(0o644)
    path.chmod(0o644)
    assert isinstance(sent(path), Delivered)
    assert stat.S_IMODE(path.stat().st_mode) == 0o644


@given(
    sizes=st.lists(st.integers(3, 60), min_size=1, max_size=40),
    most=st.integers(1, 100),
    keep=st.integers(0, 4),
)
@settings(max_examples=60, deadline=None)
def test_rotation(tmp_path_factory: pytest.TempPathFactory, sizes: list[int], most: int, keep: int) -> None:
    """Files are as full as they may be, and nothing is lost but what falls beyond `keep`."""
    path = tmp_path_factory.mktemp("rotation") / "log"
    expected: list[list[bytes]] = [[]]
    for number, size in enumerate(sizes):
        line = b"%02d" % number + b"x" * (size - 3) + b"\n"
        append(path, line, most, keep, 1)
        if sum(map(len, expected[-1])) + len(line) > most and expected[-1]:
            expected.append([])
        expected[-1].append(line)
    found = [each.read_bytes() for each in numbered(path)]
    assert found == [b"".join(each) for each in expected[-keep - 1 :]]


def test_a_line_longer_than_a_file_gets_one_of_its_own(tmp_path: Path) -> None:
    path = tmp_path / "log"
    for size in (10, 500, 10):
        append(path, b"x" * (size - 1) + b"\n", 100, 5, 1)
    assert [each.stat().st_size for each in numbered(path)] == [10, 500, 10]


def test_a_gap_is_filled_before_anything_falls_off(tmp_path: Path) -> None:
    """A rotation that was cut short leaves one."""
    path = tmp_path / "log"
    for name, text in (("log", "d"), ("log.2", "b"), ("log.3", "a")):
        (tmp_path / name).write_text(text + "\n")
    append(path, b"e\n", 3, 3, 1)
    assert [each.read_text() for each in numbered(path)] == ["a\n", "b\n", "d\n", "e\n"]


def test_a_torn_line_is_closed_first(tmp_path: Path) -> None:
    path = tmp_path / "log"
    path.write_bytes(b'{"id":"m0"}\n{"id":"to')
    assert isinstance(sent(path), Delivered)
    assert path.read_bytes().split(b"\n")[:2] == [b'{"id":"m0"}', b'{"id":"to']
    assert json.loads(path.read_bytes().split(b"\n")[2])["id"] == "m1"


@pytest.mark.parametrize("what", ["folder", "link", "dangling", "fifo", "nowhere", "below"])
def test_what_is_no_ordinary_file(tmp_path: Path, what: str) -> None:
    path, other = tmp_path / "log", tmp_path / "other"
    match what:
        case "folder":
            path.mkdir()
        case "link":
            other.touch()
            path.symlink_to(other)
        case "dangling":
            path.symlink_to(other)
        case "fifo":
            os.mkfifo(path)
        case "nowhere":
            path = tmp_path / "nowhere" / "log"
        case "below":
            other.touch()
            path = other / "log"
    said = {
        "folder": f"{path} is not an ordinary file",
        "fifo": f"{path} is not an ordinary file",
        "link": f"{path} is a symbolic link; write the path of the file itself",
        "dangling": f"{path} is a symbolic link; write the path of the file itself",
        "nowhere": f"{path} can't be written: there is no folder {path.parent}",
        "below": f"{path} can't be written: Not a directory",
    }
    assert sent(path) == Failed(said[what])
    assert not other.exists() or other.read_bytes() == b""


def test_no_permission() -> None:
    with open_folder() as root:
        path = root / "log"
        path.touch(0o400)
        script = (
            "from feedd.notify.file import append, explain\n"
            "path = root / 'log'\n"
            "try:\n    append(path, b'x', 1_000, 1, 1.0)\n"
            "except OSError as error:\n    print(explain(error, path))\n"
        )
        said = as_nobody(root, script)
        assert said == f"{path} can't be written: Permission denied\n"


def test_one_that_can_not_be_moved_out_of_the_way(tmp_path: Path) -> None:
    path = tmp_path / "log"
    (tmp_path / "log.1" / "x").mkdir(parents=True)
    path.write_bytes(b"x" * 2_000 + b"\n")
    outcome = sent(path, max_bytes="2kB", keep=1)
    assert outcome == Failed(f"{path} can't be moved out of the way, to {path}.1: Is a directory")


def test_a_full_disk_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    """As the limit of a process' files, which fails a write in its middle like a full disk."""
    path = tmp_path / "log"
    path.write_bytes(b"before\n")
    script = (
        "import resource, signal, sys; from pathlib import Path; from feedd.notify.file import append\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN); resource.setrlimit(resource.RLIMIT_FSIZE, (20, 20))\n"
        "append(Path(sys.argv[1]), b'x' * 100 + b'\\n', 1000, 1, 1)"
    )
    done = subprocess.run([sys.executable, "-c", script, str(path)], capture_output=True, text=True)
    assert "OSError" in done.stderr
    assert path.read_bytes() == b"before\n"


def test_one_that_is_locked_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with path.open("wb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(Exception, match=f"another program keeps {path} locked"):
            append(path, b"x\n", 10, 1, 0.1)
    append(path, b"x\n", 10, 1, 0.1)


def writer(path: Path, name: str, count: int, most: int, keep: int) -> "subprocess.Popen[bytes]":
    words = [str(path), name, *map(str, (count, most, keep))]
    return subprocess.Popen([sys.executable, "-c", WRITER, *words], stdout=subprocess.PIPE)


def test_two_processes_at_once(tmp_path: Path) -> None:
    path = tmp_path / "log"
    writers = [writer(path, name, 150, 700, 1000) for name in ("a", "b")]
    for each in writers:
        each.communicate(timeout=30)
        assert each.returncode == 0
    found = everything(path)
    for name in ("a", "b"):
        assert [line["n"] for line in found if line["who"] == name] == list(range(150))
    assert all(each.stat().st_size <= 700 for each in numbered(path))


def test_killed_in_mid_run(tmp_path: Path) -> None:
    """What a writer was told to be on the disk is there, whole, in order, over all rotations."""
    path = tmp_path / "log"
    said: dict[str, int] = {}
    for turn in range(6):
        name = f"w{turn}"
        with writer(path, name, 10_000, 300, 1000) as process:
            assert process.stdout is not None
            process.stdout.readline()
            time.sleep(0.03 + 0.013 * turn)
            process.send_signal(signal.SIGKILL)
            printed = process.stdout.read().split()
        said[name] = int(printed[-1]) if printed else 0
    append(path, b'{"who":"last","n":0}\n', 300, 1000, 1)
    found = []
    for each in numbered(path):
        for line in each.read_bytes().splitlines():
            try:
                found.append(json.loads(line))
            except ValueError:
                assert re.match(rb'\{"who":"w|\{', line), "a torn one, which was not confirmed"
    for name, last in said.items():
        numbers = [line["n"] for line in found if line["who"] == name]
        assert numbers in (list(range(last + 1)), list(range(last + 2)))
    assert found[-1]["who"] == "last"


@given(st.text(), st.dictionaries(st.text(), st.text() | st.integers() | st.none(), max_size=4))
def test_any_message_is_one_line(name: str, data: dict[str, Any]) -> None:
    line = line_of(message(name, x=data))
    assert line.endswith(b"\n")
    assert len(line.decode().splitlines()) == 1
    assert json.loads(line)["type"] == "entry.edited"
