"""The way through redirects: what goes along, where it leads, and what is never told to whom. Pure."""

import base64
import re
from collections.abc import Iterable
from typing import NamedTuple

from feedd.errors import FetchError, TooManyRedirects
from feedd.fetch import address, body
from feedd.fetch.address import PORTS, Address
from feedd.fetch.shown import shown
from feedd.fetch.values import Access, Ask, Basic, Bearer, Post

REDIRECTS = frozenset({301, 302, 303, 307, 308})
PERMANENT = frozenset({301, 308})
SHARED = frozenset({"accept", "accept-language", "user-agent", "referer"})  # headers that any server may see
OURS = frozenset(
    # headers that say how a message is carried; a source's settings do not touch them
    ("host", "content-length", "transfer-encoding", "connection", "upgrade", "te", "trailer", "expect")
)
MOST_COOKIES = 50
LONGEST_COOKIE = 4096
LONGEST_VALIDATOR = 1000
TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")  # RFC 9110 section 5.6.2, in small letters
UNSENDABLE = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")  # section 5.5

Headers = list[tuple[bytes, bytes]]


class Cookie(NamedTuple):
    """One that a server set on the way; it goes back to that very host alone, and is forgotten with the fetch."""

    host: str
    name: str
    value: str
    secure: bool


class Hop(NamedTuple):
    """One request on the way from the address that was asked to the one that answers."""

    asked: str  # the address that was asked, without user and password
    address: Address
    auth: Basic | Bearer | None
    trusted: bool = True  # credentials may be sent: all hops so far were to one origin
    permanent: bool = True  # all redirects so far were
    moved_to: str | None = None
    cookies: tuple[Cookie, ...] = ()
    passed: frozenset[tuple[str, tuple[Cookie, ...]]] = frozenset()


def first(ask: Ask | Post) -> Hop:
    """Raises FetchError if the address is none."""
    place, auth = address.read(ask.url)
    return Hop(place.url, place, ask.access.auth or auth)


def following(
    hop: Hop, access: Access, status: int, location: str | None, set_cookie: list[str]
) -> Hop | None:
    """Where a response leads; None if it is the answer.

    Raises TooManyRedirects, AddressRefused (neither http nor https) and FetchError (no address).
    """
    if status not in REDIRECTS or not location:
        return None
    target = address.follow(hop.address, location)
    cookies = with_cookies(hop, set_cookie)
    passed = hop.passed | {(hop.address.url, hop.cookies)}
    if (target.url, cookies) in passed:
        raise TooManyRedirects(f"{hop.address.host} redirects in a circle, to {shown(target.url)}")
    if len(passed) > access.max_redirects:
        raise TooManyRedirects(
            f"{hop.address.host} redirects on and on: more than {access.max_redirects} times (max_redirects)"
        )
    permanent = hop.permanent and status in PERMANENT
    return hop._replace(
        address=target,
        trusted=hop.trusted and may_share(hop.address, target),
        permanent=permanent,
        moved_to=target.url if permanent else hop.moved_to,
        cookies=cookies,
        passed=passed,
    )


def may_share(known: Address, target: Address) -> bool:
    """Whether what is secret may go along: to the same origin, or to the same host's https."""
    upgrade = known.scheme == "http" and target.scheme == "https"
    default = known.port == PORTS["http"] and target.port == PORTS["https"]
    return known.origin == target.origin or (upgrade and default and known.host == target.host)


def headers_of(ask: Ask, hop: Hop) -> Headers:
    """The headers of a request, with those a source configures in place of feedd's own.

    Where the way has left the first origin, even if it came back, only `SHARED` ones of the source's go along:
    the name of a header does not tell whether it holds a secret.
    """
    headers = dressed(ask.access, hop, ask.accept) | conditions(ask, hop)
    return [encoded(name, value) for name, value in headers.items()]


