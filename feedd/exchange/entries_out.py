"""Entries as files that other programs read: seed files."""

import os
from collections.abc import Iterable
from html import escape
from pathlib import Path

from feedd.errors import FeeddError, SeedError
from feedd.normalise.url import shown
from feedd.sources.seedfile import Seed, one_line, render
from feedd.store.reader import Entry


def seed_of(entry: Entry) -> Seed:
    """The version that is shown. A time that was guessed is not stated; what has no text but its title says that."""
    stated = None if entry.date_guessed else entry.published_ms
    title = " ".join(entry.title.split())
    body = one_line(entry.content_html) or f"<p>{escape(title or entry.url, quote=False)}</p>"
    return Seed(stated, title, entry.url, body)


def write_seeds(entries: Iterable[Entry], folder: Path) -> tuple[int, list[tuple[str, str]]]:
    """One file an entry, named by its uid and with its time; how many, and what could not be written and why.

    Raises FeeddError where the folder can't be written.
    """
    written, skipped = 0, []
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for entry in entries:
            try:
                text = render(seed_of(entry))
            except SeedError as error:
                skipped.append((shown(entry.url), str(error)))
                continue
            file = folder / f"{entry.uid}.md"
            file.write_text(text, encoding="utf-8", newline="")
            os.utime(file, ns=(entry.published_ms * 1_000_000,) * 2)
            written += 1
    except OSError as error:
        raise FeeddError(f"{folder} can't be written: {error.strerror}") from error
    return written, skipped
