"""What the pages of sources say: in every language, and without what may be secret."""

import pytest

from feedd.web.source_detail import PUSHES, size
from feedd.web.source_list import State
from feedd.web.translation import CATALOGUES, translated


def test_words_that_are_chosen_in_python_are_translated() -> None:
    chosen = [*State, *PUSHES.values(), "Entries a day", "%(num)s entries"]
    for language in CATALOGUES:
        assert not [text for text in chosen if translated(str(text), language) == text]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (None, ""),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1.0 kB"),
        (99_940, "99.9 kB"),
        (99_950, "100 kB"),
        (10**18, "1000000 TB"),
    ],
)
def test_sizes(number: int | None, text: str) -> None:
    assert size(number) == text
