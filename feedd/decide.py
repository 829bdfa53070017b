"""What a look means: stored versions + one item → a verdict. Pure; every rule of identity and change is here.

An item is compared with what its own location held last, or, at a new location, with the newest version of
its entry in its source. Items of one pass with one URL are folded into one change.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from feedd.model import Article, Item, Kind, Significance, Version
from feedd.normalise.text import fold


class Verdict(NamedTuple):
    """What is to be done with an item, and what is told of it."""

    kind: Kind | None  # the change to tell; None: nobody is told
    keeps_revision: bool
    newest: bool  # the revision becomes the one that its source shows
    significance: Significance = Significance.NONE
    reasons: tuple[str, ...] = ()
    because: str = ""  # in words, for `explain` and `test`


class Judged(NamedTuple):
    level: Significance
    reasons: tuple[str, ...]


Words = tuple[str, bytes]  # folded title and fingerprint of the text


@dataclass(slots=True)
class EntryState:
    """What is known of one entry, as seen from one source, while a batch is decided."""

    known: bool = False
    removed: bool = False
    newest: Version | None = None  # in this source
    stands: bool = True  # some location of this source still holds the newest
    hashes: dict[bytes, int] = field(
        default_factory=dict
    )  # contents of all its versions in this source → revision
    told: bool = False  # in this pass; or this pass is the first to find it in this source
    told_elsewhere: set[Words] = field(default_factory=set)  # of its versions that other sources told


class Pass(NamedTuple):
    """One look at one source."""

    source_id: int
    number: int
    first: bool  # no pass over the source was completed yet: it is silent
    now_ms: int
    rebase: bool = False  # the source's settings changed since its last whole pass
    anew: bool = False  # another document is read than before: no difference says anything
    gone: frozenset[str] = frozenset()  # locations that hold nothing any more
    present: frozenset[str] | None = None  # all that the document names, where it is a window on more

    def stands(self, location: str) -> bool:
        """Whether the location holds what it held last, as far as this look can tell."""
        return location not in self.gone and (self.present is None or location in self.present)


DUPLICATE = Verdict(None, keeps_revision=False, newest=False, because="the same content as before")


def decide(item: Item, held: Version | None, state: EntryState, look: Pass) -> Verdict:
    """Judge one item. `held` is the version of this entry that the item's location held last, if it did."""
    article, newest = item.article, state.newest
    if not state.known:
        return told(Kind.ADDED, Judged(Significance.SUBSTANTIAL, ()), "no source held an entry with this URL")
    if state.removed:
        return restored(article, held or newest)
    if newest is None:
        because = "another source had this entry first"
        return Verdict(None, keeps_revision=True, newest=True, because=because)
    if look.present is not None and not state.stands:
        held = None  # the publisher took away what was newest: what this place held before that is old
    if article.content_hash in {newest.content_hash, held.content_hash if held else None}:
        return DUPLICATE
    if state.told and (newest.pass_number != look.number or newest.location != item.location):
        return folded(item, state, newest)
    if held is None and state.stands and is_late(item, newest):
        because = "an older version that arrived late takes its place in the history"
        keeps = article.content_hash not in state.hashes
        return Verdict(None, keeps_revision=keeps, newest=False, because=because)
    return changed(item, held or newest, state)


def superseded(item: Item, state: EntryState) -> Verdict:
    """Judge an item whose document holds a newer one at the same location, which was judged before."""
    keeps = item.article.content_hash not in state.hashes
    return Verdict(
        None, keeps_revision=keeps, newest=False, because="the document holds a newer version of it"
    )


def restored(article: Article, before: Version | None) -> Verdict:
    keeps = before is None or before.content_hash != article.content_hash
    judged = Judged(Significance.SUBSTANTIAL, ("restored",))
    verdict = told(Kind.RESTORED, judged, "the entry had been removed and is back")
    return verdict._replace(keeps_revision=keeps, newest=keeps)


def folded(item: Item, state: EntryState, newest: Version) -> Verdict:
    """The entry was found at another location in this very pass: one change tells of both."""
    because = "found under this URL at another place in the same pass"
    is_newest = not is_older(item, newest)
    keeps = is_newest or item.article.content_hash not in state.hashes
    return Verdict(None, keeps_revision=keeps, newest=is_newest, because=because)


