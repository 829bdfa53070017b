"""The example for nginx in the documentation, in nginx, on what is published."""

import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from published import Desktop
from running import free_port, until
from shelf import Piece

from feedd.publish.archivist import Archivist

DOCS = Path(__file__).parent.parent.parent / "docs/publishing.md"
BROTLI = Path("/usr/lib/nginx/modules/ngx_http_brotli_static_module.so")
AROUND = """{load}
daemon off;
master_process off;
pid {root}/nginx.pid;
error_log {root}/error.log;
events {{ }}
http {{
    access_log off;
    client_body_temp_path {root}/body;
    proxy_temp_path {root}/proxy;
    fastcgi_temp_path {root}/fastcgi;
    scgi_temp_path {root}/scgi;
    uwsgi_temp_path {root}/uwsgi;
    {server}
}}
"""
pytestmark = pytest.mark.skipif(
    shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin") is None,
    reason="nginx is not installed",
)


def configured(root: Path, port: int) -> str:
    (example,) = re.findall(r"^```nginx\n(server .*?)^```$", DOCS.read_text(), re.MULTILINE | re.DOTALL)
    server = example.replace("listen 80;", f"listen 127.0.0.1:{port};")
    server = server.replace("root /var/www/feeds;", f"root {root}/public;")
    assert server.count(str(port)) == server.count(str(root)) == 1
    load = ""
    if BROTLI.exists():
        load = f"load_module {BROTLI};"
        server = server.replace("#brotli_static on;", "brotli_static on;")
    return AROUND.format(load=load, root=root, server=server)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    root = tmp_path_factory.mktemp("nginx")
    desk = Desktop(root)
    desk.look("a", *(Piece(f"n{number}", f"Number {number}") for number in range(101)))
    Archivist(desk.shelf.desk, desk.shelf.feeds).catch_up()
    desk.publish()
    desk.shelf.close()
    port = free_port()
    (root / "nginx.conf").write_text(configured(root, port))
    path = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
    assert path is not None
    command = [path, "-p", str(root), "-c", str(root / "nginx.conf"), "-e", str(root / "error.log")]
    with (
        subprocess.Popen(command, stderr=subprocess.PIPE, encoding="utf-8") as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client,
    ):

        def answers() -> bool:
            assert process.poll() is None, process.communicate()[1]
            try:
                return client.get("/").status_code == 200
            except httpx.TransportError:
                return False

        try:
            until(answers)
            yield client
        finally:
            process.terminate()


@pytest.mark.parametrize(
    ("path", "media_type", "kept"),
    [
        ("/", "text/html", "no-cache"),
        ("/feeds", "text/html", "no-cache"),
        ("/feeds/a", "text/html", "no-cache"),
        ("/entries/50", "text/html", "no-cache"),
        ("/feeds/a.atom", "application/atom+xml", "no-cache"),
        ("/feeds/a.rss", "application/rss+xml", "no-cache"),
        ("/feeds/a.json", "application/feed+json", "no-cache"),
        ("/feeds.opml", "text/x-opml", "no-cache"),
        ("/feeds/a/archive/1.atom", "application/atom+xml", "public, max-age=604800, immutable"),
        ("/style.css?v=1", "text/css", "public, max-age=31536000, immutable"),
    ],
)
def test_what_is_published_is_served(served: httpx.Client, path: str, media_type: str, kept: str) -> None:
    found = served.get(path, headers={"Accept-Encoding": "identity"})
    assert found.status_code == 200
    assert found.headers["content-type"] == f"{media_type}; charset=utf-8"
    assert found.headers["cache-control"] == kept
    assert found.headers["content-security-policy"].startswith("default-src 'none';")
    assert found.headers["x-content-type-options"] == "nosniff"
    assert "content-encoding" not in found.headers
    packed = served.get(path, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert packed.headers["content-type"] == found.headers["content-type"]
    assert packed.headers["vary"] == "Accept-Encoding"
    assert packed.text == found.text
    tag = packed.headers["etag"]
    asked = {"Accept-Encoding": "gzip", "If-None-Match": tag}
    assert served.get(path, headers=asked).status_code == 304


@pytest.mark.skipif(not BROTLI.exists(), reason="nginx's module for .br files is not installed")
def test_brotli(served: httpx.Client) -> None:
    found = served.get("/feeds/a.atom", headers={"Accept-Encoding": "br, gzip"})
    assert found.headers["content-encoding"] == "br"
    assert found.headers["content-type"] == "application/atom+xml; charset=utf-8"
    assert found.text == served.get("/feeds/a.atom", headers={"Accept-Encoding": "identity"}).text


@pytest.mark.parametrize(
    "path", ["/.feedd-manifest.json", "/feeds/", "/feeds/secret.atom", "/entries/9999", "/search", "/entries"]
)
def test_the_rest_is_not_there(served: httpx.Client, path: str) -> None:
    assert served.get(path).status_code == 404
