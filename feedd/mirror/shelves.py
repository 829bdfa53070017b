"""The folders of an archive: one for each source and feed that it is of. Pure."""

from collections.abc import Mapping
from typing import NamedTuple

from feedd.config.base import digest
from feedd.config.mirrors import Mirror
from feedd.config.settings import Config, Feed
from feedd.publish.archive import rules_of
from feedd.publish.plan import Plan, plan, plans


class Shelf(NamedTuple):
    """A folder, and what goes into it."""

    name: str
    title: str
    plan: Plan
    rules: str  # a digest of all that chooses, names and lists its articles


def shelves(config: Config, mirror: Mirror) -> tuple[Shelf, ...]:
    """In the order of the configuration, sources first."""
    priorities = {source.name: source.priority for source in config.sources}
    over = [
        plan(config, Feed(name=source.name, title=source.heading), (source.name,))
        for source in config.sources
        if mirror.takes(source)
    ]  # all that the source has, whatever its feed shows
    known = plans(config) if mirror.feeds else {}
    over += [known[name] for name in mirror.feeds]
    return tuple(Shelf(each.name, each.title, each, rules(each, mirror, priorities)) for each in over)


def rules(of: Plan, mirror: Mirror, priorities: Mapping[str, int]) -> str:
    several = sorted(priorities.items()) if of.sources is None or len(of.sources) > 1 else []
    return digest(rules_of(of), of.title, mirror.list, several)
