"""What the configuration follows, for another reader."""

from collections.abc import Iterable

from feedd.config.sources import FeedSource, Source
from feedd.exchange.opml_in import Subscription
from feedd.publish.opml import Listed, outlined


def subscriptions(sources: Iterable[Source]) -> list[Subscription]:
    """The feeds among the sources; tags of two words for what OPML has one for: a folder, and categories."""
    return [
        Subscription(source.url, source.heading, None, source.tags)
        for source in sources
        if isinstance(source, FeedSource)
    ]


def opml_of(subscribed: Iterable[Subscription]) -> bytes:
    """OPML 2.0 in which `read_opml` finds the same again."""
    listed = (Listed(each.title, each.url, each.html_url, each.tags) for each in subscribed)
    return outlined("Subscriptions of feedd", listed)
