"""`feedd test`: what a look at a source, or at an address, would bring. Nothing is written."""

import asyncio
from pathlib import Path
from typing import Any

import click
from pydantic import ValidationError

from feedd import shapes
from feedd.cli.common import (
    Decorated,
    config_option,
    configuration,
    cut,
    day,
    json_option,
    limit_option,
    print_json,
    table,
)
from feedd.cli.completing import names_in
from feedd.config.settings import Config
from feedd.config.sources import TYPES, PageSource, Source, WebSource
from feedd.config.words import in_words
from feedd.dry_run import dry_run
from feedd.errors import UsageError
from feedd.looks import named
from feedd.pipeline import tools
from feedd.store.reader import Reader

SELECTORS = ("entry", "title", "link", "date", "summary", "image", "author", "next_page", "content", "select")
SETTINGS = (*SELECTORS, "date_format", "timezone", "language")


def selecting(command: Decorated) -> Decorated:
    """The keys of a page as options."""
    for name in reversed(SETTINGS):
        option = f"--{name.replace('_', '-')}"
        what = "selector" if name in SELECTORS else "setting"
        command = click.option(option, name, metavar="TEXT", help=f"The {what} {name}, with an address.")(
            command
        )
    return command


@click.command()
@click.argument("what", metavar="SOURCE|URL", shell_complete=names_in("sources"))
@click.option(
    "--type", "kind", type=click.Choice(["feed", "page", "watch", "sitemap"]), help="With an address."
)
@selecting
@click.option("--allow-private", is_flag=True, help="With an address: it may be a private one.")
@limit_option
@json_option
@config_option
def test(config_path: Path | None, what: str, limit: int | None, *, as_json: bool, **given: Any) -> None:
    """Show what a look at a source, or at an address, would bring. Nothing is written."""
    config = configuration(config_path)
    if "://" in what:
        source = source_at(config, what, {key: value for key, value in given.items() if value})
    else:
        (source,) = named(config, [what])
        if chosen := {key: value for key, value in given.items() if value}:
            source = changed(config, source, chosen)
    found = asyncio.run(looked(config, source))
    items: list[dict[str, Any]] = found["items"][:limit]
    if as_json:
        print_json({**found, "items": items})
        return
    print_found(found, items)


async def looked(config: Config, source: Source) -> shapes.Shape:
    async with tools(config) as kit:
        return await dry_run(source, Reader(config.store.path), kit)


def source_at(config: Config, url: str, given: dict[str, Any]) -> Source:
    """A source that is nowhere written, made of options. Raises UsageError."""
    kind = given.pop("kind", None) or (
        "page" if "entry" in given else "watch" if "select" in given else "feed"
    )
    model = TYPES[kind]
    if strange := sorted(given.keys() - model.model_fields.keys()):
        options = ", ".join(f"--{name.replace('_', '-')}" for name in strange)
        raise UsageError(f"{options}: a source of type {kind} has no such setting")
    if kind == "feed" and "content" in given:
        given["full_text"] = True
    shared = {
        name: getattr(config.fetch, name)
        for name in model.model_fields.keys() & type(config.fetch).model_fields.keys()
    }
    try:
        made: Source = model.model_validate({"name": "test", "type": kind, "url": url, **given})
    except ValidationError as error:
        wrong = (
            f"{'.'.join(map(str, each['loc'])) or 'url'}: {in_words(each, ())}" for each in error.errors()
        )
        raise UsageError("\n".join(wrong)) from error
    return made.model_copy(update={name: value for name, value in shared.items() if name not in given})


def changed(config: Config, source: Source, given: dict[str, Any]) -> Source:
    """The source with other settings than are written down. Raises UsageError."""
    if not isinstance(source, WebSource):
        raise UsageError(f"{source.name} is no source of the web: options are for those, and for addresses")
    kept = {"entry": source.entry} if isinstance(source, PageSource) else {}
    other = source_at(config, source.url, {**kept, **given, "kind": source.type})
    return source.model_copy(update={name: getattr(other, name) for name in given if name != "kind"})


def print_found(found: shapes.Shape, items: list[dict[str, Any]]) -> None:
    rows = (
        (
            each["decision"],
            "guessed" if each["date_guessed"] else day(each["published"]),
            cut(each["title"], 50),
            cut(each["url"], 70),
        )
        for each in items
    )
    table(("decision", "published", "title", "url"), rows)
    if found["note"]:
        click.echo(found["note"])
    for each in found["rejected"]:
        click.echo(f"rejected {each['where']}: {each['reason']}")
