"""Completion, in the bash, zsh and fish that are here."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import ShellComplete
from click.testing import CliRunner

from feedd.cli.main import COMMANDS, cli

SHARE = Path(__file__).parent.parent.parent / "share"
TOML = """
include = ["more/*.toml"]
[sources.news]
type = "directory"
path = "news"
every = "a mistake"
[sources.notices]
[notify.desk]
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "config.toml").write_text(TOML)
    (tmp_path / "more").mkdir()
    (tmp_path / "more/a.toml").write_text("[sources.newest]\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def completed(*words: str) -> list[str]:
    """What the last word may become, as click is asked by any shell."""
    found = ShellComplete(cli, {}, "feedd", "_FEEDD_COMPLETE").get_completions(list(words[:-1]), words[-1])
    return [each.value for each in found]


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["up"], ["update"]),
        (["--log-f"], ["--log-format"]),
        (["update", "ne"], ["newest", "news"]),
        (["update", "news", ""], ["newest", "news", "notices"]),
        (["update", "--acc"], ["--accept-removals"]),
        (["prune", "no"], ["notices"]),
        (["test", "no"], ["notices"]),
        (["notify", ""], ["preview", "test"]),
        (["notify", "test", ""], ["desk"]),
        (["notify", "preview", "d"], ["desk"]),
        (["deliveries", "--channel", ""], ["desk"]),
        (["deliveries", "--status", "p"], ["pending"]),
        (["completion", ""], ["bash", "zsh", "fish"]),
    ],
    ids=lambda value: "_".join(value) or "none",
)
def test_words_are_completed(words: list[str], expected: list[str]) -> None:
    assert completed(*words) == expected


def test_all_commands_are_offered_without_importing_them() -> None:
    assert completed("") == list(COMMANDS)
    script = "import sys, feedd.cli.main as m, click; m.cli.shell_complete(click.Context(m.cli), ''); print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True)
    assert "pydantic" not in done.stdout.split()


@pytest.mark.parametrize("before", [True, False])
def test_the_file_that_is_named_counts(folder: Path, monkeypatch: pytest.MonkeyPatch, before: bool) -> None:
    monkeypatch.chdir("/")
    named = ["--config", os.fspath(folder / "config.toml")]
    assert completed(*(named if before else []), "update", *([] if before else named), "no") == ["notices"]


@pytest.mark.parametrize("text", [None, "[sources", "sources = 3", "include = 5", "\udcff"])
def test_nothing_is_said_where_there_is_no_configuration(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", os.fspath(tmp_path))
    if text is not None:
        Path("config.toml").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert completed("update", "") == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_the_script_says_how_to_install_it(shell: str) -> None:
    done = CliRunner().invoke(cli, ["completion", shell])
    assert done.exit_code == 0
    assert done.stdout.startswith("# To have it in each shell, put into ~/.")


# scripts that print what `feedd update ne` may become; what is sourced is $0, in fish $argv[1]
BASH = """
source "$0"; COMP_WORDS=(feedd update ne); COMP_CWORD=2; _feedd_completion feedd
printf "%s\\n" "${COMPREPLY[@]}"
"""
FISH = 'source "$argv[1]"; complete -C "feedd update ne"'
ZSH = """
fpath=("${0:h}" $fpath); autoload -U compinit; compinit -D
compadd() { print -l $completions }
words=(feedd update ne); CURRENT=3; autoload -U _feedd; _feedd
"""
SHELLS = [
    ("bash --norc -c", BASH, "bash-completion/completions/feedd"),
    ("fish --no-config -c", FISH, "fish/vendor_completions.d/feedd.fish"),
    ("zsh -f -c", ZSH, "zsh/site-functions/_feedd"),
]


@pytest.mark.parametrize(("shell", "script", "file"), SHELLS, ids=["bash", "fish", "zsh"])
def test_real_shells(folder: Path, shell: str, script: str, file: str) -> None:
    words = shell.split()
    if shutil.which(words[0]) is None:
        pytest.skip(f"there is no {words[0]} here")
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    environment = {"PATH": path, "HOME": os.fspath(folder), "TERM": "dumb"}
    command = [*words, script, os.fspath(SHARE / file)]
    done = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, encoding="utf-8", timeout=60
    )
    assert (done.stdout.split(), done.stderr) == (["newest", "news"], "")
