"""The place where shown commands are run: sources, feeds, a channel and versions, under the names that pages use."""

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

from running import Site, write_seed
from serial import Serial

JOBS = """<html lang="en"><body><ul>
<li class="job"><h3>Plumber</h3><a href="/jobs/1">more</a><time datetime="2024-02-01">1 Feb</time></li>
<li class="job"><h3>Baker</h3><a href="/jobs/2">more</a><time datetime="2024-02-02">2 Feb</time></li>
</ul></body></html>"""
TOML = """
[server]
listen = "127.0.0.1:{port}"
[fetch]
allow_private = true
host_interval = "0s"
[sources.seeds]
type = "directory"
path = "seeds"
[sources.rfi]
type = "directory"
path = "rfi"
tags = ["news", "zh"]
[sources.paper]
type = "directory"
path = "paper"
keep = 1
[publish]
directory = "published"
[feeds.japan]
sources = ["rfi"]
[notify.desk]
type = "file"
path = "desk.jsonl"
"""
VERSIONS = 5  # of entry 1


def prepare(root: Path, feedd: Serial) -> Site:
    """Entry 1 has five versions; delivery 41 failed."""
    site = configured(root)
    (root / "backups").mkdir()
    for number in range(1, VERSIONS + 1):
        write_seed(
            root / "seeds/story.txt", "Strike ends", f"<p>The strike is over. It lasted {number} days.</p>"
        )
        write_seed(root / "paper/paper.txt", "Water rights", f"<p>They have {number} rights.</p>")
        write_seed(root / "rfi/net.txt", "网络", "<p>网络安全</p>")
        done = feedd.run(["update"], root)
        assert done.status == 0, done.errors
    with closing(sqlite3.connect(site.database)) as database, database:
        database.execute(
            "UPDATE deliveries SET id = 41, status = 'failed' WHERE id = (SELECT max(id) FROM deliveries)"
        )
    return site


def configured(root: Path) -> Site:
    site = Site(root)
    site.config.write_text(TOML.format(port=site.port), encoding="utf-8")
    return site


def copied(original: Path, root: Path) -> Site:
    """Another such place, with a port of its own."""
    return configured(shutil.copytree(original, root))
