"""The changes of entries that were told, page by page, and of one significance."""

from itertools import islice

from place import Place, seed

from feedd.model import Significance


def test_changes_are_read_page_by_page(place: Place) -> None:
    for number in range(6):
        place.write("a.md", seed(body=f"<p>There were {number} of them.</p>"))
        place.found()
    log = place.reader.change_log
    every = list(log())
    pairs = [(each.old and each.old.number, each.new and each.new.number) for each in every]
    assert pairs == [(5, 6), (4, 5), (3, 4), (2, 3), (1, 2)]
    assert {each.kind for each in every} == {"silent-edit"}
    assert all(each.reasons for each in every)
    first = list(islice(log(), 2))
    assert first + list(log(before=first[-1].id)) == every
    assert list(log(level=Significance.SUBSTANTIAL)) == every
    assert list(log(level=Significance.MINOR)) == []
