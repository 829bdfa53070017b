"""collect(source, state) → Collected: the one place that touches the network for a source, or runs its program.

It takes and returns frozen values. What costs processor time goes to the pool: parsing, and making articles.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import NamedTuple, assert_never

from feedd.answers import covers, hash_of, host_of, in_words, moved, raw_of
from feedd.articles import Articles, is_lasting, objection
from feedd.config.fetching import Fetch
from feedd.config.sources import (
    CommandSource,
    FeedSource,
    PageSource,
    SitemapSource,
    WatchSource,
    WebSource,
    WindowSource,
)
from feedd.errors import BadStatus, SourceError
from feedd.fetch.address import read, shown
from feedd.fetch.client import Fetcher
from feedd.fetch.freshness import fresh_until_ms, retry_after_ms
from feedd.fetch.hops import SHARED, may_share
from feedd.fetch.robots import Robots
from feedd.fetch.values import Access, Answer, Ask, Validators
from feedd.model import Conversation, Raw, Rejected
from feedd.recipes import recipe_of, selectors_of
from feedd.sources import documents
from feedd.sources.command import output_of
from feedd.sources.documents import Document, Reading
from feedd.sources.items import Draft, Made, Recipe
from feedd.sources.process import Program
from feedd.sources.sitemap import Sitemap, parse_sitemap
from feedd.sources.watched import Watching
from feedd.workers import Pool

FEED_TYPES = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.8"
)
PAGE_TYPES = "text/html, application/xhtml+xml, application/json;q=0.9, */*;q=0.8"
SITEMAP_TYPES = "application/xml, text/xml, */*;q=0.8"
MAX_SITEMAPS = 100


class Tools(NamedTuple):
    """What collecting works with; one set for a process."""

    fetcher: Fetcher
    robots: Robots
    pool: Pool
    fetch: Fetch
    user_agent: str
    folder: Path  # of the configuration: programs run there


class Seen(NamedTuple):
    """What is known of a location that was read before."""

    said: bytes | None = None  # what its document said of it last, hashed
    whole: bool = False  # it holds an article, read under today's settings


NEVER_SEEN = Seen()


class State(NamedTuple):
    """What is known of a source before it is looked at."""

    conversation: Conversation
    seen: Mapping[str, Seen]  # by location
    now_ms: int
    holds: tuple[tuple[str, int], ...] = ()  # hosts and domains to leave alone, and until when


class Collected(NamedTuple):
    """What a look at a source brought. It is a window: what is absent has only scrolled off."""

    conversation: Conversation
    made: Made | None = None  # None: the document is the one that was read before
    known: int = 0  # items that are as they were, and so were not made again
    fresh_until_ms: int | None = None
    retry_after_ms: int | None = None  # when the server wants to be asked again
    answered: str | None = None  # the address that it said so
    unfinished: bool = False  # there is more that the document names
    resting: Mapping[str, int] = {}  # hosts that its articles are not to be asked of, and until when


async def collect(source: WindowSource, state: State, tools: Tools) -> Collected:
    """Look at a source that is no folder. Raises SourceError."""
    match source:
        case FeedSource():
            return await Errand(source, state, tools).feed(source)
        case PageSource():
            return await Errand(source, state, tools).page(source)
        case WatchSource():
            return await Errand(source, state, tools).watch(source)
        case SitemapSource():
            return await Errand(source, state, tools).sitemap(source)
        case CommandSource():
            return await run_command(source, state, tools)
        case _:
            assert_never(source)


class Errand:
    """One look at a source of the web."""

    def __init__(self, source: WebSource, state: State, tools: Tools) -> None:
        self.source = source
        self.state = state
        self.tools = tools
        self.access = source.access(tools.fetch, tools.user_agent)
        self.address = state.conversation.address or source.url
        self.request_hash = source.request_hash

    async def feed(self, source: FeedSource) -> Collected:
        answer = await self.visit(self.address, FEED_TYPES, self.validators)
        if self.is_old(answer):
            return self.unchanged(answer)
        recipe, whole = recipe_of(source), not source.full_text
        reading = await self.tools.pool.run(
            documents.read_feed, self.document(answer), recipe, self.state.now_ms, whole=whole
        )
        if whole:
            return self.collected(answer, reading)
        return await self.with_articles(answer, reading, recipe, source.content, source.max_articles)

    async def page(self, source: PageSource) -> Collected:
        await self.ask_robots(self.address)
        answer = await self.visit(self.address, PAGE_TYPES, self.validators if not source.next_page else None)
        if not source.next_page and self.is_old(answer):
            return self.unchanged(answer)
        selectors, recipe = selectors_of(source, source.timezone, source.language), recipe_of(source)
        assert selectors is not None
        read, at_once = documents.read_page, source.content is None
        reading = await self.tools.pool.run(
            read, self.document(answer), recipe, selectors, self.state.now_ms, whole=at_once
        )
        following, seen = reading.next_url, {self.address, answer.url}
        for _ in range(source.max_pages - 1):
            if following is None or following in seen:
                break
            seen.add(following)
            try:
                await self.ask_robots(following)
                further = self.document(await self.visit(following, PAGE_TYPES))
                more = await self.tools.pool.run(
                    read, further, recipe, selectors, self.state.now_ms, whole=at_once
                )
            except SourceError as error:  # what the first page lists is not lost with the next one
                reading = reading._replace(rejected=(*reading.rejected, (following, str(error))))
                break
            reading, following = joined(reading, more), more.next_url
        if source.content is None:
            return self.collected(answer, reading)
        return await self.with_articles(answer, reading, recipe, source.content, source.max_articles)

    async def watch(self, source: WatchSource) -> Collected:
        await self.ask_robots(self.address)
        answer = await self.visit(self.address, PAGE_TYPES, self.validators)
        if self.is_old(answer):
            return self.unchanged(answer)
        watching = Watching(source.select, source.remove, source.ignore, source.text_only)
        recipe = recipe_of(source, "source")._replace(ignore=())
        reading = await self.tools.pool.run(
            documents.read_watched, self.document(answer), recipe, watching, self.state.now_ms
        )
        return self.collected(answer, reading)

    async def sitemap(self, source: SitemapSource) -> Collected:
        answer = await self.visit(self.address, SITEMAP_TYPES, self.validators)
        if self.is_old(answer):
            return self.unchanged(answer)
        top = await self.tools.pool.run(parse_sitemap, answer.body, answer.url)
        rejected = list(top.rejected)
        entries, pending, visited = list(top.entries), [address for address, _ in top.sitemaps], {answer.url}
        while pending and len(visited) < MAX_SITEMAPS and len(entries) < source.max_urls:
            url = pending.pop(0)
            if url in visited:
                continue
            visited.add(url)
            try:
                body = (await self.visit(url, SITEMAP_TYPES)).body
                below: Sitemap = await self.tools.pool.run(parse_sitemap, body, url)
            except SourceError as error:  # the others are read all the same
                rejected.append((url, str(error)))
                continue
            entries += below.entries
            rejected += below.rejected
            pending += [address for address, _ in below.sitemaps]
        recipe, whole = recipe_of(source), source.content is None
        chosen = sorted(entries, key=lambda each: -(each.lastmod_ms or 0))[: source.max_urls]
        reading = await self.tools.pool.run(
            documents.read_sitemap, chosen, recipe, self.state.now_ms, whole=whole
        )
        note = f"{len(pending):,} further sitemaps were left out" if pending else None
        reading = reading._replace(rejected=tuple(rejected), note=note)
        if len(visited) > 1:  # that the index is as it was says nothing of what it names
            answer = answer._replace(headers={}, body=b"")
        if source.content is None:
            return self.collected(answer, reading)
        return await self.with_articles(answer, reading, recipe, source.content, source.max_articles)

    @property
    def validators(self) -> Validators | None:
        """What makes the request conditional: nothing that was had under other settings."""
        said = self.state.conversation
        same = said.requested == self.request_hash
        return Validators(said.etag, said.last_modified, said.answered) if same else None

    async def visit(self, url: str, accept: str, validators: Validators | None = None) -> Answer:
        """Fetch; an answer that is no document is an error. Raises FetchError, BadStatus."""
        await self.tools.pool.room.wait()
        access = self.access_to(url)
        answer = await self.tools.fetcher.fetch(Ask(url, access, validators or Validators(), accept))
        status = answer.status
        if 200 <= status < 300 or (status == HTTPStatus.NOT_MODIFIED and validators and any(validators[:2])):
            return answer
        again_ms = retry_after_ms(answer.headers, self.state.now_ms)
        raise BadStatus(in_words(answer), answer.url, status, again_ms)

    def access_to(self, url: str) -> Access:
        """How to ask there: what is secret goes to the source's own address alone."""
        if may_share(read(self.source.url)[0], read(url)[0]):
            return self.access
        harmless = tuple(each for each in self.access.headers if each[0].lower() in SHARED)
        return self.access._replace(headers=harmless, cookies=(), auth=None)

    async def ask_robots(self, url: str) -> None:
        if self.source.robots and not await self.tools.robots.allows(
            self.tools.fetcher, url, self.access_to(url)
        ):
            raise SourceError(f"robots.txt forbids {shown(url)}; robots = false looks all the same")

    def is_old(self, answer: Answer) -> bool:
        """Whether the document is the one that was read before."""
        said = self.state.conversation
        if answer.status == HTTPStatus.NOT_MODIFIED:
            return True
        return said.requested == self.request_hash and said.body_hash == hash_of(answer.body)

    def document(self, answer: Answer) -> Document:
        raw = raw_of(answer, self.state.now_ms) if self.source.keep_raw else None
        return Document(answer.body, answer.url, answer.content_type, raw)

    def unchanged(self, answer: Answer) -> Collected:
        said = self.spoken(answer)
        etag = answer.headers.get("etag")
        if etag and said.etag and etag.removeprefix("W/") != said.etag.removeprefix("W/"):
            said = said._replace(etag=None, last_modified=None)  # of a document that was never seen
        return self.result(answer, said)

    def collected(self, answer: Answer, reading: Reading) -> Collected:
        assert reading.made is not None
        return self.read(answer, reading, with_rejected(reading.made, reading.rejected))

    def read(self, answer: Answer, reading: Reading, made: Made, *, again: bool = False) -> Collected:
        """`again`: the document must be read again even if it does not change."""
        said = self.spoken(answer)._replace(note=reading.note, wishes=reading.wishes, hub=reading.hub)
        if not again and answer.body:
            said = said._replace(
                requested=self.request_hash,
                etag=answer.headers.get("etag"),
                last_modified=answer.headers.get("last-modified"),
                answered=answer.url,
                body_hash=hash_of(answer.body),
            )
        else:
            said = said.unread()
        return self.result(answer, said)._replace(made=made)

    def result(self, answer: Answer, said: Conversation) -> Collected:
        now_ms, headers = self.state.now_ms, answer.headers
        again_ms = retry_after_ms(headers, now_ms)
        return Collected(
            said._replace(held_until=again_ms, paused=None, missing=0),
            fresh_until_ms=fresh_until_ms(headers, now_ms),
            retry_after_ms=again_ms,
            answered=answer.url,
        )

    def spoken(self, answer: Answer) -> Conversation:
        """The conversation, with what the answer says of where the source has gone."""
        return moved(self.state.conversation, answer.moved_to, self.address, self.state.now_ms)

    async def with_articles(
        self, answer: Answer, reading: Reading, recipe: Recipe, content: str, limit: int
    ) -> Collected:
        """The items with the articles of their own pages; those that are as they were are left alone."""
        found = Articles()
        for draft in sorted(reading.drafts, key=lambda draft: draft.identity.location in self.state.seen):
            if self.seen(draft).said == draft.seen:
                found.known += 1
            elif why := objection(draft, recipe.filter):
                found.refuse(draft, f"left out: {why}")
            elif found.asked >= limit:
                found.unfinished = found.unfinished or isinstance(self.source, SitemapSource)
                await self.postpone(draft, recipe, found)
            else:
                await self.article(draft, content, recipe, found)
        present = frozenset(draft.identity.location for draft in reading.drafts)
        shared = shared_guids(reading.drafts)
        made = with_rejected(Made(found.items, found.rejected, present, shared), reading.rejected)
        collected = self.read(answer, reading, made, again=found.again)
        resting = {host: until for host, until in found.resting.items() if until is not None}
        return collected._replace(known=found.known, unfinished=found.unfinished, resting=resting)

    def seen(self, draft: Draft) -> Seen:
        return self.state.seen.get(draft.identity.location, NEVER_SEEN)

    async def postpone(self, draft: Draft, recipe: Recipe, found: Articles) -> None:
        """Leave an article for the next look; the summary stands in for it, where there is one."""
        found.again = True
        if not isinstance(self.source, SitemapSource):
            await self.stand_in(draft, recipe, found, seen=None)

    async def stand_in(self, draft: Draft, recipe: Recipe, found: Articles, *, seen: bytes | None) -> None:
        """The summary in place of the article, unless the article is held already."""
        if not self.seen(draft).whole:
            made = await self.tools.pool.run(documents.summaries, [draft], recipe, self.state.now_ms)
            found.add(draft, made, seen=seen)

    async def article(self, draft: Draft, content: str, recipe: Recipe, found: Articles) -> None:
        """Fetch one article. One that can't be had is told by its summary, unless it is known already."""
        pool, now_ms, host = self.tools.pool, self.state.now_ms, host_of(draft.url or "")
        held = any(covers(scope, self.source.name, host) for scope, _ in self.state.holds)
        if held or host in found.resting:
            await self.postpone(draft, recipe, found)
            return
        found.asked += 1
        try:
            page = await self.page_of(draft)
            made = await pool.run(documents.read_article, draft, page, content, recipe, now_ms)
            found.add(draft, made, seen=draft.seen)
        except SourceError as error:
            found.rest(host_of(error.url) if isinstance(error, BadStatus) else host, error)
            lasting = is_lasting(error)
            found.again = found.again or not lasting
            if self.seen(draft).whole:
                found.refuse(draft, f"the article can't be had: {error}")
            await self.stand_in(draft, recipe, found, seen=draft.seen if lasting else None)

    async def page_of(self, draft: Draft) -> Document:
        """The item's own page. Raises SourceError."""
        if draft.url is None:
            raise SourceError("the item has no link")
        await self.ask_robots(draft.url)
        return self.document(await self.visit(draft.url, PAGE_TYPES))


