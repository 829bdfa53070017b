"""An archive as a git repository: what is committed, what is not, and whom feedd waits for."""

import logging
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from mirrored import GIT, SOURCES, files, git, name_of, over, seeds
from shelf import BORN_MS, Piece, Shelf

from feedd.mirror import repository
from feedd.mirror.folder import MARK
from feedd.mirror.mirrors import Mirrors
from feedd.mirror.repository import Change, message_of

EVERYTHING_ELSE = "then what feedd wrote is committed"


class Place:
    """A shelf and its archive in a repository, with one commit."""

    def __init__(self, root: Path, more: str = "") -> None:
        self.out = root / "out"
        self.shelf = Shelf(root, SOURCES + GIT + more)
        self.at_ms = BORN_MS

    def look(self, *pieces: Piece, source: str = "a", gone: tuple[str, ...] = ()) -> None:
        self.at_ms += 1000
        self.shelf.look(source, self.at_ms, pieces, gone)

    def over(self) -> Mirrors:
        """Its mirrors, with little patience."""
        made = over(self.shelf)
        for each in made.kept:
            archive = each.keeper.archive
            assert archive.repository is not None
            hasty = archive.repository._replace(lock_wait_s=0.05)
            each.keeper.archive = archive._replace(repository=hasty)
        return made

    def commit(self) -> None:
        assert self.over().catch_up()

    @property
    def subjects(self) -> list[str]:
        return git(self.out, "log", "--format=%s").splitlines()

    def in_head(self) -> set[str]:
        return set(git(self.out, "ls-tree", "-r", "--name-only", "HEAD").splitlines())


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    made.look(Piece("x"), Piece("y"))
    made.commit()
    yield made
    made.shelf.close()


def refused(place: Place, caplog: pytest.LogCaptureFixture) -> str:
    """What keeps the commit from being made; the files are written all the same, and it is made once that is gone."""
    caplog.clear()
    place.look(Piece("z"))
    assert not place.over().catch_up()
    assert f"a/{name_of('z')}" in seeds(place.out)
    (record,) = [each for each in caplog.records if each.levelno >= logging.ERROR]
    return record.getMessage().removeprefix(f"archive.out: {place.out}: ")


def caught_up(place: Place) -> None:
    """Nothing was lost: the next pass commits it."""
    place.commit()
    assert f"a/{name_of('z')}" in place.in_head()
    assert place.subjects[0] == "a: 1 added"
    assert (
        git(place.out, "show", f"HEAD:a/{name_of('z')}").encode() + b"\n"
        == seeds(place.out)[f"a/{name_of('z')}"]
    )


def test_a_pass_is_a_commit(place: Place) -> None:
    assert place.subjects == ["a: 2 added"]
    place.look(Piece("x", body="<p>Others.</p>"), Piece("z"))
    place.look(Piece("x"), source="b")
    place.commit()
    place.commit()  # nothing new
    place.look(gone=("y",))
    place.commit()
    assert place.subjects == ["lists", "a: 1 added, 1 edited; b: 1 added", "a: 2 added"]
    assert git(place.out, "log", "-1", "--format=%an %ae %cn") == "Jo Doe jo@example.org Jo Doe"
    assert place.in_head() == {*files(place.out), MARK}
    assert git(place.out, "status", "--porcelain") == ""
    assert git(place.out, "branch", "--show-current") == "main"


def test_a_message_counts() -> None:
    assert (
        message_of([Change("A", "a/1.md"), Change("M", "a/2.md"), Change("A", "a/3.md"), Change("M", "a.md")])
        == "a: 2 added, 1 edited\n"
    )
    many = [Change("A", f"source-{number}/1.md") for number in range(1200)]
    assert message_of(many).startswith("1,200 folders: 1,200 added\n\nsource-0: 1 added\nsource-1: 1 added\n")
    assert message_of(many).endswith("\n… and 700 more\n")


def test_what_others_change_stays_theirs(place: Place) -> None:
    (place.out / "NOTES").write_text("mine")
    (place.out / "staged").write_text("staged by others")
    git(place.out, "add", "staged")
    edited = place.out / "a" / name_of("y")
    edited.write_text("edited by others")
    (place.out / ".gitignore").write_text("*.md\n")
    place.look(Piece("z"))
    place.commit()
    assert place.subjects[0] == "a: 1 added"
    status = git(place.out, "status", "--porcelain").splitlines()
    assert sorted(line.strip() for line in status) == sorted(
        ["?? .gitignore", "?? NOTES", "A  staged", f"M a/{name_of('y')}"]
    )
    assert edited.read_text() == "edited by others"


