"""A soak that is over, judged: what was lost, doubled or left over, and the table of figures. Pure, but for reading."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bench.figures import Figure
from bench.soak import daemon, ledger, play, vitals
from bench.soak.ledger import Line
from bench.soak.listeners import Listeners, wrong
from bench.soak.living import END_S, Lived
from bench.soak.play import Act, Source

MOST_GROWTH = 1_000_000  # bytes, over the last half
MOST_KEPT = 40  # connections to servers, which are kept for the next look
KEPT = (vitals.OUTGOING, vitals.HALF_CLOSED)
SAYING = frozenset({Act.PUBLISH, Act.EDIT, Act.EDIT_SILENTLY, Act.REVERT, Act.TAKE_OUT, Act.BRING_BACK})


def judged(
    folder: Path, sources: Mapping[str, Source], listeners: Listeners, lived: Lived, *, weighed: bool
) -> tuple[list[Figure], list[str]]:
    """`weighed`: memory and threads count, as they do where there was time for every pool to fill."""
    lines = ledger.read(folder / "ledger.jsonl")
    expected, log = ledger.expected(sources, lines), ledger.recorded(folder / "feedd.db")
    leaving = leaving_of(sources, lines)
    differ = ledger.differences(expected.changes, log.changes)
    of_sources = ledger.incidents(log, expected, daemon.FAILING_AFTER, leaving)
    hooks = [line[4] for line in lines if line[0] == "hook"]
    ways = {"webhooks": hooks, "events": listeners.events, "long polls": listeners.polled}
    # a change that comes when all was settled, as one that was held back does, finds no listener any more
    until = {"webhooks": max(log.told, default=0)}
    untold = {name: wrong(name, came, log.told, until.get(name, lived.heard)) for name, came in ways.items()}
    shown = feeds_that_differ(expected, lived)
    over = left_over(lived, weighed=weighed)
    mistakes = [*differ, *of_sources, *(each for one in untold.values() for each in one), *shown, *over]
    mistakes += listeners.mistakes
    figures = [
        *changes_made(lines, expected, log, differ),
        *(Figure(f"told by {name}", "", f"{len(set(came)):,} changes", f"{len(untold[name])} mistakes", "0")
          for name, came in ways.items()),
        Figure("pushed by WebSub", "", f"{sum(line[0] == 'push' for line in lines):,} times", "", ""),
        Figure("what readers were answered", "", in_words(listeners.answers), f"{len(listeners.mistakes)} errors", "0"),
        Figure("feeds that show what sources hold", "", f"{len(expected.shown):,} feeds", f"{len(shown)} differ", "0"),
        *held(lived),
    ]  # fmt: skip
    return figures, mistakes


def leaving_of(sources: Mapping[str, Source], lines: Sequence[Line]) -> frozenset[str]:
    """The sources that were told to be gone."""
    gone = {line[1] for line in lines if line[0] == "failed" and line[3] == play.Fate.GONE}
    return frozenset(gone & sources.keys())


def changes_made(
    lines: Sequence[Line], expected: ledger.Expected, log: ledger.Log, differ: Sequence[str]
) -> list[Figure]:
    acts = Counter(line[3] for line in lines if line[0] == "act")
    fates = Counter(line[3] for line in lines if line[0] == "failed")
    refused = sum(line[0] == "refused" for line in lines)
    due = Counter(change.kind for changes in expected.changes.values() for change in changes)
    had = Counter(change.kind for changes in log.changes.values() for change in changes)
    kinds = Counter(kind for each in log.of_sources.values() for kind in each)
    unseen = sum(times for act, times in acts.items() if act in SAYING) - due.total()
    return [
        Figure("what the site did", "", in_words(acts), f"{acts.total():,} acts", ""),
        Figure("requests that it failed", "", in_words(fates), f"{fates.total():,}; {refused} webhooks", ""),
        Figure("changes that stood until a look", "", in_words(due), f"{due.total():,}", ""),
        Figure(
            "replaced, scrolled off or taken out unseen", "", "of what says something else", f"{unseen:,}", ""
        ),
        Figure("changes that were recorded", "", in_words(had), f"{len(differ)} pieces differ", "0"),
        Figure("changes of sources", "", in_words(kinds), f"{kinds.total():,}", ""),
    ]


def feeds_that_differ(expected: ledger.Expected, lived: Lived) -> list[str]:
    mistakes = []
    for name, pieces in expected.shown.items():
        found = {
            (int(each[1]), int(each[2])) for each in map(ledger.NUMBERS.search, lived.shown[name]) if each
        }
        if found != pieces:
            mistakes.append(
                f"the feed {name} lacks {sorted(pieces - found)} and shows {sorted(found - pieces)}"
            )
    return mistakes


def left_over(lived: Lived, *, weighed: bool) -> list[str]:
    """What is not as it was, and how it ended."""
    half = lived.samples[: len(lived.samples) // 2]
    mistakes = []
    if weighed and (growth := vitals.growth(vitals.parts(lived.samples, 2)[1])) > MOST_GROWTH:
        mistakes.append(f"memory grew by {growth / 1e6:.1f} MB over the last half")
    most = Counter[str]()
    for each in (lived.at_first, *half):
        most |= each.descriptors
    rest = lived.at_rest.descriptors
    most[vitals.INCOMING] = lived.at_first.descriptors[vitals.INCOMING]
    most |= Counter({kind: rest[kind] for kind in KEPT})
    kept, more = sum(rest[kind] for kind in KEPT), rest - most
    mistakes += [f"{count} more {kind} at rest than in the first half" for kind, count in more.items()]
    if kept > MOST_KEPT:
        mistakes.append(f"{kept} connections to servers are open at rest")
    threads = lived.at_rest.threads - max(each.threads for each in (lived.at_first, *half))
    if weighed and threads > 0:
        mistakes.append(f"{threads} more threads at rest than in the first half")
    if lived.status != 0 or lived.ended_s > END_S:
        mistakes.append(
            f"asked to end, it took {lived.ended_s:.1f} s, and its exit status was {lived.status}"
        )
    said = [line for line in lived.log.splitlines() if any(each in line for each in daemon.NEVER)]
    mistakes += [f"the log says: {line[:300]}" for line in said[:20]]
    return mistakes


def held(lived: Lived) -> list[Figure]:
    first, last, rest = lived.samples[0], lived.samples[-1], lived.at_rest
    megabytes = [each.own_bytes / 1e6 for each in lived.samples]
    names = rest.descriptors
    return [
        Figure(
            "memory that the daemon allocated",
            "",
            f"{first.own_bytes / 1e6:.1f} MB, {megabytes[len(megabytes) // 2]:.1f} in the middle,"
            f" {last.own_bytes / 1e6:.1f} at the end; with workers {last.tree_bytes / 1e6:.1f}",
            f"{vitals.growth(vitals.parts(lived.samples, 2)[1]) / 1e6:+.2f} MB in the last half",
            "+1 MB",
        ),
        Figure(
            "… by quarters",
            "",
            ", ".join(f"{vitals.growth(each) / 1e6:+.2f}" for each in vitals.parts(lived.samples, 4)) + " MB",
            "",
            "",
        ),
        Figure(
            "descriptors at rest",
            f"{lived.at_first.descriptors.total()} at first",
            in_words(names),
            f"{names.total()}",
            "",
        ),
        Figure(
            "threads, workers at rest",
            f"{lived.at_first.threads} at first",
            f"{rest.workers} workers",
            f"{rest.threads}",
            "",
        ),
        Figure("processor time of the daemon", "", "", f"{lived.processor_s:.0f} s", ""),
        Figure("asked to end", "", f"exit status {lived.status}", f"{lived.ended_s:.1f} s", f"{END_S:.0f} s"),
    ]


def in_words(counts: "Counter[Any]") -> str:
    return ", ".join(f"{times:,} {name}" for name, times in counts.most_common()) or "none"
