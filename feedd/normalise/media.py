"""Pictures, players and links as they were meant: lazy pictures restored once, addresses made absolute."""

import re
from collections import defaultdict
from html import escape
from typing import Any
from urllib.parse import parse_qs, quote, unquote, urljoin, urlsplit

from selectolax.lexbor import LexborHTMLParser

from feedd.normalise.elements import Attributes, Element, Elements

LAZY_SOURCES = (
    "data-lazy-src",
    "data-src",
    "data-original",
    "data-lazy",
    "data-actualsrc",
    "data-hi-res-src",
)
LAZY_SETS = ("data-lazy-srcset", "data-srcset", "srcset")
PLACEHOLDER = re.compile(
    r"data:|about:|blob:|javascript:"
    r"|(?:.*/)?(?:blank|spacer|pixel|placeholder|lazy|lazyload|loading|transparent|grey|gray|1x1|t)\.(?:gif|png|svg)(?:$|\?)",
    re.IGNORECASE,
)
# an address, which a comma at its end closes; else what follows up to a comma is its descriptors
CANDIDATE = re.compile(r"([^\s,]\S*+)(?:(?<=,)|\s*+([^,]*+))")
DESCRIPTOR = re.compile(r"([0-9]+(?:\.[0-9]+)?)[wx]")
ABSOLUTE = re.compile(r"(?:https?://|mailto:|tel:)", re.IGNORECASE)
# the same as a whole, without what a URI can't hold: told in half of the time
FINE = re.compile(r"(?i:https?://|mailto:|tel:)[!#-;=?-\[\]_a-z~]*+")
UNQUOTED = re.compile(r"[^!#-;=?-\[\]_a-z~]")  # what a URI can't hold as it stands
URI_CHARACTERS = "!#$%&'()*+,/:;=?@[]~"
SCHEME = re.compile(r"[a-zA-Z][a-zA-Z0-9+.\-]*:")
PLAYERS = (
    (
        re.compile(r"(?:www\.)?youtube(?:-nocookie)?\.com/embed/([\w-]{6,})"),
        "https://www.youtube.com/watch?v={}",
    ),
    (re.compile(r"player\.vimeo\.com/video/(\d+)"), "https://vimeo.com/{}"),
    (
        re.compile(r"(?:www\.|geo\.)?dailymotion\.com/embed/video/(\w+)"),
        "https://www.dailymotion.com/video/{}",
    ),
    (re.compile(r"open\.spotify\.com/embed(?:-podcast)?/([\w/]+)"), "https://open.spotify.com/{}"),
    (re.compile(r"(?:www\.)?instagram\.com/(p/[\w-]+|reel/[\w-]+)/embed"), "https://www.instagram.com/{}/"),
    (re.compile(r"(?:www\.)?tiktok\.com/embed/(?:v2/)?(\d+)"), "https://www.tiktok.com/embed/{}"),
    (re.compile(r"embed\.ted\.com/([\w/.-]+)"), "https://www.ted.com/{}"),
    (re.compile(r"player\.twitch\.tv/\?(?:.*&)?video=v?(\d+)"), "https://www.twitch.tv/videos/{}"),
    (
        re.compile(r"player\.bilibili\.com/player\.html\?(?:.*&)?bvid=(\w+)"),
        "https://www.bilibili.com/video/{}",
    ),
    (re.compile(r"platform\.twitter\.com/embed/Tweet\.html\?(?:.*&)?id=(\d+)"), "https://x.com/i/status/{}"),
)
# players whose frame is the only page there is, or names it in a parameter
PLAYER_HOST = re.compile(
    r"(?:w\.soundcloud\.com|embed\.podcasts\.apple\.com|embed\.music\.apple\.com|widget\.deezer\.com|rumble\.com"
    r"|archive\.org|v\.qq\.com|player\.youku\.com|players\.brightcove\.net|cdn\.jwplayer\.com|embed\.acast\.com"
    r"|player\.podigee-cdn\.net|www\.facebook\.com|streamable\.com|www\.arte\.tv|embed\.radiofrance\.fr"
    r"|player\.rfi\.fr|api\.dmcdn\.net|geo\.dailymotion\.com|www\.mixcloud\.com|bandcamp\.com|odysee\.com)$"
)
LINKING = (  # elements and their attributes that hold an address, as far as a reader is shown what it leads to
    ("a", "href"),
    ("img", "src"),
    ("video", "src"),
    ("video", "poster"),
    ("audio", "src"),
    ("source", "src"),
    ("blockquote", "cite"),
    ("q", "cite"),
)
Sources = dict[int, str | None]  # what a `<picture>` names beside its `<img>`, by `mem_id`
MOST_AROUND = 8  # `<noscript>`s, one in the other: in more is nothing that anybody is shown
FRAME_PARAMETERS = {"w.soundcloud.com": "url", "www.facebook.com": "href"}
ALREADY_WHOLE = re.compile(r"https?://[^/?#;\s][^?#;\s]*+")  # joined with another, it stays as it is
WEB_ADDRESS = re.compile(r"https?://[^/?#\s]+", re.IGNORECASE)


