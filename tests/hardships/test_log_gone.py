"""Nobody reads the log, or who read it went away; there is no standard output. feedd goes on, and ends in order."""

import os
import signal
import subprocess
import time
from pathlib import Path

import httpx
from running import FEEDD, PATIENCE_S, Site, until


def fill(writing: int) -> None:
    """A pipe that takes nothing more."""
    os.set_blocking(writing, False)
    try:
        while True:
            os.write(writing, b"." * 4096)
    except BlockingIOError:
        os.set_blocking(writing, True)


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_pipe_that_is_full_and_then_broken(tmp_path: Path) -> None:
    site = Site(tmp_path, source="watch = true")
    site.seed("a.txt", "First")
    reading, writing = os.pipe()
    fill(writing)
    command = ["sh", "-c", 'exec "$@" >&-', "sh", *FEEDD, "run", "--config", os.fspath(site.config)]

    def titles() -> set[str]:
        try:
            items = httpx.get(f"{site.url}/feeds/all.json", trust_env=False).json()["items"]
        except httpx.TransportError:
            return set()
        return {item["title"] for item in items}

    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=writing) as daemon:
        os.close(writing)
        until(lambda: titles() == {"First"})
        os.close(reading)
        site.seed("b.txt", "Second")
        until(lambda: titles() == {"First", "Second"})
        before_s = cpu_s(daemon.pid)
        time.sleep(0.5)
        assert cpu_s(daemon.pid) - before_s < 0.25, "it does not try for ever"
        daemon.send_signal(signal.SIGTERM)
        assert daemon.wait(PATIENCE_S) == 0
