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
from collections.abc import Callable, Collection
from contextlib import suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, NamedTuple, Protocol
from urllib.parse import unquote

from feedd.changes.escaping import NOTHING_WIDE, escaped
from feedd.config.secrets import Secret
from feedd.errors import SourceError
from feedd.model import Kind
from feedd.notify.aside import aside
from feedd.notify.room import Room, units
from feedd.notify.values import Delivered, Failed, Form, Message, Outcome, Text
from feedd.quoting import quoted

if TYPE_CHECKING:
    from apprise import AppriseAsset, NotifyBase
    from apprise.manager_plugins import NotificationManager

MOST_SAID = 300  # characters
MOST_LINES = 3
MOST_STUCK = 4  # attempts of a channel that were given up and go on in their threads
MOST_STUCK_IN_ALL = 200
SCHEME = re.compile(r"[a-z0-9]{2,20}(?=://)", re.IGNORECASE)
PARTS = re.compile(r"[\w.~-]+")
SHORTEST_SECRET = 4
BUSY = re.compile(r"error=(429|503)\b")  # as its plugins spell what a server answered
OVERFLOW = re.compile(r"[?&]overflow=", re.IGNORECASE)
SPLIT = re.compile(r"[?&]overflow=split", re.IGNORECASE)
FORMAT = re.compile(r"[?&]format=", re.IGNORECASE)
# what they are sent is read as Markdown, whatever Apprise calls it
READ_MARKDOWN = frozenset(
    {"discord", "fluxer", "guilded", "mmost", "mmosts", "nctalk", "nctalks", "revolt", "ryver", "zulip"}
)
# nobody is mentioned there: programs, letters, logs
READ_AS_IT_IS = frozenset(
    ("json", "jsons", "xml", "xmls", "form", "forms", "mailto", "mailtos", "mqtt", "mqtts", "amqp", "amqps")
    + ("syslog", "rsyslog")
)
LONGEST_SMS = 160  # characters
LONGEST_SPLIT = 1_000_000  # of what goes in as many messages as it takes
MENTIONS = re.compile(
    r"(?P<url>https?://\S+)|@(?=everyone|here|channel|all|room)|(?:<|&lt;)(?=[@!#])|[@<]\Z", re.IGNORECASE
)
EVERY_NAME = re.compile(r"(?P<url>https?://\S+)|@(?=\w)|@\Z")
BY_NAME = frozenset({"mastodon", "mastodons", "toot", "toots"})  # whoever is named with an @ is called
TAG = re.compile(r"(<[^<>]*>)")
IN_ADDRESSES = {"@": "%40", "<": "%3C"}
LOUD = frozenset({Kind.SOURCE_FAILING, Kind.REMOVED, Kind.SILENT_EDIT})
SERVICES = "https://github.com/caronc/apprise/wiki lists the services and how each is written"

lines: ContextVar[list[str] | None] = ContextVar("lines", default=None)  # of the attempt that runs
stuck: set[tuple[str, threading.Event]] = set()  # with the names of channels
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


class Service(NamedTuple):
    """How a service wants its texts."""

    form: Form
    room: Room


class Ended(NamedTuple):
    taken: bool
    service: str
    said: tuple[str, ...]  # what Apprise logged


def valid(url: str) -> bool:
    """Whether Apprise can send to it."""
    return objection(url) is None


def no_url(url: str) -> str | None:
    """Why it is not even spelled like one of Apprise's, without asking Apprise."""
    if SCHEME.match(url) is None:
        return f"is not an Apprise URL, which begins with a service and ://; {SERVICES}"
    return None


def objection(url: str) -> str | None:
    """Why Apprise can't send to it, in words that hold nothing of it; None: it can."""
    if (why := no_url(url)) is not None:
        return why
    plugin = made(url)
    if plugin is not None:
        return several(targets_of(plugin))
    known = service_of(url)
    if known is None:
        return f"names a service that Apprise does not know; {SERVICES}"
    name, enabled = known
    if not enabled:
        return f"names {name}, which needs a package that is not installed here"
    return f"is not how {name} is written for Apprise: a part is missing or wrong; {SERVICES}"


