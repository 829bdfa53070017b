"""The articles behind the items of a document: read from their own pages, as far as a look goes."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus

from feedd.answers import host_of
from feedd.config.sources import SitemapSource
from feedd.errors import BadStatus, SelectorRot, SourceError
from feedd.model import Item, Rejected
from feedd.normalise.url import shown
from feedd.reading import Reply
from feedd.recheck import Recheck, loaded, validator
from feedd.rules import Filter, Parts
from feedd.sources import documents
from feedd.sources.documents import Before, Read
from feedd.sources.items import Draft, Made, Recipe
from feedd.visits import NEVER_SEEN, Seen, Visitor

TRY_LATER = frozenset({HTTPStatus.TOO_MANY_REQUESTS})
BEFORE = frozenset({"title", "url"})  # parts that are known before the article is


@dataclass(slots=True)
class Articles:
    """What a look found of them."""

    items: list[Item] = field(default_factory=list)
    rejected: list[Rejected] = field(default_factory=list)
    known: int = 0  # that are as they were
    asked: int = 0  # pages that were asked for
    again: bool = False  # something is to be tried again even if the document does not change
    unfinished: bool = False  # some are for the next look, and nothing stands in for them
    resting: dict[str, int | None] = field(default_factory=dict)  # hosts to leave alone, and until when
    pages: dict[str, Recheck] = field(default_factory=dict)  # by location: what the pages said that were read

    def add(self, draft: Draft, made: Made, *, seen: bytes | None) -> None:
        """What rules leave out after it was read is remembered, too."""
        self.items += [item._replace(seen=seen) for item in made.items]
        location = draft.identity.location
        self.rejected += [each._replace(location=location, seen=seen) for each in made.rejected]

    def refuse(self, draft: Draft, why: str) -> None:
        self.rejected.append(Rejected(shown(draft.url or draft.identity.location), why))

    def rest(self, host: str, error: SourceError) -> None:
        """Leave a host alone that asked for it, or that can't cope."""
        if isinstance(error, BadStatus) and (error.retry_after_ms or error.status in TRY_LATER):
            self.resting[host] = error.retry_after_ms

    @property
    def asked_to_rest(self) -> Mapping[str, int]:
        """The hosts that said how long they want to be left alone."""
        return {host: until for host, until in self.resting.items() if until is not None}


class ArticleReader:
    """Reads the articles of one look at a source, at most `limit` of them."""

    def __init__(self, visitor: Visitor, recipe: Recipe, content: str, limit: int) -> None:
        self.visitor = visitor
        self.recipe = recipe
        self.content = content
        self.limit = limit
        self.found = Articles()

    async def read(self, drafts: Iterable[Draft]) -> Articles:
        """Those that are as they were are left alone; what was never read comes first."""
        seen, found = self.visitor.state.seen, self.found
        for draft in sorted(drafts, key=lambda draft: draft.identity.location in seen):
            if self.seen(draft).said == draft.seen:
                found.known += 1
            elif why := objection(draft, self.recipe.filter):
                found.refuse(draft, f"left out: {why}")
            elif found.asked >= self.limit:
                found.unfinished = True
                await self.postpone(draft)
            else:
                await self.article(draft)
        return found

    def seen(self, draft: Draft) -> Seen:
        return self.visitor.state.seen.get(draft.identity.location, NEVER_SEEN)

    async def postpone(self, draft: Draft) -> None:
        """Leave an article for the next look; the summary stands in for it, where there is one."""
        self.found.again = True
        if not isinstance(self.visitor.source, SitemapSource):
            await self.stand_in(draft, seen=None)

    async def stand_in(self, draft: Draft, *, seen: bytes | None) -> None:
        """The summary in place of the article, unless the article is held already."""
        if not self.seen(draft).whole:
            pool, now_ms = self.visitor.tools.pool, self.visitor.state.now_ms
            made = await pool.run(documents.summaries, [draft], self.recipe, now_ms)
            self.found.add(draft, made, seen=seen)

    async def article(self, draft: Draft) -> None:
        """Fetch one article. One that can't be had is told by its summary, unless it is known already."""
        found, host = self.found, host_of(draft.url or "")
        if self.visitor.holds_on(host) or host in found.resting:
            await self.postpone(draft)
            return
        found.asked += 1
        try:
            await self.read_page(draft)
        except SourceError as error:
            found.rest(host_of(error.url) if isinstance(error, BadStatus) else host, error)
            lasting = is_lasting(error)
            found.again = found.again or not lasting
            if self.seen(draft).whole:
                found.refuse(draft, f"the article can't be had: {error}")
            await self.stand_in(draft, seen=draft.seen if lasting else None)

    async def read_page(self, draft: Draft) -> None:
        """The article on the item's own page. Raises SourceError."""
        if draft.url is None:
            raise SourceError("the item has no link")
        visitor, seen = self.visitor, self.seen(draft)
        before = Before() if seen.recheck is None else Before(seen.title, loaded(seen.recheck))
        now_ms = visitor.state.now_ms
        work = partial(
            documents.read_article,
            draft=draft,
            content=self.content,
            recipe=self.recipe,
            now_ms=now_ms,
            before=before,
        )
        reply = await visitor.visit_article(draft.url, work)
        made, recheck = reply.result
        self.found.add(draft, made, seen=draft.seen)
        self.found.pages[draft.identity.location] = with_validators(recheck, reply, visitor.request_hash)


def with_validators(recheck: Recheck, reply: Reply[Read], request_hash: str) -> Recheck:
    """With what makes the next request for the page conditional (RFC 9110 section 13)."""
    return recheck._replace(
        requested=request_hash,
        etag=validator(reply.headers.get("etag")),
        last_modified=validator(reply.headers.get("last-modified")),
        answered=reply.url,
    )


def objection(draft: Draft, rules: Filter) -> str | None:
    """Which rule leaves the item out whatever its article says."""
    if not draft.raw.title:
        return None
    early = Filter(
        tuple(each for each in rules.match if each[0] in BEFORE),
        tuple(each for each in rules.reject if each[0] in BEFORE),
    )
    return early.objection(Parts(draft.raw.title, draft.url or "", str))


def is_lasting(error: SourceError) -> bool:
    """Whether asking again will hardly help: the item changes, or nothing does."""
    if isinstance(error, BadStatus):
        return error.status < 500 and error.status not in TRY_LATER and not error.retry_after_ms
    return isinstance(error, SelectorRot)
