"""Publishing that a daemon keeps up: it follows the change log, seconds behind."""

import asyncio
import logging
import threading

from feedd.comparison import Comparisons
from feedd.config.settings import Config
from feedd.errors import PublishError, Stopped
from feedd.looks import now_ms
from feedd.publish.cache import MOVES_MS, Feeds
from feedd.site.carrying import carry_on
from feedd.site.publishing import Round, publish
from feedd.store.desk import Desk
from feedd.store.pursuit import Follower, follow
from feedd.troubles import Attempts, OwnTrouble

PAUSE_S = 5.0  # between two rounds; after a quiet time the first one follows the change at once
REST = 0.5  # times as long as a piece of work took is rested after it
LOOK_MS = 3_600_000  # between two rounds in which it is looked whether each file is still there
log = logging.getLogger(__name__)


class Publisher:
    """Keeps the directory of `[publish]` as the store is."""

    def __init__(self, config: Config, desk: Desk, feeds: Feeds) -> None:
        self.config = config
        self.desk = desk
        self.feeds = feeds
        self.comparisons = Comparisons(feeds.reader)
        self.done: tuple[int, int] | None = None  # store and clock at the last round that went well
        self.looked_ms = 0  # when it was looked at each file last
        self.trouble = OwnTrouble(desk, "publishing")
        self.writing = Attempts("publish", log)
        self.carrying = Attempts("publish", log)

    async def run(self) -> None:
        """Follow until cancelled."""
        if self.config.publish is None:
            return
        reader = self.feeds.reader
        await follow(
            self.desk.bell, Follower("publish", "publishing", self.round, reader.close, pause_s=PAUSE_S)
        )

    def round(self, stop: threading.Event, _: asyncio.Event) -> None:
        """Raises StoreError."""
        try:
            self.write(stop)
            if self.done is not None and self.carrying.is_due:
                self.carry_on(stop)
        except Stopped:
            return
        said = dict.fromkeys(each.said for each in (self.writing, self.carrying) if each.said)
        self.trouble.tell("; ".join(said) or None)

    def write(self, stop: threading.Event) -> None:
        """Write what changed, and again after a pause what could not be. Raises StoreError, Stopped."""
        at_ms = now_ms()
        now = self.feeds.reader.data_version(), at_ms // MOVES_MS
        if not self.is_called_for(now):
            return
        looks = self.writing.said is not None or not 0 <= at_ms - self.looked_ms < LOOK_MS
        try:
            published = publish(self.config, self.feeds, self.comparisons, Round(stop, REST, looks=looks))
        except PublishError as error:
            self.done = None
            self.writing.failed(error)
            return
        log.debug("publish: %s files written, %s removed", len(published.written), len(published.removed))
        self.done, self.looked_ms = now, at_ms if looks else self.looked_ms
        if published.trouble is not None:
            self.writing.failed(PublishError(published.trouble))
        else:
            self.writing.succeeded()

    def is_called_for(self, now: tuple[int, int]) -> bool:
        if self.done not in {None, now}:
            return True
        return self.done is None if self.writing.said is None else self.writing.is_due

    def carry_on(self, stop: threading.Event) -> None:
        """Raises Stopped."""
        try:
            carry_on(self.config, stop.is_set)
        except PublishError as error:
            self.carrying.failed(error)
        else:
            self.carrying.succeeded()
