"""The rules of what an entry is, as tables of values."""

from copy import deepcopy
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedd import decide as rules
from feedd.changes.values import Judged
from feedd.decide import (
    EntryState,
    Pass,
    Removals,
    Verdict,
    after,
    in_order,
    is_suspicious,
    tally_field,
    version_of,
    words,
)
from feedd.model import Item, Kind, Significance, Stamp, Tally, Version
from feedd.normalise.article import derive

URL = "https://example.org/a"


def all_substantial(before: Version, item: Item, *, live: bool) -> Judged:
    return Judged(Significance.SUBSTANTIAL, ("text",))


def decide(item: Item, held: Version | None, state: EntryState, look: Pass) -> Verdict:
    return rules.decide(item, held, state, look, all_substantial)


T1, T2, T3 = 1_700_000_000_000, 1_700_000_060_000, 1_700_000_120_000
LOOK = Pass(source_id=1, number=7, first=False, now_ms=T3)
EARLIER = LOOK._replace(number=6)
ONE, TWO, THREE = "<p>One</p>", "<p>Two</p>", "<p>Three</p>"
ONE_IN_OTHER_MARKUP = "<div><b>One</b></div>"
ONE_WITH_A_LINK = '<p><a href="https://example.org/b">One</a></p>'


def item(
    html: str = ONE, at: int | None = T1, location: str = "a.md", title: str = "Title", mtime: int = T1
) -> Item:
    return Item(location, at, mtime, derive(URL, title, html), Stamp(1, 1, 1), settled=True)


def version(
    html: str = ONE, at: int | None = T1, location: str = "a.md", title: str = "Title", look: Pass = EARLIER
) -> Version:
    return version_of(item(html, at, location, title), look, 1)


def state_of(*versions: Version, removed: bool = False, told: bool = False) -> EntryState:
    """An entry of which the source holds these versions, the newest last."""
    hashes = {each.content_hash: number for number, each in enumerate(versions, 1)}
    newest = versions[-1] if versions else None
    return EntryState(known=True, newest=newest, hashes=hashes, removed=removed, told=told)


class Case(NamedTuple):
    kind: Kind | None
    item: Item
    held: Version | None
    state: EntryState
    keeps: bool = True
    newest: bool = True


