"""What the documentation shows: blocks of code with their languages, and the commands in them."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parent.parent.parent
MANUAL = ROOT / "share/man/man1/feedd.1"
PAGES = {path.name: path for path in (ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), MANUAL)}
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LITERAL = re.compile(r"^\.Bd -literal[^\n]*\n()(.*?)^\.Ed$", re.MULTILINE | re.DOTALL)  # of the manual page


class Shown(NamedTuple):
    """A command behind `$ `, and what the page shows of its output."""

    command: str
    output: str


def text(page: str) -> str:
    return PAGES[page].read_text(encoding="utf-8")


def blocks(page: str, language: str) -> list[str]:
    if PAGES[page] == MANUAL:
        return [each[1] for each in LITERAL.findall(text(page))] if language == "console" else []
    return [body for found, body in BLOCK.findall(text(page)) if found == language]


def commands(page: str) -> list[Shown]:
    """Those of the page's blocks of the language console, in order."""
    shown: list[Shown] = []
    for block in blocks(page, "console"):
        for line in block.splitlines():
            if line.startswith("$ "):
                shown.append(Shown(line[2:], ""))
            else:
                command, output = shown.pop()
                shown.append(Shown(command, f"{output}{line}\n"))
    return shown


def prose(page: str) -> str:
    """The page without its blocks."""
    return re.sub(r"^```.*?^```$", "", text(page), flags=re.MULTILINE | re.DOTALL)


def inline(page: str) -> list[str]:
    """The commands that stand within sentences and tables."""
    return re.findall(r"`feedd ([^`]+)`", prose(page))


def links(page: str) -> list[tuple[str, str]]:
    """(page, place in it) of those to other pages of the repository; either may be empty."""
    return re.findall(r"\]\(([^)#:]*)#?([^)]*)\)", re.sub(r"`[^`]*`", "", prose(page)).replace("](http", ""))


def anchors(path: Path) -> set[str]:
    """The headings of a page, as a link names them."""
    heads: list[str] = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", head.lower()).replace(" ", "-") for head in heads}
