"""feedd behind nginx and behind Caddy, as docs/operating.md shows it; of each, if it is installed.

`make test-package` runs this, since it takes seconds and needs programs that are not feedd's.
"""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from pages import blocks
from running import Site, free_port, until

CERTIFICATE = Path(__file__).parent.parent / "data/selfsigned.pem"
PUBLIC = "https://feeds.example.org/"
AROUND = "user root; daemon off; pid {root}/pid; error_log {root}/error.log; events {{}} http {{ {temporary} {inner} }}"
TEMPORARY = "".join(
    f"{each}_temp_path {{root}}/{each}; " for each in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
)


def nginx(root: Path, port: int, socket: Path) -> tuple[list[str], str]:
    """(command, address)."""
    (shown,) = blocks("operating.md", "nginx")
    for here, there in (
        ("/run/feedd/http.sock", os.fspath(socket)),
        ("listen 443", f"listen 127.0.0.1:{port}"),
        ("/var/log/nginx/feedd.log", os.fspath(root / "access.log")),
    ):
        assert here in shown
        shown = shown.replace(here, there)
    shown = re.sub(r"(ssl_certificate(?:_key)?) \S+;", rf"\1 {CERTIFICATE};", shown)
    file = root / "nginx.conf"
    file.write_text(AROUND.format(root=root, temporary=TEMPORARY.format(root=root), inner=f"\n{shown}\n"))
    return ["nginx", "-c", os.fspath(file), "-e", os.fspath(root / "error.log")], f"https://127.0.0.1:{port}"


def caddy(root: Path, port: int, socket: Path) -> tuple[list[str], str]:
    """(command, address); without a certificate, which Caddy would fetch for the name."""
    (shown,) = blocks("operating.md", "caddyfile")
    shown = shown.replace("/run/feedd/http.sock", os.fspath(socket))
    address = f"http://127.0.0.1:{port}"
    shown = shown.replace("feeds.example.org", address)
    file = root / "Caddyfile"
    file.write_text(f"{{\n\tadmin off\n}}\n{shown}")
    return ["caddy", "run", "--adapter", "caddyfile", "--config", os.fspath(file)], address


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    root = tmp_path_factory.mktemp("site")
    made = Site(
        root, source="watch = true", server=f'listen = "unix:{root}/http.sock"\nbase_url = "{PUBLIC}"'
    )
    made.seed("a.md", "Strike ends", "<p>It lasted 12 days.</p>" + "<p>Words upon words.</p>" * 200)
    return made


@pytest.fixture(scope="module", params=[nginx, caddy], ids=["nginx", "caddy"])
def front(
    request: pytest.FixtureRequest, site: Site, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[httpx.Client]:
    """Asks feedd through a web server."""
    program = request.param.__name__
    if shutil.which(program) is None:
        pytest.skip(f"there is no {program} here")
    root = tmp_path_factory.mktemp(program)
    root.chmod(0o755)
    command, address = request.param(root, free_port(), site.root / "http.sock")
    environment = {**os.environ, "HOME": os.fspath(root)}
    with (
        site.running(ready=False),
        (root / "log").open("wb") as log,
        subprocess.Popen(command, cwd=root, env=environment, stdout=log, stderr=log) as process,
        httpx.Client(
            base_url=address,
            verify=False,
            trust_env=False,
            headers={"Host": "feeds.example.org"} if program == "nginx" else {},
        ) as client,
    ):

        def is_ready() -> bool:
            assert process.poll() is None, (root / "log").read_text()
            with suppress(httpx.TransportError):
                return client.get("/readyz").status_code == 200
            return False

        try:
            until(is_ready)
            yield client
        finally:
            process.terminate()


def test_feeds_are_named_by_the_public_address_and_unchanged(front: httpx.Client, site: Site) -> None:
    until(lambda: "<entry>" in front.get("/feeds/all.atom").text)
    assert f'href="{PUBLIC}feeds/all.atom"' in front.get("/feeds/all.atom").text
    direct = httpx.Client(transport=httpx.HTTPTransport(uds=os.fspath(site.root / "http.sock")))
    with direct:
        own = direct.get("http://feeds.example.org/feeds/all.atom", headers={"Accept-Encoding": "gzip"})
    through = front.get("/feeds/all.atom", headers={"Accept-Encoding": "gzip"})
    assert (through.headers["etag"], through.headers["content-encoding"]) == (own.headers["etag"], "gzip")
    again = front.get(
        "/feeds/all.atom", headers={"Accept-Encoding": "gzip", "If-None-Match": own.headers["etag"]}
    )
    assert again.status_code == 304


def test_events_come_at_once(front: httpx.Client, site: Site) -> None:
    with front.stream("GET", "/events?feed=all", timeout=20) as events:
        assert events.headers["content-type"].startswith("text/event-stream")
        began, lines = time.monotonic(), events.iter_lines()
        site.seed("a.md", f"Strike ends {began}", "<p>It lasted 14 days.</p>")
        assert any("Strike ends" in line for line in lines)
        assert time.monotonic() - began < 3


def test_an_address_that_a_client_gives_itself_does_not_count(front: httpx.Client, site: Site) -> None:
    """Else its owner could be shut out: an address may try ten times a minute, those of this machine more often."""
    token = site.feedd("token", "new", f"t{time.monotonic_ns()}").stdout.strip()
    form = front.get("/login")
    assert form.headers["set-cookie"].startswith("__Host-")  # that it is https outside is known
    field = re.search(r'name="csrf" value="([^"]+)"', form.text)
    assert field is not None
    headers = {
        "Cookie": form.headers["set-cookie"].split(";")[0],
        "Origin": PUBLIC.rstrip("/"),
        "X-Forwarded-For": "192.0.2.1",
    }

    def enter(tried: str) -> int:
        return front.post("/login", data={"csrf": field[1], "token": tried}, headers=headers).status_code

    assert [enter("feedd_wrong") for _ in range(12)] == [403] * 12
    assert enter(token) == 303
