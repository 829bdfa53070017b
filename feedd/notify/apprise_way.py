"""The channel `apprise`: any service that Apprise knows, by its URL.

The only user of Apprise, which takes a quarter of a second to import: that is done when it is asked something.
It blocks, and it may hang for longer than it promises, so each message has a thread of its own. What it logs is the
only account of why a message was not taken; it stays out of feedd's log, and what it says of the URL is cut out.
"""

import asyncio
import functools
import html
import logging
import re
import threading
import warnings
from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple, Protocol
from urllib.parse import unquote

from feedd.config.secrets import Secret
from feedd.errors import SourceError
from feedd.model import Kind
from feedd.notify.aside import aside
from feedd.notify.values import Delivered, Failed, Form, Message, Outcome, Text

if TYPE_CHECKING:
    from apprise import AppriseAsset, NotifyBase
    from apprise.manager_plugins import NotificationManager

MOST_SAID = 300  # characters
MOST_LINES = 3
MOST_STUCK = 16  # attempts that were given up and go on in their threads, over all channels
SCHEME = re.compile(r"[a-z0-9]{2,20}(?=://)", re.IGNORECASE)
PARTS = re.compile(r"[\w.~-]+")
SHORTEST_SECRET = 4
BUSY = re.compile(r"error=(429|503)\b")  # as its plugins spell what a server answered
MARKDOWN = re.compile(r"([\\`*_\[\]<>])")
LOUD = frozenset({Kind.SOURCE_FAILING, Kind.REMOVED, Kind.SILENT_EDIT})
SERVICES = "https://github.com/caronc/apprise/wiki lists the services and how each is written"

lines: ContextVar[list[str] | None] = ContextVar("lines", default=None)  # of the attempt that runs
stuck: set[threading.Event] = set()
loading = threading.Lock()
ready: list["NotificationManager"] = []


class Channel(Protocol):
    """What is read of `config.channels.AppriseChannel`, which asks this module whether its URL is one."""

    @property
    def name(self) -> str: ...
    @property
    def url(self) -> Secret: ...
    @property
    def timeout(self) -> int: ...


class Ended(NamedTuple):
    taken: bool
    service: str
    said: tuple[str, ...]  # what Apprise logged


def valid(url: str) -> bool:
    """Whether Apprise can send to it."""
    return objection(url) is None


def objection(url: str) -> str | None:
    """Why Apprise can't send to it, in words that hold nothing of it; None: it can."""
    if SCHEME.match(url) is None:
        return f"is not an Apprise URL, which begins with a service and ://; {SERVICES}"
    if made(url) is not None:
        return None
    known = service_of(url)
    if known is None:
        return f"names a service that Apprise does not know; {SERVICES}"
    name, enabled = known
    if not enabled:
        return f"names {name}, which needs a package that is not installed here"
    return f"is not how {name} is written for Apprise: a part is missing or wrong; {SERVICES}"


def form_of(url: str) -> Form:
    """How the service wants its texts, as far as the URL does not say it itself (`?format=`)."""
    plugin = made(url)
    if plugin is None:
        return Form.PLAIN
    # a service with several lists them, the first being what it is sent if nothing else is asked for
    several = isinstance(plugin.notify_format, list | tuple)
    return Form(str(getattr(plugin.resolve_format() if several else plugin.notify_format, "value", "text")))


async def send(channel: Channel, message: Message, text: Text) -> Outcome:
    """Give `text`, best in the service's own form, to Apprise."""
    if len(stuck) >= MOST_STUCK:
        return Failed(f"{len(stuck)} messages that were given up still wait for an answer")
    try:
        url = channel.url.reveal()
    except SourceError as error:
        return Failed(str(error))
    over = threading.Event()
    seconds = channel.timeout / 1000
    attempt = functools.partial(notify, url, text, loudness(message), over)
    try:
        async with asyncio.timeout(seconds):
            ended = await aside(attempt, f"apprise {channel.name}", lasting=False)
    except TimeoutError:
        return Failed(f"the service did not take the message within {seconds:g} s")
    finally:
        if not over.is_set():
            stuck.add(over)
            if over.is_set():
                stuck.discard(over)
    if ended.taken:
        return Delivered(f"{ended.service} took it")
    why = " / ".join(ended.said) or "Apprise does not say why"
    return Failed(f"{ended.service} did not take it: {without(url, why)}", rests=BUSY.search(why) is not None)


