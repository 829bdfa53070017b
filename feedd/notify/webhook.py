"""Messages as Standard Webhooks (standardwebhooks.com) have them: JSON, posted, and signed."""

import asyncio
import gzip
from datetime import UTC, datetime

from standardwebhooks import Webhook

from feedd.config.channels import WebhookChannel
from feedd.errors import SourceError
from feedd.fetch.client import Fetcher
from feedd.notify.body import body_of
from feedd.notify.posting import posted
from feedd.notify.values import Failed, Message, Outcome

GZIP_LEVEL = 6

Headers = tuple[tuple[str, str], ...]


async def send(
    channel: WebhookChannel, message: Message, fetcher: Fetcher, user_agent: str, now_ms: int
) -> Outcome:
    """One attempt. The id is the message's at each of them, the time is that of the attempt."""
    body = body_of(message)
    try:
        secrets = [each.reveal() for each in channel.secret]
        headers = headers_of(message.id, body, secrets, now_ms // 1000)
    except SourceError as error:
        return Failed(str(error))
    content = body.encode()
    if channel.compress:
        content = await asyncio.to_thread(gzip.compress, content, GZIP_LEVEL, mtime=0)
        headers = (*headers, ("content-encoding", "gzip"))
    return await posted(channel, content, headers, fetcher, user_agent, now_ms)


def headers_of(message_id: str, body: str, secrets: list[str], now_s: int) -> Headers:
    """What goes with a body ("Webhook headers"). Raises SourceError.

    Signed is the body before any compression, as the receiver's program sees it: most servers and frameworks
    decompress before they hand on.
    """
    headers: Headers = (
        ("content-type", "application/json"),
        ("webhook-id", message_id),
        ("webhook-timestamp", str(now_s)),
    )
    if secrets:
        signed = " ".join(signature(secret, message_id, body, now_s) for secret in secrets)
        headers = (*headers, ("webhook-signature", signed))
    return headers


def signature(secret: str, message_id: str, body: str, now_s: int) -> str:
    """`v1,` and HMAC-SHA256 of "id.timestamp.body" in base64 ("Signature scheme"). Raises SourceError."""
    try:
        return Webhook(secret).sign(message_id, datetime.fromtimestamp(now_s, UTC), body)
    except Exception as error:  # it names no common base for what it raises
        raise SourceError(
            "a secret of the channel can't sign: write whsec_ and 24 to 64 random bytes in base64"
        ) from error
