"""What is said of an entry besides title and content, as the one text that is hashed and stored."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedd.model import NO_DETAILS, Details, Enclosure
from feedd.normalise.article import derive
from feedd.normalise.details import read, spelled

WORDS = st.none() | st.text(min_size=1, max_size=5)
SEVERAL = st.lists(st.text(max_size=5), max_size=2).map(tuple)
ENCLOSURES = st.builds(
    Enclosure, st.text(max_size=5), WORDS, st.none() | st.integers(0, 9), WORDS, st.none() | st.integers(0, 9)
)
DETAILS = st.builds(
    Details,
    SEVERAL,
    SEVERAL,
    st.lists(ENCLOSURES, max_size=2).map(tuple),
    WORDS,
    WORDS,
    WORDS,
    WORDS,
    WORDS,
    WORDS,
    st.none() | st.booleans(),
)


@given(DETAILS)
def test_what_is_spelled_can_be_read(details: Details) -> None:
    enclosures = tuple(each for each in details.enclosures if each.url)
    kept = details._replace(enclosures=enclosures)
    assert read(spelled(kept)) == kept
    assert derive("https://example.org/a", "Title", "", kept).said == spelled(kept)


@pytest.mark.parametrize(
    ("details", "text"),
    [
        (NO_DETAILS, ""),
        (Details(language=""), ""),
        (Details(explicit=False), '{"explicit":false}'),
        (
            Details(("Ada",), enclosures=(Enclosure("https://example.org/a.mp3", "", 0),)),
            '{"authors":["Ada"],"enclosures":[{"length":0,"url":"https://example.org/a.mp3"}]}',
        ),
    ],
)
def test_what_is_empty_is_left_out(details: Details, text: str) -> None:
    assert spelled(details) == text
