"""What a look means: stored versions + one item → a verdict. Pure; every rule of identity and change is here.

How much a change says is judged by `changes.significance`, which needs both texts: `decide` is given a judge.

An item is compared with what its own location held last, or, at a new location, with the newest version of
its entry in its source. Items of one pass with one URL are folded into one change.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from operator import attrgetter
from typing import NamedTuple, Protocol

from feedd.changes.values import Judged
from feedd.model import Article, Item, Kind, Significance, Version
from feedd.normalise.text import fold

LIVE_MS = 30 * 60_000  # over which what a live blog adds is told as one change
EARLIER = 3  # versions before the newest that may come back
GROWING = 3  # versions in a row that only add to what was said: that is how a live blog looks


class Hold(StrEnum):
    """Why a change is kept for now without notice."""

    FLIP_FLOP = "flip-flop"  # its two versions take turns: told when one of them stays
    LIVE = "live"  # of a live blog: told together with what comes next


class Verdict(NamedTuple):
    """What is to be done with an item, and what is told of it."""

    kind: Kind | None  # the change to tell; None: nobody is told
    keeps_revision: bool
    newest: bool  # the revision becomes the one that its source shows
    significance: Significance = Significance.NONE
    reasons: tuple[str, ...] = ()
    because: str = ""  # in words, for `explain` and `test`
    adds_only: bool = False
    hold: Hold | None = None  # why it is not told yet
    releases: bool = False  # what was held back of the entry needs no notice any more
    tells_held: bool = False  # what was held back is told now: nothing that comes can be compared with it
    previous: Version | None = None  # that a change is told from


class Judge(Protocol):
    """Says how much differs between a version and an item; `live`: what a live blog adds says little."""

    def __call__(self, before: Version, item: Item, *, live: bool) -> Judged: ...


Words = tuple[str, bytes, bytes, tuple[str, ...]]  # what is compared but for typography
LATELY = 20  # passes: a return to what an earlier version was but for typography is looked for no longer


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
    versions: list[Version] = field(default_factory=list)  # in this source, in the order of their arrival
    earlier: list[Version] = field(default_factory=list)  # the last ones in this source before the newest
    told_elsewhere: set[Words] = field(
        default_factory=set
    )  # that other sources told, and show, or told since the newest came
    told_ms: int = 0  # when its last change was told
    told_from: Version | None = None  # the version that was told last, if what came later is held back
    growing: int = 0  # versions in a row, the newest last, that only added to what was said


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


def decide(item: Item, held: Version | None, state: EntryState, look: Pass, judge: Judge) -> Verdict:
    """Decide on one item. `held` is the version of this entry that the item's location held last, if it did."""
    article, newest = item.article, state.newest
    if not state.known:
        return NEW
    if state.removed:
        return restored(article, held or newest, state.told_from)
    if newest is None:
        because = "another source had this entry first"
        return Verdict(None, True, True, Significance.SUBSTANTIAL, because=because)
    if look.present is not None and not state.stands:
        held = None  # the publisher took away what was newest: what this place held before that is old
    if article.content_hash in {newest.content_hash, held.content_hash if held else None}:
        return DUPLICATE
    if state.told and (newest.pass_number != look.number or newest.location != item.location):
        return judged_beside(newest, folded(item, state, newest), item, judge)
    if held is None and state.stands and is_late(item, newest):
        because = "an older version that arrived late takes its place in the history"
        keeps = article.content_hash not in state.hashes
        late = Verdict(None, keeps_revision=keeps, newest=False, because=because)
        return judged_beside(newest, late, item, judge)
    return changed(item, held or newest, state, look, judge)


def superseded(item: Item, state: EntryState, judge: Judge) -> Verdict:
    """Decide on an item whose document holds a newer one at the same location, which was decided on before."""
    keeps = item.article.content_hash not in state.hashes
    because = "the document holds a newer version of it"
    verdict = Verdict(None, keeps_revision=keeps, newest=False, because=because)
    return verdict if state.newest is None else judged_beside(state.newest, verdict, item, judge)


def judged_beside(newest: Version, verdict: Verdict, item: Item, judge: Judge) -> Verdict:
    """A version that nobody is told of, with what it says beside the newest one."""
    if not verdict.keeps_revision:
        return verdict
    judged = judge(newest, item, live=False)
    return verdict._replace(significance=judged.level, reasons=judged.reasons)


def restored(article: Article, before: Version | None, told_from: Version | None) -> Verdict:
    """`told_from`: what subscribers know of it, if that is not what it held last."""
    keeps = before is None or before.content_hash != article.content_hash
    judged = Judged(Significance.SUBSTANTIAL, ("restored",))
    verdict = told(Kind.RESTORED, "the entry had been removed and is back", judged, told_from or before)
    return verdict._replace(keeps_revision=keeps, newest=keeps)


def folded(item: Item, state: EntryState, newest: Version) -> Verdict:
    """The entry was found at another location in this very pass: one change tells of both."""
    because = "found under this URL at another place in the same pass"
    is_newest = not is_older(item, newest)
    keeps = is_newest or item.article.content_hash not in state.hashes
    return Verdict(None, keeps_revision=keeps, newest=is_newest, because=because)


