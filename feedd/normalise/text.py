"""Plain text of clean HTML, its summary, and the fingerprints that tell versions apart.

The functions here that take HTML take it as `normalise.html.clean` returns it: attributes are quoted and
escaped, so that a tag can be told by a regular expression, at a third of the cost of building a tree.
"""

import html
import re
import unicodedata
from hashlib import blake2b
from typing import NamedTuple

from feedd.normalise.url import without_tracking

ATTRIBUTES = r'(?:\s[^\s=>]+="[^"]*")*\s*/?>'
BLOCK_TAG = re.compile(
    r"</?(?:p|div|br|h[1-6]|li|ul|ol|dl|dt|dd|blockquote|figure|figcaption|table|caption|thead|tbody|tfoot"
    r"|tr|td|th|pre|hr|main|section|article|aside|header|footer|details|summary|video|audio|address|center)"
    + ATTRIBUTES
)
KEPT_LINES = re.compile(r"(?P<pre><pre(?=[\s>]).*?(?:</pre>|\Z))|\n", re.DOTALL)
TAG = re.compile(r"</?[a-z][a-z0-9]*" + ATTRIBUTES)
# what stands before is looked at from behind: a pattern that begins with plain characters is found in half the time
TARGET = re.compile(r'="(?:(?<=\shref=")|(?<=\ssrc=")|(?<=\sposter="))([^"]*)"')
LEAD_IMAGE = re.compile(r'<img(?:\s[^\s=>]+="[^"]*")*?\ssrc="([^"]+)"')
# XML 1.0 section 2.2: what no document may hold
FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")
# the same the other way round: twice as quick to find that there is none
ALLOWED = re.compile("[\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]*+")
# what typography alone decides, and what stands for it
TYPOGRAPHY = (
    *((quote, '"') for quote in "“”„‟"),
    *((quote, "'") for quote in "‘’‚‛"),
    *((invisible, "") for invisible in "\u00ad\u200b\u2060\ufeff"),
)
SENTENCE_END = re.compile(r"(?<=[.!?…])\s|(?<=[。！？])")

