"""What a configuration says of channels, as frozen values: who is told, of what, when, and by which way."""

import re
from typing import Annotated, Literal, NamedTuple

from pydantic import BeforeValidator, Field, field_validator

from feedd.config.base import Settings, digest
from feedd.config.receivers import (
    AppriseUrl,
    MailAddress,
    MailAddresses,
    MailHost,
    SecretUrl,
    SigningSecrets,
    Unsubscribing,
    host_of,
)
from feedd.config.secrets import Secret
from feedd.config.sources import Rules
from feedd.config.templates import Template
from feedd.config.values import (
    Arguments,
    Duration,
    Folder,
    ProxyUrl,
    SecretMap,
    SecretText,
    Size,
    Timezone,
    cron,
    duration,
    instant,
)
from feedd.model import Kind
from feedd.notify.pace import Pace, Quiet

KINDS = tuple(str(kind) for kind in Kind)
SPAN = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])-([01][0-9]|2[0-3]):([0-5][0-9])")
PING_MS = 1_000
SAID_BY_US = frozenset(
    {
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
        "content-type",
        "content-encoding",
        "content-length",
    }
)


class Digest(NamedTuple):
    """How long changes are gathered for one message: so long, or until the cron expression fires."""

    every_ms: int | None
    cron: str | None = None


class Since(NamedTuple):
    """How far back a new channel is told: so long before it was added, or from that moment on."""

    ago_ms: int | None
    at_ms: int | None = None


def quiet(value: object) -> Quiet:
    found = SPAN.fullmatch(value) if isinstance(value, str) else None
    if found is None or found[1] + found[2] == found[3] + found[4]:
        raise ValueError(f'{value!r} is not a time of rest; write one such as "22:00-07:00"')
    hours = [int(part) for part in found.groups()]
    return Quiet(hours[0] * 60 + hours[1], hours[2] * 60 + hours[3])


def gathered(value: object) -> Digest:
    try:
        return Digest(duration(value))
    except ValueError:
        if isinstance(value, str) and (" " in value.strip() or value.startswith("@")):
            return Digest(None, cron(value))
    raise ValueError(f'{value!r} does not say when; write a duration such as "1h", or a cron expression')


def since(value: object) -> Since:
    try:
        return Since(duration(value))
    except ValueError:
        at_ms = instant(value) if isinstance(value, str) else None
    if at_ms is None:
        raise ValueError(f'{value!r} is neither a duration such as "7d" nor a time such as "2024-02-01"')
    return Since(None, at_ms)


QuietTime = Annotated[Quiet, BeforeValidator(quiet)]
DigestTime = Annotated[Digest, BeforeValidator(gathered)]
SinceTime = Annotated[Since, BeforeValidator(since)]


class Notify(Settings):
    """What every channel may say."""

    name: str
    feeds: tuple[str, ...] = Field(default=(), strict=False)
    sources: tuple[str, ...] = Field(default=(), strict=False)
    on: tuple[Kind, ...] = Field(default=tuple(Kind), strict=False)
    min_significance: Literal["minor", "substantial"] = "minor"
    match: Rules = Rules()
    reject: Rules = Rules()
    quiet: QuietTime | None = None
    timezone: Timezone | None = None
    digest: DigestTime | None = None
    max_per_hour: int | None = Field(default=None, ge=1, le=100_000)
    since: SinceTime | None = None
    timeout: Duration = 15_000
    concurrency: int = Field(default=4, ge=1, le=64)

    @field_validator("on", mode="before")
    @classmethod
    def kinds(cls, value: object) -> tuple[Kind, ...]:
        each = [value] if isinstance(value, str) else value
        if not isinstance(each, list | tuple) or not each:
            raise ValueError(f"{value!r} is not a list of kinds of change")
        if unknown := [one for one in each if one not in KINDS]:
            which = ", ".join(map(repr, unknown))
            what = "is no kind" if len(unknown) == 1 else "are no kinds"
            raise ValueError(f"{which} {what} of change; known here: {', '.join(KINDS)}")
        return tuple(Kind(one) for one in each)

    @property
    def pace(self) -> Pace:
        """When messages may go."""
        gather = self.digest or Digest(None)
        return Pace(self.quiet, self.timezone, gather.every_ms, gather.cron, self.max_per_hour)

    @property
    def way(self) -> tuple[object, ...]:
        """Where and how messages go: another way deserves another try."""
        return ()

    @property
    def settings_hash(self) -> str:
        return digest(*self.way)

    @property
    def secrets(self) -> tuple[tuple[str, Secret], ...]:
        """(key, secret) of each."""
        return ()

    @property
    def where(self) -> str:
        """Where messages go, as people may see it."""
        return ""

    @property
    def at_once(self) -> int:
        return self.concurrency


