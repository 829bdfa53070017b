"""A hub that is killed again and again."""

import os
import random
import subprocess
import sys
import time
from pathlib import Path

from hubsite import Caller, HubSite, titles
from running import until
from webserver import Web

from feedd.store.reader import Reader

HERE = Path(__file__).parent
FILL = """
import sys, time
from pathlib import Path
from hubsite import HubSite
from running import until
from shelf import Piece
with HubSite(Path(sys.argv[1]), port=int(sys.argv[2])) as site:
    for number in range(int(sys.argv[3])):
        name = str(time.monotonic_ns())
        site.shelf.look("news", site.now_ms(), [Piece(name, name)])
        time.sleep(0.01)
    newest = "SELECT max(id) FROM changes"
    until(lambda: site.rows("SELECT told FROM subscribers") == site.rows(newest), 10)
"""


def filling(root: Path, port: int, count: int) -> "subprocess.Popen[bytes]":
    """A process with a hub, and a feed that grows by so many entries, one by one."""
    return subprocess.Popen(
        [sys.executable, "-c", FILL, str(root), str(port), str(count)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(map(str, (HERE, HERE.parent)))},
    )


def test_kills_lose_nothing(tmp_path: Path) -> None:
    with Web() as web:
        kill_and_count(tmp_path, web)


def kill_and_count(tmp_path: Path, web: Web) -> None:
    caller, chance = Caller(web), random.Random(7)
    with HubSite(tmp_path) as site:
        site.follow(caller)
    for _ in range(3):
        before = len(caller.got)
        process = filling(tmp_path, site.port, 10_000)
        until(lambda before=before: len(caller.got) > before)  # type: ignore[misc]
        time.sleep(chance.random() / 3)
        process.kill()
        process.wait()
    assert filling(tmp_path, site.port, 5).wait(20) == 0
    reader = Reader(tmp_path / "feedd.db")
    query = "SELECT e.url FROM changes c JOIN entries e ON e.id = c.entry_id WHERE NOT c.silent"
    wanted = {url.rpartition("/")[2] for (url,) in reader.rows(query)}
    reader.close()
    sent = [title for some in titles(request.body.decode() for request in caller.got) for title in some]
    assert len(wanted) > 10
    assert wanted <= set(sent)
