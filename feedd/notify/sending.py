"""A message goes its way: each kind of channel has one."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, assert_never
from uuid import UUID

from feedd.config.channels import (
    AppriseChannel,
    Channel,
    CommandChannel,
    EmailChannel,
    FileChannel,
    WebhookChannel,
    WebSubChannel,
)
from feedd.errors import SourceError
from feedd.fetch.client import Fetcher
from feedd.notify import apprise_way, command, email, file, ping, webhook
from feedd.notify.rendering import Renderer
from feedd.notify.values import TEST, Failed, Form, Message, Outcome
from feedd.publish.cache import FORMATS
from feedd.publish.plan import HEALTH, Plan

OVERTIME_S = 30.0  # beyond a channel's own limit: then something is stuck


class Tools(NamedTuple):
    """What sending works with; one set for a process."""

    fetcher: Fetcher
    renderer: Renderer
    plans: Mapping[str, Plan]  # of feeds
    base_url: str
    born: UUID  # of the database: what makes ids the world's only ones
    user_agent: str
    folder: Path  # of the configuration: programs run there


async def send_in_time(channel: Channel, message: Message, tools: Tools, now_ms: int) -> Outcome:
    """One attempt that ends, also where something is stuck."""
    try:
        async with asyncio.timeout(channel.timeout / 1000 + OVERTIME_S):
            return await send(channel, message, tools, now_ms)
    except TimeoutError:
        return Failed(f"it took longer than {channel.timeout // 1000} s (timeout)")


async def send(channel: Channel, message: Message, tools: Tools, now_ms: int) -> Outcome:
    """One attempt. A secret that can't be had is a failure like others: it may be there the next time."""
    try:
        match channel:
            case WebhookChannel():
                return await webhook.send(channel, message, tools.fetcher, tools.user_agent, now_ms)
            case EmailChannel():
                plain, html = await tools.renderer.texts(channel.template, message, (Form.PLAIN, Form.HTML))
                return await email.send(channel, message, (plain, html), tools.base_url, tools.born, now_ms)
            case AppriseChannel():
                form, room = await asyncio.to_thread(apprise_way.service, channel.url.reveal())
                (text,) = await tools.renderer.texts(channel.template, message, (form,), room)
                return await apprise_way.send(channel, message, text)
            case CommandChannel():
                return await command.send(channel, message, tools.folder)
            case FileChannel():
                return await file.send(channel, message)
            case WebSubChannel():
                topics = topics_of(channel, message, tools)
                return await ping.send(channel, topics, tools.fetcher, tools.user_agent, now_ms)
            case _:
                assert_never(channel)
    except SourceError as error:
        return Failed(str(error))


def topics_of(channel: WebSubChannel, message: Message, tools: Tools) -> Sequence[str]:
    """The addresses of the feeds that the changes may have touched; a sample is told of all that the channel has."""
    sources = {fact.source for fact in message.facts}
    names = channel.feeds or tuple(tools.plans)
    if message.type == TEST:
        return [f"{tools.base_url}feeds/{name}.{form}" for name in names for form in FORMATS]
    touched = [
        name
        for name in names
        if (plan := tools.plans[name]).sources is None
        or plan.name == HEALTH
        or sources.intersection(plan.sources)
    ]
    return [f"{tools.base_url}feeds/{name}.{form}" for name in touched for form in FORMATS]
