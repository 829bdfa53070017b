"""A look at a source that is no folder: held? ─► collect ─► decide and record ─► when next.

It runs on the event loop; one transaction records what it found, or why it failed.
"""

import logging
import random
import time
from collections.abc import Awaitable, Callable, Mapping
from functools import cache, partial

from publicsuffixlist import PublicSuffixList

from feedd.answers import covers, hash_of, host_of
from feedd.collect import Collected, collect, collect_pushed
from feedd.config.sources import ArticleSource, CommandSource, FeedSource, WatchSource, WindowSource
from feedd.decide import Pass
from feedd.errors import BadStatus, SelectorRot, SourceError, Stopped, StoreError
from feedd.fetch.freshness import auto_interval, next_look
from feedd.fetch.guard import literal
from feedd.looks import Looked, due_after_failures, key_of, now_ms
from feedd.model import Conversation, Tally
from feedd.normalise.url import shown
from feedd.publish.times import rfc3339
from feedd.recheck import SOON_MS
from feedd.rechecking import Rechecker
from feedd.recipes import recipe_of
from feedd.schedule import Due
from feedd.sources.items import Made
from feedd.store import pushes, rechecks, subscriptions
from feedd.store.desk import Desk
from feedd.store.passes import Failure, SourceKey, Started, Window
from feedd.visits import Seen, State, Tools, Visitor
from feedd.websub.incoming import Pushed, rarer

GONE = 410
LONGEST_ERROR = 1_000  # characters; what strangers say is in it
NOT_THERE = frozenset({404, 410})
LOOKS_UNTIL_GONE = 2  # at a watched page that is not there: then what it held is removed
JITTER = 0.1  # of the interval: sources that began together drift apart
LONGEST_JITTER_MS = 10 * 60_000
CRON_RETRY_MS = 10 * 60_000
AGAIN_MS = 60_000  # where the store said nothing of when
log = logging.getLogger(__name__)


