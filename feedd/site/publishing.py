"""One round of publishing: what differs from what lies in the directory is written; then a command may carry it on.

Each feed, archive and page is made if the state that it was made from is another one now. The store is only read, so
that whoever was killed is made good by the next round.
"""

import os
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from feedd.comparison import Comparisons
from feedd.config.base import digest
from feedd.config.publishing import Publish
from feedd.config.settings import Config
from feedd.errors import PublishError, SourceError, Stopped
from feedd.looks import now_ms
from feedd.publish.cache import Feeds
from feedd.publish.plan import settings
from feedd.quoting import quoted
from feedd.site.documents import put_archives, put_feed, put_opml
from feedd.site.folder import Folder, opened
from feedd.site.pages import Site, put_pages
from feedd.sources.process import Program, run
from feedd.store.database import translated
from feedd.store.marks import Mark, newest
from feedd.web.look import Look
from feedd.web.viewer import Viewer, visible

HOUR_MS = 3_600_000
INHERITED = ("PATH", "HOME", "LANG", "SSH_AUTH_SOCK")
KEPT_BYTES = 8_000  # of what the command prints
NAMED = 3  # files, in one message


class Published(NamedTuple):
    """What a round did, by the names of files."""

    directory: Path
    written: tuple[str, ...]
    removed: tuple[str, ...]
    kept: int  # files that stay as they were
    refused: Mapping[str, str]  # why, by name: files in our place that are not ours

    @property
    def trouble(self) -> str | None:
        if not self.refused:
            return None
        shown = "; ".join(f"{name} {why}" for name, why in sorted(self.refused.items())[:NAMED])
        more = len(self.refused) - NAMED
        rest = f"; and {more} more" if more > 0 else ""
        return f"{self.directory}: not written: {shown}{rest}; take what is there away, and it is published"


class Round(NamedTuple):
    """How a round is to go."""

    stop: threading.Event
    rest: float = 0.0  # times as long as the work between two checks took is rested after it
    anew: bool = False  # also what is as it was
    looks: bool = True  # at each file that is there, whether it still is
    adopt: bool = False  # also into a directory that was published from another database


def publish(config: Config, feeds: Feeds, comparisons: Comparisons, how: Round) -> Published:
    """Bring the directory up to date. Raises PublishError, StoreError, Stopped."""
    assert config.publish is not None
    reader = feeds.reader
    with opened(config.publish.directory, reader.uuid(), adopt=how.adopt) as folder:
        with translated(reader.path):
            mark = newest(reader.connection)  # what comes while pages are made is for the next round
        folder.looks = how.looks
        if how.anew:
            folder.forget()
        if folder.mark == Mark():  # no page is there that could be older
            folder.mark = mark
        elif mark.change_id < folder.mark.change_id or mark.revision_id < folder.mark.revision_id:
            folder.mark = Mark()  # an earlier copy of the database was restored
        fill(config, config.publish, feeds, comparisons, folder, checked(how))
        folder.mark = mark
        folder.clear()
    written, kept = frozenset(folder.written), len(folder.files)
    return Published(
        folder.root,
        tuple(sorted(written)),
        tuple(sorted(folder.removed)),
        kept - len(written),
        folder.refused,
    )


def fill(
    config: Config,
    wish: Publish,
    feeds: Feeds,
    comparisons: Comparisons,
    folder: Folder,
    check: Callable[[], None],
) -> None:
    """Put all there that is wanted, and is not there as it is now."""
    viewer = Viewer(private=config.private_feeds)
    plans = visible(feeds.plans, viewer)
    told = dict(settings(config))
    states = {
        name: digest(told[name], feeds.state(plan), feeds.archives(name)) for name, plan in plans.items()
    }
    for name, plan in plans.items():
        check()
        put_feed(feeds, folder, plan, states[name])
    put_opml(feeds, folder, plans.values())
    if wish.archives:
        put_archives(feeds, folder, plans.values(), check)
    if wish.pages:
        look = Look(wish.language, "auto", viewer)
        put_pages(Site(feeds, folder, plans, look, states, comparisons, now_ms() // HOUR_MS, check))


def checked(how: Round) -> Callable[[], None]:
    """What is called between two pieces of work: it rests, so that others get on; raises Stopped at the end."""
    last_s = time.monotonic()

    def check() -> None:
        nonlocal last_s
        if how.rest:
            how.stop.wait((time.monotonic() - last_s) * how.rest)
        if how.stop.is_set():
            raise Stopped("publishing was ended, since feedd is ending; the next one goes on")
        last_s = time.monotonic()

    return check


def carry_on(config: Config, published: Published, unwanted: Callable[[], bool] = bool) -> None:
    """Run the command of `[publish]`, if something changed. Raises PublishError if it fails, Stopped.

    It runs without a shell in the folder of the configuration. In its environment: PATH, HOME, LANG, SSH_AUTH_SOCK, and
    FEEDD_PUBLISH_DIRECTORY, FEEDD_PUBLISH_WRITTEN, FEEDD_PUBLISH_REMOVED (how many files); on standard input the names
    of these files in the directory, a line each.
    """
    wish = config.publish
    if wish is None or wish.command is None or not (published.written or published.removed):
        return
    counts = {"WRITTEN": len(published.written), "REMOVED": len(published.removed)}
    told = {f"FEEDD_PUBLISH_{name}": str(count) for name, count in counts.items()}
    kept = {name: os.environ[name] for name in INHERITED if name in os.environ}
    names = "".join(f"{name}\n" for name in sorted((*published.written, *published.removed)))
    program = Program(
        wish.command,
        wish.timeout / 1000,
        KEPT_BYTES,
        config.path.absolute().parent,
        {**kept, **told, "FEEDD_PUBLISH_DIRECTORY": os.fspath(published.directory)},
        names.encode(),
        surplus=True,
    )
    try:
        ended = run(program, unwanted)
    except SourceError as error:
        raise PublishError(f"the command after publishing failed: {error}") from error
    if ended.status:
        how = f"exit status {ended.status}" if ended.status > 0 else f"signal {-ended.status}"
        said = " / ".join(ended.errors.decode("utf-8", "replace").strip().splitlines()[-NAMED:])
        name = os.path.basename(wish.command[0])
        raise PublishError(quoted(f"the command after publishing failed: {name} ended with {how}", said))
