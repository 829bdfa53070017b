"""The manual page: it says what the commands take, and nothing else, and formatters find no fault with it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from commanding import commands, options

ROOT = Path(__file__).parent.parent.parent
PAGE = ROOT / "share/man/man1/feedd.1"
HEADS = {
    " ".join(re.findall(r"[a-z-]+", re.split(r" (?:Oo|Ar|Cm (?=bash)) ?", head)[0].replace("Cm ", ""))): head
    for head in re.findall(r"^\.It Cm (.+)$", PAGE.read_text(), re.MULTILINE)
}
COMMANDS = dict(commands())


def shown(head: str) -> set[str]:
    """The options that a heading of the page names, as they are typed."""
    return {
        "-" + each
        for group in re.findall(r"Fl (.+?)(?= Oc| Ar| Cm|$)", head)
        for each in re.split(r" \| (?:Fl )?", group)
        if each
    }


def test_every_command_is_in_it_and_no_other() -> None:
    assert set(HEADS) == set(COMMANDS)


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_option_is_in_it_and_no_other(name: str) -> None:
    taken = list(options(COMMANDS[name]))
    there = shown(HEADS[name])
    assert [each for each in taken if there.isdisjoint(each)] == [], f"not in the item of '{name}' in {PAGE}"
    assert there <= {spelling for each in taken for spelling in each}


@pytest.mark.parametrize("checker", ["mandoc -T lint -W warning", "groff -man -mdoc -T utf8 -ww -z"])
def test_formatters_find_no_fault(checker: str) -> None:
    program, *_ = checker.split()
    if shutil.which(program) is None:
        pytest.skip(f"there is no {program} here")
    done = subprocess.run([*checker.split(), PAGE], capture_output=True, encoding="utf-8")
    faults = [line for line in (done.stdout + done.stderr).splitlines() if "outdated mandoc.db" not in line]
    assert faults == []
