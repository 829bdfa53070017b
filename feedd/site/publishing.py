"""One round of publishing: what differs from what lies in the directory is written; then a command may carry it on.

Each feed, archive and page is made if the state that it was made from is another one now. The store is only read, so
that whoever was killed is made good by the next round.
"""

import re
import threading
import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from feedd import __version__
from feedd.comparison import Comparisons
from feedd.config.base import digest
from feedd.config.publishing import Publish
from feedd.config.settings import Config
from feedd.errors import Stopped
from feedd.looks import now_ms
from feedd.publish.cache import Feeds
from feedd.publish.plan import settings
from feedd.site.documents import put_archives, put_feed, put_opml
from feedd.site.folder import Folder, opened
from feedd.site.pages import Site, put_pages
from feedd.store.database import translated
from feedd.store.marks import Mark, newest, went_through
from feedd.web.look import Look
from feedd.web.viewer import Viewer, visible

HOUR_MS = 3_600_000
OF_FEED = re.compile(r"feeds/([a-z0-9_-]+)[./]")
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
        return f"{self.directory}: left as it is: {shown}{rest}; take it away, and feedd goes on there"


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
            is_later = went_through(reader.connection, folder.mark)
        folder.looks, folder.owes = how.looks, config.publish.command is not None
        if how.anew or not is_later:
            folder.forget()
        if folder.mark == Mark():  # no page is there that could be older
            folder.mark = mark
        fill(config, config.publish, feeds, comparisons, folder, checked(how))
        folder.mark = mark
        folder.clear()
    written = frozenset(folder.written)
    return Published(
        folder.root,
        tuple(sorted(written)),
        tuple(sorted(folder.removed)),
        len(folder.kept) + folder.pages - len(written),
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
    withdraw(folder, plans)
    told = dict(settings(config))
    states = {
        name: digest(__version__, told[name], feeds.state(plan), feeds.archives(name))
        for name, plan in plans.items()
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
    else:
        folder.clear_pages()


def withdraw(folder: Folder, plans: Collection[str]) -> None:
    """Remove what is for nobody any more, before all else: where nothing can be written, too. Raises PublishError."""
    for name in folder.names():
        of = OF_FEED.match(name)
        if of is not None and of[1] not in plans:
            folder.remove(name)
    if folder.removed:
        folder.owe()  # at the end the disk may be full


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
