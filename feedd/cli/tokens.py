"""Who may ask feedd over HTTP: `feedd token`."""

from contextlib import closing
from functools import partial
from pathlib import Path

import click

from feedd.access.scopes import Scope
from feedd.cli.common import config_option, configuration, day, json_option, listing, print_json, table
from feedd.config.values import name as valid_name
from feedd.errors import UsageError
from feedd.looks import now_ms
from feedd.publish.times import rfc3339, rfc3339_or_none
from feedd.store import tokens
from feedd.store.database import translated
from feedd.store.reader import Reader
from feedd.store.tokens import Token
from feedd.store.writer import Writer


@click.group()
def token() -> None:
    """Tokens: for programs, for readers of private feeds, and to log in with."""


def name_of(_: click.Context, __: click.Parameter, value: str) -> str:
    try:
        return valid_name(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error


@token.command()
@click.argument("name", callback=name_of)
@click.option(
    "--scope",
    type=click.Choice([each.value for each in Scope]),
    default=Scope.READ.value,
    show_default=True,
    help="What it may: write may also change things, admin everything.",
)
@json_option
@config_option
def new(config_path: Path | None, name: str, scope: str, *, as_json: bool) -> None:
    """Make a token. It is shown this once: feedd keeps a hash of it alone."""
    config, now = configuration(config_path), now_ms()
    made = partial(tokens.create, name=name, scope=Scope(scope), now_ms=now)
    with closing(Writer(config.store.path)) as writer:
        secret = writer.within(made)
    if as_json:
        print_json({"name": name, "scope": scope, "created": rfc3339(now), "token": secret})
        return
    click.echo(secret)
    click.echo(
        f"the token '{name}' may {MAY[Scope(scope)]}; keep it well, it is not shown again."
        f" To end it: feedd token revoke {name}",
        err=True,
    )


MAY = {Scope.READ: "read", Scope.WRITE: "read and write", Scope.ADMIN: "do everything"}


@token.command(name="list")
@listing
def list_(config_path: Path | None, *, as_json: bool, limit: int | None, since: int | None) -> None:
    """List the tokens, the newest first; not what they are."""
    config = configuration(config_path)
    reader = Reader(config.store.path)
    with translated(reader.path):
        found = tokens.listed(reader.connection, limit or -1, since)
    reader.close()
    if as_json:
        print_json([shape(each) for each in found])
        return
    if not found:
        click.echo("there is no token: over HTTP nothing can be changed. Make one: feedd token new NAME")
        return
    shapes = [shape(each) for each in found]
    rows = ([each["name"], each["scope"], *(moment(each[key]) for key in TIMES)] for each in shapes)
    table(("name", "scope", "made", "last used", "revoked"), map(tuple, rows))


TIMES = ("created", "last_used", "revoked")


def moment(time: str | None) -> str:
    return day(time) if time else "-"


@token.command()
@click.argument("name")
@json_option
@config_option
def revoke(config_path: Path | None, name: str, *, as_json: bool) -> None:
    """End a token, and the sessions that were begun with it, at once."""
    config = configuration(config_path)
    if not config.store.path.exists():
        raise UsageError(f"there is no token '{name}' that could be revoked; see: feedd token list")
    with closing(Writer(config.store.path)) as writer:
        ended = writer.within(partial(tokens.revoke, name=name, now_ms=now_ms()))
    if as_json:
        print_json(shape(ended))
    else:
        click.echo(f"the token '{name}' is revoked", err=True)


def shape(each: Token) -> dict[str, str | None]:
    return {
        "name": each.name,
        "scope": each.scope.value,
        "created": rfc3339(each.created_ms),
        "last_used": rfc3339_or_none(each.used_ms),
        "revoked": rfc3339_or_none(each.revoked_ms),
    }