class WindowLooker:
    """Looks at sources of the web, and at programs; belongs to the process that holds the lock.

    `hears_pushes`: hubs reach this process, so that what they push need not be polled often.
    """

    def __init__(self, desk: Desk, tools: Tools, *, hears_pushes: bool = False) -> None:
        self.desk = desk
        self.tools = tools
        self.hears_pushes = hears_pushes

    async def look(self, source: WindowSource, *, asked: bool = False) -> Looked:
        """Look at one source. A failure is recorded on the source and returned.

        `asked`: somebody asked for it, so that the document is looked at even if only articles are due.
        """
        begun, key = time.monotonic(), key_of(source)
        try:
            if isinstance(source, ArticleSource) and source.recheck:
                looked = await self.look_at_all(source, key, asked=asked)
            else:
                looked = await self.guarded(source, key, partial(self.look_at_document, source, key))
        except StoreError as error:  # when the next look comes can't be read, or noted
            looked = await self.failed(source, key, None, error)
        return looked._replace(seconds=time.monotonic() - begun)

    async def take(self, source: FeedSource, pushed: Pushed) -> Looked:
        """Record what a hub pushed as if it had been fetched. What can't be is fetched soon in its place.

        What is known of the source's server stays as it is, and so does when it is asked next. Raises StoreError.
        """
        begun, key, now = time.monotonic(), key_of(source), now_ms()
        started = await self.desk.do(lambda writer: writer.begin(key, now))
        look = started.look
        if look.first or look.rebase or started.reselected:  # only a look at all of it ends that
            because = "the hub pushed before the document was read under today's settings"
            return await self.polled_soon(source, look.source_id, because)
        try:
            collected = await collect_pushed(source, pushed, await self.state(source, started), self.tools)
        except SourceError as error:
            looked = await self.polled_soon(source, look.source_id, "what the hub pushed can't be read")
            return looked._replace(status="failed", error=shown(str(error), LONGEST_ERROR))
        made, resting = collected.made, resting_holds(source, collected.resting)
        assert made is not None
        received = pushes.Received(
            made.items, made.rejected, made.present, made.shared, resting, hash_of(pushed.body).hex()
        )
        tally = await self.desk.do(lambda writer: pushes.record(writer, key, look, received))
        if source.recheck:
            pages, held, limit = collected.pages, started.entries, source.max_articles
            await self.desk.do(lambda writer: rechecks.schedule(writer, look, pages, held=held, limit=limit))
            await self.desk.do(lambda writer: rechecks.settle(writer, source.name, now_ms(), looked=False))
        tally += Tally(duplicates=collected.known)
        return Looked(source.name, "ok", tally, time.monotonic() - begun)

    async def polled_soon(self, source: FeedSource, source_id: int, because: str) -> Looked:
        at_ms = await self.desk.do(
            lambda writer: subscriptions.poll_soon(writer, source_id, because, now_ms())
        )
        return Looked(source.name, "unchanged", next_check_ms=at_ms, note=because)

    async def guarded(
        self, source: WindowSource, key: SourceKey, look: Callable[[Started], Awaitable[Looked]]
    ) -> Looked:
        """One pass; what goes wrong is recorded. Raises Stopped."""
        started = None
        try:
            began_ms = now_ms()
            started = await self.desk.do(lambda writer: writer.begin(key, began_ms))
            return await look(started)
        except (SourceError, StoreError) as error:
            return await self.failed(source, key, started, error)
        except Stopped:
            raise
        except Exception as bug:
            log.exception("%s: a bug in feedd", source.name)
            found = SourceError(f"a bug in feedd, see its log: {bug!r}")
            return await self.failed(source, key, started, found)

    async def look_at_document(self, source: WindowSource, key: SourceKey, started: Started) -> Looked:
        if due := held(source, started):
            await self.desk.do(lambda writer: writer.postpone(key, due))
            return Looked(source.name, "unchanged", next_check_ms=due.at_ms, note=due.because)
        collected = await collect(source, await self.state(source, started), self.tools)
        return await self.record(source, key, started, collected)

    async def look_at_all(self, source: ArticleSource, key: SourceKey, *, asked: bool) -> Looked:
        """Look at what is due: the document, articles, or both. If nothing is, somebody asked for the document."""
        name, now = source.name, now_ms()
        plan = await self.desk.do(lambda writer: rechecks.plan_of(writer, name))
        is_document = asked or is_reached(plan.document_ms, now) or not is_reached(plan.check_ms, now)
        looked = Looked(name, "unchanged")
        if is_document:
            looked = await self.guarded(source, key, partial(self.look_at_document, source, key))
        if looked.error is None:
            again = await self.guarded(source, key, partial(self.look_at_articles, source, key))
            looked = together(looked, again)
        due = await self.desk.do(
            lambda writer: rechecks.settle(writer, name, now_ms(), looked=is_document or bool(looked.error))
        )
        return looked._replace(next_check_ms=due.at_ms if due else None)

    async def look_at_articles(self, source: ArticleSource, key: SourceKey, started: Started) -> Looked:
        """Look again at the own pages of articles that are due. The document, and all about it, stay as they are."""
        look, article = started.look, source.article
        until_ms, limit = look.now_ms + SOON_MS, source.max_articles
        due = await self.desk.do(lambda writer: rechecks.due(writer, look.source_id, until_ms, limit))
        if not due or article is None:
            return Looked(source.name, "unchanged")
        said, holds = started.conversation, started.holds
        if (said.held_until or 0) > look.now_ms:
            holds += ((f"host:{host_of(said.address or source.url)}", said.held_until or 0),)
        rechecker = Rechecker(
            Visitor(source, State(said, {}, look.now_ms, holds, due), self.tools),
            recipe_of(source),
            article,
        )
        outcomes = await rechecker.read()
        resting = resting_holds(source, rechecker.asked_to_rest)
        tally = await self.desk.do(lambda writer: rechecks.record(writer, key, look, outcomes, resting))
        was_read = any(outcome.item or outcome.refused for outcome in outcomes)
        return Looked(source.name, "ok" if was_read else "unchanged", tally)

    async def state(self, source: WindowSource, started: Started) -> State:
        look = started.look
        said = started.conversation
        if started.reselected:
            said = said._replace(address=None, moving_to=None, moving_times=0, moving_since=None)
        if not isinstance(source, ArticleSource) or source.article is None:
            return State(said, {}, look.now_ms)
        rows = await self.desk.do(lambda writer: writer.seen(look.source_id, source.extraction_hash))
        seen = {location: Seen(*row) for location, row in rows.items()}
        if source.recheck:
            known = await self.desk.do(lambda writer: rechecks.remembered(writer, look.source_id))
            seen |= {
                location: with_reading(seen.get(location, Seen()), *each) for location, each in known.items()
            }
        return State(said, seen, look.now_ms, started.holds)

    async def record(
        self, source: WindowSource, key: SourceKey, started: Started, collected: Collected
    ) -> Looked:
        made, said, now = collected.made, collected.conversation, started.look.now_ms
        if made is not None:
            said = described(said, made.items or collected.known, made.rejected, started.entries)
        if source.timing.auto:
            said = said._replace(interval=await self.rhythm(started, made, now))
        due = due_after(source, collected._replace(conversation=said), now)
        window = Window(
            made.items if made else (),
            made.rejected if made else None,
            due,
            said,
            (
                *holds_of(source, collected.answered, collected.retry_after_ms),
                *resting_holds(source, collected.resting),
            ),
            moved=said.address is not None and said.address != started.conversation.address,
            shared=made.shared if made else (),
            unfinished=collected.unfinished,
            partial=isinstance(source, ArticleSource) and source.recheck,
            received=collected.received,
        )
        present = made.present if made else None
        look = started.look._replace(present=present, anew=started.reselected)
        tally = await self.desk.do(lambda writer: writer.close_window(key, look, window))
        due = await self.rarely(source, key, look, due, found=tally.changed)
        tally += Tally(duplicates=collected.known)
        if isinstance(source, ArticleSource) and source.recheck:
            pages, held, limit = collected.pages, started.entries, source.max_articles
            await self.desk.do(lambda writer: rechecks.schedule(writer, look, pages, held=held, limit=limit))
        status = "ok" if made is not None and (made.items or made.rejected) else "unchanged"
        return Looked(source.name, status, tally, next_check_ms=due.at_ms, note=said.note)

    async def rarely(self, source: WindowSource, key: SourceKey, look: Pass, own: Due, *, found: bool) -> Due:
        """When the source is looked at next: seldom while a hub pushes what it has.

        Set after the look was recorded: if feedd ends between, it is looked at as if nobody pushed.
        """
        source_id, now = look.source_id, look.now_ms
        if not (self.hears_pushes and isinstance(source, FeedSource)):
            return own
        said = await self.desk.do(
            lambda writer: subscriptions.polled(writer, source_id, own, now, found=found)
        )
        if said.missed:
            log.warning("%s: %s", source.name, subscriptions.MISSED)
        if not said.is_pushed:
            return own
        due = rarer(own, source.timing, now, source.max_interval)
        await self.desk.do(lambda writer: writer.postpone(key, due))
        return due

    async def rhythm(self, started: Started, made: Made | None, now: int) -> int:
        """How often to look at a source that says itself how often it publishes."""
        source_id = started.look.source_id
        times = await self.desk.do(lambda writer: writer.newest_times(source_id))
        times += [item.time_ms for item in made.items if item.stated_ms is not None] if made else []
        return auto_interval(times, now)

    async def failed(
        self, source: WindowSource, key: SourceKey, started: Started | None, error: SourceError | StoreError
    ) -> Looked:
        """Record a failure on the source."""
        text = shown(str(error), LONGEST_ERROR)
        log.warning("%s: %s", source.name, text)
        if started is None:
            return Looked(
                source.name, "failed", next_check_ms=now_ms() + AGAIN_MS, error=text, unwritten=True
            )
        failure, look = failure_of(source, started, error), started.look
        looked = Looked(source.name, "failed", next_check_ms=failure.due.at_ms, error=text)
        try:
            await self.desk.do(lambda writer: writer.fail(key, look, failure))
        except StoreError as second:
            log.error("%s: the failure could not be recorded: %s", source.name, second)  # noqa: TRY400 (words are enough)
            return looked._replace(unwritten=True)
        return looked


