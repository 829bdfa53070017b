"""Who asks, and may they: a layer around the whole application.

What a request shows of itself (a bearer token, basic auth, `?key=`, a session's cookie) is looked up in the store, so
that a revoked token ends at once. `?key=` is taken out of the address here: nothing below can log it, show it, or name
it as a feed's own address.
"""

import asyncio
import logging
import posixpath
from functools import partial
from typing import NamedTuple
from urllib.parse import parse_qsl

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Send
from starlette.types import Scope as ASGIScope

from feedd.access import credentials, origins
from feedd.access.credentials import Way
from feedd.access.keys import is_form_token
from feedd.access.needs import SAFE, Need, is_too_long, needed
from feedd.access.scopes import Scope
from feedd.config.settings import Config
from feedd.errors import StoreError
from feedd.looks import now_ms
from feedd.store import tokens
from feedd.store.database import translated
from feedd.store.desk import Desk
from feedd.store.reader import Reader
from feedd.store.tokens import Token
from feedd.web.look import look_of
from feedd.web.pages import page
from feedd.web.problem import problem
from feedd.web.viewer import VIEWER, Viewer, viewer_of

FORM_FIELD = "csrf"
FORM_HEADER = "x-csrf-token"
REALM = "feedd"
LONGEST_FORM = 100_000  # bytes of a form that is looked through for its token
BODY_S = 10.0
MOST_NOTED = 10_000
NOBODY_MAY = "Nothing can be changed over HTTP, since nobody has a token yet. Make one: feedd token new NAME --scope {scope}"
ELSEWHERE = "feedd is not known by this name; if it is to be, write it into server.base_url."
log = logging.getLogger(__name__)


def require(request: Request, scope: Scope) -> None:
    """For what an address and a method do not tell. Raises HTTPException (401, 403)."""
    viewer = viewer_of(request)
    if viewer.token is None:
        raise HTTPException(401, "This needs a token.", {"WWW-Authenticate": f'Bearer realm="{REALM}"'})
    if not viewer.may(scope):
        raise HTTPException(403, too_little(viewer.token, scope))


def too_little(token: Token, scope: Scope) -> str:
    return f"The token '{token.name}' may {token.scope}; this needs one that may {scope}."


class Doors:
    """The tokens and sessions of the store, and what the configuration opens to whom."""

    def __init__(self, config: Config, desk: Desk, reader: Reader) -> None:
        self.desk = desk
        self.reader = reader
        self.closed = config.server.access == "token"
        self.private = config.private_feeds
        self.url = config.server.public_url
        self.origin = origins.origin_of(self.url)
        self.secure = self.url.startswith("https:")
        self.noted: dict[int | str, int] = {}  # token or session → when its use was handed to the writer

    @property
    def cookie(self) -> str:
        """The name of a session's cookie: with its prefix, browsers take it from this very host alone."""
        return "__Host-feedd" if self.secure else "feedd"

    def origins(self, request: Request) -> frozenset[str]:
        """What pages of ours come from: the address that is configured, and the one that was asked at."""
        host = request.headers.get("host", "")
        return frozenset({self.origin, f"{request.scope['scheme']}://{host}".lower()})

    def anybody(self) -> Viewer:
        return Viewer(closed=self.closed, private=self.private)

    def is_to_be_noted(self, what: int | str, used_ms: int | None, now: int) -> bool:
        """Once a minute, also where the writer is too busy to have noted it yet."""
        if not (tokens.is_stale(used_ms, now) and tokens.is_stale(self.noted.get(what), now)):
            return False
        if len(self.noted) >= MOST_NOTED:
            self.noted.clear()
        self.noted[what] = now
        return True

    def by_token(self, secret: str, way: Way) -> Viewer | None:
        """Raises StoreError."""
        with translated(self.reader.path):
            found = tokens.find(self.reader.connection, secret)
        if found is None:
            return None
        now = now_ms()
        if self.is_to_be_noted(found.id, found.used_ms, now):
            self.desk.post(
                lambda writer: writer.within(partial(tokens.note_use, token_id=found.id, now_ms=now))
            )
        return self.anybody()._replace(token=found, way=way)

    def by_session(self, name: str) -> Viewer | None:
        """Raises StoreError."""
        now = now_ms()
        with translated(self.reader.path):
            found = tokens.find_session(self.reader.connection, name, now)
        if found is None:
            return None
        if self.is_to_be_noted(name, found.used_ms, now):
            work = partial(tokens.note_session_use, session=name, token_id=found.token.id, now_ms=now)
            self.desk.post(lambda writer: writer.within(work))
        return self.anybody()._replace(token=found.token, way=Way.SESSION, session=found, name=name)

    def is_any(self) -> bool:
        """Raises StoreError."""
        with translated(self.reader.path):
            return tokens.is_any(self.reader.connection)