def several(targets: int) -> str | None:
    """Apprise tells of all targets or of none: one that fails would have the others told again and again."""
    if targets <= 1:
        return None
    return f"names {targets} targets; write a channel for each, so that one that fails repeats nothing at the others"


def targets_of(plugin: "NotifyBase") -> int:
    """How many rooms, people or addresses it sends to, by either way in which plugins tell that."""
    named = getattr(plugin, "targets", None)
    listed = len(named) if isinstance(named, list | tuple | set | frozenset) else 0
    return max(len(plugin) // (plugin.retry + 1), listed)


def form_of(url: str) -> Form:
    """How the service wants its texts, as far as the URL does not say it itself (`?format=`)."""
    plugin = made(url)
    return Form.PLAIN if plugin is None else form_by(plugin, url)


def form_by(plugin: "NotifyBase", url: str) -> Form:
    if scheme_of(url) in READ_MARKDOWN and not FORMAT.search(url):
        return Form.MARKDOWN
    # a service with several lists them, the first being what it is sent if nothing else is asked for
    listed = isinstance(plugin.notify_format, list | tuple)
    return Form(str(getattr(plugin.resolve_format() if listed else plugin.notify_format, "value", "text")))


def service(url: str) -> Service:
    """What a text for this URL has to be like."""
    plugin = made(url)
    if plugin is None:
        return Service(Form.PLAIN, Room(LONGEST_SPLIT, LONGEST_SPLIT, joined=False))
    form = form_by(plugin, url)
    if SPLIT.search(url):
        return Service(form, Room(LONGEST_SPLIT, LONGEST_SPLIT, joined=False))
    body, title = int(plugin.body_maxlen) or LONGEST_SPLIT, int(plugin.title_maxlen)
    joined = title <= 0 or bool(plugin.overflow_amalgamate_title)
    return Service(form, Room(body, title if title > 0 else body // 3, joined, sizes(plugin, url, form)))


def sizes(plugin: "NotifyBase", url: str, form: Form) -> Callable[[str], int]:
    """How long a text is when the service gets it: plugins spell some forms anew, which takes room."""
    from apprise import NotifyFormat

    def size(text: str) -> int:
        ready = calm(text, form, url) if form is not Form.MARKDOWN and mentions(plugin, url) else text
        again = ready
        if form is not Form.PLAIN and not passes_through(plugin, form):
            with suppress(Exception):  # each plugin does it in its own way
                again = str(plugin.dialect_convert(ready, NotifyFormat(form.value)))
        return max(units(ready), units(again))

    return size


async def send(channel: Channel, message: Message, text: Text) -> Outcome:
    """Give `text`, best in the service's own form, to Apprise."""
    hanging = sum(name == channel.name for name, _ in stuck)
    if hanging >= MOST_STUCK or len(stuck) >= MOST_STUCK_IN_ALL:
        return Failed(f"{hanging or len(stuck)} messages that were given up still wait for an answer")
    try:
        url = channel.url.reveal()
    except SourceError as error:
        return Failed(str(error))
    over = threading.Event()
    this = channel.name, over
    seconds = channel.timeout / 1000
    attempt = functools.partial(notify, url, text, loudness(message), this)
    try:
        async with asyncio.timeout(seconds):
            ended = await aside(attempt, f"apprise {channel.name}", lasting=False)
    except TimeoutError:
        return Failed(f"the service did not take the message within {seconds:g} s")
    finally:
        if not over.is_set():
            stuck.add(this)
            if over.is_set():
                stuck.discard(this)
    if ended.taken:
        return Delivered(f"{ended.service} took it")
    why = " / ".join(ended.said)
    words = quoted(f"{ended.service} did not take it", without(url, why) or "nothing")
    return Failed(words, rests=BUSY.search(why) is not None)


def loudness(message: Message) -> str:
    """Apprise's name for how much it matters: services show it as a colour, or a sound."""
    return "warning" if any(fact.kind in LOUD for fact in message.facts) else "info"


def notify(url: str, text: Text, kind: str, this: tuple[str, threading.Event]) -> Ended:
    """One attempt; blocks."""
    said: list[str] = []
    lines.set(said)
    try:
        plugin = made(url)
        if plugin is None:
            return Ended(False, "Apprise", ("it does not know this URL any more",))
        return Ended(passed(plugin, url, text, kind), str(plugin.service_name), tuple(said[-MOST_LINES:]))
    except Exception as error:  # noqa: BLE001 (a plugin may raise anything; its text may hold the URL)
        return Ended(False, "Apprise", (f"{type(error).__name__} in its plugin",))
    finally:
        this[1].set()
        stuck.discard(this)


def passed(plugin: "NotifyBase", url: str, text: Text, kind: str) -> bool:
    from apprise import Apprise
    from apprise.common import OverflowMode

    # `optional=yes` in a URL would call a message delivered that is lost; so would the page a redirect leads to
    plugin.optional = False
    plugin.redirects = False
    # a text that is cut is more than one that the service refuses; but plugins may cut one that fits, too
    room = int(plugin.body_maxlen) or LONGEST_SPLIT
    if not OVERFLOW.search(url) and sizes(plugin, url, text.form)(text.body) + units(text.title) > room:
        plugin.overflow_mode = OverflowMode.TRUNCATE
    carrier = Apprise(asset=plugin.asset)
    carrier.add(plugin)
    title, body = text.title, text.body
    if 0 < plugin.body_max_line_count < body.count("\n"):  # what comes below would be lost
        body = " ".join(body.split())
    if mentions(plugin, url) and text.form is not Form.MARKDOWN:
        title, body = calm(title, Form.PLAIN, url), calm(body, text.form, url)
    if plugin.title_maxlen <= 0 or plugin.overflow_amalgamate_title:
        title = spelled(title, text.form)  # it goes into the body, and is taken to be spelled as that is
    elif mentions(plugin, url):
        title = calm(title, Form.PLAIN, url)
    spelling = None if passes_through(plugin, text.form) else text.form.value
    return bool(
        carrier.notify(body=body.strip() or title, title=title, notify_type=kind, body_format=spelling)
    )


def passes_through(plugin: "NotifyBase", form: Form) -> bool:
    """Whether Apprise would make plain text of Markdown for a service that reads it."""
    return form is Form.MARKDOWN and "markdown" not in formats_of(plugin)


def formats_of(plugin: "NotifyBase") -> Collection[str]:
    known: object = plugin.notify_format
    each = known if isinstance(known, list | tuple) else (known,)
    return {str(getattr(one, "value", one)) for one in each}


def mentions(plugin: "NotifyBase", url: str) -> bool:
    """Whether a text may call people there."""
    return scheme_of(url) not in READ_AS_IT_IS and plugin.body_maxlen > LONGEST_SMS


def calm(text: str, form: Form, url: str) -> str:
    """A text in which nothing calls people; addresses lead where they did. Of HTML, what stands between its tags."""
    calls = EVERY_NAME if scheme_of(url) in BY_NAME else MENTIONS
    if form is not Form.HTML:
        return unmentioning(text, calls)
    parts = TAG.split(text)  # text, tag, text …
    parts[::2] = [unmentioning(part, calls) for part in parts[::2]]
    return "".join(parts)


def unmentioning(text: str, calls: re.Pattern[str]) -> str:
    def part(found: re.Match[str]) -> str:
        if found["url"]:
            return "".join(IN_ADDRESSES.get(sign, sign) for sign in found["url"])
        return found[0] + NOTHING_WIDE

    return calls.sub(part, text)


def scheme_of(url: str) -> str:
    return url.partition("://")[0].lower()


def spelled(title: str, form: Form) -> str:
    match form:
        case Form.HTML:
            return html.escape(title)
        case Form.MARKDOWN:
            return escaped(title)
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
    scheme = scheme_of(url)
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
