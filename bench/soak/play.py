"""What is played in a soak: sources and what they hold, hour by hour, made from a seed. Pure.

An hour of the play lasts 15 s. What feedd asks of time is in real seconds, so its sources are asked for every 5 s,
which is each twenty minutes of the play.
"""

import random
from enum import StrEnum, auto
from typing import NamedTuple

HOUR_S = 15.0
SHOWN = 12  # items of a document; what is older scrolls off
APART_S = 40.0  # between two acts on one item that no server sees being read: long enough for several looks
HOSTS = 20
FIRST_ITEMS = 6


class Kind(StrEnum):
    RSS = auto()
    ATOM = auto()
    JSON = auto()
    PAGE = auto()
    WATCH = auto()
    SITEMAP = auto()
    FOLDER = auto()
    COMMAND = auto()


SHARES = {
    Kind.RSS: 25,
    Kind.ATOM: 20,
    Kind.JSON: 15,
    Kind.PAGE: 12,
    Kind.WATCH: 10,
    Kind.SITEMAP: 5,
    Kind.FOLDER: 9,
    Kind.COMMAND: 4,
}  # of a hundred sources
FEEDS = frozenset({Kind.RSS, Kind.ATOM, Kind.JSON})
LOCAL = frozenset({Kind.FOLDER, Kind.COMMAND})  # no server sees when they are read


class Validator(StrEnum):
    ETAG = auto()
    MODIFIED = auto()
    NONE = auto()


class Source(NamedTuple):
    number: int
    kind: Kind
    validator: Validator
    dated: bool  # its items state a time
    moved: bool  # its address redirects
    auto: bool  # every = "auto"
    watched: bool  # a folder of which file-system events are heard

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.number}"

    @property
    def host(self) -> str:
        """An address of loopback's own network, so that sources have hosts as on the web."""
        return f"127.0.1.{self.number % HOSTS + 1}"


class Item(NamedTuple):
    key: int
    edition: int  # tells contents apart
    stated_s: int | None
    dress: int = 0  # changes mark-up alone
    highest: int = 1  # edition that it ever had
    returned: bool = False  # to an earlier edition, which each item does once: more would be a flip-flop
    at_s: float = 0.0  # of the last act
    path: int = 0  # of a folder's file: grows when it is renamed


class Act(StrEnum):
    PUBLISH = auto()
    EDIT = auto()
    EDIT_SILENTLY = auto()
    REVERT = auto()
    REDATE = auto()
    DRESS = auto()
    TAKE_OUT = auto()
    BRING_BACK = auto()
    RENAME = auto()


WEIGHTS = {
    Act.PUBLISH: 8,
    Act.EDIT: 6,
    Act.EDIT_SILENTLY: 4,
    Act.REVERT: 4,
    Act.REDATE: 2,
    Act.DRESS: 2,
    Act.TAKE_OUT: 2,
    Act.BRING_BACK: 2,
    Act.RENAME: 2,
}
OF_FOLDERS = frozenset({Act.BRING_BACK, Act.RENAME})
# a sitemap that says nothing new of an article has nobody look at it
OF_SITEMAPS = frozenset({Act.PUBLISH, Act.EDIT, Act.REDATE, Act.TAKE_OUT})


class Held(NamedTuple):
    """What a source holds, the oldest first, and what it took out."""

    items: tuple[Item, ...]
    gone: tuple[Item, ...] = ()
    next_key: int = 1


