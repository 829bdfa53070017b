"""Two daemons: one is the hub of its feeds, the other subscribes to one of them."""

from pathlib import Path

from running import Daemon, Site, until


def follower(root: Path, followed: Site) -> Site:
    """A site whose one source is a feed of the other's, looked at once an hour."""
    made = Site(root)
    made.config.write_text(
        f'[server]\nlisten = "127.0.0.1:{made.port}"\nbase_url = "{made.url}/"\n'
        f'[sources.followed]\ntype = "feed"\nurl = "{followed.url}/feeds/news.atom"\nallow_private = true\n'
        "robots = false\n"
    )
    return made


def test_what_is_added_and_edited_here_arrives_there_by_push(tmp_path: Path) -> None:
    hub = Site(tmp_path / "hub", source="watch = true", more="[websub]\nallow_private = true\n")
    hub.seed("first.md", "The first one")
    there = follower(tmp_path / "there", hub)
    with hub.running() as ours, there.running() as theirs:
        until(lambda: theirs.titles("followed") == ["The first one"])
        until(lambda: pushed(there)["state"] == "active")
        hub.seed("second.md", "The second one")
        until(lambda: "The second one" in theirs.titles("followed"))
        hub.seed("second.md", "The second one", "<p>Other words altogether.</p>")
        until(lambda: "Other words" in contents(theirs))
        assert ours.get("/feeds/news.atom").status_code == 200
        (source,) = there.json("sources")
        assert source["push"]["pushed"] > source["last_checked"]
        there.feedd("update", "followed")
        (source,) = there.json("sources")
        assert "hub" in source["next_check_because"]
    edits = [each["change"] for each in there.json("history", "2")]
    assert edits[0] == "added"
    assert len(edits) == 2


def pushed(site: Site) -> dict[str, str | None]:
    (source,) = site.json("sources")
    return source["push"] or {"state": None}


def contents(daemon: Daemon) -> str:
    return "".join(item["content_html"] for item in daemon.items("followed"))
