"""What becomes of entries: versions, places and sources, from files to the change log."""

import os

import pytest
from place import T0, Place, seed

from feedd.normalise.text import content_hash

MINUTE = 60_000
ONE, TWO, THREE = "<p>One</p>", "<p>Two</p>", "<p>Three</p>"


# What a version is


def test_the_ways_of_an_edit(place: Place) -> None:
    place.write("a.md", seed(body=ONE))
    assert place.found() == {"added": 1}
    place.write("a.md", seed(body=TWO, stated=T0 + MINUTE))
    assert place.found() == {"edited": 1}
    place.write("a.md", seed(body=THREE, stated=T0 + MINUTE))
    assert place.found() == {"silent_edited": 1}
    place.write("a.md", seed(body="<div><p><b>Three</b></p></div>", stated=T0 + MINUTE))
    assert place.found() == {"duplicates": 1}
    place.write("a.md", seed(body=ONE, stated=T0 + MINUTE))
    assert place.found() == {"reverted": 1}
    assert place.kinds() == ["added", "edited", "silent-edit", "reverted"]
    assert place.history() == [
        ("a", "added"), ("a", "edited"), ("a", "silent-edit"), ("a", "duplicate"), ("a", "reverted"),
    ]  # fmt: skip
    assert place.entry().content_html == ONE


def test_share_boxes_and_advertisement_are_no_edit(place: Place) -> None:
    place.write("a.md", seed(body=ONE))
    place.found()
    box = '<a href="https://www.facebook.com/dialog/share?u=x"><span></span></a>'
    place.write("a.md", seed(body=f"{ONE}{box}<section data-e2e='advertisement'>Buy</section>"))
    assert place.found() == {"duplicates": 1}
    assert place.history() == [("a", "added")]


def test_mark_up_alone_moves_nothing(place: Place) -> None:
    place.write("a.md", seed(body=ONE))
    place.found()
    before = place.entry()
    place.write("a.md", seed(body="<div><em>One</em></div>", stated=T0 + MINUTE))
    assert place.found() == {"duplicates": 1}
    after = place.entry()
    assert (after.updated_ms, after.position) == (before.updated_ms, before.position)
    assert (after.content_html, after.revisions) == ("<div><em>One</em></div>", 2)


def test_a_moved_time_is_noted_without_a_word(place: Place) -> None:
    place.write("a.md", seed(body=ONE))
    place.found()
    place.write("a.md", seed(body=ONE, stated=T0 + MINUTE))
    assert place.found() == {"duplicates": 1}
    assert place.history() == [("a", "added")]
    assert place.entry().published_ms == T0
    place.write("a.md", seed(body=TWO, stated=T0 + MINUTE))
    assert place.found() == {"silent_edited": 1}


