"""Text cut into sentences, and sentences into tokens, in any script; and what two texts share but for typography.

Every expression here runs in linear time: what repeats is possessive, and begins where it can't have begun before.
"""

import re
import unicodedata
from itertools import pairwise

from feedd.changes.segment_classes import (
    BIDI,
    CLOSING,
    CLUSTER_BASE,
    CLUSTER_MARK,
    CLUSTER_PREFIX,
    CLUSTERED,
    DOUBLE_QUOTES,
    EXTENDING,
    HAN,
    HAN_NUMERALS,
    HIRAGANA,
    JOINERS,
    KATAKANA,
    MARKS,
    MULTIPLIERS,
    PRESENTED,
    RAISED,
    REGIONAL,
    SINGLE_QUOTES,
    STACKING,
    UNJOINED,
    UNSPACED,
    VOICING,
    ZERO_WIDTH_JOINER,
)
from feedd.normalise.text import fold

# --- what two texts share ---

PLAIN = {
    **dict.fromkeys(DOUBLE_QUOTES, '"'),
    **dict.fromkeys(SINGLE_QUOTES, "'"),
    **{chr(full): chr(full - 0xFEE0) for full in range(0xFF01, 0xFF5F)},
    **dict.fromkeys("\u2010\u2011\u2212", "-"),  # hyphens and the sign; dashes are punctuation of their own
    "\u301c": "~",
    "\u22ef": "…",
}
INVISIBLE = re.compile(f"[{BIDI}\u00ad\u0640\u200b\u2060\ufe0e\ufe0f\ufeff]")
VARIANTS = re.compile(f"[{''.join(map(re.escape, PLAIN))}]")
PRESENTATION = re.compile(f"[{PRESENTED}]")
STRAY_JOINER = re.compile(rf"(?:\A|(?<=[{UNJOINED}{UNSPACED}]))\u200d++(?=[{UNJOINED}{UNSPACED}]|\Z)")
# where only typography decides whether there is a space: around quotes, before high punctuation, beside Han and kana;
# not where numbers would join: 第五 十二人, 10 万 5 人
LOOSE_SPACE = re.compile(
    rf"(?!(?<=[{HAN_NUMERALS}{MULTIPLIERS}]) [\d{HAN_NUMERALS}{MULTIPLIERS}])(?!(?<=\d) [{HAN_NUMERALS}])"
    rf"""(?:(?<=["{UNSPACED}]) | (?=["!?;:%‰٪{UNSPACED}]))"""
)
LOOSE_SPACE_ASCII = re.compile('(?<=") | (?=["!?;:%])')
# neither an apostrophe within a word nor a prime behind a digit
SINGLE_AS_QUOTE = re.compile(rf"(?<!\w)'|(?<!\d)'(?!\w)|(?<=[{UNSPACED}])'|(?<!\d)'(?=[{UNSPACED}])")
ELLIPSES = re.compile("……+")


def key(text: str) -> str:
    """What two texts have in common that are the same but for typography. No digit, sign or letter is lost."""
    if text.isascii():
        if text.isalnum():
            return text  # most words
    else:
        text = VARIANTS.sub(plain, PRESENTATION.sub(composed, INVISIBLE.sub("", text)))
        if ZERO_WIDTH_JOINER in text:
            text = STRAY_JOINER.sub("", text)
    text = fold(text)
    if "..." in text:
        text = text.replace("...", "…")
    if "'" in text:
        text = SINGLE_AS_QUOTE.sub('"', text)
    if " " in text:
        text = (LOOSE_SPACE_ASCII if text.isascii() else LOOSE_SPACE).sub("", text)
    return ELLIPSES.sub("…", text) if "……" in text else text


def composed(found: re.Match[str]) -> str:
    """A presentation form as what it presents; a mark that stands alone keeps its place without the space."""
    return unicodedata.normalize("NFKC", found[0]).strip(" ")