def held(source: WindowSource, started: Started) -> Due | None:
    """When the source may be looked at, if its server asked to be left alone until then."""
    if isinstance(source, CommandSource):
        return None
    said, now = started.conversation, started.look.now_ms
    host = host_of(said.address or source.url)
    asked = [until for scope, until in started.holds if covers(scope, source.name, host)]
    until_ms = max([said.held_until or 0, *asked])
    if until_ms <= now:
        return None
    return Due(until_ms, f"{host} asked to be left alone until then (Retry-After)")


def is_reached(at_ms: int | None, now: int) -> bool:
    return at_ms is None or at_ms <= now


def with_reading(seen: Seen, title: str, recheck: str, gone: bool) -> Seen:
    """What is known of a location, with what its article's own page said.

    Of one whose page is gone, no summary stands in for the article; and it is asked for even if its document says
    the same of it.
    """
    if gone:
        return Seen(None, whole=True, title=title, recheck=recheck)
    return seen._replace(title=title, recheck=recheck)


def together(document: Looked, articles: Looked) -> Looked:
    """Both halves of one look."""
    statuses = {document.status, articles.status}
    status = next((each for each in ("failed", "ok") if each in statuses), "unchanged")
    error = document.error or articles.error
    return document._replace(status=status, error=error, tally=document.tally + articles.tally)


