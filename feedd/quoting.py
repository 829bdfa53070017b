"""What a receiver or a program said itself, behind our words for what happened. Pure.

It may be meant for few: it names people, addresses and what they run. So it can be told apart again.
"""

from posixpath import basename, dirname

MARK = "; it says: "
FOR_FEW = frozenset(
    {"email", "file", "command"}
)  # types of channel whose place names people, or the machine's files


def quoted(words: str, said: str) -> str:
    """Our words, which do not hold the mark, and what the other side said."""
    return f"{words}{MARK}{said}" if said else words


def for_everybody(words: str | None, where: str = "") -> str | None:
    """Our words alone, and without the folder that a channel is in; `where`: its address, host or path."""
    if words is None:
        return None
    own = words.partition(MARK)[0]
    if not where.startswith("/") or dirname(where) == "/":
        return own
    return own.replace(where, basename(where)).replace(dirname(where), "…")
