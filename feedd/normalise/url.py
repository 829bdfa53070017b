"""Canonical URLs: two URLs that differ only in what carries no meaning become one.

What carries none: letter case of scheme and host, a default port, the fragment, well-known tracking
parameters, the spelling of percent escapes, and the two spellings of an internationalised host.
Everything else is kept as it is: a trailing slash, ``index.html``, ``www.``, the order of parameters.
RFC 3986 section 6.2 names these steps; UTS 46 the host's.
"""

import re
from unicodedata import category
from urllib.parse import quote, urlsplit

import idna

TRACKING = re.compile(
    r"(?:utm_[^=]*|fbclid|gclid|gclsrc|gbraid|wbraid|dclid|msclkid|yclid|ymclid|twclid|ttclid|igshid|igsh"
    r"|mc_cid|mc_eid|mkt_tok|_hsenc|_hsmi|__hssc|__hstc|__hsfp|hsctatracking|vero_id|vero_conv|oly_anon_id"
    r"|oly_enc_id|rb_clickid|s_cid|wickedid|_openstat|xtor|li_fat_id|_ga|_gl|wt\.?mc_id|epik|srsltid)(?:=.*)?",
    re.IGNORECASE | re.DOTALL,
)
DEFAULT_PORTS = {"http": 80, "https": 443}
# what a URL may hold as it stands (RFC 3986 appendix A), "%" aside, which is looked at by itself
ALLOWED = "!$&'()*+,-./:;=?@_~"
ESCAPE = re.compile(r"%([0-9A-Fa-f]{2})?")
UNRESERVED = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~")
# already in the one spelling: no escape in small letters, none of a character that needs none. The group is not
# possessive: Python before 3.11.5 matches such a group too freely (gh-106052)
CANONICAL = re.compile(
    r"(?:[A-Za-z0-9!$&'()*+,\-./:;=?@_~]++|%(?!2[DE]|3[0-9]|[46][1-9A-F]|[57][0-9A]|5F|7E)[0-9A-F]{2})*"
)

# in its canonical form as a whole, as most are: told in a tenth of the time that taking it apart needs
USUAL = re.compile(r"https?://[a-z0-9._\-]++(?<!\.)/[A-Za-z0-9!$&'()*+,\-./:;=@_~]*+")


class BadUrl(ValueError):
    """The text is no absolute http or https URL; says why."""


def canonical(url: str, *, ignore_scheme: bool = False) -> str:
    """The canonical form of an absolute http(s) URL. Raises BadUrl.

    `ignore_scheme` makes ``http`` and ``https`` one, spelled ``https``.
    """
    if USUAL.fullmatch(url) and not (ignore_scheme and url.startswith("http:")):
        return url
    try:
        parts = urlsplit(url.strip())
        port = parts.port
    except ValueError as error:
        raise BadUrl(f"'{shown(url)}' is not a URL: {error}") from error
    scheme = parts.scheme  # urlsplit has lowered it
    if scheme not in DEFAULT_PORTS:
        raise BadUrl(f"'{shown(url)}' is not an http or https URL")
    if not parts.hostname:
        raise BadUrl(f"'{shown(url)}' has no host")
    host = canonical_host(parts.hostname)
    userinfo = parts.netloc.rpartition("@")[0]
    netloc = f"{escape(userinfo)}@{host}" if userinfo else host
    if port is not None and port != DEFAULT_PORTS[scheme]:
        netloc = f"{netloc}:{port}"
    query = without_tracking(escape(parts.query)) if parts.query else ""
    if ignore_scheme:
        scheme = "https"
    return f"{scheme}://{netloc}{escape(parts.path) or '/'}{'?' + query if query else ''}"


def canonical_host(host: str) -> str:
    """The host in lower-case ASCII (IDNA's A-labels), as DNS is asked for it. Raises BadUrl."""
    host = host.rstrip(".。．｡") or host
    if ":" in host:
        return f"[{host}]"
    if host.isascii():
        if not re.fullmatch(r"[a-z0-9._\-]+", host):
            raise BadUrl(f"'{shown(host)}' is not a host name")
        return host
    try:
        return idna.encode(host, uts46=True).decode("ascii")
    except idna.IDNAError as error:
        if ".." not in host and all(
            char in "-_." or char.isalnum() or category(char)[0] == "S" for char in host
        ):
            return ".".join(
                map(punycoded, host.lower().split("."))
            )  # browsers take emoji and "_" all the same
        raise BadUrl(f"'{shown(host)}' is not a host name: {error}") from error


def punycoded(label: str) -> str:
    return label if label.isascii() else f"xn--{label.encode('punycode').decode('ascii')}"


def without_tracking(query: str) -> str:
    return "&".join(pair for pair in query.split("&") if not TRACKING.fullmatch(pair))


def escape(part: str) -> str:
    """One spelling of a path or query: capital hex digits, nothing escaped that need not be."""
    if CANONICAL.fullmatch(part):
        return part
    quoted = quote(part, safe=ALLOWED + "%", errors="surrogatepass")
    return ESCAPE.sub(respell, quoted)


def respell(escaped: re.Match[str]) -> str:
    digits = escaped[1]
    if digits is None:
        return "%25"
    char = chr(int(digits, 16))
    return char if char in UNRESERVED else f"%{digits.upper()}"


def shown(text: str, limit: int = 200) -> str:
    """`text` as a message may hold it: one line, no control characters, not endless."""
    safe = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in text[: limit + 1])
    return safe if len(safe) <= limit else safe[:limit] + "…"


def keyless(address: str) -> str:
    """The address of a page or feed without its query and fragment, in which keys of private feeds stand."""
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not (parts.query or parts.fragment):
        return address
    return parts._replace(query="…" if parts.query else "", fragment="").geturl()
