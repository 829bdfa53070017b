"""What a feed document says of itself, and the items in it."""

from typing import NamedTuple

from feedd.model import RawItem


class FeedDocument(NamedTuple):
    """A feed, whatever its format. Addresses are absolute http(s), or None."""

    format: str  # rss090, rss091…094, rss10, rss11, rss20, rss; atom03, atom10; cdf; json10, json11
    title: str = ""  # plain text
    url: str | None = None  # of the page that the feed belongs to
    language: str | None = None
    image: str | None = None
    hubs: tuple[str, ...] = ()  # WebSub
    self_url: str | None = None
    ttl_s: int | None = None
    update_period_s: int | None = None  # sy:updatePeriod by sy:updateFrequency
    skip_hours: tuple[int, ...] = ()  # 0…23, GMT
    skip_days: tuple[int, ...] = ()  # 0 is Monday
    next_url: str | None = None  # of the page with older items (RFC 5005 section 3)
    expired: bool = False  # it says that nothing will come any more (JSON Feed)
    items: tuple[RawItem, ...] = ()
    parser: str = "feedd"  # or "feedparser", where ours found no item
    warnings: tuple[str, ...] = ()