def plain(found: re.Match[str]) -> str:
    return PLAIN[found[0]]


# --- sentences ---

LONGEST = 1_500  # characters; a longer sentence is cut, so that all work on one is bounded
SHORTEST_CUT = 750
# it begins with one class, so that `re` looks for that alone: four times as quick; the space before
# a quotation mark is not what ends the sentence
SENTENCE_END = re.compile(
    r"[.!?…。！？｡؟۔।॥\n](?:"
    rf"(?<=[.!?…])(?<![.!?…]{{2}})(?P<more>[.!?…]*+)(?:[{CLOSING}]++|[ \u00a0\u202f][»›]){{0,100}}(?![ \u00a0\u202f][»›])\s++"
    rf"|(?:(?<=[。！？｡؟۔।॥])|(?<=[{UNSPACED}][!?]))[。！？｡!?…]*+[{CLOSING}]*+\s*+"
    r"|(?<=\n)\s*+)"
)
ABBREVIATIONS = frozenset(
    "mr mrs ms dr st ste prof sr jr rev gen col capt lt sgt gov sen rep pres hon messrs m mm mme mmes mlle mlles me"
    " etc cf vs v al ca env p pp vol no nos nr art chap fig ed eds inc ltd corp co approx apr dept est"
    " jan feb mar jun jul aug sep sept oct nov dec janv févr avr juil déc bd av hr frau hrn bzw ggf evtl usw sog str"
    " sra srta ud uds pág núm avda тыс млн млрд руб г гг др пр им ул стр см".split()
)
CUTS = tuple(map(re.compile, (r"[;；:：—][^\d]", r"[,，、،][^\d]", r"\s")))


def sentences(block: str) -> list[str]:
    """The sentences of one paragraph, each with the white space behind it; joined they are the paragraph."""
    ends, start, word = list[int](), 0, -1
    for end in SENTENCE_END.finditer(block):
        at = end.end()
        if word < start:
            first = WORDLIKE.search(block, start)
            word = first.start() if first else len(block)
        if word >= at and ends and not block[at : at + 1].islower():
            ends[-1] = start = at  # without a word it belongs to the one before
        elif end["more"] is None or not goes_on(block, start, end):
            ends.append(at)
            start = at
    if start < len(block):
        ends.append(len(block))
    found = [block[i:j] for i, j in pairwise((0, *ends))]
    if len(block) <= LONGEST:
        return found
    return [part for sentence in found for part in cut(sentence)]


def goes_on(block: str, start: int, end: re.Match[str]) -> bool:
    """Whether the sentence goes on behind a stop and a space: 'Dr. No', 'J. K.', '"Why?" she asked'."""
    at = end.end()
    if at < len(block) and block[at].islower():
        return True
    if block[end.start()] != "." or end["more"] or at == len(block):
        return False
    before = block[max(start, end.start() - 16) : end.start()].split()
    word = before[-1].lstrip("([{\"'“‘«„") if before else ""
    if word.isdecimal():
        return end.start() - start == len(word)  # the number of a list's item
    if len(word) == 1:
        return word.isupper()
    return word.casefold() in ABBREVIATIONS or (
        "." in word and word.replace(".", "").isalpha() and len(word) < 8
    )


def cut(sentence: str) -> list[str]:
    """The sentence in parts of at most LONGEST characters, at punctuation if there is any."""
    parts, start = [], 0
    while len(sentence) - start > LONGEST:
        end = cut_at(sentence, start)
        parts.append(sentence[start:end])
        start = end
    parts.append(sentence[start:])
    return parts


def cut_at(sentence: str, start: int) -> int:
    """Where to cut; where nothing offers itself, content decides, so that two versions are cut at the same places."""
    first, last = start + SHORTEST_CUT, start + LONGEST - 50
    for kind in CUTS:
        if found := kind.search(sentence, first, last):
            return found.end() if kind is CUTS[-1] else found.end() - 1
    before, *behind = sentence[first:last].split(max(sentence[first:last]))
    best = behind.index(max(behind))
    at = first + len(before) + sum(map(len, behind[:best])) + best
    for end in range(at, at + 16):
        if not holds_together(sentence[end - 1], sentence[end]):
            return end
    return at


