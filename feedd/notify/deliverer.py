"""Sends what waits in the outbox: a courier a channel, so that none waits for another; one that notes what came of it.

A message that was sent and not noted, since the process was killed between, is sent again under the same id.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from sqlite3 import Connection
from typing import TypeVar
from uuid import UUID, uuid5

from feedd.config.channels import Channel
from feedd.errors import StoreError
from feedd.looks import now_ms
from feedd.notify.message import Messages
from feedd.notify.rounds import NOTHING, Busy, Round, planned
from feedd.notify.sending import Tools, send_in_time
from feedd.notify.values import Failed, Message, Outcome
from feedd.store import attempts, channels, deliveries, log, outbox
from feedd.store.attempts import Sent
from feedd.store.database import translated
from feedd.store.deliveries import Head
from feedd.store.desk import Desk
from feedd.store.reader import Reader

THREADS = 2  # that read and compare what is to be told
KEPT_MS = 30 * 86_400_000  # that what was done is listed
TIDY_S, TIDY_AGAIN_S = 600.0, 0.5
LOOK_AGAIN_S = 5.0  # another process may have written
GRACE_S = 2.0  # at the end, for what is being sent, and again for noting it
STORE_RETRY_S = 1.0
UNNOTED = 500  # messages of a channel that were sent and not noted yet: the writer is busy, so wait for it
Result = TypeVar("Result")
logger = logging.getLogger(__name__)


def message_id(born: UUID, delivery_id: int) -> str:
    """The same over all attempts, and no other message's in the world."""
    return f"msg_{uuid5(born, f'delivery:{delivery_id}').hex}"


class Deliverer:
    """Delivers what the outbox holds; belongs to the process that holds the lock, and to one event loop.

    `clock`: milliseconds since the epoch.
    """

    def __init__(
        self,
        each: tuple[Channel, ...],
        desk: Desk,
        reader: Reader,
        messages: Messages,
        tools: Tools,
        *,
        clock: Callable[[], int] = now_ms,
        look_again_s: float = LOOK_AGAIN_S,
    ) -> None:
        self.desk = desk
        self.reader = reader
        self.messages = messages
        self.tools = tools
        self.clock = clock
        self.look_again_s = look_again_s
        self.threads = ThreadPoolExecutor(THREADS, thread_name_prefix="deliver")
        self.couriers = [Courier(channel, self) for channel in each]
        self.results = list[tuple[Courier, Sent | int]]()  # an int: a delivery that tells of nothing any more
        self.arrived = asyncio.Event()
        self.noted = asyncio.Event()
        self.is_resting = False

    async def run(self) -> None:
        """Deliver until cancelled; what is being sent then may finish for a moment."""
        noting = asyncio.create_task(self.note_all())
        works = [*(courier.run() for courier in self.couriers), self.listen(), self.tidy()]
        tasks = [asyncio.create_task(work) for work in works]
        try:
            await asyncio.gather(*tasks)
        finally:
            await self.end(tasks, noting)

    def rest(self) -> None:
        """Begin nothing more."""
        self.is_resting = True

    @property
    def is_busy(self) -> bool:
        """Whether something is on its way, or came of it and is not noted yet."""
        return any(courier.sending or courier.unnoted for courier in self.couriers)

    async def drain(self, limit_s: float) -> bool:
        """Deliver what is due now, each once, for so long at most; whether all was tried."""
        running = asyncio.create_task(self.run())
        try:
            async with asyncio.timeout(limit_s):
                await asyncio.gather(*(courier.idle.wait() for courier in self.couriers))
        except TimeoutError:
            return False
        else:
            return True
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running

    async def end(self, tasks: list[asyncio.Task[None]], noting: asyncio.Task[None]) -> None:
        """Begin nothing more; what is on its way may arrive for a moment, and is noted."""
        await cancelled(tasks)
        sends = [task for courier in self.couriers for task in courier.sending.values()]
        if sends:
            await asyncio.wait(sends, timeout=GRACE_S)
            await cancelled(sends)
        with suppress(TimeoutError):
            async with asyncio.timeout(GRACE_S):
                while any(courier.unnoted for courier in self.couriers):
                    self.noted.clear()
                    await self.noted.wait()
        await cancelled([noting])
        ending = partial(self.threads.shutdown, wait=True, cancel_futures=True)
        await asyncio.get_running_loop().run_in_executor(None, ending)  # others go on meanwhile

    async def listen(self) -> None:
        """Wake the couriers when the log grows."""
        with self.desk.bell.heard_by() as rung:
            while True:
                await rung.wait()
                rung.clear()
                for courier in self.couriers:
                    courier.wake.set()

    async def tidy(self) -> None:
        """Forget what was done long ago, a little at a time; look after channels that fail for long."""
        while True:
            now = self.clock()
            work = partial(tidied, now_ms=now)
            try:
                dropped = await self.desk.do(lambda writer: writer.within(work))  # noqa: B023 (done at once)
            except StoreError:
                dropped = 0
            await asyncio.sleep(TIDY_AGAIN_S if dropped else TIDY_S)

    async def read(self, work: Callable[[], Result]) -> Result:
        return await asyncio.get_running_loop().run_in_executor(self.threads, work)

    def finished(self, courier: "Courier", result: Sent | int) -> None:
        self.results.append((courier, result))
        self.arrived.set()

    async def note_all(self) -> None:
        """Note what came of what was sent, all that has come together at once: the writer may be busy."""
        while True:
            await self.arrived.wait()
            self.arrived.clear()
            some, self.results = self.results, []
            while some:
                try:
                    await self.note(some)
                    break
                except StoreError as error:
                    logger.error("deliveries can't be noted: %s", error)  # noqa: TRY400 (words are enough)
                except Exception:
                    logger.exception("deliveries can't be noted: a bug in feedd")
                await asyncio.sleep(STORE_RETRY_S)

    async def note(self, some: list[tuple["Courier", Sent | int]]) -> None:
        sent = [result for _, result in some if isinstance(result, Sent)]
        void = [result for _, result in some if isinstance(result, int)]
        if not some:
            return
        work = partial(noted, sent=sent, void=void, now_ms=self.clock())
        await self.desk.do(lambda writer: writer.within(work))
        for courier, result in some:
            courier.unnoted.pop(result.delivery_id if isinstance(result, Sent) else result, None)
            courier.wake.set()
        self.noted.set()