def loudness(message: Message) -> str:
    """Apprise's name for how much it matters: services show it as a colour, or a sound."""
    return "warning" if any(fact.kind in LOUD for fact in message.facts) else "info"


def notify(url: str, text: Text, kind: str, over: threading.Event) -> Ended:
    """One attempt; blocks."""
    said: list[str] = []
    lines.set(said)
    try:
        plugin = made(url)
        if plugin is None:
            return Ended(False, "Apprise", ("it does not know this URL any more",))
        return Ended(passed(plugin, text, kind), str(plugin.service_name), tuple(said[-MOST_LINES:]))
    except Exception as error:  # noqa: BLE001 (a plugin may raise anything; its text may hold the URL)
        return Ended(False, "Apprise", (f"{type(error).__name__} in its plugin",))
    finally:
        over.set()
        stuck.discard(over)


def passed(plugin: "NotifyBase", text: Text, kind: str) -> bool:
    from apprise import Apprise

    # `optional=yes` in a URL would call a message delivered that is lost
    plugin.optional = False
    carrier = Apprise(asset=plugin.asset)
    carrier.add(plugin)
    title = text.title
    if plugin.title_maxlen <= 0:  # it goes into the body, and is taken to be spelled as that is
        title = spelled(title, text.form)
    return bool(
        carrier.notify(body=text.body or title, title=title, notify_type=kind, body_format=text.form.value)
    )


def spelled(title: str, form: Form) -> str:
    match form:
        case Form.HTML:
            return html.escape(title)
        case Form.MARKDOWN:
            return MARKDOWN.sub(r"\\\1", title)
        case Form.PLAIN:
            return title


def made(url: str) -> "NotifyBase | None":
    """What sends to this URL; None where there is no such thing."""
    from apprise import Apprise, NotifyBase

    loaded()
    with suppress(Exception):  # plugins read their parts of a URL, each in its own way
        plugin = Apprise.instantiate(url, asset=asset(), suppress_exceptions=True)
        return plugin if isinstance(plugin, NotifyBase) else None
    return None


def service_of(url: str) -> tuple[str, bool] | None:
    """What the service of a URL is called, and whether all is there that it needs; None: unknown."""
    manager = loaded()
    scheme = url.partition("://")[0].lower()
    if scheme not in manager:
        return None
    plugin = manager[scheme]
    return str(plugin.service_name), bool(plugin.enabled)


def loaded() -> "NotificationManager":
    """What knows all services. Reading them takes a third of a second, and 30 MB, once."""
    from apprise.manager_plugins import NotificationManager

    manager = NotificationManager()  # type: ignore[no-untyped-call, unused-ignore]
    with loading:
        if manager not in ready:
            log = logging.getLogger("apprise")
            log.setLevel(logging.WARNING)
            log.propagate = False
            log.addHandler(Listener(logging.WARNING))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # of what its plugins import
                manager.load_modules()  # type: ignore[no-untyped-call, unused-ignore]
            ready.append(manager)
    return manager


@functools.cache
def asset() -> "AppriseAsset":
    """Apprise's settings: no files, no threads of its own, no pictures from its author's web site."""
    from apprise import AppriseAsset

    class Ours(AppriseAsset):
        app_id = "feedd"
        app_desc = "feedd notifications"
        async_mode = False
        image_url_mask = ""
        image_url_logo = ""
        _service_timeout = (
            0.0  # with one, its newer versions use a pool of threads in which those that hang collect
        )

    return Ours(storage_mode="memory")


class Listener(logging.Handler):
    """Keeps what is logged during an attempt for its account."""

    def emit(self, record: logging.LogRecord) -> None:
        said = lines.get()
        if said is not None and len(said) < 100:
            said.append(record.getMessage()[:2_000])


def without(url: str, said: str) -> str:
    """What was said, printable and short, without any part of the URL but its scheme."""
    rest = url.partition("://")[2]
    parts = {part for text in (rest, unquote(rest)) for part in (text, *PARTS.findall(text))}
    for part in sorted(parts, key=len, reverse=True):
        if len(part) >= SHORTEST_SECRET:
            said = re.sub(re.escape(part), "…", said, flags=re.IGNORECASE)
    shown = " ".join("".join(sign if sign.isprintable() else " " for sign in said).split())
    return shown if len(shown) <= MOST_SAID else shown[: MOST_SAID - 1] + "…"
