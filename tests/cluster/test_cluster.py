"""Workers of Dask fetch and read for a daemon: real schedulers, real workers, real daemons."""

import asyncio
import os
import pickle
import shutil
import socket
import sqlite3
import sys
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from endless import forever
from field import PATIENCE_S, QUICK, Field, Sites, a_field, owner, sites
from net import item, rss
from running import Daemon, Site, until
from webserver import CERTIFICATE, Reply, Request

import feedd
from feedd.cli.listings import newest
from feedd.cluster.engine import body_of
from feedd.cluster.link import Link, Lost, is_gone
from feedd.cluster.packing import pack
from feedd.cluster.values import Order
from feedd.cluster.worker import STUCK, Message
from feedd.config.cluster import Cluster
from feedd.config.load import load
from feedd.fetch import hops
from feedd.fetch.values import Access, Ask
from feedd.reading import Task
from feedd.workers import WORTH_IT

HTML = "<html><head><title>A page</title></head><body>{}</body></html>"
ARTICLE = HTML.format(
    f"<article><h1>A headline</h1>{'<p>Many words of an article that is read.</p>' * 20}</article>"
)


@pytest.fixture(scope="module")
def field(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Field]:
    """A scheduler and two workers."""
    with a_field(tmp_path_factory.mktemp("field")) as made:
        made.workers = [made.joining(), made.joining()]
        until(lambda: all("Registered to" in each.said for each in made.workers), PATIENCE_S)
        yield made


@pytest.fixture
def web() -> Iterator[Sites]:
    with sites(6) as made:
        yield made


def site(folder: Path, scheduler: str, toml: str, fetch: str = QUICK) -> Site:
    made = Site(folder)
    made.config.write_text(
        f'[server]\nlisten = "127.0.0.1:{made.port}"\n{fetch}[cluster]\n{scheduler}\n{toml}', encoding="utf-8"
    )
    return made


def source(name: str, url: str, more: str = "", kind: str = "feed") -> str:
    return f'[sources.{name}]\ntype = "{kind}"\nurl = "{url}"\n{more}\n'


def test_workers_do_it_all(tmp_path: Path, field: Field, web: Sites) -> None:
    """Every kind of source: read by workers, the same as the daemon alone would have it."""
    pages = "".join(f'<div><a href="/a{each}">Number {each}</a></div>' for each in range(3))
    for each in range(3):
        web.page(1, f"/a{each}", Reply(ARTICLE))
        web.page(2, f"/a{each}", Reply(ARTICLE.replace("headline", f"headline {each}")))
    moved = web.webs[4].redirect("/feed", web.feed(3, rss(item("elsewhere"))))
    addresses = "".join(f"<url><loc>{web.webs[2].url}/a{each}</loc></url>" for each in range(3))
    urlset = f'<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">{addresses}</urlset>'
    toml = (
        source("a", web.feed(0, rss(*(item(f"number-{each}") for each in range(40)))))
        + source(
            "b",
            web.page(1, "/list", Reply(HTML.format(pages))),
            'entry = "div"\ntitle = "a"\nlink = "a"\ncontent = "auto"',
            "page",
        )
        + source("c", web.page(2, "/sitemap", Reply(urlset, 200, "application/xml")), kind="sitemap")
        + source("d", moved)
        + source("e", web.page(5, "/watched", Reply(HTML.format("<p>Some words</p>"))), kind="watch")
    )
    made = site(tmp_path, f'scheduler = "{field.address}"', toml)
    with made.running() as daemon:
        until(lambda: len(daemon.items("all")) == 48, PATIENCE_S)
        by_workers = {each["url"]: each["content_html"] for each in daemon.items("all")}
        assert incidents(daemon) == {}
    pids = {each.pid for each in field.workers}
    assert {each.pid for each in web.asked} <= pids
    assert len(web.asked) == 8

    alone = site(tmp_path / "alone", f'scheduler = "{field.address}"', toml)
    alone.feedd("update")
    with closing(alone.open_reader()) as reader:
        found = {each.url: each.content_html for each in newest(reader, load(alone.config))}
    assert found == by_workers


