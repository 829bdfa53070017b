"""Every shape that is shown as JSON, made in one place: the command line, the API and webhooks show the same."""

from collections.abc import Iterable, Sequence

from feedd import quoting
from feedd import shape_types as types
from feedd.changes.values import Diff, Hunk, Judged, Op
from feedd.looks import Looked
from feedd.model import Enclosure, Rejected
from feedd.normalise.text import plain_text
from feedd.normalise.url import keyless, shown
from feedd.notify.values import Tried
from feedd.publish.plan import Plan
from feedd.publish.times import rfc3339, rfc3339_or_none
from feedd.store.channels import State
from feedd.store.deliveries import Delivery
from feedd.store.log import Logged
from feedd.store.looks import Look
from feedd.store.proposals import Proposed
from feedd.store.pruning import Report
from feedd.store.reader import Entry, Push, Revision, SourceRow

Shape = types.Shape


def update(looked: Iterable[Looked]) -> Shape:
    return {"sources": [source_result(each) for each in looked]}


def source_result(looked: Looked) -> types.SourceResult:
    found = looked.tally
    return {
        "name": looked.name,
        "status": looked.status,
        "added": found.added,
        "edited": found.edited,
        "silent_edited": found.silent_edited,
        "reverted": found.reverted,
        "removed": found.removed,
        "restored": found.restored,
        "duplicates": found.duplicates,
        "seconds": round(looked.seconds, 3),
        "next_check": rfc3339_or_none(looked.next_check_ms),
        "error": looked.error,
        "rejected": [rejected(each) for each in found.rejected],
        "note": looked.note,
    }


def rejected(each: Rejected) -> types.Rejected:
    return {"where": printable(each.where), "reason": printable(each.reason)}


def printable(path: str) -> str:
    """A file name as it can be shown: bytes that are no text, and control characters, escaped."""
    text = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def source(row: SourceRow, proposals: Sequence[Proposed] = (), *, paused: bool = False) -> types.Source:
    return {
        "name": row.name,
        "type": row.type,
        "location": printable(row.location),
        "entries": row.entries,
        "last_checked": rfc3339_or_none(row.last_checked_ms),
        "last_changed": rfc3339_or_none(row.last_changed_ms),
        "next_check": None if paused or row.paused else rfc3339_or_none(row.next_check_ms),
        "next_check_because": "paused" if paused else row.paused or row.next_check_because,
        "failures": row.failures,
        "error": row.error,
        "note": row.note,
        "address": row.address,
        "push": None if row.push is None else push(row.push),
        "proposals": [
            {"ignore": each.pattern, "example": each.example, "entry": each.entry_id} for each in proposals
        ],
    }


def for_everybody(row: SourceRow) -> SourceRow:
    """What may be told of a source to who has no token."""
    return row._replace(
        location=keyless(row.location),
        address=row.address and keyless(row.address),
        error=quoting.for_everybody(row.error),
    )


def push(each: Push) -> types.Push:
    return {
        "state": each.state,
        "until": rfc3339_or_none(each.lease_until_ms),
        "pushed": rfc3339_or_none(each.pushed_ms),
        "error": each.error,
    }


def feed(plan: Plan, entries: int, updated_ms: int | None, base_url: str) -> types.Feed:
    address = f"{base_url}feeds/{plan.name}"
    return {
        "name": plan.name,
        "title": plan.title,
        "entries": entries,
        "updated": rfc3339_or_none(updated_ms),
        "urls": {"atom": f"{address}.atom", "rss": f"{address}.rss", "json": f"{address}.json"},
    }


def entry(each: Entry) -> types.Entry:
    return {
        "id": each.id,
        "uid": each.uid,
        "url": each.url,
        "title": each.title,
        "published": rfc3339(each.published_ms),
        "updated": rfc3339(each.updated_ms),
        "date_guessed": each.date_guessed,
        "sources": list(each.sources),
        "revisions": each.revisions,
        "removed": rfc3339_or_none(each.removed_ms),
    }


def entry_in_full(each: Entry, language: str | None) -> types.EntryInFull:
    return {
        **entry(each),
        "author": ", ".join(each.details.authors) or None,
        "categories": list(each.details.categories),
        "language": each.details.language or language,
        "content_html": each.content_html,
        "text": plain_text(each.content_html),
        "image": each.image,
        "enclosures": [enclosure(some) for some in each.details.enclosures],
        "comments_url": each.details.comments_url,
    }


def enclosure(each: Enclosure) -> types.Enclosure:
    return {
        "url": each.url,
        "type": each.type,
        "length": each.length,
        "title": each.title,
        "duration_s": each.duration_s,
    }


def history(revisions: Iterable[Revision]) -> list[types.Revision]:
    return [revision(each) for each in revisions]


def revision(each: Revision) -> types.Revision:
    return {
        "revision": each.number,
        "source": each.source,
        "location": printable(each.location),
        "published": rfc3339_or_none(each.stated_ms),
        "seen_at": rfc3339(each.seen_ms),
        "title": each.title,
        "change": each.change,
        "significance": each.significance,
        "reasons": list(each.reasons),
    }


def version(each: Entry, of: Revision, language: str | None) -> types.Version:
    """The entry as this version had it: what `show` says of it, and what `history` does."""
    said = revision(of)
    return {
        **entry_in_full(each, language),
        "revision": said["revision"],
        "source": said["source"],
        "location": said["location"],
        "seen_at": said["seen_at"],
        "title": said["title"],
        "change": said["change"],
        "significance": said["significance"],
        "reasons": said["reasons"],
    }


