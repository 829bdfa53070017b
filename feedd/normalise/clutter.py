"""What in an article's HTML is not the article: share boxes, promotion, advertisement, tracking."""

import re
from typing import Any

from feedd.normalise.elements import Attributes, Elements, elements_of

# Share buttons are told by where they lead: class names change with every redesign, these addresses don't.
SHARE_LINK = re.compile(
    r"(?:https?:)?//(?:"
    r"(?:www\.|m\.|web\.|[a-z]{2}-[a-z]{2}\.)?facebook\.com/(?:dialog/(?:share|feed|send)|sharer|share\.php)"
    r"|(?:www\.|mobile\.)?(?:x|twitter)\.com/(?:intent/(?:tweet|post|share)\b|share\b|home\?status)"
    r"|(?:www\.)?addtoany\.com/(?:add_to|share)|(?:www\.|api\.)?addthis\.com/(?:bookmark|oexchange)"
    r"|(?:www\.|api\.)?sharethis\.com/share"
    r"|(?:web|api)\.whatsapp\.com/send|wa\.me/\?text|t\.me/share|telegram\.me/share"
    r"|(?:www\.)?linkedin\.com/(?:sharearticle|sharing/|cws/share)|(?:[a-z]{2}\.|www\.)?pinterest\.[a-z.]+/pin/create"
    r"|(?:www\.)?reddit\.com/submit|(?:service|v\.t)\.weibo\.com/share|(?:www\.)?tumblr\.com/(?:share|widgets/share)"
    r"|(?:social-plugins\.)?line\.me/(?:lineit|r/msg|r/share)|share\.flipboard\.com/|getpocket\.com/(?:save|edit)"
    r"|vk\.com/share|bsky\.app/intent/compose|(?:www\.)?threads\.net/intent/post|connect\.ok\.ru/offer|buffer\.com/add"
    r"|news\.ycombinator\.com/submitlink|plus\.google\.com/share|connect\.qq\.com/widget/shareqq"
    r"|sns\.qzone\.qq\.com/|b\.hatena\.ne\.jp/entry"
    r")"
    r"|(?:whatsapp|fb-messenger|viber|tg|weixin|line|sms):|mailto:\?",
    re.IGNORECASE,
)
SHARE_HEADING = re.compile(
    r"\s*+(?:share(?:\s+(?:this(?:\s+(?:article|story|page|post))?|on|via))?|partager(?:\s+(?:cet\s+article|sur))?"
    r"|compartir|condividi|teilen|compartilhar|partilhar|поделиться|paylaş|udostępnij|delen|dela|chia\s+sẻ"
    r"|分享(?:到|至|本文|文章)?|转发|轉發|共有(?:する)?|シェア(?:する)?|공유(?:하기)?|شارك|مشاركة|اشتراک‌گذاری|שתפו|แชร์"
    r")?\s*+[:：|·\-–—>]*+\s*+",
    re.IGNORECASE,
)
# Python's sets tell clutter in half of the time that selectors take
PROMOTION_ATTRIBUTES = frozenset(
    "data-selfpromo-newsletter data-selfpromo-app data-selfpromo data-ad-slot data-ad data-advertisement".split()
)
TELLING_ATTRIBUTES = PROMOTION_ATTRIBUTES | {"class", "data-e2e", "role"}
PROMOTION_CLASSES = frozenset(
    "adsbygoogle advertisement advert ad-container ad-slot ad-wrapper google-auto-placed dfp-ad taboola OUTBRAIN"
    " addtoany_share_save_container addtoany_content addtoany_shortcode sharedaddy social-share share-buttons"
    " newsletter-signup".split()
)
DROPPED = frozenset(
    "script style template noscript link meta base object embed button input select textarea iframe".split()
)
CLUTTER_NAME = re.compile(
    r"(?:^|-)(?:share|sharing|social|modal|newsletter|promo|selfpromo|subscribe|ad|ads|advert|advertisement|button"
    r"|popup|banner|consent|cookie|paywall|login|embed|sticky|tracking|pixel|comments?)(?:-|$)"
)
MEDIA = frozenset("img picture video audio iframe table hr source svg figure".split())
TRACKER_HOST = re.compile(
    r"(?:https?:)?//(?:[a-z0-9-]+\.)*(?:doubleclick\.net|google-analytics\.com|googletagmanager\.com|scorecardresearch\.com"
    r"|pixel\.wp\.com|stats\.wp\.com|quantserve\.com|facebook\.com/tr\b|feedburner\.com/~r|feeds\.feedburner\.com/~"
    r"|pixel\.[a-z0-9.-]+|mmtro\.com|chartbeat\.(?:com|net)|xiti\.com|hit\.xiti\.com|statcounter\.com|histats\.com"
    r"|amazon-adsystem\.com|outbrain\.com|taboola\.com|bat\.bing\.com|ad\.[a-z0-9.-]+)",
    re.IGNORECASE,
)
HEADINGS = frozenset(["div", "dt", "h1", "h2", "h3", "h4", "h5", "h6", "p"])
# elements that clutter was taken out of, and headings of share boxes, by their place in memory
Gaps = dict[int, Any]


