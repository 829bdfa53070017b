"""Feeds of what changed, and what becomes of entries that were withdrawn."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from threading import Event
from typing import Any
from uuid import UUID, uuid5

import feedparser
import jsonschema
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree
from shelf import BORN_MS, Piece, Shelf

from feedd.allocation import held_bytes
from feedd.changes.direction import isolated
from feedd.config.load import load
from feedd.errors import ConfigError
from feedd.looks import key_of
from feedd.model import Details
from feedd.normalise.text import FORBIDDEN
from feedd.publish.cache import Key
from feedd.publish.changes import Differences, cut
from feedd.publish.document import Document
from feedd.publish.item import Notice
from feedd.publish.jsonfeed import json_feed
from feedd.publish.opml import opml
from feedd.publish.syndication import atom, rss
from feedd.store.pruning import Pruner
from feedd.store.retention import Keeps

DATA = Path(__file__).parent.parent / "data"
BASE = "http://127.0.0.1:8080/"
NS = {
    "a": "http://www.w3.org/2005/Atom",
    "at": "http://purl.org/atompub/tombstones/1.0",
    "content": "http://purl.org/rss/1.0/modules/content/",
}
DAY = 86_400_000
T = BORN_MS
TOML = """
[sources.one]
type = "directory"
path = "1"
tags = ["zh"]
[sources.two]
type = "directory"
path = "2"
"""
OLD = "<p>The fire killed 15 people.</p><p>It began on Monday.</p>"
NEW = "<p>The fire killed 16 people.</p><p>It began on Monday.</p>"


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(tmp_path, TOML)
    yield made
    made.close()


@pytest.fixture(scope="module")
def atom_schema() -> etree.RelaxNG:
    return etree.RelaxNG(etree.parse(DATA / "atom.rng"))


@pytest.fixture(scope="module")
def json_schema() -> Any:
    return jsonschema.Draft202012Validator(json.loads((DATA / "jsonfeed-1.1.schema.json").read_text()))


def piece(name: str, title: str = "A title", body: str = OLD, time_ms: int | None = T - DAY) -> Piece:
    return Piece(name, title, body, time_ms)


def notices(shelf: Shelf, feed: str = "changes", limit: int = 100) -> tuple[Notice, ...]:
    items = shelf.feeds.document(feed, limit).entries
    assert all(isinstance(each, Notice) for each in items)
    return tuple(each for each in items if isinstance(each, Notice))


def titles(shelf: Shelf, feed: str = "changes", limit: int = 100) -> list[str]:
    return [each.title for each in notices(shelf, feed, limit)]


def run(shelf: Shelf, statement: str, *values: object) -> None:
    """Change the database behind its back."""
    shelf.desk.run(lambda writer: writer.connection.execute(statement, values))


def one_of_each(shelf: Shelf) -> None:
    """Every kind of change, a minute apart."""
    minute = iter(range(T, T + DAY, 60_000))
    shelf.look("one", next(minute), [piece("a", "Fire"), piece("b", "Flood"), piece("c", "Storm")])
    shelf.look("one", next(minute), [piece("a", "Fire", NEW, T - DAY + 1000)])  # stated
    shelf.look("one", next(minute), [piece("b", "Flood", NEW)])  # unstated
    shelf.look("one", next(minute), [piece("b", "Flood", OLD)])
    shelf.look("one", next(minute), gone=["c"])
    shelf.look("one", next(minute), [piece("c", "Storm")])


def test_one_item_a_change_the_newest_first(shelf: Shelf) -> None:
    one_of_each(shelf)
    assert titles(shelf) == [
        "Restored: Storm",
        "Removed: Storm",
        "Reverted: Flood",
        "Silently edited: Flood",
        "Edited: Fire",
    ]
    kinds = [each.details.categories[0] for each in notices(shelf)]
    assert kinds == ["restored", "removed", "reverted", "silent-edit", "edited"]
    assert [each.published_ms for each in notices(shelf)] == [T + k * 60_000 for k in (5, 4, 3, 2, 1)]
    assert all(each.updated_ms == each.published_ms for each in notices(shelf))
    assert titles(shelf, limit=2) == ["Restored: Storm", "Removed: Storm"]


def test_what_is_new_is_no_change(shelf: Shelf) -> None:
    shelf.look("one", T, [piece("a")])
    shelf.look("one", T + 1000, [piece("b")])
    assert titles(shelf) == []
    assert shelf.updated("changes") == shelf.reader.feed_configured_ms("changes")


def test_what_differs_is_the_content(shelf: Shelf) -> None:
    shelf.look("one", T, [piece("a")])
    shelf.look("one", T + 1000, [piece("a", body=NEW)])
    (edited,) = notices(shelf)
    assert "killed <del>[-15-]</del> <ins>{+16+}</ins> people." in edited.content_html
    assert 'Article: <a href="https://example.org/a">' in edited.content_html
    assert f'<a href="{BASE}entries/1/diff/1..2">Full comparison</a>' in edited.content_html


def test_the_reasons_are_said_in_words(shelf: Shelf) -> None:
    shelf.look("one", T, [piece("a")])
    shelf.look("one", T + 1000, [piece("a", body=NEW)])
    run(shelf, "UPDATE changes SET significance = 'minor', reasons = ? WHERE id = 2", '["number 15 → <16>"]')
    (edited,) = notices(shelf)
    assert "number 15 → &lt;16&gt;" in edited.content_html
    assert edited.summary == "number 15 → <16>"
    assert edited.details.categories == ("silent-edit", "minor")


def test_a_title_that_changed(shelf: Shelf) -> None:
    shelf.look("one", T, [piece("a", "Fire kills 15")])
    shelf.look("one", T + 1000, [piece("a", "Fire kills 16")])
    assert titles(shelf) == ["Silently edited: Fire kills 15 → Fire kills 16"]
    shelf.look("one", T + 2000, [piece("a", "X" * 1000)])
    shelf.look("one", T + 3000, [piece("a", "")])
    newest, before, first = titles(shelf)
    assert newest == f"Silently edited: {'X' * 149}… → https://example.org/a"
    assert before == f"Silently edited: Fire kills 16 → {'X' * 149}…"
    assert first == "Silently edited: Fire kills 15 → Fire kills 16", "later changes leave it alone"


def test_typography_changes_no_title(shelf: Shelf) -> None:
    shelf.look("one", T, [piece("a", "The “fire”"), piece("b", "\u200b")])
    shelf.look("one", T + 1000, [piece("a", 'The "fire"', NEW), piece("b", "\u200b", NEW)])
    assert titles(shelf) == ["Silently edited: https://example.org/b", 'Silently edited: The "fire"']


def test_what_is_held_back_comes_when_it_is_told(shelf: Shelf) -> None:
    """Two versions that take turns: the last turn is told when it stays."""
    shelf.look("one", T, [piece("a", body=OLD)])
    second = iter(range(1, 100))
    for body in (NEW, OLD, NEW):
        shelf.look("one", T + next(second) * 1000, [piece("a", body=body)])
    key = Key("changes", "json", 100)
    before = shelf.feeds.rendered(key)
    assert len(json.loads(before.body)["items"]) == 2
    at_ms = T
    while shelf.feeds.fresh(key) is before:
        at_ms = T + next(second) * 1000
        shelf.look("one", at_ms)
    newest, reverted, _ = notices(shelf)
    assert newest.published_ms == shelf.feeds.rendered(key).updated_ms == at_ms
    assert reverted.url == f"{BASE}entries/1/diff/2..3"
    assert newest.url == f"{BASE}entries/1/diff/3..4"
    assert re.search("<ins>[^<]*16[^<]*</ins>", newest.content_html)


def test_links(shelf: Shelf) -> None:
    one_of_each(shelf)
    urls = {each.title: each.url for each in notices(shelf)}
    assert urls["Edited: Fire"] == f"{BASE}entries/1/diff/1..2"
    assert urls["Reverted: Flood"] == f"{BASE}entries/2/diff/2..3"
    assert urls["Removed: Storm"] == f"{BASE}entries/3"
    assert urls["Restored: Storm"] == f"{BASE}entries/3"
    assert {each.article_url for each in notices(shelf)} == {f"https://example.org/{name}" for name in "abc"}
    root = etree.fromstring(shelf.body("changes", "atom"))
    links = {each.get("rel"): each.get("href") for each in root.iterfind("a:entry[5]/a:link", NS)}
    assert links == {"alternate": f"{BASE}entries/1/diff/1..2", "related": "https://example.org/a"}
    item = json.loads(shelf.body("changes", "json"))["items"][4]
    assert (item["url"], item["external_url"]) == (f"{BASE}entries/1/diff/1..2", "https://example.org/a")
    rss_item = etree.fromstring(shelf.body("changes", "rss")).findall("channel/item")[4]
    assert rss_item.findtext("link") == f"{BASE}entries/1/diff/1..2"
    assert 'href="https://example.org/a"' in rss_item.findtext("content:encoded", namespaces=NS)


def test_what_was_removed_begins_so(shelf: Shelf) -> None:
    shelf.look("one", T, [piece("a", "Fire", "<p>A & <b>B</b> &lt;i&gt;</p>")])
    shelf.look("one", T + 1000, gone=["a"])
    shelf.look("one", T + 2000, [piece("a", "Other", "<p>Other</p>")])
    restored, removed = notices(shelf)
    assert (removed.title, restored.title) == ("Removed: Fire", "Restored: Fire → Other")
    assert "<del>A &amp; B &lt;i&gt;</del>" in removed.content_html
    assert restored.url == f"{BASE}entries/1/diff/1..2"
    assert "Other" in restored.content_html


def test_what_is_restored_as_it_was(shelf: Shelf) -> None:
    shelf.look("one", T, [piece("a")])
    shelf.look("one", T + 1000, gone=["a"])
    shelf.look("one", T + 2000, [piece("a")])
    assert notices(shelf)[0].content_html.startswith(
        "<p><em>The article is back, as it was.</em></p><p>Article"
    )


def test_ids_never_change(tmp_path: Path) -> None:
    shelf = Shelf(tmp_path, TOML)
    one_of_each(shelf)
    born = UUID(shelf.reader.uuid())
    logged = [row[0] for row in shelf.reader.rows("SELECT id FROM changes WHERE kind != 'added'")]
    expected = [f"urn:uuid:{uuid5(born, f'change:{number}')}" for number in reversed(logged)]

    def ids(shelf: Shelf) -> tuple[list[str | None], list[str | None], list[str | None]]:
        in_atom = etree.fromstring(shelf.body("changes", "atom")).iterfind("a:entry/a:id", NS)
        in_rss = etree.fromstring(shelf.body("changes", "rss")).iterfind("channel/item/guid")
        in_json = json.loads(shelf.body("changes", "json"))["items"]
        return (
            [each.text for each in in_atom],
            [each.text for each in in_rss],
            [each["id"] for each in in_json],
        )

    assert ids(shelf) == (expected, expected, expected)
    shelf.close()
    again = Shelf(tmp_path, TOML)
    try:
        assert ids(again) == (expected, expected, expected)
        again.look("one", T + DAY, [piece("a", "Anything else")])
        assert ids(again)[0][1:] == expected
    finally:
        again.close()


def test_what_nobody_is_told_is_no_item(shelf: Shelf) -> None:
    shelf.look("one", T, [piece("a")])
    shelf.look("one", T + 1000, [piece("a", body=f"<div>{OLD}</div>")])
    assert len(shelf.reader.history(1)) == 2
    assert titles(shelf) == []
    shelf.look("one", T + 2000, [piece("a", body=NEW)])
    assert len(titles(shelf)) == 1
    run(shelf, "UPDATE changes SET silent = 1")
    assert titles(shelf) == []


def test_a_change_that_one_pass_goes_on_with_is_one_item(shelf: Shelf) -> None:
    shelf.look("one", T, [piece("a")])
    further = Piece("sub/a", "A title", "<p>The fire killed 17 people.</p>", T + 5000)
    here = piece("a", body=NEW, time_ms=T + 4000).item()
    there = further.item()._replace(article=further._replace(name="a").item().article)
    source = shelf.config.source("one")
    assert source is not None
    key = key_of(source)
    started = shelf.desk.run(lambda writer: writer.begin(key, T + 1000))
    for item in (here, there):
        shelf.desk.run(lambda writer, item=item: writer.record(started.look, "x", [item], []))  # type: ignore[misc]
        (notice,) = notices(shelf)
    assert "17" in notice.content_html
    assert notice.url == f"{BASE}entries/1/diff/1..3"


@pytest.mark.parametrize("lost", ["revision_id", "previous_id"])
def test_versions_that_are_no_longer_kept(shelf: Shelf, lost: str) -> None:
    shelf.look("one", T, [piece("a", "First")])
    shelf.look("one", T + 1000, [piece("a", "Second")])
    run(
        shelf,
        f"UPDATE changes SET significance = 'substantial', reasons = '[\"title\"]', {lost} = NULL WHERE id = 2",
    )
    (edited,) = notices(shelf)
    assert edited.title in {"Silently edited: Second", "Silently edited: First"}
    assert "<li" in edited.content_html
    assert "The versions are no longer kept." in edited.content_html
    assert edited.url == f"{BASE}entries/1"


def test_after_pruning(shelf: Shelf, tmp_path: Path) -> None:
    for second, body in enumerate((OLD, NEW, "<p>The fire killed 17 people.</p>")):
        shelf.look("one", T + second * 1000, [piece("a", body=body)])
    before = notices(shelf)
    shelf.feeds.differences = Differences()
    Pruner(shelf.desk, tmp_path / "feedd.db", Event()).run([Keeps("one", versions=1)], T + DAY)
    after = notices(shelf)
    assert [each.uid for each in after] == [each.uid for each in before]
    assert [each.published_ms for each in after] == [each.published_ms for each in before]
    assert all("The versions are no longer kept." in each.content_html for each in after)


def test_a_log_that_an_earlier_feedd_wrote(shelf: Shelf) -> None:
    """It noted neither what a change was told from nor what it says; the version before it of its source stands in."""
    for second, body in enumerate((OLD, NEW, "<p>The fire killed 17 people.</p>")):
        shelf.look("one", T + second * 1000, [piece("a", body=body)])
    run(shelf, "UPDATE changes SET significance = NULL, reasons = NULL, previous_id = NULL")
    newest, before = notices(shelf)
    assert (newest.url, before.url) == (f"{BASE}entries/1/diff/2..3", f"{BASE}entries/1/diff/1..2")
    assert "17" in newest.content_html
    assert newest.details.categories[1] == "substantial"
    run(shelf, "UPDATE revisions SET number = number + 7 WHERE number = 3")  # those between are gone
    assert "no longer kept" in notices(shelf)[0].content_html


def test_an_entry_that_two_sources_hold(shelf: Shelf) -> None:
    shelf.configure(
        TOML
        + '[feeds.c1]\nsources = ["one"]\nchanges = "all"\n[feeds.c2]\nsources = ["two"]\nchanges = "all"\n'
    )
    shelf.look("one", T, [piece("a"), piece("b")])
    shelf.look("two", T, [piece("a")])
    shelf.look("one", T + 1000, [piece("a", body=NEW), piece("b", body=NEW)])
    assert len(titles(shelf, "c1")) == 2
    assert titles(shelf, "c2") == []
    shelf.look("one", T + 2000, gone=["a", "b"])
    assert titles(shelf, "c1")[0] == "Removed: A title"
    assert titles(shelf, "c2") == []
    shelf.look("two", T + 3000, gone=["a"])
    assert titles(shelf, "c2") == ["Removed: A title"], "the last to hold it"
    assert titles(shelf, "c1")[0] == "Removed: A title", "it went for the other, too"


def test_feeds_of_changes_have_rules(shelf: Shelf) -> None:
    shelf.configure(
        TOML
        + """