def test_a_folder_that_workers_see(tmp_path: Path, field: Field) -> None:
    """It is read by them, and not by processes of the daemon's own."""
    toml = '[sources.s]\ntype = "directory"\npath = "seeds"\nshared = true\n'
    made = site(tmp_path, f'scheduler = "{field.address}"', toml)
    for number in range(WORTH_IT):
        made.seed(f"{number}.md", f"Number {number}")
    children = set[int]()
    with made.running(ready=False) as daemon:

        def is_read() -> bool:
            children.update(daemon.children())
            return "added" in daemon.log()

        until(is_read, PATIENCE_S)
        assert f"s: {WORTH_IT:,} added" in daemon.log()
    assert children == set()


def test_nobody_is_left_alone(tmp_path: Path, web: Sites) -> None:
    """A worker dies, another comes, the scheduler goes and returns: all is had, each site asked by one at a time."""
    with a_field(tmp_path) as field:
        first = field.worker()
        for each in range(6):
            web.feed(each, rss(item(f"number-{each}")), slow_s=1.0)
        toml = "".join(source(f"s{each}", f"{web.webs[each].url}/feed", 'every = "1s"') for each in range(6))
        spaced = QUICK.replace("0s", "1s")  # a site may take a moment to see that who asked has died
        made = site(tmp_path / "site", f'scheduler = "{field.address}"', toml, spaced)
        with made.running() as daemon:
            until(lambda: any(each.pid == first.pid for each in web.asked), PATIENCE_S)
            first.kill()
            until(lambda: len(daemon.items("all")) == 6, PATIENCE_S)
            until(lambda: "feedd fetches and reads alone" in incidents(daemon).get("cluster", ""), PATIENCE_S)
            second = field.worker()
            until(lambda: any(each.pid == second.pid for each in web.asked), PATIENCE_S)
            until(lambda: incidents(daemon) == {}, PATIENCE_S)
            field.scheduler.kill()
            second.kill()
            until(lambda: "can't be had" in incidents(daemon).get("cluster", ""), PATIENCE_S)
            field.schedule()
            third = field.worker()
            until(lambda: any(each.pid == third.pid for each in web.asked), PATIENCE_S)
            until(lambda: incidents(daemon) == {}, PATIENCE_S)
            assert len(daemon.items("all")) == 6
            assert set(words_of(daemon).values()) == {None}
    assert web.overlapping == []


def test_what_workers_are_of_no_use(tmp_path: Path, web: Sites) -> None:
    """One without feedd, one of another version: refused with words, and the daemon does it all itself."""
    (other := tmp_path / "other/feedd").mkdir(parents=True)
    shutil.copytree(Path(feedd.__file__).parent, other, dirs_exist_ok=True)
    (other / "__init__.py").write_text('__version__ = "0.0.1"\n')
    (empty := tmp_path / "none/feedd").mkdir(parents=True)
    (empty / "__init__.py").write_text('raise ImportError("No module named feedd")\n')
    web.feed(0, rss(item("one")))
    with a_field(tmp_path) as field:
        field.worker("--name", "old", PYTHONPATH=str(other.parent))
        field.worker("--name", "bare", PYTHONPATH=str(empty.parent))
        toml = source("s", f"{web.webs[0].url}/feed")
        made = site(tmp_path / "site", f'scheduler = "{field.address}"', toml)
        with made.running() as daemon:
            until(lambda: len(daemon.items("all")) == 1, PATIENCE_S)
            said = until(lambda: incidents(daemon).get("cluster", ""), PATIENCE_S)
    assert "worker old: it has feedd 0.0.1, and here is " in said
    assert "worker bare: feedd is not installed there" in said
    assert said.endswith("; feedd fetches and reads alone meanwhile")


@pytest.mark.parametrize("answers", [False, True], ids=["hangs", "speaks something else"])
def test_what_is_no_scheduler(tmp_path: Path, web: Sites, answers: bool) -> None:
    web.feed(0, rss(item("one")))
    with socket.create_server(("127.0.0.1", 0)) as server:
        if answers:
            threading.Thread(target=speak, args=(server,), daemon=True).start()
        address = f"tcp://127.0.0.1:{server.getsockname()[1]}"
        made = site(tmp_path, f'scheduler = "{address}"', source("s", f"{web.webs[0].url}/feed"))
        with made.running() as daemon:
            until(lambda: len(daemon.items("all")) == 1, PATIENCE_S)
            said = until(lambda: incidents(daemon).get("cluster", ""), PATIENCE_S)
            assert said.startswith(f"the scheduler {address} can't be had: ")
            assert daemon.end() == 0