async def run_command(source: CommandSource, state: State, tools: Tools) -> Collected:
    """What a program prints. Raises SourceError."""
    said = state.conversation
    program = Program(source.command, source.timeout / 1000, source.max_bytes, tools.folder)
    output = await output_of(program)
    if said.requested == source.request_hash and said.body_hash == hash_of(output):
        return Collected(said._replace(paused=None))
    raw = Raw(source.location, None, (), state.now_ms, sha256(output).digest(), output)
    document = Document(output, source.url or "", None, raw if source.keep_raw else None)
    recipe = recipe_of(source)
    selectors = selectors_of(source, source.timezone, source.language)
    reading = await tools.pool.run(
        documents.read_output, document, recipe, source.output, selectors, state.now_ms
    )
    assert reading.made is not None
    said = said._replace(
        requested=source.request_hash, body_hash=hash_of(output), note=reading.note, paused=None
    )
    return Collected(said, with_rejected(reading.made, reading.rejected))


def shared_guids(drafted: Sequence[Draft]) -> frozenset[str]:
    """Guids and URLs that several of these bear."""
    return frozenset(name for each in drafted for name in each.shares)


def joined(first: Reading, further: Reading) -> Reading:
    """Two pages of one list."""
    drafted = first.drafts + further.drafts
    rejected = first.rejected + further.rejected
    if first.made is None or further.made is None:
        return first._replace(drafts=drafted, rejected=rejected)
    made = Made(
        first.made.items + further.made.items,
        first.made.rejected + further.made.rejected,
        first.made.present | further.made.present,
        first.made.shared | further.made.shared,
    )
    return first._replace(drafts=drafted, rejected=rejected, made=made)


def with_rejected(made: Made, rejected: Sequence[tuple[str, str]]) -> Made:
    return made._replace(rejected=[*made.rejected, *(Rejected(*each) for each in rejected)])
