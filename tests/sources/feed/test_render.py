"""What is rendered is read back as it was."""

from html import escape

from hypothesis import given
from hypothesis import strategies as st

from feedd.sources.feed.parse import parse

URL = "https://example.org/feed.xml"
TEXT = st.text(
    st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff"), min_size=1, max_size=40
).map(lambda text: " ".join(text.split()) or "x")
ITEMS = st.lists(st.tuples(TEXT, TEXT, st.integers(0, 4_000_000_000)), max_size=5)


@given(ITEMS)
def test_atom(items: list[tuple[str, str, int]]) -> None:
    from datetime import UTC, datetime

    entries = "".join(
        f"<entry><id>{escape(title)}</id><title>{escape(title)}</title>"
        f'<content type="html">{escape(body)}</content>'
        f"<published>{datetime.fromtimestamp(seconds, UTC).isoformat()}</published></entry>"
        for title, body, seconds in items
    )
    found = parse(f'<feed xmlns="http://www.w3.org/2005/Atom">{entries}</feed>'.encode(), URL)
    assert [(item.guid, item.title, item.html, item.published_ms) for item in found.items] == [
        (title, title, body, seconds * 1000) for title, body, seconds in items
    ]