def test_what_can_not_be_read(tmp_path: Path, field: Field, web: Sites) -> None:
    """A document that is no feed, a server that is not there: the same words as without a cluster."""
    web.page(0, "/feed", Reply("no feed"))
    toml = source("s", f"{web.webs[0].url}/feed") + source("t", "http://127.0.0.9:9/feed")
    made = site(tmp_path / "site", f'scheduler = "{field.address}"', toml)
    with made.running() as daemon:
        until(lambda: daemon.log().count("WARNING") == 2, PATIENCE_S)
        by_workers = words_of(daemon)
    alone = site(tmp_path / "alone", f'scheduler = "{field.address}"', toml)
    done = alone.json("update", status=1)
    assert by_workers == {each["name"]: each["error"] for each in done["sources"]}


def test_over_tls_with_secrets(tmp_path: Path, web: Sites) -> None:
    certificate = str(CERTIFICATE)
    tls = ("--tls-ca-file", certificate, "--tls-cert", certificate, "--tls-key", certificate)
    files = f'tls_ca = "{certificate}"\ntls_cert = "{certificate}"\n'
    passwords = []

    def guarded(request: Request) -> Reply:
        passwords.append((request.headers.get("authorization"), owner(request.client[1])))
        return Reply(rss(item("secret")), 200, "application/rss+xml")

    url = web.webs[0].script("/feed", guarded)
    with a_field(tmp_path, tls) as field:
        worker = field.worker()
        toml = source("s", url, 'auth = { bearer = "opensesame" }')
        made = site(tmp_path / "site", f'scheduler = "{field.address}"\n{files}', toml)
        with made.running() as daemon:
            until(lambda: len(daemon.items("all")) == 1, PATIENCE_S)
            assert incidents(daemon) == {}
        assert passwords == [("Bearer opensesame", worker.pid)]
        assert "opensesame" not in worker.said + daemon.log()


def test_a_reading_that_never_ends(tmp_path: Path, web: Sites) -> None:
    """It costs the worker its life, and the source one failed look; what else the worker was at is done by others."""
    url = web.feed(0, rss(item("one")))

    async def ordered(address: str) -> list[Message]:
        async with Link(Cluster(scheduler=address), "a test") as link:
            (here,) = await link.workers()
            clock_s = (await link.greet(here.address)).clock_s
            ask = Ask(url, Access(allow_private=True))
            endless = Order(ask, hops.first(ask), 10.0, Task(forever), clock_s + 60, read_s=0.5)
            behind = endless._replace(task=Task(body_of), read_s=60.0)
            first = asyncio.create_task(link.order(here.address, 30.0, 1, *pack(endless)))
            await asyncio.to_thread(until, lambda: bool(web.asked))
            await asyncio.sleep(0.3)  # now it is read
            second = asyncio.create_task(link.order(here.address, 30.0, 2, *pack(behind)))
            await asyncio.wait({first, second})
            with pytest.raises(Lost):
                second.result()
            until(lambda: worker.running.poll() is not None, PATIENCE_S)
            assert await is_gone(here.address)
            return [first.result()]

    with a_field(tmp_path) as field:
        worker = field.worker(PYTHONPATH=os.pathsep.join([str(Path(__file__).parent), *sys.path]))
        (answer,) = asyncio.run(ordered(field.address))
        error = pickle.loads(answer["error"])
        assert str(error) == "its document took a worker longer than 0 s to read"
        assert worker.running.wait(PATIENCE_S) == STUCK


def speak(server: socket.socket) -> None:
    with suppress(OSError):
        while True:
            connection, _ = server.accept()
            connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 10)
            connection.close()


def incidents(daemon: Daemon) -> dict[str, str]:
    """What is wrong with feedd itself now, by kind."""
    with closing(sqlite3.connect(daemon.site.database)) as connection:
        rows = connection.execute(
            "SELECT kind, detail FROM incidents WHERE closed_at IS NULL AND source_id IS NULL"
        )
        return dict(rows)


def words_of(daemon: Daemon) -> dict[str, str]:
    """Why looks at sources failed, by source."""
    with closing(sqlite3.connect(daemon.site.database)) as connection:
        return dict(connection.execute("SELECT name, error FROM sources"))
