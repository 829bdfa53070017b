"""What an import would append to the configuration: pure."""

from collections.abc import Sequence
from typing import NamedTuple

from feedd.config.settings import Config
from feedd.config.sources import FeedSource
from feedd.config.values import web_url
from feedd.exchange.naming import Namer
from feedd.exchange.opml_in import Subscription
from feedd.exchange.toml_file import NewSource
from feedd.normalise.url import BadUrl, canonical, shown


class Planned(NamedTuple):
    imported: tuple[NewSource, ...]
    skipped: tuple[tuple[str, str], ...]  # what, and why


def planned(config: Config, wanted: Sequence[Subscription]) -> Planned:
    """Each subscription that the configuration lacks, as a source with a name of its own."""
    known, namer = subscribed(config), Namer(names(config))
    imported, skipped = [], []
    for each in wanted:
        what = shown(each.title or each.url)
        try:
            key = canonical(web_url(each.url), ignore_scheme=True)
        except ValueError as error:
            skipped.append((what, str(error)))
            continue
        if name := known.get(key):
            skipped.append((what, f"it is in the configuration already, as {name}"))
            continue
        new = new_source(namer, each)
        known[key] = new.name
        imported.append(new)
    return Planned(tuple(imported), tuple(skipped))


def new_source(namer: Namer, each: Subscription) -> NewSource:
    name = namer.name(each.title, each.url)
    title = each.title if each.title not in {"", name} else None
    return NewSource(name, each.url, title, each.tags)


def subscribed(config: Config) -> dict[str, str]:
    """The feeds of the configuration: names by canonical URL, in which http and https are one."""
    found: dict[str, str] = {}
    for source in config.sources:
        if isinstance(source, FeedSource):
            try:
                found.setdefault(canonical(source.url, ignore_scheme=True), source.name)
            except BadUrl:
                continue  # the source fails by itself, and says so
    return found


def names(config: Config) -> list[str]:
    """What no new source may be called: the names of sources, and of feeds of their own."""
    return [each.name for each in (*config.sources, *config.feeds)]
