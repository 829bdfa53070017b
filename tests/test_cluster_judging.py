"""What the bench of the cluster calls polite, and the same: it has to find what is not."""

from collections import Counter
from collections.abc import Sequence

import pytest

from bench.cluster.judging import Asked, Held, differences, manners


def asked(*times: tuple[float, float], host: str = "10.50.0.1", who: str = "one") -> list[Asked]:
    return [Asked(host, 1, begin, end, who, whole=True) for begin, end in times]


@pytest.mark.parametrize(
    ("log", "overlaps", "hasty"),
    [
        ([], 0, 0),
        (asked((0.0, 0.5), (1.0, 1.5)), 0, 0),
        (asked((1.0, 1.5), (0.0, 0.5)), 0, 0),
        (asked((0.0, 1.2), (1.0, 1.5)), 1, 0),
        (asked((0.0, 0.1), (0.4, 0.5)), 0, 1),
        (asked((0.0, 9.0), (2.0, 3.0), (5.0, 6.0)), 2, 0),
        (asked((0.0, 2.0)) + asked((0.5, 1.0), who="two"), 1, 1),
        (asked((0.0, 2.0)) + asked((0.5, 1.0), host="10.50.0.2"), 0, 0),
    ],
)
def test_hosts_asked_by_two_at_once_or_too_soon(log: Sequence[Asked], overlaps: int, hasty: int) -> None:
    found = manners(log, interval_s=1.0, slack_s=0.02)
    assert (found.overlaps, found.hasty) == (overlaps, hasty)


def held(*urls: str, revisions: int = 1) -> Held:
    entries = Counter((f"uid of {url}", url, revisions, b"hash") for url in urls)
    changes = Counter(("added", f"uid of {url}") for url in urls)
    return Held(entries, len(urls) * revisions, changes, 1, {}, [])


@pytest.mark.parametrize(
    ("found", "words"),
    [
        (held("a", "b"), []),
        (held("a"), ["1 entries are missing", "1 revisions, not 2", "the change log"]),
        (held("a", "b", "c"), ["1 entries too many", "3 revisions, not 2", "the change log"]),
        (held("a", "b", revisions=2), ["2 entries are missing", "2 entries too many", "4 revisions, not 2"]),
        (held("a", "b")._replace(changes=Counter({("added", "uid of a"): 2})), ["the change log"]),
    ],
)
def test_what_two_databases_hold(found: Held, words: list[str]) -> None:
    said = differences(found, held("a", "b"))
    assert len(said) == len(words)
    assert all(line.startswith(start) for line, start in zip(said, words, strict=True))
