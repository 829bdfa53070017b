"""What feed readers fetch, as files: the feeds that are for everybody, their archives, and a list of them."""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice
from threading import Barrier

from feedd.config.base import digest
from feedd.publish.archive import archived, is_archived, rules_of
from feedd.publish.cache import FORMATS, Feeds
from feedd.publish.changes import Log
from feedd.publish.opml import opml
from feedd.publish.plan import Plan
from feedd.publish.syndication import atom
from feedd.site.folder import Folder

THREADS = 3  # compressing and writing need no interpreter: more than one core is kept busy
AHEAD = 4 * THREADS
OPML = "feeds.opml"


def put_feed(feeds: Feeds, folder: Folder, plan: Plan, state: str) -> None:
    """The newest of a feed, in all formats."""
    names = {format_: f"feeds/{plan.name}.{format_}" for format_ in FORMATS}
    if all(folder.holds(name, state) for name in names.values()):
        return
    document = feeds.document(plan.name, plan.limit)
    for format_, name in names.items():
        _, render = FORMATS[format_]
        folder.put(name, render(document), state)


def put_opml(feeds: Feeds, folder: Folder, plans: Iterable[Plan]) -> None:
    body = opml(plans, feeds.base_url)
    folder.put(OPML, body, digest(body))


def put_archives(feeds: Feeds, folder: Folder, plans: Iterable[Plan], check: Callable[[], None]) -> None:
    """The archive documents that are not there yet: one that is full never changes. `check` may raise."""
    missing = missing_archives(feeds, folder, plans)
    log = Log(feeds.reader, feeds.differences, feeds.base_url, feeds.priorities)

    def put(name: str, state: str, plan: Plan, number: int) -> None:
        document = archived(log, plan, number, feeds.titles)
        if document is not None:
            folder.put(name, atom(document), state)

    first = list(islice(missing, AHEAD))
    if not first:
        return
    with ThreadPoolExecutor(THREADS, "publish") as pool:
        waiting = {pool.submit(put, *each) for each in first}
        try:
            while waiting:
                check()
                done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                succeed(done)
                waiting |= {pool.submit(put, *each) for each in islice(missing, len(done))}
        finally:
            for each in waiting:
                each.cancel()
            together = Barrier(THREADS)  # so that each thread closes its own connection
            for _ in range(THREADS):
                pool.submit(leave, feeds, together)


def leave(feeds: Feeds, together: Barrier) -> None:
    together.wait()
    feeds.reader.close()


def succeed(done: Iterable[Future[None]]) -> None:
    """Raises what went wrong."""
    for each in done:
        each.result()


def missing_archives(
    feeds: Feeds, folder: Folder, plans: Iterable[Plan]
) -> Iterator[tuple[str, str, Plan, int]]:
    """(name, state, feed, number)."""
    born = feeds.reader.uuid()
    for plan in plans:
        if not is_archived(plan):
            continue
        state = digest(born, feeds.base_url, rules_of(plan), plan.title, plan.language, plan.content)
        for number in range(1, feeds.archives(plan.name)[0] + 1):
            name = f"feeds/{plan.name}/archive/{number}.atom"
            if not folder.holds(name, state):
                yield name, state, plan, number
