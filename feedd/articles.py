"""The articles behind the items of a document: what was found of them so far, and what can be said before asking."""

from dataclasses import dataclass, field
from http import HTTPStatus

from feedd.errors import BadStatus, SelectorRot, SourceError
from feedd.model import Item, Rejected
from feedd.normalise.url import shown
from feedd.rules import Filter, Parts
from feedd.sources.items import Draft, Made

TRY_LATER = frozenset({HTTPStatus.TOO_MANY_REQUESTS})
BEFORE = frozenset({"title", "url"})  # parts that are known before the article is


@dataclass(slots=True)
class Articles:
    """What a look found of them."""

    items: list[Item] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    known: int = 0  # that are as they were
    asked: int = 0  # pages that were asked for
    again: bool = False  # something is to be tried again even if the document does not change
    unfinished: bool = False  # some are for the next look, and nothing stands in for them
    resting: dict[str, int | None] = field(default_factory=dict)  # hosts to leave alone, and until when

    def add(self, draft: Draft, made: Made, *, seen: bytes | None) -> None:
        """What rules leave out after it was read is remembered, too."""
        self.items += [item._replace(seen=seen) for item in made.items]
        location = draft.identity.location
        self.rejected += [each._replace(location=location, seen=seen) for each in made.rejected]

    def refuse(self, draft: Draft, why: str) -> None:
        self.rejected.append(Rejected(shown(draft.url or draft.identity.location), why))

    def rest(self, host: str, error: SourceError) -> None:
        """Leave a host alone that asked for it, or that can't cope."""
        if isinstance(error, BadStatus) and (error.retry_after_ms or error.status in TRY_LATER):
            self.resting[host] = error.retry_after_ms


def objection(draft: Draft, rules: Filter) -> str | None:
    """Which rule leaves the item out whatever its article says."""
    if not draft.raw.title:
        return None
    early = Filter(
        tuple(each for each in rules.match if each[0] in BEFORE),
        tuple(each for each in rules.reject if each[0] in BEFORE),
    )
    return early.objection(Parts(draft.raw.title, draft.url or "", str))


def is_lasting(error: SourceError) -> bool:
    """Whether asking again will hardly help: the item changes, or nothing does."""
    if isinstance(error, BadStatus):
        return error.status < 500 and error.status not in TRY_LATER and not error.retry_after_ms
    return isinstance(error, SelectorRot)
