"""Every shape that is shown as JSON, made in one place: the command line, the API and webhooks show the same."""

from collections.abc import Iterable, Sequence
from typing import Any

from feedd.changes.values import Diff, Hunk, Judged, Op
from feedd.looks import Looked
from feedd.model import COUNTS, Rejected
from feedd.normalise.text import plain_text
from feedd.normalise.url import shown
from feedd.publish.plan import Plan
from feedd.publish.times import rfc3339, rfc3339_or_none
from feedd.store.deliveries import Delivery
from feedd.store.log import Logged
from feedd.store.proposals import Proposed
from feedd.store.pruning import Report
from feedd.store.reader import Entry, Push, Revision, SourceRow

Shape = dict[str, Any]


def update(looked: Iterable[Looked]) -> Shape:
    return {"sources": [source_result(each) for each in looked]}


def source_result(looked: Looked) -> Shape:
    counts = {name: getattr(looked.tally, name) for name in COUNTS}
    return {
        "name": looked.name,
        "status": looked.status,
        **counts,
        "seconds": round(looked.seconds, 3),
        "next_check": rfc3339_or_none(looked.next_check_ms),
        "error": looked.error,
        "rejected": [rejected(each) for each in looked.tally.rejected],
        "note": looked.note,
    }


def rejected(each: Rejected) -> Shape:
    return {"where": printable(each.where), "reason": printable(each.reason)}


def printable(path: str) -> str:
    """A file name as it can be shown: bytes that are no text, and control characters, escaped."""
    text = path.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return "".join(char if char.isprintable() else char.encode("unicode_escape").decode() for char in text)


def source(row: SourceRow, proposals: Sequence[Proposed] = (), *, paused: bool = False) -> Shape:
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
        "push": row.push and push(row.push),
        "proposals": [
            {"ignore": each.pattern, "example": each.example, "entry": each.entry_id} for each in proposals
        ],
    }


def push(each: Push) -> Shape:
    return {
        "state": each.state,
        "until": rfc3339_or_none(each.lease_until_ms),
        "pushed": rfc3339_or_none(each.pushed_ms),
        "error": each.error,
    }


def feed(plan: Plan, entries: int, updated_ms: int | None, base_url: str) -> Shape:
    address = f"{base_url}feeds/{plan.name}"
    return {
        "name": plan.name,
        "title": plan.title,
        "entries": entries,
        "updated": rfc3339_or_none(updated_ms),
        "urls": {"atom": f"{address}.atom", "rss": f"{address}.rss", "json": f"{address}.json"},
    }


def entry(each: Entry) -> Shape:
    return {
        "id": each.id,
        "uid": each.uid,
        "url": each.url,
        "title": each.title,
        "published": rfc3339_or_none(each.published_ms),
        "updated": rfc3339_or_none(each.updated_ms),
        "date_guessed": each.date_guessed,
        "sources": list(each.sources),
        "revisions": each.revisions,
        "removed": rfc3339_or_none(each.removed_ms),
    }


def entry_in_full(each: Entry, language: str | None) -> Shape:
    return {
        **entry(each),
        "author": ", ".join(each.details.authors) or None,
        "categories": list(each.details.categories),
        "language": each.details.language or language,
        "content_html": each.content_html,
        "text": plain_text(each.content_html),
        "image": each.image,
        "enclosures": [enclosure._asdict() for enclosure in each.details.enclosures],
        "comments_url": each.details.comments_url,
    }


def history(revisions: Sequence[Revision]) -> list[Shape]:
    return [
        {
            "revision": each.number,
            "source": each.source,
            "location": printable(each.location),
            "published": rfc3339_or_none(each.stated_ms),
            "seen_at": rfc3339_or_none(each.seen_ms),
            "title": each.title,
            "change": each.change,
            "significance": each.significance,
            "reasons": list(each.reasons),
        }
        for each in revisions
    ]


def version(each: Entry, revision: Revision, language: str | None) -> Shape:
    """The entry as this version had it: what `show` says of it, and what `history` does."""
    (said,) = history([revision])
    return {**entry_in_full(each, language), **said, "published": rfc3339_or_none(each.published_ms)}


def diff(from_: int, to: int, found: Diff, judged: Judged) -> Shape:
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


def hunk_shape(hunk: Hunk, moved: Hunk | None) -> Shape | None:
    """`moved` is the end of a move where its text stood; that end itself has no shape."""
    if hunk is moved:
        return None
    whence = moved if hunk.op is Op.MOVE and moved is not None else hunk
    shape: Shape = {
        "op": hunk.op,
        "old": whence.old,
        "new": hunk.new,
        "old_paragraph": whence.old_block,
        "new_paragraph": hunk.new_block,
    }
    if hunk.pieces:
        shape["pieces"] = [piece._asdict() for piece in hunk.pieces]
    return shape


def change(logged: Logged) -> Shape:
    """A change of an entry, or of a source: of that also what happened, in words."""
    shape: Shape = {
        "id": logged.id,
        "kind": logged.kind,
        "significance": logged.significance,
        "reasons": list(logged.reasons),
        "at": rfc3339(logged.at_ms),
    }
    return shape if logged.entry_id is not None else {**shape, "detail": logged.detail}


def told(
    logged: Logged,
    each: Shape | None,
    revision: Revision | None,
    previous: Revision | None,
    differs: Shape | None,
) -> Shape:
    """A change of an entry with all that belongs to it; null stands for what there is not, or not any more."""
    return {
        "change": change(logged),
        "entry": each,
        "revision": history([revision])[0] if revision is not None else None,
        "previous": history([previous])[0] if previous is not None else None,
        "diff": differs,
    }


def told_of_source(logged: Logged, row: SourceRow | None) -> Shape:
    return {"change": change(logged), "source": None if row is None else source(row)}


def gathered(logged: Logged, each: Entry | None, revision: Revision | None) -> Shape:
    """A change of an entry within a digest: in short."""
    shape = told(logged, None if each is None else entry(each), revision, None, None)
    return {key: shape[key] for key in ("change", "entry", "revision")}


def digest(changes: Sequence[Shape], more: int) -> Shape:
    return {"changes": list(changes), "more": more}


def event(logged: Logged, about: Shape | None, url: str) -> Shape:
    """A change as a stream tells it, with the entry in short, or the source; `url` is a page of feedd's own."""
    return {"change": change(logged), "source" if logged.entry_id is None else "entry": about, "url": url}


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


def delivery(each: Delivery) -> Shape:
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
