"""The archive documents of feeds (RFC 5005): fetched once, and kept."""

import re

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from feedd.looks import now_ms
from feedd.publish.archive import is_archived
from feedd.publish.cache import Feeds, Rendered
from feedd.web.conditional import accepts_gzip, is_unchanged, validators
from feedd.web.feed_documents import sent

NUMBER = re.compile("[1-9][0-9]{0,8}")
KEPT = "public, max-age=604800, immutable"  # a week: RFC 8246 spares even the question whether it changed


def rendered(feeds: Feeds, name: str, number: str) -> Rendered:
    """Raises HTTPException where there is no such document."""
    if not is_archived(feeds.plans[name]):
        raise HTTPException(
            404, "This feed has no archive: what it shows comes and goes, and has no order that stays."
        )
    found = feeds.archive(name, int(number)) if NUMBER.fullmatch(number) else None
    if found is not None:
        return found
    count, _ = feeds.archives(name)
    if count:
        raise HTTPException(404, f"There is no such archive: the newest full one of this feed is {count}.")
    raise HTTPException(404, "This feed has no archive yet: the first is there when it holds 100 changes.")


def answered(request: Request, found: Rendered) -> Response:
    gzipped = accepts_gzip(request.headers)
    headers = {**validators(found, gzipped=gzipped), "Cache-Control": KEPT, "Vary": "Accept-Encoding"}
    if is_unchanged(request.headers, found, now_ms=now_ms()):
        return Response(status_code=304, headers=headers)
    return sent(request, found, 200, headers, gzipped=gzipped)
