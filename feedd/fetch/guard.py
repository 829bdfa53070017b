"""Which network addresses a source may reach. Pure: whoever connects asks here about the address at hand.

The tables follow the IANA special-purpose address registries (RFC 6890): what is not globally reachable is
refused, and so are the mechanisms that wrap an IPv4 address, since what they lead to can't be told here.
"""

import re
import socket
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from itertools import zip_longest
from typing import NamedTuple

from feedd.errors import AddressRefused, FetchError

IPV4 = tuple(
    (IPv4Network(network), kind)
    for network, kind in (
        ("0.0.0.0/8", "an unspecified"),
        ("10.0.0.0/8", "a private"),
        ("100.64.0.0/10", "a shared (CGNAT)"),
        ("127.0.0.0/8", "a loopback"),
        ("169.254.0.0/16", "a link-local"),
        ("172.16.0.0/12", "a private"),
        ("192.0.0.0/24", "a reserved"),
        ("192.0.2.0/24", "a documentation"),
        ("192.88.99.0/24", "a 6to4 relay"),
        ("192.168.0.0/16", "a private"),
        ("198.18.0.0/15", "a benchmarking"),
        ("198.51.100.0/24", "a documentation"),
        ("203.0.113.0/24", "a documentation"),
        ("224.0.0.0/4", "a multicast"),
        ("240.0.0.0/4", "a reserved"),
    )
)
IPV6 = tuple(
    (IPv6Network(network), kind)
    for network, kind in (
        ("::/128", "an unspecified"),
        ("::1/128", "a loopback"),
        ("::/96", "an IPv4-compatible"),
        ("::ffff:0:0/96", "an IPv4-mapped"),
        ("64:ff9b::/96", "a NAT64"),
        ("64:ff9b:1::/48", "a NAT64"),
        ("2001::/32", "a Teredo"),
        ("2001::/23", "a reserved"),
        ("2001:db8::/32", "a documentation"),
        ("2002::/16", "a 6to4"),
        ("3fff::/20", "a documentation"),
        ("fc00::/7", "a unique-local"),
        ("fe80::/10", "a link-local"),
        ("fec0::/10", "a site-local"),
        ("ff00::/8", "a multicast"),
    )
)
GLOBAL_UNICAST = IPv6Network("2000::/3")
NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")  # WHATWG URL, "ends in a number checker"
ADVICE = "set allow_private = true if it is meant"
MOST_TRIED = 8  # addresses of a name


class Choice(NamedTuple):
    """Which addresses of a name may be connected to."""

    allowed: tuple[str, ...]
    refused: tuple[str, ...]


def kind_of(address: IPv4Address | IPv6Address) -> str | None:
    """Why an address is none of the public internet, with its article; None if it is."""
    if isinstance(address, IPv4Address):
        return next((kind for network, kind in IPV4 if address in network), None)
    known = next((kind for network, kind in IPV6 if address in network), None)
    return known or (None if address in GLOBAL_UNICAST else "a reserved")


def literal(host: str) -> str | None:
    """The address that a host spells by itself, such as 127.1, 0x7f.1 or 2130706433; None for a name.

    Raises FetchError for what ends in a number and is no IPv4 address, and for an IPv6 address with a zone.
    """
    try:
        if ":" in host:
            IPv6Address(host if "%" not in host else "")
            return host
        if not NUMBER.fullmatch(host.rpartition(".")[2]):
            return None
        # inet_aton knows every spelling that a resolver would take, and no others (Linux's own would)
        return socket.inet_ntoa(socket.inet_aton(host))
    except (ValueError, OSError):
        raise FetchError(f"{host} is no network address") from None


def choose(addresses: Sequence[str]) -> Choice:
    """The public ones among the addresses of a name, in their order."""
    judged = [(address, kind_of(ip_address(address))) for address in addresses]
    return Choice(
        tuple(address for address, kind in judged if kind is None),
        tuple(address for address, kind in judged if kind is not None),
    )


def refusal(host: str, address: str) -> AddressRefused:
    """What to tell about an address that may not be reached."""
    kind = kind_of(ip_address(address)) or "a private"
    at = f"{host} is {kind} address" if host == address else f"{host} is at {address}, {kind} address"
    return AddressRefused(f"{at}; {ADVICE}")


def reachable(host: str, addresses: Sequence[str], *, allow_private: bool) -> tuple[str, ...]:
    """The addresses that may be tried, IPv6 and IPv4 by turns. Raises AddressRefused if there is none."""
    chosen = tuple(addresses)
    if not allow_private:
        choice = choose(addresses)
        if not choice.allowed and choice.refused:
            raise refusal(host, choice.refused[0])
        chosen = choice.allowed
    return by_turns(chosen)[:MOST_TRIED]


def by_turns(addresses: Sequence[str]) -> tuple[str, ...]:
    """The families by turns (RFC 8305 section 4), so that one that is broken does not hold up the other."""
    first = [address for address in addresses if (":" in address) == (":" in addresses[0])]
    second = [address for address in addresses if (":" in address) != (":" in addresses[0])]
    pairs = zip_longest(first, second)
    return tuple(address for pair in pairs for address in pair if address is not None)
