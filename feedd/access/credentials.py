"""What a request brings to show who asks. Pure."""

import base64
import binascii
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import unquote_plus

from feedd.access.keys import is_session, is_token

LONGEST = 1_000  # characters of a header's value that may be credentials
LONGEST_COOKIES = 8_000
MOST_COOKIES = 100
KEY = "key"  # the parameter of an address


class Way(StrEnum):
    """How a token came."""

    BEARER = "bearer"  # RFC 6750, section 2.1
    BASIC = "basic"  # RFC 7617: any user, the token as password
    KEY = "key"  # in the address: for feed readers that know nothing else
    SESSION = "session"  # a cookie


class Shown(NamedTuple):
    way: Way
    secret: str  # a token, or the name of a session; in any form


def of_header(value: str) -> Shown | None:
    """The token of an `Authorization` header; None: it has none that feedd knows."""
    scheme, *rest = value[:LONGEST].split(maxsplit=1) or [""]
    said = "".join(rest).strip()
    match scheme.lower():
        case "bearer":
            return Shown(Way.BEARER, said)
        case "basic":
            try:
                _, _, password = base64.b64decode(said, validate=True).decode().partition(":")
            except (binascii.Error, ValueError):
                password = ""
            return Shown(Way.BASIC, password)
        case _:
            return None


def shown(authorization: str, key: str | None) -> Shown | None:
    """The token that a request shows: the header's, else the address's; None: none.

    What has not the form of a token is meant for somebody else, such as a proxy that has passwords of its own.
    """
    ways = (of_header(authorization), None if key is None else Shown(Way.KEY, key))
    return next((each for each in ways if each is not None and is_token(each.secret)), None)


def of_query(query: str) -> tuple[str | None, str]:
    """The `key` of an address's query, and the query without it, which is what everything else is to see."""
    key, kept = None, list[str]()
    for part in query.split("&"):
        name, _, value = part.partition("=")
        if unquote_plus(name) == KEY:
            key = unquote_plus(value)[:LONGEST]
        else:
            kept.append(part)
    return (None, query) if key is None else (key, "&".join(kept))


def of_cookies(header: str, name: str) -> str | None:
    """The session that a `Cookie` header names (RFC 6265, section 5.4)."""
    for pair in header[:LONGEST_COOKIES].split(";")[:MOST_COOKIES]:
        found, _, value = pair.strip().partition("=")
        if found == name and is_session(value):
            return value
    return None
