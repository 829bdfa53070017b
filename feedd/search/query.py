"""What people ask for, as text → a query. Pure; nothing of it reaches SQLite's own query language unquoted.

A query is clauses that must all hold: words, "phrases", `title:` and `author:` of them, conditions such as `source:rfi`,
each also with `-` before it, and several of one kind between which `OR` stands. docs/search.md tells people.
"""

import re
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import NamedTuple

from feedd.errors import UsageError
from feedd.search.segment import fold, is_alone, tokens

LONGEST = 1_000  # characters
MOST_TERMS = 32
MOST_TOKENS = 200  # each a word, or a character of a script without spaces
LONGEST_PHRASE = 100  # tokens
MOST_PREFIXES = 4  # each gathers all words that begin so, and nothing interrupts that
SHORTEST_PREFIX = 2  # letters
QUOTES = str.maketrans(dict.fromkeys("“”„‟«»＂「」『』", '"') | {"：": ":", "－": "-", "＊": "*"})
UNSEEN = re.compile("[\x00-\x20\x7f-\xa0\u2000-\u200f\u2028-\u202f\u205f-\u206f\u3000\ufeff]")
PIECE = re.compile(r'(?P<minus>-*)(?:(?P<key>[A-Za-z]+):)?(?:"(?P<phrase>[^"]*)(?:"|\Z)|(?P<word>[^\s"]*))')
DATE = re.compile(r"([0-9]{4})(?:-([0-9]{1,2})(?:-([0-9]{1,2}))?)?")
AGO = re.compile(r"([0-9]{1,5})([hdw])")
UNITS_MS = {"h": 3_600_000, "d": 86_400_000, "w": 7 * 86_400_000}


class NothingAsked(UsageError):
    """Neither a letter nor a number stands in it."""


class Part(StrEnum):
    """Where words may stand; the columns of the index."""

    TEXT = "text"
    TITLE = "title"
    AUTHORS = "authors"
    CATEGORIES = "categories"


class Words(NamedTuple):
    """A word, or several that follow each other."""

    tokens: tuple[str, ...]
    part: Part | None = None  # None: any
    prefix: bool = False  # the last one may go on


class OfSource(NamedTuple):
    name: str


class InFeed(NamedTuple):
    name: str


class Tagged(NamedTuple):
    """With a category of that name, or of a source that has the tag."""

    tag: str  # folded
    sources: frozenset[str] = frozenset()  # with that tag: see `bound`


class Published(NamedTuple):
    """Not before `since_ms`, and before `until_ms`."""

    since_ms: int | None = None
    until_ms: int | None = None


class Changed(NamedTuple):
    """Edited within a time: as `Published`, or no longer than `ago_ms` ago."""

    since_ms: int | None = None
    until_ms: int | None = None
    ago_ms: int | None = None


Condition = Words | OfSource | InFeed | Tagged | Published | Changed


class Clause(NamedTuple):
    """One of them must hold, or, negated, none. All are of one kind."""

    any_of: tuple[Condition, ...]
    negated: bool = False


class Query(NamedTuple):
    clauses: tuple[Clause, ...]
    text: str  # as it was asked, made clean

    def conditions(self) -> Iterator[Condition]:
        return (each for clause in self.clauses for each in clause.any_of)

    @property
    def words(self) -> tuple[Words, ...]:
        """The words that are looked for: those that are marked, and ranked by."""
        return tuple(
            each
            for clause in self.clauses
            if not clause.negated
            for each in clause.any_of
            if isinstance(each, Words)
        )

    @property
    def moves(self) -> bool:
        """Whether what it finds changes with time alone."""
        return any(isinstance(each, Changed) and each.ago_ms is not None for each in self.conditions())


class Lexeme(NamedTuple):
    """A piece of a query's text."""

    text: str
    key: str  # "" for none
    quoted: bool
    negated: bool


def parse(text: str) -> Query:
    """Raises UsageError, in words for whoever typed it."""
    if len(text) > LONGEST:
        raise UsageError(f"a search has at most {LONGEST:,} characters; this one has {len(text):,}")
    clean = " ".join(UNSEEN.sub(" ", text).encode("utf-8", "ignore").decode().split())
    clauses = list(grouped(lexemes(clean.translate(QUOTES))))
    if not clauses:
        raise NothingAsked("there is nothing to look for: write a word, a letter or a number")
    if all(clause.negated for clause in clauses):
        raise UsageError("say what to look for, too: here is only what must not be there")
    if sum(len(clause.any_of) for clause in clauses) > MOST_TERMS:
        raise UsageError(
            f"a search has at most {MOST_TERMS} terms; leave some out, or put a sentence in quotes"
        )
    lengths = list(map(length, (each for clause in clauses for each in clause.any_of)))
    if max(lengths) > LONGEST_PHRASE:
        raise UsageError(
            f"a phrase has at most {LONGEST_PHRASE} words, each Chinese character counting as one; leave some out"
        )
    if sum(lengths) > MOST_TOKENS:
        raise UsageError(
            f"a search has at most {MOST_TOKENS} words, each Chinese character counting as one; leave some out"
        )
    query = Query(tuple(clauses), clean)
    if sum(isinstance(each, Words) and each.prefix for each in query.conditions()) > MOST_PREFIXES:
        raise UsageError(f"a search has at most {MOST_PREFIXES} words with *; leave some out")
    return query


def length(condition: Condition) -> int:
    """How many tokens are to be looked for."""
    match condition:
        case Words():
            return len(condition.tokens)
        case Tagged(tag):
            return len(tokens(tag))
        case _:
            return 0


