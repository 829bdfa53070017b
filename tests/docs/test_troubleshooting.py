"""What the table of troubles quotes is what feedd says."""

import errno
import os
import re
from pathlib import Path

import pytest
from pages import text

import feedd

TABLE = text("operating.md").partition("## Troubleshooting")[2].partition("\n## ")[0]
SAID = "".join(path.read_text(encoding="utf-8") for path in Path(feedd.__file__).parent.rglob("*.py"))
SYSTEM = {os.strerror(number) for number in errno.errorcode}  # what the operating system says
QUOTED = [
    quoted
    for line in TABLE.splitlines()
    for quoted in re.findall(r"`([^`]+)`", line.split("|")[1] if line.startswith("| ") else "")
    if " " in quoted and " = " not in quoted
]


def pieces(quoted: str) -> list[str]:
    """What stands between the parts that differ: an ellipsis, a number, the file."""
    return [each.strip(" :,") for each in re.split(r"…|\b\d+\b|config.toml", quoted) if each.strip(" :,")]


@pytest.mark.parametrize("quoted", QUOTED)
def test_feedd_says_so(quoted: str) -> None:
    assert [each for each in pieces(quoted) if each not in SAID and each not in SYSTEM] == []


def test_there_are_some() -> None:
    assert len(QUOTED) > 10