def restore_media(elements: Elements, base_url: str) -> None:
    """Give every picture its address, once; turn players into links; make addresses absolute.

    What this takes out of the tree, or puts there, goes from `elements` or comes to them.
    """
    images, sources = elements["img"], Sources()
    lazy = {image[0].mem_id: image for image in images if restore_image(*image, sources)}
    if fallbacks := elements["noscript"]:
        elements["noscript"] = restore_fallbacks(fallbacks, images, lazy, base_url)
    for image, attributes in lazy.values():
        if PLACEHOLDER.match((attributes.get("src") or "data:").strip()):
            # nothing to show: goes with the clutter
            image.attrs["style"] = attributes["style"] = "display:none"
    for name, key in LINKING:
        for node, attributes in elements[name]:
            value = attributes.get(key)
            if value is not None and not FINE.fullmatch(value):
                make_absolute(node, attributes, key, value.strip(), base_url)
    for media, attributes in elements["video"] + elements["audio"]:
        restore_player(media, attributes)
    for frame, attributes in elements["iframe"]:
        if link := player_link(attributes, base_url):
            frame.insert_before(LexborHTMLParser(link, is_fragment=True).root)
            anchor = frame.prev.first_child
            elements["a"].append((anchor, anchor.attributes))


def restore_image(image: Any, attributes: Attributes, sources: Sources) -> bool:
    """Put the real address into `src`; returns whether the picture was lazy."""
    source = (attributes.get("src") or "").strip()
    blank = not source or bool(PLACEHOLDER.match(source))
    real = next((attributes[key] for key in LAZY_SOURCES if attributes.get(key)), None)
    if real is None and (blank or any(attributes.get(key) for key in LAZY_SETS[:2])):
        real = next((largest(attributes[key]) for key in LAZY_SETS if attributes.get(key)), None)
    if real is None and blank and (parent := image.parent) is not None and parent.tag == "picture":
        if parent.mem_id not in sources:
            sources[parent.mem_id] = named_beside(parent)
        real = sources[parent.mem_id]
    if real and not PLACEHOLDER.match(real.strip()):
        image.attrs["src"] = attributes["src"] = real.strip()
    return blank or real is not None


def named_beside(picture: Any) -> str | None:
    """What the first `<source>` of a `<picture>` names that names anything."""
    sets = (source.attributes for source in picture.css("source"))
    return next(
        (largest(found) for each in sets if (found := each.get("data-srcset") or each.get("srcset"))), None
    )


def largest(srcset: str | None) -> str | None:
    """The candidate with the greatest width or density of a `srcset` (HTML section 4.8.4.2.1)."""
    candidates = CANDIDATE.findall(srcset or "")
    return max(candidates, key=lambda each: size(each[1]))[0].rstrip(",") if candidates else None


def size(descriptors: str) -> float:
    found = DESCRIPTOR.match(descriptors)
    return float(found[1]) if found else 1.0


def restore_fallbacks(
    fallbacks: list[Element], images: list[Element], lazy: dict[int, Element], base_url: str
) -> list[Element]:
    """Keep the pictures of each `<noscript>` only where nothing else shows them; returns those that are left.

    They go with the clutter.
    """
    shown = set[str]()
    hidden = defaultdict[int, list[Attributes]](list)  # pictures by each `<noscript>` around them
    known = dict[int, tuple[int, ...]]()
    for image, attributes in images:
        around = fallbacks_around(image, known)
        for fallback in around:
            hidden[fallback].append(attributes)
        if not around:
            shown.add(address(attributes, base_url))
    return [
        (fallback, attributes)
        for fallback, attributes in fallbacks
        if not restore_fallback(fallback, hidden[fallback.mem_id], lazy, shown, base_url)
    ]


