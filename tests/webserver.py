"""A web server on 127.0.0.1 that plays the internet in tests.

    with Web() as web:
        web.page("/feed.xml", FEED, type="application/rss+xml", etag=True)     # answers 304 by itself
        web.page("/busy", status=503, headers={"Retry-After": "120"})
        web.redirect("/old", "/feed.xml", status=301)
        web.script("/twice", lambda request: Reply(f"seen {web.count('/twice')} times"))
        web.script("/slow", lambda request: lambda wire: wire.hang())          # takes the connection over
        fetch(web.url + "/feed.xml")                                           # http://127.0.0.1:PORT/feed.xml
        assert web.requests[-1].headers["user-agent"].startswith("feedd")
        web.gone("/feed.xml")                                                  # 410 from now on

Paths are looked up with their query, then without it; others answer 404. Setting a path again replaces what it
answers. `Web(tls=True)` speaks HTTPS with a self-signed certificate for localhost, 127.0.0.1, example.org and
*.example.org; `trusting()` makes the SSLContext that believes it. A script that raises answers 500, and its
exception comes out of the `with`. Scripts run in the thread of their connection; closing wakes those that hang.
"""

import contextlib
import hashlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from pathlib import Path
from typing import BinaryIO, NamedTuple, Self

CERTIFICATE = Path(__file__).parent / "data" / "selfsigned.pem"
HTML = "text/html; charset=utf-8"


class Request(NamedTuple):
    method: str
    path: str  # with the query, as it was sent
    headers: dict[str, str]  # names in small letters; several of one name are joined by ", "
    body: bytes
    at_s: float  # time.monotonic()
    client: tuple[str, int]  # tells connections apart
    version: str  # HTTP/1.1


class Reply(NamedTuple):
    body: str | bytes = b""
    status: int = 200
    type: str | None = HTML
    headers: Mapping[str, str] | tuple[tuple[str, str], ...] = ()  # pairs where a name comes twice


class Wire:
    """A connection in the hands of a script; it is closed when the script returns."""

    def __init__(self, connection: socket.socket, stopping: threading.Event) -> None:
        self.connection = connection
        self.stopping = stopping

    def send(self, data: bytes) -> None:
        self.connection.sendall(data)

    def hang(self, seconds: float = 60) -> None:
        """Say nothing for so long, or until the server stops."""
        self.stopping.wait(seconds)

    def drip(self, data: bytes, every_s: float = 0.05) -> None:
        """Send one byte at a time."""
        for byte in data:
            if self.stopping.wait(every_s):
                return
            self.send(bytes([byte]))


Raw = Callable[[Wire], None]
Script = Callable[[Request], Reply | Raw]


