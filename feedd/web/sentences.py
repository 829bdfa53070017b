"""What feedd says in English, said in another language: reasons, advice, errors.

They are made where the language of a reader is not known, and are kept in the store as words. The set is closed: a
sentence that is not in it, and all that others say, stays as it is. Pure.

A sentence of `sentences/LANGUAGE.toml` has places for values: `{}` holds anything, and is left as it is; `{n}` a whole
number; `{where}` a host or an address; `{said}` a sentence of the set. The other language names them by their place: `{0}`, `{1}`.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from importlib.resources import files
from typing import NamedTuple

from feedd.web.translation import CATALOGUES

LONGEST = 2_000  # characters; what is longer is none of these
DEEPEST = 3  # sentences in one another
PLACE = re.compile(r"\{(n|where|said|)\}")
NUMBER = re.compile(r"[0-9][0-9,]{0,19}")
TIME = re.compile(r"\b([0-9]{4}-[0-9]{2}-[0-9]{2})T([0-9]{2}:[0-9]{2})(?::[0-9]{2}(?:\.[0-9]{1,9})?)?Z")


class Sentence(NamedTuple):
    literals: Sequence[str]  # around the places, one more than these
    places: Sequence[str]  # "", "n", "where" or "said"
    text: str  # in the other language

    @property
    def weight(self) -> int:
        """How much of it is certain: of two that fit, the one with more is meant."""
        return sum(map(len, self.literals))

    def values(self, text: str) -> list[str] | None:
        """What stands in its places, if the text is such a sentence. Each reaches as far as to the next literal: that
        takes a time that grows with the text alone.
        """
        first, last = self.literals[0], self.literals[-1]
        if not self.places:
            return [] if text == first else None
        if not (text.startswith(first) and text.endswith(last) and len(text) >= len(first) + len(last)):
            return None
        found, start, end = list[str](), len(first), len(text) - len(last)
        for literal in self.literals[1:-1]:
            at = text.find(literal, start, end)
            if at < 0:
                return None
            found.append(text[start:at])
            start = at + len(literal)
        found.append(text[start:end])
        fits = all(fit(place, value) for place, value in zip(self.places, found, strict=True))
        return found if fits else None


def fit(place: str, value: str) -> bool:
    match place:
        case "n":
            return bool(NUMBER.fullmatch(value))
        case "where":
            return value.split() == [value]
        case _:
            return bool(value)


def sentences(texts: Mapping[str, str]) -> list[Sentence]:
    """Those of which most is certain first."""
    made = [
        Sentence(PLACE.split(english)[::2], PLACE.findall(english), text) for english, text in texts.items()
    ]
    return sorted(made, key=lambda each: -each.weight)


def read(language: str) -> dict[str, str]:
    text = (files("feedd.web") / "sentences" / f"{language}.toml").read_text("utf-8")
    return tomllib.loads(text)


SENTENCES = {language: sentences(read(language)) for language in CATALOGUES}


def said(text: str, language: str) -> str:
    """A sentence of feedd's own in that language; any other text as it is."""
    found = recognised(text, language)
    return text if found is None else found


def recognised(text: str, language: str, depth: int = DEEPEST) -> str | None:
    """The sentence in that language; None: it is none of feedd's, or that language has no words for it."""
    if not depth or len(text) > LONGEST:
        return None
    known = SENTENCES.get(language, ())
    for spelled in dict.fromkeys((text, f"{text[:1].lower()}{text[1:]}")):
        for sentence, values in fitting(spelled, known):
            others = [
                recognised(value, language, depth - 1) if place == "said" else value
                for place, value in zip(sentence.places, values, strict=True)
            ]
            if None not in others:
                return sentence.text.format(*others)
    return None


def fitting(text: str, known: Sequence[Sentence]) -> Iterator[tuple[Sentence, Sequence[str]]]:
    for sentence in known:
        values = sentence.values(text)
        if values is not None:
            yield sentence, values


def in_minutes(text: str) -> str:
    """Moments (RFC 3339, of UTC) as pages spell them."""
    return TIME.sub(r"\1 \2", text)
