"""How much a service takes in one message. Pure."""

from collections.abc import Callable
from typing import NamedTuple

JOINT = 32  # characters that join a title and a text: tags, line ends, a count of parts


def units(text: str) -> int:
    """Characters as services count them at the most: one beyond the basic plane is two (UTF-16)."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


class Room(NamedTuple):
    body: int  # characters
    title: int
    joined: bool  # the title takes its room from the body's
    size: Callable[[str], int] = units  # of a text, as the service counts

    def left(self, title: str) -> int:
        """What a body may take beside this title."""
        return max(self.body - (self.size(title) + JOINT if self.joined else 0), 0)
