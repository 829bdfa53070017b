"""What a line of the log says, and how it is written down: for people, as JSON, for systemd's journal. Pure.

All over feedd, a line about a source begins with its name and a colon, and one about a channel with `notify.NAME:`. The
fields of a line come from there; `extra={"source": …}` gives them where the words begin in another way.
"""

import json
import logging
import re
import traceback
from datetime import UTC, datetime
from typing import NamedTuple

import click

from feedd.harmless import harmless

LONGEST_MESSAGE = (
    8_000  # characters, and so for the next two; together they fit into one datagram to the journal
)
LONGEST_FIELD = 200
LONGEST_TRACEBACK = 16_000  # its end says the most
FIELDS = ("source", "channel", "feed")
NAME = re.compile("[a-z0-9][a-z0-9_-]{0,62}")  # of a source or channel; a path or `archive.NAME` is none
STARTS = (("%s: ", "source"), ("notify.%s: ", "channel"))
COLOURS = {
    logging.DEBUG: "bright_black",
    logging.WARNING: "yellow",
    logging.ERROR: "red",
    logging.CRITICAL: "red",
}
PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))  # syslog(3)
SECRETS = re.compile(
    r"""(?P<kept> (?<!\w) (?:feedd_|whsec_) ) [\w+/=-]{16,}  # tokens, and what signs webhooks
    | (?P<name> \b (?: authorization | (?:set-)? cookie | x-[a-z-]{0,40} (?:key|token|secret|signature) )
        (?: ["']? \s* [:=] | ["'] \s* , ) \s* (?: b (?= ["'] ) )? ["']? )  # headers, also as Python shows pairs of them
        (?: digest \s+ (?: \w+ = (?: "[^"]*" | [^\s",]+ ) (?: , \s* )? )+
          | (?: (?:basic|bearer|negotiate|token) \s+ )? [^\s"',;]+ (?: ; \s* [^\s"',;]+ )* )
    | (?P<asked> [?&\#] [\w.-]{0,40} (?: token|key|secret|password|passwd|pwd|auth|signature|sig|session ) = )
        [^\s&\#"'<>]+
    | (?P<scheme> :// ) [^\s/?\#"'<>]* @  # user and password of a URL (RFC 3986, section 3.2.1)
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)


class Event(NamedTuple):
    """One thing that happened."""

    time_s: float  # since 1970
    level: int  # of the module logging
    logger: str
    message: str
    fields: tuple[tuple[str, str], ...] = ()
    traceback: str = ""  # of a bug; several lines
    file: str = ""  # where it was said
    line: int = 0
    function: str = ""


def event_of(record: logging.LogRecord) -> Event:
    """What a record says, not yet cleaned. The record's values may change once this returns."""
    try:
        said = record.getMessage()
    except (TypeError, ValueError, KeyError):
        said = f"a bug in feedd: the values of a line of the log do not fit its words: {record.msg}"
    happened = "".join(traceback.format_exception(*record.exc_info)) if record.exc_info else ""
    if len(happened) > LONGEST_TRACEBACK:  # whole lines: half a secret is not known for one
        happened = happened[-LONGEST_TRACEBACK:].partition("\n")[2]
    where = (record.pathname, record.lineno, record.funcName or "")
    return Event(
        record.created,
        record.levelno,
        record.name,
        said[: LONGEST_MESSAGE * 2],
        fields_of(record),
        happened,
        *where,
    )


def fields_of(record: logging.LogRecord) -> tuple[tuple[str, str], ...]:
    found = {name: str(getattr(record, name)) for name in FIELDS if hasattr(record, name)}
    if is_ours(record.name) and isinstance(record.args, tuple) and record.args:
        for start, name in STARTS:
            if str(record.msg).startswith(start) and NAME.fullmatch(said := str(record.args[0])):
                found.setdefault(name, said)
    return tuple(found.items())


def is_ours(logger: str) -> bool:
    return logger == "feedd" or logger.startswith("feedd.")


def cleaned(event: Event) -> Event:
    """The event as it may be shown: one line, but for the trace; without secrets; nothing that a terminal acts on."""
    trace = (clean(line, LONGEST_MESSAGE) for line in event.traceback.splitlines())
    return event._replace(
        message=clean(event.message, LONGEST_MESSAGE),
        fields=tuple((name, clean(value, LONGEST_FIELD)) for name, value in event.fields),
        traceback="\n".join(trace)[-LONGEST_TRACEBACK:],
    )


def clean(text: str, longest: int) -> str:
    shown = without_secrets(harmless(text[: longest * 2]))
    return shown if len(shown) <= longest else shown[: longest - 1] + "…"


def without_secrets(text: str) -> str:
    """`text` without what looks like a secret. A second net: what is logged names none to begin with."""
    return SECRETS.sub(hidden, text)


def hidden(found: re.Match[str]) -> str:
    if found["scheme"]:
        return f"{found['scheme']}…@"
    return f"{found['kept'] or found['name'] or found['asked']}…"


def priority(level: int) -> int:
    """The level as syslog(3) counts it."""
    return next((number for least, number in PRIORITIES if level >= least), 7)


def words(event: Event) -> str:
    """Its message, with what that does not say: the logger of another library, and fields."""
    more = "".join(f" [{name}={value}]" for name, value in event.fields if value not in event.message)
    return f"{'' if is_ours(event.logger) else event.logger + ': '}{event.message}{more}"


def rfc3339(time_s: float) -> str:
    """In UTC, to the millisecond."""
    return datetime.fromtimestamp(time_s, UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def traced(event: Event, line: str) -> str:
    """The line, and the trace below it, set in."""
    return "\n".join([line, *(f"    {each}" for each in event.traceback.splitlines())]) + "\n"


def as_text(event: Event) -> str:
    level = logging.getLevelName(event.level)
    return traced(event, f"{rfc3339(event.time_s)} {level} {words(event)}")


def as_plain(event: Event) -> str:
    """For a terminal without colours: whoever looks at it knows the time."""
    return traced(event, f"{logging.getLevelName(event.level)} {words(event)}")


def as_coloured(event: Event) -> str:
    level = click.style(logging.getLevelName(event.level), fg=COLOURS.get(event.level))
    return traced(event, f"{level} {words(event)}")


def as_json(event: Event) -> str:
    """One line: time, level, logger, message; the fields it has; the trace of a bug."""
    shape = {
        "time": rfc3339(event.time_s),
        "level": logging.getLevelName(event.level).lower(),
        "logger": event.logger,
        "message": event.message,
        **dict(event.fields),
        **({"traceback": event.traceback} if event.traceback else {}),
    }
    return json.dumps(shape, ensure_ascii=False) + "\n"


def as_prefixed(event: Event) -> str:
    """For what reads standard error into the journal: each line with its priority (sd-daemon(3))."""
    lines = traced(event, words(event)).splitlines()
    return "".join(f"<{priority(event.level)}>{line}\n" for line in lines)


def journal_fields(event: Event) -> list[tuple[str, str]]:
    """As systemd.journal-fields(7) names them, and feedd's own."""
    message = f"{words(event)}\n{event.traceback}" if event.traceback else words(event)
    return [
        ("MESSAGE", message),
        ("PRIORITY", str(priority(event.level))),
        ("SYSLOG_IDENTIFIER", "feedd"),
        ("CODE_FILE", event.file),
        ("CODE_LINE", str(event.line)),
        ("CODE_FUNC", event.function),
        ("LOGGER", event.logger),
        *((f"FEEDD_{name.upper()}", value) for name, value in event.fields),
    ]


def as_entry(fields: list[tuple[str, str]]) -> bytes:
    """An entry in the journal's native protocol (systemd.io/JOURNAL_NATIVE_PROTOCOL).

    A value with a line end has its length before it, 64 bits, little-endian.
    """
    entry = b""
    for name, value in fields:
        data = value.encode("utf-8", "backslashreplace")
        if b"\n" in data:
            entry += name.encode() + b"\n" + len(data).to_bytes(8, "little") + data + b"\n"
        else:
            entry += name.encode() + b"=" + data + b"\n"
    return entry
