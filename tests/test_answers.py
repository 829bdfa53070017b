"""What a server's answer says besides its document."""

import pytest

from feedd.answers import in_words, moved, raw_of
from feedd.fetch.values import Answer
from feedd.model import Conversation

DAY_MS = 86_400_000
OLD, NEW, OTHER = "https://old.example.org/", "https://new.example.org/", "https://other.example.org/"


def after(*looks: tuple[float, str | None]) -> Conversation:
    """The conversation after looks at these times, in days, with what each said of where the source moved."""
    said = Conversation()
    for days, moved_to in looks:
        said = moved(said, moved_to, said.address or OLD, int(days * DAY_MS))
    return said


@pytest.mark.parametrize(
    ("looks", "address"),
    [
        ([(1, NEW), (1.5, NEW), (2, NEW)], NEW),
        ([(1, NEW), (3, NEW)], None),
        ([(1, NEW), (1.1, NEW), (1.2, NEW)], None),
        ([(1, NEW), (1.1, NEW), (1.2, NEW), (2.1, NEW)], NEW),
        ([(1, NEW), (1.5, None), (2, NEW), (2.5, NEW)], None),
        ([(1, NEW), (1.5, OTHER), (2, NEW), (2.5, NEW)], None),
        ([(1, NEW), (1.5, NEW), (2, NEW), (3, None), (4, None)], NEW),
        ([(1, OLD), (2, OLD), (3, OLD)], None),
    ],
)
def test_three_times_in_a_row_over_a_day(looks: list[tuple[float, str | None]], address: str | None) -> None:
    assert after(*looks).address == address


def test_evidence_holds_no_cookies() -> None:
    answer = Answer(NEW, 200, {"content-type": "text/xml", "set-cookie": "secret=1"}, b"<rss/>")
    raw = raw_of(answer, 5)
    assert raw.headers == (("content-type", "text/xml"),)
    assert (raw.url, raw.status, raw.fetched_ms, raw.body) == (NEW, 200, 5, b"<rss/>")


@pytest.mark.parametrize(
    ("status", "words"),
    [(404, "Not Found"), (410, "for good"), (599, "not known"), (304, "set no condition")],
)
def test_statuses_in_words(status: int, words: str) -> None:
    said = in_words("https://example.org/x?key=secret", status)
    assert words in said
    assert "secret" not in said
    assert str(status) in said
