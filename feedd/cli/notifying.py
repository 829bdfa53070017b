"""Trying a channel: `feedd notify test`, and what a message would look like: `feedd notify preview`."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
import uvloop

from feedd import shapes
from feedd.cli.common import config_option, configuration, json_option, print_json
from feedd.cli.completing import names_in
from feedd.config.channels import (
    AppriseChannel,
    Channel,
    CommandChannel,
    EmailChannel,
    FileChannel,
    WebhookChannel,
    WebSubChannel,
)
from feedd.config.settings import Config
from feedd.errors import UsageError
from feedd.fetch.client import Fetcher
from feedd.harmless import harmless
from feedd.looks import now_ms
from feedd.lookup import find_entry
from feedd.notify import apprise_way, letter
from feedd.notify.body import payload
from feedd.notify.rendering import Renderer
from feedd.notify.sending import Tools, topics_of
from feedd.notify.trying import channel_named, try_out
from feedd.notify.values import Form, Message, Tried
from feedd.store import log
from feedd.store.database import translated
from feedd.store.reader import Reader
from feedd.telling import messages_of, tools_of

Result = TypeVar("Result")


@click.group()
def notify() -> None:
    """Try a channel, or see what its messages look like."""


@notify.command()
@click.argument("channel", metavar="CHANNEL", shell_complete=names_in("notify"))
@json_option
@config_option
def test(config_path: Path | None, channel: str, *, as_json: bool) -> None:
    """Send a sample, and print what the other side said."""
    config = configuration(config_path, thorough=True)
    chosen, reader = channel_named(config.channels, channel), Reader(config.store.path)

    async def trying() -> Tried:
        async with equipped(config, reader) as tools:
            return await try_out(chosen, messages_of(config, reader), tools)

    tried = on_a_loop(trying())
    to = f" to {chosen.where}" if chosen.where else ""  # an address that is not to be had names nothing
    if as_json:
        print_json(shapes.tried(tried))
    elif tried.delivered:
        click.echo(f"{channel}: delivered{to}. It said: {harmless(tried.said) or 'nothing'}")
    else:
        click.echo(f"{channel}: not delivered{to}: {harmless(tried.said)}", err=True)
    if not tried.delivered:
        sys.exit(1)


@notify.command()
@click.argument("channel", metavar="CHANNEL", shell_complete=names_in("notify"))
@click.argument("entry", metavar="ENTRY")
@json_option
@config_option
def preview(config_path: Path | None, channel: str, entry: str, *, as_json: bool) -> None:
    """Show the message that the newest change of an entry makes; nothing is sent."""
    config = configuration(config_path, thorough=True)
    chosen, reader = channel_named(config.channels, channel), Reader(config.store.path)
    found = find_entry(reader, config, entry)
    with translated(reader.path):
        changes = log.of_entry(reader.connection, found.id)
    if not changes:
        raise UsageError(f"nothing is logged of entry {found.id}, so that there is no message")
    message = messages_of(config, reader).of_change(changes[-1], channel, "msg_preview")

    async def shown() -> dict[str, Any]:
        async with equipped(config, reader) as tools:
            return await looks(chosen, message, tools)

    made = on_a_loop(shown())
    if as_json:
        print_json(made)
        return
    for name, text in made.items():
        click.echo(click.style(f"--- {name}", bold=True))
        body = text if isinstance(text, str) else json.dumps(text, ensure_ascii=False, indent=2)
        click.echo("\n".join(map(harmless, body.splitlines())))


async def looks(channel: Channel, message: Message, tools: Tools) -> dict[str, Any]:
    """The parts of a message as the channel would send it, by name."""
    match channel:
        case EmailChannel():
            plain, html = await tools.renderer.texts(channel.template, message, (Form.PLAIN, Form.HTML))
            head = letter.compose(channel, message, (plain, html), tools.base_url, tools.born, now_ms())
            headers = "\n".join(f"{name}: {value}" for name, value in head.items())
            return {"headers": headers, "text": plain.body, "html": html.body}
        case AppriseChannel():
            form, room = apprise_way.service(channel.url.reveal())
            (text,) = await tools.renderer.texts(channel.template, message, (form,), room)
            return {"title": text.title, str(form): text.body}
        case WebSubChannel():
            return {"topics": list(topics_of(channel, message, tools))}
        case WebhookChannel():
            return {"body": payload(message)}
        case CommandChannel() | FileChannel():
            return {"line": {"id": message.id, **payload(message)}}


@asynccontextmanager
async def equipped(config: Config, reader: Reader) -> AsyncIterator[Tools]:
    """What sending works with; a template that fails says so."""

    def report(channel: str, detail: str) -> None:
        click.echo(f"notify.{channel}: {detail}", err=True)

    async with Fetcher() as fetcher, Renderer(config.server.public_url, report) as renderer:
        yield tools_of(config, reader, fetcher, renderer)


def on_a_loop(work: Coroutine[Any, Any, Result]) -> Result:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(work)
