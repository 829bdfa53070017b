"""The small values of a configuration: durations, names, patterns, addresses, and how they are checked."""

import os
import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, NamedTuple, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, ValidationInfo

from feedd.config.secrets import Secret, Unavailable, secret
from feedd.normalise.localdate import check_format
from feedd.schedule import cron_trigger, zone
from feedd.sources.decode import web_encoding
from feedd.sources.directory import translate
from feedd.sources.selector import compile_selector

Made = TypeVar("Made")
HOUR_MS = 3_600_000
DAY_MS = 86_400_000
SIZES = {"": 1, "B": 1, "kB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}
SIZE = re.compile(r"([0-9]{1,12}) ?(B|kB|MB|GB)")
HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,100}")  # RFC 9110 section 5.6.2
SET_BY_US = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding"})
BRANCH = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_./-]{0,200}")
REMOTE = re.compile(r"(?:https?|ssh)://[^\s\x00-\x1f]+|[A-Za-z0-9_.-]+@[A-Za-z0-9.-]+:[^\s:][^\s]*")
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


def instant(value: str) -> int | None:
    """Milliseconds of a time or date (ISO 8601, in UTC unless it says otherwise); None where it is none."""
    try:
        found = datetime.fromisoformat(value)
        return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
    except (ValueError, OverflowError):
        return None


def any_duration(value: object) -> int:
    """A duration that may be none: 0s."""
    return 0 if value in ("0", "0s") else duration(value)


def every(value: object) -> int | None:
    """A duration, or None for "auto"."""
    return None if value == "auto" else duration(value)


def size(value: object) -> int:
    found = SIZE.fullmatch(value) if isinstance(value, str) else None
    if found is None or int(found[1]) == 0:
        raise ValueError(f"{value!r} is not a size; write 500kB or 15MB")
    return int(found[1]) * SIZES[found[2]]


def each_of(values: Iterable[Any], check: Callable[[Any], Made]) -> tuple[Made, ...]:
    """What `check` makes of each; all mistakes are told at once. Raises ValueError."""
    made, mistakes = list[Made](), list[str]()
    for value in values:
        try:
            made.append(check(value))
        except ValueError as error:
            mistakes.append(str(error))
    if mistakes:
        raise ValueError("; ".join(mistakes))
    return tuple(made)


def texts(value: object) -> tuple[str, ...]:
    """A text, or a list of them."""
    if isinstance(value, str):
        return (value,)
    if not isinstance(value, list | tuple) or not all(isinstance(each, str) for each in value):
        raise ValueError(f"{value!r} is not a list of texts")
    return tuple(value)


def patterns(value: object) -> tuple[re.Pattern[str], ...]:
    return tuple(map(pattern, texts(value)))


class Rewrite(NamedTuple):
    """One replacement in URLs or titles."""

    part: str  # url | title
    pattern: str
    to: str


def rewrites(value: object) -> tuple[Rewrite, ...]:
    """`{ url = "^http:", to = "https:" }`, or a list of such tables."""
    tables: list[Any] = list(value) if isinstance(value, list | tuple) else [value]
    made = []
    for table in tables:
        parts = {"url", "title"} & table.keys() if isinstance(table, dict) else set()
        if len(parts) != 1 or table.keys() != parts | {"to"}:
            raise ValueError(f'{table!r} is not a rewrite; write {{ url = "^http:", to = "https:" }}')
        (part,) = parts
        rewrite = Rewrite(part, pattern(table[part]).pattern, table["to"])
        try:
            re.compile(f"(?:{rewrite.pattern})|").sub(rewrite.to, "")  # an empty match tries the template
        except (re.error, IndexError, TypeError) as error:
            raise ValueError(
                f"{table['to']!r} can't replace what {rewrite.pattern!r} finds: {error}"
            ) from error
        made.append(rewrite)
    return tuple(made)


def a_secret(value: object, info: ValidationInfo) -> Secret:
    try:
        return secret(value, info.context["folder"] if info.context else Path(), os.environ)
    except Unavailable as error:  # a matter of the machine, not of the configuration
        return Secret("", str(error), missing=True)


def secret_map(value: object, info: ValidationInfo) -> tuple[tuple[str, Secret], ...]:
    """Names and secrets, as headers and cookies have them."""
    if not isinstance(value, dict):
        raise ValueError("is not a table of names and texts")  # noqa: TRY004 (pydantic takes ValueError)

    def checked(pair: tuple[str, object]) -> tuple[str, Secret]:
        key, text = pair
        if not HEADER.fullmatch(key) or key.lower() in SET_BY_US:
            raise ValueError(f"{key!r} can't be set")
        try:
            found = a_secret(text, info)
        except ValueError as error:
            raise ValueError(f"{key}: {error}") from error
        if not found.missing and not (found.reveal().isprintable() and found.reveal().isascii()):
            raise ValueError(f"the value of {key!r} holds characters that can't be sent")
        return key, found

    return each_of(value.items(), checked)


