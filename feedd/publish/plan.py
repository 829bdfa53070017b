"""Which feeds there are, from the configuration: `all`, `changes`, `health`, one a source, and those of `[feeds]`."""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from typing import NamedTuple

from feedd import __version__
from feedd.config.base import digest
from feedd.config.channels import WebSubChannel
from feedd.config.settings import Config, Feed
from feedd.errors import FetchError
from feedd.fetch.address import read
from feedd.looks import now_ms
from feedd.normalise.text import FORBIDDEN, plain_text
from feedd.publish.item import Item
from feedd.rules import Filter, Parts
from feedd.search.matching import Subject, admits
from feedd.search.query import Query, Tagged, bound, parse
from feedd.search.query import spelled as tag_spelled
from feedd.store.reader import Entry

CHANGES = "changes"
HEALTH = "health"


class Plan(NamedTuple):
    """A feed as it was asked for."""

    name: str
    title: str
    sources: tuple[str, ...] | None  # None: every source, also those that left the configuration
    filter: Filter
    limit: int
    content: str  # full | summary
    language: str | None
    changes: str | None = None  # all | substantial: it shows changes, not entries
    hubs: tuple[str, ...] = ()  # addresses of WebSub hubs that push the feed
    query: Query | None = None  # what its entries must match

    @property
    def shows_notices(self) -> bool:
        """Whether its items are no entries."""
        return self.name == HEALTH or self.changes is not None

    def shows(self, entry: Item) -> bool:
        """Whether the rules of the feed let the entry in."""
        return self.passes(entry) and (self.query is None or admits(self.query, subject_of(entry), now_ms()))

    def passes(self, entry: Item) -> bool:
        """Whether `match` and `reject` do."""
        said = entry.details
        parts = Parts(
            entry.title, entry.url, lambda: plain_text(entry.content_html), said.authors, said.categories
        )
        return self.filter.objection(parts) is None


def subject_of(entry: Item, in_feed: Callable[[str], bool] = lambda _: False) -> Subject:
    """An entry as queries see it. A notice has one source, and was never edited."""
    sources: tuple[str, ...] = (entry.source,)
    edited_ms = None
    if isinstance(entry, Entry):
        sources = entry.sources
        edited_ms = entry.changed_ms if entry.revisions > len(sources) else None
    said = entry.details
    return Subject(
        entry.title,
        lambda: plain_text(entry.content_html),
        said.authors,
        said.categories,
        sources,
        entry.published_ms,
        edited_ms,
        in_feed,
    )


def tags_of(config: Config) -> Mapping[str, frozenset[str]]:
    """The sources of each tag, spelled as queries spell it."""
    found: dict[str, set[str]] = {}
    for source in config.sources:
        for tag in source.tags:
            found.setdefault(tag_spelled(tag), set()).add(source.name)
    return {tag: frozenset(names) for tag, names in found.items()}


def plans(config: Config) -> dict[str, Plan]:
    """All feeds by name, in the order in which they are listed."""
    configured = {feed.name: feed for feed in config.feeds}
    made = {"all": plan(config, configured.get("all", Feed(name="all", title="All entries")), None)}
    changes = configured.get(CHANGES, Feed(name=CHANGES))
    settled = {"title": changes.title or "What changed", "changes": changes.changes or "all"}
    made[CHANGES] = plan(config, changes.model_copy(update=settled), None)
    made[HEALTH] = plan(config, configured.get(HEALTH, Feed(name=HEALTH, title="Health of the sources")), ())
    for source in config.sources:
        feed = configured.get(source.name, Feed(name=source.name))
        title = feed.title or source.heading
        made[source.name] = plan(config, feed.model_copy(update={"title": title}), (source.name,))
    for name, feed in configured.items():
        if name not in made:
            made[name] = plan(config, feed, chosen(config, feed))
    return made


def settings(config: Config) -> list[tuple[str, str]]:
    """Each feed's name, and a digest of all that changes its documents besides the entries."""
    sources = [(source.name, source.heading, source.priority) for source in config.sources]
    around = digest(__version__, config.server.public_url, sources)
    return [(each.name, digest(*told(each), spelled(each.filter), around)) for each in plans(config).values()]


def told(plan: Plan) -> tuple[object, ...]:
    """All that a plan says; sets in their order, and nothing for a query that there is not."""
    *fields, query = plan
    if query is None:
        return tuple(fields)
    tags = [sorted(each.sources) for each in query.conditions() if isinstance(each, Tagged)]
    return (*fields, query.text, tags)


def spelled(rules: Filter) -> list[tuple[str, str]]:
    """The expressions in full: `repr` cuts a long one."""
    wanted = [(part, pattern.pattern) for part, pattern in rules.match]
    return [*wanted, ("reject", ""), *((part, pattern.pattern) for part, pattern in rules.reject)]


def chosen(config: Config, feed: Feed) -> tuple[str, ...] | None:
    """The names of a feed's sources, tags resolved."""
    if feed.sources is None:
        return None
    return sources_named(config, feed.sources)


def sources_named(config: Config, names: Iterable[str]) -> tuple[str, ...]:
    """The names of sources that `names` and `tag:…` stand for, in the configuration's order."""
    wanted = set(names)
    return tuple(
        source.name
        for source in config.sources
        if source.name in wanted or wanted & {f"tag:{tag}" for tag in source.tags}
    )


def plan(config: Config, feed: Feed, sources: tuple[str, ...] | None) -> Plan:
    over = config.sources if sources is None else [config.by_name[name] for name in sources]
    languages = {source.language for source in over}
    language = languages.pop() if len(languages) == 1 else None
    title = FORBIDDEN.sub("", feed.title or "").strip() or feed.name
    rules = Filter(feed.match.patterns, feed.reject.patterns)
    pushed_by = hubs(config, feed.name)
    query = bound(parse(feed.query), tags_of(config)) if feed.query is not None else None
    return Plan(
        feed.name, title, sources, rules, feed.limit, feed.content, language, feed.changes, pushed_by, query
    )


def own_hub(config: Config) -> str | None:
    """The address of feedd's own hub, if it is one."""
    return f"{config.server.public_url}hub" if config.websub.hub and config.server.public_url else None


def hubs(config: Config, feed: str) -> tuple[str, ...]:
    """The hubs that a feed names (WebSub section 4): feedd's own, then those of channels that tell of the feed.

    The address of such a channel is public, other than that of a webhook: readers subscribe there.
    """
    if config.is_private(feed):  # nobody is told of it without a token
        return ()
    own = own_hub(config)
    addresses = [own] if own else []
    for channel in config.channels:
        if not isinstance(channel, WebSubChannel) or channel.url.missing:
            continue
        if channel.feeds and feed not in channel.feeds:
            continue
        with suppress(FetchError):
            addresses.append(read(channel.url.reveal())[0].url)
    return tuple(dict.fromkeys(addresses))