def sources(count: int, dice: random.Random) -> list[Source]:
    kinds = [kind for kind, share in SHARES.items() for _ in range(share)]
    made = []
    for number in range(count):
        # spread evenly, so that a few sources are of many kinds, too
        kind = kinds[number * len(kinds) // count] if count < len(kinds) else kinds[number % len(kinds)]
        dated = kind not in {Kind.WATCH, Kind.SITEMAP} and (kind is not Kind.PAGE or number % 2 == 0)
        made.append(
            Source(
                number=number,
                kind=kind,
                validator=dice.choice(list(Validator)),
                dated=dated or kind is Kind.SITEMAP,
                moved=kind in FEEDS and number % 9 == 4,
                auto=kind in FEEDS and number % 20 == 7,
                watched=kind is Kind.FOLDER and number % 2 == 0,
            )
        )
    return made


def beginning(source: Source, now_s: float) -> Held:
    """What a source holds before the play: hourly items of the last hours."""
    count = 1 if source.kind is Kind.WATCH else FIRST_ITEMS
    times = [int(now_s) - 3600 * (count - place) for place in range(count)]
    items = tuple(
        Item(key, 1, time_s if source.dated else None)
        for key, time_s in zip(range(1, count + 1), times, strict=True)
    )
    return Held(items, (), count + 1)


def following(source: Source, held: Held, dice: random.Random, now_s: float) -> tuple[Act, Held] | None:
    """The next act, and what is held after it; None where there is nothing to be done."""
    act = dice.choices(list(WEIGHTS), list(WEIGHTS.values()))[0]
    if not may(source, act):
        return None
    apart_s = APART_S if source.kind in LOCAL else 0.0
    if act is Act.PUBLISH:
        item = Item(held.next_key, 1, int(now_s) if source.dated else None, at_s=now_s)
        items = (*held.items, item)
        # a document shows the newest; a folder keeps all
        shown = items if source.kind is Kind.FOLDER else items[-SHOWN:]
        return act, Held(shown, held.gone, held.next_key + 1)
    among = held.gone if act is Act.BRING_BACK else held.items
    free = [item for item in among if now_s - item.at_s >= apart_s]
    if not free or (act is Act.TAKE_OUT and len(held.items) < 3):
        return None
    item = dice.choice(free)
    others = tuple(each for each in held.items if each.key != item.key)
    if act is Act.TAKE_OUT:
        return act, held._replace(items=others, gone=(*held.gone, item._replace(at_s=now_s)))
    if act is Act.BRING_BACK:
        gone = tuple(each for each in held.gone if each.key != item.key)
        return act, held._replace(items=in_order((*others, item._replace(at_s=now_s))), gone=gone)
    changed = acted(item, act, now_s)
    return changed and (act, held._replace(items=in_order((*others, changed))))


def may(source: Source, act: Act) -> bool:
    match source.kind:
        case Kind.FOLDER:
            return True
        case Kind.WATCH:
            return act in {Act.EDIT, Act.REVERT, Act.DRESS}
        case Kind.SITEMAP:
            return act in OF_SITEMAPS
        case _:
            return act not in OF_FOLDERS and (source.dated or act not in {Act.EDIT_SILENTLY, Act.REDATE})


def acted(item: Item, act: Act, now_s: float) -> Item | None:
    """The item after one of the acts that change it."""
    item = item._replace(at_s=now_s)
    # a time that moves is another one, however fast the play goes
    later_s = None if item.stated_s is None else max(int(now_s), item.stated_s + 1)
    match act:
        case Act.EDIT:
            return item._replace(edition=item.highest + 1, highest=item.highest + 1, stated_s=later_s)
        case Act.EDIT_SILENTLY:
            return item._replace(edition=item.highest + 1, highest=item.highest + 1)
        case Act.REVERT if item.edition > 1 and not item.returned:
            return item._replace(edition=item.edition - 1, returned=True)
        case Act.REDATE:
            return item._replace(stated_s=later_s)
        case Act.DRESS:
            return item._replace(dress=item.dress + 1)
        case Act.RENAME:
            return item._replace(path=item.path + 1)
        case _:
            return None


def in_order(items: tuple[Item, ...]) -> tuple[Item, ...]:
    return tuple(sorted(items, key=lambda item: item.key))


class Fate(StrEnum):
    """What becomes of a request."""

    WELL = auto()
    ERROR = auto()  # 500
    BUSY = auto()  # 429 with Retry-After
    AWAY = auto()  # 503
    HANG = auto()
    RESET = auto()  # before a word
    TRUNCATED = auto()  # the connection ends within the body
    NONSENSE = auto()  # 200, and no such document
    GONE = auto()  # 410
    MISSING = auto()  # 404
    MISLABELLED = auto()  # well, under a charset that it is not in


ILL = (Fate.ERROR, Fate.BUSY, Fate.AWAY, Fate.HANG, Fate.RESET, Fate.TRUNCATED, Fate.NONSENSE)
ILL_PART = 0.015  # of the requests
DEAD_LONG = (4.0, 10.0)  # hours during which a host answers nobody, long enough to count as failing
MISSED = (5.0, 13.0)  # hours during which a watched page is not found
GONE_FROM = 8.0  # hour


def fate(source: Source, hour: float, dice: random.Random) -> Fate:
    """What becomes of a request at that hour. Each hour one host is dead, another one for six."""
    place = source.number % HOSTS
    if place == int(hour) % HOSTS or (place == HOSTS - 1 and DEAD_LONG[0] <= hour < DEAD_LONG[1]):
        return Fate.RESET
    if source.kind is Kind.WATCH and source.number % 3 == 0 and MISSED[0] <= hour < MISSED[1]:
        return Fate.MISSING
    if is_leaving(source) and hour >= GONE_FROM:
        return Fate.GONE
    if dice.random() < ILL_PART:
        return dice.choice(ILL)
    return Fate.MISLABELLED if source.kind in FEEDS and dice.random() < 0.1 else Fate.WELL


def is_leaving(source: Source) -> bool:
    """Whether the source is gone for good from some hour on."""
    return source.kind is Kind.ATOM and source.number % 50 == 30
