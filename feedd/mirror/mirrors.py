"""The archives of `[archive.NAME]` follow the change log, some seconds behind: `Mirrors.run` for a daemon, `mirrored` for a command.

What keeps one from being written is said once, until it is something else, and costs the others nothing; it is tried again
after growing pauses.
"""

import asyncio
import logging
import threading
from collections.abc import Callable

from feedd.config.mirrors import Mirror
from feedd.config.settings import Config
from feedd.errors import MirrorError
from feedd.mirror import repository
from feedd.mirror.keeping import Archive, Keeper
from feedd.mirror.repository import Repository
from feedd.mirror.shelves import shelves
from feedd.store.database import translated
from feedd.store.desk import Desk
from feedd.store.pursuit import Follower, follow
from feedd.store.reader import Reader
from feedd.store.search_index import Cursor, newest
from feedd.troubles import AGAIN_S, Attempts, OwnTrouble

PAUSE_S = 5.0  # between two passes, so that what comes together is one commit
SHOWN = 3  # of what can't be written
log = logging.getLogger(__name__)


class Kept:
    """One archive, and how it goes."""

    def __init__(self, name: str, keeper: Keeper) -> None:
        self.keeper = keeper
        self.name = name
        self.writing = Attempts(f"archive.{name}", log)
        self.pushing = Attempts(f"archive.{name}", log)
        self.at: Cursor | None = None  # up to where all is done
        self.pushed: Cursor | None = None
        self.left_out: tuple[str, ...] = ()

    @property
    def tried(self) -> tuple[Attempts, Attempts]:
        return self.writing, self.pushing

    def bring(self, end: Cursor, unwanted: Callable[[], bool]) -> bool:
        """Bring it up to date, as far as it is due; whether nothing failed and nothing waits. Raises StoreError."""
        if self.at != end and self.writing.is_due:
            try:
                report = self.keeper.catch_up(unwanted)
            except MirrorError as error:
                if not unwanted():  # else it may be we who ended it
                    self.writing.failed(error)
            else:
                self.writing.succeeded()
                if report is not None:
                    self.at = report.at
                    self.tell(report.written, report.left_out)
        self.push(unwanted)
        return not any(each.said for each in self.tried)

    def tell(self, written: int, left_out: tuple[str, ...]) -> None:
        if written:
            log.info("archive.%s: %s files written", self.name, f"{written:,}")
        if left_out and left_out != self.left_out:
            some = "; ".join(left_out[:SHOWN])
            log.warning("archive.%s: %s can't be seed files: %s", self.name, f"{len(left_out):,}", some)
        self.left_out = left_out or self.left_out

    def push(self, unwanted: Callable[[], bool]) -> None:
        own = self.keeper.archive.repository
        if own is None or own.remote is None or self.at in {None, self.pushed} or not self.pushing.is_due:
            return
        try:
            repository.pushed(own, unwanted)
            self.pushed = self.at
            self.pushing.succeeded()
        except MirrorError as error:
            if not unwanted():  # else it was we who ended it
                self.pushing.failed(error)


class Mirrors:
    """Keeps all archives of a configuration."""

    def __init__(self, config: Config, desk: Desk, reader: Reader) -> None:
        self.desk = desk
        self.reader = reader
        self.trouble = OwnTrouble(desk, "mirror")
        priorities = {source.name: source.priority for source in config.sources}
        self.kept = [
            Kept(mirror.name, Keeper(archive_of(config, mirror), reader, priorities))
            for mirror in config.mirrors
        ]

    async def run(self) -> None:
        """Follow until cancelled."""
        follower = Follower(
            "mirrors",
            "the archives in folders",
            self.follow,
            self.reader.close,
            pause_s=PAUSE_S,
            again_s=AGAIN_S,
        )
        await follow(self.desk.bell, follower)

    def follow(self, stop: threading.Event, _: asyncio.Event) -> None:
        self.catch_up(stop)
        said = [f"{tried.what}: {tried.said}" for each in self.kept for tried in each.tried if tried.said]
        self.trouble.tell("; ".join(said) or None)

    def catch_up(self, stop: threading.Event | None = None) -> bool:
        """Bring all up to date, from the calling thread; False where one could not be: the log says why.

        Raises StoreError.
        """
        stop = stop or threading.Event()
        with translated(self.reader.path):
            end = newest(self.reader.connection)
        done = [each.bring(end, stop.is_set) for each in self.kept if not stop.is_set()]
        return all(done)


def mirrored(config: Config, desk: Desk) -> bool:
    """Bring all archives up to date once, for a command that holds the lock; False where one could not be.

    Raises StoreError.
    """
    reader = Reader(config.store.path)
    try:
        return Mirrors(config, desk, reader).catch_up()
    finally:
        reader.close()


def archive_of(config: Config, mirror: Mirror) -> Archive:
    own = Repository(mirror.directory, *mirror.author, mirror.push) if mirror.git else None
    return Archive(mirror.directory, shelves(config, mirror), mirror.list, own)
