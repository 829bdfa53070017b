"""A server that speaks HTTP/2 over TLS on 127.0.0.1, one answer for each path; or whatever a test makes it say."""

import socket
import ssl
import threading
from collections.abc import Callable, Mapping
from typing import NamedTuple, Self

import h2.config
import h2.connection
import h2.events
import h2.exceptions
from webserver import CERTIFICATE, Wire, serving


class Said(NamedTuple):
    body: bytes = b""
    status: str = "200"
    headers: tuple[tuple[str, str], ...] = ()
    ends: bool = True  # else the stream stays open
    goaway: bool = False  # the connection is given up after it


class H2Server:
    def __init__(self, answers: Mapping[str, Said], junk: Callable[[Wire], None] | None = None) -> None:
        self.answers = answers
        self.junk = junk  # what is said in place of HTTP/2
        self.paths: list[str] = []
        self.connections = 0
        self._stopping = threading.Event()
        self._tls = serving(CERTIFICATE)
        self._tls.set_alpn_protocols(["h2"])
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self.url = f"https://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._threads[0].start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        for open_socket in (self._listener, *self._open):
            try:
                open_socket.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        for thread in self._threads:
            thread.join(10)
        self._listener.close()

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.connections += 1
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        try:
            with self._tls.wrap_socket(connection, server_side=True) as secured:
                self._open.add(secured)
                assert secured.selected_alpn_protocol() == "h2"
                if self.junk:
                    self.junk(Wire(secured, self._stopping))
                else:
                    self._talk(secured)
        except (OSError, h2.exceptions.ProtocolError):
            return
        finally:
            connection.close()

    def _talk(self, secured: ssl.SSLSocket) -> None:
        state = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
        state.initiate_connection()
        secured.sendall(state.data_to_send())
        pending: dict[int, bytes] = {}
        while data := secured.recv(65536):
            for event in state.receive_data(data):
                if isinstance(event, h2.events.RequestReceived):
                    self._answer(state, event, pending)
            self._push(state, pending)
            secured.sendall(state.data_to_send())
            if state.state_machine.state is h2.connection.ConnectionState.CLOSED:
                # what comes late is read before the end, or the kernel resets and takes back what was sent
                secured.shutdown(socket.SHUT_WR)
                while secured.recv(65536):
                    continue
                return

    def _answer(
        self, state: h2.connection.H2Connection, event: h2.events.RequestReceived, pending: dict[int, bytes]
    ) -> None:
        path = dict(event.headers or [])[b":path"].decode()
        self.paths.append(path)
        said = self.answers[path]
        state.send_headers(event.stream_id, [(":status", said.status), *said.headers], end_stream=False)
        if said.ends:
            pending[event.stream_id] = said.body
        if said.goaway:
            self._push(state, pending)
            state.close_connection(last_stream_id=event.stream_id)

    def _push(self, state: h2.connection.H2Connection, pending: dict[int, bytes]) -> None:
        """Send what flow control lets through."""
        for stream in list(pending):
            while True:
                size = min(len(pending[stream]), state.local_flow_control_window(stream), 16384)
                if pending[stream] and not size:
                    break
                chunk, pending[stream] = pending[stream][:size], pending[stream][size:]
                state.send_data(stream, chunk, end_stream=not pending[stream])
                if not pending[stream]:
                    del pending[stream]
                    break
