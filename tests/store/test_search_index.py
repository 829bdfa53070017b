"""The search index follows what is stored: every entry that is there stands in it once, as it is shown."""

import asyncio
import random
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from place import T0, Place, seed
from running import until

from feedd.search import segment
from feedd.search.indexer import ENTRIES_AT_ONCE, Indexer, state_of
from feedd.store import search_index
from feedd.store.database import connect
from feedd.store.reader import Reader


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    yield made
    made.close()


def follow(place: Place, **priorities: int) -> None:
    assert Indexer(place.desk, place.reader, priorities).catch_up()
    assert state_of(place.reader).behind == 0
    agrees(place)


def agrees(place: Place, dead: int = 0) -> None:
    """The index holds what it says that it holds, and nothing else."""
    place.run("INSERT INTO search_index (search_index) VALUES ('integrity-check')")
    held = dict(place.rows("SELECT entry_id, revision_id FROM search_docs WHERE entry_id IS NOT NULL"))
    assert set(held) == {
        entry_id for (entry_id,) in place.rows("SELECT id FROM entries WHERE removed_at IS NULL")
    }
    for entry_id, revision_id in held.items():
        columns = search_index.version_columns(place.reader.connection, revision_id)
        (digest,) = place.rows("SELECT digest FROM search_docs WHERE entry_id = ?", entry_id)[0]
        assert columns is not None
        assert search_index.digest_of(columns) == digest
    assert search_index.counts(place.reader.connection) == (len(held) + dead, dead)


def found(place: Place, match: str) -> list[str]:
    """Ends of the URLs of entries that the index finds, the last published first."""
    return [
        url.rpartition("/")[2]
        for (url,) in place.rows(
            "SELECT e.url FROM search_index f JOIN search_docs d ON d.id = f.rowid JOIN entries e ON e.id = d.entry_id"
            " WHERE search_index MATCH ? ORDER BY f.rowid DESC",
            match,
        )
    ]


def test_entries_come_change_go_and_come_back(place: Place) -> None:
    follow(place)
    place.write("a.md", seed(title="5G网络", body="<p>one <b>w</b>ord</p>"))
    place.write("b.md", seed("b", body="<p>two</p>", stated=T0 + 86_400_000))
    place.found()
    follow(place)
    assert found(place, '"5g 网"') == ["a"]
    assert found(place, "word") == ["a"]
    place.write("a.md", seed(title="5G网络", body="<p>three</p>"))
    place.found()
    follow(place)
    assert found(place, "word") == []
    assert found(place, "three OR two") == ["b", "a"]
    (place.folder / "a.md").unlink()
    place.found()
    follow(place)
    assert found(place, "three") == []
    place.write("a.md", seed(title="5G网络", body="<p>three</p>"))
    place.found()
    follow(place)
    assert found(place, "three") == ["a"]


def test_what_nobody_is_told_of_is_followed(place: Place) -> None:
    """Mark-up alone changed: a revision, and no line in the log."""
    place.write("a.md", seed(body="<p>one</p><p>two</p>"))
    place.found()
    follow(place)
    last = place.one("SELECT max(id) FROM changes")
    place.write("a.md", seed(body="<p>one</p><p><em>two</em></p>"))
    place.found()
    assert place.one("SELECT max(id) FROM changes") == last
    assert state_of(place.reader).behind == 1
    follow(place)


def test_of_several_sources_the_first_in_order_is_indexed(place: Place) -> None:
    place.add("b", place.root / "other")
    place.write("a.md", seed(body="<p>mine</p>"))
    place.found()
    place.write("a.md", seed(body="<p>theirs</p>"), place.root / "other")
    place.look("b")
    follow(place)
    assert (found(place, "mine"), found(place, "theirs")) == (["a"], [])
    follow(place, b=1)
    assert (found(place, "mine"), found(place, "theirs")) == ([], ["a"])
    follow(place)
    assert (found(place, "mine"), found(place, "theirs")) == (["a"], [])


def test_a_source_that_leaves_the_configuration_or_comes_back_is_followed(place: Place) -> None:
    place.add("b", place.root / "other")
    place.write("a.md", seed(body="<p>mine</p>"))
    place.found()
    place.write("a.md", seed(body="<p>theirs</p>"), place.root / "other")
    place.look("b")
    follow(place)
    place.run("UPDATE sources SET configured = 0 WHERE name != 'b'")
    follow(place)
    assert (found(place, "mine"), found(place, "theirs")) == ([], ["a"])
    place.run("UPDATE sources SET configured = 1")
    follow(place)
    assert (found(place, "mine"), found(place, "theirs")) == (["a"], [])


def test_an_index_of_another_making_is_made_anew(place: Place) -> None:
    place.write("a.md", seed(body="<p>one</p>"))
    place.found()
    follow(place)
    place.run("UPDATE meta SET value = '0' WHERE key = 'search_version'")
    place.run("INSERT INTO search_index (rowid, text) VALUES (5, 'zombie')")
    follow(place)
    assert place.one("SELECT value FROM meta WHERE key = 'search_version'") == str(segment.VERSION)
    assert place.rows("SELECT rowid FROM search_index WHERE search_index MATCH 'zombie'") == []
    assert found(place, "one") == ["a"]