class Denied(NamedTuple):
    status: int
    words: str


class Gate:
    """The layer: `Middleware(Gate, doors=Doors(config, desk, reader))`, below the one that sets headers."""

    def __init__(self, app: ASGIApp, doors: Doors) -> None:
        self.app = app
        self.doors = doors
        self.anybody = doors.anybody()

    async def __call__(self, scope: ASGIScope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        key, scope = without_key(scope)
        request = Request(scope, receive)
        path = scope["path"]
        query = scope["query_string"].decode("latin-1")
        need = needed(scope["method"], path, query, closed=self.doors.closed, private=self.doors.private)
        if not origins.is_asked_for(request.headers.get("host", ""), self.doors.url):
            await refusal(request, Denied(421, ELSEWHERE), need)(scope, receive, send)
            return
        try:
            viewer = self.who(request, need, key)
            denied = viewer if isinstance(viewer, Denied) else self.objection(request, viewer, need)
        except StoreError as error:
            log.error("a request failed: %s", error)  # noqa: TRY400 (words are enough)
            await unreadable(request, need)(scope, receive, send)
            return
        if denied is None and isinstance(viewer, Viewer) and guarded_by_form(viewer, request):
            denied, receive = await self.form_objection(request, viewer)
        if denied is not None:
            await refusal(request, denied, need)(scope, receive, send)
            return
        assert isinstance(viewer, Viewer)
        scope[VIEWER] = viewer
        is_own = viewer.token is not None or need.scope is not None
        await self.app(scope, receive, kept_private(send) if is_own else send)

    def who(self, request: Request, need: Need, key: str | None) -> Viewer | Denied:
        """Who asks, by what they show; a token that is none is said to be none. Raises StoreError."""
        authorization, cookies = request.headers.get("authorization"), request.headers.get("cookie")
        if authorization is None and cookies is None and key is None:
            return self.anybody
        shown = credentials.shown(authorization or "", key)
        if shown is not None:
            if shown.way is not Way.BEARER and (need.is_api or request.method not in SAFE):
                # browsers send basic auth along by themselves: nothing may be changed by that
                pass
            elif (viewer := self.doors.by_token(shown.secret, shown.way)) is not None:
                return viewer
            elif not need.is_open:  # who has an old token may still log in with a new one
                return Denied(401, "There is no such token, or it was revoked.")
        session = credentials.of_cookies(cookies or "", self.doors.cookie)
        viewer = self.doors.by_session(session) if session is not None else None
        return viewer or self.anybody

    def objection(self, request: Request, viewer: Viewer, need: Need) -> Denied | None:
        """Raises StoreError."""
        if need.scope is None or viewer.may(need.scope):
            return None
        if viewer.token is not None:
            return Denied(403, too_little(viewer.token, need.scope))
        if request.method not in SAFE and not self.doors.is_any():
            return Denied(403, NOBODY_MAY.format(scope=need.scope))
        query = request.scope["query_string"].decode("latin-1")
        if is_too_long(query) and not self.doors.closed:
            return Denied(414, "The address is too long to be looked through; ask with a shorter one.")
        if need.for_readers:
            words = "This is for those who have a token: as the password, with any user, or as ?key= in the address."
            return Denied(401, words)
        return Denied(401, "This is for those who have a token.")

    async def form_objection(self, request: Request, viewer: Viewer) -> tuple[Denied | None, Receive]:
        """Whether the request of a session was meant by a page of ours; and where its body is read from then."""
        if not origins.is_ours(said_from(request), self.doors.origins(request)):
            return Denied(403, "Another site sent this; nothing was done."), request.receive
        given, receive = request.headers.get(FORM_HEADER), request.receive
        if given is None:
            try:
                async with asyncio.timeout(BODY_S):
                    body, receive = await read_ahead(request)
            except TimeoutError:
                return Denied(408, f"The request did not arrive within {BODY_S:g} s."), receive
            given = (form(body) or {}).get(FORM_FIELD)
        if viewer.name is None or not is_form_token(given or "", viewer.name):
            return Denied(403, "The page that this was sent from is too old; load it again."), receive
        return None, receive


def guarded_by_form(viewer: Viewer, request: Request) -> bool:
    """Browsers send a session's cookie by themselves; a token is sent by who means it."""
    return viewer.way is Way.SESSION and request.method not in SAFE and request.scope["path"] != "/login"


def said_from(request: Request) -> origins.From:
    return origins.From(request.headers.get("sec-fetch-site"), request.headers.get("origin"))


def without_key(scope: ASGIScope) -> tuple[str | None, ASGIScope]:
    """The key of the address, and the request without it."""
    if not scope["query_string"]:
        return None, scope
    key, query = credentials.of_query(scope["query_string"].decode("latin-1"))
    return key, ({**scope, "query_string": query.encode("latin-1")} if key is not None else scope)


async def read_ahead(request: Request) -> tuple[bytes, Receive]:
    """The beginning of a form, and what reads all of it once more."""
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    messages, body = list[Message](), b""
    while kind == "application/x-www-form-urlencoded" and len(body) <= LONGEST_FORM:
        message = await request.receive()
        messages.append(message)
        body += message.get("body", b"")
        if message["type"] != "http.request" or not message.get("more_body", False):
            break
    messages.reverse()

    async def again() -> Message:
        return messages.pop() if messages else await request.receive()

    return body, again


def form(body: bytes) -> dict[str, str] | None:
    """The fields of a form, the first of each; None: it is too long."""
    if len(body) > LONGEST_FORM:
        return None
    try:
        fields = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=100)
    except ValueError:
        return None
    return dict(reversed(fields))