@pytest.mark.parametrize("stated", [None, "NaN", "undefined", "-5", T0 // 1000, 10**15])
def test_a_time_that_is_none_is_guessed_and_never_silent(place: Place, stated: int | str | None) -> None:
    file = place.write("a.md", seed(body=ONE, stated=stated))
    assert place.found() == {"added": 1}
    entry = place.entry()
    assert (entry.date_guessed, entry.published_ms) == (True, file.stat().st_mtime_ns // 10**6)
    place.write("a.md", seed(body=TWO, stated=stated))
    assert place.found() == {"edited": 1}
    assert place.entry().published_ms == entry.published_ms


def test_published_never_moves_and_updated_never_goes_back(place: Place) -> None:
    place.write("a.md", seed(body=ONE))
    place.found()
    assert place.entry().updated_ms == T0
    place.write("a.md", seed(body=TWO, stated=T0 - MINUTE))
    place.found()
    entry = place.entry()
    assert entry.published_ms == T0
    assert entry.updated_ms == place.one("SELECT max(at) FROM changes")


# Places


def test_one_entry_whatever_the_spelling_of_its_url(place: Place) -> None:
    place.write("a.md", seed("https://example.org/caf%c3%a9"))
    place.write("b.md", seed("HTTPS://EXAMPLE.ORG:443/caf%C3%A9?utm_source=x#top"))
    assert place.found() == {"added": 1, "duplicates": 1}


def test_a_new_name_is_no_removal(place: Place) -> None:
    place.write("a.md", seed()).rename(place.folder / "b.md")
    place.write("c.md", seed("c"))
    place.found()
    (place.folder / "b.md").rename(place.folder / "a.md")
    assert place.found() == {"duplicates": 1}
    assert place.rows("SELECT path FROM locations ORDER BY path") == [("a.md",), ("c.md",)]


def test_a_new_name_with_other_words_is_one_edit(place: Place) -> None:
    """Names count down, so that the newer one sorts first."""
    place.write("1048575.md", seed(body=ONE))
    place.found()
    (place.folder / "1048575.md").unlink()
    place.write("1048574.md", seed(body=TWO))
    assert place.found() == {"silent_edited": 1}
    assert place.entry().content_html == TWO


def test_a_path_that_holds_another_url_supersedes(place: Place) -> None:
    place.write("a.md", seed("old"))
    place.found()
    place.write("a.md", seed("new"))
    assert place.found() == {"added": 1}
    assert place.entry("old").removed_ms is None
    place.write("b.md", seed("other"))
    place.found()
    (place.folder / "a.md").unlink()
    assert place.found() == {"removed": 1}
    assert place.entry("old").removed_ms is None
    assert place.entry("new").removed_ms is not None


def test_removed_and_restored(place: Place) -> None:
    place.write("keep.md", seed("keep"))
    file = place.write("a.md", seed(body=ONE))
    place.found()
    file.unlink()
    assert place.found() == {"removed": 1}
    assert place.entry().removed_ms is not None
    place.write("a.md", seed(body=ONE))
    assert place.found() == {"restored": 1}
    assert place.history() == [("a", "added")]
    file.unlink()
    place.found()
    place.write("b.md", seed(body=TWO))
    assert place.found() == {"restored": 1}
    assert place.entry().content_html == TWO
    assert place.kinds() == ["added", "added", "removed", "restored", "removed", "restored"]


def test_one_of_two_places_may_go(place: Place) -> None:
    place.write("a.md", seed())
    file = place.write("b.md", seed())
    place.found()
    file.unlink()
    assert place.found() == {}
    assert place.entry().removed_ms is None


def test_restored_at_two_places_is_one_change(place: Place) -> None:
    place.write("keep.md", seed("keep"))
    file = place.write("a.md", seed(body=ONE))
    place.found()
    file.unlink()
    place.found()
    place.write("a.md", seed(body=ONE))
    place.write("b.md", seed(body=TWO, stated=T0 + MINUTE))
    assert place.found() == {"restored": 1, "duplicates": 1}
    assert place.entry().content_html == TWO


def test_two_edits_in_one_pass_are_one_change(place: Place) -> None:
    place.write("a.md", seed(body=ONE))
    place.found()
    place.write("a.md", seed(body=TWO, stated=T0 + MINUTE))
    place.write("b.md", seed(body=THREE, stated=T0 + 2 * MINUTE))
    assert place.found() == {"edited": 1, "duplicates": 1}
    assert place.entry().content_html == THREE
    (told,) = place.rows("SELECT revision_id FROM changes WHERE kind = 'edited'")
    assert place.rows("SELECT id, position FROM revisions WHERE newest") == [
        (*told, place.one("SELECT position FROM entries"))
    ]


@pytest.mark.parametrize("total", [200, 3_000])
def test_many_files_with_one_url(place: Place, total: int) -> None:
    """Each has other words; in one batch, or read by worker processes in many."""
    for number in range(total):
        latest = number == total // 3
        place.write(
            f"{number:04}.md",
            seed(body=f"<p>{number}</p>", stated=T0 + (9 if latest else number % 7)),
        )
    assert place.found() == {"added": 1, "duplicates": total - 1}
    assert place.kinds() == ["added"]
    assert (place.entry().revisions, place.entry().content_html) == (total, f"<p>{total // 3}</p>")
    assert place.look().status == "unchanged"


@pytest.mark.parametrize("latest", [0, 251, 599])
def test_many_files_with_one_url_and_few_texts(place: Place, latest: int) -> None:
    for number in range(600):
        stated = T0 + (99 if number == latest else number % 11)
        place.write(f"{number:03}.md", seed(body=(ONE, TWO, THREE)[number % 3], stated=stated))
    assert place.found() == {"added": 1, "duplicates": 599}
    assert place.entry().content_html == (ONE, TWO, THREE)[latest % 3]


def test_3000_files_with_one_text(place: Place) -> None:
    for number in range(3_000):
        place.write(f"{number}.md", seed())
    assert place.found() == {"added": 1, "duplicates": 2_999}
    assert place.entry().revisions == 1


def test_names_that_are_no_text(place: Place) -> None:
    name = os.fsdecode(b"\xb1\xea\xcc\xe2.md")
    place.write(name, seed(body=ONE))
    place.write("a.md", seed("other"))
    assert place.found() == {"added": 2}
    assert place.look().status == "unchanged"
    place.write(name, seed(body=TWO))
    assert place.found() == {"silent_edited": 1}
    place.write("z.md", seed(body=THREE))
    assert place.found() == {"silent_edited": 1}
    assert place.reader.locations(place.entry().id) == [("a", "z.md"), ("a", name)]
    (place.folder / name).write_bytes(b"broken")
    looked = place.look()
    assert [each.where for each in looked.tally.rejected] == [name]
    (place.folder / name).unlink()
    (place.folder / "z.md").unlink()
    assert place.found() == {"removed": 1}


def age(place: Place, html: str) -> None:
    """Make the newest versions those of an earlier normaliser, which left more in."""
    before = f"{html}<script>1</script><div data-selfpromo-app></div>"
    place.run(
        "UPDATE revisions SET normaliser = normaliser - 1, content_html = ?, content_hash = ?, fingerprint = ?"
        " WHERE newest",
        before,
        content_hash("Title", before),
        b"another fingerpr",
    )


def test_what_was_told_is_known_in_todays_words(place: Place) -> None:
    other = place.add("b", place.root / "b").path
    place.write("a.md", seed(body=ONE))
    place.write("a.md", seed(body=TWO), other)
    place.found("a")
    place.found("b")
    place.write("a.md", seed(body=THREE), other)
    assert place.found("b") == {"silent_edited": 1}
    age_of_b = "UPDATE revisions SET normaliser = 0, fingerprint = ? WHERE newest AND source_id = 2"
    place.run(age_of_b, b"another fingerpr")
    place.write("a.md", seed(body=THREE))
    assert place.found("a") == {"duplicates": 1}


def test_many_versions_of_an_earlier_normaliser(place: Place) -> None:
    """Each is packed against the next: they are unpacked once, not once for each."""
    for number in range(400):
        place.write(f"{number:04}.md", seed(body=ONE * 500 + f"<p>{number}</p>", stated=T0 + number))
    place.found()
    place.run("UPDATE revisions SET normaliser = normaliser - 1")
    place.touch(place.folder / "0000.md")
    assert place.found() == {"duplicates": 1}
    place.write("0000.md", seed(body=TWO))
    assert place.found() == {"silent_edited": 1}


def test_our_own_edits_are_nobodys_news(place: Place) -> None:
    """Stored by an earlier normaliser, which left more in; then the file is written again as it was."""
    file = place.write("a.md", seed(body=ONE))
    place.write("b.md", seed("b", body=ONE))
    place.found()
    age(place, ONE)
    place.touch(file)
    assert place.found() == {"duplicates": 1}
    place.write("b.md", seed("b", body=TWO))
    assert place.found() == {"silent_edited": 1}
    assert place.kinds() == ["added", "added", "silent-edit"]


# Several sources


def test_two_sources_on_one_folder(place: Place) -> None:
    place.add("b", place.folder)
    place.write("a.md", seed(body=ONE))
    place.write("z.md", seed("z"))
    assert place.found("a") == {"added": 2}
    assert place.found("b") == {"duplicates": 2}
    place.write("a.md", seed(body=TWO))
    assert place.found("b") == {"silent_edited": 1}
    assert place.found("a") == {"duplicates": 1}
    assert place.history() == [("a", "added"), ("b", "duplicate"), ("b", "silent-edit"), ("a", "duplicate")]
    (place.folder / "a.md").unlink()
    assert place.found("a") == {}
    assert place.entry().removed_ms is None
    assert place.found("b") == {"removed": 1}
    place.write("a.md", seed(body=TWO))
    assert place.found("a") == {"restored": 1}
    assert place.found("b") == {"duplicates": 1}
    assert place.kinds() == ["added", "added", "silent-edit", "removed", "restored"]


def test_two_bodies_are_two_histories_and_no_war(place: Place) -> None:
    other = place.add("b", place.root / "b").path
    place.write("a.md", seed(body=ONE))
    place.write("a.md", seed(body=TWO), other)
    assert (place.found("a"), place.found("b")) == ({"added": 1}, {"duplicates": 1})
    for name in ("a", "b", "a", "b"):
        assert place.look(name).status == "unchanged"
    assert place.entry().content_html == ONE
    assert place.entry(b=1).content_html == TWO
    assert place.entry(b=1, a=2).content_html == ONE
    assert place.entry(a=-1).content_html == TWO
    assert place.entry().sources == ("a", "b")


def test_what_nobody_told_is_told(place: Place) -> None:
    """The second source had the newer words first, which counted as a duplicate: the first one tells them."""
    other = place.add("b", place.root / "b").path
    place.write("a.md", seed(body=ONE))
    place.write("a.md", seed(body=TWO, stated=T0 + MINUTE), other)
    place.found("a")
    place.found("b")
    place.write("a.md", seed(body=TWO, stated=T0 + MINUTE))
    assert place.found("a") == {"edited": 1}


def test_a_revert_is_told_where_another_source_keeps_the_old_words(place: Place) -> None:
    other = place.add("b", place.root / "b").path
    place.write("a.md", seed(body=ONE))
    place.write("a.md", seed(body=ONE), other)
    place.found("a")
    place.found("b")
    place.write("a.md", seed(body=TWO))
    assert place.found("a") == {"silent_edited": 1}
    place.write("a.md", seed(body=ONE))
    assert place.found("a") == {"reverted": 1}


def test_a_removed_entry_that_another_source_brings_back(place: Place) -> None:
    other = place.add("b", place.root / "b").path
    place.write("keep.md", seed("keep"))
    file = place.write("a.md", seed(body=ONE))
    place.found("a")
    place.found("b")
    file.unlink()
    assert place.found("a") == {"removed": 1}
    place.write("a.md", seed(body=ONE), other)
    assert place.found("b") == {"restored": 1}
    assert [row.entries for row in place.reader.sources()] == [2, 1]
