"""What readers find: entries in order, the version that is shown, histories."""

import threading

from place import T0, Place, seed

MINUTE = 60_000


def names(place: Place, *sources: str, removed: bool = False) -> list[str]:
    """The ends of the URLs of a feed's entries, in its order."""
    ids = None
    if sources:
        ids = [row.id for row in place.reader.sources() if row.name in sources]
    entries = place.reader.entries(place.reader.entry_ids(ids, removed=removed), {})
    return [entry.url.rpartition("/")[2] for entry in entries]


def test_the_first_pass_goes_by_publication_and_then_changes_by_arrival(place: Place) -> None:
    place.write("1.md", seed("old", stated=T0))
    place.write("2.md", seed("new", stated=T0 + 2 * MINUTE))
    place.write("3.md", seed("middle", stated=T0 + MINUTE))
    place.found()
    assert names(place) == names(place, "a") == ["new", "middle", "old"]
    place.write("4.md", seed("ancient, but found now", stated=T0 - MINUTE))
    place.found()
    assert names(place)[0] == names(place, "a")[0] == "ancient,%20but%20found%20now"
    place.write("1.md", seed("old", body="<p>Other</p>"))
    place.found()
    assert names(place)[0] == names(place, "a")[0] == "old"


def test_what_is_removed_leaves_the_feeds(place: Place) -> None:
    place.write("a.md", seed("a"))
    place.write("b.md", seed("b")).unlink()
    place.write("b.md", seed("b"))
    place.found()
    (place.folder / "b.md").unlink()
    place.found()
    assert names(place) == names(place, "a") == ["a"]
    assert sorted(names(place, removed=True)) == sorted(names(place, "a", removed=True)) == ["a", "b"]
    assert place.reader.sources()[0].entries == 1


def test_several_sources_make_one_feed(place: Place) -> None:
    other = place.add("b", place.root / "b").path
    place.write("1.md", seed("both", stated=T0))
    place.write("2.md", seed("a", stated=T0 + 2 * MINUTE))
    place.write("1.md", seed("both", stated=T0), other)
    place.write("2.md", seed("b", stated=T0 + MINUTE), other)
    place.found("a")
    place.found("b")
    assert names(place) == names(place, "a", "b") == ["a", "b", "both"]
    assert names(place, "b") == ["b", "both"]
    assert place.entry("both").sources == ("a", "b")


def test_the_version_shown(place: Place) -> None:
    """That of the source with the highest priority, then of the one that had it first."""
    for name in ("b", "c"):
        place.add(name, place.root / name)
        place.write("1.md", seed(title=f"of {name}"), place.root / name)
    place.write("1.md", seed(title="of a"))
    for name in ("c", "a", "b"):
        place.found(name)
    assert place.entry().title == "of c"
    assert place.entry(a=1).title == "of a"
    assert place.entry(a=1, b=1).title == "of a"
    assert place.entry(c=-1).title == "of a"
    assert place.entry(b=5, a=1).title == "of b"
    (within,) = place.reader.entries([1], {"c": 9}, within=["b"])
    assert (within.title, within.source, within.sources) == ("of b", "b", ("a", "b", "c"))
    assert place.reader.entries([1], {}, within=["nobody"]) == []


def test_entries_come_in_the_order_asked_for(place: Place) -> None:
    for number in range(300):
        place.write(f"{number}.md", seed(str(number)))
    place.found()
    ids = list(range(300, 0, -1))
    assert [entry.id for entry in place.reader.entries([*ids, 999], {})] == ids


def test_a_history_in_order_of_arrival(place: Place) -> None:
    for number, body in enumerate(("<p>One</p>", "<p>Two</p>", "<p>Three</p>")):
        place.write("a.md", seed(body=body, stated=T0 + number))
        place.found()
    history = place.reader.history(place.entry().id)
    assert [each.number for each in history] == [1, 2, 3]
    assert [each.stated_ms for each in history] == [T0, T0 + 1, T0 + 2]
    assert history[1].reasons == ("number One → Two",)
    assert [place.reader.revision_html(each.revision_id) for each in history] == [
        "<p>One</p>", "<p>Two</p>", "<p>Three</p>",
    ]  # fmt: skip
    assert place.reader.last_change(place.entry().id) == ("edited", place.one("SELECT max(at) FROM changes"))


def test_an_entry_is_found_by_number_and_uid(place: Place) -> None:
    place.write("a.md", seed())
    place.found()
    entry = place.entry()
    assert place.reader.entry_id(number=entry.id) == place.reader.entry_id(uid=entry.uid) == entry.id
    assert place.reader.entry_id(number=99) is None
    assert place.reader.entry_id(uid="no") is None


def test_a_number_tells_that_something_was_written(place: Place) -> None:
    before = place.reader.data_version()
    assert place.reader.data_version() == before
    place.write("a.md", seed())
    place.found()
    assert place.reader.data_version() != before


def test_every_thread_may_read(place: Place) -> None:
    place.write("a.md", seed())
    place.found()
    found: list[str] = []

    def read() -> None:
        found.append(place.entry().title)
        place.reader.close()

    threads = [threading.Thread(target=read) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["Title"] * 4


def test_touched_grows_with_what_a_feed_shows_alone(place: Place) -> None:
    def touched() -> int:
        return place.reader.sources()[0].touched

    place.write("keep.md", seed("keep"))
    file = place.write("a.md", seed())
    seen = [touched()]
    place.found()
    seen.append(touched())
    for change in ({"body": "<p>Other</p>"}, {"body": "<div>Other</div>"}, {"title": "Other"}):
        place.write("a.md", seed(**change))
        place.found()
        seen.append(touched())
    file.unlink()
    place.found()
    seen.append(touched())
    assert seen == sorted(set(seen))
    place.look()
    place.write("keep.md", seed("keep", stated=T0 + MINUTE))
    place.found()
    assert touched() == seen[-1]


def test_a_failure_is_kept_with_the_source(place: Place) -> None:
    place.folder.rmdir()
    looked = place.look()
    (row,) = place.reader.sources()
    assert (row.failures, row.error) == (1, looked.error)
    assert row.last_checked_ms is not None
    assert row.next_check_ms == looked.next_check_ms
