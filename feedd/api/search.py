"""Searching entries."""

from collections.abc import Collection
from typing import Annotated

from fastapi import Query
from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import Response

from feedd import shape_types as types
from feedd.api import pages
from feedd.api.backing import Backing
from feedd.api.operation import get
from feedd.api.routing import Operation, answer
from feedd.api.values import Limit
from feedd.errors import UsageError
from feedd.search.indexer import state_of
from feedd.search.query import LONGEST, NothingAsked
from feedd.search.shapes import hit
from feedd.web.viewer import hidden

TAG = "search"
Words = Annotated[
    str,
    Query(
        min_length=1,
        max_length=LONGEST,
        examples=['"water rights" -dam after:2026-01'],
        description='Words, a "phrase", -without, wor*, title:, author:, source:, feed:, tag:, before:, after:, changed:.',
    ),
]


class Search:
    def __init__(self, backing: Backing) -> None:
        self.backing = backing

    def routes(self) -> list[Operation]:
        return [get("/search", self.find, pages.Results, name="search", tag=TAG)]

    async def find(self, request: Request, q: Words, limit: Limit = 20) -> Response:
        """Search the entries.

        The best of the newest; docs/search.md says what a query may be. Nothing is found by one without a letter, a number
        or a symbol.
        """
        kept_from = hidden(self.backing.finder.plans, request)
        return answer(await self.backing.read_slowly(self.found, q, limit, kept_from))

    def found(self, text: str, limit: int, kept_from: Collection[str]) -> pages.Results:
        """Raises RequestValidationError, TooSlow, StoreError."""
        items, more = list[types.Hit](), False
        try:
            found = self.backing.finder.find(text, limit, hidden=kept_from)
            items, more, state = [hit(each) for each in found.hits], found.more, found.state
        except NothingAsked:
            state = state_of(self.backing.reader)
        except UsageError as error:
            raise RequestValidationError([{"loc": ("query", "q"), "msg": str(error)}]) from error
        return {"items": items, "more": more, "index": {"behind": state.behind, "building": state.building}}
