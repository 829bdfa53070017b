"""The socket that the application is served on."""

import asyncio
import contextlib
import logging
import os
import socket
from collections.abc import Iterator
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from feedd.config.values import Listen
from feedd.errors import ListenError

BACKLOG = 512
GRACE_S = 2
MOMENT_S = 0.01
MOMENTS = 10  # that a connection has at the end to bring its request
THIS_MACHINE = ["127.0.0.1", "::1"]  # whose X-Forwarded-For and X-Forwarded-Proto are believed


def bind(listen: Listen) -> socket.socket:
    """A socket that listens at the address. Raises ListenError."""
    try:
        if listen.socket is not None:
            return bind_unix(listen.socket)
        family = socket.AF_INET6 if ":" in listen.host else socket.AF_INET
        bound = socket.create_server((listen.host, listen.port), family=family, backlog=BACKLOG)
        # connections inherit it; without, the end of an answer may wait for 40 ms (RFC 9293, section 3.7.4)
        bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    except OSError as error:
        where = listen.socket or f"{listen.host}:{listen.port}"
        number = error.errno or 0  # below 0 it is one of name resolution
        why = os.strerror(number) if number > 0 else error.strerror or str(error)
        raise ListenError(
            f"can't listen on {where}: {why}. Stop what uses it, or choose another address in server.listen"
        ) from error
    return bound


def bind_unix(path: Path) -> socket.socket:
    """A Unix socket; one that a dead process left behind is replaced."""
    bound = socket.socket(socket.AF_UNIX)
    try:
        with contextlib.suppress(FileNotFoundError):
            with socket.socket(socket.AF_UNIX) as probe:
                alive = probe.connect_ex(os.fspath(path)) == 0
            if not alive and path.is_socket():
                path.unlink()
        bound.bind(os.fspath(path))
        path.chmod(0o666)
        bound.listen(BACKLOG)
    except BaseException:
        bound.close()
        raise
    return bound


class Server(uvicorn.Server):
    """uvicorn that leaves signals to the daemon."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Whoever has connected and was not heard yet has a moment for a request; later ones the next feedd accepts."""
        for listener in self.servers:
            listener.close()
        for _ in range(MOMENTS):
            await asyncio.sleep(MOMENT_S)
            if all(getattr(each, "cycle", None) for each in self.server_state.connections):
                break
        await super().shutdown(sockets)


class LocalPeers:
    """Names who comes over a Unix socket, which knows no addresses: somebody on this machine."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope.get("client") is None:
            scope = {**scope, "client": (THIS_MACHINE[0], 0)}
        await self.app(scope, receive, send)


class Front:
    """Hands each request to the application that is in force when it comes."""

    application: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.application(scope, receive, send)


def server(app: ASGIApp) -> Server:
    config = uvicorn.Config(
        LocalPeers(ProxyHeadersMiddleware(app, THIS_MACHINE)),  # type: ignore[arg-type]
        proxy_headers=False,  # those are taken here: from this machine's proxies, also over a Unix socket
        log_config=None,
        log_level=logging.ERROR,  # what is no request of HTTP is answered; a line for each would be anybody's to write
        access_log=False,
        lifespan="off",
        server_header=False,
        timeout_graceful_shutdown=GRACE_S,
        timeout_keep_alive=15,
    )
    return Server(config)
