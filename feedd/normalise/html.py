"""HTML as an outlet wrote it → the article as a feed reader should show it.

One parse finds and removes clutter (see `clutter`) and restores pictures (see `media`); nh3 then lets
through what is on its list and nothing else, so that the safety of the result rests on nh3 alone. It isn't
asked about what it is known to leave as it is (`SIMPLE`): text, and few elements, in one spelling.
`clean` is pure, and cleaning twice changes nothing.
"""

import re
from html import escape, unescape

import nh3
from selectolax.lexbor import LexborHTMLParser

from feedd.normalise.clutter import SHARE_LINK, TRACKER_HOST, remove_clutter
from feedd.normalise.elements import elements_of
from feedd.normalise.media import PLACEHOLDER, restore_media
from feedd.normalise.text import ALLOWED, FORBIDDEN

VERSION = 2  # of what `clean` makes; a higher number makes stored HTML pass through it again before comparing

TAGS = frozenset(
    "a abbr address article aside audio b bdi bdo blockquote br caption center cite code col colgroup dd"
    " del details dfn div dl dt em figcaption figure footer h1 h2 h3 h4 h5 h6 header hr i img ins kbd li"
    " main mark ol p pre q rp rt ruby s samp section small span strong sub summary sup table tbody td"
    " tfoot th thead time tr u ul var video wbr".split()
)
ATTRIBUTES = {
    "*": {"dir", "lang"},
    "a": {"href", "title"},
    "abbr": {"title"},
    "audio": {"controls", "src"},
    "blockquote": {"cite"},
    "del": {"datetime"},
    "img": {"alt", "height", "src", "title", "width"},
    "ins": {"datetime"},
    "ol": {"start"},
    "q": {"cite"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan"},
    "time": {"datetime"},
    "video": {"controls", "height", "poster", "src", "width"},
}
DROPPED_WITH_CONTENT = frozenset(
    "applet button canvas dialog embed frameset iframe input map math menu meter nav noembed"
    " noframes object optgroup option output progress script select style svg template textarea title".split()
)
SANITISER = nh3.Cleaner(
    tags=set(TAGS),
    attributes=ATTRIBUTES,
    clean_content_tags=set(DROPPED_WITH_CONTENT),
    url_schemes={"http", "https", "mailto", "tel"},
    url_relative="deny",
    link_rel=None,
)

# Trees are built in time that grows with the square of their depth, and each paragraph repeats every
# unclosed formatting element before it: what no article needs is not parsed but shown as text.
MAX_DEPTH = 256
MAX_FORMATTING = 24
MAX_REFERENCES = 200_000  # each takes the longer, the more text stands before it
FORMATTING = frozenset("a b big code em font i nobr s small strike strong tt u".split())
SELF_CLOSING = frozenset(
    "area base br col embed hr img input link meta param source track wbr p li dd dt option tr td th"
    " tbody".split()
)
MARKUP = re.compile(
    r"<!--(?:-?>|.*?(?:--!?>|\Z))"
    r"|<(?:script|style|textarea|title|xmp|noembed|noframes|plaintext)(?=[\s/>])"
    r".*?(?:</(?:script|style|textarea|title|xmp|noembed|noframes)[^>]*>?|\Z)"
    r"""|<(?P<close>/?)(?P<name>[a-z][^\s/>]*)(?:"[^"]*"|'[^']*'|[^'">])*>?""",
    re.IGNORECASE | re.DOTALL,
)
FOREIGN = re.compile(r"<(svg|math)(?=[\s/>]).*?(?:</\1\s*>|\Z)", re.IGNORECASE | re.DOTALL)
STRIKE = re.compile(r"<(/?)strike(?=[\s/>])", re.IGNORECASE)
EMPTY_IMAGE = re.compile(r'<img(?: (?!src=)[a-z]+="[^"]*")*>')
# HTML as it leaves this module, as far as it is simple: text without a character that a parser reads as anything else,
# in elements that can be nested in one way only, with addresses that are beyond doubt. What text can't hold is quicker
# to tell, and to compile, than what it can.
TEXT = r"[^\x00-\x08\x0b-\x1f&<>\x7f-\xa0\ud800-\udfff\ufeff\ufffe\uffff]++|&(?:amp|lt|gt|nbsp);|<br>"
ADDRESS = r"https?://(?:[a-z0-9]++(?:-[a-z0-9]++)*\.)+[a-z]++/(?:[!#-%'-;=?-\[\]_a-zA-Z~]++|&amp;)*"
WITHIN_LINE = rf'<(a|b|code|em|i|small|strong)(?:(?<=<a) href="{ADDRESS}")?>(?:{TEXT})*</\1>'
FLOW = rf'{TEXT}|<p>(?:{TEXT}|{WITHIN_LINE})*</p>|<img src="{ADDRESS}">'
SIMPLE = re.compile(f"(?:{FLOW})*")
# where a tree was written out, so that what is opened is closed again
SIMPLE_TREE = re.compile(f"(?:{FLOW}|</?(?:article|aside|blockquote|div|figcaption|figure|section)>)*")
LONGEST_SIMPLE = 100_000  # characters: to be sure of more takes memory for each of its elements
LINK_TARGET = re.compile('<a href="([^"]*)')
PICTURE_SOURCE = re.compile('<img src="([^"]*)')
PRE_START = re.compile(r'(<pre(?: [a-z]+="[^"]*")*>)\n+')  # a parser drops the first line feed, each time


class TooMuchHtml(ValueError):
    """Cleaning would take time out of all proportion; says why."""


def clean(raw: str, base_url: str) -> str:
    """The article in `raw`, safe and without clutter; relative links are resolved against `base_url`.

    Raises TooMuchHtml.
    """
    return raw.strip() if is_clean(raw) else sanitised(raw, base_url)


def is_clean(raw: str) -> bool:
    """Whether `raw` is seen to be what `sanitised` makes of it, at a tenth of the cost."""
    return (
        has_form(SIMPLE, raw)
        and not any(map(SHARE_LINK.match, LINK_TARGET.findall(raw)))
        and not any(map(shows_nothing, PICTURE_SOURCE.findall(raw)))
    )


def has_form(form: re.Pattern[str], html: str) -> bool:
    return len(html) <= LONGEST_SIMPLE and form.fullmatch(html) is not None


def shows_nothing(address: str) -> bool:
    """Whether a picture there is none that a reader is to see."""
    return bool(PLACEHOLDER.match(address) or TRACKER_HOST.match(address))


def sanitised(raw: str, base_url: str) -> str:
    """As `clean`, of whatever it may be."""
    if raw.count("&") > MAX_REFERENCES:
        raise TooMuchHtml(f"its HTML holds more than {MAX_REFERENCES:,} character references")
    if too_deep(raw):
        raw = FOREIGN.sub("", raw)  # a drawing's elements close themselves, and it is dropped in any case
        if too_deep(raw):
            raw = paragraphs(unescape(MARKUP.sub("\n", raw)))
    if STRIKE.search(raw):
        raw = STRIKE.sub(r"<\1s", raw)  # the same element by its name of today
    tree = LexborHTMLParser(raw, is_fragment=True)
    elements = elements_of(tree)
    restore_media(elements, base_url)
    remove_clutter(tree, elements)
    html = tree.html or ""
    if not has_form(SIMPLE_TREE, html):
        html = EMPTY_IMAGE.sub("", allowed(SANITISER.clean(html)))
        html = PRE_START.sub(r"\1", html) if "<pre" in html else html
    return html.strip()


def allowed(html: str) -> str:
    """Without what no XML document may hold."""
    return html if ALLOWED.fullmatch(html) else FORBIDDEN.sub("", html)


def paragraphs(text: str) -> str:
    """Plain text as HTML, a paragraph a line."""
    return "".join(f"<p>{escape(line, quote=False)}</p>" for line in map(str.strip, text.split("\n")) if line)


def too_deep(raw: str) -> bool:
    """Whether `raw` opens more elements than a tree should be built of."""
    if raw.count("<") <= MAX_DEPTH:
        return False
    open_by_name = {"svg": 0, "math": 0}
    depth = formatting = 0
    for tag in MARKUP.finditer(raw):
        name = (tag["name"] or "").lower()
        if not name and (open_by_name["svg"] or open_by_name["math"]) and tag[0].count("<") > MAX_DEPTH:
            return True  # there, what looks like a script may hold elements
        if not name or name in SELF_CLOSING:
            continue
        step = -1 if tag["close"] else 1
        count = open_by_name.get(name, 0) + step
        if count < 0:
            continue
        open_by_name[name] = count
        depth += step
        if name in FORMATTING:
            formatting += step
        if depth > MAX_DEPTH or formatting > MAX_FORMATTING:
            return True
    return False