def described(said: Conversation, items: object, rejected: object, entries: int) -> Conversation:
    """The conversation with what is to be said of a document that holds nothing."""
    if items or rejected:
        return said
    if entries:
        kept = f"{entries:,} {'entry' if entries == 1 else 'entries'}"
        return said._replace(
            note=f"the document holds nothing any more; what it brought before is kept ({kept})"
        )
    return said._replace(note=said.note or "the document holds nothing yet")


def due_after(source: WindowSource, collected: Collected, now: int) -> Due:
    """When the source is looked at next: when it is due, and its server and its document agree."""
    timing, said = source.timing, collected.conversation
    own = timing.due_after(now, said.interval)
    if timing.cron is None:
        most_ms = min((own.at_ms - now) * JITTER, LONGEST_JITTER_MS)
        own = own._replace(at_ms=own.at_ms + int(most_ms * random.random()))  # noqa: S311 (no secret)
    wishes = said.wishes
    due = next_look(
        own,
        now,
        fresh_until_ms=collected.fresh_until_ms,
        ttl_s=wishes.ttl_s,
        update_period_s=wishes.update_period_s,
        skip_hours=wishes.skip_hours,
        skip_days=wishes.skip_days,
        cap_ms=source.max_interval,
    )
    return later(due, collected.retry_after_ms)


def later(due: Due, retry_after_ms: int | None) -> Due:
    """Not before the server wants to be asked again."""
    if retry_after_ms is None or retry_after_ms <= due.at_ms:
        return due
    return Due(retry_after_ms, "the server asked to be left alone until then (Retry-After)")


def failure_of(source: WindowSource, started: Started, error: SourceError | StoreError) -> Failure:
    now, said, timing = now_ms(), started.conversation, source.timing
    every_ms = CRON_RETRY_MS if timing.cron else (timing.auto and said.interval) or timing.every_ms
    due = due_after_failures(started.failures + 1, every_ms, now)
    words = shown(str(error), LONGEST_ERROR)
    if not isinstance(error, BadStatus):
        return Failure(words, due, "selector" if isinstance(error, SelectorRot) else "failing")
    due = later(due, error.retry_after_ms)
    said = said._replace(held_until=error.retry_after_ms)
    holds = holds_of(source, error.url, error.retry_after_ms)
    gone = isinstance(source, WatchSource) and error.status in NOT_THERE
    if gone:
        said = said._replace(missing=said.missing + 1)
        gone = said.missing >= LOOKS_UNTIL_GONE
    if gone:  # what comes back is read, also if it is what it was
        said = said.unread()
    if error.status != GONE or (isinstance(source, WatchSource) and not gone):
        return Failure(words, due, "failing", said, holds, gone)
    text = f"{words}. feedd looks at it no more, until: feedd update {source.name}"
    return Failure(text, due, "paused", said._replace(paused=f"gone since {rfc3339(now)} (410)"), holds, gone)


def holds_of(source: WindowSource, answered: str | None, until_ms: int | None) -> list[tuple[str, int]]:
    """Who besides the source is to be left alone: the host that answered, or its domain."""
    if until_ms is None or answered is None or isinstance(source, CommandSource):
        return []
    host = host_of(answered)
    match source.rate_limit_scope:
        case "source":
            return []
        case "domain" if literal(host) is None:
            return [(f"domain:{public_suffixes().privatesuffix(host) or host}", until_ms)]
        case _:
            return [(f"host:{host}", until_ms)]


def resting_holds(source: WindowSource, resting: Mapping[str, int]) -> list[tuple[str, int]]:
    """Hosts of articles that asked for rest: this source leaves them alone, and others as far as it says."""
    own = [(f"source:{source.name}:{host}", until) for host, until in resting.items()]
    return own + [
        each for host, until in resting.items() for each in holds_of(source, f"http://{host}/", until)
    ]


@cache
def public_suffixes() -> PublicSuffixList:
    """Read when it is needed first: it takes a tenth of a second."""
    return PublicSuffixList()