def web_url(value: str) -> str:
    """An http or https address. A password does not belong in it."""
    try:
        parts = urlsplit(value)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
    except ValueError:
        valid = False
    if "@" in value.partition("://")[2].partition("?")[0]:
        raise ValueError("the address holds a user or password; write auth = { user = …, password = … }")
    if (
        not valid
        or "%" in (parts.hostname or "")
        or " " in value
        or not value.isprintable()  # no other white space is
    ):
        raise ValueError(f"{value!r} is not a web address; write one such as https://example.org/feed.xml")
    return value


def proxy_url(value: object, info: ValidationInfo) -> Secret:
    """The address of a proxy; it may hold a password, so it is a secret."""
    found = a_secret(value, info)
    if found.missing:
        return found
    revealed = found.reveal()
    try:
        parts = urlsplit(revealed)
        valid = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        valid = False
    if not valid:
        raise ValueError("is not the address of a proxy; write one such as http://proxy.example.org:3128")
    return found


def repository(value: str) -> str:
    if "@" in value and ":" in value.partition("://")[2].rpartition("@")[0]:
        raise ValueError("the address holds a password; write auth = { user = …, password = … }")
    if not REMOTE.fullmatch(value) or value.startswith("-"):
        shown = value.rpartition("@")[2]
        raise ValueError(
            f"{shown!r} is not the address of a repository; write one such as https://example.org/a.git"
        )
    return value


def branch(value: str) -> str:
    if not BRANCH.fullmatch(value) or ".." in value or value.endswith((".lock", "/", ".")):
        raise ValueError(f"{value!r} is not the name of a branch")
    return value


def subfolder(value: str) -> str:
    if value.startswith(("/", "~")) or ".." in value.split("/") or "\0" in value:
        raise ValueError(f"{value!r} is not a folder below the repository's top")
    return value


def arguments(value: object) -> tuple[str, ...]:
    """A program and its arguments."""
    if not isinstance(value, list | tuple) or not value or not all(isinstance(each, str) for each in value):
        raise ValueError('is not a list of a program and its arguments; write ["program", "argument"]')
    if not value[0] or any("\0" in each for each in value):
        raise ValueError("names no program")
    return tuple(value)


def date_formats(value: object) -> tuple[str, ...]:
    found = texts(value)
    for each in found:
        check_format(each)
    return found


def selector(value: str) -> str:
    compile_selector(value)
    return value


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
AnyDuration = Annotated[int, BeforeValidator(any_duration)]  # milliseconds, 0 among them
Every = Annotated[int | None, BeforeValidator(every)]  # milliseconds; None: auto
Size = Annotated[int, BeforeValidator(size)]  # bytes
Texts = Annotated[tuple[str, ...], BeforeValidator(texts)]
DateFormats = Annotated[tuple[str, ...], BeforeValidator(date_formats)]
Patterns = Annotated[tuple[re.Pattern[str], ...], BeforeValidator(patterns)]
Rewrites = Annotated[tuple[Rewrite, ...], BeforeValidator(rewrites)]
SecretText = Annotated[Secret, BeforeValidator(a_secret)]
SecretMap = Annotated[tuple[tuple[str, Secret], ...], BeforeValidator(secret_map)]
WebUrl = Annotated[str, AfterValidator(web_url)]
ProxyUrl = Annotated[Secret, BeforeValidator(proxy_url)]
Repository = Annotated[str, AfterValidator(repository)]
Branch = Annotated[str, AfterValidator(branch)]
Subfolder = Annotated[str, AfterValidator(subfolder)]
Arguments = Annotated[tuple[str, ...], BeforeValidator(arguments)]
SelectorText = Annotated[str, AfterValidator(selector)]
Folder = Annotated[Path, BeforeValidator(resolved)]
Language = Annotated[str, AfterValidator(language)]
Encoding = Annotated[str, AfterValidator(encoding)]
Cron = Annotated[str, AfterValidator(cron)]
Timezone = Annotated[str, AfterValidator(timezone)]
Pattern = Annotated[re.Pattern[str], BeforeValidator(pattern)]
Glob = Annotated[str, AfterValidator(glob)]
ListenAddress = Annotated[Listen, BeforeValidator(listen)]
BaseUrl = Annotated[str, AfterValidator(base_url)]
