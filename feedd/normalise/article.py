"""A title, an address and some HTML → an Article: everything that is derived is derived here, once."""

from uuid import NAMESPACE_URL, uuid5

from feedd.model import Article
from feedd.normalise import text
from feedd.normalise.html import clean
from feedd.normalise.url import canonical


def normalise(url: str, title: str, body_html: str, *, ignore_scheme: bool = False) -> Article:
    """Raises url.BadUrl where `url` is no absolute http(s) URL, and html.TooMuchHtml."""
    address = canonical(url, ignore_scheme=ignore_scheme)
    return derive(address, title, clean(body_html, address))


def derive(address: str, title: str, content_html: str) -> Article:
    """The article with everything that follows from canonical address, title and clean content."""
    return Article(
        url=address,
        uid=uid_of(address),
        title=title,
        content_html=content_html,
        image=text.lead_image(content_html),
        content_hash=text.content_hash(title, content_html),
        fingerprint=text.fingerprint(content_html),
        links_hash=text.links_hash(content_html),
    )


def uid_of(identity: str) -> str:
    """The UUID of an entry (RFC 9562 section 5.5, URL namespace): the same in every database, for ever."""
    return str(uuid5(NAMESPACE_URL, identity))
