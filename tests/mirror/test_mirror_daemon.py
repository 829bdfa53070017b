"""Archives beside a running daemon, and behind an update: kept up to date, over a reload, and told of when they can't be."""

from pathlib import Path

import httpx
from running import Site, until

MIRROR = '[archive.public]\ndirectory = "archive"\n'


def files(site: Site) -> set[str]:
    return {path.name for path in (site.root / "archive").glob("news/*.md")}


def health(site: Site) -> list[str]:
    items = httpx.get(f"{site.url}/feeds/health.json", trust_env=False).json()["items"]
    return [item["title"] for item in items]


def test_it_follows_what_a_daemon_finds_and_trouble_is_in_the_health_feed(tmp_path: Path) -> None:
    site = Site(tmp_path, "watch = true", MIRROR)
    site.seed("1.md", "The first")
    with site.running():
        until(lambda: len(files(site)) == 1)
        (site.root / "elsewhere").mkdir()
        (site.root / "elsewhere" / "a letter").write_text("not feedd's", encoding="utf-8")
        site.configure("watch = true", MIRROR.replace('"archive"', '"elsewhere"'))
        site.feedd("reload")
        until(lambda: health(site) == ["feedd can't keep an archive up to date"])
        site.seed("2.md", "The second")
        site.configure("watch = true", MIRROR)
        site.feedd("reload")
        until(lambda: health(site) == ["feedd keeps its archives up to date again"])
        until(lambda: len(files(site)) == 2)


def test_an_update_brings_them_up_to_date(tmp_path: Path) -> None:
    site = Site(tmp_path, more=MIRROR)
    site.seed("1.md", "The first")
    site.feedd("update")
    assert len(files(site)) == 1
    (site.root / "archive" / ".feedd-mirror.json").unlink()
    site.seed("2.md", "The second")
    done = site.feedd("update", status=1)
    assert "archive.public" in done.stderr
