"""A database that is replaced while the daemon runs: it ends, so that it is started again on what is there now."""

import os
import shutil
from pathlib import Path

from running import PATIENCE_S, Daemon, Site, until


def test_it_ends_and_says_why(tmp_path: Path) -> None:
    site = Site(tmp_path, source="watch = true")
    site.seed("a.txt", "First")
    daemon = Daemon(site)
    try:
        daemon.wait_until_ready()
        until(lambda: daemon.titles() == ["First"])
        shutil.copy(site.database, tmp_path / "other.db")
        os.replace(tmp_path / "other.db", site.database)
        assert daemon.process.wait(PATIENCE_S) == 1
    finally:
        daemon.kill()
    assert f"feedd: {site.database} was replaced by another file" in daemon.log()
    assert "what it held before it was taken away is kept in" in daemon.log()
    assert "Traceback" not in daemon.log()
