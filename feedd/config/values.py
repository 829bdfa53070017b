"""The small values of a configuration: durations, names, patterns, addresses, and how they are checked."""

import re
from pathlib import Path
from typing import Annotated, NamedTuple
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

from feedd.schedule import cron_trigger, zone
from feedd.sources.decode import web_encoding
from feedd.sources.directory import translate

UNITS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}
DURATION = re.compile(r"([0-9]{1,9})([smhd])")
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
LANGUAGE = re.compile(r"[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*")
HOST_PORT = re.compile(r"(?P<host>\[[0-9a-fA-F:.%a-z]+\]|[^\[\]:/\s]*):(?P<port>[0-9]{1,5})")
WILDCARD = re.compile(r"(?:::ffff:)?[0:.]*", re.IGNORECASE)  # 0.0.0.0, ::, and their other spellings
NO_URL = re.compile(r'[\x00-\x20\x7f<>"{}|\\^`]')


class Listen(NamedTuple):
    """Where the web server listens: a host and a port, or a Unix socket."""

    host: str
    port: int
    socket: Path | None = None

    @property
    def public_url(self) -> str | None:
        """The URL that the address implies; None where it implies none."""
        if self.socket is not None or WILDCARD.fullmatch(self.host):
            return None
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/"


def duration(value: object) -> int:
    found = DURATION.fullmatch(value) if isinstance(value, str) else None
    if found is None or int(found[1]) == 0:
        raise ValueError(f"{value!r} is not a duration; write 30s, 10m, 1h or 1d")
    return int(found[1]) * UNITS[found[2]]


def name(value: str) -> str:
    if NAME.fullmatch(value) is None:
        raise ValueError(
            f"{value!r} is not a name; write small letters, digits, - and _, at most 63, a letter or digit first"
        )
    return value


def resolved(value: object, info: ValidationInfo) -> Path:
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError(f"{value!r} is not a path")
    folder = info.context["folder"] if info.context else Path()
    try:
        return Path(folder, Path(value).expanduser())
    except RuntimeError as error:
        raise ValueError(f"{value!r} is not a path: there is no user of that name") from error


def language(value: str) -> str:
    if LANGUAGE.fullmatch(value) is None:
        raise ValueError(f"{value!r} is not a language tag; write one such as zh, en or fr-CA")
    return value


def encoding(value: str) -> str:
    try:
        "".encode(web_encoding(value))
    except (LookupError, UnicodeError, ValueError) as error:
        raise ValueError(
            f"{value!r} is not an encoding that is known here; write one such as gb18030"
        ) from error
    return value


def cron(value: str) -> str:
    cron_trigger(value, "UTC")
    return value


def timezone(value: str) -> str:
    zone(value)
    return value


def pattern(value: object) -> re.Pattern[str]:
    if not isinstance(value, str):
        raise ValueError(f"{value!r} is not a regular expression")  # noqa: TRY004 (pydantic takes ValueError)
    try:
        return re.compile(value)
    except re.error as error:
        raise ValueError(f"{value!r} is not a regular expression: {error}") from error


def glob(value: str) -> str:
    if not value or value.startswith("/") or ".." in value.split("/"):
        raise ValueError(f"{value!r} is not a pattern below the folder; write one such as **/*.txt")
    try:
        re.compile(translate(value))
    except re.error as error:
        raise ValueError(f"{value!r} is not a pattern: {error}") from error
    return value


def listen(value: object) -> Listen:
    if isinstance(value, str) and value.startswith("unix:/"):
        return Listen("", 0, Path(value.removeprefix("unix:")))
    found = HOST_PORT.fullmatch(value) if isinstance(value, str) else None
    if found is None or not 1 <= int(found["port"]) <= 65535:
        raise ValueError(
            f"{value!r} is not an address; write one such as 127.0.0.1:8080 or unix:/run/feedd/http.sock"
        )
    return Listen(found["host"].strip("[]"), int(found["port"]))


def base_url(value: str) -> str:
    try:
        parts = urlsplit(value)
        valid = (
            parts.scheme in {"http", "https"} and bool(parts.hostname) and not (parts.query or parts.fragment)
        )
    except ValueError:
        valid = False
    if not valid or NO_URL.search(value) or any(char.isspace() for char in value):
        raise ValueError(f"{value!r} is not a base address; write one such as https://feeds.example.org/")
    return value if value.endswith("/") else value + "/"


Duration = Annotated[int, BeforeValidator(duration)]  # milliseconds
Folder = Annotated[Path, BeforeValidator(resolved)]
Language = Annotated[str, AfterValidator(language)]
Encoding = Annotated[str, AfterValidator(encoding)]
Cron = Annotated[str, AfterValidator(cron)]
Timezone = Annotated[str, AfterValidator(timezone)]
Pattern = Annotated[re.Pattern[str], BeforeValidator(pattern)]
Glob = Annotated[str, AfterValidator(glob)]
ListenAddress = Annotated[Listen, BeforeValidator(listen)]
BaseUrl = Annotated[str, AfterValidator(base_url)]