def fallbacks_around(node: Any, known: dict[int, tuple[int, ...]]) -> tuple[int, ...]:
    """The `mem_id` of each `<noscript>` around it, the outermost first. `known`: what was found before, by parent."""
    parent = node.parent
    if parent is None:
        return ()
    found = known.get(parent.mem_id)
    if found is None:
        above = fallbacks_around(parent, known)
        found = (*above, parent.mem_id)[:MOST_AROUND] if parent.tag == "noscript" else above
        known[parent.mem_id] = found
    return found


def restore_fallback(
    fallback: Any, pictures: list[Attributes], lazy: dict[int, Element], shown: set[str], base_url: str
) -> bool:
    """Returns whether the pictures took its place."""
    addresses = {address(picture, base_url) for picture in pictures}
    if len(pictures) == 1 and (twin := lazy_neighbour(fallback, lazy)) is not None:
        image, attributes = twin
        if PLACEHOLDER.match((attributes.get("src") or "data:").strip()):
            image.attrs["src"] = attributes["src"] = pictures[0].get("src") or ""
            shown |= addresses
    elif pictures and shown.isdisjoint(addresses):
        fallback.unwrap()
        shown |= addresses
        return True
    return False


def address(image: Attributes, base_url: str) -> str:
    source = (image.get("src") or "").strip()
    try:
        return source if ALREADY_WHOLE.fullmatch(source) else urljoin(base_url, source)
    except ValueError:
        return source


def lazy_neighbour(node: Any, lazy: dict[int, Element]) -> Element | None:
    """The lazy picture that stands directly before or after `node`, or alone in the element that does."""
    for step in ("prev", "next"):
        other = getattr(node, step)
        while other is not None and not other.is_element_node and not (other.text() or "").strip():
            other = getattr(other, step)
        if other is None or not other.is_element_node:
            continue
        images = [other] if other.tag == "img" else other.css("img")
        if len(images) == 1 and images[0].mem_id in lazy:
            return lazy[images[0].mem_id]
    return None


def make_absolute(node: Any, attributes: Attributes, key: str, value: str, base_url: str) -> None:
    if SCHEME.match(value) and not ABSOLUTE.match(value) and key != "cite":
        return  # a scheme of its own: the sanitiser judges it; of what is cited, it looks at none
    try:
        address = quoted(urljoin(base_url, value))
    except ValueError:
        address = ""
    if not address or (key == "cite" and not ABSOLUTE.match(address)):
        del node.attrs[key], attributes[key]
    else:
        node.attrs[key] = attributes[key] = address


def quoted(address: str) -> str:
    """The address as a URI (RFC 3986): what may not stand in one is escaped, behind the host."""
    if not UNQUOTED.search(address):
        return address
    start = WEB_ADDRESS.match(address)
    head = start[0] if start else ""
    return head + quote(address[len(head) :], safe=URI_CHARACTERS, errors="replace")


def restore_player(media: Any, attributes: Attributes) -> None:
    """A `<video>` or `<audio>` plays its first source, with controls."""
    if not attributes.get("src"):
        source = media.css_first("source[src]")
        if source is not None:
            media.attrs["src"] = source.attributes["src"]
    if "controls" not in attributes:
        media.attrs["controls"] = ""


def player_link(attributes: Attributes, base_url: str) -> str | None:
    """A paragraph with a link to what the frame plays; None for a frame that is no known player."""
    sources = (attributes.get(key) for key in ("src", "data-lazy-src", "data-src"))
    try:
        address = next(
            (urljoin(base_url, each.strip()) for each in sources if each and not PLACEHOLDER.match(each)), ""
        )
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return None
    if parts.scheme not in {"http", "https"}:
        return None
    rest = address.partition("//")[2]
    target = next(
        (link.format(found[1]) for pattern, link in PLAYERS if (found := pattern.match(rest))), None
    )
    if target is None and PLAYER_HOST.match(host):
        named = parse_qs(parts.query).get(FRAME_PARAMETERS.get(host, ""), [""])[0]
        target = named if WEB_ADDRESS.match(named) else address
    if target is None:
        return None
    label = (attributes.get("title") or "").strip() or unquote(target.partition("//")[2])
    return f'<p><a href="{escape(target)}">▶ {escape(label)}</a></p>'
