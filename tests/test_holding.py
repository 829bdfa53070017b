"""Changes that are kept for now without notice: flip-flops and live blogs, as rules and in a store."""

from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

import pytest
from shelf import BORN_MS, Piece, Shelf

from feedd.changes.values import Judged
from feedd.decide import LIVE_MS, EntryState, Hold, Pass, Verdict, after, decide
from feedd.looks import key_of
from feedd.model import Item, Kind, Significance, Version
from feedd.normalise.article import derive
from feedd.schedule import Due
from feedd.store.writer import Writer

MINUTE_MS = 60_000
URL = "https://example.org/a"
TEXTS = {name: f"<p>The text called {name}.</p>" for name in "ABCD"}


def judged(before: Version, item: Item, *, live: bool) -> Judged:
    """By the letters alone: what another begins with was added to."""
    old, new = before.title, item.article.title
    if old == new:
        return Judged(Significance.NONE, ())
    adds = new.startswith(old)
    level = Significance.MINOR if adds and live else Significance.SUBSTANTIAL
    return Judged(level, (f"{old} → {new}",), adds_only=adds)


def verdicts(contents: Sequence[str], *, apart_ms: int = MINUTE_MS, live: bool = False) -> list[Verdict]:
    """What is decided of an entry whose title and text take these values, a look each."""
    state, found = EntryState(), []
    for number, name in enumerate(contents, 1):
        look, state.told = Pass(1, number, number == 1, BORN_MS + number * apart_ms), False
        article = derive(URL, name, f"<p>{name}</p>")
        item = Item("a", None, BORN_MS, article, None, settled=True, live=live)
        verdict = decide(item, state.newest, state, look, judged)
        after(state, item, verdict, look, number)
        found.append(verdict)
    return found


def told(contents: Sequence[str], *, apart_ms: int = MINUTE_MS, live: bool = False) -> str:
    """A letter a look: what was told of it."""
    letters = {Kind.ADDED: "a", Kind.EDITED: "e", Kind.REVERTED: "r", None: "-"}
    return "".join(
        "h" if each.hold else letters[each.kind] for each in verdicts(contents, apart_ms=apart_ms, live=live)
    )


@pytest.mark.parametrize(
    ("contents", "expected"),
    [
        ("AB", "ae"),
        ("ABA", "aer"),
        ("ABAB", "aerh"),
        ("ABABABAB", "aerhhhhh"),
        ("ABCABC", "aeerhh"),  # three that take turns
        ("ABABC", "aerhe"),  # something new is told at once
        ("ABABCD", "aerhee"),
        ("ABACAB", "aererh"),
        ("ABBA", "ae-r"),
        ("ABAABB", "aer-h-"),
    ],
)
def test_a_flip_flop_is_told_once(contents: str, expected: str) -> None:
    assert told(contents) == expected


def test_what_is_told_after_a_flip_flop_begins_at_what_was_told_before_it() -> None:
    found = verdicts("ABABC")
    assert [each.hold for each in found] == [None, None, None, Hold.FLIP_FLOP, None]
    assert found[3].kind is Kind.REVERTED
    assert found[4].reasons == ("A → C",)  # nobody was told that B came back
    assert found[4].previous is not None
    assert found[4].previous.title == "A"


def test_what_is_back_at_what_was_told_needs_no_notice() -> None:
    """Three versions that take turns, one of them only typographically different from what was told."""
    found = verdicts(["A", "B", "A", "B", "A"])
    assert found[4].hold is Hold.FLIP_FLOP  # it is still taking turns
    assert found[4].kind is Kind.REVERTED


GROWS = ["a", "ab", "abc", "abcd", "abcde", "abcdef"]


def test_what_a_live_blog_adds_is_told_together() -> None:
    assert told(GROWS, live=True) == "ahhhhh"
    assert told(GROWS, live=True, apart_ms=LIVE_MS) == "aeeeee"
    assert told(GROWS, live=False)[:4] == "aeee"


def test_what_only_ever_grows_is_a_live_blog() -> None:
    assert told(GROWS) == "aeeehh"
    assert verdicts(GROWS)[4].significance is Significance.MINOR


def test_what_a_live_blog_takes_away_is_told_at_once() -> None:
    found = verdicts(["a", "ab", "abc", "ac", "acd"], live=True)
    assert [each.hold for each in found] == [None, Hold.LIVE, Hold.LIVE, None, Hold.LIVE]
    assert found[3].reasons == ("a → ac",)  # of b nobody was told


def test_a_clock_that_runs_backwards_holds_nothing_back() -> None:
    assert told(GROWS, live=True, apart_ms=-MINUTE_MS) == "aeeeee"


