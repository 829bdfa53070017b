"""Tells a hub elsewhere that feeds have changed, so that it fetches them and tells its subscribers.

WebSub leaves to hub and publisher how they agree on that (section 6). What hubs take is PubSubHubbub 0.3's ping
(section 7.1): `hub.mode=publish`, and one `hub.url` for each feed. Some know a feed by `hub.topic` alone; each is
named both ways, since a hub passes over what it doesn't know.
"""

from collections.abc import Iterator, Sequence
from urllib.parse import urlencode

from feedd.config.channels import WebSubChannel
from feedd.fetch.client import Fetcher
from feedd.notify.posting import posted
from feedd.notify.values import Delivered, Failed, Outcome

MOST_TOPICS = 100  # in one request
FORM = (("content-type", "application/x-www-form-urlencoded"),)


async def send(
    channel: WebSubChannel, topics: Sequence[str], fetcher: Fetcher, user_agent: str, now_ms: int
) -> Outcome:
    """Ping for these feeds, in as many requests as they need; the first that fails ends it.

    A hub may be told twice of a change: it fetches, and finds nothing new.
    """
    outcome: Outcome = Delivered("no feed has changed: the hub was not asked")
    for form in forms(topics):
        outcome = await posted(channel, form, FORM, fetcher, user_agent, now_ms)
        if isinstance(outcome, Failed):
            break
    return outcome


def forms(topics: Sequence[str]) -> Iterator[bytes]:
    """The bodies of the requests; each topic once."""
    each = list(dict.fromkeys(topics))
    for start in range(0, len(each), MOST_TOPICS):
        named = [
            (name, topic) for topic in each[start : start + MOST_TOPICS] for name in ("hub.url", "hub.topic")
        ]
        yield urlencode([("hub.mode", "publish"), *named]).encode("ascii")
