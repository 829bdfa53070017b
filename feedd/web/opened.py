"""The address of a feed, opened in a browser: a person is shown the page of it; the document itself as `?raw=1`."""

from starlette.requests import Request

from feedd.access.credentials import Way
from feedd.publish.cache import Rendered
from feedd.web.viewer import viewer_of


def wants_page(request: Request) -> bool:
    """Whether a person is to read there; but the page behind a key would not have it."""
    opened = request.headers.get("sec-fetch-dest") == "document"
    return opened and not wants_source(request) and viewer_of(request).way is not Way.KEY


def wants_source(request: Request) -> bool:
    return request.query_params.get("raw") == "1"


def media_type(request: Request, rendered: Rendered) -> str:
    """Browsers show plain text, and save what they don't know."""
    return "text/plain; charset=utf-8" if wants_source(request) else rendered.media_type
