"""What the service manager hears of feedd while it runs: a line of status, and that it is alive."""

import asyncio
import time

from feedd.daemon.attending import Attendant
from feedd.daemon.reloading import Reloading
from feedd.daemon.status import State, in_words
from feedd.errors import StoreError
from feedd.service.notify import Notifier
from feedd.store.database import translated
from feedd.store.reader import Reader
from feedd.store.source_queries import failing
from feedd.web.health import Health

STATUS_S = 2.0


class Supervision:
    """The watchdog is fed only while the event loop, the scheduler and the writer are all alive."""

    def __init__(
        self,
        notifier: Notifier,
        health: Health,
        attendant: Attendant,
        reader: Reader,
        reloading: Reloading,
    ) -> None:
        self.notifier = notifier
        self.health = health
        self.attendant = attendant
        self.reader = reader
        self.reloading = reloading
        self.fed_s = float("-inf")

    async def run(self) -> None:
        """Until it is cancelled. Nothing is done where no manager listens."""
        if self.notifier.address is None:
            return
        self.notifier.ready(await self.words())
        while True:
            self.notifier.status(await self.words())
            await self.feed()
            await asyncio.sleep(STATUS_S)

    async def feed(self) -> None:
        period_s, now = self.notifier.watchdog_s, time.monotonic()
        if period_s is None or now - self.fed_s < period_s / 4:
            return
        if (await self.health.vital()).ok:
            self.fed_s = now
            self.notifier.alive()

    async def words(self) -> str:
        config = self.attendant.config
        try:
            names = await asyncio.to_thread(self.failing)
        except StoreError as error:
            return f"The database can't be read: {error}"
        return in_words(
            State(
                len(config.sources),
                tuple(self.attendant.under_way),
                tuple(name for name in names if config.source(name) is not None),
                self.attendant.last,
                len(self.reloading.mistakes),
            )
        )

    def failing(self) -> list[str]:
        with translated(self.reader.path):
            return failing(self.reader.connection)

    def stopping(self) -> None:
        self.notifier.stopping("Ending: what is being read or sent comes to its end.")
