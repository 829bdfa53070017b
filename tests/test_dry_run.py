"""What a look would bring, told without a word being written."""

import os
from hashlib import sha256
from pathlib import Path

import pytest
from place import T0, Place, seed

from feedd.dry_run import folder_run
from feedd.errors import NotAStore, SourceError
from feedd.shapes import Shape
from feedd.store.reader import Reader


def would(place: Place, name: str = "a") -> Shape:
    """What a dry run says; it leaves the database as it is."""
    place.run("PRAGMA wal_checkpoint(TRUNCATE)")
    before = sha256(place.database.read_bytes()).digest()
    said = folder_run(place.sources[name], place.reader)
    assert sha256(place.database.read_bytes()).digest() == before
    return said


def decisions(said: Shape) -> dict[str, str]:
    return {each["where"]: each["decision"] for each in said["items"]}


def test_a_folder_that_was_never_looked_at(place: Place) -> None:
    place.write("a.md", seed(title="标题"))
    place.write("b.md", seed())
    place.write("bad.md", "no seed")
    os.mkfifo(place.folder / "fifo.md")
    said = would(place)
    assert (said["source"], said["gone"]) == ("a", [])
    first, second = said["items"]
    assert first == {
        "where": "a.md",
        "url": "https://example.org/a",
        "title": "标题",
        "published": "2024-02-02T09:45:02Z",
        "date_guessed": False,
        "image": None,
        "author": None,
        "decision": "added",
        "because": "no source held an entry with this URL",
    }
    assert second["decision"] == "duplicate"
    assert sorted(each["where"] for each in said["rejected"]) == ["bad.md", "fifo.md"]


def test_it_decides_as_a_look_does(place: Place) -> None:
    files = {
        name: place.write(f"{name}.md", seed(name)) for name in ("same", "edited", "silent", "gone", "back")
    }
    place.found()
    files["back"].unlink()
    place.found()
    files["gone"].unlink()
    place.write("back.md", seed("back"))
    place.write("edited.md", seed("edited", body="<p>Other</p>", stated=T0 + 1))
    place.write("silent.md", seed("silent", body="<p>Other</p>"))
    place.write("new.md", seed("new", stated=None))
    said = would(place)
    assert decisions(said) == {
        "same.md": "duplicate",
        "edited.md": "edited",
        "silent.md": "silent-edit",
        "back.md": "restored",
        "new.md": "added",
    }
    assert said["gone"] == ["gone.md"]
    assert [each["date_guessed"] for each in said["items"] if each["where"] == "new.md"] == [True]
    counted = place.found()
    assert counted == {"added": 1, "edited": 1, "silent_edited": 1, "restored": 1, "removed": 1}


def test_what_another_source_has_is_a_duplicate(place: Place) -> None:
    place.write("a.md", seed())
    place.found()
    place.add("b", place.folder)
    (item,) = would(place, "b")["items"]
    assert (item["decision"], item["because"]) == ("duplicate", "another source had this entry first")


def test_names_are_printable(place: Place) -> None:
    place.write(os.fsdecode(b"\xff.md"), seed())
    place.write("line\nfeed.md", seed("b"))
    assert set(decisions(would(place))) == {"\\xff.md", "line\\nfeed.md"}


def test_before_there_is_a_database(place: Place, tmp_path: Path) -> None:
    place.write("a.md", seed())
    reader = Reader(tmp_path / "not-yet.db")
    assert decisions(folder_run(place.sources["a"], reader)) == {"a.md": "added"}
    reader.close()
    assert not (tmp_path / "not-yet.db").exists()


def test_a_folder_that_is_not_there(place: Place) -> None:
    place.folder.rmdir()
    with pytest.raises(SourceError, match="can't be listed"):
        would(place)


def test_a_database_that_is_none(place: Place, tmp_path: Path) -> None:
    (tmp_path / "letter.db").write_text("Dear Mother, this is no database, as you will see.")
    reader = Reader(tmp_path / "letter.db")
    with pytest.raises(NotAStore, match="is not a database"):
        folder_run(place.sources["a"], reader)
    reader.close()
