"""Text → tokens, the same for what is indexed, asked for, ranked and marked. Pure.

A token is a word of letters and digits, folded: compatibility forms are made one (NFKC, UAX #15), case is folded,
diacritics and vowel points go. Scripts that put no spaces between words (Han, kana, Hangul, Thai and their like) are
cut into single characters, so that any run of them can be asked for as a phrase; a symbol such as an emoji is a token
of its own.
"""

import re
import unicodedata
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from functools import cache, lru_cache
from itertools import accumulate
from typing import NamedTuple

VERSION = 1  # grows with whatever changes the tokens of any text: indexes made by another are built anew

# one character a token: Han with its iteration marks, kana, Hangul, bopomofo, Yi; Thai, Lao, Myanmar, Khmer
UNSPACED = (
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3038-\u303c\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u318f"
    "\u31a0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua000-\ua4cf\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff\u1100-\u11ff"
    "\U0001aff0-\U0001b16f\U00020000-\U0003ffff"
    "\u0e01-\u0e3a\u0e40-\u0e4e\u0e81-\u0ede\u1000-\u1049\u1050-\u109f\u1780-\u17d3"
)
# marks that belong to a word of a script that needs them: Indic ones, Tibetan, Thaana, Syriac, N'Ko
MARKS = (
    "\u0711\u0730-\u074a\u07a6-\u07b0\u07eb-\u07f3\u0900-\u0903\u093a-\u094f\u0951-\u0957\u0962\u0963\u0981-\u0983\u09bc-\u09d7"
    "\u09e2\u09e3\u0a01-\u0a03\u0a3c-\u0a51\u0a70-\u0a75\u0a81-\u0a83\u0abc-\u0acd\u0b01-\u0b03\u0b3c-\u0b57\u0b82\u0bbe-\u0bcd"
    "\u0c00-\u0c04\u0c3c-\u0c56\u0c81-\u0c83\u0cbc-\u0cd6\u0d00-\u0d03\u0d3b-\u0d4d\u0d57\u0d81-\u0d83\u0dca-\u0ddf\u0f18-\u0f39\u0f71-\u0fbc"
)
SYMBOLS = "\u2190-\u21ff\u2300-\u23ff\u2600-\u27bf\u2b00-\u2bff\U0001f000-\U0001faff$€£¥₩₹"
LETTER = f"[^\\W_{UNSPACED}]"
LONGEST = 64  # characters of a token: a key or an address without a break counts as several
ASCII_TOKEN = re.compile(f"[a-z0-9]{{1,{LONGEST}}}|[$]")
# what is no part of a word: accents, Hebrew points, Arabic vowels and tatweel, what is invisible
DROPPED = re.compile(
    "[\u0300-\u036f\u0483-\u0489\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670"
    "\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufe00-\ufe0f\ufeff]"
)
# compatibility forms that are no part of a word: normalising for their sake alone costs half of all
PUNCTUATION = ("\u3000", *"，：；！？（）…～")


def fold(text: str) -> str:
    """`text` as it is compared. Folding it again changes nothing."""
    if text.isascii():
        return text.lower()
    for sign in PUNCTUATION:
        text = text.replace(sign, " ")
    if not unicodedata.is_normalized("NFKC", text):
        text = unicodedata.normalize("NFKC", text)
    folded = text.casefold()
    if unicodedata.is_normalized("NFD", folded) and not DROPPED.search(folded):
        return folded
    folded = DROPPED.sub("", unicodedata.normalize("NFKD", folded)).casefold()
    return unicodedata.normalize("NFKC", folded)


def tokens(text: str) -> list[str]:
    """The tokens of a text, in its order."""
    folded = fold(text)
    found: list[str] = pattern(folded).findall(folded)
    return found


def pattern(folded: str) -> re.Pattern[str]:
    """What finds the tokens of folded text."""
    return ASCII_TOKEN if folded.isascii() else any_token()


@cache
def any_token() -> re.Pattern[str]:
    """Compiled when it is needed first, as `alone` is: both take 10 ms, and most commands need neither."""
    return re.compile(  # by far the most first: words of ASCII that end there, and Han
        f"[a-z0-9]{{1,{LONGEST}}}+(?=[\\x00-\\x7f\u3000-\u303f\u4e00-\u9fff]|\\Z)|[\u4e00-\u9fff]|[{UNSPACED}{SYMBOLS}]"
        f"|{LETTER}(?:{LETTER}|[{MARKS}]){{0,{LONGEST - 1}}}"
    )


@cache
def alone() -> re.Pattern[str]:
    return re.compile(f"[{UNSPACED}{SYMBOLS}]")


def segmented(text: str) -> str:
    """The tokens as the index takes them: apart by spaces."""
    return " ".join(tokens(text))


def traced(text: str) -> tuple[str, Sequence[tuple[int, int]] | None]:
    """`text` folded, and for each character of that from where to where it came from; None: each from its own place."""
    if text.isascii():
        return text.lower(), None
    if not DROPPED.search(text):  # no character is lost: if none became several, each is in its place
        folded = "".join(map(folded_alone, text))
        if len(folded) == len(text):
            return folded, None
    pieces, origins = list[str](), list[tuple[int, int]]()
    for found in CLUSTER.finditer(text):
        folded = fold(found[0])
        pieces.append(folded)
        origins += [found.span()] * len(folded)
    return "".join(pieces), origins


@lru_cache(maxsize=1 << 16)
def folded_alone(char: str) -> str:
    return fold(char)


# a character with what is combined with it, or a syllable of Hangul in pieces
CLUSTER = re.compile(
    "(?:[\u1100-\u115f][\u1160-\u11a7]+[\u11a8-\u11ff]*|.)[\u0300-\u036f\u3099\u309a\uff9e\uff9f]*", re.DOTALL
)


class Placed(NamedTuple):
    """Folded text as its tokens: where each begins in `spaced`, and from where to where it stands in the text."""

    spaced: str  # tokens with a space between them, and at either end
    starts: tuple[int, ...]
    spans: tuple[tuple[int, int], ...]

    def places(self, wanted: Sequence[str], *, prefix: bool) -> Iterator[tuple[int, int]]:
        """Where these tokens stand, one after the other; with `prefix`, the last one may go on.

        Texts and phrases are those of others: this takes no longer than reading them once does.
        """
        sought = f" {' '.join(wanted)}{'' if prefix else ' '}"
        at = self.spaced.find(sought)
        while at >= 0:
            first = bisect_left(self.starts, at + 1)
            yield self.spans[first][0], self.spans[first + len(wanted) - 1][1]
            at = self.spaced.find(sought, at + len(sought) - 1)  # two that follow each other share a space


def placed(folded: str) -> Placed:
    spans = tuple(found.span() for found in pattern(folded).finditer(folded))
    lengths = (end - start + 1 for start, end in spans)
    starts = tuple(accumulate(lengths, initial=1))[: len(spans)]
    return Placed(f" {' '.join(folded[start:end] for start, end in spans)} ", starts, spans)


def is_alone(token: str) -> bool:
    """Whether the token is a character of a script without spaces, or a symbol."""
    return len(token) == 1 and alone().match(token) is not None
