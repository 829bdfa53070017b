"""How a channel's receiver is spoken to over HTTP, and what comes of one request."""

from feedd.config.channels import Posted
from feedd.errors import SourceError
from feedd.fetch.client import Fetcher
from feedd.fetch.values import Access, Post
from feedd.notify.answering import outcome
from feedd.notify.values import Failed, Outcome

CONNECT_S = 10.0


def access_of(channel: Posted, user_agent: str) -> Access:
    """Raises SourceError where a secret is not to be had."""
    timeout_s = channel.timeout / 1000
    return Access(
        headers=tuple((name, secret.reveal()) for name, secret in channel.headers),
        proxy=channel.proxy.reveal() if channel.proxy else None,
        user_agent=user_agent,
        timeout_s=timeout_s,
        connect_timeout_s=min(timeout_s, CONNECT_S),
        allow_private=channel.allow_private,
    )


async def posted(
    channel: Posted,
    body: bytes,
    headers: tuple[tuple[str, str], ...],
    fetcher: Fetcher,
    user_agent: str,
    now_ms: int,
) -> Outcome:
    """One POST to the channel's address. All that can go wrong is an outcome."""
    try:
        access = access_of(channel, user_agent)
        answer = await fetcher.post(Post(channel.url.reveal(), body, headers, access))
    except SourceError as error:
        return Failed(str(error))
    return outcome(answer, now_ms, [value for _, value in access.headers])
