"""The shape of the code: who may import whom, and how large things are."""

import ast
import re
import subprocess
import sys
import tomllib
from functools import cache
from graphlib import TopologicalSorter
from importlib.metadata import packages_distributions
from itertools import pairwise
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "feedd"
FILES = sorted(PACKAGE.rglob("*.py"))
LARGEST_FILE = 400
LARGEST_FUNCTION = 50
POSSESSIVE = r"(?:[*+?]|\{[0-9,]+\})\+"
POSSESSIVE_GROUP = re.compile(r"(?<![(\\])\)" + POSSESSIVE)  # `()*+` stands among the characters of addresses


def name_of(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(path): ast.parse(path.read_text()) for path in FILES}


@cache
def imported(tree: ast.Module) -> set[str]:
    """Every module that is imported anywhere in a file."""
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports name their module in full"
            assert node.module is not None
            within = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= (within & set(MODULES)) or {node.module}
    return found


def test_imports_go_one_way() -> None:
    graph = {name: imported(tree) & set(MODULES) for name, tree in MODULES.items()}
    order = list(TopologicalSorter(graph).static_order())  # raises CycleError
    assert len(order) == len(MODULES)


@pytest.mark.parametrize(
    ("lower", "upper"),
    [
        ("feedd.errors", "feedd"),
        ("feedd.model", "feedd"),
        ("feedd.decide", "feedd.store"),
        ("feedd.normalise", "feedd.store"),
        ("feedd.normalise", "feedd.sources"),
        ("feedd.sources", "feedd.store"),
        ("feedd.sources", "feedd.config"),
        ("feedd.fetch", "feedd.sources"),
        ("feedd.fetch", "feedd.store"),
        ("feedd.fetch", "feedd.config"),
        ("feedd.collect", "feedd.store"),
        ("feedd.rules", "feedd.normalise"),
        ("feedd.store", "feedd.publish"),
        ("feedd.store", "feedd.web"),
        ("feedd.store", "feedd.config"),
        ("feedd.publish", "feedd.web"),
        ("feedd.publish", "feedd.sources"),
        ("feedd.mirror", "feedd.web"),
        ("feedd.mirror", "feedd.cli"),
        ("feedd.mirror", "feedd.daemon"),
        ("feedd.store", "feedd.mirror"),
        ("feedd.publish", "feedd.mirror"),
        ("feedd.pipeline", "feedd.web"),
        ("feedd.pipeline", "feedd.publish"),
        ("feedd.pipeline", "feedd.cli"),
        ("feedd.web", "feedd.daemon"),
        ("feedd.web", "feedd.site"),
        ("feedd.site", "feedd.daemon"),
        ("feedd.site", "feedd.cli"),
        ("feedd.web", "feedd.cli"),
        ("feedd.service", "feedd.store"),
        ("feedd.service", "feedd.daemon"),
        ("feedd.daemon", "feedd.cli"),
        ("feedd.cluster", "feedd.web"),
        ("feedd.cluster", "feedd.daemon"),
        ("feedd.cluster.worker", "feedd.store"),
        ("feedd.collect", "feedd.cluster"),
        ("feedd.reading", "feedd.cluster"),
    ],
)
def test_the_lower_knows_nothing_of_the_upper(lower: str, upper: str) -> None:
    for name, tree in MODULES.items():
        if name == lower or name.startswith(f"{lower}."):
            assert not {each for each in imported(tree) if each == upper or each.startswith(f"{upper}.")}, (
                name
            )


@pytest.mark.parametrize(
    ("library", "only"),
    [
        ("apscheduler", {"feedd.schedule"}),
        ("feedgen", {"feedd.publish.syndication"}),
        ("sqlite_utils", {"feedd.store.migrations"}),
        ("brotli", {"feedd.fetch.body", "feedd.site.coding"}),
        ("zstandard", {"feedd.store.pack", "feedd.fetch.body"}),
        ("tomlkit", {"feedd.exchange.toml_file"}),
        ("feedparser", {"feedd.sources.feed.fallback"}),
        ("readability", {"feedd.sources.article"}),
        ("protego", {"feedd.fetch.robots"}),
        ("distributed", {"feedd.cluster.link"}),
        ("publicsuffixlist", {"feedd.window"}),
        ("watchfiles", {"feedd.daemon.watching"}),
        ("nh3", {"feedd.normalise.html"}),
        ("standardwebhooks", {"feedd.notify.webhook"}),
        ("aiosmtplib", {"feedd.notify.email"}),
        ("apprise", {"feedd.notify.apprise_way"}),
        ("prometheus_client", {"feedd.web.metrics"}),
        ("jinja2", {"feedd.web.pages", "feedd.notify.sandbox"}),
    ],
)
def test_a_library_is_known_in_one_place(library: str, only: set[str]) -> None:
    knowing = {
        name for name, tree in MODULES.items() if library in {each.split(".")[0] for each in imported(tree)}
    }
    assert knowing == only


