"""How many files a configuration needs, and what is said where so many may not be open."""

from pathlib import Path

import pytest

from feedd.config.load import load
from feedd.needs import enough_files, files_needed, spare_files


def test_more_of_everything_needs_more(tmp_path: Path) -> None:
    config = tmp_path / "config.toml"

    def needed(text: str) -> int:
        config.write_text(text)
        return files_needed(load(config))

    bare = needed("")
    assert needed("[fetch]\nconcurrency = 100\n") > bare
    assert needed(f'[sources.a]\ntype = "directory"\npath = "{tmp_path}"\nwatch = true\n') > bare
    assert needed('[notify.a]\ntype = "file"\npath = "x.jsonl"\n') > bare


@pytest.mark.parametrize(("limit", "is_said"), [(64, True), (1_024, False)])
def test_too_few_are_said(tmp_path: Path, limit: int, *, is_said: bool) -> None:
    (tmp_path / "config.toml").write_text("")
    said = enough_files(load(tmp_path / "config.toml"), limit)
    assert (said is not None) is is_said
    if said is not None:
        assert said.startswith(
            f"{limit} files and connections may be open at once, and this configuration may need "
        )
        assert said.endswith("raise it: LimitNOFILE= in the unit, or ulimit -n")


def test_what_is_left_for_workers_of_a_cluster(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("")
    config = load(tmp_path / "config.toml")
    assert spare_files(config, files_needed(config) + 7) == 7
    assert spare_files(config, 10) == 0
