"""Rows of subscribers: what is renewed, told, retried and ended."""

from place import Place

from feedd.store import subscribers
from feedd.store.subscribers import Confirmed, Subscriber, entries_changed, sources_in_trouble

NEW = Confirmed("https://a/feeds/all.atom", "all", "atom", "https://b/c", "b", "hush", 5_000, 7)


def confirm(place: Place, new: Confirmed = NEW, most: int = 10, now_ms: int = 1_000) -> bool:
    return place.desk.run(
        lambda writer: writer.within(lambda run: subscribers.confirm(run, new, most, now_ms))
    )


def everyone(place: Place) -> list[Subscriber]:
    return subscribers.everyone(place.reader.connection)


def test_a_renewal_keeps_what_was_told(place: Place) -> None:
    assert confirm(place)
    (made,) = everyone(place)
    assert made[1:] == (*NEW[:4], "hush", 1_000, 5_000, 7, 1_000, 0, None, None, None, None)
    assert "hush" not in repr(made)
    assert "https://b/c" not in repr(made)
    place.desk.run(lambda writer: subscribers.told(writer.connection, made, 9, 2_000))
    place.desk.run(lambda writer: subscribers.failed(writer.connection, made.id, 3_000, "away", 2_500))
    assert confirm(place, NEW._replace(secret=None, lease_until_ms=9_000, told=12), now_ms=2_600)
    (renewed,) = everyone(place)
    assert renewed == made._replace(
        secret=None, confirmed_ms=2_600, lease_until_ms=9_000, told=9, told_at_ms=2_000
    )


def test_there_are_no_more_than_so_many(place: Place) -> None:
    assert confirm(place, most=1)
    assert not confirm(place, NEW._replace(callback="https://b/d"), most=1)
    assert confirm(place, most=1)
    assert subscribers.taken(place.reader.connection, "b") == (1, 1)
    assert subscribers.is_known(place.reader.connection, NEW.topic, NEW.callback)
    place.desk.run(lambda writer: subscribers.remove(writer.connection, NEW.topic, NEW.callback))
    assert everyone(place) == []


def test_a_host_leaves_room_for_others(place: Place) -> None:
    assert all(confirm(place, NEW._replace(callback=f"https://b/{number}"), most=40) for number in range(4))
    assert not confirm(place, NEW._replace(callback="https://b/x"), most=40)
    assert confirm(place, NEW._replace(callback="https://b/0"), most=40)
    assert confirm(place, NEW._replace(callback="https://c/x", host="c"), most=40)
    assert [subscribers.most_of_host(most) for most in (1, 30, 1_000)] == [3, 3, 100]


def test_a_renewal_forgets_how_little_was_taken(place: Place) -> None:
    confirm(place)
    (made,) = everyone(place)
    place.desk.run(lambda writer: subscribers.shorten(writer.connection, made, 5_000))
    assert everyone(place) == [made._replace(most_bytes=5_000)]
    confirm(place)
    assert everyone(place) == [made]


def test_attempts_in_vain(place: Place) -> None:
    confirm(place)
    (made,) = everyone(place)
    for number in (1, 2):
        place.desk.run(
            lambda writer, number=number: subscribers.failed(  # type: ignore[misc]
                writer.connection, made.id, 3_000 * number, "x" * 1_000, 2_000 * number
            )
        )
    (failing,) = everyone(place)
    assert (failing.attempts, failing.next_attempt_ms, failing.failing_since_ms) == (2, 6_000, 2_000)
    assert failing.error == "x" * 300
    place.desk.run(lambda writer: subscribers.pass_over(writer.connection, [made.id], 20))
    assert everyone(place) == [made._replace(told=20)]


def test_what_was_renewed_meanwhile_is_neither_told_nor_ended(place: Place) -> None:
    confirm(place)
    (before,) = everyone(place)
    confirm(place, now_ms=1_500)
    (after,) = everyone(place)
    place.desk.run(lambda writer: subscribers.told(writer.connection, before, 9, 2_000))
    place.desk.run(lambda writer: subscribers.end(writer.connection, before))
    assert everyone(place) == [after]
    place.desk.run(lambda writer: subscribers.end(writer.connection, after))
    assert everyone(place) == []


def test_leases_end_and_so_do_topics(place: Place) -> None:
    confirm(place)
    confirm(place, NEW._replace(topic="https://a/feeds/x.rss", lease_until_ms=6_000))
    ended = place.desk.run(lambda writer: subscribers.expire(writer.connection, 5_000))
    assert [each.topic for each in ended] == [NEW.topic]
    ended = place.desk.run(lambda writer: subscribers.keep_only(writer.connection, [NEW.topic]))
    assert [each.topic for each in ended] == ["https://a/feeds/x.rss"]
    assert everyone(place) == []


def test_entries_that_told_something(place: Place) -> None:
    add = "INSERT INTO changes (kind, at, source_id, entry_id, pass, silent) VALUES (?,?,?,?,1,?)"
    place.run("PRAGMA foreign_keys = OFF")
    for kind, source, entry, silent in (
        ("added", 1, 10, 1),
        ("edited", 1, 11, 0),
        ("edited", 2, 12, 0),
        ("removed", 2, 13, 0),
        ("edited", 1, 14, 1),
        ("edited", 1, 10, 0),
    ):
        place.run(add, kind, 5, source, entry, silent)
    place.run(
        "INSERT INTO changes (kind, at, source_id, pass, silent) VALUES ('source-failing', 77, 1, 1, 0)"
    )
    place.run(
        "INSERT INTO changes (kind, at, source_id, pass, silent) VALUES ('source-failing', 78, 1, 1, 1)"
    )
    connection = place.reader.connection
    assert entries_changed(connection, 0, None) == [10, 13, 12, 11]
    assert entries_changed(connection, 0, [1]) == [10, 13, 11]
    assert entries_changed(connection, 2, [1]) == [10, 13]
    assert entries_changed(connection, 6, None) == []
    assert sources_in_trouble(connection, 0) == [("a", 77)]
    assert sources_in_trouble(connection, 7) == []
