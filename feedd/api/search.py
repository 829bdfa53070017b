"""Searching entries."""

from collections.abc import Collection
from typing import Annotated

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from feedd.api import pages
from feedd.api.backing import Backing
from feedd.api.operation import get
from feedd.api.routing import Operation, answer
from feedd.api.values import Limit
from feedd.search.finder import Results
from feedd.search.query import LONGEST
from feedd.search.shapes import hit
from feedd.web.viewer import hidden

TAG = "search"
Words = Annotated[
    str,
    Query(
        min_length=1,
        max_length=LONGEST,
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

        The best of the newest; docs/search.md says what a query may be.
        """
        kept_from = hidden(self.backing.finder.plans, request)
        found = await self.backing.read_slowly(self.found, q, limit, kept_from)
        index = {"behind": found.state.behind, "building": found.state.building}
        return answer({"items": [hit(each) for each in found.hits], "more": found.more, "index": index})

    def found(self, text: str, limit: int, kept_from: Collection[str]) -> Results:
        """Raises UsageError, StoreError."""
        return self.backing.finder.find(text, limit, hidden=kept_from)
