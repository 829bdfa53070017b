"""What is delivered to channels, the channels themselves, and what can be done about both."""

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import Response

from feedd import shape_types as types
from feedd import shapes
from feedd.api import pages
from feedd.api.backing import Backing
from feedd.api.operation import OF_BODIES, get, post
from feedd.api.routing import Operation, answer, page
from feedd.api.sources import in_conflict
from feedd.api.values import MOST, ChannelName, Cursor, Limit, Name, Numeral, Ordinal, Time, cursor
from feedd.errors import UnknownName, UsageError
from feedd.looks import now_ms
from feedd.store import channels, deliveries
from feedd.store.channels import State
from feedd.store.database import translated
from feedd.store.deliveries import Chosen, Delivery
from feedd.store.paging import LATEST, deliveries_below
from feedd.store.redelivery import require_channel

TAG = "deliveries"
CHANNELS = "channels"
Status = Literal["pending", "delivered", "failed", "cancelled"]
DeliveryId = Annotated[Ordinal, Path(alias="id", description="The number of a delivery.")]
NO_STORE = {"Cache-Control": "no-store"}


class ToRetry(BaseModel):
    """Which deliveries are meant: all that is given must fit, and something must be given."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    channel: Name | None = Field(default=None, description="Of this channel.")
    status: Literal["failed", "cancelled"] | None = Field(
        default=None, description="Without it: both, unless numbers are given."
    )
    ids: list[Numeral] | None = Field(
        default=None, min_length=1, max_length=MOST, description="Their numbers."
    )


class Deliveries:
    def __init__(self, backing: Backing) -> None:
        self.backing = backing

    def routes(self) -> list[Operation]:
        one, channel = "/deliveries/{id}", "/channels/{name}"
        return [
            get("/deliveries", self.listing, pages.Deliveries, 404, name="listDeliveries", tag=TAG),
            post("/deliveries/retry", self.retry, pages.Count, 404, 409, *OF_BODIES, name="retryDeliveries", tag=TAG),
            get(one, self.show, types.Delivery, 404, name="getDelivery", tag=TAG),
            post(f"{one}/retry", self.retry_one, types.Delivery, 404, 409, name="retryDelivery", tag=TAG),
            post(f"{one}/cancel", self.cancel_one, types.Delivery, 404, 409, name="cancelDelivery", tag=TAG),
            get("/channels", self.channels, pages.Channels, name="listChannels", tag=CHANNELS),
            post(f"{channel}/test", self.test, types.Tried, 404, 409, name="testChannel", tag=CHANNELS),
        ]  # fmt: skip

    async def listing(
        self,
        request: Request,
        channel: Annotated[Name | None, Query(description="Only those to this channel.")] = None,
        status: Annotated[Status | None, Query(description="Only those that are so.")] = None,
        since: Annotated[Time | None, Query(description="Only those made at this time or later.")] = None,
        limit: Limit = 20,
        cursor: Cursor = None,
    ) -> Response:
        """List deliveries.

        The newest first.
        """
        chosen = Chosen((), channel, () if status is None else (status,), since)
        items, following = await self.backing.read(self.page, chosen, cursor, limit)
        return page(request, items, following)

    async def show(self, number: DeliveryId) -> Response:
        """Show a delivery."""
        return answer(await self.backing.read(self.shape, number))

    async def retry(self, wanted: ToRetry) -> Response:
        """Try deliveries again, now.

        Those that failed or were cancelled, of a channel, or of these numbers. Their channels are tried anew.
        """
        statuses = () if wanted.status is None else (wanted.status,)
        chosen = Chosen(tuple(dict.fromkeys(wanted.ids or ())), wanted.channel, statuses)
        with in_conflict():
            count = await self.backing.operations.retry(chosen)
        return answer({"count": count}, headers=NO_STORE)

    async def retry_one(self, number: DeliveryId) -> Response:
        """Try a delivery again, now."""
        with in_conflict():
            await self.backing.operations.retry(Chosen((number,)))
        return answer(await self.backing.read(self.shape, number), headers=NO_STORE)

    async def cancel_one(self, number: DeliveryId) -> Response:
        """Cancel a delivery that waits."""
        before = await self.backing.read(self.shape, number)
        with in_conflict():
            if before["status"] != "pending":
                raise UsageError(f"the delivery is {before['status']}: only what is pending can be cancelled")
            await self.backing.operations.cancel(Chosen((number,)))
        return answer(await self.backing.read(self.shape, number), headers=NO_STORE)

    async def channels(self) -> Response:
        """List the channels, and how their receivers fare."""
        return answer({"items": await self.backing.read(self.channel_shapes)})

    async def test(self, name: ChannelName) -> Response:
        """Send a sample to a channel.

        It says that it is one. Nothing is stored; `said` is what the other side answered, or why it did not arrive.
        """
        with in_conflict():
            tried = await self.backing.operations.test(name)
        return answer(shapes.tried(tried), headers=NO_STORE)

    def page(
        self, chosen: Chosen, below: int | None, limit: int
    ) -> tuple[Sequence[types.Delivery], str | None]:
        """Raises UnknownName."""
        reader = self.backing.reader
        below_id = LATEST if below is None else below
        with translated(reader.path):
            configured = [channel.name for channel in self.backing.config.channels]
            require_channel(reader.connection, chosen.channel, configured)
            found = deliveries_below(reader.connection, chosen, below_id, limit + 1)
        following = cursor(found[limit - 1].id) if len(found) > limit else None
        return [shapes.delivery(each) for each in found[:limit]], following

    def shape(self, delivery_id: int) -> types.Delivery:
        """Raises UnknownName."""
        reader, found = self.backing.reader, list[Delivery]()
        with translated(reader.path):
            found = deliveries.listed(reader.connection, Chosen((delivery_id,)), 1)
        if not found:
            raise UnknownName(f"there is no delivery {delivery_id}")
        return shapes.delivery(found[0])

    def channel_shapes(self) -> list[types.Channel]:
        reader, now = self.backing.reader, now_ms()
        with translated(reader.path):
            states = channels.states(reader.connection)
        return [
            shapes.channel(each.name, each.type, each.where, states.get(each.name, State(0, each.name)), now)
            for each in self.backing.config.channels
        ]
