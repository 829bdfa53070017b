"""Publishing that a daemon keeps up: it follows the change log, seconds behind."""

import asyncio
import logging
import threading

from feedd.comparison import Comparisons
from feedd.config.settings import Config
from feedd.errors import PublishError, Stopped
from feedd.looks import now_ms
from feedd.publish.cache import MOVES_MS, Feeds
from feedd.site.publishing import Published, Round, carry_on, publish
from feedd.store.desk import Desk
from feedd.store.pursuit import Follower, follow

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
        self.trouble: str | None = None  # that was told

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
        at_ms = now_ms()
        now = self.feeds.reader.data_version(), at_ms // MOVES_MS
        if now == self.done and self.trouble is None:
            return
        looks = self.trouble is not None or not 0 <= at_ms - self.looked_ms < LOOK_MS
        try:
            how = Round(stop, REST, looks=looks)
            published = publish(self.config, self.feeds, self.comparisons, how)
            log.debug("publish: %s files written, %s removed", len(published.written), len(published.removed))
        except Stopped:
            return
        except PublishError as error:
            self.tell(str(error))
            return
        self.tell(published.trouble)
        self.done, self.looked_ms = now, at_ms if looks else self.looked_ms
        self.carry_on(published, stop)

    def carry_on(self, published: Published, stop: threading.Event) -> None:
        """A command that failed is told of each time; the next one is run for all that lies there."""
        try:
            carry_on(self.config, published, stop.is_set)
        except Stopped:
            return
        except PublishError as error:
            log.error("publish: %s", error)  # noqa: TRY400 (words are enough)

    def tell(self, trouble: str | None) -> None:
        """Once, until it is another one or over."""
        if trouble == self.trouble:
            return
        if trouble is not None:
            log.error("publish: %s", trouble)
        else:
            log.warning("publish: it works again")
        self.trouble = trouble
