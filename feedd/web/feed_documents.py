"""The documents of feeds as they are answered: conditional requests, content coding, and RFC 3229's `A-IM: feed`."""

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response

from feedd.looks import now_ms
from feedd.publish.cache import Delta, Rendered
from feedd.web.conditional import accepts_gzip, is_unchanged, listed, tags_of, validators, weighed
from feedd.web.opened import media_type

PART = "feed"  # the instance manipulation: only the entries that are new or changed
MOST_TAGS = 50  # of If-None-Match that are looked up


def wants_part(request: Request) -> bool:
    """Whether a document with only what is new may be sent (RFC 3229 section 10.5.3)."""
    wanted = weighed(listed(request.headers, "a-im"))
    return wanted.get(PART, 0.0) > 0 and "if-none-match" in request.headers


def bases(headers: Headers) -> list[str]:
    """The tags of documents that the client has, without quotes and codings."""
    return [tag.strip('"').removesuffix("-gzip") for tag in tags_of(headers)[:MOST_TAGS]]


def answered(request: Request, rendered: Rendered) -> Response:
    """The whole document, or that the client has it."""
    gzipped = accepts_gzip(request.headers)
    unchanged = is_unchanged(request.headers, rendered, now_ms=now_ms())
    return whole(request, rendered, gzipped=gzipped, unchanged=unchanged)


def whole(request: Request, rendered: Rendered, *, gzipped: bool, unchanged: bool) -> Response:
    """`unchanged`: the client has it."""
    headers = headers_of(rendered, gzipped=gzipped)
    if unchanged:
        return Response(status_code=304, headers=headers)
    return sent(request, rendered, 200, headers, gzipped=gzipped)


def answered_in_part(request: Request, delta: Delta) -> Response:
    """226 IM Used. Caches that do not know it must not keep it (RFC 3229, section 10.8)."""
    gzipped = accepts_gzip(request.headers)
    headers = headers_of(delta.whole, gzipped=gzipped)
    headers |= {"IM": PART, "Delta-Base": base_of(request, delta), "Cache-Control": "no-store, im"}
    return sent(request, delta.part, 226, headers, gzipped=gzipped)


def base_of(request: Request, delta: Delta) -> str:
    """The tag of the earlier document, as the client spelled it."""
    tags = zip(tags_of(request.headers), bases(request.headers), strict=False)
    return next((tag for tag, base in tags if base == delta.base), f'"{delta.base}"')


def headers_of(rendered: Rendered, *, gzipped: bool) -> dict[str, str]:
    found = validators(rendered, gzipped=gzipped)
    return {**found, "Vary": f"{found['Vary']}, A-IM"}


def sent(
    request: Request, rendered: Rendered, status: int, headers: dict[str, str], *, gzipped: bool
) -> Response:
    coding = {"Content-Encoding": "gzip"} if gzipped else {}
    said = {**headers, **coding, "Content-Type": media_type(request, rendered)}
    return Response(rendered.gzipped if gzipped else rendered.body, status, said)
