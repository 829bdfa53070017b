"""collect(source, state) → Collected: the one place that touches the network for a source, or runs its program.

It takes and returns frozen values. What costs processor time goes to the pool: parsing, and making articles.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from http import HTTPStatus
from typing import Any, NamedTuple, assert_never

from feedd.answers import hash_of, moved
from feedd.articles import ArticleReader
from feedd.config.sources import (
    CommandSource,
    FeedSource,
    PageSource,
    SitemapSource,
    WatchSource,
    WebSource,
    WindowSource,
)
from feedd.errors import SourceError
from feedd.fetch.freshness import fresh_until_ms, retry_after_ms
from feedd.fetch.values import Answer, Validators
from feedd.model import Conversation, Raw, Rejected
from feedd.reading import Reply, Task
from feedd.reading import reply as reply_to
from feedd.recheck import Recheck
from feedd.recipes import recipe_of, selectors_of
from feedd.sources import documents
from feedd.sources.command import output_of
from feedd.sources.documents import Document, Reading
from feedd.sources.items import Draft, Made, Recipe
from feedd.sources.process import Program
from feedd.sources.watched import Watching
from feedd.visits import PAGE_TYPES, State, Tools, Visitor
from feedd.websub.incoming import Pushed
from feedd.websub.links import MOST_HUBS, Announced, announced, canonical, web_address

FEED_TYPES = (
    "application/atom+xml, application/rss+xml, application/feed+json, application/xml;q=0.9, */*;q=0.8"
)
SITEMAP_TYPES = "application/xml, text/xml, */*;q=0.8"
MAX_SITEMAPS = 100


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
    received: int | None = None  # bytes of the document
    pages: Mapping[str, Recheck] = {}  # by location: what the articles' own pages said that were read


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


async def collect_pushed(source: FeedSource, pushed: Pushed, state: State, tools: Tools) -> Collected:
    """What a hub pushed, read as if it had been fetched; the conversation is as it was. Raises SourceError."""
    return await Errand(source, state, tools).pushed(source, pushed)


class Errand(Visitor):
    """One look at a source of the web."""

    def __init__(self, source: WebSource, state: State, tools: Tools) -> None:
        super().__init__(source, state, tools)
        self.address = state.conversation.address or source.url

    async def feed(self, source: FeedSource) -> Collected:
        work = self.reader(source)
        reply = await self.visit(self.address, FEED_TYPES, work, self.validators, self.known)
        return self.unchanged(reply) if self.is_old(reply) else await self.gathered(source, reply)

    async def pushed(self, source: FeedSource, pushed: Pushed) -> Collected:
        """A document that nobody asked for: it says nothing of the source's server."""
        said, headers = self.state.conversation, dict[str, str]()
        if pushed.content_type is not None:
            headers["content-type"] = pushed.content_type
        answer = Answer(said.answered or self.address, HTTPStatus.OK, headers, pushed.body)
        raw_ms = self.state.now_ms if source.keep_raw else None
        reply = await self.tools.pool.run(reply_to, answer, Task(self.reader(source), raw_ms=raw_ms))
        header = announced(pushed.link, reply.url)  # counts first (WebSub section 4)
        if not is_of(header.topic or web_address(reply.result.topic), pushed.topic):
            raise SourceError("it calls itself another feed than the one that is subscribed to")
        collected = await self.gathered(source, reply)
        return collected._replace(conversation=said)

    def reader(self, source: FeedSource) -> Callable[[Document], Reading]:
        recipe, whole = recipe_of(source), source.article is None
        return partial(documents.read_feed, recipe=recipe, now_ms=self.state.now_ms, whole=whole)

    async def gathered(self, source: FeedSource, reply: Reply[Reading]) -> Collected:
        if source.article is None:
            return self.collected(reply, reply.result)
        recipe, limit = recipe_of(source), source.max_articles
        return await self.with_articles(reply, reply.result, recipe, source.article, limit)

    async def page(self, source: PageSource) -> Collected:
        await self.ask_robots(self.address)
        selectors, recipe = selectors_of(source, source.timezone, source.language), recipe_of(source)
        assert selectors is not None
        now_ms, whole = self.state.now_ms, source.article is None
        work = partial(documents.read_page, recipe=recipe, selectors=selectors, now_ms=now_ms, whole=whole)
        if source.next_page:  # that the first one is as it was says nothing of those behind it
            reply = await self.visit(self.address, PAGE_TYPES, work)
        else:
            reply = await self.visit(self.address, PAGE_TYPES, work, self.validators, self.known)
            if self.is_old(reply):
                return self.unchanged(reply)
        reading = reply.result
        following, seen = reading.next_url, {self.address, reply.url}
        for _ in range(source.max_pages - 1):
            if following is None or following in seen:
                break
            seen.add(following)
            try:
                await self.ask_robots(following)
                more = (await self.visit(following, PAGE_TYPES, work)).result
            except SourceError as error:  # what the first page lists is not lost with the next one
                reading = reading._replace(rejected=(*reading.rejected, (following, str(error))))
                break
            reading, following = joined(reading, more), more.next_url
        if source.article is None:
            return self.collected(reply, reading)
        return await self.with_articles(reply, reading, recipe, source.article, source.max_articles)

    async def watch(self, source: WatchSource) -> Collected:
        await self.ask_robots(self.address)
        watching = Watching(source.select, source.remove, source.ignore, source.text_only)
        recipe = recipe_of(source, "source")._replace(ignore=())
        now_ms = self.state.now_ms
        work = partial(documents.read_watched, recipe=recipe, watching=watching, now_ms=now_ms)
        reply = await self.visit(self.address, PAGE_TYPES, work, self.validators, self.known)
        return self.unchanged(reply) if self.is_old(reply) else self.collected(reply, reply.result)

    async def sitemap(self, source: SitemapSource) -> Collected:
        work = documents.sitemap_of
        reply = await self.visit(self.address, SITEMAP_TYPES, work, self.validators, self.known)
        if self.is_old(reply):
            return self.unchanged(reply)
        top = reply.result
        rejected = list(top.rejected)
        entries, pending, visited = list(top.entries), [address for address, _ in top.sitemaps], {reply.url}
        while pending and len(visited) < MAX_SITEMAPS and len(entries) < source.max_urls:
            url = pending.pop(0)
            if url in visited:
                continue
            visited.add(url)
            try:
                below = (await self.visit(url, SITEMAP_TYPES, work)).result
            except SourceError as error:  # the others are read all the same
                rejected.append((url, str(error)))
                continue
            entries += below.entries
            rejected += below.rejected
            pending += [address for address, _ in below.sitemaps]
        recipe, whole = recipe_of(source), source.article is None
        chosen = sorted(entries, key=lambda each: -(each.lastmod_ms or 0))[: source.max_urls]
        reading = await self.tools.pool.run(
            documents.read_sitemap, chosen, recipe, self.state.now_ms, whole=whole
        )
        note = f"{len(pending):,} further sitemaps were left out" if pending else None
        reading = reading._replace(rejected=tuple(rejected), note=note)
        if len(visited) > 1:  # that the index is as it was says nothing of what it names
            reply = reply._replace(headers={}, size=0)
        if source.article is None:
            return self.collected(reply, reading)
        return await self.with_articles(reply, reading, recipe, source.article, source.max_articles)

    @property
    def validators(self) -> Validators | None:
        """What makes the request conditional: nothing that was had under other settings."""
        said = self.state.conversation
        same = said.requested == self.request_hash
        return Validators(said.etag, said.last_modified, said.answered) if same else None

    @property
    def known(self) -> bytes | None:
        """The hash of the document that was read before, under the same settings."""
        said = self.state.conversation
        return said.body_hash if said.requested == self.request_hash else None

    def is_old(self, reply: Reply[Any]) -> bool:
        """Whether the document is the one that was read before."""
        return reply.status == HTTPStatus.NOT_MODIFIED or reply.digest == self.known

    def unchanged(self, reply: Reply[Any]) -> Collected:
        said = self.spoken(reply)
        etag = reply.headers.get("etag")
        if etag and said.etag and etag.removeprefix("W/") != said.etag.removeprefix("W/"):
            said = said._replace(etag=None, last_modified=None)  # of a document that was never seen
        return self.result(reply, said)

    def collected(self, reply: Reply[Any], reading: Reading) -> Collected:
        assert reading.made is not None
        return self.read(reply, reading, with_rejected(reading.made, reading.rejected))

    def read(self, reply: Reply[Any], reading: Reading, made: Made, *, again: bool = False) -> Collected:
        """`again`: the document must be read again even if it does not change."""
        header = announced(reply.headers.get("link", ""), reply.url)  # counts first (WebSub section 4)
        said = self.spoken(reply)._replace(
            note=reading.note,
            wishes=reading.wishes,
            hub=hubs_of(header, reading),
            topic=header.topic or web_address(reading.topic),
        )
        if not again and reply.size:
            said = said._replace(
                requested=self.request_hash,
                etag=reply.headers.get("etag"),
                last_modified=reply.headers.get("last-modified"),
                answered=reply.url,
                body_hash=reply.digest,
            )
        else:
            said = said.unread()
        return self.result(reply, said)._replace(made=made)

    def result(self, reply: Reply[Any], said: Conversation) -> Collected:
        now_ms, headers = self.state.now_ms, reply.headers
        again_ms = retry_after_ms(headers, now_ms)
        return Collected(
            said._replace(held_until=again_ms, paused=None, missing=0),
            fresh_until_ms=fresh_until_ms(headers, now_ms),
            retry_after_ms=again_ms,
            answered=reply.url,
            received=reply.size,
        )

    def spoken(self, reply: Reply[Any]) -> Conversation:
        """The conversation, with what the answer says of where the source has gone."""
        return moved(self.state.conversation, reply.moved_to, self.address, self.state.now_ms)

    async def with_articles(
        self, reply: Reply[Any], reading: Reading, recipe: Recipe, content: str, limit: int
    ) -> Collected:
        """The items with the articles of their own pages; those that are as they were are left alone."""
        found = await ArticleReader(self, recipe, content, limit).read(reading.drafts)
        present = frozenset(draft.identity.location for draft in reading.drafts)
        shared = shared_guids(reading.drafts)
        made = with_rejected(Made(found.items, found.rejected, present, shared), reading.rejected)
        collected = self.read(reply, reading, made, again=found.again)
        return collected._replace(
            known=found.known,
            unfinished=found.unfinished and isinstance(self.source, SitemapSource),
            resting=found.asked_to_rest,
            pages=found.pages,
        )


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


def hubs_of(header: Announced, reading: Reading) -> str | None:
    """The hubs that a document names, with blanks between, as they are stored; those of the headers count first."""
    named = header.hubs or tuple(filter(None, map(web_address, (reading.hub or "").split())))
    return " ".join(named[:MOST_HUBS]) or None


def is_of(topic: str | None, subscribed: str | None) -> bool:
    """Whether a document that was pushed is of the feed that is subscribed to, as far as it says."""
    if topic is None or subscribed is None:
        return True
    one, other = (canonical(url).partition("://")[2].rstrip("/") for url in (topic, subscribed))
    return one == other


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