def lexemes(text: str) -> Iterator[Lexeme]:
    at = 0
    while at < len(text):
        if text[at] == " ":
            at += 1
            continue
        found = PIECE.match(text, at)
        assert found is not None  # every part of it may be empty
        at = max(found.end(), at + 1)
        phrase, word, key = found["phrase"], found["word"], (found["key"] or "").lower()
        said = word if phrase is None else phrase
        if key and key not in KEYS:  # as in "10:30" or an address
            said, key = f"{found['key']}:{said}", ""
        yield Lexeme(said, key, phrase is not None, bool(found["minus"]))


def grouped(pieces: Iterator[Lexeme]) -> Iterator[Clause]:
    """Clauses; where OR stands between two, they are one."""
    waiting: Clause | None = None
    joins = False
    for each in pieces:
        if not (each.key or each.quoted or each.negated) and each.text in {"OR", "AND"}:
            joins = each.text == "OR" and waiting is not None
            continue
        condition = condition_of(each)
        if condition is None:  # nothing but punctuation
            continue
        clause = Clause((condition,), each.negated)
        if joins and waiting is not None:
            waiting = joined(waiting, clause)
        else:
            if waiting is not None:
                yield waiting
            waiting = clause
        joins = False
    if waiting is not None:
        yield waiting


def joined(one: Clause, other: Clause) -> Clause:
    if one.negated or other.negated:
        raise UsageError("OR can't stand beside what must not be there (-word)")
    if type(one.any_of[0]) is not type(other.any_of[0]):
        raise UsageError("OR stands between words, or between conditions of one kind: source:a OR source:b")
    return Clause(one.any_of + other.any_of)


def condition_of(piece: Lexeme) -> Condition | None:
    if not piece.key:
        return words(piece)
    if not piece.text.strip():
        raise UsageError(f"{piece.key}: needs something behind it, without a space: {KEYS[piece.key][1]}")
    made: Condition | None = KEYS[piece.key][0](piece)
    if made is None:
        raise UsageError(f"{piece.key}: needs a word behind it: {KEYS[piece.key][1]}")
    return made


def words(piece: Lexeme, part: Part | None = None) -> Words | None:
    found = tuple(tokens(piece.text))
    if not found:
        return None
    prefix = not piece.quoted and piece.text.endswith("*") and not is_alone(found[-1])
    if prefix and len(found[-1]) < SHORTEST_PREFIX:
        raise UsageError(f"write {SHORTEST_PREFIX} letters or more before the *")
    return Words(found, part, prefix)


def name(piece: Lexeme) -> str:
    return piece.text.strip().lower()


def tagged(piece: Lexeme) -> Tagged:
    return Tagged(spelled(piece.text))


def spelled(tag: str) -> str:
    """A tag or category as two of them are compared."""
    return " ".join(fold(tag).split())


def published_before(piece: Lexeme) -> Published:
    return Published(until_ms=span(piece)[0])


def published_after(piece: Lexeme) -> Published:
    return Published(since_ms=span(piece)[0])


def changed(piece: Lexeme) -> Changed:
    if ago := AGO.fullmatch(piece.text.strip()):
        return Changed(ago_ms=int(ago[1]) * UNITS_MS[ago[2]])
    return Changed(*span(piece))


def span(piece: Lexeme) -> tuple[int, int]:
    """The first moment of a year, month or day (UTC), and the first one after it."""
    found = DATE.fullmatch(piece.text.strip())
    made = found and calendar(int(found[1]), int(found[2] or 0), int(found[3] or 0))
    if not made:
        raise UsageError(f"{piece.key}: '{piece.text[:30]}' is no date; write it as in {KEYS[piece.key][1]}")
    return made


def calendar(year: int, month: int, day: int) -> tuple[int, int] | None:
    """As `span`; 0 for a month or day that was left out. None where the calendar has no such day."""
    try:
        first = moment(year, month or 1, day or 1)
    except ValueError:
        return None
    if day:
        return first, first + 86_400_000
    if not month or month == 12:
        return first, moment(year + 1, 1, 1)
    return first, moment(year, month + 1, 1)


def moment(year: int, month: int, day: int) -> int:
    """Milliseconds; of a year beyond the calendar's last one, its end. Raises ValueError."""
    if year > 9999:
        return 253_402_300_800_000
    return int(datetime(year, month, day, tzinfo=UTC).timestamp()) * 1000


KEYS: Mapping[str, tuple[Callable[[Lexeme], Condition | None], str]] = {
    "source": (lambda piece: OfSource(name(piece)), "source:rfi"),
    "feed": (lambda piece: InFeed(name(piece)), "feed:japan"),
    "tag": (tagged, "tag:zh"),
    "author": (lambda piece: words(piece, Part.AUTHORS), 'author:"Ann Lee"'),
    "title": (lambda piece: words(piece, Part.TITLE), "title:election"),
    "before": (published_before, "before:2024-02-01, before:2024-02 or before:2024"),
    "after": (published_after, "after:2024-02-01, after:2024-02 or after:2024"),
    "changed": (changed, "changed:7d, changed:2024-02-01 or changed:2024-01"),
}


def bound(query: Query, tags: Mapping[str, Collection[str]]) -> Query:
    """The query with the sources that its tags stand for; `tags` are spelled as `spelled` does."""

    def of(each: Condition) -> Condition:
        return each._replace(sources=frozenset(tags.get(each.tag, ()))) if isinstance(each, Tagged) else each

    clauses = (clause._replace(any_of=tuple(map(of, clause.any_of))) for clause in query.clauses)
    return query._replace(clauses=tuple(clauses))
