"""How pages look to whoever asks: their language, their colours, who they are."""

from typing import NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from feedd.access.origins import local_path
from feedd.web.translation import LANGUAGES, preferred
from feedd.web.viewer import Viewer, viewer_of

THEMES = ("auto", "light", "dark")  # auto: as the reader's system has it
LANGUAGE_COOKIE = "feedd-language"
THEME_COOKIE = "feedd-theme"
YEAR_S = 31_536_000


class Look(NamedTuple):
    language: str = "en"
    theme: str = "auto"
    viewer: Viewer = Viewer()
    here: str = "/"  # what was asked for: path and query

    @property
    def tag(self) -> str:
        """Of the language (RFC 5646)."""
        return LANGUAGES[self.language].tag


def look_of(request: Request) -> Look:
    language, theme = request.cookies.get(LANGUAGE_COOKIE, ""), request.cookies.get(THEME_COOKIE, "")
    query = request.scope["query_string"].decode("latin-1")
    raw = request.scope.get("raw_path") or request.scope["path"].encode()
    path = raw.partition(b"?")[0].decode("latin-1")
    return Look(
        language if language in LANGUAGES else preferred(request.headers.get("accept-language", "")),
        theme if theme in THEMES else "auto",
        viewer_of(request),
        local_path(f"{path}?{query}" if query else path),
    )


async def prefer(request: Request) -> Response:
    """`/preferences?language=zh&theme=dark&next=/feeds`: a cookie for each, then back.

    It is a link, not a form: it works for who has no session, and all that another site could do with it is to change
    somebody's colours.
    """
    asked = request.query_params
    answer = RedirectResponse(local_path(asked.get("next", "/")), 303, {"Cache-Control": "no-store"})
    for name, cookie, choices in (
        ("language", LANGUAGE_COOKIE, tuple(LANGUAGES)),
        ("theme", THEME_COOKIE, THEMES),
    ):
        value = asked.get(name)
        if value is None:
            continue
        if value not in choices:
            raise HTTPException(400, f"{name} is one of: {', '.join(choices)}.")
        is_secure = request.url.scheme == "https"
        answer.set_cookie(cookie, value, YEAR_S, httponly=True, samesite="lax", secure=is_secure)
    return answer


def routes() -> list[Route]:
    return [Route("/preferences", prefer)]
