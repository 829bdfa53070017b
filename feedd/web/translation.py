"""The languages of the pages. English is what the templates say; other languages have a text for each of its texts."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import NamedTuple

from feedd.web.conditional import quality


class Language(NamedTuple):
    tag: str  # RFC 5646
    name: str  # its own


LANGUAGES: Mapping[str, Language] = {"en": Language("en", "English"), "zh": Language("zh-Hans", "中文")}
USUAL = "en"
MOST_RANGES = 30  # of an Accept-Language that are looked at


def catalogue(language: str) -> dict[str, str]:
    """English text → text of this language, from all files of its folder."""
    parts = sorted((files("feedd.web") / "words" / language).iterdir(), key=lambda file: file.name)
    return {
        english: text for part in parts for english, text in tomllib.loads(part.read_text("utf-8")).items()
    }


CATALOGUES = {language: catalogue(language) for language in LANGUAGES if language != USUAL}


def translated(text: str, language: str) -> str:
    return CATALOGUES.get(language, {}).get(text, text)


def counted(one: str, many: str, number: int, language: str) -> str:
    """Chinese has one form for all numbers."""
    if language == USUAL:
        return one if number == 1 else many
    return translated(many, language)


def preferred(accepted: str) -> str:
    """The language that an `Accept-Language` header likes best (RFC 9110, section 12.5.4)."""
    best, liked = USUAL, 0.0
    for part in accepted.split(",")[:MOST_RANGES]:
        name, _, parameters = part.partition(";")
        language, weight = name.strip().lower().partition("-")[0], quality(parameters)
        if language in LANGUAGES and weight > liked:
            best, liked = language, weight
    return best
