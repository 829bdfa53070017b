"""When an article's own page is looked at again, and what its title is then, as tables of values."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedd import recheck
from feedd.recheck import DAY_MS, HOUR_MS, MINUTE_MS, Found, Known, Recheck, Titles

NOW = 1_790_000_000_000


# the schedule


def run(*found: Found) -> list[float | None]:
    """Minutes from one look to the next."""
    state, waits = recheck.begun(Recheck(), None, NOW, first=False, room=True), []
    waits.append(state.at_ms)
    for each in found:
        assert state.at_ms is not None
        state = recheck.after(state.recheck, each, NOW)
        waits.append(state.at_ms)
    return [None if at is None else (at - NOW) / MINUTE_MS for at in waits]


S, E, M, F, R = Found.SAME, Found.EDITED, Found.MISSING, Found.FAILED, Found.RESTING
DAY, WEEK = 24 * 60, 7 * 24 * 60


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        ((S, S, S, S, S), [15, 30, 120, DAY, WEEK, None]),
        ((S, S, E, S), [15, 30, 120, 15, 30]),
        ((S, S, S, S, E), [15, 30, 120, DAY, WEEK, 15]),
        ((M,), [15, 30]),
        ((S, S, S, M), [15, 30, 120, DAY, DAY]),
        ((S, S, S, S, M, S), [15, 30, 120, DAY, WEEK, DAY, None]),
        ((M, S, M, S), [15, 30, 120, DAY, WEEK]),
        ((M, M, M, M), [15, 30, DAY, WEEK, None]),
        ((F, F, F, F, F), [15, 30, 120, DAY, DAY, None]),
        ((F, S, F), [15, 30, 120, DAY]),
        ((R, R, R, S), [15, 15, 15, 15, 30]),
    ],
)
def test_the_schedule(found: tuple[Found, ...], expected: list[float | None]) -> None:
    assert run(*found) == expected


@given(st.lists(st.sampled_from([S, M, F])))
def test_without_edits_it_retires(found: list[Found]) -> None:
    state = recheck.begun(Recheck(), None, NOW, first=False, room=True)
    for count, each in enumerate(found):
        if state.at_ms is None:
            return
        assert NOW < state.at_ms <= NOW + 7 * DAY_MS
        assert count < 30, "a page that answers anything but edits is left alone in the end"
        state = recheck.after(state.recheck, each, NOW)


def test_a_page_that_always_differs_is_left_alone_in_the_end() -> None:
    state, looks = recheck.begun(Recheck(), None, NOW, first=False, room=True), 0
    while state.at_ms is not None:
        state, looks = recheck.after(state.recheck, E, NOW), looks + 1
    assert looks == recheck.MOST_RESTARTS + len(recheck.STEPS_MS)


def test_a_server_is_not_asked_before_it_wants_to_be() -> None:
    assert recheck.after(Recheck(), F, NOW, NOW + 3 * HOUR_MS).at_ms == NOW + 3 * HOUR_MS
    assert recheck.after(Recheck(), R, NOW, NOW + 3 * HOUR_MS).at_ms == NOW + 3 * HOUR_MS
    assert recheck.after(Recheck(), F, NOW, NOW + 1).at_ms == NOW + 30 * MINUTE_MS


@pytest.mark.parametrize(
    ("time_ms", "first", "room", "follows"),
    [
        (NOW - DAY_MS, True, False, True),
        (NOW - 9 * DAY_MS, True, True, False),
        (None, True, True, True),
        (None, True, False, False),
        (NOW - 900 * DAY_MS, False, False, True),
        (None, False, False, True),
    ],
)
def test_what_a_first_pass_brings_is_followed_if_it_is_news(
    time_ms: int | None, first: bool, room: bool, follows: bool
) -> None:
    following = recheck.begun(Recheck(), time_ms, NOW, first=first, room=room)
    assert following.at_ms == (NOW + 15 * MINUTE_MS if follows else None)


@given(
    st.builds(
        Recheck,
        step=st.integers(0, 4),
        misses=st.integers(0, 9),
        titles=st.builds(Titles, st.text(), st.text()),
        modified_ms=st.none() | st.integers(),
        stated=st.lists(st.text()).map(tuple),
        etag=st.none() | st.text(),
        entry=st.none() | st.integers(),
    )
)
def test_what_is_remembered_is_read_as_it_was_written(state: Recheck) -> None:
    assert recheck.loaded(recheck.dumped(state)) == state


def test_what_a_later_feedd_remembers_is_left_out() -> None:
    assert recheck.loaded('{"step":2,"more":[1]}') == Recheck(step=2)
    assert recheck.loaded(None) == Recheck()


# the title


@pytest.mark.parametrize(
    ("held", "stated", "headline", "then"),
    [
        # document before, now; page before, now
        ("A", ("A", "A"), ("a page", "a page"), "A"),
        ("A", ("A", "B"), ("a page", "a page"), "B"),
        ("A", ("A", "A"), ("a page", "another"), "another"),
        ("another", ("A", "A"), ("another", "another"), "another"),
        ("another", ("A", "B"), ("another", "another"), "B"),
        ("A", ("A", "B"), ("a page", "another"), "B"),
        ("A", ("A", ""), ("a page", "a page"), "A"),
        ("A", ("A", "A"), ("a page", ""), "A"),
        ("A", ("A", "A"), ("", "a page"), "A"),
        ("a page", ("", ""), ("a page", "another"), "another"),
        ("a page", ("", "A"), ("a page", "a page"), "A"),
        ("“A”", ("“A”", '"A"'), ("x", "x"), '"A"'),
        ("another", ("“A”", '"A"'), ("another", "another"), "another"),
        ("A", ("A", "A"), ("“a” page", '"a" page'), "A"),
        ("A", ("A", "A"), ("A | Site", "B | Site"), "B"),
        ("A", ("A", "A"), ("Site: A", "Site: B"), "B"),
        ("A", ("A", "A"), ("A | Site", "B | Another"), "B | Another"),
        ("A", ("A", "A"), ("A | Site", " | Site"), " | Site"),
        ("aa", ("aa", "aa"), ("xaay", "xy"), "xy"),
    ],
)
def test_the_title_that_changed_last_counts(
    held: str, stated: tuple[str, str], headline: tuple[str, str], then: str
) -> None:
    before, now = zip(stated, headline, strict=True)
    assert recheck.title_of(held, Titles(*before), Titles(*now)) == then


@given(st.text(), st.text(), st.text())
def test_what_did_not_change_is_no_edit(held: str, stated: str, headline: str) -> None:
    titles = Titles(stated, headline)
    assert recheck.title_of(held, titles, titles) == held


@given(st.text(), st.builds(Titles, st.text(), st.text()), st.builds(Titles, st.text(), st.text()))
def test_a_title_is_one_that_somebody_stated(held: str, before: Titles, now: Titles) -> None:
    then = recheck.title_of(held, before, now)
    assert then in {held, now.stated} or (then and then in now.headline)


@pytest.mark.parametrize(
    ("before", "now", "then"), [(None, None, 5), (7, None, 5), (7, 7, 5), (7, 8, 8), (None, 8, 8)]
)
def test_the_stated_time_moves_with_the_page(before: int | None, now: int | None, then: int) -> None:
    known = Known("l", "u", "https://example.org/", "A", None, 5, None, Recheck(modified_ms=before))
    assert recheck.stated_time(known, now) == then
