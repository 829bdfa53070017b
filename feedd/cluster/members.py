"""The workers that feedd gives work to: who is there, who is of use, and who has how much."""

import asyncio
import logging
import platform
from collections.abc import Callable
from time import monotonic
from typing import NamedTuple, NoReturn
from zlib import crc32

from feedd import __version__
from feedd.cluster.link import Foreign, Here, Link, Lost
from feedd.cluster.values import Greeting
from feedd.config.cluster import keeps_secrets
from feedd.troubles import OwnTrouble

ASK_S = 3.0  # how often the scheduler is asked who is there
GREET_AGAIN_S = 30.0  # one that was of no use
STEP = 8  # orders: a host stays with its worker until that has so many more than others
NAMED = 3  # workers, in one sentence
log = logging.getLogger(__name__)


class Member:
    """A worker that may be given orders."""

    def __init__(self, address: str, ahead_s: float) -> None:
        self.address = address
        self.keeps_secrets = keeps_secrets(address)
        self.ahead_s = ahead_s  # of its clock before ours, at least
        self.orders = 0  # under way
        self.lost: asyncio.Future[NoReturn] = asyncio.get_running_loop().create_future()  # ends with Lost
        self.lost.add_done_callback(asyncio.Future.exception)  # there may be nobody to hear it

    def ago_s(self, clock_s: float) -> float:
        """How long ago its clock showed that, at most."""
        return max(0.0, self.clock_s() - clock_s)

    def clock_s(self) -> float:
        """What its clock shows now, or showed a moment ago."""
        return monotonic() + self.ahead_s


def is_of_use(said: Greeting) -> None:
    """Raises Foreign."""
    if said.version != __version__:
        raise Foreign(f"it has feedd {said.version}, and here is {__version__}: install the same one")
    ours = platform.python_version()
    if minor(said.python) != minor(ours):  # what they make of a text may differ, and the same article with it
        raise Foreign(f"it has Python {said.python}, and here is {ours}: take {minor(ours)} for both")


def minor(version: str) -> str:
    return ".".join(version.split(".")[:2])


class Refused(NamedTuple):
    """A worker that is of no use."""

    words: str
    at_s: float


class Members:
    """Of the running event loop. `changed` is called whenever there are more or fewer."""

    def __init__(
        self, link: Link, scheduler: str, trouble: OwnTrouble | None, changed: Callable[[], None]
    ) -> None:
        self.link = link
        self.scheduler = scheduler
        self.trouble = trouble
        self.changed = changed
        self.members: dict[str, Member] = {}
        self.refused: dict[str, Refused] = {}
        self.said: str | None = ""  # how it stands, as it was logged last
        self.asked = asyncio.Event()  # it was found out who is there, or that this can't be had

    @property
    def count(self) -> int:
        return len(self.members)

    def choose(self, host: str, limit: int, *, secret: bool = False, step: int = STEP) -> Member | None:
        """Who is to ask a host: one with little to do, the same again as long as others have not much less.

        `secret`: nobody on the way to it may read along.
        """
        free = [
            member
            for member in self.members.values()
            if member.orders < limit and (member.keeps_secrets or not secret)
        ]
        return min(
            free,
            key=lambda each: (each.orders // step, crc32(f"{host} {each.address}".encode())),
            default=None,
        )

    def lose(self, member: Member, why: str) -> None:
        """Give it nothing more before it was greeted again, and expect no answer to what it was given."""
        if not member.lost.done():
            member.lost.set_exception(Lost(why))
            log.warning("worker lost: %s; what it was at is done again", why)
        if self.members.get(member.address) is member:
            del self.members[member.address]
            self.refused[member.address] = Refused(why, 0.0)  # it may be greeted at once
            self.link.forget(member.address)
            self.changed()

    async def follow(self) -> None:
        """Keep up with who is there. Until it is cancelled."""
        while True:
            try:
                await self.look()
            except Exception:  # looks go on all the same
                log.exception("a bug in feedd")
                self.adopt({})
            self.asked.set()
            await asyncio.sleep(ASK_S)

    async def look(self) -> None:
        try:
            here = await self.link.workers()
        except (Lost, Foreign) as error:
            self.adopt({})
            self.tell(f"the scheduler {self.scheduler} can't be had: {error}")
            return
        now_s = monotonic()
        there = {each.address for each in here}
        self.refused = {address: each for address, each in self.refused.items() if address in there}
        strangers = [each for each in here if self.is_to_be_greeted(each.address, now_s)]
        found = await asyncio.gather(*map(self.greeted, strangers))
        await asyncio.gather(*map(self.check, [each for each in self.members.values() if each.orders]))
        known = {address: member for address, member in self.members.items() if address in there}
        self.adopt(known | {each.address: each for each in found if each is not None})
        self.tell(self.lack())

    async def check(self, member: Member) -> None:
        """One that does not answer a small question will not answer a large one."""
        try:
            await self.link.ask(member.address)
        except (Lost, Foreign) as error:
            self.lose(member, str(error))

    def is_to_be_greeted(self, address: str, now_s: float) -> bool:
        refused = self.refused.get(address)
        return address not in self.members and (refused is None or now_s >= refused.at_s)

    async def greeted(self, here: Here) -> Member | None:
        """The worker, if it is of use."""
        try:
            said = await self.link.greet(here.address)
            is_of_use(said)
        except (Lost, Foreign) as error:
            self.refused[here.address] = Refused(f"worker {here.name}: {error}", monotonic() + GREET_AGAIN_S)
            return None
        self.refused.pop(here.address, None)
        return Member(here.address, said.clock_s - monotonic())

    def adopt(self, members: dict[str, Member]) -> None:
        count = len(self.members)
        self.members = members
        if len(members) != count:
            self.changed()

    def lack(self) -> str | None:
        """What is missing, in words."""
        words = [each.words for each in self.refused.values()]
        if not self.members and not words:
            return f"the scheduler {self.scheduler} has no workers"
        shown = "; ".join(words[:NAMED]) + (f"; and {len(words) - NAMED} more" if words[NAMED:] else "")
        return shown or None

    def tell(self, words: str | None) -> None:
        alone = "" if self.members else "; feedd fetches and reads alone meanwhile"
        said = None if words is None else words + alone
        if self.trouble is not None:
            self.trouble.tell(said)
        if said == self.said:
            return
        self.said = said
        if said is None:
            log.info("workers of the cluster: %d", len(self.members))
        else:
            log.warning("cluster: %s", said)
