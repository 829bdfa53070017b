"""What a server's answer says besides its document. Pure."""

from hashlib import blake2b, sha256
from http import HTTPStatus
from urllib.parse import urlsplit

from feedd.fetch.shown import shown
from feedd.fetch.values import Answer
from feedd.model import Conversation, Raw

DAY_MS = 86_400_000
MOVED_AFTER = 3  # permanent redirects in a row, over a day
KEPT_SECRET = frozenset({"set-cookie", "set-cookie2"})


def moved(said: Conversation, moved_to: str | None, address: str, now_ms: int) -> Conversation:
    """Count a permanent redirect (RFC 9110 sections 15.4.2 and 15.4.9); enough of them change the address."""
    if moved_to is None or moved_to == address:
        return said._replace(moving_to=None, moving_times=0, moving_since=None)
    if moved_to != said.moving_to or said.moving_since is None:
        return said._replace(moving_to=moved_to, moving_times=1, moving_since=now_ms)
    times = said.moving_times + 1
    if times >= MOVED_AFTER and now_ms - said.moving_since >= DAY_MS:
        return said._replace(address=moved_to, moving_to=None, moving_times=0, moving_since=None)
    return said._replace(moving_times=times)


def host_of(url: str) -> str:
    """The host of an address, as it is compared."""
    return (urlsplit(url).hostname or "").rstrip(".").lower()


def covers(scope: str, source: str, host: str) -> bool:
    """Whether the scope of a hold holds this source from asking that host."""
    kind, _, name = scope.partition(":")
    match kind:
        case "host":
            return name == host
        case "domain":
            return name == host or host.endswith(f".{name}")
        case _:
            return name == f"{source}:{host}"


def raw_of(answer: Answer, now_ms: int) -> Raw:
    headers = tuple((name, value) for name, value in answer.headers.items() if name not in KEPT_SECRET)
    return Raw(answer.url, answer.status, headers, now_ms, sha256(answer.body).digest(), answer.body)


def hash_of(body: bytes) -> bytes:
    return blake2b(body, digest_size=16).digest()


def in_words(url: str, status: int) -> str:
    """Why an answer is no document."""
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "a status that is not known"
    match status:
        case 304:
            what = "though the request set no condition"
        case 401 | 403:
            what = "it may want auth, cookies or headers"
        case 404:
            what = "check the address"
        case 410:
            what = "it is gone for good"
        case 429:
            what = "it is asked too often"
        case _:
            what = "it is tried again later"
    return f"{shown(url)} answered {status} {phrase}: {what}"
