import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from nobody import as_nobody, open_folder

from feedd.errors import AlreadyRunning, StoreReadOnly
from feedd.store.lock import Lock, holder

HOLD = """
import sys, time
from pathlib import Path
from feedd.store.lock import Lock
lock = Lock(Path(sys.argv[1]))
print("held", flush=True)
time.sleep(60)
"""


def test_the_lock_names_its_holder(tmp_path: Path) -> None:
    database = tmp_path / "feedd.db"
    assert holder(database) is None
    lock = Lock(database)
    assert (tmp_path / "feedd.db.lock").read_text() == f"{os.getpid()}\n"
    with pytest.raises(AlreadyRunning, match=f"process {os.getpid()} ") as raised:
        Lock(database)
    assert raised.value.pid == os.getpid()
    lock.release()
    assert holder(database) is None
    Lock(database).release()


def test_a_killed_holder_leaves_nothing_behind(tmp_path: Path) -> None:
    database = tmp_path / "feedd.db"
    command = [sys.executable, "-c", HOLD, str(database)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"held\n"
        with pytest.raises(AlreadyRunning, match=f"process {other.pid} "):
            Lock(database)
        other.send_signal(signal.SIGKILL)
        other.wait()
    Lock(database).release()


@pytest.mark.parametrize("text", ["", "no number", "-1", "\x00"])
def test_a_lock_file_with_something_else_in_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "feedd.db.lock").write_text(text)
    assert holder(tmp_path / "feedd.db") is None
    Lock(tmp_path / "feedd.db").release()


def test_where_no_lock_can_be(tmp_path: Path) -> None:
    with pytest.raises(StoreReadOnly, match="No such file or directory"):
        Lock(tmp_path / "nowhere/feedd.db")
    with open_folder() as root:
        os.chmod(root, 0o755)
        said = as_nobody(
            root,
            """
from feedd.store.lock import Lock
try:
    Lock(root / "feedd.db")
except StoreReadOnly as error:
    print(error)
"""
            if os.geteuid() == 0
            else """
from feedd.store.lock import Lock
os.chmod(root, 0o500)
try:
    Lock(root / "feedd.db")
except StoreReadOnly as error:
    print(error)
os.chmod(root, 0o700)
""",
        )
    assert said == f"{root}/feedd.db.lock: can't be opened: Permission denied\n"
