"""What is delivered to channels, the channels themselves, and what can be done about both."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from fastapi import Path, Query
from pydantic import BaseModel, ConfigDict, Field, model_validator
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from feedd import shape_types as types
from feedd import shapes
from feedd.access.scopes import Scope
from feedd.api import pages
from feedd.api.backing import Backing
from feedd.api.operation import OF_BODIES, get, post
from feedd.api.routing import Operation, answer, page
from feedd.api.sources import in_conflict
from feedd.api.values import MOST, ChannelName, Cursor, Limit, Name, Numeral, Ordinal, Time, cursor
from feedd.errors import UnknownName, UsageError
from feedd.looks import now_ms
from feedd.quoting import FOR_FEW, for_everybody
from feedd.store import channels, deliveries
from feedd.store.channels import State
from feedd.store.database import translated
from feedd.store.deliveries import Chosen, Delivery
from feedd.store.paging import LATEST, deliveries_below
from feedd.store.redelivery import require_channel
from feedd.web.viewer import viewer_of

TAG = "deliveries"
CHANNELS = "channels"
Status = Literal["pending", "delivered", "failed", "cancelled"]
DeliveryId = Annotated[Ordinal, Path(alias="id", description="The number of a delivery.", examples=[1])]
NO_STORE = {"Cache-Control": "no-store"}
UNSAID: Any = ""  # for what is left out of a body, and would be refused if it stood in it


def as_it_is_sent(schema: dict[str, Any]) -> None:
    """Something must be given; and what stands for nothing here is not sent."""
    schema["minProperties"] = 1
    schema["examples"] = [{"channel": "desk", "status": "failed"}, {"ids": [1, 2]}]
    for each in schema["properties"].values():
        each.pop("default", None)


class ToRetry(BaseModel):
    """Which deliveries are meant: all that is given must fit, and something must be given."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, json_schema_extra=as_it_is_sent)

    channel: Name = Field(default=UNSAID, description="Of this channel.")
    status: Literal["failed", "cancelled"] = Field(
        default=UNSAID, description="Without it: both, unless numbers are given."
    )
    ids: list[Numeral] = Field(default=[], min_length=1, max_length=MOST, description="Their numbers.")

    @model_validator(mode="before")
    @classmethod
    def says_something(cls, sent: object) -> object:
        if sent == {}:
            raise ValueError("must say which deliveries: by channel, status or ids")
        return sent


class Deliveries:
    def __init__(self, backing: Backing) -> None:
        self.backing = backing

    def routes(self) -> list[Operation]:
        one, channel = "/deliveries/{id}", "/channels/{name}"
        return [
            get("/deliveries", self.listing, pages.Deliveries, 404, name="listDeliveries", tag=TAG),
            Operation("/deliveries/retry", only_posted, methods=["GET"], include_in_schema=False),
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
        items, following = await self.backing.read(self.page, chosen, cursor, limit, sees_all(request))
        return page(request, items, following)

    async def show(self, request: Request, number: DeliveryId) -> Response:
        """Show a delivery.

        What its receiver said itself is shown to those who have a token.
        """
        return answer(await self.backing.read(self.shape, number, sees_all(request)))

    async def retry(self, wanted: ToRetry) -> Response:
        """Try deliveries again, now.

        Those that failed or were cancelled, of a channel, or of these numbers. Their channels are tried anew.
        """
        statuses = (wanted.status,) if wanted.status else ()
        chosen = Chosen(tuple(dict.fromkeys(wanted.ids)), wanted.channel or None, statuses)
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

    async def channels(self, request: Request) -> Response:
        """List the channels, and how their receivers fare.

        Where mail, files and commands go, and what receivers said themselves, is shown to those who have a token.
        """
        return answer({"items": await self.backing.read(self.channel_shapes, sees_all(request))})

    async def test(self, name: ChannelName) -> Response:
        """Send a sample to a channel.

        It says that it is one. Nothing is stored; `said` is what the other side answered, or why it did not arrive.
        """
        with in_conflict():
            tried = await self.backing.operations.test(name)
        return answer(shapes.tried(tried), headers=NO_STORE)

    def page(
        self, chosen: Chosen, below: int | None, limit: int, in_full: bool
    ) -> tuple[Sequence[types.Delivery], str | None]:
        """Raises UnknownName."""
        reader = self.backing.reader
        below_id = LATEST if below is None else below
        with translated(reader.path):
            configured = [channel.name for channel in self.backing.config.channels]
            require_channel(reader.connection, chosen.channel, configured)
            found = deliveries_below(reader.connection, chosen, below_id, limit + 1)
            places = None if in_full else channels.places(reader.connection)
        following = cursor(found[limit - 1].id) if len(found) > limit else None
        return [shapes.delivery(shown(each, places)) for each in found[:limit]], following

    def shape(self, delivery_id: int, in_full: bool = True) -> types.Delivery:
        """Raises UnknownName."""
        reader = self.backing.reader
        with translated(reader.path):
            found = deliveries.listed(reader.connection, Chosen((delivery_id,)), 1)
            places = None if in_full else channels.places(reader.connection)
        if not found:
            raise UnknownName(f"there is no delivery {delivery_id}")
        return shapes.delivery(shown(found[0], places))

    def channel_shapes(self, in_full: bool) -> list[types.Channel]:
        reader, now = self.backing.reader, now_ms()
        with translated(reader.path):
            states = channels.states(reader.connection)
        found = list[types.Channel]()
        for each in self.backing.config.channels:
            state, where = states.get(each.name, State(0, each.name)), str(each.where)
            if in_full:
                found.append(shapes.channel(each.name, each.type, where, state, now))
                continue
            state = state._replace(error=for_everybody(state.error, where))
            seen = None if each.type in FOR_FEW else where
            found.append(shapes.channel(each.name, each.type, seen, state, now))
        return found


def sees_all(request: Request) -> bool:
    """What a receiver says may be meant for few, and so may be where mail and files go."""
    return viewer_of(request).may(Scope.READ)


def shown(delivery: Delivery, places: Mapping[str, str] | None) -> Delivery:
    """`places`: where each channel leads, which is kept from whoever asks."""
    if places is None:
        return delivery
    return delivery._replace(error=for_everybody(delivery.error, places[delivery.channel]))


async def only_posted() -> Response:
    """What a GET of an address is told that would else name a delivery. Raises HTTPException."""
    raise HTTPException(405, headers={"Allow": "POST"})