async def cancelled(tasks: Iterable[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def tidied(connection: Connection, now_ms: int) -> int:
    attempts.beat(connection, now_ms)
    return attempts.drop_done(connection, now_ms - KEPT_MS)


def noted(connection: Connection, sent: list[Sent], void: list[int], now_ms: int) -> None:
    attempts.record(connection, sent)
    attempts.cancel(connection, void, "there is nothing to tell any more", now_ms)


class Courier:
    """Sends what waits for one channel."""

    def __init__(self, channel: Channel, office: Deliverer) -> None:
        self.channel = channel
        self.office = office
        self.wake = asyncio.Event()
        self.idle = asyncio.Event()  # nothing is due, and nothing is being sent or noted
        self.sending = dict[int, asyncio.Task[None]]()  # by delivery
        self.threads = dict[int, int]()  # of what is being sent
        self.unnoted = dict[int, Outcome | None]()
        self.failing, self.gone = False, False  # as of the last message

    async def run(self) -> None:
        while True:
            self.wake.clear()
            again_ms = None
            try:
                again_ms = await self.round()
            except StoreError as error:
                logger.error("notify.%s: %s", self.channel.name, error)  # noqa: TRY400 (words are enough)
            except Exception:  # the other channels, and this one a little later, go on
                logger.exception("notify.%s: a bug in feedd", self.channel.name)
            again_s = self.office.look_again_s
            if again_ms is not None:
                again_s = min(again_s, max(0.0, (again_ms - self.office.clock()) / 1000))
            with suppress(TimeoutError):
                async with asyncio.timeout(again_s):
                    await self.wake.wait()

    async def round(self) -> int | None:
        """Begin with what may go now; returns when there is something to do next, as far as is known."""
        if self.office.is_resting:
            return None
        now = self.office.clock()
        channel_id, round_ = await self.office.read(partial(self.planned, now))
        if round_.gather_after is not None:
            work = partial(
                outbox.gather,
                channel_id=channel_id,
                now_ms=now,
                busy=self.busy.ids,
                first=round_.gather_after,
            )
            await self.office.desk.do(lambda writer: writer.within(work))
            # whether that came to anything or not
            channel_id, round_ = await self.office.read(partial(self.planned, now, gathers=False))
        if round_.heads and self.channel.pace.max_per_hour is not None:  # a summary must not tell it again
            begin = partial(attempts.begin, ids=[head.id for head in round_.heads], now_ms=now)
            await self.office.desk.do(lambda writer: writer.within(begin))
        for head in round_.heads:
            self.idle.clear()
            self.threads[head.id] = head.thread
            self.sending[head.id] = asyncio.create_task(self.deliver(head, channel_id))
        if not (self.sending or self.unnoted):
            self.idle.set()
        return round_.again_ms

    @property
    def busy(self) -> Busy:
        return Busy(dict(self.threads), tuple(self.unnoted))

    def planned(self, now: int, *, gathers: bool = True) -> tuple[int, Round]:
        """Which channel of the store it is, and what is to be done."""
        connection = self.office.reader.connection
        with translated(self.office.reader.path):
            state = channels.states(connection).get(self.channel.name)
            if state is None:  # it has just left the configuration
                return 0, NOTHING
            # what failed is noted first: it may be that nothing is sent for a while
            if len(self.unnoted) >= UNNOTED or any(
                isinstance(each, Failed) for each in self.unnoted.values()
            ):
                return state.id, NOTHING
            pace, at_once = self.channel.pace, self.channel.at_once
            return state.id, planned(connection, state, pace, at_once, self.busy, now, gathers=gathers)

    async def deliver(self, head: Head, channel_id: int) -> None:
        """One attempt, whatever comes of it."""
        try:
            message = await self.office.read(partial(self.message, head))
            outcome: Outcome | None = None
            if message is not None:
                outcome = await send_in_time(self.channel, message, self.office.tools, self.office.clock())
        except StoreError as error:
            outcome = Failed(str(error))
        except Exception as bug:
            logger.exception("notify.%s: a bug in feedd", self.channel.name)
            outcome = Failed(f"a bug in feedd, see its log: {type(bug).__name__}")
        finally:
            self.sending.pop(head.id, None)
            self.threads.pop(head.id, None)
        self.unnoted[head.id] = outcome
        self.say(outcome)
        result = head.id if outcome is None else Sent(head.id, channel_id, outcome, self.office.clock())
        self.office.finished(self, result)
        self.wake.set()

    def message(self, head: Head) -> Message | None:
        """None: there is nothing to tell any more."""
        office, name = self.office, self.channel.name
        wanted = message_id(office.tools.born, head.id)
        with translated(office.reader.path):
            connection = office.reader.connection
            if head.change_id is not None:
                found = log.these(connection, [head.change_id])
                return office.messages.of_change(found[0], name, wanted) if found else None
            several = log.these(connection, deliveries.members(connection, head.id))
            return office.messages.of_digest(several, name, wanted) if several else None

    def say(self, outcome: Outcome | None) -> None:
        """Tell the operator when a channel begins to fail, and when it works again; not each time."""
        name, failed = self.channel.name, outcome if isinstance(outcome, Failed) else None
        if failed is not None and failed.gone and not self.gone:
            logger.warning(
                "notify.%s: disabled, and what waited is cancelled: %s. To use it again: feedd deliveries retry"
                " --channel %s",
                *(name, failed.why, name),
            )
        elif failed is not None and not self.failing:
            logger.warning(
                "notify.%s: not delivered: %s. What is told waits, see feedd deliveries", name, failed.why
            )
        elif failed is None and self.failing:
            logger.info("notify.%s: delivers again", name)
        self.failing, self.gone = failed is not None, failed is not None and failed.gone
