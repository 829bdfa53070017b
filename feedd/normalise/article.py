"""A title, an address and some HTML → an Article: everything that is derived is derived here, once."""

from hashlib import sha1
from uuid import NAMESPACE_URL

from feedd.model import NO_DETAILS, Article, Details
from feedd.normalise import text
from feedd.normalise.details import spelled
from feedd.normalise.html import clean
from feedd.normalise.url import canonical


def normalise(url: str, title: str, body_html: str, *, ignore_scheme: bool = False) -> Article:
    """Raises url.BadUrl where `url` is no absolute http(s) URL, and html.TooMuchHtml."""
    address = canonical(url, ignore_scheme=ignore_scheme)
    return derive(address, title, clean(body_html, address))


def derive(
    address: str,
    title: str,
    content_html: str,
    details: Details = NO_DETAILS,
    image: str | None = None,
    uid: str | None = None,
) -> Article:
    """The article with everything that follows from canonical address, title and clean content.

    `image` is a picture that is named apart from the content. `uid` overrides that of the address.
    """
    lead = text.lead_image(content_html)
    apart = (image,) if image and image != lead else ()
    said = spelled(details)
    beside = (*apart, *(each.url for each in details.enclosures))
    return Article(
        url=address,
        uid=uid or uid_of(address),
        title=title,
        content_html=content_html,
        image=image or lead,
        content_hash=text.content_hash(title, content_html, *((said, *apart) if said or apart else ())),
        fingerprint=text.fingerprint(content_html),
        links_hash=text.links_hash(content_html, *(each.partition("?")[0] for each in beside)),
        details=details,
        said=said,
    )


def uid_of(identity: str) -> str:
    """The UUID of an entry (RFC 9562 section 5.5, URL namespace): the same in every database, for ever."""
    # as `uuid.uuid5` does it, in half the time
    digest = bytearray(sha1(NAMESPACE_URL.bytes + identity.encode(), usedforsecurity=False).digest()[:16])
    digest[6], digest[8] = digest[6] & 0x0F | 0x50, digest[8] & 0x3F | 0x80  # version and variant
    spelled_out = digest.hex()
    return "-".join((spelled_out[:8], *(spelled_out[at : at + 4] for at in (8, 12, 16)), spelled_out[20:]))
