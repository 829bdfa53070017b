"""Searching: a query as text ─► entries with their fragments, ranked; or in the order of feeds."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from functools import cache
from itertools import islice
from typing import NamedTuple

from feedd.config.settings import Config
from feedd.errors import UsageError
from feedd.looks import now_ms
from feedd.publish.plan import Plan, subject_of, tags_of
from feedd.search import fragments
from feedd.search.indexer import State, state_of
from feedd.search.matching import Subject, admits
from feedd.search.query import Clause, InFeed, OfSource, Query, Tagged, bound, parse
from feedd.search.rank import before_reading, scores, weighed
from feedd.store import search
from feedd.store.reader import Entry, Reader
from feedd.store.search import Deadline, Found, Wanted

PATIENCE_S = 5.0  # for all of a search
WINDOW = 1_000  # candidates, the newest, among which the best are looked for …
PHRASE_WINDOW = 400  # … where words must follow each other, or may go on, which costs more to tell
LEAST_READ = 40  # of them, of which the text is read
READ_AT_ONCE = 50
SORTED = 50_000  # matches, up to which a search feed sorts all of them
WALKED_AT_ONCE = 200  # at first; then twice as many each time
MOST_AT_ONCE = 2_000
MOST_WALKED = 200_000  # entries that a search feed goes through, where there are more matches than that
MOST = 1_000  # results
LIMIT = 20
MOST_SOURCES = 30  # of a feed, that are told to the index


class Hit(NamedTuple):
    """An entry that was found."""

    entry: Entry
    score: float
    title: str  # HTML: escaped, what was looked for within <mark>
    fragment: str  # the same


class Results(NamedTuple):
    query: Query
    hits: tuple[Hit, ...]
    more: bool  # there are others
    state: State  # of the index


class Asked(NamedTuple):
    """A query, ready to be put to the index and to entries."""

    query: Query
    sought: Query  # the same with what its feeds ask for: the index finds less, that is read in vain
    wanted: Wanted  # `sought`, as the index is asked
    now_ms: int
    since_ms: int | None  # entries whose `updated` is not older
    until: Deadline  # for all of it


class Read(NamedTuple):
    entry: Entry
    subject: Subject


ShownBy = Callable[[str], Mapping[int, Entry]]  # a feed ─► its versions of some entries, by their numbers


def window(query: Query) -> int:
    """How many candidates are worth their while."""
    is_simple = all(len(each.tokens) == 1 and not each.prefix for each in query.words)
    return WINDOW if is_simple else PHRASE_WINDOW


class Finder:
    """Searches a store. Usable from any thread."""

    def __init__(self, reader: Reader, config: Config, plans: Mapping[str, Plan]) -> None:
        self.reader = reader
        self.plans = plans
        self.priorities = {source.name: source.priority for source in config.sources}
        self.tags = tags_of(config)

    def asked(self, text: str, since_ms: int | None = None, *, hidden: Collection[str] = ()) -> Asked:
        """Raises UsageError, also for a name that there is not, or a feed that is `hidden` from who asks."""
        query = bound(parse(text), self.tags)
        sources = self.numbers(query)
        for each in query.conditions():
            match each:
                case OfSource(name) if name not in sources:
                    raise UsageError(f"there is no source '{name[:70]}'")
                case InFeed(name) if name not in self.plans or name in hidden:
                    raise UsageError(f"there is no feed '{name[:70]}'")
                case InFeed(name) if self.plans[name].shows_notices:
                    raise UsageError(f"the feed '{name}' shows changes or troubles, and no entries")
                case _:
                    pass
        now, sought = now_ms(), self.sought(query)
        until = search.within(PATIENCE_S)
        return Asked(query, sought, search.wanted(sought, self.numbers(sought), now), now, since_ms, until)

    def numbers(self, query: Query) -> dict[str, int]:
        """The number of each source that the query names, itself or by a tag, if there is such a one."""
        names = set[str]()
        for each in query.conditions():
            match each:
                case OfSource(name):
                    names.add(name)
                case Tagged(_, tagged):
                    names |= tagged
                case _:
                    pass
        return self.reader.source_numbers(names) if names else {}

    def sought(self, query: Query) -> Query:
        """The query, and what the feeds ask for that its results must stand in, as far as the index has it.

        Of an entry that several sources have, a feed of some may show another version than the index has: there the
        words of the feed's query say nothing.
        """
        further = list[Clause]()
        for clause in query.clauses:
            match clause:
                case Clause((InFeed(name),), negated=False):
                    plan = self.plans[name]
                    if plan.sources is None:
                        further += plan.query.clauses if plan.query is not None else ()
                    elif 0 < len(plan.sources) <= MOST_SOURCES:
                        further.append(Clause(tuple(map(OfSource, plan.sources))))
                case _:
                    pass
        return query._replace(clauses=(*query.clauses, *further))

    def find(
        self, text: str, limit: int = LIMIT, since_ms: int | None = None, *, hidden: Collection[str] = ()
    ) -> Results:
        """The best of the newest. Raises UsageError, TooSlow, StoreError."""
        asked, limit = self.asked(text, since_ms, hidden=hidden), min(limit, MOST)
        connection = self.reader.connection
        with search.patience(connection, self.reader.path, asked.until):
            unmet = search.unmet(connection)  # first: what is indexed meanwhile is missed by neither
            match = search.match_of(search.expanded(connection, asked.sought))
            found = search.candidates(connection, asked.wanted._replace(match=match), window(asked.sought))
            titled = search.with_titles(connection, asked.query.words, found)
        read = list(
            islice(self.read(asked, self.promising(asked, found, titled, unmet)), max(LEAST_READ, 2 * limit))
        )
        ranked = self.ranked(asked, read)
        return Results(
            asked.query,
            tuple(self.hit(asked, each, score) for score, each in ranked[:limit]),
            len(ranked) > limit,
            state_of(self.reader),
        )

    def promising(
        self, asked: Asked, found: Sequence[Found], titled: Collection[int], unmet: Sequence[int]
    ) -> Iterator[int]:
        """Entries, those first that look best without their text; what the index has not met comes before all."""
        looks = [
            (
                before_reading(each.day_ms, asked.now_ms, in_title=each.doc_id in titled),
                each.doc_id,
                each.entry_id,
            )
            for each in found
        ]
        looks.sort(reverse=True)
        return iter(dict.fromkeys([*unmet, *(entry_id for *_, entry_id in looks)]))

    def read(self, asked: Asked, ids: Iterator[int]) -> Iterator[Read]:
        """Those of the entries that are what was asked for. Raises TooSlow."""
        while some := list(islice(ids, READ_AT_ONCE)):
            asked.until.require()
            shown_by = self.shown_by(some)
            for entry in self.reader.entries(some, self.priorities):
                asked.until.require()
                subject = self.subject(entry, shown_by)
                if self.is_meant(asked, entry, subject):
                    yield Read(entry, subject)

    def is_meant(self, asked: Asked, entry: Entry, subject: Subject) -> bool:
        if entry.removed_ms is not None or (asked.since_ms is not None and entry.updated_ms < asked.since_ms):
            return False
        return admits(asked.query, subject, asked.now_ms)

    def subject(self, entry: Entry, shown_by: ShownBy) -> Subject:
        return subject_of(entry, lambda name: self.shows(name, entry, shown_by))

    def shown_by(self, ids: Sequence[int]) -> ShownBy:
        """What a feed of some sources has of these entries, read at once where it is asked for."""

        @cache
        def versions(feed: str) -> Mapping[int, Entry]:
            found = self.reader.entries(ids, self.priorities, self.plans[feed].sources)
            return {entry.id: entry for entry in found}

        return versions

    def shows(self, feed: str, entry: Entry, shown_by: ShownBy) -> bool:
        """Whether a feed shows the entry, as its sources have it."""
        plan = self.plans[feed]
        if plan.sources is None:
            return plan.shows(entry)
        if not set(plan.sources) & set(entry.sources):
            return False
        version = shown_by(feed).get(entry.id)
        return version is not None and plan.shows(version)

    def ranked(self, asked: Asked, read: Sequence[Read]) -> list[tuple[float, Read]]:
        words = asked.query.words
        made = scores([weighed(each.subject, words) for each in read], asked.now_ms)
        return sorted(
            zip(made, read, strict=True),
            key=lambda pair: (pair[0], pair[1].entry.published_ms, pair[1].entry.id),
            reverse=True,
        )

    def hit(self, asked: Asked, found: Read, score: float) -> Hit:
        asked.until.require()
        entry, words = found.entry, asked.query.words
        title = fragments.whole(entry.title, words)
        fragment = fragments.passage(found.subject.plain, words)
        return Hit(entry, round(score, 4), title.html, fragment.html)

    def newest(self, asked: Asked, limit: int) -> list[Entry]:
        """What matches, in the order of feeds, the newest first. Raises TooSlow, StoreError."""
        read = self.read(asked, self.in_order(asked))
        return [each.entry for each in islice(read, limit)]

    def in_order(self, asked: Asked) -> Iterator[int]:
        """Candidates in the order of feeds, each once."""
        connection, ordered = self.reader.connection, list[int]()
        with search.patience(connection, self.reader.path, asked.until):
            unmet = search.unmet(connection)
            found = search.candidates(connection, asked.wanted, SORTED + 1)
            if is_whole := len(found) <= SORTED:
                ordered = search.by_position(connection, list({each.entry_id for each in found} | set(unmet)))
        yield from ordered
        if not is_whole:
            yield from self.walked(asked, frozenset(unmet))

    def walked(self, asked: Asked, known: frozenset[int]) -> Iterator[int]:
        """As `in_order`, where there are so many that they are met soon on the way through all."""
        connection, at_once = self.reader.connection, WALKED_AT_ONCE
        fitting: Collection[int] = ()
        # a word that may go on is gathered anew for each document that is asked about: rather once for all
        if gathers := any(each.prefix for each in asked.sought.words):
            with search.patience(connection, self.reader.path, asked.until):
                fitting = {each.entry_id for each in search.candidates(connection, asked.wanted, -1)}
        ids_in_order = islice(self.reader.entry_ids(None, removed=False), MOST_WALKED)
        while some := list(islice(ids_in_order, at_once)):
            if not gathers:
                with search.patience(connection, self.reader.path, asked.until):
                    fitting = search.matching(connection, asked.wanted, some)
            yield from (each for each in some if each in fitting or each in known)
            at_once = min(2 * at_once, MOST_AT_ONCE)