# in a store


SOURCES = """
[sources.a]
type = "directory"
path = "a"
"""


class Told:
    """A store with one source, looked at minute by minute, and the log of what it told."""

    def __init__(self, root: Path) -> None:
        self.shelf = Shelf(root, SOURCES)
        self.now_ms = BORN_MS
        self.shelf.look("a", self.now_ms)

    def look(self, *bodies: str, minutes: int = 1) -> None:
        for body in bodies:
            self.now_ms += minutes * MINUTE_MS
            self.shelf.look("a", self.now_ms, [Piece("one", "A title", body, BORN_MS - self.now_ms % 1000)])

    def stand(self, looks: int) -> None:
        """Looks that find nothing new to read."""
        for _ in range(looks):
            self.now_ms += MINUTE_MS
            self.shelf.look("a", self.now_ms)

    def log(self) -> list[tuple[str, int | None, int | None]]:
        """Kind, revision told from, revision told, of every change."""
        rows = self.shelf.reader.rows(
            "SELECT c.kind, p.number, r.number FROM changes c LEFT JOIN revisions p ON p.id = c.previous_id"
            " LEFT JOIN revisions r ON r.id = c.revision_id ORDER BY c.id"
        )
        return [(str(kind), before, after) for kind, before, after in rows]

    def held(self) -> int:
        ((found,),) = self.shelf.reader.rows("SELECT count(*) FROM held_notices")
        return int(found)

    def revisions(self) -> int:
        ((found,),) = self.shelf.reader.rows("SELECT count(*) FROM revisions")
        return int(found)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Told]:
    made = Told(tmp_path)
    yield made
    made.shelf.close()


A, B, C = TEXTS["A"], TEXTS["B"], TEXTS["C"]
ONCE = [("added", None, 1), ("silent-edit", 1, 2), ("reverted", 2, 3)]


def test_every_version_of_a_flip_flop_is_kept_and_told_once(store: Told) -> None:
    store.look(*[A, B] * 10)
    assert store.log() == ONCE
    assert store.revisions() == 20
    assert store.held() == 1


def test_a_flip_flop_that_settles_elsewhere_is_told(store: Told) -> None:
    store.look(A, B, A, B)
    store.stand(3)
    assert store.log() == ONCE
    store.stand(3)
    assert store.log() == [*ONCE, ("reverted", 3, 4)]
    assert store.held() == 0
    store.stand(10)
    assert len(store.log()) == 4


def test_a_flip_flop_that_settles_where_it_was_told_is_told_no_more(store: Told) -> None:
    store.look(A, B, A, B, A)
    store.stand(20)
    assert store.log() == ONCE
    assert store.held() == 0


def test_the_longer_it_takes_turns_the_longer_it_must_stand(store: Told) -> None:
    store.look(*[A, B] * 6)
    store.stand(8)
    assert store.log() == ONCE
    store.stand(40)
    assert store.log()[3:] == [("reverted", 3, 12)]


def test_what_comes_after_a_flip_flop_is_told_at_once(store: Told) -> None:
    store.look(A, B, A, B, C)
    assert store.log()[3:] == [("silent-edit", 3, 5)]
    assert store.held() == 0


def test_what_is_held_back_of_what_is_removed_is_told_when_it_is_back(store: Told) -> None:
    store.look(A, B, A, B)
    store.shelf.look("a", store.now_ms + 1, gone=["one"])
    assert store.log()[3:] == [("removed", None, None)]
    store.stand(20)
    assert len(store.log()) == 4
    store.look(B)
    assert store.log()[4:] == [("restored", 3, 4)]  # B was never told
    assert store.held() == 0


def test_the_feed_keeps_its_order_while_it_takes_turns(store: Told) -> None:
    store.look(A, B, A)
    before = store.shelf.feeds.document("all", 10).entries[0].updated_ms
    store.look(B, A, B)
    (entry,) = store.shelf.feeds.document("all", 10).entries
    assert entry.updated_ms == before
    assert "called B" in entry.content_html


def grown(count: int) -> str:
    return "".join(
        f"<p>At {hour} o'clock something happened in the city.</p>" for hour in range(count, 0, -1)
    )


def test_what_grows_is_told_by_the_half_hour(store: Told) -> None:
    store.look(*(grown(count) for count in range(1, 5)))
    assert [kind for kind, *_ in store.log()] == ["added", *["silent-edit"] * 3]
    store.look(*(grown(count) for count in range(5, 25)))
    assert len(store.log()) == 4
    store.look(*(grown(count) for count in range(25, 40)))
    assert len(store.log()) == 5
    _, before, newest = store.log()[-1]
    assert before == 4
    assert newest in range(33, 36)
    assert store.revisions() == 39
    rows = store.shelf.reader.rows("SELECT significance FROM changes ORDER BY id DESC LIMIT 1")
    assert rows == [("minor",)]


