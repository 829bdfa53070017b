"""Looking at articles' own pages again, whether or not their document still names them."""

from collections import Counter
from functools import partial
from http import HTTPStatus

from feedd.answers import host_of
from feedd.articles import TRY_LATER, with_validators
from feedd.errors import BadStatus, SourceError
from feedd.fetch.values import Validators
from feedd.model import Rejected
from feedd.normalise.url import shown
from feedd.recheck import Found, Known, Outcome
from feedd.sources import documents
from feedd.sources.items import Recipe
from feedd.visits import Visitor

NOT_THERE = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.GONE})
FAILURES_UNTIL_LEFT = 3  # in a row, of one host at one look: the rest of its pages is for later


class Rechecker:
    """Reads pages of one source again, those that are due."""

    def __init__(self, visitor: Visitor, recipe: Recipe, content: str) -> None:
        self.visitor = visitor
        self.recipe = recipe
        self.content = content
        self.resting: dict[str, int | None] = {}  # hosts to leave alone, and until when
        self.failures: Counter[str] = Counter()  # in a row, by host

    @property
    def asked_to_rest(self) -> dict[str, int]:
        """The hosts that said how long they want to be left alone."""
        return {host: until for host, until in self.resting.items() if until is not None}

    async def read(self) -> list[Outcome]:
        return [await self.outcome(known) for known in self.visitor.state.due]

    async def outcome(self, known: Known) -> Outcome:
        host = host_of(known.url)
        until = max((until for _, until in self.visitor.holds_on(host)), default=self.resting.get(host))
        if until is not None or host in self.resting:
            return Outcome(known, Found.RESTING, known.recheck, not_before_ms=until)
        try:
            outcome = await self.reading(known)
        except SourceError as error:
            outcome = self.failed(known, host, error)
        self.failures[host] = self.failures[host] + 1 if outcome.found is Found.FAILED else 0
        if self.failures[host] >= FAILURES_UNTIL_LEFT:
            self.resting[host] = None
        return outcome

    async def reading(self, known: Known) -> Outcome:
        """Raises SourceError."""
        visitor, recheck = self.visitor, known.recheck
        now_ms = visitor.state.now_ms
        work = partial(
            documents.read_again, known=known, content=self.content, recipe=self.recipe, now_ms=now_ms
        )
        reply = await visitor.visit_article(known.url, work, self.validators(known))
        if reply.status == HTTPStatus.NOT_MODIFIED:
            return Outcome(known, Found.SAME, recheck)
        made, recheck = reply.result
        recheck = with_validators(recheck, reply, visitor.request_hash)
        item, refused = next(iter(made.items), None), next(iter(made.rejected), None)
        return Outcome(known, Found.SAME, recheck, item, refused)

    def validators(self, known: Known) -> Validators | None:
        """Nothing that was had under other settings, and nothing of a page that is gone: it is wanted in full."""
        recheck = known.recheck
        if recheck.requested != self.visitor.request_hash or recheck.entry is not None:
            return None
        return Validators(recheck.etag, recheck.last_modified, recheck.answered)

    def failed(self, known: Known, host: str, error: SourceError) -> Outcome:
        found, not_before_ms = Found.FAILED, None
        if isinstance(error, BadStatus):
            found = Found.MISSING if error.status in NOT_THERE else found
            not_before_ms = error.retry_after_ms
            if not_before_ms or error.status in TRY_LATER:
                self.resting[host_of(error.url)] = self.resting[host] = not_before_ms
        refused = Rejected(shown(known.url), f"the article can't be had: {error}")
        return Outcome(known, found, known.recheck, None, refused, not_before_ms)
