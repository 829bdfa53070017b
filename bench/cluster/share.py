"""A fixed share of a core for whoever is in a group: control groups of version 2, or of version 1."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.cluster.network import CanNot

ROOT = Path("/sys/fs/cgroup")
PERIOD_US = 20_000  # short, so that a share is not served in lumps


class Share(NamedTuple):
    name: str
    is_second: bool

    @property
    def folders(self) -> list[Path]:
        """The first limits, the last counts."""
        return (
            [ROOT / self.name] if self.is_second else [ROOT / kind / self.name for kind in ("cpu", "cpuacct")]
        )

    def take(self, pid: int) -> None:
        """Children that it has from now on are in it too."""
        for folder in self.folders:
            (folder / "cgroup.procs").write_text(str(pid))

    def limit(self, cores: float | None) -> None:
        quota = None if cores is None else round(cores * PERIOD_US)
        if self.is_second:
            (self.folders[0] / "cpu.max").write_text(f"{'max' if quota is None else quota} {PERIOD_US}")
            return
        (self.folders[0] / "cpu.cfs_period_us").write_text(str(PERIOD_US))
        (self.folders[0] / "cpu.cfs_quota_us").write_text(str(-1 if quota is None else quota))

    @property
    def used_s(self) -> float:
        """Processor time, of all that were in it."""
        if self.is_second:
            words = (self.folders[0] / "cpu.stat").read_text().split()
            return int(words[words.index("usage_usec") + 1]) / 1e6
        return int((self.folders[-1] / "cpuacct.usage").read_text()) / 1e9


@contextmanager
def share(name: str) -> Iterator[Share]:
    """A group, without a limit at first; whoever is in it must have ended by the end. Raises CanNot."""
    made = Share(f"feedd-{name}", (ROOT / "cgroup.controllers").exists())
    try:
        if made.is_second:
            (ROOT / "cgroup.subtree_control").write_text("+cpu")
        for folder in made.folders:
            folder.mkdir(exist_ok=True)
        made.limit(None)
    except OSError as error:
        raise CanNot(f"a worker can't be given a share of a core that stays the same: {error}") from error
    try:
        yield made
    finally:
        for folder in set(made.folders):
            folder.rmdir()