def holds_together(left: str, right: str) -> bool:
    """Whether nothing may be cut between the two characters."""
    if (
        left == ZERO_WIDTH_JOINER
        or right in JOINERS
        or unicodedata.category(right)[0] == "M"
        or right in STACKING
    ):
        return True
    if left.isascii() and right.isascii():
        return not left.isspace() and not right.isspace()
    return (left.isdecimal() and right.isdecimal()) or "\U0001f000" <= right <= "\U0001faff"


# --- tokens ---

LETTER = rf"[^\W\d_{UNSPACED}{CLUSTERED}{RAISED}]"
SEPARATOR = "[.,:'’·٫٬．：]"
# groups are not possessive: Python before 3.11.5 matches such a group too freely (gh-106052)
DIGITS = rf"\d++(?:{SEPARATOR}\d++)*"
WORD = (
    rf"(?:[A-Za-z]++|{LETTER})(?:[a-z]++|{LETTER}++|[{MARKS}{JOINERS}]++|[{RAISED}]++|(?<=[A-Za-z]){DIGITS})*"
)
ELISION = (
    rf"(?:[cdjlmnstCDJLMNST]['’](?={LETTER})"
    rf"|(?:[Qq]u|[Jj]usqu|[Ll]orsqu|[Pp]uisqu|[Qq]uoiqu|[Dd]ell|[Nn]ell|[Aa]ll|[Ss]ull|[Dd]all|[Uu]n)['’]"
    rf"(?={LETTER}{LETTER}))"
)
# a sign, where it is neither a hyphen nor between the ends of a range
SIGN = rf"(?:(?<![^\W{UNSPACED}])(?<![{MARKS})\]%‰°€])[-−+±－＋])"
NUMBER = (
    rf"{SIGN}?(?:\d{{1,3}}(?:[ \u00a0\u2007\u2009\u202f]\d{{3}}(?!\d))+(?:{SEPARATOR}\d++)*|{DIGITS})[{RAISED}]*+"
    rf"|{SIGN}?[{RAISED}]++"
)
TOKEN = re.compile(
    rf"{ELISION}|{WORD}(?:['’ʼ‘‐‑·״׳\"-](?<!\")(?:{WORD})|(?<=[\u05d0-\u05ea])\"(?=[\u05d0-\u05ea])(?:{WORD}))*"
    r"|\s++"
    rf"|[0-9#*]\ufe0f?\u20e3|{NUMBER}"
    rf"|[{KATAKANA}][{KATAKANA}{VOICING}]*+|[{HAN}{HIRAGANA}][{EXTENDING}]*+"
    rf"|[{CLUSTER_PREFIX}]?[{CLUSTER_BASE}](?:[{STACKING}][{CLUSTER_BASE}]|[{CLUSTER_MARK}])*"
    rf"|[{REGIONAL}]{{2}}"
    r"|\.\.\.|…++"
    rf"|.[{EXTENDING}]*+(?:\u200d[^\w\s][{EXTENDING}]*+)*",
    re.DOTALL,
)


def tokens(sentence: str) -> list[str]:
    """Words, numbers, white space and single signs; joined they are the sentence."""
    return TOKEN.findall(sentence)


WORDLIKE = re.compile(r"\w")
CHARACTER = re.compile(f"[{UNSPACED}{CLUSTERED}]")


def is_word(token: str) -> bool:
    """Whether the token is a word, a number, or a character of a script without spaces."""
    return WORDLIKE.search(token) is not None


def is_character(token: str) -> bool:
    """Whether the token is a part of a word: a character of a script without spaces."""
    return CHARACTER.match(token) is not None