def changed(item: Item, before: Version, state: EntryState) -> Verdict:
    article = item.article
    if not before.comparable or before.provisional != item.provisional:
        because = "the source's settings changed: a new base to compare with"
        if before.provisional:
            because = "the article itself, in place of the summary that stood in for it"
        return Verdict(None, keeps_revision=True, newest=True, because=because)
    judged = significance(before, article)
    if judged.level is Significance.NONE:
        because = "only mark-up or typography differs"
        return Verdict(None, keeps_revision=True, newest=True, because=because)
    if words(article) in state.told_elsewhere:
        because = "another source told this version already"
        return Verdict(None, keeps_revision=True, newest=True, because=because)
    if article.content_hash in state.hashes:
        return told(Kind.REVERTED, judged, "the content is that of an earlier version")
    if item.stated_ms is not None and item.stated_ms == before.stated_ms:
        return told(Kind.SILENT_EDIT, judged, "other content under the same stated time")
    return told(Kind.EDITED, judged, "other content")


def told(kind: Kind, judged: Judged, because: str) -> Verdict:
    return Verdict(kind, True, True, judged.level, judged.reasons, because)


def significance(before: Version, article: Article) -> Judged:
    """How much the change from one version to the next says. In doubt it is substantial."""
    reasons = []
    if fold(before.title) != fold(article.title):
        reasons.append("title")
    if before.fingerprint != article.fingerprint:
        reasons.append("text")
    if before.links_hash != article.links_hash:
        reasons.append("links or pictures")
    if before.authors != article.details.authors:
        reasons.append("author")
    return Judged(Significance.SUBSTANTIAL if reasons else Significance.NONE, tuple(reasons))


def words(version: Article | Version) -> Words:
    return fold(version.title), version.fingerprint


def is_older(item: Item, version: Version) -> bool:
    """Whether the item comes before the version: by time, then by path."""
    return (item.time_ms, item.location) < (version.time_ms, version.location)


def is_late(item: Item, version: Version) -> bool:
    """Whether the item states an earlier time than the version; under the same time, or none, it is an edit."""
    if item.stated_ms is None or version.stated_ms is None:
        return False
    return item.stated_ms < version.stated_ms


def after(state: EntryState, item: Item, verdict: Verdict, look: Pass, revision_id: int) -> None:
    """Bring `state` up to date with what was decided, so that the next item of the batch sees it."""
    state.told = state.told or verdict.kind is not None or state.newest is None
    state.known, state.removed = True, False
    if not verdict.keeps_revision:
        if state.newest is not None and state.newest.content_hash == item.article.content_hash:
            state.newest = also_at(state.newest, item.stated_ms, item.time_ms, item.location)
        return
    state.hashes[item.article.content_hash] = revision_id
    if verdict.newest:
        state.newest, state.stands = version_of(item, look, revision_id), True


def also_at(version: Version, stated_ms: int | None, time_ms: int, location: str) -> Version:
    """The version, known to stand at another place, too: it is as new as the newest of its places."""
    if (time_ms, location) < (version.time_ms, version.location):
        return version
    return version._replace(stated_ms=stated_ms, time_ms=time_ms, location=location)


def version_of(item: Item, look: Pass, revision_id: int) -> Version:
    article = item.article
    return Version(
        revision_id,
        article.title,
        article.content_hash,
        article.fingerprint,
        article.links_hash,
        item.stated_ms,
        item.time_ms,
        item.location,
        look.number,
        article.details.authors,
        item.provisional,
    )


def in_order(items: list[Item]) -> list[Item]:
    """The items by path, but those with one URL by time first, so that the newest of them comes last."""
    by_uid: dict[str, list[Item]] = {}
    for item in sorted(items, key=lambda item: item.location):
        by_uid.setdefault(item.article.uid, []).append(item)
    for same in by_uid.values():
        if len(same) > 1:
            same.sort(key=lambda item: (item.time_ms, item.location))
    return [item for same in by_uid.values() for item in same]


def parted(items: list[Item]) -> tuple[list[Item], list[Item]]:
    """The items that their locations hold, and those that a newer one at the same location supersedes, in order."""
    last = {(item.article.uid, item.location): place for place, item in enumerate(items)}
    held = [item for place, item in enumerate(items) if last[item.article.uid, item.location] == place]
    if len(held) == len(items):
        return items, []
    return held, [item for place, item in enumerate(items) if last[item.article.uid, item.location] != place]


class Removals(NamedTuple):
    """Locations that are gone, and whether taking their entries away can be right."""

    entries: int  # that would be removed
    of: int  # that the source holds


def is_suspicious(removals: Removals) -> bool:
    """More than 20 entries and 10 % of a source at one look is a fault more often than a decision."""
    return removals.entries > 20 and removals.entries * 10 > removals.of


def tally_field(verdict: Verdict) -> str:
    """The count of a Tally that an item with this verdict goes into."""
    return COUNTED_AS[verdict.kind]


COUNTED_AS: Mapping[Kind | None, str] = {
    None: "duplicates",
    Kind.ADDED: "added",
    Kind.EDITED: "edited",
    Kind.SILENT_EDIT: "silent_edited",
    Kind.REVERTED: "reverted",
    Kind.RESTORED: "restored",
}
