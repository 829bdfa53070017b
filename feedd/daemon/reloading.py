"""Reading the configuration again while feedd runs: on SIGHUP, on request, and when its files change.

One with a mistake changes nothing: the log, the status and the health feed say what is wrong with it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable

from feedd.config import files
from feedd.config.difference import Difference, difference, with_fixed
from feedd.config.load import load
from feedd.config.settings import Config
from feedd.errors import ConfigError, Stopped, StoreError
from feedd.operations import came_of
from feedd.service.notify import Notifier
from feedd.store.desk import Desk
from feedd.troubles import OwnTrouble

ASK_S = 2.0  # how often the files are looked at
SHOWN = 3  # mistakes, in the log and the health feed
EMPTIED = (
    "is empty and was not, as happens on a full disk; if nothing is to stand in it, write a comment there"
)
log = logging.getLogger(__name__)
Switch = Callable[[Config, Difference], Awaitable[None]]


class Reloading:
    """One reload at a time. `switch` goes on with a configuration, and raises StoreError if it can't."""

    def __init__(self, config: Config, desk: Desk, notifier: Notifier, switch: Switch) -> None:
        self.config = config  # in force
        self.trouble = OwnTrouble(desk, "configuration")
        self.notifier = notifier
        self.switch = switch
        self.turn = asyncio.Lock()
        self.waiting: asyncio.Task[str] | None = None  # the reload that has not begun yet
        self.tasks: set[asyncio.Task[str]] = set()
        self.mistakes: tuple[str, ...] = ()  # of the files, if they are not the configuration in force
        self.include = config.include  # as it was read last
        self.seen = self.in_force = files.seen(
            config.path, config.include
        )  # as they were when they were read

    async def reload(self) -> str:
        """Read the files, and go on with what they say; what differs, in words.

        Whoever asks while a reload waits for its turn shares what comes of it. Raises ConfigError, StoreError, Stopped.
        """
        task = self.waiting
        if task is None:
            task = self.waiting = asyncio.create_task(self.in_turn())
            self.tasks.add(task)
            task.add_done_callback(self.tasks.discard)
        await asyncio.wait({task})
        return came_of(task)

    async def end(self) -> None:
        """Cut off what is under way; who waits for it is told."""
        tasks = list(self.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def in_turn(self) -> str:
        async with self.turn:
            self.waiting = None
            self.notifier.reloading()
            try:
                words = await self.reloaded()
            except Exception:
                self.notifier.ready("Nothing was changed by the reload.")
                raise
            self.notifier.ready(f"Reloaded: {words}")
            return words

    async def reloaded(self) -> str:
        try:
            read = await asyncio.to_thread(self.read)
        except ConfigError as error:
            self.refuse(error.mistakes)
            raise
        changes, config = difference(self.config, read), with_fixed(self.config, read)
        if config != self.config:
            try:
                await self.switch(config, changes)
            except StoreError:
                self.seen = ()  # it is tried again if the files are followed
                raise
        self.config, self.in_force = config, self.seen
        words = changes.in_words
        log.info("the configuration was read again: %s", words)
        for key in changes.fixed:
            log.warning("%s is another one in %s: restart feedd for that", key, config.path)
            words += f"; restart feedd for {key}"
        self.accept()
        return words

    def read(self) -> Config:
        """What the files say, and when they said so. Raises ConfigError."""
        while True:
            self.seen = files.seen(
                self.config.path, self.include
            )  # before: what changes meanwhile is read again
            read = load(self.config.path)
            if emptied := files.emptied(self.in_force, self.seen):
                raise ConfigError(tuple(f"{each}: {EMPTIED}" for each in emptied))
            if read.include == self.include:
                return read
            self.include = read.include

    def refuse(self, mistakes: tuple[str, ...]) -> None:
        if mistakes != self.mistakes:
            for mistake in mistakes[:SHOWN]:
                log.error("the configuration was not changed: %s", mistake)
        self.mistakes = mistakes
        detail = "; ".join(mistakes[:SHOWN]) + (
            f"; and {len(mistakes) - SHOWN} more" if mistakes[SHOWN:] else ""
        )
        self.trouble.tell(detail)

    def accept(self) -> None:
        self.mistakes = ()
        self.trouble.tell(None)

    async def asked_by_signal(self) -> None:
        """As `reload`; what is wrong was logged."""
        try:
            await self.reload()
        except (ConfigError, Stopped):
            return
        except StoreError as error:
            log.error("the configuration was not changed: %s", error)  # noqa: TRY400 (words are enough)

    async def follow_files(self) -> None:
        """Reload when the files are others than those that were read, and stand still. Until it is cancelled."""
        self.accept()  # feedd has started with what they say
        before = self.seen
        while True:
            await asyncio.sleep(ASK_S)
            if not self.config.server.reload_on_change:
                continue
            now = await asyncio.to_thread(files.seen, self.config.path, self.include)
            stands, before = now == before, now
            if stands and now != self.seen:
                await self.asked_by_signal()