class Posted(Notify):
    """What is sent with HTTP."""

    url: SecretUrl
    headers: SecretMap = ()
    proxy: ProxyUrl | None = None
    allow_private: bool = True

    @field_validator("headers")
    @classmethod
    def none_of_ours(cls, headers: tuple[tuple[str, Secret], ...]) -> tuple[tuple[str, Secret], ...]:
        for name, _ in headers:
            if name.lower() in SAID_BY_US:
                raise ValueError(f"{name!r} can't be set: feedd says that itself")
        return headers

    @property
    def way(self) -> tuple[object, ...]:
        # Secret shows itself to nobody, so that its text has to be asked for
        shown = [(name, value.value) for name, value in self.headers]
        return self.url.value, shown, self.proxy and self.proxy.value, self.allow_private

    @property
    def secrets(self) -> tuple[tuple[str, Secret], ...]:
        named = [("url", self.url), *((f"headers.{name}", value) for name, value in self.headers)]
        return (*named, *([("proxy", self.proxy)] if self.proxy else ()))

    @property
    def where(self) -> str:
        return host_of(self.url)


class WebhookChannel(Posted):
    """Standard Webhooks (standardwebhooks.com)."""

    type: Literal["webhook"]
    secret: SigningSecrets = ()
    compress: bool = False

    @property
    def way(self) -> tuple[object, ...]:
        return (*super().way, [each.value for each in self.secret])

    @property
    def secrets(self) -> tuple[tuple[str, Secret], ...]:
        return (*super().secrets, *(("secret", each) for each in self.secret))


class EmailChannel(Notify):
    type: Literal["email"]
    host: MailHost
    port: int | None = Field(default=None, ge=1, le=65535)
    security: Literal["starttls", "tls", "none"] = "starttls"
    user: str | None = None
    password: SecretText | None = None
    sender: MailAddress = Field(alias="from")
    to: MailAddresses
    list_unsubscribe: Unsubscribing | None = None
    template: Template = Template()
    timeout: Duration = 120_000  # servers that look into letters take their time; one given up is sent again

    @property
    def way(self) -> tuple[object, ...]:
        login = self.user, self.password and self.password.value
        return self.host, self.port, self.security, login, self.sender, self.to

    @property
    def secrets(self) -> tuple[tuple[str, Secret], ...]:
        return (("password", self.password),) if self.password else ()

    @property
    def where(self) -> str:
        return ", ".join(self.to)


class AppriseChannel(Notify):
    """Any service that Apprise knows, by its URL."""

    type: Literal["apprise"]
    url: AppriseUrl
    template: Template = Template()

    @property
    def way(self) -> tuple[object, ...]:
        return (self.url.value,)

    @property
    def secrets(self) -> tuple[tuple[str, Secret], ...]:
        return (("url", self.url),)

    @property
    def where(self) -> str:
        return self.url.value.partition("://")[0] if not self.url.missing else ""


class CommandChannel(Notify):
    type: Literal["command"]
    command: Arguments
    timeout: Duration = 60_000
    concurrency: int = Field(default=1, ge=1, le=64)

    @property
    def way(self) -> tuple[object, ...]:
        return self.command

    @property
    def where(self) -> str:
        return self.command[0]


class FileChannel(Notify):
    """JSON Lines, a message a line."""

    type: Literal["file"]
    path: Folder
    max_bytes: Size = 10_000_000
    keep: int = Field(default=5, ge=0, le=1000)

    @property
    def way(self) -> tuple[object, ...]:
        return (str(self.path),)

    @property
    def where(self) -> str:
        return str(self.path)

    @property
    def at_once(self) -> int:
        return 1  # lines do not mix


class WebSubChannel(Posted):
    """Tells a hub elsewhere that feeds have changed (WebSub, section 7)."""

    type: Literal["websub"]

    @property
    def pace(self) -> Pace:
        """What comes together is told together: the hub fetches the feed anyhow."""
        pace = super().pace
        return pace if pace.gathers else pace._replace(gather_ms=PING_MS)

    @property
    def at_once(self) -> int:
        return 1  # one ping tells of all that has changed


Channel = WebhookChannel | EmailChannel | AppriseChannel | CommandChannel | FileChannel | WebSubChannel
CHANNEL_TYPES: dict[str, type[Channel]] = {
    "webhook": WebhookChannel,
    "email": EmailChannel,
    "apprise": AppriseChannel,
    "command": CommandChannel,
    "file": FileChannel,
    "websub": WebSubChannel,
}
