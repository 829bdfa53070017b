"""How long a pause lasts that a person made, beside the configuration."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
from place import Place, seed

from feedd.looks import key_of
from feedd.store import pausing
from feedd.store.reader import SourceRow


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path)
    made.write("one.md", seed())
    made.desk.run(lambda writer: writer.within(partial(pausing.pause, name="a", words="paused by me")))
    yield made
    made.close()


def source(place: Place) -> SourceRow:
    (row,) = place.reader.sources()
    return row


def test_another_folder_and_other_settings_do_not_end_a_pause(place: Place) -> None:
    place.add("a", place.root / "elsewhere", include=["*.txt"], every="5m")
    assert (source(place).location, source(place).paused_by) == (
        str(place.root / "elsewhere"),
        "paused by me",
    )


def test_a_source_that_was_taken_out_comes_back_unpaused(place: Place) -> None:
    place.desk.run(lambda writer: writer.configure([], [], 0))
    assert source(place).paused is None
    place.desk.run(lambda writer: writer.configure([key_of(place.sources["a"])], [], 0))
    assert source(place).paused is None


def test_success_ends_the_pause_of_feedd_alone(place: Place) -> None:
    place.run("UPDATE sources SET paused = 'gone since then (410)'")
    assert source(place).paused == "paused by me"
    place.found()
    assert source(place).paused == "paused by me"
    assert place.desk.run(lambda writer: writer.next_checks())["a"].paused == "paused by me"


def test_what_is_paused_is_never_due(place: Place) -> None:
    due = "SELECT name FROM sources INDEXED BY sources_due WHERE configured = 1 AND paused IS NULL AND paused_by IS NULL"
    assert place.desk.run(lambda writer: writer.due(2**60)) == []
    assert place.rows(due) == []
    assert place.desk.run(lambda writer: writer.within(partial(pausing.resume, name="a", now_ms=7)))
    assert not place.desk.run(lambda writer: writer.within(partial(pausing.resume, name="a", now_ms=8)))
    assert (place.rows(due), source(place).next_check_ms) == ([("a",)], 7)
