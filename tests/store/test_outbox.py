"""The outbox over real passes and a real database."""

from collections.abc import Callable
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from place import T0, Place, seed

from feedd.looks import key_of
from feedd.notify.pace import GIVE_UP_MS, HOUR_MS, Pace, Quiet
from feedd.notify.rounds import Busy, Round, planned
from feedd.notify.values import Delivered, Failed
from feedd.store import attempts, channels, deliveries, outbox
from feedd.store.attempts import Sent
from feedd.store.channels import Addressee
from feedd.store.deliveries import Chosen, Delivery
from feedd.store.known import StoredKnown
from feedd.store.log import Logged

NOW = 1_800_000_000_000
DAY = 86_400_000
AT_ONCE = Pace()


def everything(_: Logged, __: StoredKnown) -> bool:
    return True


class Box:
    """A folder that is looked at, and channels that are told."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.writer = place.desk

    def configure(self, *names: str, now: int = 0, **settings: Any) -> list[tuple[str, int]]:
        """Channels of these names; returns those that were there, with what was cancelled."""
        keys = [key_of(source) for source in self.place.sources.values()]
        wants = settings.pop("wants", everything)
        hashed = settings.pop("settings", "s")
        told = [Addressee(name, "webhook", "example.org", hashed, wants, **settings) for name in names]
        return list(self.writer.run(lambda writer: writer.configure(keys, [], now, told)))

    def rows(self, **chosen: Any) -> list[Delivery]:
        """Oldest first."""
        return deliveries.listed(self.place.reader.connection, Chosen(**chosen))[::-1]

    def id_of(self, name: str) -> int:
        return channels.states(self.place.reader.connection)[name].id

    def write(self, name: str, body: str, stated: int) -> None:
        self.place.write(f"{name}.md", seed(name, body=f"<p>{body}</p>", stated=stated))
        self.place.look()

    def edit(self, name: str, times: int, start: int = 1) -> None:
        for number in range(start, start + times):
            self.write(name, f"The number of people who came was {number * 7919}.", T0 + number * 1000)

    def round(
        self,
        name: str,
        now: int,
        pace: Pace = AT_ONCE,
        at_once: int = 10,
        busy: tuple[int, ...] = (),
        *,
        gathers: bool = True,
    ) -> Round:
        connection = self.place.reader.connection
        state = channels.states(connection)[name]
        return planned(connection, state, pace, at_once, Busy({}, busy), now, gathers=gathers)

    def note(self, *outcomes: tuple[int, str, Delivered | Failed], at: int) -> None:
        """What came of attempts, while feedd goes on running from when it was heard of last."""
        sent = [Sent(number, self.id_of(name), outcome, at) for number, name, outcome in outcomes]
        ((last,),) = self.place.rows(
            "SELECT coalesce(max(value), ?) FROM meta WHERE key = 'delivering_at'", at
        )
        for beat in range(int(last), at, 600_000):
            self.within(partial(attempts.beat, now_ms=beat))
        self.writer.run(lambda writer: writer.within(lambda connection: attempts.record(connection, sent)))

    def within(self, work: Callable[[Any], Any]) -> Any:
        return self.writer.run(lambda writer: writer.within(work))


@pytest.fixture
def box(place: Place) -> Box:
    return Box(place)


@pytest.fixture
def told(box: Box) -> Box:
    """One channel, and an entry that was edited three times since."""
    box.configure("desk")
    box.write("a", "The first text of it.", T0)
    box.edit("a", 3)
    return box


def test_a_change_is_queued_in_the_transaction_that_logs_it(told: Box) -> None:
    rows = told.rows()
    assert [row.type for row in rows] == ["entry.edited"] * 3
    assert [row.change_id for row in rows] == sorted(
        row[0] for row in told.place.rows("SELECT id FROM changes WHERE NOT silent")
    )
    assert {row.status for row in rows} == {"pending"}


def test_a_first_pass_tells_nobody(box: Box) -> None:
    box.configure("desk", "other")
    for number in range(50):
        box.place.write(f"{number}.md", seed(str(number)))
    box.place.look()
    assert box.place.one("SELECT count(*) FROM changes") == 50
    assert box.rows() == []


def test_a_source_that_re_dates_everything_tells_nobody(box: Box) -> None:
    box.configure("desk")
    for stated in (T0, T0 + 5_000, T0 + 9_000):
        for number in range(20):
            box.place.write(f"{number}.md", seed(str(number), stated=stated))
        box.place.look()
    assert box.rows() == []


def test_a_new_channel_is_told_nothing_of_the_past(told: Box) -> None:
    told.configure("desk", "late")
    assert {row.channel for row in told.rows()} == {"desk"}
    told.edit("a", 1, start=9)
    assert [row.channel for row in told.rows()[3:]] == ["desk", "late"]


def test_a_new_channel_is_told_of_the_past_that_it_asks_for(told: Box) -> None:
    told.configure("desk", "late", now=NOW, since_ms=0)
    assert [row.channel for row in told.rows()[3:]] == ["late"] * 3
    told.configure("desk", "late", now=NOW, since_ms=0)  # it is not new any more
    assert len(told.rows()) == 6


def test_what_waits_for_a_channel_that_is_taken_out_is_cancelled_and_said(told: Box) -> None:
    told.note((told.rows()[0].id, "desk", Delivered("")), at=NOW)
    assert told.configure("other", now=NOW) == [("desk", 2)]
    assert [row.status for row in told.rows()] == ["delivered", "cancelled", "cancelled"]
    assert "taken out" in (told.rows()[1].error or "")
    told.configure("desk", now=NOW)  # it comes back as a new one
    told.edit("a", 1, start=9)
    assert [row.status for row in told.rows()] == ["delivered", "cancelled", "cancelled", "pending"]


def test_changes_of_one_entry_go_one_after_the_other(told: Box) -> None:
    told.write("b", "Another one.", T0)
    first, second, third, other = told.rows()
    assert [head.id for head in told.round("desk", NOW).heads] == [first.id, other.id]
    told.note((first.id, "desk", Failed("no")), at=NOW)
    assert [head.id for head in told.round("desk", NOW).heads] == [other.id]
    told.note((first.id, "desk", Delivered("")), at=NOW)
    assert [head.id for head in told.round("desk", NOW).heads] == [second.id, other.id]
    assert [head.id for head in told.round("desk", NOW, busy=(second.id,)).heads] == [other.id]
    assert told.round("desk", NOW, at_once=1).heads[0].id == second.id
    assert third.id not in [head.id for head in told.round("desk", NOW).heads]


def test_a_failure_is_tried_again_later_and_given_up_after_three_days(told: Box) -> None:
    first = told.rows()[0]
    at = NOW
    waits = []
    while told.rows()[0].status == "pending":
        told.note((first.id, "desk", Failed("500 Internal Server Error")), at=at)
        row = told.rows()[0]
        if row.next_attempt_ms is not None:
            waits.append(row.next_attempt_ms - at)
            at = row.next_attempt_ms
    assert waits[0] <= 5_000
    assert all(later > 1.5 * earlier for earlier, later in pairwise(waits[:8]))
    assert at == NOW + GIVE_UP_MS
    row = told.rows()[0]
    assert (row.status, row.attempts, row.error) == ("failed", len(waits) + 1, "500 Internal Server Error")
    # what waited behind it for as long has failed, too
    assert [each.status for each in told.rows()] == ["failed"] * 3
    assert "undelivered" in [incident.kind for incident in told.place.reader.incidents(10)]


def test_retry_after_is_honoured(told: Box) -> None:
    first = told.rows()[0]
    told.note((first.id, "desk", Failed("busy", retry_after_ms=NOW + HOUR_MS)), at=NOW)
    assert told.rows()[0].next_attempt_ms == NOW + HOUR_MS
    told.note((first.id, "desk", Failed("busy", retry_after_ms=NOW + 30 * DAY)), at=NOW)
    assert told.rows()[0].next_attempt_ms == NOW + GIVE_UP_MS  # a last try
    assert told.round("desk", NOW).again_ms is not None
    told.note((first.id, "desk", Failed("busy", retry_after_ms=NOW + HOUR_MS, rests=True)), at=NOW)
    assert told.round("desk", NOW + HOUR_MS - 1) == Round(again_ms=NOW + HOUR_MS)


def test_a_receiver_that_fails_again_and_again_is_asked_now_and_then_and_gets_all_when_it_is_back(
    box: Box,
) -> None:
    box.configure("desk")
    box.place.look()
    for number in range(8):
        box.place.write(f"{number}.md", seed(str(number)))
    box.place.look()
    rows = box.rows()
    assert len(box.round("desk", NOW).heads) == 8
    for row in rows[:6]:
        box.note((row.id, "desk", Failed("down")), at=NOW)
    resting = box.round("desk", NOW)
    assert resting.heads == ()
    later = resting.again_ms or 0
    assert later > NOW
    (probe,) = box.round("desk", later).heads
    box.note((probe.id, "desk", Delivered("")), at=later)
    assert len(box.round("desk", later).heads) == 7


def test_one_channel_does_not_wait_for_another(box: Box) -> None:
    box.configure("desk", "other")
    box.place.look()
    box.write("a", "It begins.", T0)
    for row in box.rows(channel="desk"):
        for _ in range(9):
            box.note((row.id, "desk", Failed("down")), at=NOW)
    assert box.round("desk", NOW).heads == ()
    assert len(box.round("other", NOW).heads) == 1


def test_gone_disables_the_channel_until_it_is_changed_or_tried_again(told: Box) -> None:
    first = told.rows()[0]
    told.note((first.id, "desk", Failed("410 Gone", gone=True)), at=NOW)
    told.edit("a", 1, start=9)
    assert [row.status for row in told.rows()] == ["cancelled"] * 4
    assert told.round("desk", NOW).heads == ()
    assert "disabled" in [incident.kind for incident in told.place.reader.incidents(10)]
    told.configure("desk", settings="another address", now=NOW)
    told.edit("a", 1, start=10)
    assert told.rows()[-1].status == "pending"
    closed = [each.closed_ms for each in told.place.reader.incidents(10) if each.kind == "disabled"]
    assert closed == [NOW]
    ids = [row.id for row in told.rows()]
    assert told.within(lambda connection: attempts.again(connection, ids, NOW)) == 5
    assert len(told.round("desk", NOW).heads) == 1


def test_a_digest_holds_what_is_due_and_one_is_under_way_at_a_time(told: Box) -> None:
    pace = Pace(gather_ms=HOUR_MS)
    told.configure("desk", pace=pace)
    assert told.round("desk", NOW, pace) == Round((), 0, None)
    assert told.within(lambda connection: outbox.gather(connection, told.id_of("desk"), NOW))
    whole = told.rows()[-1]
    assert (whole.type, whole.change_id) == ("digest", None)
    assert [head.id for head in told.round("desk", NOW, pace).heads] == [whole.id]
    told.edit("a", 2, start=20)
    fresh = [row for row in told.rows() if row.id > whole.id]
    assert len({row.next_attempt_ms for row in fresh}) == 1
    later = NOW + 2 * DAY
    assert not told.within(lambda connection: outbox.gather(connection, told.id_of("desk"), later))
    told.note((whole.id, "desk", Failed("down")), at=NOW)
    assert {row.error for row in told.rows()[:3]} == {"down"}
    told.note((whole.id, "desk", Delivered("")), at=NOW)
    assert [row.status for row in told.rows()] == ["delivered"] * 4 + ["pending"] * 2
    assert told.within(lambda connection: outbox.gather(connection, told.id_of("desk"), later))


def test_what_is_over_in_an_hour_goes_into_one_summary(box: Box) -> None:
    pace = Pace(max_per_hour=5)
    box.configure("desk", pace=pace)
    box.place.look()
    for number in range(30):
        box.place.write(f"{number:02}.md", seed(f"{number:02}"))
    box.place.look()
    assert box.round("desk", NOW, pace) == Round((), 4, None)
    box.within(lambda connection: outbox.gather(connection, box.id_of("desk"), NOW, first=4))
    heads = box.round("desk", NOW, pace).heads
    assert [head.type for head in heads] == ["entry.added"] * 4 + ["digest"]
    assert len(deliveries.members(box.place.reader.connection, heads[-1].id)) == 26
    for head in heads:
        box.note((head.id, "desk", Delivered("")), at=NOW)
    box.place.write("x.md", seed("x"))
    box.place.look()
    assert box.round("desk", NOW + 1, pace) == Round(again_ms=NOW + HOUR_MS)
    assert len(box.round("desk", NOW + HOUR_MS, pace).heads) == 1


def test_quiet_hours_hold_and_drop_nothing(told: Box) -> None:
    pace = Pace(Quiet(0, 12 * 60), "UTC")
    midnight = NOW - NOW % DAY
    assert told.round("desk", midnight + HOUR_MS, pace) == Round(again_ms=midnight + 12 * HOUR_MS)
    assert len(told.round("desk", midnight + 12 * HOUR_MS, pace).heads) == 1


def test_two_edits_in_one_pass_are_told_as_the_change_that_they_come_to(tmp_path: Path) -> None:
    """Two files of one address come in one pass; batches may part them."""
    place = Place(tmp_path)
    box = Box(place)
    box.configure("desk")
    box.write("a", "The first text of it.", T0)
    for number in (1, 2, 3):
        place.write(
            f"later{number}.md",
            seed("a", body=f"<p>The text is number {number * 7919}.</p>", stated=T0 + number),
        )
    place.look()
    (row,) = box.rows()
    assert place.one(
        "SELECT n.number FROM changes c JOIN revisions n ON n.id = c.revision_id WHERE c.id = ?",
        row.change_id,
    )
    place.close()


def test_what_was_done_long_ago_is_forgotten(told: Box) -> None:
    told.note((told.rows()[0].id, "desk", Delivered("")), at=NOW)
    assert told.within(lambda connection: attempts.drop_done(connection, NOW)) == 0
    assert told.within(lambda connection: attempts.drop_done(connection, NOW + 1)) == 1
    assert [row.status for row in told.rows()] == ["pending"] * 2


def test_cancelling(told: Box) -> None:
    first, second, _ = told.rows()
    cancel = lambda connection: attempts.cancel(connection, [first.id, second.id], "no need", NOW)  # noqa: E731
    assert told.within(cancel) == 2
    assert [row.status for row in told.rows()] == ["cancelled", "cancelled", "pending"]
    told.note((first.id, "desk", Delivered("it was on its way")), at=NOW)
    assert told.rows()[0].status == "delivered"


def test_max_per_hour_goes_on_where_one_entrys_changes_wait_behind_a_failure(box: Box) -> None:
    pace = Pace(max_per_hour=1)
    box.configure("desk", pace=pace)
    box.write("a", "The first text of it.", T0)
    box.edit("a", 3)
    first = box.rows()[0]
    box.note((first.id, "desk", Failed("down")), at=NOW)
    later = NOW + 10_000
    assert not box.within(lambda connection: outbox.gather(connection, box.id_of("desk"), later))
    assert [head.id for head in box.round("desk", later, pace).heads] == [first.id]
    assert box.round("desk", NOW, pace).again_ms is not None


def test_a_summary_never_overtakes_what_it_follows(box: Box) -> None:
    pace = Pace(max_per_hour=2)
    box.configure("desk", pace=pace)
    box.place.look()
    box.write("a", "The first text of it.", T0)
    box.edit("a", 4)
    first = box.rows()[0]
    round_ = box.round("desk", NOW, pace)
    assert round_.gather_after == 1
    assert not box.within(lambda connection: outbox.gather(connection, box.id_of("desk"), NOW, first=1))
    assert [head.id for head in box.round("desk", NOW, pace, gathers=False).heads] == [first.id]
    box.note((first.id, "desk", Failed("down")), at=NOW)
    assert box.round("desk", NOW, pace, gathers=False).heads == ()


def test_a_digest_takes_no_change_before_which_another_one_waits(told: Box) -> None:
    first = told.rows()[0]
    told.place.run("UPDATE deliveries SET next_attempt = ? WHERE id = ?", NOW + DAY, first.id)
    assert not told.within(lambda connection: outbox.gather(connection, told.id_of("desk"), NOW))
    assert told.within(lambda connection: outbox.gather(connection, told.id_of("desk"), NOW + DAY))


def test_a_digest_counts_as_one_of_max_per_hour(told: Box) -> None:
    pace = Pace(gather_ms=60_000, max_per_hour=1)
    told.within(lambda connection: outbox.gather(connection, told.id_of("desk"), NOW))
    whole = told.rows()[-1]
    told.note((whole.id, "desk", Delivered("")), at=NOW)
    told.edit("a", 1, start=9)
    assert told.round("desk", NOW + 1, pace) == Round(again_ms=NOW + HOUR_MS)
    assert told.round("desk", NOW + HOUR_MS, pace).gather_after == 0


def test_time_in_which_feedd_did_not_run_is_not_held_against_a_receiver(told: Box) -> None:
    first = told.rows()[0]
    told.within(lambda connection: attempts.beat(connection, NOW))
    told.note((first.id, "desk", Failed("down")), at=NOW)
    back = NOW + 4 * DAY
    told.within(lambda connection: attempts.beat(connection, back))
    told.note((first.id, "desk", Failed("no network yet")), at=back)
    assert [row.status for row in told.rows()] == ["pending"] * 3
    for minutes in range(0, 4 * 24 * 60, 10):  # it runs now
        told.within(partial(attempts.beat, now_ms=back + minutes * 60_000))
    told.note((first.id, "desk", Failed("down")), at=back + 4 * DAY)
    assert [row.status for row in told.rows()] == ["failed"] * 3


def test_a_clock_that_was_ahead_holds_up_nothing(told: Box) -> None:
    ahead, pace = NOW + 400 * DAY, Pace(max_per_hour=1)
    told.within(lambda connection: attempts.beat(connection, ahead))
    first, second, _ = told.rows()
    told.note((first.id, "desk", Delivered("")), at=ahead)
    for _ in range(6):
        told.note((second.id, "desk", Failed("down")), at=ahead)
    told.within(lambda connection: attempts.beat(connection, NOW))
    assert told.round("desk", NOW, pace).again_ms == NOW + HOUR_MS
    assert [head.id for head in told.round("desk", NOW + HOUR_MS, pace).heads] == [second.id]


def test_one_bad_message_is_not_tried_again_at_each_good_one(box: Box) -> None:
    box.configure("desk")
    box.place.look()
    for number in range(4):
        box.place.write(f"{number}.md", seed(str(number)))
    box.place.look()
    bad, *good = box.rows()
    box.note((bad.id, "desk", Failed("500")), at=NOW)
    due = box.rows()[0].next_attempt_ms
    for row in good:
        box.note((row.id, "desk", Delivered("")), at=NOW)
    assert box.rows()[0].next_attempt_ms == due


def test_retry_after_outlasts_that_a_receiver_is_back(box: Box) -> None:
    box.configure("desk")
    box.place.look()
    for number in range(7):
        box.place.write(f"{number}.md", seed(str(number)))
    box.place.look()
    first, *others, last = box.rows()
    box.note((first.id, "desk", Failed("429", retry_after_ms=NOW + HOUR_MS)), at=NOW)
    for row in others:
        box.note((row.id, "desk", Failed("500")), at=NOW)
    box.note((last.id, "desk", Delivered("")), at=NOW)
    assert [row.next_attempt_ms for row in box.rows()] == [NOW + HOUR_MS, *[NOW] * 5, None]


def test_a_channel_that_comes_back_is_told_of_the_past_what_it_was_not_told(told: Box) -> None:
    told.note((told.rows()[0].id, "desk", Delivered("")), at=NOW)
    told.configure("other", now=NOW)
    told.configure("desk", now=NOW, since_ms=0)
    fresh = [row for row in told.rows(channel="desk") if row.status == "pending"]
    assert len(fresh) == 2


def test_retrying_a_digest_that_failed(told: Box) -> None:
    told.within(lambda connection: outbox.gather(connection, told.id_of("desk"), NOW))
    whole = told.rows()[-1]
    told.note((whole.id, "desk", Failed("down")), at=NOW)
    told.note((whole.id, "desk", Failed("down")), at=NOW + GIVE_UP_MS)
    assert {row.status for row in told.rows()} == {"failed"}
    assert told.within(lambda connection: attempts.again(connection, [whole.id], NOW)) == 3
    assert [row.status for row in told.rows()] == ["pending"] * 3 + ["failed"]


def test_what_was_cancelled_is_not_delivered_with_the_rest(told: Box) -> None:
    told.within(lambda connection: outbox.gather(connection, told.id_of("desk"), NOW))
    first, *_, whole = told.rows()
    told.within(lambda connection: attempts.cancel(connection, [first.id], "no need", NOW))
    told.note((whole.id, "desk", Delivered("")), at=NOW)
    assert [row.status for row in told.rows()] == ["cancelled", "delivered", "delivered", "delivered"]


def test_trouble_is_told_once_whatever_number_a_receiver_gives_it(told: Box) -> None:
    first = told.rows()[0]
    for hour in range(30):
        why = f"500; it says: request 4f{hour:x}c9-{hour * 7919} failed"
        told.note((first.id, "desk", Failed(why)), at=NOW + hour * HOUR_MS)
    (trouble,) = [each for each in told.place.reader.incidents(10) if each.kind == "undelivered"]
    assert trouble.changed_ms == trouble.opened_ms
    told.within(lambda connection: attempts.cancel(connection, [first.id], "no need", NOW + 31 * HOUR_MS))
    (trouble,) = [each for each in told.place.reader.incidents(10) if each.kind == "undelivered"]
    assert trouble.closed_ms == NOW + 31 * HOUR_MS


def test_two_attempts_with_a_quiet_night_between_are_no_trouble_and_a_long_rest_is(told: Box) -> None:
    first = told.rows()[0]
    told.note((first.id, "desk", Failed("down")), at=NOW)
    told.note((first.id, "desk", Failed("down")), at=NOW + 9 * HOUR_MS)
    told.within(lambda connection: attempts.beat(connection, NOW + 9 * HOUR_MS))
    assert "undelivered" not in [each.kind for each in told.place.reader.incidents(10)]
    rests = Failed("429", retry_after_ms=NOW + 30 * HOUR_MS, rests=True)
    told.note((first.id, "desk", rests), at=NOW + 9 * HOUR_MS)
    told.within(lambda connection: attempts.beat(connection, NOW + 9 * HOUR_MS))
    assert "undelivered" in [each.kind for each in told.place.reader.incidents(10)]


def test_what_follows_in_the_same_entry_waits_for_what_is_being_sent(told: Box) -> None:
    """The row of a change that is retold goes while it is being sent."""
    first, second, _ = told.rows()
    told.place.run("DELETE FROM deliveries WHERE id = ?", first.id)
    connection = told.place.reader.connection
    state = channels.states(connection)["desk"]
    sending = Busy({first.id: 1}, ())
    assert planned(connection, state, AT_ONCE, 10, sending, NOW).heads == ()
    assert planned(connection, state, AT_ONCE, 10, Busy(), NOW).heads[0].id == second.id


def test_what_fails_together_fails_once(box: Box) -> None:
    """A receiver that restarts for a second is not left alone for a quarter of an hour."""
    box.configure("desk")
    box.place.look()
    for number in range(64):
        box.place.write(f"{number:02}.md", seed(f"{number:02}"))
    box.place.look()
    for place, row in enumerate(box.rows()):
        box.note((row.id, "desk", Failed("down")), at=NOW + place * 10)
    assert (box.round("desk", NOW + 1_000).again_ms or 0) <= NOW + 16_000
    later = NOW + 16_000
    (probe,) = box.round("desk", later).heads
    box.note((probe.id, "desk", Failed("down")), at=later)
    assert 20_000 <= (box.round("desk", later).again_ms or 0) - later <= 30_000


def test_what_may_have_been_sent_alone_is_in_no_summary(box: Box) -> None:
    """After a restart nobody knows whether it arrived: it is told again under its own id."""
    pace = Pace(max_per_hour=2)
    box.configure("desk", pace=pace)
    box.place.look()
    for number in range(6):
        box.place.write(f"{number}.md", seed(str(number)))
    box.place.look()
    first, *others = box.rows()
    box.within(lambda connection: attempts.begin(connection, [first.id], NOW))
    assert box.round("desk", NOW, pace).gather_after == 1
    box.within(lambda connection: outbox.gather(connection, box.id_of("desk"), NOW, first=1))
    heads = box.round("desk", NOW, pace).heads
    assert first.id in [head.id for head in heads]
    whole = box.rows()[-1]
    told = deliveries.members(box.place.reader.connection, whole.id)
    assert told == [row.change_id for row in others[1:]]


def test_a_receiver_that_asks_to_be_left_alone_is_whatever_else_it_took(box: Box) -> None:
    box.configure("desk")
    box.place.look()
    for number in range(4):
        box.place.write(f"{number}.md", seed(str(number)))
    box.place.look()
    first, second, third, _ = box.rows()
    box.note((first.id, "desk", Failed("429", retry_after_ms=NOW + HOUR_MS, rests=True)), at=NOW)
    box.note((second.id, "desk", Delivered("")), at=NOW)
    box.within(lambda connection: attempts.cancel(connection, [first.id, third.id], "no need", NOW))
    assert box.round("desk", NOW + 1) == Round(again_ms=NOW + HOUR_MS)
    assert len(box.round("desk", NOW + HOUR_MS).heads) == 1


def test_what_was_never_tried_does_not_fail_for_time_in_which_feedd_was_off(told: Box) -> None:
    first, *_ = told.rows()
    for hour in range(0, 64, 9):
        told.note((first.id, "desk", Failed("down")), at=NOW + hour * HOUR_MS)
    told.place.write("b.md", seed("b"))
    told.place.look()
    late = told.rows()[-1]
    told.place.run("UPDATE deliveries SET next_attempt = ? WHERE id = ?", NOW + 62 * HOUR_MS, late.id)
    back = NOW + 63 * HOUR_MS + 4 * DAY
    told.within(lambda connection: attempts.beat(connection, back))
    told.note((first.id, "desk", Failed("down")), at=back + 9 * HOUR_MS)
    assert [row.status for row in told.rows()] == ["failed", "failed", "failed", "pending"]


def test_the_first_failure_after_a_sleep_is_not_the_last(told: Box) -> None:
    first, *_ = told.rows()
    told.note((first.id, "desk", Failed("down")), at=NOW)
    sent = [Sent(first.id, told.id_of("desk"), Failed("the network is unreachable"), NOW + 4 * DAY)]
    told.within(lambda connection: attempts.record(connection, sent))
    assert [row.status for row in told.rows()] == ["pending"] * 3
