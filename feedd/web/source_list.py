"""The page of all sources: how each is, narrowed down and put in order as asked."""

import re
from collections.abc import Sequence
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.responses import Response

from feedd.config.settings import Config
from feedd.config.sources import Source
from feedd.publish.cache import Feeds
from feedd.store.reader import SourceRow
from feedd.web.look import Look
from feedd.web.pages import page
from feedd.web.parameters import Query, chosen

ON_A_PAGE = 100
NAMED_OUT = 200  # sources that left the configuration
LONGEST = 200  # characters that are looked for
PAGE = re.compile(r"[1-9][0-9]{0,4}")


class State(StrEnum):
    """How a source is, the most urgent first; its value is what people read."""

    FAILING = "failing"
    PAUSED = "paused"
    NEW = "not looked at yet"
    OK = "in order"


URGENCY = tuple(State)
NARROWED = ("failing", "paused", "ok")  # values of `state`
SORTED = ("name", "state")  # values of `sort`


def state_of(row: SourceRow, *, by_configuration: bool = False) -> State:
    """`by_configuration`: it is paused there. What is paused does not fail any more, whatever the last look came to."""
    if by_configuration or row.paused is not None:
        return State.PAUSED
    if row.error is not None:
        return State.FAILING
    return State.OK if row.last_checked_ms is not None else State.NEW


class Shown(NamedTuple):
    """A source of the configuration, with what the store knows of it."""

    row: SourceRow
    source: Source

    @property
    def is_paused(self) -> bool:
        return self.source.paused or self.row.paused is not None

    @property
    def state(self) -> State:
        return state_of(self.row, by_configuration=self.source.paused)

    def is_in(self, state: str) -> bool:
        match state:
            case "failing":
                return self.state is State.FAILING
            case "paused":
                return self.state is State.PAUSED
            case "ok":
                return self.state in {State.OK, State.NEW}
            case _:
                return True

    def says(self, words: Sequence[str]) -> bool:
        """Whether each of these words is part of its name, its title or a tag."""
        text = "\n".join((self.row.name, self.source.heading, *self.source.tags)).casefold()
        return all(word in text for word in words)


class Asked(NamedTuple):
    """What a request for the list says."""

    state: str = ""
    q: str = ""
    sort: str = "name"
    page: int = 1

    def to(self, **changes: object) -> str:
        """The address of the list with that changed; it begins anew, unless a page is named."""
        wanted = self._replace(page=1)._replace(**changes)  # type: ignore[arg-type]
        said = {name: value for name, value in wanted._asdict().items() if value != getattr(Asked(), name)}
        return f"/sources?{urlencode(said)}" if said else "/sources"


class Counts(NamedTuple):
    all: int
    failing: int
    paused: int
    ok: int


def asked(query: Query) -> Asked:
    """Raises HTTPException."""
    text, number = query.get("q", "").strip(), query.get("page", "1")
    if len(text) > LONGEST:
        raise HTTPException(400, f"q has at most {LONGEST} characters.")
    if not PAGE.fullmatch(number):
        raise HTTPException(400, "page is a whole number from 1 on.")
    state, sort = chosen(query, "state", ("", *NARROWED), ""), chosen(query, "sort", SORTED, SORTED[0])
    return Asked(state, text, sort, int(number))


def shown(config: Config, rows: Sequence[SourceRow]) -> list[Shown]:
    """Those of the configuration."""
    found = ((row, config.source(row.name)) for row in rows)
    return [Shown(row, source) for row, source in found if source is not None]


def narrowed(sources: Sequence[Shown], wanted: Asked) -> list[Shown]:
    """By what they are called, where people read it; or the most urgent first."""
    words = wanted.q.casefold().split()
    found = [each for each in sources if each.is_in(wanted.state) and each.says(words)]
    found.sort(key=lambda each: (each.source.heading.casefold(), each.row.name))
    if wanted.sort == "state":
        found.sort(key=lambda each: URGENCY.index(each.state))
    return found


def counted(sources: Sequence[Shown]) -> Counts:
    return Counts(len(sources), *(sum(each.is_in(state) for each in sources) for state in NARROWED))


def source_list(look: Look, config: Config, feeds: Feeds, wanted: Asked) -> Response:
    """Raises HTTPException."""
    rows = list(map(look.viewer.shown, feeds.reader.sources()))
    sources = shown(config, rows)
    found = narrowed(sources, wanted)
    pages = max(1, -(-len(found) // ON_A_PAGE))
    if wanted.page > pages:
        raise HTTPException(404, f"There are {pages} pages.")
    first = (wanted.page - 1) * ON_A_PAGE
    out = [row for row in rows if row.name not in config.by_name]
    return page(
        look,
        "sources.html",
        asked=wanted,
        sources=found[first : first + ON_A_PAGE],
        found=len(found),
        pages=pages,
        counts=counted(sources),
        entries=sum(each.row.entries for each in sources),
        out=out[:NAMED_OUT],
        out_count=len(out),
        longest=LONGEST,
    )
