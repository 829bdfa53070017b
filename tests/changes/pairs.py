"""Labelled pairs of versions.

A line is a level and a text, in which `{old|new}` is what differs; `\\u00ad` is a character that can't be seen.
"""

import re
from pathlib import Path
from typing import NamedTuple

from feedd.changes.compare import compare
from feedd.changes.significance import judge
from feedd.changes.values import Content, Judged
from feedd.model import Significance

FOLDER = Path(__file__).parent.parent / "data" / "changes"
ESCAPE = re.compile(r"\\u([0-9a-f]{4})")
CHOICE = re.compile(r"\{([^{}|]*)\|([^{}|]*)\}")
LANGUAGES = ("en", "fr", "zh", "ja", "ar")


class Pair(NamedTuple):
    level: Significance
    why: str
    old: str
    new: str


def pairs(name: str) -> list[Pair]:
    """The pairs of a table; why they are so stands above them, behind a `#`."""
    found, why = [], ""
    for line in (FOLDER / f"{name}.tsv").read_text(encoding="utf-8").split("\n"):
        if line.startswith("#"):
            why = line.strip("# ")
        elif line:
            level, text = ESCAPE.sub(lambda found: chr(int(found[1], 16)), line).split("\t")
            found.append(Pair(Significance(level), why, as_html(text, 1), as_html(text, 2)))
    return found


def as_html(text: str, version: int) -> str:
    chosen = CHOICE.sub(lambda found: found[version], text)
    return chosen if chosen.startswith("<") else f"<p>{chosen}</p>"


def judged(old: str, new: str, *, live: bool = False) -> Judged:
    return judge(compare(Content("Title", old), Content("Title", new)), live=live)