[feeds.zh]
sources = ["tag:zh"]
changes = "all"
[feeds.japan]
match = { title = "日本|东京" }
reject = { url = "sports", text = "(?i)advert" }
changes = "all"
limit = 2
"""
    )
    shelf.look(
        "one", T, [piece("a", "日本"), piece("sports", "日本"), piece("b", "Paris"), piece("d", "东京")]
    )
    shelf.look("two", T, [piece("c", "东京")])
    for second, (source, name, title) in enumerate(
        (("one", "a", "日本"), ("one", "sports", "日本"), ("one", "b", "Paris"), ("two", "c", "东京"))
    ):
        shelf.look(source, T + second * 1000 + 1000, [piece(name, title, NEW)])
    assert [each.article_url[20:] for each in notices(shelf, "zh") if each.article_url] == [
        "b",
        "sports",
        "a",
    ]
    assert [each.article_url[20:] for each in notices(shelf, "japan") if each.article_url] == ["c", "a"]
    before = shelf.updated("japan")
    shelf.look("one", T + 9000, [piece("a", "Lyon", NEW)])
    assert shelf.updated("japan") == T + 9000 > before
    away, japan = "Silently edited: 日本 → Lyon", "Silently edited: 日本"
    assert titles(shelf, "japan", 9) == [away, "Silently edited: 东京", japan], "either end counts"
    shelf.look("one", T + 10_000, [piece("a", "Nice", NEW)])
    assert titles(shelf, "japan", 9) == [away, "Silently edited: 东京", japan], (
        "neither end of the last passes"
    )
    shelf.look("one", T + 11_000, [piece("a", "日本", NEW)])
    assert len(titles(shelf, "japan", 9)) == 5, "the newest version counts for all"
    shelf.look("one", T + 12_000, [piece("a", "日本", "<p>ADVERT</p>")])
    assert len(titles(shelf, "japan", 9)) == 5, "without the one whose ends are Lyon and Nice"


def test_rules_look_at_the_texts_of_both_ends(shelf: Shelf) -> None:
    shelf.configure(TOML + '[feeds.dead]\nmatch = { text = "killed" }\nchanges = "all"\n')
    for second, words in enumerate(
        ("Nobody is there.", "Two were killed.", "Two were hurt.", "All are well.")
    ):
        shelf.look("one", T + second * 1000, [piece("a", body=f"<p>{words}</p>")])
    expected = [f"{BASE}entries/1/diff/2..3", f"{BASE}entries/1/diff/1..2"]
    assert [each.url for each in notices(shelf, "dead")] == expected
    run(shelf, "UPDATE revisions SET packed = NULL WHERE number < 3")
    assert [each.url for each in shelf.feeds.document("dead", 9).entries] == expected, "they are read once"
    shelf.look("one", T + 9000, gone=["a"])
    assert len(notices(shelf, "dead")) == 2
    assert [each.url for each in shelf.feeds.outline("changes", 1).entries] == [f"{BASE}entries/1"]


def test_ends_that_are_gone_pass_no_rules(shelf: Shelf, tmp_path: Path) -> None:
    shelf.configure(TOML + '[feeds.dead]\nmatch = { text = "15|17" }\nchanges = "all"\n')
    for second, body in enumerate((OLD, NEW, "<p>The fire killed 17 people.</p>", "<p>It is out.</p>")):
        shelf.look("one", T + second * 1000, [piece("a", body=body)])
    assert len(notices(shelf, "dead")) == 3
    Pruner(shelf.desk, tmp_path / "feedd.db", Event()).run([Keeps("one", versions=1)], T + DAY)
    assert notices(shelf, "dead") == ()


def test_substantial_changes_alone(shelf: Shelf) -> None:
    shelf.configure(TOML + '[feeds.much]\nchanges = "substantial"\n')
    one_of_each(shelf)
    run(shelf, "UPDATE changes SET significance = 'minor' WHERE kind = 'silent-edit'")
    assert titles(shelf, "much") == [each for each in titles(shelf) if not each.startswith("Silently")]
    assert {each.details.categories[1] for each in notices(shelf, "much")} == {"substantial"}


def test_any_feed_can_show_changes(shelf: Shelf) -> None:
    shelf.configure(
        TOML
        + '[feeds.changes]\ntitle = "News of news"\nchanges = "substantial"\nlimit = 1\ncontent = "summary"\n'
        + '[feeds.one]\nchanges = "all"\n'
    )
    one_of_each(shelf)
    plan = shelf.feeds.plans["changes"]
    assert (plan.title, plan.changes, plan.limit, plan.sources) == ("News of news", "substantial", 1, None)
    assert len(titles(shelf, "one")) == 5
    (item,) = json.loads(shelf.body("changes", "json", 1))["items"]
    assert item["content_text"]
    assert "content_html" not in item


@pytest.mark.parametrize(
    ("toml", "words"),
    [
        ('[feeds.x]\nchanges = "minor"\n', "feeds.x.changes: 'minor' is not one of 'all' or 'substantial'"),
        ("[feeds.x]\nchanges = true\n", "feeds.x.changes"),
        (
            '[feeds.changes]\nsources = ["one"]\n',
            "feeds.changes.sources: the feed 'changes' is over all sources",
        ),
        ('[feeds.health]\nchanges = "all"\n', "feeds.health.changes: the feed 'health' shows trouble"),
    ],
)
def test_mistakes(tmp_path: Path, toml: str, words: str) -> None:
    (tmp_path / "config.toml").write_text(TOML + toml)
    with pytest.raises(ConfigError, match=re.escape(words)):
        load(tmp_path / "config.toml")


def test_it_is_listed(shelf: Shelf) -> None:
    assert list(shelf.feeds.plans) == ["all", "changes", "health", "one", "two"]
    root = etree.fromstring(opml(shelf.feeds.plans.values(), BASE))
    assert f"{BASE}feeds/changes.atom" in {each.get("xmlUrl") for each in root.iter("outline")}


def test_a_rendered_feed_is_kept_until_a_change_touches_it(shelf: Shelf) -> None:
    shelf.configure(TOML + '[feeds.c1]\nsources = ["one"]\nchanges = "all"\n')
    shelf.look("one", T, [piece("a")])
    shelf.look("two", T, [piece("b")])
    key, whole = Key("c1", "atom", 100), Key("changes", "atom", 100)
    first = shelf.feeds.rendered(key)
    shelf.look("two", T + 1000, [piece("b", body=NEW)])
    assert shelf.feeds.fresh(key) is first, "another source"
    before = shelf.feeds.rendered(whole)
    shelf.look("one", T + 2000, [piece("new")])
    assert shelf.feeds.rendered(whole).body is before.body, "an arrival is no change: nothing is written anew"
    shelf.look("one", T + 3000, [piece("a", body=NEW)])
    assert shelf.feeds.fresh(whole) is None
    assert shelf.feeds.rendered(whole).etag != before.etag
    assert shelf.feeds.rendered(whole).updated_ms == T + 3000
    assert shelf.feeds.rendered(key).etag != first.etag


def test_an_outline_compares_nothing(shelf: Shelf) -> None:
    one_of_each(shelf)
    whole, outline = shelf.feeds.document("changes", 9), shelf.feeds.outline("changes", 9)
    assert [each.uid for each in outline.entries] == [each.uid for each in whole.entries]
    assert outline.updated_ms == whole.updated_ms
    assert not any("<del>" in each.content_html for each in outline.entries)


def test_five_megabytes(shelf: Shelf) -> None:
    """The change is told, and the document stays small."""
    for second, word in enumerate(("word", "other")):
        shelf.look("one", T + second * 1000, [piece("a", body=f"<p>{word * 1_250_000}</p>")])
    (edited,) = notices(shelf)
    assert len(edited.content_html) < 200_000
    assert "see the full comparison" in edited.content_html
    shelf.look("one", T + 2000, gone=["a"])
    assert len(notices(shelf)[0].content_html) < 2_000


def test_a_document_compares_so_much(shelf: Shelf) -> None:
    """However long its articles are, and however many: the newest changes come first."""
    for second, number in enumerate(range(15, 20)):
        body = f"<p>The fire killed {number} people. {'It was put out late at night. ' * 20}</p>"
        shelf.look("one", T + second * 1000, [piece(name, body=body) for name in "abc"])
    whole = notices(shelf)
    assert all("<del>" in each.content_html for each in whole)
    shelf.feeds.differences = Differences(room=6_000)
    found = ["see the full comparison" in each.content_html for each in notices(shelf)]
    assert found == [False] * 5 + [True] * 7
    shelf.feeds.differences = Differences(room=0)
    assert all("see the full comparison" in each.content_html for each in notices(shelf))


def test_differences_that_are_not_kept_are_made_again(shelf: Shelf) -> None:
    one_of_each(shelf)
    expected = notices(shelf)
    shelf.feeds.differences = Differences(keeps=1)
    assert notices(shelf) == notices(shelf) == expected
    assert len(shelf.feeds.differences.kept) == 1


def test_differences_that_are_kept_take_little(shelf: Shelf) -> None:
    for second, number in enumerate(range(15, 20)):
        body = f"<p>The fire killed {number} people.</p><p>{'It was put out late at night. ' * 40}</p>" * 3
        shelf.look("one", T + second * 1000, [piece(name, body=body) for name in "abc"])
    characters = sum(len(each.content_html) for each in notices(shelf))
    kept = shelf.feeds.differences
    assert len(kept.kept) == len(notices(shelf)) == 12
    assert kept.size == sum(map(held_bytes, kept.kept.items())) < characters / 2
    shelf.feeds.differences = Differences(keeps=kept.size // 2)
    assert len(notices(shelf)) == 12
    assert shelf.feeds.differences.size <= kept.size // 2


HOSTILE = (
    "a\x00b\x08c\x0bd\x1fe",
    "one &#xd800; two",
    "]]> <![CDATA[ ]]&gt;",
    " \u200b\x01 ",
    "很" * 5000,
    "👩‍👩‍👧‍👦 🇯🇵",
    "\u202eمرحبا بالعالم",
    "שלום 15",
    "<script>alert(1)</script> & <b>bold</b> &amp;",
    "one\r\ntwo\ttwo",
)


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shelf]:
    made = Shelf(
        tmp_path_factory.mktemp("hostile"),
        TOML + '[feeds.short]\nchanges = "substantial"\ncontent = "summary"\n',
    )
    for second, suffix in enumerate(("", " edited", "")):
        pieces = [
            piece(f"{k}'\"<&>", title + suffix, f"<p>{title}{suffix} 15]]></p>")
            for k, title in enumerate(HOSTILE)
        ]
        made.look("one", T + second * 1000, pieces)
    made.look("one", T + 5000, gone=[f"{k}'\"<&>" for k in range(4)])
    made.look("one", T + 6000, [piece("0'\"<&>", "back")])
    yield made
    made.close()


@pytest.mark.parametrize("feed", ["changes", "short", "all", "one"])
def test_the_formats_are_valid(
    hostile: Shelf, atom_schema: etree.RelaxNG, json_schema: Any, feed: str
) -> None:
    body = hostile.body(feed, "atom")
    atom_schema.assertValid(etree.fromstring(body))
    items = json.loads(hostile.body(feed, "json"))
    json_schema.validate(items)
    assert FORBIDDEN.search(hostile.body(feed, "json").decode()) is None
    assert items["items"]
    for document in (body, hostile.body(feed, "rss")):
        found = feedparser.parse(document, sanitize_html=False, resolve_relative_uris=False)
        assert found.bozo == 0, found.get("bozo_exception")
        assert [each.id for each in found.entries] == [each["id"] for each in items["items"]]
        assert all(each.title.strip() for each in found.entries)


def test_no_markup_of_an_article_is_markup_of_an_item(hostile: Shelf) -> None:
    for each in notices(hostile):
        assert "<script" not in each.content_html
        root = etree.fromstring(f"<x>{each.content_html}</x>")  # it is well-formed, too
        assert {node.tag for node in root.iter()} <= {
            "x",
            "ul",
            "li",
            "p",
            "a",
            "ins",
            "del",
            "em",
            "blockquote",
        }


def test_titles_from_right_to_left_leave_the_rest_alone(hostile: Shelf) -> None:
    for each in notices(hostile):
        if "مرحبا" in each.title:
            assert each.title.startswith("Silently edited: \u2068") or each.title.startswith(
                "Reverted: \u2068"
            )
            assert each.title.count("\u2068") == each.title.count("\u2069")


DIRECTIONS = "\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


@given(st.text(st.characters() | st.sampled_from(DIRECTIONS + "אa"), max_size=200), st.integers(1, 50))
def test_cutting_and_isolating(text: str, limit: int) -> None:
    assert len(cut(text, limit)) <= limit
    assert cut(text, 200) == text
    bare = text.translate(dict.fromkeys(map(ord, DIRECTIONS)))
    inside = re.sub("[\n\r\x1c-\x1e\x85\u2029]", " ", bare)
    assert isolated(text) in {bare, f"\u2068{inside}\u2069"}


def test_an_isolation_reaches_to_the_end_of_the_words() -> None:
    assert isolated("שלום\u2029שלום\x85\n") == "\u2068שלום שלום  \u2069"
    assert isolated("é\u2029a") == "é\u2029a"


def test_a_title_can_not_leave_its_isolation(shelf: Shelf) -> None:
    shelf.look(
        "one", T, [piece("a", "\u2069\u202eשלום"), piece("b", "\u202eabc"), piece("c", "\u202e\u2069")]
    )
    for second, name in enumerate("abc"):
        shelf.look("one", T + 1000 + second * 1000, [piece(name, "\u2069\u202eשלום 2\u2066", NEW)])
    shelf.look("one", T + 9000, [piece("c", "\u202e", NEW)])
    assert titles(shelf) == [
        "Silently edited: \u2068שלום 2\u2069 → https://example.org/c",
        "Silently edited: \u2068שלום 2\u2069",
        "Silently edited: abc → \u2068שלום 2\u2069",
        "Silently edited: \u2068שלום\u2069 → \u2068שלום 2\u2069",
    ]


any_text = st.text(st.characters() | st.sampled_from("\x00\x1b\ud800\ufffe]>&<\"'"), max_size=60)


@settings(max_examples=30, deadline=None)
@given(
    content=st.sampled_from(["full", "summary"]),
    made=st.lists(
        st.builds(
            Notice,
            uid=st.uuids().map(str),
            url=st.just(f"{BASE}entries/1"),
            title=any_text.map("Edited: {}".format),
            summary=any_text,
            content_html=any_text,
            published_ms=st.integers(-(10**14), 10**16),
            updated_ms=st.integers(-(10**14), 10**16),
            source=st.just("s"),
            article_url=st.none() | any_text.map("https://example.org/{}".format),
            details=st.just(Details(categories=("edited", "substantial"))),
            image=st.none(),
            revisions=st.just(1),
            date_guessed=st.just(False),
        ),
        max_size=3,
        unique_by=lambda each: each.uid,
    ),
)
def test_whatever_notices_hold(
    atom_schema: etree.RelaxNG, json_schema: Any, content: str, made: list[Notice]
) -> None:
    urn = f"urn:uuid:{UUID(int=2)}"
    document = Document("x", urn, "X", BASE, None, content, 0, tuple(made), {"s": urn}, {"s": "S"})
    atom_schema.assertValid(etree.fromstring(atom(document)))
    json_schema.validate(json.loads(json_feed(document)))
    root = etree.fromstring(rss(document))
    assert [each.text for each in root.iterfind("channel/item/guid")] == [
        f"urn:uuid:{each.uid}" for each in made
    ]


def tombstones(shelf: Shelf, feed: str = "all", limit: int = 100) -> list[tuple[str | None, str | None]]:
    """(URL's end, when) of each tombstone in a feed's Atom document."""
    uids = {f"urn:uuid:{uid}": url[20:] for uid, url in shelf.reader.rows("SELECT uid, url FROM entries")}
    root = etree.fromstring(shelf.body(feed, "atom", limit))
    return [(uids[each.get("ref")], each.get("when")) for each in root.iterfind("at:deleted-entry", NS)]


def test_withdrawn_entries_leave_a_tombstone(shelf: Shelf, atom_schema: etree.RelaxNG) -> None:
    shelf.look("one", T, [piece("a"), piece("b"), piece("c")])
    assert tombstones(shelf) == []
    assert b"tombstones" not in shelf.body("all", "atom")
    shelf.look("one", T + 1000, gone=["a"])
    shelf.look("one", T + 2000, gone=["c"])
    expected = [("c", "2025-06-15T15:06:42Z"), ("a", "2025-06-15T15:06:41Z")]
    assert tombstones(shelf) == tombstones(shelf, "one") == expected
    assert tombstones(shelf, "two") == tombstones(shelf, "changes") == []
    atom_schema.assertValid(etree.fromstring(shelf.body("all", "atom")))
    assert b"deleted" not in shelf.body("all", "rss") + shelf.body("all", "json")
    shelf.look("one", T + 3000, [piece("a")])
    assert tombstones(shelf) == expected[:1], "it is back"
    assert len(shelf.reader.history(1)) == 1


def test_tombstones_stand_within_the_window(shelf: Shelf) -> None:
    shelf.configure(TOML + '[feeds.fire]\nmatch = { title = "Fire" }\n')
    shelf.look("one", T, [piece(f"p{days}", time_ms=T - days * DAY) for days in range(1, 9)])
    shelf.look("one", T + 1000, [piece("fire", "Fire")])
    for second, name in enumerate(("p2", "p6", "p7", "p8", "fire")):
        shelf.look("one", T + 2000 + second * 1000, gone=[name])
    assert [name for name, _ in tombstones(shelf, limit=100)] == ["fire", "p8", "p7", "p6", "p2"]
    assert [name for name, _ in tombstones(shelf, limit=2)] == ["fire", "p2"], (
        "of p1 and p3 and what stood between"
    )
    assert [name for name, _ in tombstones(shelf, limit=1)] == ["fire"]
    assert [name for name, _ in tombstones(shelf, "fire")] == ["fire"]
    shelf.look("one", T + 9000, gone=["p1", "p3", "p4", "p5"])
    assert len(tombstones(shelf, limit=3)) == 3, "no more than the limit"


looks = st.lists(
    st.tuples(
        st.sampled_from(["one", "two"]),
        st.dictionaries(st.sampled_from("abc"), st.sampled_from(["x", "y", None]), min_size=1),
    ),
    max_size=8,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(looks=looks)
def test_whatever_happens(
    tmp_path_factory: pytest.TempPathFactory, looks: list[tuple[str, dict[str, str | None]]]
) -> None:
    """Each told change is one item of the whole feed, in order; those of a limit, a source and a level are among them."""
    shelf = Shelf(tmp_path_factory.mktemp("any"), TOML + '[feeds.c1]\nsources = ["one"]\nchanges = "all"\n')
    try:
        for second, (source, found) in enumerate(looks):
            pieces = [piece(name, title) for name, title in found.items() if title]
            gone = [name for name, title in found.items() if title is None]
            shelf.look(source, T + second * 1000, pieces, gone)
        born = UUID(shelf.reader.uuid())
        logged = shelf.reader.rows(
            "SELECT id FROM changes WHERE kind != 'added' AND entry_id IS NOT NULL AND NOT silent ORDER BY id DESC"
        )
        whole = [each.uid for each in notices(shelf)]
        assert whole == [str(uuid5(born, f"change:{number}")) for (number,) in logged]
        assert all([each.uid for each in notices(shelf, limit=k)] == whole[:k] for k in range(1, 5))
        assert {each.uid for each in notices(shelf, "c1")} <= set(whole)
        for format_ in ("atom", "rss", "json"):
            assert shelf.body("changes", format_) == shelf.body("changes", format_)
    finally:
        shelf.close()
