"""A look at a folder of seed files: list ─► settle ─► read and normalise ─► decide ─► record ─► remove ─► finish.

Batches are recorded as they are read, in one transaction each, so that a kill leaves whole batches.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import NamedTuple, assert_never

from feedd.config.sources import DirectorySource, FolderSource, GitSource
from feedd.decide import Pass
from feedd.engine import ReadsFiles
from feedd.errors import OutOfFiles, SourceError, Stopped, StoreError
from feedd.looks import WHOLE, Looked, Progress, Request, due_after_failures, key_of, now_ms
from feedd.model import Item, Rejected, Tally
from feedd.normalise.url import shown
from feedd.rules import Filter
from feedd.schedule import Due
from feedd.sources import directory, git
from feedd.sources.files import read_files
from feedd.store.desk import Desk
from feedd.store.passes import Failure, SourceKey, Started
from feedd.workers import WORTH_IT, mapped

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Findings:
    """What a look found so far: what a failure leaves of it counts."""

    tally: Tally = field(default_factory=Tally)
    read: int = 0  # files that were read
    again: list[str] = field(default_factory=list)  # files to look at once more soon
    unread: bool = False  # something must be read again even if nothing changes
    listing: bytes | None = None  # digest of the folder


class Batch(NamedTuple):
    items: list[Item]
    rejected: list[Rejected]
    waiting: list[directory.Waiting]

    @property
    def leaves_something(self) -> bool:
        """Whether a file must be read again even if nothing changes."""
        untrusted = any(not item.settled for item in self.items)
        return bool(self.waiting) or untrusted or any(each.stamp is None for each in self.rejected)


class FolderLooker:
    """Looks at folders, one look at a time per folder; belongs to the process that holds the lock."""

    def __init__(
        self,
        desk: Desk,
        stop: threading.Event,
        state: Path,
        others: ReadsFiles | None = None,
        niceness: int = 0,
    ) -> None:
        self.desk = desk
        self.others = others  # who reads files of shared folders
        self.niceness = niceness  # of worker processes
        self.stop = stop  # all looks
        self.state = state  # where repositories are kept
        self.told: dict[str, str] = {}  # by source: the failure that was logged last, which goes on
        self.hindered: set[str] = (
            set()
        )  # sources that failed for want of room, files or the database, not for their own

    def look(
        self, source: FolderSource, request: Request = WHOLE, progress: Progress | None = None
    ) -> Looked:
        """Look at one source. A failure is recorded on the source and returned. Raises Stopped."""
        begun, began_ms = time.monotonic(), now_ms()
        key, due = key_of(source), source.timing.due_after(began_ms)
        started, found, error = None, Findings(), None
        try:
            started = self.desk.run(lambda writer: writer.begin(key, began_ms))
            self.pass_over(source, started, request, progress, found)
            due = self.close(key, started.look, request, due, found)
            self.told.pop(source.name, None)
            self.hindered.discard(source.name)
        except (SourceError, StoreError) as expected:
            due = due_after_failure(source, started, due)
            error = self.failed(key, started, str(expected), due)
            # it may go when it is tried again: nothing else tells of these files
            if isinstance(expected, StoreError | OutOfFiles):
                self.hindered.add(source.name)
                found.again += [path for path in request.paths or () if path not in found.again]
        except Stopped:
            raise
        except Exception as bug:
            log.exception("%s: a bug in feedd", source.name)
            error = self.failed(key, started, f"a bug in feedd, see its log: {bug!r}", due)
        nothing = not (found.read or found.tally.changed)
        status = "failed" if error else "unchanged" if nothing else "ok"
        seconds = time.monotonic() - begun
        looked = Looked(source.name, status, found.tally, seconds, due.at_ms, error, tuple(found.again))
        # files cost nobody else anything: they are looked at as soon as the store can be written again
        return looked._replace(unwritten=isinstance(source, GitSource) and source.name in self.hindered)

    def close(self, key: SourceKey, look: Pass, request: Request, due: Due, found: Findings) -> Due:
        """Close the pass; returns when the source is to be looked at next."""
        changed, listing = found.tally.changed, None if found.unread else found.listing
        if request.paths is None:
            self.desk.run(lambda writer: writer.finish(key, look, due, changed=changed, listing=listing))
            return due
        self.desk.run(lambda writer: writer.finish_part(look, changed=changed))
        if key.name in self.hindered:  # only a look at all of it says that the source is well
            due = Due(look.now_ms, "what kept it from being read is over")
            self.desk.run(lambda writer: writer.postpone(key, due))
        return self.desk.run(lambda writer: writer.next_check(key.name)) or due

    def failed(self, source: SourceKey, started: Started | None, error: str, due: Due) -> str:
        """Record a failure on the source; returns it in words."""
        text = shown(error.replace("feedd update NAME", f"feedd update {source.name}"), 1_000)
        if self.told.get(source.name) != text:  # it may be looked at every two seconds
            log.warning("%s: %s", source.name, text)
            self.told[source.name] = text
        if started is not None:
            look = started.look
            try:
                self.desk.run(lambda writer: writer.fail(source, look, Failure(text, due)))
            except StoreError as second:
                log.error("%s: the failure could not be recorded: %s", source.name, second)  # noqa: TRY400 (words are enough)
        return text

    def pass_over(
        self,
        source: FolderSource,
        started: Started,
        request: Request,
        progress: Progress | None,
        found: Findings,
    ) -> None:
        """Everything between begin and finish."""

        def unwanted() -> bool:
            return self.stop.is_set() or request.given_up()

        root = root_of(source, self.state, unwanted)
        listing = self.list_files(source, root, started, request)
        look = started.look._replace(gone=frozenset(listing.gone))
        found.listing = listing.digest
        still, moving = directory.standing(listing.changed, time.time_ns())
        self.read(source, root, look, still, unwanted, progress, found)
        if moving:
            settled, waiting = directory.settle(root, moving)
            self.wait_for(source, waiting, found)
            self.read(source, root, look, settled, unwanted, progress, found)
        if listing.rejected:
            found.tally += self.record(source, look, [], listing.rejected)
        if request.paths is None:
            found.tally += self.tidy_up(started, listing, found.tally, request)

    def read(
        self,
        source: FolderSource,
        root: Path,
        look: Pass,
        files: Sequence[directory.Found],
        unwanted: Callable[[], bool],
        progress: Progress | None,
        found: Findings,
    ) -> None:
        """Read, normalise, decide on and record these files, a batch at a time. Raises Stopped."""
        reading = reading_of(source, root)
        began_ns, done = time.time_ns(), 0
        if self.others is not None and source.shared and len(files) >= WORTH_IT:
            read = self.others(reading, files, began_ns, unwanted)
        else:
            read = outcomes_of(reading, files, began_ns, self.niceness)
        for batch in map(batch_of, read):
            if unwanted():
                raise Stopped(f"{source.name}: stopped; the next look goes on from here")
            found.tally += self.record(source, look, batch.items, batch.rejected)
            found.read += len(batch.items) + len(batch.rejected)
            found.again += [
                item.location
                for item in batch.items
                if item.stamp and directory.is_fresh(item.stamp, began_ns)
            ]
            found.unread = found.unread or batch.leaves_something
            self.wait_for(source, batch.waiting, found)
            done += len(batch.items) + len(batch.rejected) + len(batch.waiting)
            if progress is not None:
                progress(done, len(files))

    def wait_for(self, source: FolderSource, waiting: Sequence[directory.Waiting], found: Findings) -> None:
        """A file that is being written counts as present, and is read at the next look."""
        if waiting:
            found.unread = True
            found.again += [each.path for each in waiting]
            log.info("%s: %d being written, read at the next look", source.name, len(waiting))

    def record(self, source: FolderSource, look: Pass, items: list[Item], rejected: list[Rejected]) -> Tally:
        return self.desk.run(lambda writer: writer.record(look, source.extraction_hash, items, rejected))

    def list_files(
        self, source: FolderSource, root: Path, started: Started, request: Request
    ) -> directory.Listing:
        """The files to read. Raises SourceError where the folder is missing, unreadable or suddenly empty."""
        source_id = started.look.source_id
        selection = directory.Selection(source.include, source.exclude)
        if request.paths is not None:
            known = self.desk.run(lambda writer: writer.stamps_of(source_id, request.paths or ()))
            self.desk.run(lambda writer: writer.forget_listing(source_id))
            return directory.pick(root, selection, request.paths, known)
        survey = directory.survey(root, selection)
        if started.listing == survey.digest and not started.look.rebase:
            return directory.Listing(len(survey.files), [], [], survey.rejected, started.listing)
        known = self.desk.run(lambda writer: writer.stamps(source_id))
        self.desk.run(lambda writer: writer.forget_listing(source_id))
        if started.look.rebase:
            known = dict.fromkeys(known, (None, None, None))
        listing = directory.compare(survey, known)._replace(digest=survey.digest)
        if not listing.present and started.entries and listing.gone and not request.accept_removals:
            raise SourceError(
                f"the folder {root} is empty, but held {len(listing.gone)} files: nothing was removed. If that"
                " is meant, run: feedd update NAME --accept-removals"
            )
        return listing

    def tidy_up(self, started: Started, listing: directory.Listing, tally: Tally, request: Request) -> Tally:
        """After a whole pass: what is gone is removed, and what is refused still is listed again."""
        look, removed = started.look, 0
        if listing.gone:
            removed = self.desk.run(
                lambda writer: writer.remove(
                    look,
                    listing.gone,
                    accept=request.accept_removals,
                    reselected=started.reselected,
                    holds=started.entries,
                )
            )
        listed = {each.where for each in tally.rejected}
        refused = self.desk.run(lambda writer: writer.rejected(look.source_id))
        return Tally(removed=removed, rejected=tuple(each for each in refused if each.where not in listed))


def outcomes_of(
    reading: directory.Reading, files: Sequence[directory.Found], now_ns: int, niceness: int = 0
) -> Iterator[list[directory.Outcome]]:
    return mapped(partial(read_files, reading, now_ns=now_ns), files, niceness)


def read_in_batches(
    reading: directory.Reading, files: Sequence[directory.Found], now_ns: int
) -> Iterator[Batch]:
    """Read and normalise files, a batch at a time."""
    return map(batch_of, outcomes_of(reading, files, now_ns))


def batch_of(outcomes: Sequence[directory.Outcome]) -> Batch:
    items = [each for each in outcomes if isinstance(each, Item)]
    rejected = [each for each in outcomes if isinstance(each, Rejected)]
    waiting = [each for each in outcomes if isinstance(each, directory.Waiting)]
    return Batch(items, rejected, waiting)


def root_of(source: FolderSource, state: Path, unwanted: Callable[[], bool] = bool) -> Path:
    """The folder of the source's files; repositories are brought below `state`. Raises SourceError."""
    match source:
        case DirectorySource():
            return source.path
        case GitSource():
            auth = source.auth.value if source.auth else None
            timeout_s = source.timeout / 1000
            origin = git.Origin(source.location, source.branch, timeout_s, source.allow_private, auth)
            return git.below(git.brought(origin, state / "git" / source.name, unwanted), source.folder)
        case _:
            assert_never(source)


def due_after_failure(source: FolderSource, started: Started | None, due: Due) -> Due:
    """A folder costs nothing to look at again; a repository's server is spared."""
    if isinstance(source, DirectorySource) or started is None:
        return due
    return due_after_failures(started.failures + 1, source.timing.every_ms, now_ms())


def reading_of(source: FolderSource, root: Path) -> directory.Reading:
    return directory.Reading(
        str(root),
        source.encoding,
        source.ignore_scheme,
        source.rewrite,
        source.ignore,
        Filter(source.match.patterns, source.reject.patterns),
        source.keep_raw,
    )
