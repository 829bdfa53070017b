"""`keep`: how long earlier versions are kept."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from feedd.config.keeping import EXAMPLE
from feedd.config.load import load
from feedd.config.settings import Config
from feedd.config.sources import DirectorySource
from feedd.errors import ConfigError
from feedd.keeping import kept
from feedd.store.retention import Keeps

DAY_MS = 86_400_000
SAYS_NOT = (
    'does not say what to keep; write "forever", an age such as "365d", a number of versions such as 20, a size such as'
    ' "500MB", or some of these: { age = "365d", versions = 20, size = "500MB" }'
)


def loaded(folder: Path, keep: str, more: str = "") -> Config:
    path = folder / "config.toml"
    path.write_text(f'{more}\n[sources.a]\ntype = "directory"\npath = "seeds"\n{keep and f"keep = {keep}"}\n')
    return load(path)


def mistakes(folder: Path, keep: str) -> list[str]:
    with pytest.raises(ConfigError) as raised:
        loaded(folder, keep)
    return [each.removeprefix(f"{folder}/config.toml: sources.a.") for each in raised.value.mistakes]


@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        ("", (None, None, None)),
        ('"forever"', (None, None, None)),
        ('"365d"', (365 * DAY_MS, None, None)),
        ('"12h"', (DAY_MS // 2, None, None)),
        ("20", (None, 20, None)),
        ("1", (None, 1, None)),
        ('"500MB"', (None, None, 500_000_000)),
        ('"1 GB"', (None, None, 10**9)),
        (EXAMPLE, (365 * DAY_MS, 20, 500_000_000)),
        ('{ age = "30d" }', (30 * DAY_MS, None, None)),
    ],
)
def test_what_is_kept(tmp_path: Path, keep: str, expected: tuple[int | None, ...]) -> None:
    (source,) = loaded(tmp_path, keep).sources
    assert (source.keep.age, source.keep.versions, source.keep.size) == expected
    assert source.keep.is_bounded == any(expected)


def test_defaults_are_for_every_source_that_says_nothing(tmp_path: Path) -> None:
    defaults = '[defaults]\nkeep = { age = "30d", versions = 5 }\n[sources.b]\ntype = "feed"\nurl = "https://example.org/"\n'
    config = loaded(tmp_path, '"forever"', defaults)
    assert kept(config.sources) == [Keeps("b", 30 * DAY_MS, 5, None)]
    config = loaded(tmp_path, '"2MB"', defaults)
    assert Keeps("a", None, None, 2_000_000) in kept(config.sources), "a source's own replaces all of it"


@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        ("0", [f"keep: 0 {SAYS_NOT}"]),
        ("-1", [f"keep: -1 {SAYS_NOT}"]),
        ("1000001", [f"keep: 1000001 {SAYS_NOT}"]),
        ("true", [f"keep: True {SAYS_NOT}"]),
        ("1.5", [f"keep: 1.5 {SAYS_NOT}"]),
        ("[20]", [f"keep: [20] {SAYS_NOT}"]),
        ("{}", [f"keep: {{}} {SAYS_NOT}"]),
        ('"20"', [f"keep: '20' {SAYS_NOT}"]),
        ('"for ever"', [f"keep: 'for ever' {SAYS_NOT}"]),
        ('"0d"', ["keep: '0d' is not a duration; write 30s, 10m, 1h or 1d"]),
        ('"0MB"', ["keep: '0MB' is not a size; write 500kB or 15MB"]),
        (
            '{ age = "5x", versions = 0, size = 7, days = 3 }',
            [
                "keep.age: '5x' is not a duration; write 30s, 10m, 1h or 1d",
                "keep.versions: 0 is out of bounds: should be greater than or equal to 1",
                "keep.size: 7 is not a size; write 500kB or 15MB",
                "keep.days: unknown key; known here: age, versions, size",
            ],
        ),
        ('{ versions = "3" }', ["keep.versions: '3' is not a whole number"]),
    ],
)
def test_mistakes_are_all_named(tmp_path: Path, keep: str, expected: list[str]) -> None:
    assert mistakes(tmp_path, keep) == expected


@given(
    st.one_of(
        st.text(max_size=20), st.integers(), st.floats(), st.none(), st.lists(st.integers(), max_size=2)
    )
)
def test_whatever_is_written_it_is_a_bound_or_a_mistake(value: object) -> None:
    try:
        source = DirectorySource.model_validate(
            {"name": "a", "type": "directory", "path": "x", "keep": value}
        )
    except ValidationError as error:
        assert {detail["loc"][0] for detail in error.errors()} == {"keep"}  # noqa: PT017 (or there is none)
    else:
        assert source.keep.is_bounded or value == "forever"


def test_it_changes_nothing_of_what_is_read(tmp_path: Path) -> None:
    hashes = {
        (source.extraction_hash, source.selection_hash)
        for keep in ("", "20", '"1d"')
        for source in loaded(tmp_path, keep).sources
    }
    assert len(hashes) == 1
