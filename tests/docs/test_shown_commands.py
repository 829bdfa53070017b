"""Every command that the documentation shows is run, or at least read, and every option in it is there."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import click
import pytest
from commanding import commands as there_are
from commanding import options, parse
from pages import PAGES, Shown, anchors, blocks, commands, inline, links, text
from prepared import JOBS, copied, prepare
from running import Daemon
from serial import Done, Serial
from webserver import Web

from feedd.cli.main import cli

# how a command begins, and why it is not run here; if it is one of feedd's, it is read all the same
NOT_RUN = {
    "feedd run": "it goes on until it is ended",
    "feedd install-service": "it writes units of systemd",
    "make run": "it goes on until it is ended",
    "make test": "that is this",
    "make dist": "tests/packaging builds them",
    "pipx": "it installs: tests/packaging/whole.py does",
    "python3 -m venv": "it installs",
    "/opt/feedd/bin/pip": "it installs",
    "ln -s": "it needs root",
    "mkdir -p": "it needs root",
    "systemctl": "it needs a systemd",
    "journalctl": "it needs a journal",
    "loginctl": "it needs a systemd",
    "useradd": "it makes a user",
    "install -d": "it needs root, or that user",
    "install -D": "it needs root",
    "curl -N": "it goes on for ever",
    "while": "it goes on for ever",
    "sqlite-utils": "another project's",
    "pip install": "it installs",
    "dask": "it goes on until it is ended: tests/cluster starts these",
    "openssl": "it makes files: not feedd's",
}
OTHERS = {"curl", "source"}  # programs besides feedd that may be run: a page may show any
BESIDE_A_DAEMON = ("feedd reload",)
HERE = "http://127.0.0.1:8080"
COMMANDS = dict(there_are())
ENVIRONMENT = {
    **os.environ,
    "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
    "NO_PROXY": "127.0.0.1",
    "NO_COLOR": "1",
}


@pytest.fixture(scope="module")
def feedd() -> Iterator[Serial]:
    with Serial() as serial:
        yield serial


@pytest.fixture(scope="module")
def original(feedd: Serial, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return prepare(tmp_path_factory.mktemp("original"), feedd).root


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    with Web() as made:
        made.page("/jobs", JOBS)
        yield made


@pytest.fixture(scope="module")
def daemon(original: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Daemon]:
    with copied(original, tmp_path_factory.mktemp("running") / "place").running() as running:
        yield running


def unrun(command: str) -> bool:
    return any(command.startswith(each) for each in NOT_RUN)


def adapted(command: str, place: Path, web: Web) -> str:
    """The command with paths and hosts of this test in the place of those that are shown."""
    backups = place / "backups"
    if command.startswith("feedd backup"):  # several a second would have one name
        command = command.replace("/var/backups/feedd", tempfile.mkdtemp(dir=backups))
    if command.startswith(("feedd test", "feedd add")):
        command = command.replace("https://example.org", web.url)
    if dated := re.search(r"/var/backups/feedd/feedd-\d{8}T\d{6}Z\.db", command):
        command = command.replace(dated[0], os.fspath(next(backups.rglob("feedd-*.db"))))
    return command


def keys(shown: str) -> set[str]:
    return set(re.findall(r'"([a-z_]+)":', shown))


def check(shown: Shown, place: Path, web: Web, feedd: Serial) -> None:
    """Run it; what it prints as JSON has all the keys that the page shows."""
    command = adapted(shown.command, place, web)
    words = shlex.split(command, comments=True)
    assert words[0] in {"feedd", *OTHERS}, f"{command}: name it in NOT_RUN and say why, or in OTHERS"
    done = feedd.run(words[1:], place) if words[0] == "feedd" else bash(command, place)
    assert done.status == 0, (command, done.out, done.errors)
    if "--json" in words:
        assert keys(shown.output) <= keys(json.dumps(json.loads(done.out))), command


def bash(script: str, place: Path) -> Done:
    command = ["bash", "-c", script]
    done = subprocess.run(command, cwd=place, env=ENVIRONMENT, capture_output=True, encoding="utf-8")
    return Done(done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)])
def test_commands_do_what_is_shown(
    page: str, original: Path, web: Web, feedd: Serial, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    place = shutil.copytree(original, tmp_path / "place")
    for shown in commands(page):
        if unrun(shown.command):
            continue
        if HERE in shown.command or shown.command.startswith(BESIDE_A_DAEMON):
            running: Daemon = request.getfixturevalue("daemon")
            there = shown._replace(command=shown.command.replace(HERE, running.site.url))
            check(there, running.site.root, web, feedd)
        else:
            check(shown, place, web, feedd)


@pytest.mark.parametrize("page", [page for page in PAGES if blocks(page, "sh")])
def test_scripts_run(page: str, request: pytest.FixtureRequest) -> None:
    """All of a page's in one shell, since the next one uses what the one before it set."""
    scripts = [each for each in blocks(page, "sh") if not any(unrun(line) for line in each.splitlines())]
    for each in blocks(page, "sh"):
        assert subprocess.run(["bash", "-n"], input=each, encoding="utf-8").returncode == 0
    if not scripts:
        return
    daemon: Daemon = request.getfixturevalue("daemon")
    script = "set -e\n" + "".join(scripts).replace(HERE, daemon.site.url).replace("curl ", "curl -sSf ")
    done = bash(script, daemon.site.root)
    assert done.status == 0, (done.out, done.errors)


