"""The pages of an archive, as Markdown: a list of the newest articles for each folder, and one of the folders. Pure.

Titles are of strangers: nothing in one is Markdown or HTML.
"""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from feedd.changes.escaping import escaped
from feedd.changes.plain import readable

DAY_MS = 86_400_000
# what would end an address in angle brackets (CommonMark section 6.3), as URLs spell it
ENDS_ADDRESS = {ord(char): f"%{ord(char):02X}" for char in "<>\\ \t\r\n"}
REFERENCE = re.compile(r"&(?=#|\w+;)")  # what would be read as another character (section 2.5)
LONGEST_TITLE = 300  # characters


class Line(NamedTuple):
    """An article of a list."""

    time_ms: int
    title: str
    url: str
    file: str  # its path below the archive's folder
    removed_ms: int | None


def day(time_ms: int) -> str:
    try:
        return datetime.fromtimestamp(time_ms // DAY_MS * 86_400, UTC).date().isoformat()
    except (ValueError, OverflowError, OSError):
        return "????-??-??"


def heading(title: str) -> str:
    """A title of strangers, as text in one line of Markdown."""
    line = " ".join(title.split())
    return escaped(readable(line if len(line) <= LONGEST_TITLE else f"{line[:LONGEST_TITLE]}…"))


def address(url: str) -> str:
    return f"<{REFERENCE.sub('&amp;', url.translate(ENDS_ADDRESS))}>"


def list_page(title: str, folder: str, lines: Iterable[Line]) -> str:
    """The newest articles of a folder, the newest first."""
    listed = list(map(spelled, lines))
    what = f"The newest {len(listed):,}" if listed else "None so far"
    head = f"# {heading(title)}\n\n{what}; all articles are in the folder [{folder}]({folder}/).\n"
    return "\n".join([head, *listed, ""]) if listed else head


def spelled(line: Line) -> str:
    title = heading(line.title) or "(no title)"
    text = f"- {day(line.time_ms)} [{title}]({line.file}) ([original]({address(line.url)}))"
    return text if line.removed_ms is None else f"{text}, removed there by {day(line.removed_ms)}"


def index_page(folders: Iterable[tuple[str, str]]) -> str:
    """Names and titles of folders: one line each, with links to the list and to the folder."""
    lines = [f"- [{heading(title)}]({name}.md), files in [{name}]({name}/)" for name, title in folders]
    return "\n".join(["# Archive", "", *lines, ""])
