"""What plays come to, as figures."""

from collections.abc import Iterator
from statistics import median

from bench.cluster import judging
from bench.cluster.play import INTERVAL_S, Played
from bench.cluster.probe import Late
from bench.figures import Figure, ratio

SLACK_S = 0.02  # of the interval, lost on the ways of two requests
FACTOR, BLOCK_MS = 1.7, 50


def pace(one: Played, two: Played, cores: float) -> Iterator[Figure]:
    what = f"{one.sources:,} sources, {one.entries:,} entries, {cores:g} of a core a worker"
    factor = two.sources_a_minute / one.sources_a_minute
    yield Figure(
        f"pace of two workers against one: {what}",
        spelled(one),
        spelled(two),
        ratio(factor),
        f"{FACTOR} × or more",
    )
    yield Figure("… where the processor time goes", used(one), used(two), "", "")


def spelled(played: Played) -> str:
    return (
        f"{played.sources_a_minute:,.0f} sources and {played.entries_a_minute:,.0f} entries a minute"
        f" ({played.seconds:.0f} s)"
    )


def used(played: Played) -> str:
    workers = " + ".join(f"{each:.0f}" for each in played.workers_s)
    return f"daemon {played.daemon_s:.0f} s, workers {workers} s"


def blocks(name: str, played: Played) -> Figure:
    """How long the event loop kept the cheapest page waiting; the figure is what the daemon's own work did of it."""
    own = [each.own for each in played.answers]
    detail = (
        f"its own work: p99 {percentile(own, 0.99):.0f} ms, {over(own)} of {len(own):,} over {BLOCK_MS} ms"
    )
    return Figure(
        f"the daemon's loop, {name}: {latencies(played.answers)}",
        f"idle: {latencies(played.idle)}",
        detail,
        f"{max(own):.0f} ms",
        f"{BLOCK_MS} ms",
    )


def latencies(answers: list[Late]) -> str:
    late = [each.late for each in answers]
    return f"median {median(late):.1f}, p99 {percentile(late, 0.99):.0f}, worst {max(late):.0f} ms"


def percentile(values: list[float], part: float) -> float:
    return sorted(values)[int(len(values) * part)]


def over(values: list[float]) -> int:
    return sum(each > BLOCK_MS for each in values)


def polite(name: str, played: Played) -> Figure:
    found = judging.manners(played.log, INTERVAL_S, SLACK_S)
    by = ", ".join(f"{who} {count}" for who, count in sorted(found.by.items()))
    cut = f", {found.cut} not taken to the end" if found.cut else ""
    return Figure(
        f"hosts asked by two at once, or too soon, {name}",
        f"{found.requests:,} requests ({by}{cut}), {found.hosts} hosts asked more than once",
        f"shortest from one to the next {found.shortest_s:.2f} s of {INTERVAL_S} s",
        f"{found.overlaps} and {found.hasty}",
        "0 and 0",
    )


def whole(undisturbed: Played) -> Figure:
    """What all others are compared with has itself to be right."""
    found = undisturbed.held
    return Figure(
        "two workers, undisturbed: entries, and revisions of them, in the database",
        f"{undisturbed.entries:,} in what the web has",
        f"{found.entries.total():,} and {found.revisions:,}",
        "the same, each once"
        if found.entries.total() == found.revisions == undisturbed.entries
        else "NOT THE SAME",
        "the same",
    )


def same(name: str, played: Played, undisturbed: Played) -> Figure:
    found = judging.differences(played.held, undisturbed.held)
    found += [f"{source} failed: {error}" for source, error in list(played.held.failed.items())[:1]]
    return Figure(
        name,
        f"undisturbed: {undisturbed.held.entries.total():,} entries in {undisturbed.seconds:.0f} s",
        f"{played.held.entries.total():,} entries in {played.seconds:.0f} s",
        "; ".join(found) or "the same, each once",
        "the same",
    )
