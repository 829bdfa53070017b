"""What somebody asks of the hub, read from the body of a request (WebSub section 5.1). Pure."""

import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import Literal, NamedTuple
from urllib.parse import parse_qsl, urlencode

from feedd.errors import FetchError
from feedd.fetch.address import Address, read
from feedd.fetch.guard import kind_of, literal

MOST_BYTES = 16_000  # of a request
MOST_FIELDS = 100
LONGEST_URL = 2_000
SECRET_BYTES = 200  # a secret is shorter (section 5.1)
PORT = re.compile(r":[0-9]*$")
SECONDS = re.compile(r"[0-9]{1,100}", re.ASCII)
MEANT = frozenset({"hub.mode", "hub.topic", "hub.callback", "hub.lease_seconds", "hub.secret"})


class Refusal(NamedTuple):
    """Why a request is not taken: a status of HTTP, and words for whoever sent it."""

    status: int
    words: str
    retry_after_s: int | None = None


class Wanted(NamedTuple):
    """What is asked for, as far as the request alone tells."""

    mode: Literal["subscribe", "unsubscribe"]
    topic: str  # as it was spelled: the callback is to know it again
    callback: Address
    lease_s: int | None = None  # above 0; None: whatever the hub gives
    secret: str | None = None

    def __repr__(self) -> str:
        return f"Wanted({self.mode!r}, {self.topic!r}, …)"


def parse(body: bytes) -> Wanted | Refusal:
    """A request in the form `application/x-www-form-urlencoded`. Fields that are not known are passed over."""
    if len(body) > MOST_BYTES:
        return Refusal(413, f"The request is longer than {MOST_BYTES} bytes.")
    try:
        pairs = parse_qsl(
            body.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS
        )
    except ValueError:  # UnicodeDecodeError is one
        return Refusal(400, "The request is no form in UTF-8 of at most 100 fields.")
    fields = dict[str, str]()
    for name, value in pairs:
        if name in MEANT and name in fields:
            return Refusal(400, f"{name} is given twice.")
        fields[name] = value
    return wanted(fields)


def wanted(fields: Mapping[str, str]) -> Wanted | Refusal:
    mode, topic = fields.get("hub.mode"), fields.get("hub.topic", "")
    if mode not in {"subscribe", "unsubscribe"}:
        return Refusal(400, "hub.mode is 'subscribe' or 'unsubscribe'.")
    if not topic or len(topic) > LONGEST_URL:
        return Refusal(400, "hub.topic is the address of a feed.")
    callback = callback_of(fields.get("hub.callback", ""))
    if isinstance(callback, Refusal):
        return callback
    if mode == "unsubscribe":
        return Wanted("unsubscribe", topic, callback)
    stated = fields.get("hub.lease_seconds") or None
    if stated is not None and not (SECONDS.fullmatch(stated) and int(stated) > 0):
        return Refusal(400, "hub.lease_seconds is a whole number above 0.")
    secret = fields.get("hub.secret") or None
    if secret is not None and len(secret.encode()) >= SECRET_BYTES:
        return Refusal(400, f"hub.secret is shorter than {SECRET_BYTES} bytes.")
    return Wanted("subscribe", topic, callback, int(stated) if stated else None, secret)


def callback_of(text: str) -> Address | Refusal:
    """Where the hub is to send: an http or https address without user and password; a fragment is dropped."""
    if not text or len(text) > LONGEST_URL:
        return Refusal(400, f"hub.callback is an address of at most {LONGEST_URL} characters.")
    try:
        address, auth = read(text)
        if auth is not None:
            return Refusal(400, "hub.callback may hold no user and password.")
    except FetchError:
        return Refusal(400, "hub.callback is no http or https address.")
    if len(address.url) > LONGEST_URL:
        return Refusal(400, f"hub.callback is an address of at most {LONGEST_URL} characters.")
    return address


def is_private(callback: Address) -> bool:
    """Whether the callback spells an address by itself that is none of the public internet."""
    try:
        spelled = literal(callback.host)
    except FetchError:
        return True
    if spelled is not None:
        return kind_of(ip_address(spelled)) is not None
    return callback.host == "localhost" or callback.host.endswith(".localhost")  # RFC 6761 section 6.3


def granted_s(asked_s: int | None, usual_ms: int, most_ms: int) -> int:
    """How long a subscription lasts, in seconds."""
    most_s = max(most_ms // 1000, 1)
    return min(asked_s if asked_s is not None else max(usual_ms // 1000, 1), most_s)


def with_query(callback: str, pairs: Mapping[str, str]) -> str:
    """The callback with more in its query; what it has stays (section 5.3)."""
    joint = "&" if "?" in callback else "?"
    return f"{callback}{'' if callback.endswith(('?', '&')) else joint}{urlencode(pairs)}"


def host_of(url: str) -> str:
    """The host of an address as it is stored, without its port: on another port is the same machine."""
    return PORT.sub("", url.partition("://")[2].partition("/")[0].partition("?")[0])
