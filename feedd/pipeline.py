"""How data flows, one way; what happens to a source at each look.

    source ─► collect ─► normalise ─► decide ─► record ─► change log ─► feeds, pages, listings
              folder: list, settle, read             one transaction
              web: fetch, guarded and polite         a batch
              program: run

A folder is looked at in a thread (`folder`), anything else on the event loop (`window`). Nothing here knows a feed
that is served, a page or a reader: those read the store alone.
"""

import asyncio
import logging
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from importlib import import_module
from socket import gethostname

from feedd import __version__
from feedd.config.settings import Config
from feedd.config.sources import DirectorySource, FeedSource, GitSource, Source
from feedd.engine import Alone, Engine
from feedd.fetch.client import Fetcher
from feedd.fetch.manners import Manners
from feedd.fetch.robots import Robots
from feedd.folder import FolderLooker
from feedd.limits import most_files
from feedd.looks import WHOLE, Looked, Progress, Request
from feedd.needs import spare_files
from feedd.store.desk import Desk
from feedd.troubles import OwnTrouble
from feedd.visits import Tools
from feedd.websub.incoming import Pushed
from feedd.window import WindowLooker
from feedd.workers import GENTLY, Pool

CLUSTER = "feedd.cluster.engine"  # takes a second to be imported, and 45 MB: where there is one alone
FOLDERS_AT_ONCE = 4
REPOSITORIES_AT_ONCE = 8
log = logging.getLogger(__name__)


class Looker:
    """Looks at sources of every type, one look at a time per source; belongs to the process that holds the lock."""

    def __init__(self, folders: FolderLooker, windows: WindowLooker) -> None:
        self.folders = folders
        self.windows = windows
        self.threads = ThreadPoolExecutor(FOLDERS_AT_ONCE, thread_name_prefix="look")
        # of their own: a server that hangs holds up no folder
        self.repositories = ThreadPoolExecutor(REPOSITORIES_AT_ONCE, thread_name_prefix="git")

    def adopt(self, config: Config) -> None:
        """Go on with the settings of another configuration."""
        self.windows.tools = configured(self.windows.tools, config)

    def close(self) -> None:
        self.threads.shutdown(wait=True)
        self.repositories.shutdown(wait=True)

    async def look(
        self, source: Source, request: Request = WHOLE, progress: Progress | None = None
    ) -> Looked:
        """Look at one source. A failure is recorded on the source and returned. Raises Stopped."""
        match source:
            case DirectorySource() | GitSource():
                work = partial(self.folders.look, source, request, progress)
                threads = self.threads if isinstance(source, DirectorySource) else self.repositories
                looked = await asyncio.get_running_loop().run_in_executor(threads, work)
            case _:
                looked = await self.windows.look(source, asked=request.asked)
        log.debug("%s: looked at: %s, %.2f s", source.name, looked.status, looked.seconds)
        return looked

    async def take(self, source: FeedSource, pushed: Pushed) -> Looked:
        """Record what a hub pushed. No look at the source may be under way. Raises StoreError, Stopped."""
        return await self.windows.take(source, pushed)


@asynccontextmanager
async def looker(
    config: Config, desk: Desk, stop: threading.Event, *, hears_pushes: bool = False
) -> AsyncIterator[Looker]:
    """What looks need, on the running event loop, for as long as the context lasts.

    `hears_pushes`: as WindowLooker's.
    """
    async with tools(config, desk if hears_pushes else None) as kit:
        folders = FolderLooker(desk, stop, config.store.path.parent, kit.engine.files, kit.pool.niceness)
        made = Looker(folders, WindowLooker(desk, kit, hears_pushes=hears_pushes))
        try:
            yield made
        finally:
            stop.set()  # a folder that is being read ends with its batch
            made.close()


@asynccontextmanager
async def tools(config: Config, desk: Desk | None = None) -> AsyncIterator[Tools]:
    """What collecting works with, on the running event loop. `desk`: of a daemon, which serves beside it, and may use a cluster."""
    async with Fetcher(Manners(config.fetch.concurrency)) as fetcher:
        with Pool(GENTLY if desk is not None else 0) as pool:
            folder, alone = config.path.absolute().parent, Alone(fetcher, pool)
            async with engine(config, alone, desk) as chosen:
                yield Tools(chosen, fetcher, Robots(), pool, config.fetch, user_agent(config), folder)


@asynccontextmanager
async def engine(config: Config, alone: Alone, desk: Desk | None) -> AsyncIterator[Engine]:
    """Who fetches and reads."""
    trouble = None if desk is None else OwnTrouble(desk, "cluster")
    if trouble is None or config.cluster is None:
        if trouble is not None:
            trouble.tell(None)  # what was wrong with a cluster is no matter any more
        yield alone
        return
    cluster = import_module(CLUSTER)
    who = f"{gethostname()}:{config.store.path.absolute()}"
    room = cluster.Room(config.fetch.concurrency, spare_files(config, most_files()))
    async with cluster.spread(config.cluster, who, alone, room, trouble) as spread:
        yield spread


def configured(kit: Tools, config: Config) -> Tools:
    """The same connections and manners under other settings."""
    kit.engine.allow(config.fetch.concurrency)
    return kit._replace(fetch=config.fetch, user_agent=user_agent(config))


def user_agent(config: Config) -> str:
    """What servers are told of who asks, and whom to turn to."""
    contact = config.fetch.contact or config.server.public_url
    return config.fetch.user_agent or f"feedd/{__version__} (+{contact})"
