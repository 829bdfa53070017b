"""What waits to be told, and what became of the rest: `feedd deliveries`."""

from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path

import click

from feedd import shapes
from feedd.cli.common import configuration, cut, day, listing, print_json_list, table
from feedd.cli.completing import names_in
from feedd.config.settings import Config
from feedd.errors import UsageError
from feedd.looks import now_ms
from feedd.store import deliveries, redelivery
from feedd.store.database import translated
from feedd.store.deliveries import STATUSES, Chosen, Delivery
from feedd.store.reader import Reader
from feedd.store.writer import Writer

ACTIONS = ("list", "retry", "cancel")
ON_TERMINAL = 50  # of what was retried or cancelled


@click.command(name="deliveries")
@click.argument("words", nargs=-1, metavar="[list|retry|cancel] [ID]...")
@click.option("--channel", metavar="NAME", shell_complete=names_in("notify"), help="Of this channel alone.")
@click.option("--status", type=click.Choice(STATUSES), help="In this state alone.")
@listing
def deliveries_(
    config_path: Path | None,
    words: tuple[str, ...],
    channel: str | None,
    status: str | None,
    *,
    as_json: bool,
    limit: int | None,
    since: int | None,
) -> None:
    """List what waits to be delivered and what was, the newest first; try some again, or cancel what waits."""
    config = configuration(config_path)
    action, ids = asked(words)
    reader = Reader(config.store.path)
    found = meant(config, reader, action, Chosen(ids, channel, (status,) if status else (), since), limit)
    if action == "list":
        show(found, as_json=as_json)
        return
    count = written(config, action, found) if found else 0
    click.echo(in_words(action, count), err=True)
    shown = found if as_json else found[: limit or ON_TERMINAL]
    show([row for some in redelivery.parts(shown) for row in as_they_are(reader, some)], as_json=as_json)


def meant(config: Config, reader: Reader, action: str, chosen: Chosen, limit: int | None) -> list[Delivery]:
    """What the command is about, the newest first. Raises UsageError, StoreError."""
    with translated(reader.path):
        connection, configured = reader.connection, {each.name for each in config.channels}
        redelivery.require_channel(connection, chosen.channel, configured)
        if action == "retry":
            return redelivery.to_retry(connection, chosen)[:limit]
        if action == "cancel":
            return redelivery.to_cancel(connection, chosen)[:limit]
        if chosen.ids:
            redelivery.require_ids(chosen, deliveries.listed(connection, chosen))
        return deliveries.listed(connection, chosen, limit or -1)


def as_they_are(reader: Reader, some: Sequence[Delivery]) -> list[Delivery]:
    """What became of them."""
    with translated(reader.path):
        return deliveries.listed(reader.connection, Chosen([each.id for each in some]))


def asked(words: Sequence[str]) -> tuple[str, tuple[int, ...]]:
    """The action and the numbers. Raises UsageError."""
    action, rest = (words[0], words[1:]) if words and words[0] in ACTIONS else ("list", words)
    for word in rest:
        if not (word.isascii() and word.isdigit() and len(word) < 19):
            raise UsageError(f"'{word}' is neither {', '.join(ACTIONS)} nor the number of a delivery")
    return action, tuple(map(int, rest))


def written(config: Config, action: str, found: Sequence[Delivery]) -> int:
    """Do it in short transactions of our own. Raises UsageError, StoreError."""
    now = now_ms()
    do = redelivery.retry if action == "retry" else redelivery.cancel
    with closing(Writer(config.store.path)) as writer:
        return sum(writer.within(partial(do, some=some, now_ms=now)) for some in redelivery.parts(found))


def in_words(action: str, count: int) -> str:
    what = f"{count:,} {'delivery' if count == 1 else 'deliveries'}"
    return (
        f"{what} cancelled"
        if action == "cancel"
        else f"{what} to be tried again by feedd run or feedd update"
    )


def show(rows: Sequence[Delivery], *, as_json: bool) -> None:
    made = [shapes.delivery(row) for row in rows]
    if as_json:
        print_json_list(made)
        return
    if not made:
        click.echo("nothing to be shown")
        return
    heads = ("id", "channel", "change", "type", "status", "attempts", "next attempt", "error")
    table(
        heads,
        (
            (
                each["id"], each["channel"], each["change"] or "", each["type"], each["status"], each["attempts"],
                day(each["next_attempt"]) if each["next_attempt"] else "", cut(each["error"] or "", 60),
            )
            for each in made
        ),
    )  # fmt: skip