# an exponent or a charge: what stands so behind a digit or a letter, and is no letter (`1er`), nor a reference's link
RAISED = re.compile(
    r"(?<=[^\W_])((?:</(?:b|i|em|strong|small|span|sub|var)>){0,100})<sup"
    + ATTRIBUTES
    + r"\s*([0-9+\-−]++)\s*</sup>"
)
RAISED_SIGNS = str.maketrans("0123456789+-−", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻")
QUOTE = re.compile(r"<(/?)q" + ATTRIBUTES)
STRUCK = re.compile(r"<(/?)(?:s|del)" + ATTRIBUTES)
PICTURE = re.compile(r'<img(?:\s[^\s=>]+="[^"]*")*?\salt="([^"]*)"' + ATTRIBUTES)
CELL = r"t[dh]" + ATTRIBUTES
EMPTY_CELL = re.compile(rf"(<{CELL})(?:\s++|&nbsp;|</?(?:p|br|div|span|b|i|em|strong)>){{0,100}}(?=</t[dh]>)")
EDGE_TAG = re.compile(r"</?(?:t[dh]|li)" + ATTRIBUTES)
# whether any of these occurs: one search in place of eight
SAYING = re.compile(r"</?(?:s|del|q|sup|t[dh]|li)[\s/>]|<img(?:\s[^\s=>]+=\"[^\"]*\")*?\salt=")
EDGE = "\x01"  # where a cell or an item of a list begins or ends; no document holds this character
EDGES = re.compile("\x01[ \x01]+")
CLOSING = frozenset(".!?…:;,\"'”’»)]。！？：；，、」』")  # what sentences, and parts of them, end with


class Line(NamedTuple):
    """A line of what is compared."""

    text: str
    ends: bool  # a cell of a table, or an item of a list: what follows belongs to another


def plain_text(clean_html: str) -> str:
    """The text of clean HTML, a line a block."""
    if "\n" in clean_html:
        clean_html = unwrapped(clean_html)
    lines = (" ".join(line.split()) for line in untagged(spelled(clean_html)).split("\n"))
    return "\n".join(line for line in lines if line)


def compared(clean_html: str) -> list[Line]:
    """The text by lines, with words for what of the mark-up says something."""
    if "\n" in clean_html:
        clean_html = unwrapped(clean_html)
    lines: list[Line] = []
    for line in untagged(worded(clean_html)).split("\n"):
        text = " ".join(line.split())
        if text == EDGE:
            if lines:
                lines[-1] = lines[-1]._replace(ends=True)
        elif text:
            lines.append(Line(text, ends=False))
    return lines


def untagged(clean_html: str) -> str:
    text = TAG.sub("", BLOCK_TAG.sub("\n", clean_html))
    return html.unescape(text) if "&" in text else text


def worded(clean_html: str) -> str:
    """With characters and words for all mark-up that says something."""
    return marked(spelled(clean_html)) if SAYING.search(clean_html) else clean_html


def spelled(clean_html: str) -> str:
    """With characters for the mark-up that readers see as such: exponents and quotation marks."""
    if "<sup" in clean_html:
        clean_html = RAISED.sub(lambda found: found[1] + found[2].translate(RAISED_SIGNS), clean_html)
    if "<q" in clean_html:
        clean_html = QUOTE.sub(lambda tag: "”" if tag[1] else "“", clean_html)
    return clean_html


def marked(clean_html: str) -> str:
    """With words for passages that are struck out, pictures and empty cells, and EDGE around cells and items."""
    if "</s>" in clean_html or "</del>" in clean_html:
        clean_html = STRUCK.sub(lambda tag: "]" if tag[1] else "[struck out: ", clean_html)
    if ' alt="' in clean_html:
        clean_html = PICTURE.sub(pictured, clean_html)
    if "</td>" in clean_html or "</th>" in clean_html:
        # it ends as a question does: whether the next cell answers one can't be told
        clean_html = EMPTY_CELL.sub(r"\1[empty cell:]", clean_html)
    return EDGE_TAG.sub(f"\n{EDGE}\n", clean_html)


def pictured(found: re.Match[str]) -> str:
    said = found[1].strip()
    return f"[picture: {said.replace('<', '&lt;')}]" if said else ""


def unwrapped(clean_html: str) -> str:
    """Without the line ends that are nothing but white space: where the source happens to be wrapped."""
    if "<pre" not in clean_html:
        return clean_html.replace("\n", " ")
    return KEPT_LINES.sub(lambda found: found["pre"] or " ", clean_html)


def summary(clean_html: str, limit: int = 300) -> str:
    """The beginning of the text, at most `limit` characters, cut at the end of a sentence or a word."""
    start = clean_html[: limit * 40]
    if start.rfind("<") > start.rfind(">"):
        start = start[: start.rfind("<")]
    text = plain_text(start).replace("\n", " ")
    if len(text) <= limit:
        return text
    head = text[:limit]
    ends = [found.end() for found in SENTENCE_END.finditer(head)]
    if ends and ends[-1] > limit // 2:
        return head[: ends[-1]].rstrip()
    space = head.rfind(" ")
    return head[: space if space > limit // 2 else limit - 1].rstrip() + "…"


def lead_image(clean_html: str) -> str | None:
    """The address of the first picture."""
    found = LEAD_IMAGE.search(clean_html)
    return html.unescape(found[1]) if found else None


def fold(text: str) -> str:
    """`text` without what typography alone decides.

    That is: runs of white space, the shape of quotes, invisible characters, and the Unicode form. No digit,
    sign, punctuation or letter is lost.
    """
    if not unicodedata.is_normalized("NFC", text):
        text = unicodedata.normalize("NFC", text)
    if not text.isascii():
        for char, plain in TYPOGRAPHY:  # a search for each beats one translation by ten
            text = text.replace(char, plain)
    return " ".join(text.split())


def fingerprint(clean_html: str) -> bytes:
    """16 bytes that are equal for two versions if the words, signs and digits of their texts are.

    Line ends count where cells and items end, and where what stands around them reads otherwise if it is joined.
    """
    if "\n" in clean_html:
        clean_html = unwrapped(clean_html)
    text = fold(run_together(untagged(worded(clean_html))))
    if EDGE in text:
        text = EDGES.sub(EDGE, text.replace(f" {EDGE}", EDGE))
    return digest(16, text)


def run_together(text: str) -> str:
    """Lines as one, with EDGE where an end says something: where a line does not end as a sentence does, before one
    that does not go on in small letters ("Smith" and "Jones").
    """
    lines = [line for line in map(str.strip, text.split("\n")) if line]
    for place, following in enumerate(lines[1:]):
        line = lines[place]
        lines[place] = line + (" " if line[-1] in CLOSING or "a" <= following[0] <= "z" else EDGE)
    return "".join(lines)


def links_hash(clean_html: str, *beside: str) -> bytes:
    """8 bytes that are equal for two versions if their link targets and pictures are, in order.

    `beside` are addresses that belong to the article and stand outside its content.
    """
    return digest(8, *(without_trackers(target) for target in TARGET.findall(clean_html)), *beside)


def without_trackers(target: str) -> str:
    """The address without tracking parameters, which change from one look to the next."""
    address, mark, query = html.unescape(target).partition("?")
    return address + mark + without_tracking(query) if mark else address


def content_hash(title: str, clean_html: str, *said: str) -> bytes:
    """16 bytes that are equal for two versions if title, HTML and what else is said are, to the letter."""
    return digest(16, title, clean_html, *said)


def digest(size: int, *fields: str) -> bytes:
    return blake2b("\0".join(fields).encode("utf-8", "surrogatepass"), digest_size=size).digest()
