"""What differs between the configuration in force and the one that is to follow it. Pure."""

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from feedd.config.base import Settings
from feedd.config.settings import Config

NAMED = 5  # of what differs; more are counted


class Parts(NamedTuple):
    """Names of what came, changed and went."""

    added: frozenset[str] = frozenset()
    changed: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()


class Difference(NamedTuple):
    sources: Parts
    feeds: Parts
    channels: Parts
    others: tuple[str, ...]  # sections of the file that differ besides
    fixed: tuple[str, ...]  # keys that only another start can change

    @property
    def in_words(self) -> str:
        told = [
            *some(self.sources, "source", "sources"),
            *some(self.feeds, "feed", "feeds"),
            *some(self.channels, "channel", "channels"),
            *(f"[{section}] changed" for section in self.others),
        ]
        return ", ".join(told) or "nothing changed"


def difference(old: Config, new: Config) -> Difference:
    sections = ("server", "fetch", "websub", "publish", "mirrors")
    others = [each for each in sections if getattr(old, each) != getattr(new, each)]
    return Difference(
        parts(old.by_name, new.by_name),
        parts({each.name: each for each in old.feeds}, {each.name: each for each in new.feeds}),
        parts({each.name: each for each in old.channels}, {each.name: each for each in new.channels}),
        tuple("archive" if each == "mirrors" else each for each in others),
        tuple(fixed(old, new)),
    )


def parts(old: Mapping[str, Settings], new: Mapping[str, Settings]) -> Parts:
    both = old.keys() & new.keys()
    changed = frozenset(name for name in both if old[name] != new[name])
    return Parts(frozenset(new.keys() - both), changed, frozenset(old.keys() - both))


def fixed(old: Config, new: Config) -> Iterable[str]:
    if old.server.listen != new.server.listen:
        yield "server.listen"
    if old.store.path != new.store.path:
        yield "store.path"
    if old.cluster != new.cluster:
        yield "cluster"


def with_fixed(old: Config, new: Config) -> Config:
    """`new`, but where only another start can change it."""
    server = new.server.model_copy(update={"listen": old.server.listen})
    if new.server.base_url is None and old.server.listen != new.server.listen:
        server = server.model_copy(update={"base_url": old.server.base_url})
    return new.model_copy(update={"server": server, "store": old.store, "cluster": old.cluster})


def some(names: Parts, one: str, many: str) -> Iterable[str]:
    for what, which in zip(Parts._fields, names, strict=True):
        if which:
            shown = ", ".join(sorted(which)[:NAMED]) + (", …" if len(which) > NAMED else "")
            yield f"{len(which):,} {one if len(which) == 1 else many} {what} ({shown})"
