"""A message as JSON: what a webhook posts, and what commands and files are given."""

import json

from feedd.notify.values import Message, Shape
from feedd.publish.times import rfc3339


def payload(message: Message) -> Shape:
    """`{"type", "timestamp", "data"}` (Standard Webhooks, "Payload structure"); the time is RFC 3339 in UTC."""
    return {"type": message.type, "timestamp": rfc3339(message.at_ms), "data": message.data}


def body_of(message: Message) -> str:
    """The payload on one line; the same text at each call.

    What no UTF-8 can hold is replaced, so that no file name or hostile page keeps a message from going out.
    """
    text = json.dumps(payload(message), ensure_ascii=False, separators=(",", ":"))
    return text.encode("utf-8", "surrogatepass").decode("utf-8", "replace")