def diff(from_: int, to: int, found: Diff, judged: Judged) -> types.Diff:
    """`found` between two versions of these numbers. A move stands once, where its text is now."""
    moved = {hunk.move: hunk for hunk in found.hunks if hunk.op is Op.MOVE and hunk.new_block is None}
    old_authors, new_authors = map(list, found.authors)
    gone, come = map(list, found.links)
    return {
        "from": from_,
        "to": to,
        "title": {"old": found.title.old, "new": found.title.new},
        "significance": judged.level,
        "reasons": list(judged.reasons),
        "hunks": [
            shape for hunk in found.hunks if (shape := hunk_shape(hunk, moved.get(hunk.move))) is not None
        ],
        "image": {"old": found.image[0], "new": found.image[1]},
        "authors": {"old": old_authors, "new": new_authors},
        "links": {"removed": gone, "added": come},
    }


def hunk_shape(hunk: Hunk, moved: Hunk | None) -> types.Hunk | None:
    """`moved` is the end of a move where its text stood; that end itself has no shape."""
    if hunk is moved:
        return None
    whence = moved if hunk.op is Op.MOVE and moved is not None else hunk
    shape: types.Hunk = {
        "op": hunk.op,
        "old": whence.old,
        "new": hunk.new,
        "old_paragraph": whence.old_block,
        "new_paragraph": hunk.new_block,
    }
    if hunk.pieces:
        shape["pieces"] = [{"op": each.op, "old": each.old, "new": each.new} for each in hunk.pieces]
    return shape


def change(logged: Logged) -> types.Change:
    """A change of an entry, or of a source: of that also what happened, in words."""
    shape: types.Change = {
        "id": logged.id,
        "kind": logged.kind,
        "significance": logged.significance,
        "reasons": list(logged.reasons),
        "at": rfc3339(logged.at_ms),
    }
    return shape if logged.entry_id is not None else {**shape, "detail": logged.detail}


def told(
    logged: Logged,
    each: types.EntryInFull | types.Entry | None,
    now: Revision | None,
    previous: Revision | None,
    differs: types.Diff | None,
) -> Shape:
    """A change of an entry with all that belongs to it; null stands for what there is not, or not any more."""
    return {
        "change": change(logged),
        "entry": each,
        "revision": None if now is None else revision(now),
        "previous": None if previous is None else revision(previous),
        "diff": differs,
    }


def told_of_source(logged: Logged, each: types.Source | None) -> Shape:
    return {"change": change(logged), "source": each}


def gathered(logged: Logged, each: Entry | None, now: Revision | None) -> Shape:
    """A change of an entry within a digest: in short."""
    return {
        "change": change(logged),
        "entry": None if each is None else entry(each),
        "revision": None if now is None else revision(now),
    }


def digest(changes: Sequence[Shape], more: int) -> Shape:
    return {"changes": list(changes), "more": more}


def entry_event(logged: Logged, each: types.Entry | None, url: str) -> types.EntryEvent:
    """A change as a stream tells it, with the entry in short; `url` is a page of feedd's own."""
    return {"change": change(logged), "entry": each, "url": url}


def source_event(logged: Logged, each: types.Source | None, url: str) -> types.SourceEvent:
    return {"change": change(logged), "source": each, "url": url}


def prune(report: Report, *, dry_run: bool) -> Shape:
    return {
        "sources": [{**each._asdict(), "kept_because": list(each.kept_because)} for each in report.sources],
        "dry_run": dry_run,
        "freed_bytes": report.freed_bytes,
        "space": report.space,
    }


def explanation(url: str, canonical_url: str | None, *, known: bool, decision: str, because: str) -> Shape:
    return {
        "url": shown(url, 2000),
        "canonical_url": canonical_url,
        "known": known,
        "decision": decision,
        "because": because,
    }


def delivery(each: Delivery) -> types.Delivery:
    return {
        "id": each.id,
        "channel": each.channel,
        "change": each.change_id,
        "type": each.type,
        "status": each.status,
        "attempts": each.attempts,
        "next_attempt": rfc3339_or_none(each.next_attempt_ms),
        "error": each.error,
        "created": rfc3339(each.created_ms),
        "done": rfc3339_or_none(each.done_ms),
        "message": each.digest_id,
    }


def tried(each: Tried) -> types.Tried:
    return {"channel": each.channel, "id": each.id, "delivered": each.delivered, "said": each.said}


def look(each: Look) -> types.Look:
    return {
        "id": each.id,
        "at": rfc3339(each.at_ms),
        "status": each.status,
        "added": each.added,
        "edited": each.edited,
        "silent_edited": each.silent_edited,
        "reverted": each.reverted,
        "removed": each.removed,
        "restored": each.restored,
        "duplicates": each.duplicates,
        "rejected": each.rejected,
        "seconds": round(each.seconds, 3),
        "bytes": each.bytes,
        "error": each.error,
    }


def channel(name: str, type_: str, where: str | None, state: State, now_ms: int) -> types.Channel:
    """`where` as the configuration shows it: without what is secret; None: it is not for whoever asks."""
    rests = state.resting_until_ms is not None and state.resting_until_ms > now_ms
    failing = "resting" if rests else "failing" if state.failures else "ok"
    return {
        "name": name,
        "type": type_,
        "where": where,
        "state": failing if state.disabled_ms is None else "disabled",
        "failures": state.failures,
        "failing_since": rfc3339_or_none(state.failing_since_ms),
        "resting_until": rfc3339_or_none(state.resting_until_ms) if rests else None,
        "disabled": rfc3339_or_none(state.disabled_ms),
        "delivered": rfc3339_or_none(state.delivered_ms),
        "error": state.error,
    }