def changed(item: Item, before: Version, state: EntryState, look: Pass, judge: Judge) -> Verdict:
    if not before.comparable or before.provisional != item.provisional:
        because = "the source's settings changed: a new base to compare with"
        if before.provisional:
            because = "the article itself, in place of the summary that stood in for it"
        return quiet(because)._replace(tells_held=True)
    if words(before) == words(item.article):  # then there is nothing to be judged
        return quiet(TYPOGRAPHY)
    live = item.live or state.growing >= GROWING
    judged = judge(before, item, live=live)
    if judged.level is Significance.NONE:
        return quiet(TYPOGRAPHY, judged)
    kind, because = kind_of(item, before, state, look, judge)
    verdict = told(kind, because, judged, before)
    if words(item.article) in state.told_elsewhere:
        if kind is Kind.REVERTED:  # it takes turns with what the other source shows
            return verdict._replace(hold=Hold.FLIP_FLOP, releases=False)
        return quiet("another source told this version already", judged)
    if hold := held_back(verdict, state, look, live=live):
        return verdict._replace(hold=hold, releases=False)
    if state.told_from is None:
        return verdict
    since = judge(state.told_from, item, live=live)  # subscribers know nothing of what was held back
    if since.level is Significance.NONE:
        return quiet(BACK, judged)._replace(releases=True)
    return verdict._replace(significance=since.level, reasons=since.reasons, previous=state.told_from)


TYPOGRAPHY = "only mark-up or typography differs"
BACK = "back to what was told last"


def kind_of(item: Item, before: Version, state: EntryState, look: Pass, judge: Judge) -> tuple[Kind, str]:
    """What a change is called, and why."""
    article = item.article
    known = article.content_hash in state.hashes
    if known or was_worded_so(article, state) or is_back(item, state, look, judge):
        return Kind.REVERTED, "the content is that of an earlier version"
    if item.stated_ms is not None and item.stated_ms == before.stated_ms:
        return Kind.SILENT_EDIT, "other content under the same stated time"
    return Kind.EDITED, "other content"


def was_worded_so(article: Article, state: EntryState) -> bool:
    """Whether an earlier version differs from the article in mark-up or typography alone."""
    alike = [each for each in state.versions if each.fingerprint == article.fingerprint]
    return bool(alike) and words(article) in map(words, alike)


def is_back(item: Item, state: EntryState, look: Pass, judge: Judge) -> bool:
    """Whether the item is one of the last versions again, but for what says nothing: a picture's size, an age."""
    newest = state.newest
    if newest is None or look.number - newest.pass_number > LATELY:
        return False
    return any(judge(version, item, live=False).level is Significance.NONE for version in state.earlier)


def held_back(verdict: Verdict, state: EntryState, look: Pass, *, live: bool) -> Hold | None:
    """Why a change is not told now. What a live blog takes away or edits is told at once."""
    newest = state.newest
    if verdict.kind is Kind.REVERTED and newest is not None and newest.returned:
        return Hold.FLIP_FLOP
    if live and verdict.adds_only and 0 <= look.now_ms - state.told_ms < LIVE_MS:
        return Hold.LIVE
    return None


def quiet(because: str, judged: Judged | None = None) -> Verdict:
    """The version is kept, and becomes the newest; nobody is told."""
    level, reasons, adds_only = judged or Judged(Significance.NONE, ())
    return Verdict(None, True, True, level, reasons, because, adds_only)


def told(kind: Kind, because: str, judged: Judged, before: Version | None) -> Verdict:
    """A change that is told; from `before` on."""
    return Verdict(
        kind,
        keeps_revision=True,
        newest=True,
        significance=judged.level,
        reasons=judged.reasons,
        because=because,
        adds_only=judged.adds_only,
        releases=True,
        previous=before,
    )


NEW = told(Kind.ADDED, "no source held an entry with this URL", Judged(Significance.SUBSTANTIAL, ()), None)


def words(version: Article | Version) -> Words:
    authors = version.authors if isinstance(version, Version) else version.details.authors
    return fold(version.title), version.fingerprint, version.links_hash, authors


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
    is_told = verdict.kind is not None and verdict.hold is None
    state.told = state.told or is_told or state.newest is None
    state.known, state.removed = True, False
    if not verdict.keeps_revision:
        if state.newest is not None and state.newest.content_hash == item.article.content_hash:
            state.newest = also_at(state.newest, item.stated_ms, item.time_ms, item.location)
        return
    version = version_of(item, look, revision_id)
    state.hashes[version.content_hash] = revision_id
    state.versions.append(version)
    if not verdict.newest:
        return
    if verdict.hold is not None:
        state.told_from = state.told_from or verdict.previous
    elif verdict.releases or verdict.tells_held:
        state.told_from = None
    if is_told:
        state.told_ms = look.now_ms
    state.growing = state.growing + 1 if verdict.adds_only else 0
    if state.newest is not None:
        state.earlier = [*state.earlier, state.newest][-EARLIER:]
    state.newest = version._replace(returned=verdict.kind is Kind.REVERTED, adds_only=verdict.adds_only)
    state.stands = True


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
    """The items by path, but those with one URL by time first, so that the newest of them comes last.

    What is no file is no path either: a document's items, and those that a hub pushed, go by time, each URL by its
    newest, so that they are logged in the order in which they were published.
    """
    by_uid: dict[str, list[Item]] = {}
    for item in sorted(items, key=attrgetter("location")):
        by_uid.setdefault(item.article.uid, []).append(item)
    for same in by_uid.values():
        if len(same) > 1:
            same.sort(key=lambda item: (item.time_ms, item.location))
    groups = sorted(by_uid.values(), key=when_published)
    return [item for same in groups for item in same]


def when_published(same: list[Item]) -> int:
    """The time that the items of one URL go by among others; one for all files."""
    return same[-1].time_ms if same[-1].stamp is None else 0


def parted(items: list[Item]) -> tuple[list[Item], list[Item]]:
    """The items that their locations hold, and those that a newer one at the same location supersedes, in order."""
    last = {(item.article.uid, item.location): place for place, item in enumerate(items)}
    if len(last) == len(items):  # as nearly always
        return items, []
    places = set(last.values())
    held = [item for place, item in enumerate(items) if place in places]
    return held, [item for place, item in enumerate(items) if place not in places]


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
