"""The wheel and the sdist: nothing that feedd needs is missing in them, and nothing else is in them."""

import os
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hatchling import build

from feedd import __version__

ROOT = Path(__file__).parent.parent.parent
KEPT_OUT = {"__pycache__", ".mypy_cache", ".hypothesis", ".pytest_cache"}


def files(*folders: str) -> Iterator[str]:
    """The files of the checkout, as paths below it."""
    for folder in folders:
        for path in (ROOT / folder).rglob("*"):
            if path.is_file() and KEPT_OUT.isdisjoint(path.parts):
                yield path.relative_to(ROOT).as_posix()


def made(kind: Callable[[str], str], source: Path, folder: Path) -> Path:
    """The package that is built from `source`, without a network."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(source)  # a build goes on in the folder of the project (PEP 517)
        return folder / kind(os.fspath(folder))


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(build.build_wheel, ROOT, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="module")
def unpacked(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds what is in the wheel."""
    assert wheel.name == f"feedd-{__version__}-py3-none-any.whl"
    folder = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(folder)
    return folder


def test_the_wheel_holds_the_package_and_what_is_shared(unpacked: Path) -> None:
    held = {each.relative_to(unpacked).as_posix() for each in unpacked.rglob("*") if each.is_file()}
    info, data = f"feedd-{__version__}.dist-info/", f"feedd-{__version__}.data/data/"
    assert {each for each in held if not each.startswith((info, data))} == set(files("feedd"))
    assert {each.removeprefix(data) for each in held if each.startswith(data)} == set(files("share"))
    assert "feedd = feedd.__main__:main" in (unpacked / info / "entry_points.txt").read_text()


def test_feedd_runs_from_it(unpacked: Path, tmp_path: Path) -> None:
    environment = {**os.environ, "PYTHONPATH": os.fspath(unpacked)}
    script = "import sys, feedd.__main__ as it; print(it.__file__, file=sys.stderr); it.main()"
    command = [sys.executable, "-P", "-c", script, "--version"]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, encoding="utf-8")
    assert done.stdout == f"feedd, version {__version__}\n", done.stderr
    assert done.stderr.startswith(os.fspath(unpacked))


def test_the_sdist_holds_what_people_need_to_go_on(wheel: Path, tmp_path: Path) -> None:
    path = made(build.build_sdist, ROOT, tmp_path)
    top = path.name.removesuffix(".tar.gz")
    with tarfile.open(path) as sdist:
        held = {each.removeprefix(f"{top}/") for each in sdist.getnames()}
        sdist.extraction_filter = getattr(tarfile, "data_filter", None)  # which Python before 3.11.4 has not
        sdist.extractall(tmp_path)
    wanted = set(files("feedd", "share", "docs", "systemd", "seeds", "bench", "tests"))
    assert wanted - held == set()
    assert {"README.md", "LICENSE", "CHANGELOG.md", "Makefile", "pyproject.toml", "config.toml"} <= held
    assert [each for each in held if not KEPT_OUT.isdisjoint(each.split("/"))] == []
    (tmp_path / "again").mkdir()
    again = made(build.build_wheel, tmp_path / top, tmp_path / "again")
    assert again.read_bytes() == wheel.read_bytes(), "a wheel that is built from it is another one"
