"""`feedd diff`: what differs between two versions of an entry."""

import os
from collections.abc import Sequence
from html import escape
from pathlib import Path

import click

from feedd.changes.markup import inline, reasons_html
from feedd.changes.terminal import coloured
from feedd.changes.unified import CONTEXT, unified
from feedd.cli.common import config_option, configuration, json_option, print_json
from feedd.comparison import Comparison, compared, newest_pair, numbered
from feedd.errors import UsageError
from feedd.harmless import harmless
from feedd.lookup import find_entry
from feedd.store.reader import Reader, Revision

WHOLE = 2**31  # lines of context: more than there are


@click.command()
@click.argument("entry", metavar="ENTRY")
@click.argument("pair", metavar="[A B]", nargs=-1, type=click.IntRange(1))
@click.option(
    "--format",
    "form",
    type=click.Choice(["terminal", "unified", "html"]),
    default="terminal",
    show_default=True,
)
@click.option("--full", is_flag=True, help="Show what is unchanged, too.")
@json_option
@config_option
def diff(
    config_path: Path | None, entry: str, pair: tuple[int, ...], form: str, *, full: bool, as_json: bool
) -> None:
    """Show what differs between two versions of an entry: of A and B, as `history` numbers them.

    Without numbers: between the version that is shown and the one before it in its source.
    """
    config = configuration(config_path)
    reader = Reader(config.store.path)
    found = find_entry(reader, config, entry)
    comparison = compared(reader, *chosen(reader.history(found.id), pair, found.source))
    if as_json:
        print_json(comparison.shape)
        return
    click.echo(rendered(comparison, form, full=full), color=wanted_colour(), nl=False)


def chosen(history: Sequence[Revision], pair: tuple[int, ...], source: str) -> tuple[Revision, Revision]:
    """Raises UsageError."""
    if not pair:
        return newest_pair(history, source)
    if len(pair) != 2:
        raise UsageError(f"name two versions to compare, or none: not {len(pair)}")
    return numbered(history, pair[0]), numbered(history, pair[1])


def wanted_colour() -> bool | None:
    """False where the environment wants none (no-color.org); None: wherever there is a terminal."""
    return False if os.environ.get("NO_COLOR") else None


def rendered(comparison: Comparison, form: str, *, full: bool) -> str:
    _, new, what, judged = comparison
    before, now = comparison.names
    if form == "unified":
        return unified(what, before, now, context=WHOLE if full else CONTEXT)
    if form == "html":
        title = escape(harmless(new.title))
        top = f"<!doctype html>\n<meta charset=utf-8>\n<title>{title}</title>\n"
        about = f"<p>{escape(before)} → {escape(now)}: {judged.level}</p>\n"
        return top + about + reasons_html(judged.reasons) + inline(what, context=None if full else 1)
    about = f"{before} → {now}\n"
    reasons = "".join(f"  {harmless(reason)}\n" for reason in judged.reasons)
    text = coloured(what, context=None if full else 1)
    return f"{click.style(about, bold=True)}{judged.level}\n{reasons}\n{text}"
