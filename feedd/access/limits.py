"""How often somebody may try. Pure: the time is given."""

from collections import OrderedDict, deque

MINUTE_MS = 60_000
OF_ONE = 10  # attempts a minute
IN_ALL = 3_000
MOST_ADDRESSES = IN_ALL  # that are remembered: no minute can bring more


class Attempts:
    """Attempts in the last minute: of each address, and in all.

    An address is None where many may be behind it (a Unix socket, a proxy on this machine that names none): then the
    total alone counts, since one of them would shut out the others. The total bounds what attempts cost this machine,
    and is more than any one address, or a person in a hurry, comes to: no token is ever guessed.
    """

    def __init__(self, of_one: int = OF_ONE, in_all: int = IN_ALL) -> None:
        self.of_one = of_one
        self.in_all = in_all
        self.all = deque[int]()
        self.by_address: OrderedDict[str, deque[int]] = OrderedDict()

    def wait_ms(self, address: str | None, now_ms: int) -> int:
        """How long the address has to wait; 0: it may try, and that is counted."""
        waits = [self.room(self.all, self.in_all, now_ms)]
        own = self.by_address.get(address) if address is not None else None
        if own is not None:
            waits.append(self.room(own, self.of_one, now_ms))
        if (wait := max(waits)) > 0:
            return wait
        self.all.append(now_ms)
        if address is not None:
            self.by_address.setdefault(address, deque()).append(now_ms)
            self.by_address.move_to_end(address)
            while len(self.by_address) > MOST_ADDRESSES:
                self.by_address.popitem(last=False)
        return 0

    def forget(self, address: str | None) -> None:
        """It was let in: what it tried before no longer counts against it."""
        if address is not None:
            self.by_address.pop(address, None)

    @staticmethod
    def room(times: deque[int], most: int, now_ms: int) -> int:
        """Milliseconds until there is room for one more."""
        while times and not 0 <= now_ms - times[0] < MINUTE_MS:  # a clock that was put back counts as gone by
            times.popleft()
        return 0 if len(times) < most else times[len(times) - most] + MINUTE_MS - now_ms
