"""A daemon that reads its configuration again: what it says afterwards, and what it does not let go of meanwhile."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from receivers import SECRET
from running import Daemon, Site, until
from webserver import Request, Web, Wire

from feedd.daemon import control

BAD = '[sources.news]\ntype = "directory"\npath = "seeds"\nevery = "5x"\n'
OFF = "reload_on_change = false"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path)
    made.seed("1.txt", "The first")
    said(made)
    return made


def said(site: Site, more: str = "", news: str = 'title = "News"\nwatch = true', server: str = OFF) -> None:
    site.configure(news, more, f'listen = "127.0.0.1:{site.port}"\n{server}')


def folder(site: Site, name: str) -> str:
    site.seed(f"../{name}/{name}.txt", f"Of {name}")
    return f'[sources.{name}]\ntype = "directory"\npath = "{name}"\n'


def titles(site: Site, feed: str) -> list[str]:
    answer = httpx.get(f"{site.url}/feeds/{feed}.json", trust_env=False)
    return (
        [item["title"] for item in answer.json()["items"]]
        if answer.status_code == 200
        else [str(answer.status_code)]
    )


def health(site: Site) -> list[str]:
    return titles(site, "health")


def test_sources_and_feeds_come_change_and_go(site: Site) -> None:
    with site.running():
        until(lambda: titles(site, "news") == ["The first"])
        said(site, folder(site, "other") + '[feeds.both]\nsources = ["news", "other"]\n')
        assert "1 source added (other), 1 feed added (both)" in site.feedd("reload").stdout
        until(lambda: set(titles(site, "both")) == {"The first", "Of other"})
        site.seed("2.txt", "The second")  # the folder is still watched
        until(lambda: "The second" in titles(site, "news"))
        said(site, folder(site, "other"), news='title = "Other news"\nwatch = true\npaused = true')
        assert "1 source changed (news), 1 feed removed (both)" in site.feedd("reload").stdout
        assert titles(site, "both") == ["404"]
        assert httpx.get(f"{site.url}/feeds/news.json", trust_env=False).json()["title"] == "Other news"
        site.seed("3.txt", "While it is paused")
        said(site)
        assert "1 source changed (news), 1 source removed (other)" in site.feedd("reload").stdout
        assert titles(site, "other") == ["410"]
        until(lambda: "While it is paused" in titles(site, "news"))
        assert "nothing changed" in site.feedd("reload").stdout


def test_a_mistake_changes_nothing_and_is_told(site: Site) -> None:
    with site.running() as daemon:
        until(lambda: titles(site, "news") == ["The first"])
        site.config.write_text(BAD, encoding="utf-8")
        os.kill(daemon.process.pid, signal.SIGHUP)
        until(lambda: "sources.news.every: '5x' is not a duration" in daemon.log())
        until(lambda: health(site) == ["The configuration has mistakes: feedd goes on with the one before"])
        item = httpx.get(f"{site.url}/feeds/health.json", trust_env=False).json()["items"][0]
        assert "'5x' is not a duration" in item["content_html"]
        assert titles(site, "news") == ["The first"]
        site.seed("2.txt", "The second")
        until(lambda: "The second" in titles(site, "news"))
        assert "sources.news.every: '5x'" in site.feedd("reload", status=2).stderr
        said(site)
        site.feedd("reload")
        until(lambda: health(site) == ["feedd reads its configuration again"])


def test_the_files_are_followed_and_what_they_include(site: Site) -> None:
    text = site.config.read_text(encoding="utf-8").replace(OFF, "")
    site.config.write_text('include = ["more.d/*.toml"]\n' + text, encoding="utf-8")
    with site.running() as daemon:
        (site.root / "more.d").mkdir()
        (site.root / "more.d" / "other.toml").write_text(folder(site, "other"), encoding="utf-8")
        until(lambda: titles(site, "other") == ["Of other"])
        assert "the configuration was read again: 1 source added (other)" in daemon.log()
        (site.root / "more.d" / "other.toml").unlink()
        until(lambda: titles(site, "other") == ["410"])


def test_what_only_another_start_can_change(site: Site) -> None:
    with site.running() as daemon:
        site.configure("", "", 'listen = "127.0.0.1:1"\nreload_on_change = false')
        words = site.feedd("reload").stdout
        assert "restart feedd for server.listen" in words
        assert "server.listen is another one" in daemon.log()
        assert titles(site, "news") == ["The first"]
    said(site)
    assert "no feedd runs on" in site.feedd("reload", status=1).stderr


@pytest.fixture
def streaming(site: Site) -> Iterator[tuple[Daemon, list[str]]]:
    """A daemon, and the lines of a stream of its events."""
    lines: list[str] = []
    with site.running() as daemon:
        until(lambda: titles(site, "news") == ["The first"])

        def listen() -> None:
            with httpx.stream("GET", f"{site.url}/events?feed=news", timeout=60, trust_env=False) as stream:
                for line in stream.iter_lines():
                    lines.append(line)  # noqa: PERF402 (each as it comes)
            lines.append("the end")

        thread = threading.Thread(target=listen)
        thread.start()
        until(lambda: lines)
        yield daemon, lines
    thread.join(10)


def test_streams_go_on_while_requests_are_answered(site: Site, streaming: tuple[Daemon, list[str]]) -> None:
    daemon, lines = streaming
    answers: list[int] = []
    done = threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=site.url, trust_env=False) as client:
            while not done.is_set():
                answers.append(client.get("/feeds/news.atom").status_code)

    asking = threading.Thread(target=ask)
    asking.start()
    for number in range(3):
        said(site, folder(site, f"other{number}"))
        assert f"other{number}" in site.feedd("reload").stdout
    done.set()
    asking.join(10)
    assert set(answers) == {200}
    site.seed("2.txt", "The second")
    until(lambda: any("The second" in line for line in lines))
    assert sum("The second" in line for line in lines) == 1
    assert "the end" not in lines
    said(site, '[feeds.news]\naccess = "token"\n')
    site.feedd("reload")
    until(lambda: "the end" in lines)  # it is not for everybody any more
    assert httpx.get(f"{site.url}/feeds/news.atom", trust_env=False).status_code == 401
    assert daemon.process.poll() is None


def test_a_look_that_is_under_way_is_done_under_the_new_settings(site: Site) -> None:
    for number in range(3_000):
        site.seed(f"many/{number}.txt", f"Number {number}", "<p>Words of an article.</p>" * 40)
    with site.running() as daemon:
        time.sleep(0.3)
        said(site, news='match = { title = "Number 1" }\nlimit_of_nothing = 1')
        site.feedd("reload", status=2)
        said(site, news='match = { title = "Number 1" }')
        assert "1 source changed (news)" in site.feedd("reload").stdout
        wanted = sum(str(number).startswith("1") for number in range(3_000))
        until(
            lambda: site.json("sources")[0]["last_checked"] and site.json("sources")[0]["entries"] >= wanted
        )
        rows = site.json("entries", "--limit", "5000")
        assert {row["title"] for row in rows} >= {
            f"Number {n}" for n in range(3_000) if str(n).startswith("1")
        }
        assert daemon.process.poll() is None


def test_a_message_that_is_on_its_way_is_sent_once(tmp_path: Path) -> None:
    def in_three_seconds(wire: Wire) -> None:
        wire.stopping.wait(3)
        wire.send(b"HTTP/1.1 204 No Content\r\n\r\n")

    asked: list[str] = []

    def take(request: Request) -> Callable[[Wire], None]:
        asked.append(request.headers["webhook-id"])
        return in_three_seconds

    with Web() as web:
        web.script("/hook", take)
        channel = f'[notify.desk]\ntype = "webhook"\nurl = "{web.url}/hook"\nsecret = "{SECRET}"\n'
        site = Site(tmp_path)
        said(site, channel)
        site.seed("1.txt", "The first")
        site.feedd("update")
        with site.running():
            site.seed("2.txt", "The second")
            until(lambda: asked)
            said(site, channel + 'title = "{title}"\n')
            site.feedd("reload", status=2)
            said(site, channel + folder(site, "other"))
            assert "1 source added (other)" in site.feedd("reload").stdout
            site.seed("3.txt", "The third")
            until(lambda: len(asked) == 2)
            until(lambda: [row["status"] for row in site.json("deliveries")] == ["delivered"] * 2)
        assert len(set(asked)) == len(asked) == 2


def test_one_at_the_start_waits_and_one_at_the_end_is_too_late(site: Site) -> None:
    with site.running(ready=False) as daemon:
        until(lambda: site.database.with_name("feedd.db.lock").exists())
        os.kill(daemon.process.pid, signal.SIGHUP)
        until(control.socket_path(site.database).exists)
        answer = control.ask(site.database, {"command": "reload"}, lambda _: None)
        assert answer == {"done": "nothing changed"}
        assert titles(site, "health") == []
        daemon.process.send_signal(signal.SIGTERM)
        while daemon.process.poll() is None:
            daemon.process.send_signal(signal.SIGHUP)
            time.sleep(0.01)
        assert daemon.process.returncode == 0


def test_a_message_that_is_on_its_way_holds_up_no_end(tmp_path: Path) -> None:
    """Though a reload would let it take its time."""
    asked = threading.Event()

    def hang(wire: Wire) -> None:
        asked.set()
        wire.hang()

    with Web() as web:
        web.raw("/hook", hang)
        channel = (
            f'[notify.desk]\ntype = "webhook"\nurl = "{web.url}/hook"\nsecret = "{SECRET}"\nsince = "1d"\n'
        )
        site = Site(tmp_path)
        site.seed("1.txt", "The first", time_ms=time.time_ns() // 1_000_000)
        said(site, channel)
        with site.running() as daemon:
            site.feedd("update")
            site.seed("2.txt", "The second")
            assert asked.wait(10)
            said(site, channel, news='title = "News"')
            assert "1 source changed" in site.feedd("reload").stdout
            begun = time.monotonic()
            assert daemon.end() == 0
            assert time.monotonic() - begun < 10
