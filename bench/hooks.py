"""A receiver of webhooks on loopback, in a process of its own: it checks each signature, and notes when each came."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import NamedTuple

from standardwebhooks import Webhook

from bench.daemon import free_port, wait_for

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


class Came(NamedTuple):
    at_s: float  # time.time()
    id: str
    type: str
    entry: int
    change: int


class Receiver(NamedTuple):
    url: str
    notes: Path

    @property
    def came(self) -> list[Came]:
        """What came so far; a line that is being written is left out."""
        lines = self.notes.read_text().split("\n")[:-1] if self.notes.exists() else []
        return [Came(*json.loads(line)) for line in lines]

    def channel(self, name: str) -> str:
        """Of a configuration."""
        return f'[notify.{name}]\ntype = "webhook"\nurl = "{self.url}"\nsecret = "{SECRET}"\n'


@contextmanager
def receiving(scratch: Path) -> Iterator[Receiver]:
    port, notes = free_port(), scratch / f"hooks-{time.monotonic_ns()}.jsonl"
    process = subprocess.Popen([sys.executable, "-m", "bench.hooks", str(port), str(notes)])
    try:
        wait_for(notes.exists, "the receiver")
        yield Receiver(f"http://127.0.0.1:{port}/hook", notes)
    finally:
        process.kill()
        process.wait()


def receive(port: int, notes: Path) -> None:
    verifier, file = Webhook(SECRET), notes.open("a", buffering=1)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            at_s, said = time.time(), verifier.verify(body, dict(self.headers))
            entry = (said["data"].get("entry") or {"id": 0})["id"]
            came = Came(at_s, self.headers["webhook-id"], said["type"], entry, said["data"]["change"]["id"])
            file.write(json.dumps(came) + "\n")
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    server.serve_forever()


if __name__ == "__main__":
    receive(int(sys.argv[1]), Path(sys.argv[2]))
