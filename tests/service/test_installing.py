"""`feedd install-service`, as it is typed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from running import Site

from feedd.cli.main import cli
from feedd.service.units import NAMES


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def typed(site: Site, *words: str, answer: str = "") -> "subprocess.CompletedProcess[str]":
    """Run it with `answer` on standard input."""
    command = ["--config", str(site.config), "install-service", *words]
    done = CliRunner().invoke(cli, command, input=answer, env={"XDG_CONFIG_HOME": str(site.root / "home")})
    return subprocess.CompletedProcess(command, done.exit_code, done.stdout, done.stderr)


@pytest.fixture
def folder(site: Site) -> Path:
    return site.root / "home/systemd/user"


def test_written_when_it_was_agreed_to(site: Site, folder: Path) -> None:
    refused = typed(site, "--user", answer="n\n")
    assert refused.returncode == 0
    assert "nothing was written" in refused.stdout
    assert not folder.exists()
    done = typed(site, "--user", answer="y\n")
    assert done.returncode == 0
    assert sorted(os.listdir(folder)) == sorted(NAMES)
    script = Path(sys.executable).with_name("feedd")
    service = (folder / "feedd.service").read_text()
    assert f"ExecStart={script} --config {site.config} run\n" in service
    assert f"ExecReload={script} --config {site.config} reload\n" in service
    assert f"ListenStream=127.0.0.1:{site.port}\n" in (folder / "feedd.socket").read_text()
    assert service in done.stdout
    assert "systemctl --user enable --now feedd.socket feedd.service" in done.stdout


def test_shown_alone(site: Site, folder: Path) -> None:
    done = typed(site, "--user", "--show")
    assert done.returncode == 0
    assert "Type=notify" in done.stdout
    assert "Next" not in done.stdout
    assert not folder.exists()


def test_one_that_differs_is_named_and_asked_about(site: Site, folder: Path) -> None:
    typed(site, "--user", "--yes")
    unit = folder / "feedd.service"
    ours = unit.read_text().replace("WatchdogSec=120", "WatchdogSec=60")
    unit.write_text(ours)
    done = typed(site, "--user", answer="n\n")
    assert f"# {unit}: is there, and DIFFERS" in done.stdout
    assert "-WatchdogSec=60\n+WatchdogSec=120\n" in done.stdout
    assert f"Write feedd.service into {folder}?" in done.stdout
    assert unit.read_text() == ours
    typed(site, "--user", answer="y\n")
    assert "WatchdogSec=120" in unit.read_text()


def test_again(site: Site) -> None:
    typed(site, "--user", "--yes")
    done = typed(site, "--user")
    assert done.returncode == 0
    assert "all units are there as they should be" in done.stdout


def test_nobody_to_ask(site: Site, folder: Path) -> None:
    done = typed(site, "--user", answer="")
    assert done.returncode == 1
    assert not folder.exists()


def test_a_configuration_with_a_mistake(site: Site, folder: Path) -> None:
    site.config.write_text("[server]\nlisten = 7\n")
    done = typed(site, "--user", "--yes")
    assert done.returncode == 2
    assert "server.listen" in done.stderr
    assert not folder.exists()


def test_for_the_system_elsewhere(site: Site, tmp_path: Path) -> None:
    site.config.write_text('[store]\npath = "/var/lib/feedd/feedd.db"\n')
    done = typed(site, "--into", str(tmp_path / "units"), "--yes")
    assert done.returncode == 0
    assert "DynamicUser=yes" in (tmp_path / "units/feedd.service").read_text()
    assert f"Before it can start: {site.config} is hidden from a service" in done.stdout
    assert "Next, once they are where systemd looks for units:" in done.stdout


def test_paths_are_written_as_systemd_takes_them(site: Site, tmp_path: Path) -> None:
    site.config.write_text(
        '[store]\npath = "/var/lib/feedd/feedd.db"\n[publish]\ndirectory = "a/../www"\n'
        '[archive.own]\ndirectory = "/var/lib/x/../feedd/own"\n'
    )
    typed(site, "--into", str(tmp_path / "units"), "--yes")
    service = (tmp_path / "units/feedd.service").read_text()
    paths = [line for line in service.splitlines() if line.startswith("ReadWritePaths=")]
    assert paths == [f"ReadWritePaths={site.root}/www"]


def test_a_folder_that_is_none(site: Site) -> None:
    done = typed(site, "--user", "--into", str(site.config), "--yes")
    assert done.returncode == 2
    assert done.stderr == f"{site.config}/feedd.service: can't be read: Not a directory\n"
    done = typed(site, "--user", "--into", "/proc/nowhere", "--yes")
    assert done.returncode == 2
    assert done.stderr == "/proc/nowhere: can't be written: No such file or directory\n"
