"""Conditional requests and content coding (RFC 9110 sections 12.5.3 and 13), for documents that are at hand."""

from email.utils import parsedate_to_datetime

from starlette.datastructures import Headers

from feedd.publish.cache import Rendered
from feedd.publish.times import http_date

WEAK_DATE_MS = 2_000  # a date counts seconds: within two of the change it can't tell two versions apart


def listed(headers: Headers, name: str) -> str:
    """A list, which may stand in several lines (RFC 9110, section 5.3)."""
    return ",".join(headers.getlist(name))


def accepts_gzip(headers: Headers) -> bool:
    accepted = weighed(listed(headers, "accept-encoding"))
    return accepted.get("gzip", accepted.get("*", 0.0)) > 0


def weighed(text: str) -> dict[str, float]:
    """The names of a list in a header, in small letters, each with its quality."""
    found = {}
    for part in text.split(","):
        name, _, parameters = part.partition(";")
        found[name.strip().lower()] = quality(parameters)
    return found


def quality(parameters: str) -> float:
    name, _, value = parameters.strip().partition("=")
    if name.strip().lower() != "q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0


def etag(rendered: Rendered, *, gzipped: bool) -> str:
    """A strong validator, one for each coding."""
    return f'"{rendered.etag}-gzip"' if gzipped else f'"{rendered.etag}"'


def tags_of(headers: Headers) -> list[str]:
    """The entity tags of If-None-Match, as they stand there but for a mark of weakness: its comparison is the weak one."""
    return [tag.strip().removeprefix("W/") for tag in listed(headers, "if-none-match").split(",")]


def is_unchanged(headers: Headers, rendered: Rendered, *, now_ms: int) -> bool:
    """Whether the client has this document. If-None-Match wins over If-Modified-Since (section 13.2.2)."""
    if "if-none-match" in headers:
        return bool(
            set(tags_of(headers)) & {"*", etag(rendered, gzipped=False), etag(rendered, gzipped=True)}
        )
    since = headers.get("if-modified-since")
    if since is None or now_ms - rendered.updated_ms < WEAK_DATE_MS:
        return False
    try:
        moment = parsedate_to_datetime(since)
    except (ValueError, OverflowError):
        return False
    return moment.timestamp() >= rendered.updated_ms // 1000


def validators(rendered: Rendered, *, gzipped: bool) -> dict[str, str]:
    """What an answer says of the document, whether it sends it or not (304, HEAD)."""
    found = {
        "ETag": etag(rendered, gzipped=gzipped),
        "Last-Modified": http_date(rendered.updated_ms),
        "Cache-Control": "no-cache",
        "Vary": "Accept-Encoding, Sec-Fetch-Dest",
    }
    return {**found, "Link": rendered.links} if rendered.links else found
