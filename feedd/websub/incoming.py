"""What hubs send to a callback of ours, and when they are asked: the rules of a subscriber (W3C WebSub). Pure.

Times are milliseconds since the epoch (`_ms`), and so are lengths of time.
"""

import hmac
import re
from collections.abc import Mapping
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from feedd.errors import FetchError
from feedd.fetch.guard import kind_of, literal
from feedd.schedule import Due, Timing, spell_duration

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS
LEASE_MS = 10 * DAY_MS  # that is asked for
SHORTEST_LEASE_MS = 5 * MINUTE_MS
LONGEST_LEASE_MS = 90 * DAY_MS
SAFETY_NET_MS = 6 * HOUR_MS  # between two looks at a feed that is pushed, at least
LONGEST_CHALLENGE = 1_000  # bytes
LONGEST_SAID = 200  # characters of what a hub says
METHODS = ("sha1", "sha256", "sha384", "sha512")  # section 7.1.1
SIGNATURE = re.compile(r"([a-z0-9]{1,10})=([0-9a-f]{1,200})", re.IGNORECASE)
AT_HOME = ("local", "localhost", "internal", "lan", "home.arpa", "test", "invalid", "onion")


class Pushed(NamedTuple):
    """What a hub sent, and signed."""

    body: bytes
    content_type: str | None = None
    link: str = ""  # the header
    topic: str | None = None  # that was subscribed to


class Signature(NamedTuple):
    method: str
    digest: str  # hexadecimal, small letters


class Intent(NamedTuple):
    """What a hub asks, or says, of a subscription (sections 5.2 and 5.3)."""

    mode: str  # subscribe, unsubscribe, denied
    topic: str
    challenge: str = ""
    lease_ms: int = LEASE_MS
    reason: str = ""


def signature_of(header: str | None) -> Signature | None:
    """The `X-Hub-Signature` header; None for what is none that the Recommendation knows (section 7.1)."""
    found = SIGNATURE.fullmatch((header or "").strip())
    if found is None or found[1].lower() not in METHODS:
        return None
    return Signature(found[1].lower(), found[2].lower())


def is_signed(header: str | None, secret: str, body: bytes) -> bool:
    """Whether whoever sent the body knows the secret; takes as long for any wrong signature."""
    found = signature_of(header)
    if found is None:
        return False
    return hmac.compare_digest(hmac.new(secret.encode(), body, found.method).hexdigest(), found.digest)


def intent_of(query: Mapping[str, str]) -> Intent | None:
    """What a request for verification says; None if it is none."""
    mode, topic = query.get("hub.mode", ""), query.get("hub.topic", "")
    challenge = query.get("hub.challenge", "")
    if mode == "denied" and topic:
        return Intent(mode, topic, reason=query.get("hub.reason", ""))
    fits = challenge.isprintable() and 0 < len(challenge.encode("utf-8", "replace")) <= LONGEST_CHALLENGE
    if mode not in {"subscribe", "unsubscribe"} or not topic or not fits:
        return None
    return Intent(mode, topic, challenge, lease_of(query.get("hub.lease_seconds")))


def lease_of(seconds: str | None) -> int:
    """How long a subscription lasts; a hub that doesn't say gave what was asked for."""
    if seconds is None or not (seconds.isascii() and seconds.isdigit()):
        return LEASE_MS
    granted_ms = int(seconds[:12]) * 1000
    return min(max(granted_ms, SHORTEST_LEASE_MS), LONGEST_LEASE_MS)


def renew_at(confirmed_ms: int, lease_until_ms: int) -> int:
    """When a lease is asked for anew: a fifth of it before its end, at most a day."""
    return lease_until_ms - min((lease_until_ms - confirmed_ms) // 5, DAY_MS)


def pause_ms(attempts: int, chance: float) -> int:
    """How long a hub is left alone after so many attempts in vain: an hour, growing to a day.

    `chance`, from 0 to 1, takes up to a tenth off it.
    """
    doubled_ms = min(HOUR_MS << min(max(attempts - 1, 0), 10), DAY_MS)
    return doubled_ms - int(doubled_ms * chance / 10)


def is_public(base_url: str) -> bool:
    """Whether hubs on the internet can reach an address, as far as its spelling tells."""
    try:
        host = (urlsplit(base_url).hostname or "").rstrip(".").lower()
        address = literal(host) if host else None
    except (FetchError, ValueError):
        return False
    if address is not None:
        return kind_of(ip_address(address)) is None
    return "." in host and not any(host.endswith(f".{name}") for name in AT_HOME)


def rarer(own: Due, timing: Timing, now_ms: int, cap_ms: int) -> Due:
    """When a feed that is pushed is polled, in case that a push was lost; `own` is when it would be otherwise.

    Not before six hours from now, as far as the source's `max_interval` (`cap_ms`) lets it rest so long.
    """
    least_ms = now_ms + min(SAFETY_NET_MS, cap_ms)
    if own.at_ms >= least_ms:
        return own
    at_ms = least_ms if timing.cron is None else timing.due_after(least_ms).at_ms
    every = spell_duration((at_ms - now_ms) // MINUTE_MS * MINUTE_MS or at_ms - now_ms)
    return Due(at_ms, f"the hub pushes; polled every {every} as a safety net")


def told(text: str, *secrets: str) -> str:
    """What a hub says, as a message may hold it: one line, not endless, nothing of ours that is secret in it."""
    for secret in secrets:
        text = text.replace(secret, "…")
    line = " ".join(text[: LONGEST_SAID * 4].split())
    safe = "".join(sign if sign.isprintable() else "\N{REPLACEMENT CHARACTER}" for sign in line)
    return safe if len(safe) <= LONGEST_SAID else safe[:LONGEST_SAID] + "…"


def host_of(url: str) -> str:
    """The host of an address, for people."""
    try:
        return told(urlsplit(url).hostname or "?")
    except ValueError:
        return "?"
