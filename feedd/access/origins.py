"""Whether a form was sent by a page of ours (CSRF). Pure.

A browser says where a request comes from in `Sec-Fetch-Site`, but only over https and to this machine; else in `Origin`,
which is `null` for forms of pages that are sent with `Referrer-Policy: no-referrer`, as ours are. So where neither says
anything, the token in the form has to do: it is bound to a cookie that no other page can read, and that no browser sends
along with a request from elsewhere (SameSite).
"""

from collections.abc import Collection
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

# names that no public DNS has (RFC 6761, 6762, 8375; .internal was set aside by ICANN in 2024)
OWN_NAMES = (".localhost", ".local", ".home.arpa", ".internal", ".lan", ".test")


class From(NamedTuple):
    """What the headers say of where a request comes from."""

    site: str | None  # Sec-Fetch-Site
    origin: str | None  # Origin


def is_ours(said: From, origins: Collection[str]) -> bool:
    """Whether nothing says that another site sent it. The token in the form is to be looked at besides."""
    if said.site is not None:
        return said.site.strip().lower() == "same-origin"
    if said.origin is None or said.origin == "null":
        return not any(origin.startswith("https:") for origin in origins)
    return said.origin.lower() in origins


def origin_of(url: str) -> str:
    """Scheme, host and port (RFC 6454, section 6.2), as browsers spell them."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    host = f"[{host}]" if ":" in host else host
    is_usual = parts.port is None or (parts.scheme, parts.port) in {("http", 80), ("https", 443)}
    return f"{parts.scheme}://{host}" + ("" if is_usual else f":{parts.port}")


def is_of_the_world(url: str) -> bool:
    """Whether all may reach what is at an address; not so on this machine or a network of one's own, as far as it tells."""
    host = (urlsplit(url).hostname or "").rstrip(".")
    try:
        return ip_address(host).is_global
    except ValueError:
        return "." in host and not f".{host}".endswith(OWN_NAMES)


def is_asked_for(host: str, url: str) -> bool:
    """Whether a request with this `Host` may be meant for what is at `url`.

    Where only this machine or a network of one's own reaches feedd, a page of another site could have its name resolved
    anew, to feedd's address, and read what is there as its own (DNS rebinding). Addresses, and names that no public DNS
    has, can't be bent so.
    """
    if is_of_the_world(url):
        return True
    try:
        name = urlsplit(f"//{host}").hostname or ""
        return is_address(name) or not is_of_the_world(f"http://{name}")
    except ValueError:
        return False


def is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def local_path(wanted: str) -> str:
    """Where to go after logging in: an address on this site where there is something else to do, or `/`."""
    is_local = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    is_plain = wanted.isascii() and wanted.isprintable() and "\\" not in wanted and " " not in wanted
    leads_back = wanted.partition("?")[0].partition("#")[0] in {"/login", "/logout"}
    return wanted if is_local and is_plain and len(wanted) <= 2_000 and not leads_back else "/"
