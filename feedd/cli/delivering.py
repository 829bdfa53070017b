"""What waits to be told, and what became of the rest: `feedd deliveries`."""

from collections.abc import Sequence
from contextlib import closing
from functools import partial
from pathlib import Path
from sqlite3 import Connection

import click

from feedd import shapes
from feedd.cli.common import configuration, cut, day, listing, print_json_list, table
from feedd.config.settings import Config
from feedd.errors import UsageError
from feedd.looks import now_ms
from feedd.store import attempts, channels, deliveries
from feedd.store.database import translated
from feedd.store.deliveries import STATUSES, Chosen, Delivery
from feedd.store.reader import Reader
from feedd.store.writer import Writer

ACTIONS = ("list", "retry", "cancel")
DONE_BADLY = ("failed", "cancelled")
AT_ONCE = 1_000  # SQLite bounds the values of one statement
ON_TERMINAL = 50  # of what was retried or cancelled
CANCELLED = "cancelled with feedd deliveries cancel"


@click.command(name="deliveries")
@click.argument("words", nargs=-1, metavar="[list|retry|cancel] [ID]...")
@click.option("--channel", metavar="NAME", help="Of this channel alone.")
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
    require_channel(config, reader, channel)
    chosen = Chosen(ids, channel, (status,) if status else (), since)
    if action != "list":
        chosen = meant(action, chosen)
    require_ids(ids, reader, chosen)
    if action == "list":
        show(listed(reader, chosen, limit), as_json=as_json)
        return
    found = listed(reader, chosen, limit)
    count = written(config, action, found) if found else 0
    click.echo(in_words(action, count), err=True)
    shown = found if as_json else found[: limit or ON_TERMINAL]
    numbers = [each.id for each in shown]
    parts = (tuple(numbers[start : start + AT_ONCE]) for start in range(0, len(numbers), AT_ONCE))
    show([row for part in parts for row in listed(reader, Chosen(part), None)], as_json=as_json)


def listed(reader: Reader, chosen: Chosen, limit: int | None) -> list[Delivery]:
    with translated(reader.path):
        return deliveries.listed(reader.connection, chosen, limit or -1)


def asked(words: Sequence[str]) -> tuple[str, tuple[int, ...]]:
    """The action and the numbers. Raises UsageError."""
    action, rest = (words[0], words[1:]) if words and words[0] in ACTIONS else ("list", words)
    for word in rest:
        if not (word.isascii() and word.isdigit() and len(word) < 19):
            raise UsageError(f"'{word}' is neither {', '.join(ACTIONS)} nor the number of a delivery")
    return action, tuple(map(int, rest))


def require_channel(config: Config, reader: Reader, name: str | None) -> None:
    """Raises UsageError for a channel that never was."""
    if name is None or any(each.name == name for each in config.channels):
        return
    with translated(reader.path):
        if not channels.named(reader.connection, [name]):
            raise UsageError(f"there is no channel '{name}' in {config.path}")


def require_ids(ids: Sequence[int], reader: Reader, chosen: Chosen) -> None:
    """Raises UsageError for a number that is none of those that are meant."""
    missing = sorted(set(ids) - {each.id for each in listed(reader, chosen, None)}) if ids else []
    if missing:
        raise UsageError(f"there is no delivery {', '.join(map(str, missing))} that fits")


def meant(action: str, chosen: Chosen) -> Chosen:
    """Which deliveries an action is about. Raises UsageError where it would be about all there ever were."""
    if not (chosen.ids or chosen.channel or chosen.statuses or chosen.since_ms):
        raise UsageError(f"say which: feedd deliveries {action} ID…, or --channel NAME, or --status STATUS")
    if action == "cancel":
        if chosen.statuses and "pending" not in chosen.statuses:
            raise UsageError("only what is pending can be cancelled")
        return chosen._replace(statuses=("pending",))
    if not chosen.statuses and not chosen.ids:
        return chosen._replace(statuses=DONE_BADLY)
    return chosen


def written(config: Config, action: str, found: Sequence[Delivery]) -> int:
    """Do it in a short transaction of our own. Raises UsageError, StoreError."""
    ids, now = [each.id for each in found], now_ms()

    def retry(connection: Connection) -> int:
        known = channels.named(connection, {each.channel for each in found})
        for name, (channel_id, configured) in known.items():
            if not configured:
                raise UsageError(f"the channel '{name}' is not in the configuration (any more)")
            channels.revive(connection, channel_id, now)
        return attempts.again(connection, ids, now)

    cancel = partial(attempts.cancel, ids=ids, why=CANCELLED, now_ms=now)
    with closing(Writer(config.store.path)) as writer:
        return writer.within(retry if action == "retry" else cancel)


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
