"""Who is told of which change: what channels and streams say, and the same as feeds show."""

from collections.abc import Collection, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shelf import BORN_MS, Piece, Shelf

from feedd.config.load import load
from feedd.config.settings import Config
from feedd.model import Kind, Significance
from feedd.notify.audience import OF_SOURCES, Audience, Wish, of_channel, of_feed
from feedd.publish.plan import plans
from feedd.rules import Parts
from feedd.store import log
from feedd.store.known import StoredKnown
from feedd.store.log import Logged
from feedd.store.reader import Entry

T = BORN_MS
TOML = """
[sources.one]
type = "directory"
path = "1"
tags = ["zh"]
[sources.two]
type = "directory"
path = "2"
[feeds.every]
changes = "all"
[feeds.fires]
changes = "all"
match = { title = "fire" }
[feeds.second]
changes = "all"
sources = ["two"]
reject = { text = "15" }
[feeds.weighty]
changes = "substantial"
[feeds.entries]
sources = ["one"]
match = { title = "fire" }
"""
CHANNEL = '[notify.desk]\ntype = "file"\npath = "out.jsonl"\n'


class Given(NamedTuple):
    """What the store would say."""

    titles: Sequence[str] = ()
    held_by: Collection[str] = ()

    def ends(self, _: Logged, within: Collection[str] | None = None) -> list[Parts]:  # noqa: ARG002
        return [Parts(title, "https://example.org/x", str) for title in self.titles]

    def holders(self, _: Logged) -> Collection[str]:
        return self.held_by


A_FIRE = Given(("A fire",))


def logged(kind: Kind, source: str = "one", significance: Significance = Significance.SUBSTANTIAL) -> Logged:
    entry_id = None if kind in OF_SOURCES else 1
    return Logged(1, kind, T, 1, source, entry_id, None, None, significance, (), None)


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    return configured(tmp_path_factory.mktemp("config"))


def configured(root: Path, channel: str = "") -> Config:
    path = root / "config.toml"
    path.write_text(TOML + CHANNEL + channel, encoding="utf-8")
    return load(path)


def channel(root: Path, text: str) -> Audience:
    config = configured(root, text)
    return of_channel(config.channels[0], config)


def kinds_told(audience: Audience | Wish, known: Given = A_FIRE, **change: Any) -> set[str]:
    wants = audience.wants if isinstance(audience, Audience) else audience.admits
    return {str(kind) for kind in Kind if wants(logged(kind, **change), known)}


def test_a_feed_tells_its_kinds(config: Config) -> None:
    feeds = plans(config)
    told = {"edited", "silent-edit", "reverted", "removed", "restored"}
    assert kinds_told(of_feed(feeds["all"])) == set(Kind)
    assert kinds_told(of_feed(feeds["changes"])) == told
    assert kinds_told(of_feed(feeds["health"])) == OF_SOURCES
    assert kinds_told(of_feed(feeds["health"], [Kind.ADDED, Kind.SOURCE_MOVED])) == {"source-moved"}
    assert kinds_told(of_feed(feeds["all"], [Kind.ADDED])) == {"added"}


def test_a_feed_tells_of_its_sources(config: Config) -> None:
    one = of_feed(plans(config)["one"])
    assert kinds_told(one) == set(Kind)
    assert kinds_told(one, source="two") == set()
    assert kinds_told(one, Given(("A fire",), {"one", "two"}), source="two") == {"removed", "restored"}


def test_rules_look_at_entries_alone(config: Config) -> None:
    fires = of_feed(plans(config)["entries"])
    assert kinds_told(fires, Given(("A flood",))) == OF_SOURCES
    assert kinds_told(fires, Given(("A flood", "A fire"))) == set(Kind), "an end of the change is enough"
    assert kinds_told(fires, Given()) == OF_SOURCES


def test_only_edits_are_more_or_less(config: Config) -> None:
    weighty = of_feed(plans(config)["weighty"])
    assert kinds_told(weighty, significance=Significance.MINOR) == {"removed", "restored"}
    assert "edited" in kinds_told(weighty)


def test_what_a_channel_says(tmp_path: Path) -> None:
    assert kinds_told(channel(tmp_path, "")) == set(Kind)
    assert kinds_told(channel(tmp_path, 'on = ["added", "edited"]')) == {"added", "edited"}
    assert kinds_told(channel(tmp_path, 'sources = ["tag:zh"]'), source="two") == set()
    assert kinds_told(channel(tmp_path, 'sources = ["tag:zh"]'), source="one") == set(Kind)
    minor = kinds_told(channel(tmp_path, 'min_significance = "substantial"'), significance=Significance.MINOR)
    assert minor == set(Kind) - {"edited", "silent-edit", "reverted"}
    assert kinds_told(channel(tmp_path, 'match = { title = "flood" }')) == OF_SOURCES


def test_a_channel_of_feeds_is_told_what_one_of_them_tells(tmp_path: Path) -> None:
    both = channel(tmp_path, 'feeds = ["fires", "two"]')
    assert kinds_told(both, Given(("A flood",)), source="one") == set()
    assert kinds_told(both, Given(("A flood",)), source="two") == set(Kind)
    assert kinds_told(both, Given(("A fire",)), source="one") == {
        "edited", "silent-edit", "reverted", "removed", "restored",
    }  # fmt: skip
    narrower = channel(tmp_path, 'feeds = ["fires"]\non = ["removed"]\nsources = ["two"]')
    assert kinds_told(narrower, Given(("A fire",)), source="two") == {"removed"}
    assert kinds_told(narrower, Given(("A fire",)), source="one") == set()


look = st.tuples(
    st.sampled_from(["one", "two"]),
    st.sampled_from(["The fire", "The flood"]),
    st.sampled_from(["It killed 15 people.", "It killed 16 people.", "Nobody was hurt.", "Nobody was hurt"]),
    st.booleans(),
)


@settings(max_examples=25, deadline=None)
@given(st.lists(look, min_size=4, max_size=9))
def test_a_change_is_told_exactly_where_a_feed_shows_it(looks: list[tuple[str, str, str, bool]]) -> None:
    with TemporaryDirectory() as folder:
        shelf = Shelf(Path(folder), TOML)
        try:
            for source in ("one", "two"):
                shelf.look(source, T)
            for second, (source, title, text, gone) in enumerate(looks):
                pieces = [] if gone else [Piece(f"of-{source}", title, f"<p>{text}</p>")]
                shelf.look(source, T + 1 + second, pieces, [f"of-{source}"] if gone else [])
            for name in ("every", "fires", "second", "weighty", "one"):
                agrees(shelf, name)
        finally:
            shelf.close()


def agrees(shelf: Shelf, name: str) -> None:
    """`one` is a feed of entries: it shows those of which it tells that they were added."""
    known, wish = (
        StoredKnown(shelf.reader.connection, shelf.feeds.priorities),
        of_feed(shelf.feeds.plans[name]),
    )
    told = [each for each in log.after(shelf.reader.connection, 0) if wish.admits(each, known)]
    shown = shelf.feeds.document(name, 1000).entries
    if name == "one":
        assert {each.entry_id for each in told} >= {each.id for each in shown if isinstance(each, Entry)}
        return
    ends = [each.published_ms for each in reversed(shown)]
    assert [each.at_ms for each in told] == ends
