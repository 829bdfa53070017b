"""Which feeds there are, from the configuration: `all`, one a source, and those of `[feeds]`."""

import re
from typing import NamedTuple

from feedd import __version__
from feedd.config.settings import Config, Feed, Rules, digest
from feedd.normalise.text import FORBIDDEN, plain_text
from feedd.store.reader import Entry


class Plan(NamedTuple):
    """A feed as it was asked for."""

    name: str
    title: str
    sources: tuple[str, ...] | None  # None: every source, also those that left the configuration
    match: Rules
    reject: Rules
    limit: int
    content: str  # full | summary
    language: str | None

    def shows(self, entry: Entry) -> bool:
        """Every rule of `match` must be met, and none of `reject`."""
        wanted, unwanted = patterns(self.match), patterns(self.reject)
        if not (wanted or unwanted):
            return True
        text = plain_text(entry.content_html) if "text" in wanted or "text" in unwanted else ""
        # author and category: a seed file states neither
        parts = {"title": entry.title, "url": entry.url, "text": text, "author": "", "category": ""}
        return all(pattern.search(parts[part]) for part, pattern in wanted.items()) and not any(
            pattern.search(parts[part]) for part, pattern in unwanted.items()
        )


def patterns(rules: Rules) -> dict[str, re.Pattern[str]]:
    return {part: pattern for part in Rules.model_fields if (pattern := getattr(rules, part)) is not None}


def plans(config: Config) -> dict[str, Plan]:
    """All feeds by name, in the order in which they are listed."""
    configured = {feed.name: feed for feed in config.feeds}
    made = {"all": plan(config, configured.get("all", Feed(name="all", title="All entries")), None)}
    for source in config.sources:
        feed = configured.get(source.name, Feed(name=source.name))
        title = feed.title or source.title or source.name
        made[source.name] = plan(config, feed.model_copy(update={"title": title}), (source.name,))
    for name, feed in configured.items():
        if name not in made:
            made[name] = plan(config, feed, chosen(config, feed))
    return made


def settings(config: Config) -> list[tuple[str, str]]:
    """Each feed's name, and a digest of all that changes its documents besides the entries."""
    sources = [(source.name, source.title, source.priority) for source in config.sources]
    around = (__version__, config.server.public_url, sources)
    return [
        (each.name, digest(*each, spelled(each.match), spelled(each.reject), around))
        for each in plans(config).values()
    ]


def spelled(rules: Rules) -> dict[str, str]:
    """The patterns in full: `repr` cuts a long one."""
    return {part: pattern.pattern for part, pattern in patterns(rules).items()}


def chosen(config: Config, feed: Feed) -> tuple[str, ...] | None:
    """The names of a feed's sources, tags resolved."""
    if feed.sources is None:
        return None
    wanted = set(feed.sources)
    return tuple(
        source.name
        for source in config.sources
        if source.name in wanted or wanted & {f"tag:{tag}" for tag in source.tags}
    )


def plan(config: Config, feed: Feed, sources: tuple[str, ...] | None) -> Plan:
    languages = {source.language for source in config.sources if sources is None or source.name in sources}
    language = languages.pop() if len(languages) == 1 else None
    title = FORBIDDEN.sub("", feed.title or "").strip() or feed.name
    return Plan(feed.name, title, sources, feed.match, feed.reject, feed.limit, feed.content, language)
