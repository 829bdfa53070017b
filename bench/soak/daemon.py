"""The daemon of a soak: its configuration, and its process."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from bench.hooks import SECRET
from bench.soak.play import Kind, Source

EVERY = "5s"
FAILING_AFTER = 2
FULL = 5  # entries: feeds are as long as they get from early on, as those of a daemon that runs for long
HEAD = """\
[server]
listen = "127.0.0.1:{port}"
[store]
path = "feedd.db"
[defaults]
every = "{every}"
failing_after = {failing_after}
[fetch]
allow_private = true
host_interval = "0s"
timeout = "6s"
[websub]
allow_private = true
[feeds.all]
limit = {full}
[feeds.changes]
limit = {full}
[feeds.newest]
limit = {full}
match = {{ title = "edition [1-3]$" }}
[notify.desk]
type = "webhook"
url = "http://127.0.0.1:{site}/hook"
secret = "{secret}"
"""
# what a log may never say: a bug, or something that was not waited for or closed
NEVER = (
    "Traceback",
    "a bug in feedd",
    "Task was destroyed",
    "never awaited",
    "never retrieved",
    "unclosed",
    "ResourceWarning",
)


def configuration(sources: Mapping[str, Source], port: int, site: int) -> str:
    head = HEAD.format(
        port=port, site=site, every=EVERY, failing_after=FAILING_AFTER, secret=SECRET, full=FULL
    )
    return head + "".join(table(source, site) for source in sources.values())


def table(source: Source, site: int) -> str:
    address = f"http://{source.host}:{site}/{'old/' if source.moved else ''}{source.name}"
    lines = [f"[sources.{source.name}]", *(['every = "auto"'] if source.auto else [])]
    match source.kind:
        case Kind.RSS | Kind.ATOM | Kind.JSON:
            lines += ['type = "feed"', f'url = "{address}"']
        case Kind.PAGE:
            date = 'date = "time"' if source.dated else ""
            lines += [
                'type = "page"',
                f'url = "{address}"',
                'entry = "li.piece"',
                'title = "h3"',
                'link = "a"',
            ]
            lines += ['summary = ".teaser"', date]
        case Kind.WATCH:
            lines += ['type = "watch"', f'url = "{address}"', 'select = "main"']
        case Kind.SITEMAP:
            lines += ['type = "sitemap"', f'url = "{address}"', 'content = "main"']
        case Kind.FOLDER:
            lines += [
                'type = "directory"',
                f'path = "{source.name}"',
                f"watch = {str(source.watched).lower()}",
            ]
        case Kind.COMMAND:
            lines += ['type = "command"', f'command = ["cat", "{source.name}.jsonl"]']
    lines += [f"[feeds.{source.name}]", f"limit = {FULL}"]
    return "\n".join([*lines, ""])


def command(config: Path, *, developing: bool) -> list[str]:
    """`developing`: Python says what was not closed, at some cost."""
    return [
        sys.executable,
        *(["-X", "dev"] if developing else []),
        "-m",
        "feedd",
        "run",
        "--config",
        os.fspath(config),
    ]