HELD = version()
CASES = {
    "an entry that nobody held": Case(Kind.ADDED, item(), None, EntryState()),
    "the same content": Case(None, item(), HELD, state_of(HELD), keeps=False, newest=False),
    "a moved time with the same content": Case(
        None, item(at=T2), HELD, state_of(HELD), keeps=False, newest=False
    ),
    "a time that is gone, with the same content": Case(
        None, item(at=None), HELD, state_of(HELD), keeps=False, newest=False
    ),
    "the same content at a new place": Case(
        None, item(location="b.md"), None, state_of(HELD), keeps=False, newest=False
    ),
    "other content under a later time": Case(Kind.EDITED, item(TWO, T2), HELD, state_of(HELD)),
    "other content under an earlier time": Case(Kind.EDITED, item(TWO, T1 - 1), HELD, state_of(HELD)),
    "other content under the same time": Case(Kind.SILENT_EDIT, item(TWO), HELD, state_of(HELD)),
    "another title under the same time": Case(Kind.SILENT_EDIT, item(title="Other"), HELD, state_of(HELD)),
    "another link under the same time": Case(Kind.SILENT_EDIT, item(ONE_WITH_A_LINK), HELD, state_of(HELD)),
    "other content, the time gone": Case(Kind.EDITED, item(TWO, None), HELD, state_of(HELD)),
    "other content, the time new": Case(
        Kind.EDITED, item(TWO), version(at=None), state_of(version(at=None))
    ),
    "other content, never a time": Case(
        Kind.EDITED, item(TWO, None), version(at=None), state_of(version(at=None))
    ),
    "other content at a new place, same time": Case(
        Kind.SILENT_EDIT, item(TWO, location="b.md"), None, state_of(HELD)
    ),
    "other content at a new place whose name sorts first, same time": Case(
        Kind.SILENT_EDIT, item(TWO, location="0.md"), None, state_of(HELD)
    ),
    "other content at a new place, later": Case(
        Kind.EDITED, item(TWO, T2, location="0.md"), None, state_of(HELD)
    ),
    "other content at a new place, never a time": Case(
        Kind.EDITED, item(TWO, None, location="0.md"), None, state_of(version(at=None))
    ),
    "mark-up alone": Case(None, item(ONE_IN_OTHER_MARKUP), HELD, state_of(HELD)),
    "typography alone": Case(None, item(title="“Title”"), version(title='"Title"'), state_of(HELD)),
    "the content of an earlier version": Case(
        Kind.REVERTED, item(ONE, T3), version(TWO), state_of(HELD, version(TWO))
    ),
    "the content of an earlier version, same time": Case(
        Kind.REVERTED, item(ONE), version(TWO), state_of(HELD, version(TWO))
    ),
    "a removed entry with the content it had": Case(
        Kind.RESTORED, item(), None, state_of(HELD, removed=True), keeps=False, newest=False
    ),
    "a removed entry with other content": Case(Kind.RESTORED, item(TWO), None, state_of(HELD, removed=True)),
    "a removed entry in a source that never had it": Case(Kind.RESTORED, item(), None, state_of(removed=True)),
    "what another source had first": Case(None, item(), None, state_of()),
    "what another source had first, in other words": Case(None, item(TWO), None, state_of()),
    "a second place in a pass that told": Case(
        None, item(THREE, T3, "b.md"), None, state_of(HELD, version(TWO, T2, look=LOOK), told=True)
    ),
    "a second place in a pass that told, earlier": Case(
        None, item(THREE, T1, "b.md"), None, state_of(HELD, version(TWO, T2, look=LOOK), told=True),
        newest=False,
    ),
    "a second place in a pass that told, with an earlier version": Case(
        None, item(ONE, T3, "b.md"), None, state_of(HELD, version(TWO, T2, look=LOOK), told=True)
    ),
    "a second place in a pass that restored": Case(
        None, item(TWO, T3, "b.md"), None, state_of(HELD, told=True)
    ),
    "a second place in a pass that found mark-up alone": Case(
        Kind.EDITED, item(TWO, T3, "b.md"), None,
        state_of(HELD, version(ONE_IN_OTHER_MARKUP, T2, look=LOOK)),
    ),
    "the same place once more, after a pass that was cut short": Case(
        Kind.EDITED, item(THREE, T3), version(TWO, T2, look=LOOK),
        state_of(HELD, version(TWO, T2, look=LOOK), told=True),
    ),
    "changed settings": Case(
        None, item(TWO), HELD._replace(comparable=False), state_of(HELD._replace(comparable=False))
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_a_look_decides(case: Case) -> None:
    verdict = decide(case.item, case.held, case.state, LOOK)
    assert verdict[:3] == (case.kind, case.keeps, case.newest)
    assert verdict.because
    assert tally_field(verdict) in Tally._fields


@pytest.mark.parametrize(
    ("html", "title"),
    [(TWO, "Title"), (ONE, "Other"), (ONE_WITH_A_LINK, "Title"), (TWO + ONE_WITH_A_LINK, "Other")],
)
def test_what_differs_is_judged(html: str, title: str) -> None:
    verdict = decide(item(html, title=title), HELD, state_of(HELD), LOOK)
    assert (verdict.significance, verdict.reasons) == (Significance.SUBSTANTIAL, ("text",))
    assert verdict.previous == HELD


@pytest.mark.parametrize("html", ["<p>One.</p>", "<p>one</p>", "<p>On e</p>", "<p>One 1</p>", "<p>-One</p>"])
def test_any_sign_of_the_text_counts(html: str) -> None:
    assert decide(item(html), HELD, state_of(HELD), LOOK).kind is Kind.SILENT_EDIT


def test_mark_up_alone_is_of_no_significance() -> None:
    verdict = decide(item(ONE_IN_OTHER_MARKUP), HELD, state_of(HELD), LOOK)
    assert (verdict.significance, verdict.reasons) == (Significance.NONE, ())


def test_what_another_source_told_is_not_told_again() -> None:
    state = state_of(HELD)
    state.told_elsewhere.add(words(version(TWO)))
    assert decide(item(TWO, T2), HELD, state, LOOK)[:3] == (None, True, True)
    assert decide(item(THREE, T2), HELD, state, LOOK).kind is Kind.EDITED


def test_an_item_is_compared_with_what_its_own_place_held() -> None:
    """Two files hold one URL in two versions: each that stays as it was is a duplicate."""
    first, second = version(ONE, T1, "a.md"), version(TWO, T2, "b.md")
    state = state_of(first, second)
    assert decide(item(ONE, T1, "a.md"), first, state, LOOK).kind is None
    assert not decide(item(ONE, T1, "a.md"), first, state, LOOK).keeps_revision
    silent = decide(item(THREE, T1, "a.md"), first, state, LOOK)
    assert silent.kind is Kind.SILENT_EDIT


@pytest.mark.parametrize(
    ("entries", "of", "suspicious"),
    [(20, 20, False), (21, 21, True), (21, 209, True), (21, 210, False), (0, 0, False), (500, 6000, False)],
)
def test_many_removals_at_once_are_suspicious(entries: int, of: int, *, suspicious: bool) -> None:
    assert is_suspicious(Removals(entries, of)) is suspicious


# What holds for every batch

Q = st.sampled_from
some_items = st.builds(item, Q([ONE, TWO, THREE, ONE_IN_OTHER_MARKUP]), Q([T1, T2, T3]), Q("abcdefgh"))
batches = st.lists(some_items, min_size=1, max_size=8, unique_by=lambda each: each.location)


def play(items: list[Item], state: EntryState, look: Pass) -> list[Verdict]:
    verdicts = []
    for number, each in enumerate(items, 1):
        verdict = decide(each, None, state, look)
        verdicts.append(verdict)
        after(state, each, verdict, look, number)
    return verdicts


@given(batches, st.randoms(use_true_random=False))
def test_the_newest_shown_is_the_latest_then_the_last_by_path(items: list[Item], random: object) -> None:
    shuffled = list(items)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    state = EntryState()
    verdicts = play(in_order(shuffled), state, LOOK)
    last = max(items, key=lambda each: (each.stated_ms or 0, each.location))
    assert state.newest is not None
    assert state.newest.content_hash == last.article.content_hash
    assert [verdict.kind for verdict in verdicts] == [Kind.ADDED] + [None] * (len(items) - 1)
    assert state.hashes.keys() == {each.article.content_hash for each in items}


@given(batches, st.integers(1, 8))
def test_so_it_is_over_several_batches(items: list[Item], size: int) -> None:
    """A folder's files come by path, so many at a time."""
    by_path = sorted(items, key=lambda each: each.location)
    state, verdicts = EntryState(), []
    for start in range(0, len(by_path), size):
        verdicts += play(in_order(by_path[start : start + size]), state, LOOK)
    last = max(items, key=lambda each: (each.stated_ms or 0, each.location))
    assert state.newest is not None
    assert state.newest.content_hash == last.article.content_hash
    assert [verdict.kind for verdict in verdicts].count(None) == len(items) - 1


@given(batches)
def test_one_change_tells_of_all_that_a_pass_found(items: list[Item]) -> None:
    before = version("<p>Zero</p>", T1 - 1, "z.md")
    verdicts = play(in_order(items), state_of(before), LOOK)
    assert [verdict.kind for verdict in verdicts if verdict.kind] == [Kind.EDITED]


@given(batches)
def test_the_second_time_everything_is_a_duplicate(items: list[Item]) -> None:
    state, held = EntryState(), {}
    for each in in_order(items):
        verdict = decide(each, None, state, EARLIER)
        after(state, each, verdict, EARLIER, 1)
        held[each.location] = version_of(each, EARLIER, 1)
    state.told = False
    for each in in_order(items):
        verdict = decide(each, held[each.location], state, LOOK)
        assert (verdict.kind, verdict.keeps_revision) == (None, False)
        after(state, each, verdict, LOOK, 2)


@given(some_items, st.none() | st.just(HELD), Q([EntryState(), state_of(), state_of(HELD)]))
def test_deciding_changes_nothing(each: Item, held: Version | None, state: EntryState) -> None:
    before = deepcopy((each, held, state))
    assert decide(each, held, state, LOOK) == decide(each, held, state, LOOK)
    assert (each, held, state) == before


@given(st.lists(some_items, max_size=8))
def test_order_keeps_every_item(items: list[Item]) -> None:
    assert sorted(map(hash, in_order(items))) == sorted(map(hash, items))


@given(st.lists(some_items, max_size=8), st.integers(1, 8))
def test_items_of_documents_go_by_time_and_files_by_path(items: list[Item], urls: int) -> None:
    apart = [
        each._replace(article=each.article._replace(uid=str(number % urls)))
        for number, each in enumerate(items)
    ]
    documented = in_order([each._replace(stamp=None) for each in apart])
    newest = {each.article.uid: each.time_ms for each in documented}  # the last of each
    assert list(newest.values()) == sorted(newest.values())
    firsts = dict[str, str]()
    for each in in_order(apart):
        firsts[each.article.uid] = min(each.location, firsts.get(each.article.uid, each.location))
    assert list(firsts.values()) == sorted(firsts.values())
    for order in (documented, in_order(apart)):
        uids = [each.article.uid for each in order]
        assert uids == sorted(uids, key=uids.index), "what is of one URL stands together"


def test_items_without_a_time_go_by_that_of_their_files() -> None:
    items = [item(ONE, None, "b.md", mtime=T1), item(TWO, None, "a.md", mtime=T2)]
    state = EntryState()
    play(in_order(items), state, LOOK)
    assert state.newest is not None
    assert state.newest.content_hash == items[1].article.content_hash