def test_a_version_that_was_pruned_leaves_nothing_that_is_found(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.write("a.md", seed(body="<p>one</p>"))
    place.found()
    follow(place)
    place.write("a.md", seed(body="<p>two</p>"))
    place.found()
    place.run("PRAGMA foreign_keys = OFF")
    place.run("UPDATE revisions SET packed_against = NULL")
    place.run("DELETE FROM revisions WHERE number = 1")
    assert Indexer(place.desk, place.reader, {}).catch_up()
    agrees(place, dead=1)
    assert (found(place, "one"), found(place, "two")) == ([], ["a"])
    monkeypatch.setattr("feedd.search.indexer.DEAD_LEAST", 0)
    follow(place)
    assert found(place, "two") == ["a"]


def test_days_are_told_by_numbers(place: Place) -> None:
    for name, stated in (("new", T0), ("old", T0 - 400 * 86_400_000), ("same", T0 + 1000)):
        place.write(f"{name}.md", seed(name, body="<p>word</p>", stated=stated))
    place.found()
    follow(place)
    assert found(place, "word")[-1] == "old"
    first = search_index.first_of_day(T0)
    assert {doc_id for (doc_id,) in place.rows("SELECT id FROM search_docs WHERE id >= ?", first)} == {
        first,
        first + 1,
    }


def test_a_long_text_is_indexed_as_far_as_is_sensible(place: Place) -> None:
    place.write("a.md", seed(body=f"<p>first {'word ' * 60_000} last</p>"))
    place.found()
    follow(place)
    assert (found(place, "first"), found(place, "last")) == (["a"], [])


steps = st.lists(
    st.tuples(st.sampled_from("abc"), st.sampled_from(["one", "two", "three", ""]), st.booleans()), max_size=8
)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps)
def test_whatever_happens_the_index_agrees(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, str, bool]]
) -> None:
    place = Place(tmp_path_factory.mktemp("place"))
    try:
        for name, body, is_followed in steps:
            if body:
                place.write(f"{name}.md", seed(name, body=f"<p>{body}</p>"))
            else:
                (place.folder / f"{name}.md").unlink(missing_ok=True)
            place.found(accept=True)
            if is_followed:
                follow(place)
        follow(place)
        for word in ("one", "two", "three"):
            shown = place.rows(
                "SELECT e.url FROM entries e JOIN revisions r ON r.entry_id = e.id AND r.newest WHERE r.content_html = ?"
                " AND e.removed_at IS NULL",
                f"<p>{word}</p>",
            )
            assert sorted(found(place, word)) == sorted(url.rpartition("/")[2] for (url,) in shown)
    finally:
        place.close()


def test_it_follows_while_it_runs(place: Place) -> None:
    async def followed() -> None:
        task = asyncio.create_task(Indexer(place.desk, Reader(place.database), {}).run())
        for name in ("a", "b"):
            place.write(f"{name}.md", seed(name, body="<p>word</p>"))
            await asyncio.to_thread(place.found)
            await asyncio.to_thread(until, lambda: state_is_current(place.database), 5.0)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    asyncio.run(followed())
    assert sorted(found(place, "word")) == ["a", "b"]
    agrees(place)


def state_is_current(database: Path) -> bool:
    with closing(connect(database)) as connection:
        return search_index.cursor(connection) == search_index.newest(connection)


def test_a_budget_that_is_used_up(place: Place) -> None:
    for number in range(200):
        place.write(f"{number}.md", seed(str(number)))
    place.found()
    seen: list[tuple[int, int]] = []
    indexer = Indexer(place.desk, place.reader, {})
    assert not indexer.catch_up(budget_s=0, progress=lambda done, total: seen.append((done, total)))
    assert seen == [(ENTRIES_AT_ONCE, 200)]
    follow(place)


KILLED = """
    import sys
    from pathlib import Path
    from feedd.search.indexer import Indexer
    from feedd.store.desk import Desk
    from feedd.store.reader import Reader
    path = Path(sys.argv[1])
    with Desk(path) as desk:
        print("begun", flush=True)
        Indexer(desk, Reader(path), {}).catch_up()
"""


def test_a_kill_loses_nothing_and_doubles_nothing(place: Place) -> None:
    chance = random.Random(1)
    for number in range(600):
        place.write(f"{number}.md", seed(str(number), body=f"<p>{'word ' * 300}{number}</p>"))
    place.found()
    kills = 0
    for _ in range(5):
        command = [sys.executable, "-c", textwrap.dedent(KILLED), str(place.database)]
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
            assert process.stdout is not None
            process.stdout.readline()
            with suppress(subprocess.TimeoutExpired):
                process.wait(chance.uniform(0.01, 0.15))
            kills += process.poll() is None
            process.kill()
    assert kills
    follow(place)
    assert len(found(place, "word")) == 600
