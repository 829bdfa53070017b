"""nginx on a free port, serving files: the peer of what feedd serves."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.daemon import Client, free_port, wait_for

PROGRAM = shutil.which("nginx", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
CONFIG = """\
daemon off;
master_process off;
pid {root}/nginx.pid;
error_log {root}/error.log;
events {{ worker_connections 1024; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    gzip_static on;
    keepalive_requests 100000000;
    types {{ application/atom+xml atom; }}
    client_body_temp_path {root}/body;
    proxy_temp_path {root}/proxy;
    fastcgi_temp_path {root}/fastcgi;
    scgi_temp_path {root}/scgi;
    uwsgi_temp_path {root}/uwsgi;
    server {{ listen 127.0.0.1:{port}; root {root}/public; }}
}}
"""


class Nginx(NamedTuple):
    port: int
    pid: int  # of its one process


@contextmanager
def serving(root: Path, path: str, body: bytes, gzipped: bytes) -> Iterator[Nginx]:
    """One process that serves `body` at `path`, and `gzipped` to who accepts that. Raises FileNotFoundError."""
    if PROGRAM is None:
        raise FileNotFoundError("nginx is not installed")
    document, port = root / "public" / path.lstrip("/"), free_port()
    document.parent.mkdir(parents=True, exist_ok=True)
    document.write_bytes(body)
    document.with_name(f"{document.name}.gz").write_bytes(gzipped)
    config = root / "nginx.conf"
    config.write_text(CONFIG.format(root=root, port=port))
    command = [PROGRAM, "-p", str(root), "-c", str(config), "-e", str(root / "error.log")]
    with subprocess.Popen(command, stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(lambda: process.poll() is not None or answers(port, path), "nginx to answer")
            if process.poll() is not None:
                raise RuntimeError((root / "error.log").read_text())
            yield Nginx(port, process.pid)
        finally:
            process.terminate()


def answers(port: int, path: str) -> bool:
    try:
        return Client(port).get(path).status == 200
    except OSError:
        return False
