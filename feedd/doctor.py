"""What is well with an installation, what is not, and what to do about it: pure rules from facts to findings."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Literal, NamedTuple

from feedd.publish.times import rfc3339
from feedd.store.checkup import ChannelState, Orphans, SourceState, Vitals
from feedd.store.pruning import FREE_PART, File
from feedd.store.retention import in_units

State = Literal["ok", "warning", "bad"]
MIB = 1_048_576
LITTLE_ROOM = 64 * MIB  # on the disk: less is soon gone
LARGE_LOG = 256 * MIB  # of the write-ahead log, which holds 8 MB as a rule
CLOCK_MS = 60_000  # by which clocks may differ
FEW_FILES = 256  # that may be open
ENOUGH_FILES = 1_024
FAR_BEHIND = 10_000  # versions that the search index has to follow
MOST_NAMED = 5
LONGEST = 300  # characters of an error
OTHERS_READ, OTHERS_WRITE = 0o004, 0o022


class Finding(NamedTuple):
    check: str
    state: State
    detail: str  # what was found, in words
    advice: str = ""  # what to do


class Disk(NamedTuple):
    """Where the database lies; sizes in bytes."""

    free: int
    mode: int  # permissions of the database's file
    log: int  # the write-ahead log
    copies: int  # how many earlier databases are kept beside it …
    copies_bytes: int  # … and what they take


class Process(NamedTuple):
    """The feedd that is running now, if any."""

    pid: int | None  # that holds the lock
    listens: bool  # it takes work: it is the daemon
    trouble: str = ""  # what `/healthz` says, or why it says nothing; empty: all is well
    files: int | None = None  # that it may have open


def of_configuration(mistakes: Iterable[str], warnings: Iterable[str]) -> Iterator[Finding]:
    found = [
        Finding("configuration", "bad", each, "correct it; see docs/configuration.md") for each in mistakes
    ]
    found += [Finding("configuration", "warning", each) for each in warnings]
    yield from found or [Finding("configuration", "ok", "no mistakes")]


def of_damage(damage: Sequence[str], orphans: Sequence[Orphans]) -> Iterator[Finding]:
    if damage:
        advice = "end feedd, keep a copy of the file, then: feedd restore BACKUP"
        yield Finding("database", "bad", f"it is damaged: {'; '.join(damage)}", advice)
    for each in orphans:
        what = f"{each.rows:,} of {each.table} refer to {each.of} that are not there"
        yield Finding("database", "bad", what, "restore a backup; that is a bug in feedd: please report it")


def of_file(vitals: Vitals, disk: Disk) -> Iterator[Finding]:
    file = vitals.file
    yield Finding("database", "ok", f"sound; {in_units(file.bytes)}, entries: {vitals.entries:,}")
    yield from of_space(file, disk)
    yield of_disk(disk, file.bytes)
    if disk.mode & OTHERS_WRITE:
        yield Finding(
            "permissions", "bad", f"other users may write the database (mode {disk.mode:o})", "chmod go-w it"
        )
    elif disk.mode & OTHERS_READ and vitals.has_secrets:
        what = f"every user of this machine may read the database, with secrets in it (mode {disk.mode:o})"
        yield Finding("permissions", "warning", what, "chmod o-r it")
    else:
        yield Finding("permissions", "ok", f"mode {disk.mode:o}")


def of_space(file: File, disk: Disk) -> Iterator[Finding]:
    loose = file.free + file.loose
    if loose * FREE_PART > file.bytes and loose > MIB:
        what = f"{in_units(loose)} of the database are free"
        yield Finding("space", "warning", what, "feedd prune gives them back, while no daemon runs")
    if disk.log > LARGE_LOG:
        what = f"the write-ahead log takes {in_units(disk.log)}"
        yield Finding("space", "warning", what, "close what reads the database for long, then restart feedd")


def of_disk(disk: Disk, needed: int) -> Finding:
    """`needed`: the bytes of the database."""
    copies = f"; {disk.copies} earlier databases beside it take {in_units(disk.copies_bytes)}"
    words = f"{in_units(disk.free)} are free on the disk{copies if disk.copies else ''}"
    advice = "make room" + (", or delete earlier databases" if disk.copies else "")
    if disk.free < LITTLE_ROOM:
        return Finding("disk", "bad", words, advice)
    if disk.free < needed:
        words += f", less than the database takes ({in_units(needed)}): an upgrade could not keep a copy"
        return Finding("disk", "warning", words, advice)
    return Finding("disk", "ok", words)


def of_clock(newest_ms: int, now_ms: int) -> Finding:
    if newest_ms <= now_ms + CLOCK_MS:
        return Finding("clock", "ok", f"it is {rfc3339(now_ms)}")
    what = f"it says {rfc3339(now_ms)}, but feedd was at work at {rfc3339(newest_ms)}: it went back, or was wrong then"
    return Finding(
        "clock", "bad", what, "set it right; `feedd update SOURCE` looks at a source that waits for long"
    )


def of_search(vitals: Vitals, *, is_running: bool) -> Finding:
    start = "" if is_running else "start feedd: the daemon brings it up to date"
    if vitals.logged.revision_id == 0:
        return Finding("search", "ok", "there is nothing to search yet")
    if vitals.indexed is None:
        return Finding("search", "warning", "the index is not made yet", start or "wait: it is being made")
    behind = vitals.logged.revision_id - vitals.indexed.revision_id
    changes = vitals.logged.change_id - vitals.indexed.change_id
    if behind <= 0 and changes <= 0:
        return Finding("search", "ok", "the index is up to date")
    words = f"the index is behind by {max(0, behind):,} versions and {max(0, changes):,} changes"
    if is_running and max(behind, changes) < FAR_BEHIND:
        return Finding("search", "ok", words)
    return Finding("search", "warning", words, start or "if that grows, see the log")


def of_sources(sources: Iterable[SourceState], failing_after: Mapping[str, int]) -> Iterator[Finding]:
    """`failing_after`: of each source of the configuration, how many failures in a row count."""
    known = [each for each in sources if each.name in failing_after]
    failing = [each for each in known if each.failures >= failing_after[each.name]]
    for each in failing:
        what = f"{each.name}: {each.failures} failures in a row: {short(each.error)}"
        yield Finding("sources", "warning", what, f"feedd test {each.name} shows what a look brings")
    paused = [each for each in known if each.paused is not None]
    for each in paused:
        advice = "resume it on its page, or take it out of the configuration"
        yield Finding("sources", "warning", f"{each.name}: paused: {short(each.paused)}", advice)
    if not failing and not paused:
        yield Finding("sources", "ok", f"none of {len(failing_after)} fails")


def of_channels(channels: Iterable[ChannelState]) -> Iterator[Finding]:
    for each in channels:
        name, why = each.name, short(each.error)
        retry = f"feedd deliveries retry --channel {name}"
        if each.is_disabled:
            what = f"{name}: disabled: its receiver said that it is gone"
            yield Finding(
                "channels", "bad", what, f"correct its address, or try it: feedd notify test {name}"
            )
        elif each.failed:
            count = "1 delivery was" if each.failed == 1 else f"{each.failed:,} deliveries were"
            what = f"{name}: {count} given up" + (f": {why}" if each.error else "")
            yield Finding("channels", "warning", what, f"once the cause is mended: {retry}")
        elif each.error:
            yield Finding("channels", "warning", f"{name}: {why}", f"feedd notify test {name}")
        else:
            yield Finding("channels", "ok", f"{name}: all was delivered, or waits for its time")


def of_network(allowed: Sequence[str]) -> Finding:
    """`allowed`: what may reach private addresses, as the configuration spells it."""
    if not allowed:
        return Finding("network", "ok", "nothing that is fetched may have a private address")
    rest = f" and {len(allowed) - MOST_NAMED} more" if len(allowed) > MOST_NAMED else ""
    return Finding(
        "network", "ok", f"private addresses are allowed to {', '.join(allowed[:MOST_NAMED])}{rest}"
    )


def of_process(process: Process) -> Iterator[Finding]:
    who = f"process {process.pid}" if process.pid else "the daemon"
    match process:
        case Process(pid=None, listens=False):
            what = "feedd is not running: nothing is looked at or served"
            yield Finding("daemon", "warning", what, "start it: feedd run, or systemctl start feedd")
        case Process(listens=False):
            what = f"{who} holds the lock on the database, and takes no work from others"
            advice = "it is an update, or just starting; if it stays so, end it"
            yield Finding("daemon", "warning", what, advice)
        case Process(trouble=""):
            yield Finding("daemon", "ok", f"{who} is alive")
        case _:
            what = f"{who} runs, but is not well: {short(process.trouble)}"
            yield Finding("daemon", "bad", what, "see the log; restart it if that lasts")


def of_files(process: Process) -> Iterator[Finding]:
    if process.files is None:
        return
    what = f"{process.files:,} files and connections may be open at once"
    advice = "raise it: LimitNOFILE= in the unit, or ulimit -n"
    if process.files < FEW_FILES:
        yield Finding("limits", "bad", what, advice)
    elif process.files < ENOUGH_FILES:
        yield Finding("limits", "warning", what, advice)
    else:
        yield Finding("limits", "ok", what)


def short(text: str | None) -> str:
    """What others say, on one line."""
    words = " ".join("".join(char if char.isprintable() else " " for char in text or "").split())
    return words if len(words) <= LONGEST else words[:LONGEST] + "…"
