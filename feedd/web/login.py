"""Logging in with a token, logging out, and the page of one's session.

A session is a random name in a cookie; the store knows its hash, its token and its times. A form is bound to the cookie
of who it was shown to: before logging in that is one which means nothing else, so that no other site can log somebody
in (RFC 6749, section 10.12 calls that login CSRF).
"""

import asyncio
import logging
from functools import partial

from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from feedd.access import credentials, origins
from feedd.access.credentials import Way
from feedd.access.keys import form_token, is_form_token, new_session
from feedd.access.limits import Attempts
from feedd.looks import now_ms
from feedd.store import tokens
from feedd.store.tokens import DAY_MS, LONGEST_SESSION_MS, Token
from feedd.web.access import BODY_S, FORM_FIELD, Doors, form, said_from
from feedd.web.events import address_of
from feedd.web.look import look_of
from feedd.web.pages import page
from feedd.web.viewer import viewer_of

MOST_BYTES = 10_000
FORM_S = 3_600  # that a form of somebody who has no session is good for
WRONG = "There is no such token, or it was revoked."
TOO_OLD = "That page was too old, or cookies are switched off; try it once more."
NOT_STORED = {"Cache-Control": "no-store"}
log = logging.getLogger(__name__)


def routes(doors: Doors) -> list[Route]:
    login = Login(doors)
    return [
        Route("/login", login.show, methods=["GET"]),
        Route("/login", login.enter, methods=["POST"]),
        Route("/logout", login.leave, methods=["POST"]),
        Route("/settings", login.settings, methods=["GET"]),
    ]


class Login:
    def __init__(self, doors: Doors) -> None:
        self.doors = doors
        self.attempts = Attempts()

    @property
    def before(self) -> str:
        """The name of the cookie of who has no session yet."""
        return f"{self.doors.cookie}-login"

    async def show(self, request: Request) -> Response:
        wanted = request.query_params.get("next", "/")
        return self.asking(request, wanted)

    def asking(self, request: Request, wanted: str, status: int = 200, words: str = "") -> Response:
        """The form. Raises StoreError."""
        known = credentials.of_cookies(request.headers.get("cookie", ""), self.before)
        name = known or new_session()
        answer = page(
            look_of(request),
            "login.html",
            status,
            csrf=form_token(name),
            next=origins.local_path(wanted),
            words=words,
            is_any=self.doors.is_any(),
        )
        answer.headers.update(NOT_STORED)
        self.set(answer, self.before, name, FORM_S)
        return answer

    async def enter(self, request: Request) -> Response:
        """Raises HTTPException, StoreError."""
        fields = await filled_in(request)
        wanted = fields.get("next", "/")
        name = credentials.of_cookies(request.headers.get("cookie", ""), self.before)
        is_ours = origins.is_ours(said_from(request), self.doors.origins(request))
        if name is None or not is_ours or not is_form_token(fields.get(FORM_FIELD, ""), name):
            return self.asking(request, wanted, 403, TOO_OLD)
        address, now = address_of(request), now_ms()
        if wait_ms := self.attempts.wait_ms(address, now):
            headers = {"Retry-After": str(-(-wait_ms // 1_000)), **NOT_STORED}
            raise HTTPException(429, "Too many attempts; try again in a minute.", headers)
        viewer = self.doors.by_token(fields.get("token", "").strip(), Way.SESSION)
        session = None if viewer is None else await self.begun(viewer.token, now)
        if session is None:
            return self.asking(request, wanted, 403, WRONG)
        self.attempts.forget(address)
        answer = RedirectResponse(origins.local_path(wanted), 303, NOT_STORED)
        self.set(answer, self.doors.cookie, session, LONGEST_SESSION_MS // 1_000)
        self.drop(answer, self.before)
        return answer

    async def begun(self, token: Token | None, now: int) -> str | None:
        """The name of a new session; None: the token ended meanwhile."""
        if token is None:
            return None
        work = partial(tokens.begin_session, token_id=token.id, now_ms=now)
        session = await self.doors.desk.do(lambda writer: writer.within(work))
        if session is not None:
            log.info("somebody logged in with the token '%s'", token.name)
        return session

    async def leave(self, request: Request) -> Response:
        """The session ends in the store, too: its cookie may have been copied."""
        name = viewer_of(request).name
        if name is not None:
            work = partial(tokens.end_session, session=name)
            await self.doors.desk.do(lambda writer: writer.within(work))
        answer = RedirectResponse("/", 303, NOT_STORED)
        self.drop(answer, self.doors.cookie)
        return answer

    async def settings(self, request: Request) -> Response:
        viewer = viewer_of(request)
        if viewer.session is None:
            return RedirectResponse("/login?next=/settings", 303, NOT_STORED)
        days = LONGEST_SESSION_MS // DAY_MS
        answer = page(
            look_of(request), "session.html", session=viewer.session, csrf=viewer.csrf, longest_days=days
        )
        answer.headers.update(NOT_STORED)
        return answer

    def set(self, answer: Response, cookie: str, value: str, seconds: int) -> None:
        answer.set_cookie(
            cookie, value, max_age=seconds, path="/", secure=self.doors.secure, httponly=True, samesite="lax"
        )

    def drop(self, answer: Response, cookie: str) -> None:
        answer.delete_cookie(cookie, path="/", secure=self.doors.secure, httponly=True, samesite="lax")


async def filled_in(request: Request) -> dict[str, str]:
    """The fields of the form. Raises HTTPException."""
    try:
        async with asyncio.timeout(BODY_S):
            body = await beginning(request)
    except (TimeoutError, ClientDisconnect) as error:
        raise HTTPException(408, "The form did not arrive; send it again.", NOT_STORED) from error
    fields = form(body) if len(body) <= MOST_BYTES else None
    if fields is None:
        raise HTTPException(413, "That is no form of this page.", NOT_STORED)
    return fields


async def beginning(request: Request) -> bytes:
    """The body, or more of it than is taken. Raises ClientDisconnect."""
    body = b""
    async for piece in request.stream():
        body += piece
        if len(body) > MOST_BYTES:
            break
    return body