class Web:
    def __init__(
        self, *, tls: bool = False, host: str = "127.0.0.1", certificate: Path = CERTIFICATE
    ) -> None:
        self.requests: list[Request] = []  # in order of arrival
        self.connections = 0  # accepted so far
        self._scripts: dict[str, Script] = {}
        self._errors: list[Exception] = []
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._tls = serving(certificate) if tls else None
        self._listener = socket.create_server((host, 0), backlog=512)
        self._listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # inherited
        self.port: int = self._listener.getsockname()[1]
        self.url = f"http{'s' if tls else ''}://{host}:{self.port}"

    def page(
        self,
        path: str,
        body: str | bytes = b"",
        *,
        type: str | None = HTML,  # noqa: A002 - it is what the header is called
        status: int = 200,
        headers: Mapping[str, str] | tuple[tuple[str, str], ...] = (),
        etag: bool = False,
        last_modified: str | None = None,
    ) -> str:
        """Answer that, and give its address. With `etag` or `last_modified`, requests that know it get a 304."""
        extra = list(headers.items() if isinstance(headers, Mapping) else headers)
        tag = f'"{hashlib.md5(bytes_of(body)).hexdigest()}"' if etag else None
        extra += [("ETag", tag)] if tag else []
        extra += [("Last-Modified", last_modified)] if last_modified else []
        full = Reply(body, status, type, tuple(extra))
        unchanged = Reply(b"", 304, None, tuple(extra))

        def answer(request: Request) -> Reply:
            asked, since = request.headers.get("if-none-match"), request.headers.get("if-modified-since")
            if asked is not None:
                return unchanged if tag and tag in asked else full
            return unchanged if last_modified and since == last_modified else full

        return self.script(path, answer)

    def redirect(self, path: str, target: str, status: int = 302) -> str:
        return self.page(path, status=status, headers={"Location": target})

    def gone(self, path: str) -> str:
        return self.page(path, "gone", status=410)

    def missing(self, path: str) -> str:
        return self.page(path, "not found", status=404)

    def script(self, path: str, answer: Script) -> str:
        """Answer what `answer` says at each request, and give the address."""
        self._scripts[path] = answer
        return self.url + path

    def raw(self, path: str, take_over: Raw) -> str:
        """Give the connection to `take_over` once such a request is in."""
        return self.script(path, lambda _: take_over)

    def count(self, path: str) -> int:
        """How many requests for that path, query and all, are in."""
        return sum(request.path == path for request in self.requests)

    def last(self, path: str) -> Request:
        return next(request for request in reversed(self.requests) if request.path == path)

    def __enter__(self) -> Self:
        self._start(self._accept)
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        with self._lock:
            for connection in self._open:
                with contextlib.suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(10)
        self._listener.close()
        if self._errors and kind is None:
            raise self._errors[0]

    def _start(self, work: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, client = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            self._start(self._serve, connection, client)

    def _serve(self, connection: socket.socket, client: tuple[str, int]) -> None:
        with self._lock:
            self._open.add(connection)
            if self._stopping.is_set():
                connection.close()
                return
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._secured(connection) as wire, wire.makefile("rb") as incoming:
                while request := self._read(incoming, client):
                    if not self._answer(wire, request):
                        return
        except ValueError:  # that was no HTTP
            with contextlib.suppress(OSError):
                connection.sendall(spelled(Reply("bad request", 400)))
        except OSError:
            return  # the client is gone
        finally:
            with self._lock:
                self._open.discard(connection)
            connection.close()

    def _secured(self, connection: socket.socket) -> socket.socket:
        if self._tls is None:
            return connection
        connection.settimeout(10)
        secured = self._tls.wrap_socket(connection, server_side=True)
        secured.settimeout(None)
        with self._lock:
            self._open.add(secured)
        return secured

    def _read(self, incoming: BinaryIO, client: tuple[str, int]) -> Request | None:
        first = incoming.readline(65536)
        if not first.strip():
            return None
        method, path, version = first.decode("latin-1").split()
        headers: dict[str, str] = {}
        while (line := incoming.readline(65536)).strip():
            name, _, value = line.decode("latin-1").partition(":")
            name, value = name.strip().lower(), value.strip()
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        body = incoming.read(int(headers.get("content-length", 0)))
        request = Request(method, path, headers, body, time.monotonic(), client, version)
        self.requests.append(request)
        return request

    def _answer(self, wire: socket.socket, request: Request) -> bool:
        """Whether the connection stays open."""
        script = self._scripts.get(request.path) or self._scripts.get(request.path.partition("?")[0])
        try:
            reply = script(request) if script else Reply("not found", 404)
        except Exception as error:  # noqa: BLE001 - the test shall see it, whatever it is
            self._errors.append(error)
            reply = Reply(repr(error), 500)
        if callable(reply):
            reply(Wire(wire, self._stopping))
            return False
        wire.sendall(spelled(reply, head_only=request.method == "HEAD"))
        return request.headers.get("connection", "").lower() != "close"


def bytes_of(text: str | bytes) -> bytes:
    return text.encode() if isinstance(text, str) else text


def spelled(reply: Reply, *, head_only: bool = False) -> bytes:
    """An answer as HTTP/1.1 spells it (RFC 9112)."""
    body = bytes_of(reply.body)
    headers = list(reply.headers.items() if isinstance(reply.headers, Mapping) else reply.headers)
    given = {name.lower() for name, _ in headers}
    if reply.type and "content-type" not in given:
        headers.append(("Content-Type", reply.type))
    if reply.status not in {204, 304} and "content-length" not in given:
        headers.append(("Content-Length", str(len(body))))
    phrase = HTTPStatus(reply.status).phrase if reply.status in HTTPStatus._value2member_map_ else ""
    lines = [f"HTTP/1.1 {reply.status} {phrase}", *(f"{name}: {value}" for name, value in headers), "", ""]
    return "\r\n".join(lines).encode("latin-1") + (b"" if head_only else body)


def serving(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def trusting() -> ssl.SSLContext:
    """A context that believes the certificate of `Web(tls=True)`."""
    return ssl.create_default_context(cafile=str(CERTIFICATE))
