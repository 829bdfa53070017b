"""Which changes a channel, or a stream of events, is told of. Pure but for the texts that rules ask for."""

from collections.abc import Collection, Sequence
from typing import NamedTuple, Protocol

from feedd.config.channels import Notify
from feedd.config.settings import Config
from feedd.model import Kind, Significance
from feedd.publish.plan import HEALTH, Plan, plans, sources_named
from feedd.rules import Filter, Parts
from feedd.search.matching import Subject, admits
from feedd.search.query import Query
from feedd.store.log import Logged

OF_SOURCES = frozenset(kind for kind in Kind if kind.startswith("source-"))
COMES_AND_GOES = frozenset({Kind.REMOVED, Kind.RESTORED})
OF_EDITS = frozenset({Kind.EDITED, Kind.SILENT_EDIT, Kind.REVERTED})


class Known(Protocol):
    """What is asked of the store about a change, where a wish needs it."""

    def ends(self, logged: Logged, within: Collection[str] | None = None) -> Sequence[Parts]:
        """What the entry is now, as one of these sources has it (None: any), and what stood at either end of the change."""

    def holders(self, logged: Logged) -> Collection[str]:
        """The sources that have a version of the entry."""


class Wish(NamedTuple):
    """What lets a change in: all that is given must hold."""

    kinds: frozenset[Kind]
    sources: frozenset[str] | None = None  # None: all
    substantial: bool = False  # no edits that are less
    rules: Filter = Filter()
    query: Query | None = None  # what a feed asks for

    def admits(self, logged: Logged, known: Known) -> bool:
        """Whether it does. Rules look at entries alone: that a source fails is no article's matter."""
        if logged.kind not in self.kinds or not self.is_from_here(logged, known):
            return False
        if (
            self.substantial
            and logged.kind in OF_EDITS
            and logged.significance is not Significance.SUBSTANTIAL
        ):
            return False
        if logged.entry_id is None or not (any(self.rules) or self.query):
            return True
        return any(self.lets_in(parts, logged.at_ms) for parts in known.ends(logged, self.sources))

    def lets_in(self, parts: Parts, at_ms: int) -> bool:
        if self.rules.objection(parts) is not None:
            return False
        if self.query is None:
            return True
        subject = Subject(
            parts.title,
            parts.text,
            parts.authors,
            parts.categories,
            parts.sources,
            parts.published_ms,
            parts.edited_ms,
        )
        return admits(self.query, subject, at_ms)

    def is_from_here(self, logged: Logged, known: Known) -> bool:
        if self.sources is None or logged.source in self.sources:
            return True
        # an entry comes and goes for every source that has it, whichever noticed
        return logged.kind in COMES_AND_GOES and not self.sources.isdisjoint(known.holders(logged))


class Audience(NamedTuple):
    """What somebody wants to be told: what every wish of `all_of` admits, and one of `one_of` at least."""

    all_of: Wish
    one_of: tuple[Wish, ...] = ()

    def wants(self, logged: Logged, known: Known) -> bool:
        if not self.all_of.admits(logged, known):
            return False
        return not self.one_of or any(wish.admits(logged, known) for wish in self.one_of)


def of_feed(plan: Plan, kinds: Collection[Kind] = tuple(Kind)) -> Wish:
    """What a feed tells: of its sources, what its rules let in."""
    some = frozenset(kinds)
    if plan.name == HEALTH:
        return Wish(some & OF_SOURCES)
    if plan.changes is not None:
        some -= OF_SOURCES | {Kind.ADDED}
    sources = None if plan.sources is None else frozenset(plan.sources)
    return Wish(some, sources, plan.changes == "substantial", plan.filter, plan.query)


def of_channel(channel: Notify, config: Config) -> Audience:
    """What the configuration says of a channel."""
    named = frozenset(sources_named(config, channel.sources)) if channel.sources else None
    rules = Filter(channel.match.patterns, channel.reject.patterns)
    every = Wish(frozenset(channel.on), named, channel.min_significance == "substantial", rules)
    feeds = plans(config)
    return Audience(every, tuple(of_feed(feeds[name]) for name in dict.fromkeys(channel.feeds)))