def refusal(request: Request, denied: Denied, need: Need) -> Response:
    """An answer in words; a person is shown where to log in."""
    headers = {"Cache-Control": "no-store"}
    if denied.status == 401:
        scheme = "Basic" if need.for_readers else "Bearer"
        charset = ', charset="UTF-8"' if need.for_readers else ""
        headers["WWW-Authenticate"] = f'{scheme} realm="{REALM}"{charset}'
    if need.is_api:
        return problem(request, denied.status, denied.words, headers)
    if "text/html" in request.headers.get("accept", ""):
        look = look_of(request)
        here = look.here if request.method in SAFE else page_of(request.scope["path"])
        values = {"code": denied.status, "words": denied.words, "here": here}
        answer = page(look._replace(here=here), "refused.html", denied.status, **values)
        answer.headers.update(headers)
        return answer
    return Response(f"{denied.words}\n", denied.status, headers, "text/plain")


def unreadable(request: Request, need: Need) -> Response:
    headers = {"Retry-After": "60", "Cache-Control": "no-store"}
    words = "The database can't be read at the moment."
    if need.is_api:
        return problem(request, 503, words, headers)
    return Response(f"{words}\n", 503, headers, "text/plain")


def page_of(path: str) -> str:
    """Where the form of an action stands."""
    return "/deliveries" if path.startswith("/channels/") else origins.local_path(posixpath.dirname(path))


def kept_private(send: Send) -> Send:
    """What one may see is not to be kept for others (RFC 9111, section 5.2.2.7)."""

    async def send_private(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(raw=list(message["headers"]))
            if "no-store" not in headers.get("cache-control", ""):
                headers["cache-control"] = "private, no-cache"
            headers.add_vary_header("Authorization, Cookie")
            message = {**message, "headers": headers.raw}
        await send(message)

    return send_private