def test_what_is_held_back_is_told_when_its_time_has_come(store: Told) -> None:
    store.look(*(grown(count) for count in range(1, 7)))
    store.shelf.desk.run(lambda writer: writer.release(store.now_ms + LIVE_MS - 3 * MINUTE_MS))
    assert len(store.log()) == 4
    assert store.shelf.desk.run(lambda writer: writer.release(store.now_ms + LIVE_MS)) == 1
    assert store.log()[4:] == [("edited", 4, 6)]


def test_what_is_taken_away_meanwhile_is_told_at_once(store: Told) -> None:
    store.look(*(grown(count) for count in range(1, 7)))
    store.look("<p>At 1 o'clock something happened in the city.</p>" * 2)
    assert store.log()[4:] == [("silent-edit", 4, 7)]
    assert store.held() == 0


TWO_SOURCES = """
[sources.a]
type = "directory"
path = "a"
[sources.b]
type = "directory"
path = "b"
"""


@pytest.fixture
def shelf(tmp_path: Path) -> Iterator[Shelf]:
    made = Shelf(tmp_path, TWO_SOURCES)
    for name in "ab":
        made.look(name, BORN_MS)
    yield made
    made.close()


def told_of(shelf: Shelf) -> list[tuple[str, str, str | None]]:
    """Source, kind and reasons of every change."""
    rows = shelf.reader.rows(
        "SELECT s.name, c.kind, coalesce(c.reasons, r.reasons) FROM changes c JOIN sources s ON s.id = c.source_id"
        " LEFT JOIN revisions r ON r.id = c.revision_id ORDER BY c.id"
    )
    return [(str(name), str(kind), reasons) for name, kind, reasons in rows]


def looks(shelf: Shelf, *seen: tuple[str, str]) -> None:
    """(source, body), a minute apart."""
    start = BORN_MS + len(shelf.reader.rows("SELECT id FROM revisions")) * 7 * MINUTE_MS
    for number, (source, text) in enumerate(seen, 1):
        shelf.look(source, start + number * MINUTE_MS, [Piece("one", "A title", text, BORN_MS - 1)])


def test_a_link_that_was_changed_in_one_source_alone_is_told(shelf: Shelf) -> None:
    bank, fraud = (
        f'<p>Pay at <a href="https://{name}.example/">the bank</a>.</p>' for name in ("bank", "fraud")
    )
    looks(shelf, ("b", bank), ("a", bank), ("a", fraud))
    assert told_of(shelf)[1:] == [("a", "silent-edit", '["link"]')]


def test_going_back_is_told_though_another_source_told_that_version_long_ago(shelf: Shelf) -> None:
    looks(shelf, ("b", A), ("b", B), ("b", C), ("a", C), ("a", B))
    assert [each[:2] for each in told_of(shelf)] == [
        ("b", "added"),
        ("b", "silent-edit"),
        ("b", "silent-edit"),
        ("a", "silent-edit"),
    ]


def test_what_another_source_has_just_told_is_not_told_again(shelf: Shelf) -> None:
    looks(shelf, ("b", A), ("a", A), ("b", B), ("a", B))
    assert [each[:2] for each in told_of(shelf)] == [("b", "added"), ("b", "silent-edit")]


def test_a_live_blog_in_two_sources_is_told_once(shelf: Shelf) -> None:
    looks(shelf, *((source, grown(count)) for count in range(1, 8) for source in "ab"))
    before = len(told_of(shelf))
    released = shelf.desk.run(lambda writer: writer.release(BORN_MS + 10 * LIVE_MS))
    assert released == 1
    assert len(told_of(shelf)) == before + 1


@pytest.mark.parametrize("a", ["5", "56", "7"])
@pytest.mark.parametrize("b", ["5656565656", "76767676", "567567567"])
def test_a_flip_flop_beside_another_source_is_told_once(shelf: Shelf, a: str, b: str) -> None:
    texts = {name: f"<p>There, {name} people were killed.</p>" for name in "567"}
    looks(shelf, *(("a", texts[name]) for name in a), *(("b", texts[name]) for name in b))
    told = [kind for source, kind, _ in told_of(shelf) if source == "b"]
    assert len(told) <= len(set(b))


def test_a_return_that_another_source_told_is_told_no_more(shelf: Shelf) -> None:
    looks(shelf, ("a", A), ("b", A), ("a", B), ("b", B), ("a", A), ("b", A))
    for number in range(12):
        shelf.look("b", BORN_MS + (100 + number) * MINUTE_MS)
    assert {source for source, *_ in told_of(shelf)} == {"a"}


