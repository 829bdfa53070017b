"""Addresses of the web: read strictly, and followed."""

import re
from typing import NamedTuple

import httpx

from feedd.errors import AddressRefused, FetchError
from feedd.fetch.shown import shown
from feedd.fetch.values import Basic

PORTS = {"http": 80, "https": 443}
NAME = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?")
LONGEST_NAME = 253


class Address(NamedTuple):
    scheme: str  # http or https
    host: str  # small letters, IDNA, without the brackets of IPv6 or the dot at the end
    port: int
    target: str  # path and query, percent-encoded

    @property
    def origin(self) -> tuple[str, str, int]:
        return self[:3]

    @property
    def authority(self) -> str:
        """Host and port as a `Host` header has them (RFC 9110 section 7.2)."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == PORTS[self.scheme] else f"{host}:{self.port}"

    @property
    def url(self) -> str:
        """The address without user, password and fragment."""
        return f"{self.scheme}://{self.authority}{self.target}"


def read(url: str) -> tuple[Address, Basic | None]:
    """An address, and the user and password in it. Raises FetchError."""
    parsed = parse(url)
    if parsed.scheme not in PORTS:
        raise FetchError(f"{shown(url)} is no address of the web; write one that begins with https://")
    auth = Basic(parsed.username, parsed.password) if parsed.userinfo else None
    return address_of(parsed, url), auth


def follow(base: Address, location: str) -> Address:
    """Where a `Location` leads (RFC 9110 section 10.2.2). A user and password in it are left out.

    Raises AddressRefused for anything but http and https, and FetchError for what is no address.
    """
    parsed = parse(location, base.url)
    if parsed.scheme not in PORTS:
        raise AddressRefused(
            f"{base.host} redirects to {shown(location)}, and only http and https are followed"
        )
    return address_of(parsed, location)


def parse(url: str, base: str | None = None) -> httpx.URL:
    try:
        return httpx.URL(base).join(url) if base else httpx.URL(url.strip())
    except (httpx.InvalidURL, ValueError, TypeError):
        # not chained: what httpx says can hold a part of a password
        raise FetchError(f"{shown(url)} is no address of the web") from None


def address_of(parsed: httpx.URL, url: str) -> Address:
    host = parsed.raw_host.decode("ascii").lower()
    port = PORTS[parsed.scheme] if parsed.port is None else parsed.port
    if len(host) > LONGEST_NAME or not (":" in host or NAME.fullmatch(host)) or not 0 < port < 65536:
        raise FetchError(f"{shown(url)} is no address of the web")
    return Address(parsed.scheme, host.removesuffix("."), port, parsed.raw_path.decode("ascii"))
