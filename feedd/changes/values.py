"""What differs between two versions of an entry, and how much that says: frozen values."""

from enum import StrEnum
from typing import NamedTuple

from feedd.model import Significance


class Content(NamedTuple):
    """What of a version is compared."""

    title: str  # plain text
    html: str  # clean: see normalise.html
    image: str | None = None  # the lead picture
    authors: tuple[str, ...] = ()
    enclosures: tuple[str, ...] = ()  # addresses


class Op(StrEnum):
    EQUAL = "equal"
    INSERT = "insert"
    DELETE = "delete"
    REPLACE = "replace"
    MOVE = "move"


class Piece(NamedTuple):
    """A run of words within a sentence that was edited: EQUAL, INSERT or DELETE."""

    op: Op
    old: str  # "" of an INSERT
    new: str  # "" of a DELETE; of an EQUAL, typography may differ from `old`


class Hunk(NamedTuple):
    """A sentence, or a paragraph that stayed, in the order in which both texts are read."""

    op: Op
    old: str  # "" of an INSERT, and of a MOVE where the text stands now
    new: str  # "" of a DELETE, and of a MOVE where the text stood
    old_block: int | None  # number of the paragraph it stands in, from 0; None where `old` stands nowhere
    new_block: int | None
    pieces: tuple[Piece, ...] = ()  # of a REPLACE, or of a MOVE's new end if it was edited, too
    move: int | None = None  # of a MOVE: the number that its two ends share


class Diff(NamedTuple):
    """What differs between two versions. Where nothing does, every hunk is EQUAL and the pairs are the same."""

    title: Hunk
    hunks: tuple[Hunk, ...]
    image: tuple[str | None, str | None]  # old, new
    authors: tuple[tuple[str, ...], tuple[str, ...]]
    links: tuple[tuple[str, ...], tuple[str, ...]]  # targets, pictures, enclosures: gone, come


class Judged(NamedTuple):
    """How much a change says."""

    level: Significance
    reasons: tuple[str, ...]  # in words; () of NONE
    adds_only: bool = False  # whole sentences were added, and nothing that was said was touched
