"""Words that may run from right to left, set beside others (UAX #9). Pure."""

import re
from unicodedata import bidirectional

FROM_RIGHT = frozenset(["R", "AL", "AN"])  # classes of characters
TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")  # embeddings, overrides, isolates, and their ends
PARAGRAPHS = re.compile("[\n\r\x1c-\x1e\x85\u2029]")  # what parts them: no isolation reaches beyond


def isolated(words: str) -> str:
    """Words that leave what stands beside them alone: an arrow behind them would else point the other way.

    They lose the controls that would end the isolation (section 2.4).
    """
    if words.isascii():
        return words
    words = TURNING.sub("", words)
    if not any(bidirectional(char) in FROM_RIGHT for char in words):
        return words
    return f"\N{FIRST STRONG ISOLATE}{PARAGRAPHS.sub(' ', words)}\N{POP DIRECTIONAL ISOLATE}"
