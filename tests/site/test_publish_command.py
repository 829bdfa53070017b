"""`feedd publish`, and the daemon's own publishing."""

import asyncio
import json
import logging
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from published import Desktop
from running import Site, until
from shelf import Piece

from feedd.site import publisher
from feedd.site.publisher import Publisher


def test_the_command(tmp_path: Path) -> None:
    site = Site(tmp_path, more='[publish]\ndirectory = "public"\n')
    assert "there is no database yet" in site.feedd("publish", status=2).stderr
    site.seed("one.txt", "First")
    site.feedd("update")
    done = site.json("publish")
    assert "feeds/news.atom" in done["written"]
    assert (done["directory"], done["removed"], done["kept"]) == (str(tmp_path / "public"), [], 0)
    assert " 0 written, 0 removed, " in site.feedd("publish").stdout
    (tmp_path / "public/feeds/news.atom").write_text("mine")
    done = site.feedd("publish", status=1)
    assert "feedd: " in done.stderr
    assert "left as it is: feeds/news.atom was changed by another program" in done.stderr
    assert "take it away" in done.stderr


def test_without_a_directory(tmp_path: Path) -> None:
    assert "write [publish] with directory" in Site(tmp_path).feedd("publish", status=2).stderr


def test_what_check_says(tmp_path: Path) -> None:
    site = Site(tmp_path, more='[publish]\ndirectory = "no/where"\ncommand = ["./carry"]\n')
    warnings = " ".join(site.json("check")["warnings"])
    assert f"server.base_url: is missing, so that what is published names itself by {site.url}/" in warnings
    assert "publish.directory: the folder" in warnings
    assert "publish.command: ./carry is no program that can be run" in warnings


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desktop]:
    made = Desktop(tmp_path, publish="pages = false")
    yield made
    made.shelf.close()


def test_the_daemon_keeps_it_up(
    desk: Desktop, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(publisher, "PAUSE_S", 0.05)
    feed = desk.public / "feeds/all.json"

    def titles() -> list[str]:
        try:
            return [item["title"] for item in json.loads(feed.read_bytes())["items"]]
        except FileNotFoundError:
            return []

    async def story() -> None:
        task = asyncio.create_task(Publisher(desk.shelf.config, desk.shelf.desk, desk.shelf.feeds).run())
        await asyncio.to_thread(until, lambda: len(titles()) == 3)
        desk.look("a", Piece("four", "Fourth"))
        await asyncio.to_thread(until, lambda: "Fourth" in titles())
        (desk.public / "feeds/all.rss").write_text("mine")
        desk.look("a", Piece("five", "Fifth"))
        await asyncio.to_thread(until, lambda: "was changed by another program" in caplog.text)
        desk.look("a", Piece("six", "Sixth"))
        await asyncio.to_thread(until, lambda: "Sixth" in titles())
        (desk.public / "feeds/all.rss").unlink()
        desk.look("a", Piece("seven", "Seventh"))
        await asyncio.to_thread(until, lambda: "publish: works again" in caplog.text)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)

    with caplog.at_level(logging.INFO):
        asyncio.run(story())
    said = [record.message for record in caplog.records]
    assert len(said) == 2  # once, until it changed
    assert said[0].startswith("publish: ")


def test_where_nothing_is_to_be_published(tmp_path: Path) -> None:
    desk = Desktop(tmp_path)
    bare = desk.shelf.config.model_copy(update={"publish": None})
    asyncio.run(asyncio.wait_for(Publisher(bare, desk.shelf.desk, desk.shelf.feeds).run(), 5))
    assert not desk.public.exists()
    desk.shelf.close()


def test_what_goes_wrong_is_in_the_health_feed(tmp_path: Path) -> None:
    """A directory that is not feedd's, then a command that fails: told while it lasts."""
    wish = '[publish]\ndirectory = "public"\npages = false\ncommand = ["./carry"]\n'
    site = Site(tmp_path, "watch = true", wish)
    carry, thesis = tmp_path / "carry", tmp_path / "public/thesis.odt"
    carry.write_text("#!/bin/sh\necho no route >&2\nexit 3\n")
    carry.chmod(0o755)
    thesis.parent.mkdir()
    thesis.write_text("years")
    site.seed("1.md", "The first")

    def health() -> dict[str, str]:
        items = httpx.get(f"{site.url}/feeds/health.json", trust_env=False).json()["items"]
        return {item["title"]: item["content_html"] for item in items}

    def again(timeout: str) -> None:
        """At once: by itself it would be after ten seconds."""
        site.configure("watch = true", f'{wish}timeout = "{timeout}"\n')
        site.feedd("reload")

    with site.running() as daemon:
        until(lambda: "is not empty" in health().get("feedd can't publish its files", ""))
        thesis.unlink()
        again("1m")
        until(
            lambda: "the command after publishing failed" in health().get("feedd can't publish its files", "")
        )
        assert "no route" not in str(health())  # what a program says may be secret
        assert "no route" in daemon.log()
        carry.write_text("#!/bin/sh\ncat > carried\n")
        again("2m")
        until(lambda: list(health()) == ["feedd publishes its files again"])
        assert "feeds/news.atom\n" in (tmp_path / "carried").read_text()
