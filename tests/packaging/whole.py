"""Both packages as strangers get them: built, installed into an environment of their own, and run from elsewhere.

`make test-package` runs this. It needs a network for what feedd is built on.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import httpx
import pytest
from running import Site, until

from feedd import __version__

ROOT = Path(__file__).parent.parent.parent
CHANNEL = """
[notify.desk]
type = "email"
host = "mail.example.org"
from = "feedd@example.org"
to = ["desk@example.org"]
[notify.desk.template]
title = "[{{ change.source }}] {{ headline }}"
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wheel and an sdist."""
    folder = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-d", folder], cwd=ROOT, check=True)
    return folder


@pytest.fixture(scope="module", params=["*.whl", "*.tar.gz"], ids=["wheel", "sdist"])
def installed(request: pytest.FixtureRequest, built: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A bare environment that feedd was installed into."""
    home = tmp_path_factory.mktemp("venv")
    (package,) = built.glob(request.param)
    subprocess.run([sys.executable, "-m", "venv", home], check=True)
    subprocess.run([home / "bin/python", "-m", "pip", "install", "--quiet", package], check=True)
    return home


@pytest.fixture(scope="module")
def site(installed: Path, tmp_path_factory: pytest.TempPathFactory) -> Site:
    made = Site(tmp_path_factory.mktemp("elsewhere"), more=CHANNEL)
    made.seed("a.md", "Strike ends", "<p>It lasted 12 days.</p>")
    return made


def feedd(installed: Path, site: Site, *words: str) -> str:
    """What a command says, on standard output; it must end well."""
    environment = {"PATH": os.environ["PATH"], "HOME": os.fspath(site.root), "LANG": "C.UTF-8"}
    command = [os.fspath(installed / "bin/feedd"), *words]
    done = subprocess.run(command, cwd=site.root, env=environment, capture_output=True, encoding="utf-8")
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done.stdout


@pytest.fixture(scope="module")
def daemon(installed: Path, site: Site) -> Iterator[httpx.Client]:
    """Asks the installed daemon, while it runs."""
    with subprocess.Popen([installed / "bin/feedd", "run"], cwd=site.root) as process:
        with httpx.Client(base_url=site.url, trust_env=False) as client:

            def is_ready() -> bool:
                assert process.poll() is None
                with suppress(httpx.TransportError):
                    return client.get("/readyz").status_code == 200
                return False

            until(is_ready)
            until(lambda: client.get("/feeds/all.json").json()["items"])
            yield client
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
        assert time.monotonic() - began < 5


@pytest.mark.timeout(900)
def test_commands(installed: Path, site: Site) -> None:
    assert feedd(installed, site, "--version") == f"feedd, version {__version__}\n"
    assert "no mistakes; 1 source, 1 channel" in feedd(installed, site, "check")
    assert "1 added" in feedd(installed, site, "update")
    site.seed("a.md", "Strike ends", "<p>It lasted 14 days.</p>")
    assert "1 silent edited" in feedd(installed, site, "update")
    shown = feedd(installed, site, "notify", "preview", "desk", "1")
    assert "[news] Silently edited: Strike ends" in shown
    assert "14" in shown
    assert "_feedd_completion" in feedd(installed, site, "completion", "bash")


def test_what_is_shared_is_where_it_is_looked_for(installed: Path) -> None:
    for each in (ROOT / "share").rglob("*"):
        assert (installed / "share" / each.relative_to(ROOT / "share")).exists(), each


def test_the_daemon(daemon: httpx.Client) -> None:
    home = daemon.get("/")
    assert home.status_code == 200
    assert "Strike ends" in home.text
    assert "关闭" in daemon.get("/", headers={"Accept-Language": "zh"}).text
    assert "{" in daemon.get("/style.css").text
    assert daemon.get("/static/pages.js").status_code == 200
    assert daemon.get("/openapi.json").json()["openapi"].startswith("3.1")
    assert "<title>Strike ends</title>" in daemon.get("/feeds/all.rss").text
    for path in (
        "/api",
        "/sources/news",
        "/feeds/all",
        "/entries/1",
        "/deliveries",
        "/search?q=strike",
        "/metrics",
    ):
        assert daemon.get(path).status_code == 200, path