CRON = "/usr/bin:/bin"  # the PATH that cron gives to what it runs (crontab(5) of Debian)


@pytest.mark.parametrize(
    "line", [line for page in PAGES for each in blocks(page, "cron") for line in each.splitlines()]
)
def test_lines_of_cron_run(line: str, original: Path, tmp_path: Path) -> None:
    place = shutil.copytree(original, tmp_path / "place")
    command = line.split(maxsplit=6)[6]
    assert "%" not in command  # cron ends the command there
    for shown, here in (
        ("/usr/local/bin/feedd", f"{Path(sys.executable).parent}/feedd"),
        ("/etc/feedd/config.toml", f"{place}/config.toml"),
        ("/var/backups/feedd", f"{place}/backups"),
    ):
        assert shown in command
        command = command.replace(shown, here)
    done = subprocess.run(["sh", "-c", command], env={"PATH": CRON}, capture_output=True, encoding="utf-8")
    assert (done.returncode, done.stderr) == (0, "")
    assert list((place / "backups").glob("feedd-*.db"))


def called(words: list[str]) -> click.Command:
    """The command that these words name. The rest may be placeholders."""
    found = [name for name in (" ".join(words[:2]), words[0]) if name in COMMANDS]
    if found:
        return COMMANDS[found[0]]
    group = cli.get_command(click.Context(cli), words[0])
    assert group is not None, f"feedd has no command '{words[0]}'"
    return group


@pytest.mark.parametrize("page", [page for page in PAGES if inline(page)])
def test_commands_in_sentences_are_there(page: str) -> None:
    for each in inline(page):
        words = [word for word in each.split() if word not in {"-v", "-q"}]
        if words[0].startswith("--"):
            words = words[2:]  # an option of all commands, with its value
        known = {"--config", "--help", *(spelling for some in options(called(words)) for spelling in some)}
        given = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert given <= known, f"feedd {each}"


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)])
def test_commands_that_are_not_run_can_be_read(page: str) -> None:
    for shown in commands(page):
        if unrun(shown.command) and shown.command.startswith("feedd "):
            with suppress(click.exceptions.Exit):
                parse(shlex.split(shown.command, comments=True)[1:])


@pytest.mark.parametrize("beginning", NOT_RUN)
def test_nothing_is_left_out_that_is_nowhere_shown(beginning: str) -> None:
    assert any(beginning in text(page) for page in PAGES)


@pytest.mark.parametrize("page", [page for page in PAGES if page.endswith(".md")])
def test_links_lead_somewhere(page: str) -> None:
    for target, place in links(page):
        path = PAGES[page].parent / target if target else PAGES[page]
        assert path.exists(), target
        assert not place or place in anchors(path), f"{target}#{place}"
