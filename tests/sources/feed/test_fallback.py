from pathlib import Path

from feedd.model import Enclosure
from feedd.sources.feed import fallback
from feedd.sources.feed.parse import parse

URL = "https://example.org/feed.xml"
DOCUMENT = (
    b"<rss version='2.0'><channel><item><title>T</title><link>/1</link><guid isPermaLink='false'>g</guid>"
    b"<pubDate>Tue, 01 Oct 2024 10:00:00 +0200</pubDate><description>&lt;b&gt;d&lt;/b&gt;</description>"
    b"<category>c</category><enclosure url='/a.mp3' type='audio/mpeg' length='5'/></item></channel></rss>"
)


def test_it_says_what_ours_does() -> None:
    (theirs,) = fallback.items_of(DOCUMENT, URL)
    (ours,) = parse(DOCUMENT, URL).items
    assert theirs == ours._replace(base_url=URL)
    assert theirs.details.enclosures == (Enclosure("https://example.org/a.mp3", "audio/mpeg", 5),)


def test_bytes_are_never_taken_for_a_file(tmp_path: Path) -> None:
    path = tmp_path / "feed.xml"
    path.write_bytes(DOCUMENT)
    assert fallback.items_of(bytes(path), URL) == ()


def test_large_documents_are_left_alone() -> None:
    assert fallback.items_of(DOCUMENT + b" " * fallback.LARGEST, URL) == ()