RENDERINGS = {
    "a tracker": '<p>{0}</p><p><a href="https://example.org/?utm_source={1}">More</a></p>',
    "a picture's version": '<p>{0}</p><img alt="" src="https://example.org/a.jpg?v={1}&amp;w=300">',
    "an age": "<p>{0}</p><p>Updated {1} minutes ago</p>",
}


@pytest.mark.parametrize("rendering", RENDERINGS)
def test_a_flip_flop_is_known_by_what_it_says(store: Told, rendering: str) -> None:
    words = RENDERINGS[rendering]
    store.look(*(words.format(("The cat sat.", "A dog ran.")[turn % 2], turn + 3) for turn in range(12)))
    assert [kind for kind, *_ in store.log()] == ["added", "silent-edit", "reverted"]
    assert store.revisions() == 12


def test_other_settings_tell_what_was_held_back_and_no_more(store: Told) -> None:
    store.look(A, B, A, B)
    assert store.log() == ONCE
    store.shelf.configure(SOURCES + 'ignore = ["nothing of this"]\n')
    store.look(B.replace("The text", "Of other settings, the text"))
    assert store.log() == [*ONCE, ("reverted", 3, 4)]
    store.stand(10)
    assert len(store.log()) == 4
    assert store.held() == 0


def test_looks_at_other_files_settle_nothing(store: Told) -> None:
    store.look(A, B, A, B)
    key = key_of(store.shelf.config.sources[0])
    for _ in range(10):
        look = store.shelf.desk.run(lambda writer: writer.begin(key, store.now_ms)).look
        store.shelf.desk.run(partial(Writer.finish_part, look=look, changed=False))
    store.stand(2)
    assert store.log() == ONCE
    store.stand(3)
    assert len(store.log()) == 4


def test_a_clock_that_was_set_back_keeps_nothing_waiting(store: Told) -> None:
    store.look(*(grown(count) for count in range(1, 7)))
    assert store.held() == 1
    assert store.shelf.desk.run(lambda writer: writer.release(store.now_ms - 10 * 60 * MINUTE_MS)) == 1


def test_what_is_not_looked_at_any_more_has_settled(store: Told) -> None:
    store.look(A, B, A, B)
    week = 7 * 24 * 60 * MINUTE_MS
    assert store.shelf.desk.run(lambda writer: writer.release(store.now_ms + week)) == 0
    assert store.shelf.desk.run(lambda writer: writer.release(store.now_ms + 2 * week)) == 1
    assert store.log()[3:] == [("reverted", 3, 4)]


def files(store: Told, **bodies: str) -> None:
    """One look at several files with one URL, the later ones the newer."""
    store.now_ms += MINUTE_MS
    items = []
    for number, (name, body) in enumerate(bodies.items()):
        item = Piece("one", "A title", body, BORN_MS - 1000 + number).item()
        items.append(item._replace(location=f"{name}.txt"))
    key = key_of(store.shelf.config.sources[0])
    look = store.shelf.desk.run(lambda writer: writer.begin(key, store.now_ms)).look
    store.shelf.desk.run(lambda writer: writer.record(look, key.extraction, items, []))
    due = Due(store.now_ms + 1, "")
    store.shelf.desk.run(lambda writer: writer.finish(key, look, due, changed=True, listing=None))


THREE, NINE, FOUR = (f"<p>In all, {count} of them died.</p>" for count in ("three", "nine", "four"))


def test_what_stood_before_a_look_and_stands_after_it_is_no_change(store: Told) -> None:
    files(store, first=THREE, second=NINE)
    files(store, first=FOUR, second=NINE.replace("nine", "<b>nine</b>"))
    assert [kind for kind, *_ in store.log()] == ["added"]


def test_several_files_of_one_look_are_told_from_what_stood_before_it(store: Told) -> None:
    files(store, first=THREE, second=NINE)
    files(store, first=FOUR, second=NINE.replace("nine", "ten"))
    ((kind, before, _),) = store.log()[1:]
    assert (kind, before) == ("silent-edit", 2)
    ((reasons,),) = store.shelf.reader.rows("SELECT reasons FROM changes ORDER BY id DESC LIMIT 1")
    assert reasons == '["number nine → ten"]'


def test_what_was_never_told_says_all_the_same_what_it_says(store: Told) -> None:
    files(store, first=THREE, second=NINE)
    rows = store.shelf.reader.rows("SELECT change, significance, reasons FROM revisions ORDER BY number")
    assert rows == [("added", "substantial", None), ("duplicate", "substantial", '["number three → nine"]')]
