"""One pass over an archive: what the store shows of the entries that were touched becomes files.

The mark in the folder says up to where the change log was followed. It is written last, so that whatever ended a pass
half-way is done again by the next one, which writes only what is not there yet. In a repository, what counts is the mark
as the newest commit has it: what was written and not committed is met again, and committed.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple, TypeVar

from feedd import atomic
from feedd.config.base import digest
from feedd.errors import MirrorError, SeedError
from feedd.exchange.entries_out import seed_of
from feedd.mirror import repository
from feedd.mirror.folder import MARK, State, claimed, in_words, put, shelf, state_of
from feedd.mirror.pages import Line, index_page, list_page
from feedd.mirror.repository import Repository
from feedd.mirror.shelves import Shelf
from feedd.normalise.url import shown
from feedd.sources.seedfile import render
from feedd.store import mirroring
from feedd.store.database import translated
from feedd.store.mirroring import Dated, Held
from feedd.store.reader import Entry, Reader
from feedd.store.search_index import Cursor, ahead, newest

AT_ONCE = 100  # entries
AT_A_TIME = 8  # files that go to the disk: it takes some together in hardly more time than one
INDEX = "README.md"
Each = TypeVar("Each")


class Shown(NamedTuple):
    """An entry as a folder has it."""

    entry: Entry
    held: Held

    @property
    def file(self) -> str:
        """Its name, which is a function of the entry's identity: neither a new title nor another date moves it."""
        return f"{self.entry.uid}.md"

    @property
    def rank(self) -> "Rank":
        return -self.held.time_ms, self.entry.uid, self.entry.id


Rank = tuple[int, str, int]  # by which articles are listed, and the entry's number


class Report(NamedTuple):
    """What a pass found and did."""

    at: Cursor  # up to where the log was followed
    written: int  # files
    left_out: tuple[str, ...] = ()  # what can't be said in a seed file, in words


class Archive(NamedTuple):
    """An archive as it was asked for."""

    folder: Path
    shelves: tuple[Shelf, ...]
    listed: int  # articles of a list page
    repository: Repository | None = None