def headers_of_post(post: Post, hop: Hop) -> Headers:
    """The headers of a POST: its own, some of one name among them, where none is configured in their place."""
    headers = dressed(post.access, hop, "*/*") | {"content-length": str(len(post.body))}
    configured = {name.lower() for name, _ in post.access.headers} | OURS
    own = [(name.lower(), value) for name, value in post.headers if name.lower() not in configured]
    for name, _ in own:
        headers.pop(name, None)
    return [encoded(name, value) for name, value in (*headers.items(), *own)]


def dressed(access: Access, hop: Hop, accept: str) -> dict[str, str]:
    """What any request says of itself and of who asks."""
    headers = {
        "host": hop.address.authority,
        "user-agent": access.user_agent,
        "accept": accept,
        "accept-encoding": body.ACCEPTED,
    }
    if hop.trusted and hop.auth:
        headers["authorization"] = spell_auth(hop.auth)
    for name, value in access.headers:
        small = name.lower()
        if small not in OURS and (hop.trusted or small in SHARED):
            headers[small] = value
    cookies = cookies_for(access, hop)
    if cookies:
        headers["cookie"] = "; ".join(filter(None, (headers.get("cookie"), cookies)))
    return headers


def encoded(name: str, value: str) -> tuple[bytes, bytes]:
    """A header as it is sent. Raises FetchError, without the value: it may be a secret."""
    try:
        coded = value.strip(" \t").encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:  # a surrogate that stands for no byte
        coded = None
    if coded is None or not TOKEN.fullmatch(name) or UNSENDABLE.search(value):
        raise FetchError(f"the header '{shown(name)}' can't be sent: HTTP does not allow a sign in it")
    return name.encode("ascii"), coded


def conditions(ask: Ask, hop: Hop) -> dict[str, str]:
    """What makes the request conditional, where the validators came from; if that is unknown, where we asked."""
    validators = ask.validators
    came_from = validators.url
    if hop.address.url != came_from if came_from else not hop.trusted:
        return {}
    pairs = (("if-none-match", validators.etag), ("if-modified-since", validators.last_modified))
    return {name: value for name, value in pairs if value and is_sendable(value)}


def is_sendable(validator: str) -> bool:
    """Whether sending it back would not make every further request fail: servers can send anything."""
    return len(validator) <= LONGEST_VALIDATOR and not UNSENDABLE.search(validator)


def spell_auth(auth: Basic | Bearer) -> str:
    if isinstance(auth, Bearer):
        return f"Bearer {auth.token}"
    return "Basic " + base64.b64encode(
        f"{auth.user}:{auth.password}".encode("utf-8", "surrogateescape")
    ).decode("ascii")


def cookies_for(access: Access, hop: Hop) -> str:
    pairs = dict(access.cookies) if hop.trusted else {}
    pairs |= {
        cookie.name: cookie.value
        for cookie in hop.cookies
        if cookie.host == hop.address.host and (hop.address.scheme == "https" or not cookie.secure)
    }
    return "; ".join(f"{name}={value}" for name, value in pairs.items())


def with_cookies(hop: Hop, set_cookie: Iterable[str]) -> tuple[Cookie, ...]:
    """The cookies after a response (RFC 6265 section 5.2, for one host and the length of one fetch)."""
    known = {(cookie.host, cookie.name): cookie for cookie in hop.cookies}
    for line in set_cookie:
        cookie = read_cookie(hop.address.host, line)
        if cookie is not None:
            known[cookie.host, cookie.name] = cookie
    return tuple(sorted(known.values()))[:MOST_COOKIES]


def read_cookie(host: str, line: str) -> Cookie | None:
    pair, _, attributes = line.partition(";")
    name, equals, value = (part.strip() for part in pair.partition("="))
    if not name or not equals or len(line) > LONGEST_COOKIE or not line.isprintable():
        return None
    flags = {attribute.strip().lower() for attribute in attributes.split(";")}
    return Cookie(host, name, value, "secure" in flags)