def test_a_repository_that_is_there_and_empty(tmp_path: Path) -> None:
    made = Place(tmp_path)
    made.out.mkdir()
    git(made.out, "init", "--quiet", "--initial-branch=archive")
    hook = made.out / ".git/hooks/pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\nexit 1\n")
    hook.chmod(0o755)
    git(made.out, "config", "commit.gpgSign", "true")
    git(made.out, "config", "core.autocrlf", "true")
    made.look(Piece("x"))
    made.commit()
    assert git(made.out, "branch", "--show-current") == "archive"
    assert not (tmp_path / "ran").exists()
    made.shelf.close()


def test_what_is_committed_is_what_stands_in_the_files(place: Place, tmp_path: Path) -> None:
    """No filter runs, no line end and no word is replaced, and what is not checked out is committed all the same."""
    ran, file = tmp_path / "ran", f"a/{name_of('z')}"
    git(place.out, "config", "filter.own.clean", f"touch {ran}; tr a-z A-Z")
    git(place.out, "config", "core.autocrlf", "true")
    (place.out / ".gitattributes").write_text("* text=auto ident\n*.md filter=own\n")
    git(place.out, "sparse-checkout", "set", "elsewhere")
    git(place.out, "update-index", "--assume-unchanged", "README.md")
    place.look(Piece("z", body="<pre>a\r\n$Id: b$</pre>"))
    (place.out / "README.md").write_text("anything")
    place.commit()
    assert not ran.exists()
    for path in (file, "README.md"):
        stored = git(place.out, "cat-file", "blob", f"HEAD:{path}") + "\n"
        assert stored == (place.out / path).read_text()
    assert "$Id: b$" in (place.out / file).read_text()