class Keeper:
    """Brings one archive up to date. Of one thread, like its reader's connection."""

    def __init__(self, archive: Archive, reader: Reader, priorities: Mapping[str, int]) -> None:
        self.archive = archive
        self.reader = reader
        self.priorities = priorities
        self.listed: dict[str, list[Rank]] = {}  # what the list of each folder holds, once it was made
        self.swept = False  # whether what a killed writer left behind was taken away
        self.done: tuple[State, Cursor] | None = None  # a mark, and up to where all after it was met

    def catch_up(self, unwanted: Callable[[], bool] = bool) -> Report | None:
        """One pass; None: it was asked to end, and the next one goes on. Raises MirrorError, StoreError.

        Where git fails, the files are written all the same.
        """
        archive = self.archive
        with claimed(archive.folder):
            refused, before = None, self.noted()
            if archive.repository is not None:
                try:
                    repository.begun(archive.repository)
                    before = before.and_of(state_of(repository.committed(archive.repository, MARK)))
                except MirrorError as error:
                    refused = error
            with in_words(archive.folder):
                done = self.write(before, unwanted)
            if refused is not None:
                raise refused
            if done is None:
                return None
            report, paths = done
            if archive.repository is not None and paths:
                repository.commit(archive.repository, paths, unwanted)
            self.done = before, report.at
            return report

    def noted(self) -> State:
        """What the mark in the folder says. Raises MirrorError."""
        with in_words(self.archive.folder):
            return state_of((self.archive.folder / MARK).read_bytes())

    def write(self, before: State, unwanted: Callable[[], bool]) -> tuple[Report, list[str]] | None:
        """Write what was touched; and the paths of all files that concerns, written before or now. Raises OSError."""
        gone = self.sweep()
        with translated(self.reader.path):
            end = newest(self.reader.connection)
        store, tally, at = digest(self.reader.uuid()), Tally(), self.follows(before)
        is_earlier = at.change_id > end.change_id or at.revision_id > end.revision_id  # a backup was restored
        known = dict(before.folders) if before.store == store and not is_earlier else {}
        anew = [each for each in self.archive.shelves if known.get(each.name) != each.rules or each in gone]
        for each in anew:
            self.listed.pop(each.name, None)
        for shelves, ids in self.touched(at, end, anew):
            self.fill(shelves, ids, tally)
            if unwanted():
                return None
        left = known.keys() - {each.name for each in self.archive.shelves}
        self.lists(
            [each for each in self.archive.shelves if each in anew or each.name in tally.folders],
            tally,
            fewer=bool(left),
        )
        if tally.paths:
            folders = tuple(sorted((each.name, each.rules) for each in self.archive.shelves))
            state = State(store, end.change_id, end.revision_id, folders)
            for name in tally.folders:
                atomic.sync_folder(self.archive.folder / name)
            put(self.archive.folder / MARK, state.spelled())
            atomic.sync_folder(self.archive.folder)
            tally.paths.append(MARK)
        return Report(end, tally.written, tuple(tally.left_out)), tally.paths

    def follows(self, before: State) -> Cursor:
        """Where the log is to be followed from. Where nothing was to be noted, the mark stands behind that."""
        if self.done is not None and self.done[0] == before:
            return self.done[1]
        return Cursor(before.change_id, before.revision_id)

    def sweep(self) -> list[Shelf]:
        """The folders of the archive are there, without what a killed writer left in them; which of them were not.

        Raises OSError, MirrorError.
        """
        folder = self.archive.folder
        gone = [each for each in self.archive.shelves if not os.path.lexists(folder / each.name)]
        before = self.noted()
        left = before.without({each.name for each in gone})
        if left != before:  # so that whoever is killed while they are written anew is followed up
            atomic.write(folder / MARK, left.spelled())
        for each in self.archive.shelves:
            path = shelf(folder, each.name)
            if not self.swept:
                atomic.sweep(path)
        self.swept = True
        return gone

    def touched(self, at: Cursor, end: Cursor, anew: list[Shelf]) -> Iterator[tuple[list[Shelf], list[int]]]:
        """Folders, and entries that may have come into them or changed in them; some at once."""
        for each in anew:
            yield from (([each], some) for some in chunks([found.entry_id for found in self.all_of(each)]))
        standing = [each for each in self.archive.shelves if each not in anew]
        while standing and (at.change_id < end.change_id or at.revision_id < end.revision_id):
            with translated(self.reader.path):
                ids, at = ahead(self.reader.connection, at, AT_ONCE)
            yield from ((standing, some) for some in chunks(ids))

    def lists(self, of: Sequence[Shelf], tally: "Tally", *, fewer: bool) -> None:
        """Write the lists of these folders, and the list of all folders. Raises OSError."""
        pages = [(f"{each.name}.md", self.list_of(each, tally.folders.get(each.name, ()))) for each in of]
        if pages or fewer:
            titles = [(each.name, each.title) for each in self.archive.shelves]
            pages.append((INDEX, index_page(titles)))
        for path, text in pages:
            tally.written += put(self.archive.folder / path, text.encode("utf-8", "replace"))
            tally.paths.append(path)

    def all_of(self, each: Shelf) -> list[Dated]:
        with translated(self.reader.path):
            return mirroring.newest_first(self.reader.connection, self.source_ids(each))

    def source_ids(self, each: Shelf) -> list[int] | None:
        sources = each.plan.sources
        return None if sources is None else self.reader.source_ids(sources)

    def fill(self, into: Sequence[Shelf], ids: Sequence[int], tally: "Tally") -> None:
        """Write these entries into each of the folders that they belong to. Raises OSError."""
        held, holding = self.held(ids), dict[str, set[int]]()
        for entry_id, source in held:
            holding.setdefault(source, set()).add(entry_id)
        for each in into:
            sources = holding.keys() if each.plan.sources is None else each.plan.sources
            own = set[int]().union(*(holding.get(source, ()) for source in sources))
            if own:
                tally.folders.setdefault(each.name, []).extend(own)
                shown_here = self.shown(each, [entry_id for entry_id in ids if entry_id in own], held)
                self.put_all(each, list(self.seeds(shown_here, tally)), tally)

    def held(self, ids: Sequence[int]) -> Mapping[tuple[int, str], Held]:
        with translated(self.reader.path):
            return mirroring.held(self.reader.connection, ids)

    def shown(self, each: Shelf, ids: Sequence[int], held: Mapping[tuple[int, str], Held]) -> Iterator[Shown]:
        """These entries, as far as they are the folder's."""
        for entry in self.reader.entries(ids, self.priorities, each.plan.sources):
            version = held.get((entry.id, entry.source))
            if version is not None and each.plan.shows(entry):
                yield Shown(entry, version)

    def met(self, each: Shelf, ids: Sequence[int]) -> Iterator[Shown]:
        return self.shown(each, ids, self.held(ids))

    def seeds(self, found: Iterable[Shown], tally: "Tally") -> Iterator[tuple[Shown, bytes]]:
        """Entries as seed files, as far as they can be that."""
        for each in found:
            try:
                yield each, self.seed(each)
            except SeedError as error:
                tally.left_out.append(f"{shown(each.entry.url)}: {error}")

    def put_all(self, into: Shelf, seeds: Sequence[tuple[Shown, bytes]], tally: "Tally") -> None:
        """Write some files of a folder. Raises OSError."""
        folder = self.archive.folder / into.name

        def written(one: tuple[Shown, bytes]) -> bool:
            found, data = one
            return put(folder / found.file, data, None if found.held.time_stated else found.held.time_ms)

        if not seeds:
            return
        with ThreadPoolExecutor(AT_A_TIME, "mirror-files") as hands:
            tally.written += sum(hands.map(written, seeds))
        tally.paths += [f"{into.name}/{found.file}" for found, _ in seeds]

    def seed(self, found: Shown) -> bytes:
        """The file as it was read, where that is kept; else what is shown of it. Raises SeedError."""
        if found.held.raw_id is not None:
            with translated(self.reader.path):
                data = mirroring.raw(self.reader.connection, found.held.raw_id)
            if data is not None:
                return data
        stated_ms = found.held.time_ms if found.held.time_stated else None
        return render(seed_of(found.entry)._replace(time_ms=stated_ms)).encode("utf-8", "replace")

    def list_of(self, each: Shelf, touched: Iterable[int]) -> str:
        most, before = self.archive.listed, self.listed.get(each.name)
        listed = list[Shown]()
        if before is not None:
            ids = list({entry_id for *_, entry_id in before} | set(touched))
            listed = self.first([found for some in chunks(ids) for found in self.met(each, some)])
        # what was not listed before comes after all that was
        if before is None or (len(before) == most and (len(listed) < most or listed[-1].rank > before[-1])):
            listed = self.newest_of(each)
        self.listed[each.name] = [found.rank for found in listed]
        return list_page(each.title, each.name, (line(each.name, found) for found in listed))

    def newest_of(self, each: Shelf) -> list[Shown]:
        """What is to be listed, from all that there is."""
        listed = list[Shown]()
        for some in chunks(self.all_of(each)):
            is_full = len(listed) == self.archive.listed
            if is_full and some[0].newest_ms < listed[-1].held.time_ms:
                break  # what is shown of an entry may be of an earlier time than another version, not of a later one
            listed = self.first([*listed, *self.met(each, [found.entry_id for found in some])])
        return listed

    def first(self, found: Iterable[Shown]) -> list[Shown]:
        return sorted(found, key=lambda each: each.rank)[: self.archive.listed]


class Tally:
    """What a pass did so far."""

    def __init__(self) -> None:
        self.paths: list[str] = []  # below the archive's folder
        self.folders: dict[str, list[int]] = {}  # entries of its sources that were met, by folder
        self.written = 0
        self.left_out: list[str] = []


def line(folder: str, found: Shown) -> Line:
    entry = found.entry
    return Line(found.held.time_ms, entry.title, entry.url, f"{folder}/{found.file}", entry.removed_ms)


def chunks(all_: Sequence[Each]) -> Iterator[list[Each]]:
    return (list(all_[start : start + AT_ONCE]) for start in range(0, len(all_), AT_ONCE))
