"""How servers are spoken to, as a configuration says it: `[fetch]`, and a source for itself."""

from typing import Literal, Self

from pydantic import Field, model_validator

from feedd.config.base import Settings
from feedd.config.values import DAY_MS, AnyDuration, Duration, ProxyUrl, SecretMap, SecretText, Size
from feedd.fetch.values import Basic, Bearer


class Auth(Settings):
    """Basic authentication, or a bearer token."""

    user: str | None = None
    password: SecretText | None = None
    bearer: SecretText | None = None

    @model_validator(mode="after")
    def one_kind(self) -> Self:
        if (self.user is None) == (self.bearer is None) or (self.bearer and self.password):
            raise ValueError("write either user and password, or bearer")
        return self

    @property
    def value(self) -> Basic | Bearer:
        if self.bearer is not None:
            return Bearer(self.bearer.reveal())
        return Basic(self.user or "", self.password.reveal() if self.password else "")


class Fetching(Settings):
    """How servers are spoken to: what `[fetch]` says for all sources, and a source for itself."""

    headers: SecretMap = ()
    cookies: SecretMap = ()
    auth: Auth | None = None
    proxy: ProxyUrl | None = None
    timeout: Duration = 30_000
    connect_timeout: Duration = 10_000
    max_bytes: Size = 15_000_000
    max_redirects: int = Field(default=10, ge=0, le=50)
    allow_private: bool = False
    host_interval: AnyDuration = 1_000
    rate_limit_scope: Literal["source", "host", "domain"] = "source"
    max_interval: Duration = DAY_MS
    robots: bool = True


class Fetch(Fetching):
    """`[fetch]`."""

    concurrency: int = Field(default=32, ge=1, le=1000)
    per_host: int = Field(default=2, ge=1, le=1000)
    user_agent: str | None = Field(default=None, pattern=r"^[\x20-\x7e]+$")
    contact: str | None = Field(default=None, pattern=r"^[\x21-\x7e]+$")
