"""From facts to findings."""

import pytest

from feedd import doctor
from feedd.doctor import MIB, Disk, Finding, Process
from feedd.store.checkup import ChannelState, Orphans, SourceState, Vitals
from feedd.store.pruning import File
from feedd.store.search_index import Cursor

NOW_MS = 1_706_867_102_000
HOUR_MS = 3_600_000
GIB = 1024 * MIB
FILE = File(bytes=100 * MIB, free=0, loose=0, page_bytes=4096, mode=0)
VITALS = Vitals(FILE, 12, NOW_MS, Cursor(7, 7), Cursor(7, 7), (), (), has_secrets=False)
DISK = Disk(free=50 * GIB, mode=0o600, log=0, copies=0, copies_bytes=0)


def states(found: "list[Finding]") -> list[tuple[str, str]]:
    return [(each.check, each.state) for each in found]


def test_what_is_well_needs_no_advice() -> None:
    found = [
        *doctor.of_configuration((), ()),
        *doctor.of_damage((), ()),
        *doctor.of_file(VITALS, DISK),
        doctor.of_clock(NOW_MS - HOUR_MS, NOW_MS),
        doctor.of_search(VITALS, is_running=True),
        *doctor.of_sources([SourceState("a", 2, "once", None)], {"a": 3}),
        *doctor.of_channels([ChannelState("desk", 0, False, None)]),
        doctor.of_network([]),
        *doctor.of_process(Process(7, True)),
        *doctor.of_files(Process(7, True, files=1_024)),
    ]
    assert {each.state for each in found} == {"ok"}
    assert not any(each.advice for each in found)


def test_every_mistake_of_the_configuration_is_one_finding() -> None:
    assert states(list(doctor.of_configuration(("a", "b"), ("c",)))) == [
        ("configuration", "bad"),
        ("configuration", "bad"),
        ("configuration", "warning"),
    ]


def test_damage_and_what_refers_to_nothing() -> None:
    damaged, lost = doctor.of_damage(["row 1 missing"], [Orphans("changes", 3, "entries")])
    assert (damaged.state, lost.state) == ("bad", "bad")
    assert "row 1 missing" in damaged.detail
    assert "feedd restore" in damaged.advice
    assert lost.detail == "3 of changes refer to entries that are not there"


@pytest.mark.parametrize(
    ("mode", "has_secrets", "state"),
    [
        (0o600, True, "ok"),
        (0o640, True, "ok"),
        (0o644, False, "ok"),
        (0o644, True, "warning"),
        (0o660, False, "bad"),
        (0o602, False, "bad"),
    ],
)
def test_who_may_read_and_write_it(mode: int, has_secrets: bool, state: str) -> None:
    found = list(doctor.of_file(VITALS._replace(has_secrets=has_secrets), DISK._replace(mode=mode)))
    assert ("permissions", state) in states(found)


@pytest.mark.parametrize(
    ("free", "loose", "is_told"),
    [(0, 0, False), (20 * MIB, 4 * MIB, False), (20 * MIB, 6 * MIB, True), (30 * MIB, 0, True)],
)
def test_space_that_pruning_gives_back(free: int, loose: int, is_told: bool) -> None:
    found = list(doctor.of_space(FILE._replace(free=free, loose=loose), DISK))
    assert (("space", "warning") in states(found)) == is_told