def remove_clutter(tree: Any, elements: Elements) -> None:
    """Take everything out of the tree that is no part of the article.

    A removed node, and each within it, is freed with the tree, not before. Until then it stands alone: nothing is before
    or around it, and to remove it again changes nothing. So it doesn't matter which of two goes first.
    """
    gaps: Gaps = {}
    custom = [node for name in list(elements) if "-" in name for node, _ in elements.pop(name)]
    if custom and unwrap_custom_elements(custom, gaps):
        elements = elements_of(tree)
    clutter = [
        node
        for name, found in elements.items()
        for node, attributes in found
        if name in DROPPED or (attributes and is_promotion(attributes))
    ]
    remove(clutter, gaps)
    share_links = [link for link, attributes in elements["a"] if is_share_link(attributes)]
    for link in share_links:
        mark_heading(link, gaps)
    pixels = [image for image, attributes in elements["img"] if is_tracking_pixel(attributes)]
    remove(share_links + pixels, gaps)
    if clutter or share_links or pixels:
        close_gaps(gaps)


def is_promotion(attributes: Attributes) -> bool:
    if TELLING_ATTRIBUTES.isdisjoint(attributes):
        return False
    if not PROMOTION_ATTRIBUTES.isdisjoint(attributes) or attributes.get("data-e2e") == "advertisement":
        return True
    if attributes.get("role") == "region" and (attributes.get("aria-label") or "").lower() == "advertisement":
        return True
    return not PROMOTION_CLASSES.isdisjoint((attributes.get("class") or "").split())


def is_share_link(attributes: Attributes) -> bool:
    return bool(SHARE_LINK.match((attributes.get("href") or "").strip()))


def is_tracking_pixel(attributes: Attributes) -> bool:
    if {attributes.get("width"), attributes.get("height")} <= {"0", "1", "0px", "1px"}:
        return True
    style = (attributes.get("style") or "").replace(" ", "").lower()
    if style and ("display:none" in style or ("width:1px" in style and "height:1px" in style)):
        return True
    return bool(TRACKER_HOST.match(attributes.get("src") or ""))


def unwrap_custom_elements(custom: list[Any], gaps: Gaps) -> bool:
    """Replace custom elements by what they hold, or remove them where they are clutter themselves.

    Returns whether more may have gone than these elements alone.
    """
    clutter = []
    for node in custom:
        if CLUTTER_NAME.search(node.tag) or not (node.text(strip=True) or holds_media(node)):
            clutter.append(node)
        else:
            node.unwrap()
    held_more = any(node.first_child is not None for node in clutter)
    remove(clutter, gaps)
    return held_more


def remove(nodes: list[Any], gaps: Gaps) -> None:
    """Remove nodes from the tree, and note where they were."""
    for node in nodes:
        if (parent := node.parent) is not None and parent.is_element_node:
            gaps[parent.mem_id] = parent
        node.decompose()


def holds_media(node: Any) -> bool:
    return any(each.tag in MEDIA for each in node.traverse())


def mark_heading(node: Any, gaps: Gaps) -> None:
    """Note what stands directly before `node` as far as it is headings of a share box."""
    before = node.prev
    while before is not None:
        if before.is_text_node:
            if before.text_content.strip():
                return
        elif before.mem_id in gaps or not is_share_heading(before):
            return
        else:
            gaps[before.mem_id] = before
        before = before.prev


def is_share_heading(node: Any) -> bool:
    if node.tag not in HEADINGS:
        return False
    text = node.text()
    return bool(text.strip() and SHARE_HEADING.fullmatch(text))


def close_gaps(gaps: Gaps) -> None:
    """Remove what has become empty, or holds nothing but the heading of a share box, and so on upwards."""
    while gaps:
        emptied = [
            node for node in gaps.values() if SHARE_HEADING.fullmatch(node.text()) and not holds_media(node)
        ]
        gaps = {}
        for node in emptied:
            mark_heading(node, gaps)
        remove(emptied, gaps)
