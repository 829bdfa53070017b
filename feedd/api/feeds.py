"""Feeds: which there are, and where."""

import threading

from starlette.requests import Request
from starlette.responses import Response

from feedd import shape_types as types
from feedd import shapes
from feedd.api import pages
from feedd.api.backing import Backing
from feedd.api.operation import get
from feedd.api.routing import Operation, answer
from feedd.api.values import FeedName
from feedd.publish.plan import Plan
from feedd.web.viewer import viewer_of, visible

TAG = "feeds"


class Feeds:
    def __init__(self, backing: Backing) -> None:
        self.backing = backing
        self.made: dict[str, tuple[tuple[int, ...], types.Feed]] = {}  # with the state that it was made in
        self.guards = {name: threading.Lock() for name in backing.feeds.plans}

    def routes(self) -> list[Operation]:
        return [
            get("/feeds", self.listing, pages.Feeds, name="listFeeds", tag=TAG),
            get("/feeds/{name}", self.show, types.Feed, 404, 410, name="getFeed", tag=TAG),
        ]

    async def listing(self, request: Request) -> Response:
        """List the feeds that you may see, and their addresses."""
        plans = list(visible(self.backing.feeds.plans, viewer_of(request)).values())
        return answer({"items": await self.backing.read(self.shapes, plans)})

    async def show(self, request: Request, name: FeedName) -> Response:
        """Show a feed and its addresses."""
        return answer(await self.backing.read(self.named, request, name))

    def named(self, request: Request, name: str) -> types.Feed:
        return self.shape(self.backing.feed(name, request))

    def shapes(self, plans: list[Plan]) -> list[types.Feed]:
        return [self.shape(plan) for plan in plans]

    def shape(self, plan: Plan) -> types.Feed:
        """Composing a document takes milliseconds: it is done again when a change has touched the feed, and once for
        all who ask meanwhile.
        """
        feeds = self.backing.feeds
        with self.guards[plan.name]:
            state = feeds.state(plan)
            before = self.made.get(plan.name)
            if before is not None and before[0] == state:
                return before[1]
            document = feeds.outline(plan.name, plan.limit)
            made = shapes.feed(plan, len(document.entries), document.updated_ms or None, feeds.base_url)
            self.made[plan.name] = state, made
            return made