def test_a_small_database_has_no_space_to_give_back() -> None:
    assert list(doctor.of_space(File(MIB, MIB // 2, 0, 4096, 0), DISK)) == []


def test_a_log_that_nobody_could_bring_back() -> None:
    found = list(doctor.of_space(FILE, DISK._replace(log=300 * MIB)))
    assert found[0].detail == "the write-ahead log takes 315 MB"


@pytest.mark.parametrize(
    ("free", "state"), [(10 * MIB, "bad"), (99 * MIB, "warning"), (101 * MIB, "ok"), (0, "bad")]
)
def test_room_on_the_disk(free: int, state: str) -> None:
    assert states([doctor.of_disk(DISK._replace(free=free), FILE.bytes)]) == [("disk", state)]


def test_copies_that_could_go() -> None:
    found = doctor.of_disk(DISK._replace(free=0, copies=2, copies_bytes=200 * MIB), FILE.bytes)
    assert found.detail.endswith("; 2 earlier databases beside it take 210 MB")
    assert found.advice == "make room, or delete earlier databases"


def test_a_clock_that_went_back() -> None:
    assert doctor.of_clock(NOW_MS + 30_000, NOW_MS).state == "ok"
    found = doctor.of_clock(NOW_MS + HOUR_MS, NOW_MS)
    assert found.state == "bad"
    assert "2024-02-02T09:45:02Z, but feedd was at work at 2024-02-02T10:45:02Z" in found.detail


@pytest.mark.parametrize(
    ("indexed", "is_running", "state"),
    [
        (Cursor(7, 7), False, "ok"),
        (Cursor(6, 6), False, "warning"),
        (Cursor(6, 6), True, "ok"),
        (Cursor(7, 6), False, "warning"),
        (None, True, "warning"),
        (None, False, "warning"),
    ],
)
def test_an_index_that_is_behind(indexed: Cursor | None, is_running: bool, state: str) -> None:
    assert doctor.of_search(VITALS._replace(indexed=indexed), is_running=is_running).state == state


def test_an_index_that_is_far_behind_a_daemon() -> None:
    far = VITALS._replace(logged=Cursor(20_000, 20_000))
    assert doctor.of_search(far, is_running=True).state == "warning"
    assert doctor.of_search(VITALS._replace(logged=Cursor(), indexed=None), is_running=False).state == "ok"


def test_sources_that_fail_or_are_paused() -> None:
    sources = [
        SourceState("a", 3, "refused\x1b[31m\nthe connection", None),
        SourceState("b", 0, None, "it is gone (410)"),
        SourceState("left", 9, "not in the configuration", None),
        SourceState("well", 2, "once", None),
    ]
    found = list(doctor.of_sources(sources, {"a": 3, "b": 3, "well": 3}))
    assert [each.detail for each in found] == [
        "a: 3 failures in a row: refused [31m the connection",
        "b: paused: it is gone (410)",
    ]
    assert {each.state for each in found} == {"warning"}


@pytest.mark.parametrize(
    ("channel", "state", "words"),
    [
        (ChannelState("c", 0, True, "410"), "bad", "disabled"),
        (
            ChannelState("c", 4, False, "it answered 500"),
            "warning",
            "4 deliveries were given up: it answered 500",
        ),
        (ChannelState("c", 4, False, None), "warning", "4 deliveries were given up"),
        (ChannelState("c", 0, False, "refused"), "warning", "c: refused"),
    ],
)
def test_channels_that_deliver_nothing(channel: ChannelState, state: str, words: str) -> None:
    (found,) = doctor.of_channels([channel])
    assert found.state == state
    assert words in found.detail
    assert found.advice


def test_who_may_reach_private_addresses_is_named() -> None:
    found = doctor.of_network([f"sources.{letter}" for letter in "abcdefg"])
    assert found.detail.endswith("sources.a, sources.b, sources.c, sources.d, sources.e and 2 more")


@pytest.mark.parametrize(
    ("process", "state", "words"),
    [
        (Process(None, False), "warning", "not running"),
        (Process(7, False), "warning", "process 7 holds the lock"),
        (Process(7, True), "ok", "process 7 is alive"),
        (Process(None, True), "ok", "the daemon is alive"),
        (Process(7, True, "no answer"), "bad", "process 7 runs, but is not well: no answer"),
    ],
)
def test_the_process(process: Process, state: str, words: str) -> None:
    (found,) = doctor.of_process(process)
    assert found.state == state
    assert words in found.detail


@pytest.mark.parametrize(("files", "state"), [(64, "bad"), (256, "warning"), (1_024, "ok")])
def test_files_that_may_be_open(files: int, state: str) -> None:
    assert states(list(doctor.of_files(Process(1, True, files=files)))) == [("limits", state)]
    assert list(doctor.of_files(Process(1, True))) == []
