"""What published pages say where the application says more."""

from pathlib import Path

from lxml import html
from published import Desktop


def test_the_page_of_a_feed_names_its_sources_and_leads_to_their_feeds(tmp_path: Path) -> None:
    desk = Desktop(tmp_path, more='[feeds.both]\nsources = ["a", "b"]\n')
    try:
        desk.publish()
        tree = html.document_fromstring(desk.files()["feeds/both.html"])
        (about,) = tree.xpath("//section[h2[@id='about']]")
        assert "The entries of: Source A, b" in " ".join(about.text_content().split())
        assert about.xpath(".//a/@href") == ["/feeds/a", "/feeds/b"]
        own = html.document_fromstring(desk.files()["feeds/a.html"])
        assert "How its source fares" not in own.text_content()
    finally:
        desk.shelf.close()
