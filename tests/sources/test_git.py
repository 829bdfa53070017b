"""Repositories of seed files, by git itself."""

import os
import socket
import subprocess
import time
from pathlib import Path

import pytest
from webserver import Web

from feedd.errors import AddressRefused, SourceError, Stopped
from feedd.fetch.values import Basic
from feedd.sources.git import Origin, below, brought, host_of


def run(folder: Path, *words: str) -> None:
    environment = {**os.environ, "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    who = ("-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "init.defaultBranch=main")
    subprocess.run(["git", *who, *words], cwd=folder, check=True, env=environment, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "archive"
    folder.mkdir()
    run(folder, "init", "--quiet")
    (folder / "a.md").write_text("one")
    run(folder, "add", "-A")
    run(folder, "commit", "--quiet", "-m", "one")
    return folder


def origin(address: object, branch: str | None = None, **more: bool) -> Origin:
    return Origin(str(address), branch, 20.0, more.get("allow_private", False))


def test_a_local_repository_is_cloned_and_followed(repository: Path, tmp_path: Path) -> None:
    clone = brought(origin(repository), tmp_path / "state/git/a")
    assert (clone / "a.md").read_text() == "one"
    (repository / "a.md").write_text("two")
    (repository / "b.md").write_text("new")
    run(repository, "add", "-A")
    run(repository, "commit", "--quiet", "-m", "two")
    assert brought(origin(repository), tmp_path / "state/git/a") == clone
    assert ((clone / "a.md").read_text(), (clone / "b.md").read_text()) == ("two", "new")
    depth = subprocess.run(["git", "rev-list", "--count", "HEAD"], cwd=clone, capture_output=True, check=True)
    assert int(depth.stdout) <= 2, "shallow"


def test_history_that_is_rewritten_is_followed(repository: Path, tmp_path: Path) -> None:
    clone = brought(origin(repository), tmp_path / "clone")
    (repository / "a.md").write_text("other")
    run(repository, "commit", "--quiet", "--amend", "-am", "other")
    (clone / "stray.md").write_text("nobody's")
    brought(origin(repository), tmp_path / "clone")
    assert (clone / "a.md").read_text() == "other"
    assert not (clone / "stray.md").exists()


def test_another_address_is_cloned_anew(repository: Path, tmp_path: Path) -> None:
    brought(origin(repository), tmp_path / "clone")
    other = tmp_path / "other"
    run(tmp_path, "clone", "--quiet", str(repository), str(other))
    (other / "a.md").write_text("elsewhere")
    run(other, "commit", "--quiet", "-am", "x")
    assert (brought(origin(other), tmp_path / "clone") / "a.md").read_text() == "elsewhere"


def test_a_branch(repository: Path, tmp_path: Path) -> None:
    run(repository, "checkout", "--quiet", "-b", "side")
    (repository / "a.md").write_text("side")
    run(repository, "commit", "--quiet", "-am", "x")
    run(repository, "checkout", "--quiet", "main")
    assert (brought(origin(repository, "side"), tmp_path / "clone") / "a.md").read_text() == "side"


def test_what_fails_is_said(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="git failed"):
        brought(origin(tmp_path / "nothing"), tmp_path / "clone")
    assert list(tmp_path.iterdir()) == [], "nothing is left behind"


def test_private_hosts_are_refused(tmp_path: Path) -> None:
    for address in ("http://127.0.0.1:1/a.git", "https://[::ffff:10.0.0.1]/a.git", "git@127.0.0.1:a.git"):
        with pytest.raises(AddressRefused):
            brought(origin(address), tmp_path / "clone")


def test_hooks_and_environment_do_nothing(
    repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / "ran"
    hook = repository / ".git/hooks/post-checkout"
    hook.write_text(f"#!/bin/sh\ntouch {mark}\n")
    hook.chmod(0o755)
    monkeypatch.setenv("GIT_TEMPLATE_DIR", str(repository / ".git"))
    monkeypatch.setenv("GIT_DIR", str(repository / ".git"))
    brought(origin(repository), tmp_path / "clone")
    brought(origin(repository), tmp_path / "clone")
    assert not mark.exists()


@pytest.mark.parametrize(
    ("address", "host"),
    [
        ("https://example.org/a.git", ("example.org", 443, "https")),
        ("ssh://git@example.org:2222/a.git", ("example.org", 2222, "ssh")),
        ("git@example.org:a/b.git", ("example.org", 22, "ssh")),
        ("/srv/a.git", (None, 0, "file")),
    ],
)
def test_where_it_is(address: str, host: tuple[str | None, int, str]) -> None:
    assert host_of(address) == host


def test_a_folder_that_leads_out_of_the_repository(repository: Path, tmp_path: Path) -> None:
    (repository / "out").symlink_to(tmp_path)
    run(repository, "add", "-A")
    run(repository, "commit", "--quiet", "-m", "x")
    clone = brought(origin(repository), tmp_path / "clone")
    for folder in ("out", ".git"):
        with pytest.raises(SourceError, match="leads out"):
            below(clone, folder)
    assert below(clone, "") == clone.resolve()


def test_what_a_killed_git_leaves_is_in_nobodys_way(repository: Path, tmp_path: Path) -> None:
    clone = brought(origin(repository), tmp_path / "clone")
    (clone / ".git/index.lock").touch()
    (clone / ".git/shallow.lock").touch()
    (repository / "a.md").write_text("two")
    run(repository, "commit", "--quiet", "-am", "x")
    assert (brought(origin(repository), clone) / "a.md").read_text() == "two"
    (clone / ".git/index").write_bytes(b"rubbish")
    assert (brought(origin(repository), clone) / "a.md").read_text() == "two"


def test_nobody_waits_for_git_when_feedd_ends(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}/a.git"
        begun = time.monotonic()
        with pytest.raises(Stopped, match="ending"):
            brought(
                origin(address, allow_private=True),
                tmp_path / "clone",
                lambda: time.monotonic() > begun + 0.5,
            )
        assert time.monotonic() - begun < 5


def test_credentials_reach_the_server_and_no_argument(tmp_path: Path) -> None:
    with Web() as web:
        web.page("/a.git/info/refs", "no", status=403)
        with pytest.raises(SourceError) as raised:
            brought(Origin(f"{web.url}/a.git", None, 20.0, True, Basic("me", "s3cr3t")), tmp_path / "clone")
        assert web.requests[-1].headers["authorization"].startswith("Basic ")
    assert "s3cr3t" not in str(raised.value)
    assert "403" in str(raised.value)
