"""What strangers wrote, made harmless for a terminal and for a log. Pure."""

import re

# C0, C1, lone surrogates, what ends a line, and what turns the order of letters round: a text can't have them act
HARMFUL = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def harmless(text: str) -> str:
    """`text` without anything that a terminal acts on: line ends as spaces, the rest as it is escaped."""
    return HARMFUL.sub(escaped, text)


def escaped(found: re.Match[str]) -> str:
    char = found[0]
    return " " if char.isspace() else char.encode("unicode_escape").decode()
