"""A sample goes through a channel, and the other side says something: nothing of it is in the store."""

from collections.abc import Sequence
from uuid import uuid4

from feedd.config.channels import Channel
from feedd.errors import UnknownName
from feedd.looks import now_ms
from feedd.notify.message import Messages
from feedd.notify.sending import Tools, send_in_time
from feedd.notify.values import Failed, Tried


def channel_named(each: Sequence[Channel], name: str) -> Channel:
    """Raises UnknownName."""
    for channel in each:
        if channel.name == name:
            return channel
    known = ", ".join(channel.name for channel in each) or "none; add one as [notify.NAME]"
    raise UnknownName(f"there is no channel '{name}'; there are: {known}")


async def try_out(channel: Channel, messages: Messages, tools: Tools) -> Tried:
    """Send a sample, once."""
    now = now_ms()
    message = messages.sample(channel.name, f"msg_test_{uuid4().hex}", now)
    outcome = await send_in_time(channel, message, tools, now)
    if isinstance(outcome, Failed):
        return Tried(channel.name, message.id, delivered=False, said=outcome.why)
    return Tried(channel.name, message.id, delivered=True, said=outcome.said)