def test_fastapi_is_known_in_the_api_alone() -> None:
    knowing = {
        name for name, tree in MODULES.items() if any(each.startswith("fastapi") for each in imported(tree))
    }
    assert knowing
    assert all(name.startswith("feedd.api.") for name in knowing)


def test_what_is_imported_is_declared_and_nothing_else() -> None:
    """One whose dependency it is may do without it tomorrow."""
    found = {each.split(".")[0] for tree in MODULES.values() for each in imported(tree)}
    ours = found - sys.stdlib_module_names - {"feedd"}
    providers = packages_distributions()
    needed = {normal(name) for module in ours for name in providers[module]}
    project = tomllib.loads((PACKAGE.parent / "pyproject.toml").read_text())["project"]
    required = [*project["dependencies"], *project["optional-dependencies"]["cluster"]]
    declared = {normal(re.split(r"[^\w.-]", each)[0]) for each in required}
    assert declared - {"httptools"} == needed  # uvicorn reads requests with it where it is there


def normal(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def test_packages_are_empty() -> None:
    for path in FILES:
        if path.name == "__init__.py" and path.parent != PACKAGE:
            assert path.read_bytes() == b"", path


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nothing_is_too_large(path: Path) -> None:
    text = path.read_text()
    assert text.count("\n") <= LARGEST_FILE
    for node in ast.walk(MODULES[name_of(path)]):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno < LARGEST_FUNCTION, node.name


def test_no_group_of_a_pattern_is_possessive() -> None:
    """Python before 3.11.5 matches such a group wrongly (gh-106052): `(?:ab?c)*+` is all of "a".

    One that looks behind may end before it began, and is found for ever. Single characters and classes may be possessive,
    and what is put into a pattern by its name may be if it is a class. A group is plain: where each alternative begins
    with a character of its own, nothing is tried twice. What it must not give back, a lookahead behind it forbids. Each
    repetition takes 0.1 kB until the match ends: of what is large, `{0,100}` bounds it.
    """
    for name, tree in MODULES.items():
        for node in ast.walk(tree):
            match node:
                case ast.Constant(value=str(text)):
                    assert not POSSESSIVE_GROUP.search(text), (name, node.lineno)
                case ast.JoinedStr(values=parts):
                    for part, behind in pairwise(parts):
                        match part, behind:
                            case ast.FormattedValue(value=ast.Name(id=put_in)), ast.Constant(value=str(text)):
                                if re.match(POSSESSIVE, text):
                                    assert is_class(put_in, tree), (name, node.lineno)


def is_class(constant: str, tree: ast.Module) -> bool:
    """Whether that constant of a module is the pattern of one character."""
    for node in tree.body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name == constant:
                first = value.values[0] if isinstance(value, ast.JoinedStr) else value
                return isinstance(first, ast.Constant) and str(first.value).startswith("[")
    return False


def test_worker_processes_stay_small() -> None:
    """What is imported to read files and documents is imported once a process: it takes time, and counts in its memory."""
    script = (
        "import sys, feedd.__main__, feedd.worker, feedd.reading, feedd.sources.files; print(*sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True)
    loaded = {name.split(".")[0] for name in done.stdout.split()}
    large = {
        "pydantic",
        "sqlite_utils",
        "sqlite3",
        "feedgen",
        "starlette",
        "uvicorn",
        "apscheduler",
        "click",
        "jinja2",
        "httpx",
        "httpcore",
        "asyncio",
    }
    assert not loaded & large


def test_help_needs_little() -> None:
    script = "import sys, feedd.cli.main; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, encoding="utf-8", check=True)
    assert not {name.split(".")[0] for name in done.stdout.split()} & {
        "pydantic",
        "starlette",
        "lxml",
        "feedgen",
    }