def test_somebody_commits_meanwhile(place: Place, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Between what feedd builds upon and what it moves: nothing of either is lost, and nobody is told of trouble."""
    real, todo = shutil.which("git"), tmp_path / "todo"
    todo.touch()
    theirs = (
        f"{real} -c user.name=Other -c user.email=other@example.org commit --quiet --message theirs NOTES"
    )
    program = tmp_path / "bin" / "git"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\ncase " $* " in *\' update-ref \'*) rm {todo} 2> /dev/null && {theirs};; esac\nexec {real} "$@"\n'
    )
    program.chmod(0o755)
    (place.out / "NOTES").write_text("mine")
    git(place.out, "add", "NOTES")
    place.look(Piece("z"))
    with monkeypatch.context() as beside:
        beside.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
        place.commit()
    assert not todo.exists()
    assert place.subjects == ["a: 1 added", "theirs", "a: 2 added"]
    assert git(place.out, "status", "--porcelain") == ""


def test_a_path_that_is_no_text(tmp_path: Path) -> None:
    root = Path(os.fsdecode(os.fsencode(tmp_path) + b"/\xff\n"))
    root.mkdir()
    made = repository.Repository(root, "a", "b@example.org")
    repository.begun(made)
    (root / "x").touch()
    assert repository.commit(made, ["x"])


def test_a_detached_head(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    git(place.out, "checkout", "--quiet", "--detach")
    said = refused(place, caplog)
    assert said == f"HEAD is detached; check out a branch (git switch NAME), {EVERYTHING_ELSE}"
    git(place.out, "switch", "--quiet", "main")
    caught_up(place)


def test_a_lock(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    lock = place.out / ".git/index.lock"
    lock.touch()
    said = refused(place, caplog)
    assert said == (
        f"{lock} is there: a git is at work, or was killed; if none is, remove that file. What feedd wrote is"
        " committed then"
    )
    assert lock.exists()
    lock.unlink()
    caught_up(place)


@pytest.mark.parametrize("begun", ["merge", "rebase"])
def test_something_under_way(place: Place, begun: str, caplog: pytest.LogCaptureFixture) -> None:
    git(place.out, "switch", "--quiet", "--create", "other")
    for branch in ("other", "main"):
        git(place.out, "switch", "--quiet", branch)
        (place.out / "NOTES").write_text(branch)
        git(place.out, "add", "NOTES")
        git(place.out, "commit", "--quiet", "--message", branch)
    git(place.out, begun, "other", status=1)
    assert refused(place, caplog).endswith(f"a {begun} is under way; end it, {EVERYTHING_ELSE}")
    git(place.out, begun, "--abort")
    caught_up(place)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root gives files away")
def test_a_repository_of_another_user(place: Place, caplog: pytest.LogCaptureFixture) -> None:
    for path in (place.out, place.out / ".git"):
        os.chown(path, 65_534, -1)
    assert "belongs to another user" in refused(place, caplog)
    for path in (place.out, place.out / ".git"):
        os.chown(path, 0, -1)
    caught_up(place)


def test_no_git(
    place: Place, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with monkeypatch.context() as without:
        without.setenv("PATH", str(tmp_path / "nothing"))
        assert (
            refused(place, caplog)
            == "git is not installed, so that nothing can be committed; install it, or write git = false"
        )
    caught_up(place)


def test_an_earlier_state_is_followed_up(place: Place, tmp_path: Path) -> None:
    place.look(Piece("z"))
    place.commit()
    before = files(place.out)
    git(place.out, "reset", "--quiet", "--hard", "HEAD~1")
    place.commit()
    assert files(place.out) == before
    assert place.subjects == ["a: 1 added", "a: 2 added"]
    git(tmp_path, "clone", "--quiet", "out", "elsewhere")  # moved to another machine
    shutil.rmtree(place.out)
    (tmp_path / "elsewhere").rename(place.out)
    place.look(Piece("w"))
    place.commit()
    assert place.subjects[0] == "a: 1 added"


def test_what_is_committed_is_pushed(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    made = Place(tmp_path, "push = true\n")
    made.look(Piece("x"))
    mirrors = made.over()
    assert not mirrors.catch_up()
    said = caplog.records[-1].getMessage()
    assert said.endswith("; it is committed, and pushed later to 'origin'")
    git(made.out, "remote", "add", "origin", "http://joe:s3cret@127.0.0.1:1/x.git")
    mirrors = made.over()
    assert not mirrors.catch_up()
    assert mirrors.kept[0].pushing.at_s > 0  # it is tried again after a while
    assert "127.0.0.1" in caplog.records[-1].getMessage()
    assert "s3cret" not in caplog.text
    git(tmp_path, "init", "--quiet", "--bare", "public.git")
    git(made.out, "remote", "set-url", "origin", os.fspath(tmp_path / "public.git"))
    mirrors.kept[0].pushing.at_s = 0
    assert mirrors.catch_up()
    assert caplog.records[-1].getMessage() == "archive.out: works again"
    assert git(tmp_path / "public.git", "log", "--format=%s", "main") == "a: 1 added"
    made.look(Piece("y"))
    assert mirrors.catch_up()
    assert git(tmp_path / "public.git", "log", "--format=%s", "main").splitlines()[0] == "a: 1 added"
    assert len(git(tmp_path / "public.git", "log", "--format=%s", "main").splitlines()) == 2
    made.shelf.close()


def test_nothing_is_pushed_untold(place: Place, tmp_path: Path) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "public.git")
    git(place.out, "remote", "add", "origin", os.fspath(tmp_path / "public.git"))
    place.look(Piece("z"))
    place.commit()
    assert git(tmp_path / "public.git", "branch") == ""


def test_a_remote_that_refuses(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    git(tmp_path, "init", "--quiet", "--bare", "public.git")
    hook = tmp_path / "public.git/hooks/pre-receive"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nprintf '\\033[31mnot today\\n'\nexit 1\n")
    hook.chmod(0o755)
    made = Place(tmp_path, "push = true\n")
    made.look(Piece("x"))
    made.out.mkdir()
    git(made.out, "init", "--quiet")
    git(made.out, "remote", "add", "origin", os.fspath(tmp_path / "public.git"))
    mirrors = made.over()
    assert not mirrors.catch_up()
    said = caplog.records[-1].getMessage()
    assert "(pre-receive hook declined)" in said
    assert said.endswith("; it is committed, and pushed later to 'origin'")
    git(made.out, "checkout", "--quiet", "--detach")
    hook.unlink()
    mirrors.kept[0].pushing.at_s = 0
    assert not mirrors.catch_up()
    assert "HEAD is detached" in caplog.records[-1].getMessage()
    git(made.out, "switch", "--quiet", "-")
    mirrors.kept[0].pushing.at_s = 0
    assert mirrors.catch_up()
    made.shelf.close()


@pytest.mark.parametrize("password", ["pass", "p@ss", "p\x1b[31mass"])
def test_what_git_says_is_told_without_credentials(password: str) -> None:
    said = f"hint: x\nfatal: unable to access 'https://joe:{password}@example.org/a.git/': no\x1b\n".encode()
    assert repository.reason(said) == "git says: fatal: unable to access 'https://example.org/a.git/': no"
