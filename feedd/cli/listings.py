"""The commands that show what the store holds: sources, feeds, entries, show, history, explain."""

from collections.abc import Iterable
from itertools import islice
from pathlib import Path

import click

from feedd import shapes
from feedd.cli.common import (
    config_option,
    configuration,
    cut,
    day,
    json_option,
    listing,
    print_json,
    print_json_list,
    table,
)
from feedd.comparison import numbered
from feedd.config.settings import Config
from feedd.config.sources import Source
from feedd.harmless import harmless
from feedd.lookup import explain as explained
from feedd.lookup import find_entry
from feedd.publish.cache import feeds_of
from feedd.store.proposals import Proposed, in_words
from feedd.store.reader import Entry, Reader, SourceRow

ON_TERMINAL = 50
SHOWN = ("title", "url", "published", "updated", "removed", "sources", "revisions", "image")
SHOWN_OF_VERSION = (*SHOWN, "revision", "source", "seen_at", "change", "significance", "reasons")


@click.command()
@listing
def sources(config_path: Path | None, limit: int | None, since: int | None, *, as_json: bool) -> None:
    """List the sources, how they are, and when they are looked at next."""
    config = configuration(config_path)
    reader = Reader(config.store.path)
    rows = {row.name: row for row in reader.sources()}
    proposed: dict[str, list[Proposed]] = {}
    for each in reader.proposals():
        proposed.setdefault(each.source, []).append(each)
    configured = ((source, rows.get(source.name, unseen(source))) for source in config.sources)
    chosen = [
        shapes.source(row, proposed.get(source.name, ()), paused=source.paused)
        for source, row in configured
        if since is None or (row.last_changed_ms or 0) >= since
    ][:limit]
    if as_json:
        print_json(chosen)
        return
    heads = ("name", "entries", "last checked", "last changed", "next check", "state")
    lines = (
        (
            each["name"],
            each["entries"],
            day(each["last_checked"]),
            day(each["last_changed"]),
            day(each["next_check"]),
            each["error"] or each["note"] or each["next_check_because"] or "not looked at yet",
        )
        for each in chosen
    )
    table(heads, lines)
    for shape in chosen:
        for proposal in proposed.get(shape["name"], ()):
            click.echo(f"{proposal.source}: {in_words(proposal)}")


def unseen(source: Source) -> SourceRow:
    """A source that no pass has looked at."""
    return SourceRow(
        0, source.name, source.type, source.location, True, 0, 0, None, None, None, None, 0, None
    )


@click.command()
@listing
def feeds(config_path: Path | None, limit: int | None, since: int | None, *, as_json: bool) -> None:
    """List the feeds and their addresses."""
    config = configuration(config_path)
    served = feeds_of(config, Reader(config.store.path))
    chosen = []
    for plan in served.plans.values():
        document = served.outline(plan.name, plan.limit)
        updated = document.updated_ms or None
        if since is None or (updated or 0) >= since:
            chosen.append(shapes.feed(plan, len(document.entries), updated, served.base_url))
    if as_json:
        print_json(chosen[:limit])
        return
    lines = ((each["name"], each["title"], each["entries"], each["urls"]["atom"]) for each in chosen[:limit])
    table(("name", "title", "entries", "address"), lines)


@click.command()
@listing
def entries(config_path: Path | None, limit: int | None, since: int | None, *, as_json: bool) -> None:
    """List entries, newest first."""
    config = configuration(config_path)
    reader = Reader(config.store.path)
    found = (each for each in newest(reader, config) if since is None or each.updated_ms >= since)
    if as_json:
        print_json_list(map(shapes.entry, islice(found, limit)))
        return
    rows = map(shapes.entry, islice(found, limit or ON_TERMINAL))
    table(
        ("id", "published", "title", "sources", "revisions"),
        (
            (
                row["id"],
                day(row["published"]),
                cut(row["title"], 60),
                ", ".join(row["sources"]),
                row["revisions"],
            )
            for row in rows
        ),
    )


def newest(reader: Reader, config: Config) -> Iterable[Entry]:
    """All entries that are there, in the order of feeds."""
    priorities = {source.name: source.priority for source in config.sources}
    ids = reader.entry_ids(None, removed=False)
    while some := list(islice(ids, 500)):
        yield from reader.entries(some, priorities)


@click.command()
@click.argument("entry", metavar="ENTRY")
@click.option("--revision", metavar="N", type=click.IntRange(1), help="An earlier version, by its number.")
@json_option
@config_option
def show(config_path: Path | None, entry: str, revision: int | None, *, as_json: bool) -> None:
    """Show an entry: by its number, its uid, or its URL in any spelling."""
    config = configuration(config_path)
    reader = Reader(config.store.path)
    found = find_entry(reader, config, entry)
    version = numbered(reader.history(found.id), revision) if revision is not None else None
    if version is not None:
        found = reader.entry_as(found, version)
    language = next((source.language for source in config.sources if source.name == found.source), None)
    shape = shapes.version(found, version, language) if version else shapes.entry_in_full(found, language)
    if as_json:
        print_json(shape)
        return
    values = dict[str, object](shape)
    for key in SHOWN_OF_VERSION if version else SHOWN:
        value = values[key]
        said = ", ".join(value) if isinstance(value, list) else value
        click.echo(f"{key + ':':14}{said if said is None else harmless(str(said))}")
    click.echo("\n" + "\n".join(map(harmless, shape["text"].split("\n"))))


@click.command()
@click.argument("entry", metavar="ENTRY")
@listing
def history(
    config_path: Path | None, entry: str, limit: int | None, since: int | None, *, as_json: bool
) -> None:
    """List the versions of an entry, in order of arrival."""
    config = configuration(config_path)
    reader = Reader(config.store.path)
    found = find_entry(reader, config, entry)
    revisions = [each for each in reader.history(found.id) if since is None or each.seen_ms >= since][:limit]
    shape = shapes.history(revisions)
    if as_json:
        print_json(shape)
        return
    table(
        ("revision", "source", "seen", "change", "significance", "why", "title"),
        (
            (
                row["revision"],
                row["source"],
                day(row["seen_at"]),
                row["change"],
                row["significance"],
                ", ".join(row["reasons"]),
                cut(row["title"], 50),
            )
            for row in shape
        ),
    )


@click.command()
@click.argument("url", metavar="URL")
@json_option
@config_option
def explain(config_path: Path | None, url: str, *, as_json: bool) -> None:
    """Say what feedd made of an address, and why."""
    config = configuration(config_path)
    shape = explained(Reader(config.store.path), config, url)
    if as_json:
        print_json(shape)
        return
    click.echo(f"{shape['decision']}: {shape['because']}")
    if shape["canonical_url"]:
        click.echo(f"canonical address: {shape['canonical_url']}")
