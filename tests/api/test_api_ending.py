"""The end of feedd, while requests are under way: each is answered, and none holds it up."""

import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import httpx
from receivers import SECRET
from running import Site
from webserver import Web, Wire

LONGEST_S = 2.0  # of the end, on a busy machine; what hung held it up for longer


def half_a_request(port: int, path: str, token: str, kind: str) -> socket.socket:
    """A POST whose body never ends."""
    line = socket.create_connection(("127.0.0.1", port), 10)
    said = f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\nContent-Type: {kind}\r\n"
    line.sendall(f"{said}Content-Length: 100\r\n\r\n{{".encode())
    return line


def test_the_end_waits_for_nobody(tmp_path: Path) -> None:
    asked = threading.Event()

    def hang(wire: Wire) -> None:
        asked.set()
        wire.hang()

    with Web() as web, ThreadPoolExecutor(3) as pool:
        web.raw("/hook", hang)
        channel = f'[notify.desk]\ntype = "webhook"\nurl = "{web.url}/hook"\nsecret = "{SECRET}"\n'
        site = Site(tmp_path, more=channel)
        token = site.feedd("token", "new", "tester", "--scope", "write").stdout.split()[0]
        headers = {"Authorization": f"Bearer {token}"}
        with site.running() as daemon:
            sample, page, poll = (
                pool.submit(
                    httpx.request,
                    method,
                    f"{site.url}{path}",
                    headers=headers,
                    trust_env=False,
                    verify=False,
                    timeout=30,
                )
                for method, path in (
                    ("POST", "/api/v1/channels/desk/test"),
                    ("POST", "/channels/desk/test"),
                    ("GET", "/api/v1/changes?wait=60"),
                )
            )
            halves = [
                half_a_request(site.port, "/api/v1/deliveries/retry", token, "application/json"),
                half_a_request(site.port, "/deliveries/retry", token, "application/x-www-form-urlencoded"),
            ]
            assert asked.wait(10)
            time.sleep(0.3)
            begun = time.monotonic()
            assert daemon.end() == 0
            assert time.monotonic() - begun < LONGEST_S, time.monotonic() - begun
            for answer in (sample.result(10), page.result(10)):
                assert (answer.status_code, "feedd is ending" in answer.text) == (503, True)
                assert answer.headers["retry-after"]
            assert sample.result().headers["content-type"] == "application/problem+json"
            assert (poll.result(10).status_code, poll.result().json()["items"]) == (200, [])
            for half in halves:
                with closing(half):
                    assert b" 503 " in half.recv(10_000).partition(b"\r\n")[0]
