"""`[websub]`: feeds that are pushed (W3C WebSub), to whoever subscribes here, and from hubs elsewhere."""

from typing import Self

from pydantic import Field, model_validator

from feedd.config.base import Settings
from feedd.config.values import DAY_MS, Duration


class WebSub(Settings):
    hub: bool = True  # feedd is a hub for its own feeds
    subscribe: bool = True  # feed sources that name a hub are subscribed to, where base_url is public
    allow_private: bool = False  # callbacks of subscribers on private addresses
    lease: Duration = DAY_MS  # where a subscriber names none
    max_lease: Duration = 10 * DAY_MS
    max_subscriptions: int = Field(default=1_000, ge=1, le=1_000_000)

    @model_validator(mode="after")
    def bounded(self) -> Self:
        if self.lease > self.max_lease:
            raise ValueError("lease is longer than max_lease")
        return self
