"""Every configuration that the documentation shows is one, with what it takes for granted beside it."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
import tomlkit
from pages import PAGES, ROOT, blocks

from feedd.config.load import load

# what blocks refer to and do not show; a table that a block has itself takes its place
GRANTED = """
[sources.rfi]
type = "directory"
path = "rfi"
tags = ["zh"]
[sources.minutes]
type = "directory"
path = "minutes"
[feeds.japan]
[notify.editors]
type = "email"
host = "mail.example.org"
from = "feedd@example.org"
to = ["editors@example.org"]
"""
SHOWN = [
    pytest.param(block, id=f"{page}-{number}")
    for page in PAGES
    for number, block in enumerate(blocks(page, "toml"), 1)
]


def completed(shown: dict[str, Any], granted: dict[str, Any]) -> dict[str, Any]:
    """What is shown, and what is granted of what it lacks."""
    whole = {**granted, **shown}
    for key in shown.keys() & granted.keys():
        if isinstance(shown[key], dict) and isinstance(granted[key], dict):
            is_whole = "type" in shown[key]
            whole[key] = shown[key] if is_whole else completed(shown[key], granted[key])
    return whole


@pytest.mark.parametrize("block", SHOWN)
def test_it_is_a_configuration(block: str, tmp_path: Path) -> None:
    (tmp_path / "desk.txt.j2").write_text("{{ headline }}", encoding="utf-8")
    for name in ("ca.pem", "node.pem", "node.key"):
        (tmp_path / name).touch()
    path = tmp_path / "config.toml"
    path.write_text(tomlkit.dumps(completed(tomllib.loads(block), tomllib.loads(GRANTED))), encoding="utf-8")
    load(path)


def test_what_is_commented_out_is_right_too(tmp_path: Path) -> None:
    """In the configuration that comes along."""
    text = (ROOT / "config.toml").read_text(encoding="utf-8")
    lines = [line.removeprefix("# ") for line in text.splitlines()]
    kept = [line for line in lines if line.startswith("[") or " = " in line]
    (tmp_path / "config.toml").write_text("\n".join(kept), encoding="utf-8")
    assert load(tmp_path / "config.toml").channels
