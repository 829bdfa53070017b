"""`ulimit -n 64`: what can't be opened is said in words, and goes on when it can; nobody works in vain meanwhile."""

import os
import resource
import socket
import time
from contextlib import ExitStack
from pathlib import Path

import httpx
from net import QUICK, item, rss
from running import Daemon, Site, until
from webserver import Web

FEEDS, CLIENTS = 50, 40
TOO_MANY = "feedd has as many files and connections open as it may"


def cpu_s(daemon: Daemon) -> float:
    fields = Path(f"/proc/{daemon.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def open_files(daemon: Daemon) -> int:
    return len(os.listdir(f"/proc/{daemon.process.pid}/fd"))


def ask_slowly(daemon: Daemon, stack: ExitStack) -> None:
    """Take a connection, and never finish asking."""
    client = stack.enter_context(socket.create_connection(("127.0.0.1", daemon.site.port)))
    client.sendall(b"GET /feeds/all.atom HTTP/1.1\r\nHost: x\r\n")


def titles(daemon: Daemon) -> set[str]:
    """None while there is no connection to be had: those that could not be taken are closed."""
    try:
        return set(daemon.titles())
    except httpx.TransportError:
        return set()


def test_sixty_four(tmp_path: Path) -> None:
    with Web() as web:
        sources = QUICK
        for number in range(FEEDS):
            web.page(f"/{number}.xml", rss(item(f"a{number}")), type="application/rss+xml")
            sources += (
                f'[sources.f{number}]\ntype = "feed"\nurl = "{web.url}/{number}.xml"\nfailing_after = 9\n'
            )
        site = Site(tmp_path, source="watch = true", more=sources)
        site.seed("a.txt", "First")
        with site.running() as daemon, ExitStack() as clients:
            resource.prlimit(daemon.process.pid, resource.RLIMIT_NOFILE, (64, 64))
            for _ in range(CLIENTS):
                ask_slowly(daemon, clients)
            until(lambda: open_files(daemon) == 64)
            site.seed("b.txt", "Second")
            until(lambda: daemon.log().count(TOO_MANY) > 5)
            begun_s, before_s = time.monotonic(), cpu_s(daemon)
            time.sleep(1)
            assert cpu_s(daemon) - before_s < 0.5 * (time.monotonic() - begun_s), "it does not try for ever"
            assert f"{TOO_MANY} (64): raise it: LimitNOFILE= in the unit, or ulimit -n" in daemon.log()
            assert daemon.log().count("\n") < FEEDS + 20
            clients.close()
            until(lambda: {"First", "Second"} <= titles(daemon), 10)
            done = site.json("update", *(f"f{number}" for number in range(FEEDS)))
            assert {source["error"] for source in done["sources"]} == {None}
            assert len(daemon.titles()) == FEEDS + 2
