"""add, import, export: what they print, what they write, and how they end."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result
from running import run, write_seed
from webserver import Reply, Request, Web

from feedd.cli import exchange
from feedd.cli.main import Commands
from feedd.config.load import load
from feedd.config.sources import FeedSource
from feedd.exchange.opml_in import read_opml

ATOM = """<?xml version="1.0" encoding="utf-8"?>
<feed xmlns="http://www.w3.org/2005/Atom"><title>{title}</title><id>urn:x</id><updated>2024-02-02T09:45:02Z</updated>
{entries}</feed>"""
ENTRY = """<entry><title>One</title><id>urn:x:1</id><updated>2024-02-02T09:45:02Z</updated>
<link href="https://example.org/1"/><summary>Words</summary></entry>"""
CONFIG = """\
# mine, with care
[server]
listen = "127.0.0.1:8080"

[fetch]
host_interval = "0s"

[sources.news]  # by hand
type = "directory"
path = "seeds"
"""
OPML = """<opml version="2.0"><body>
<outline text="Far East"><outline type="rss" text="Asahi" xmlUrl="https://example.jp/feed"/>
<outline type="rss" text="Again" xmlUrl="http://example.jp/feed"/></outline>
<outline type="link" text="A link" url="https://example.org/"/>
<outline type="rss" text="News" xmlUrl="feed://example.org/news.xml"/>
</body></opml>"""


def feed(title: str = "A site", entries: int = 1) -> str:
    return ATOM.format(title=title, entries=ENTRY * entries)


class Wired(Commands):
    """The commands of this part, as the command line has them: errors become words and an exit status."""

    def get_command(self, _: click.Context, cmd_name: str) -> click.Command | None:
        wired = (exchange.add, exchange.import_, exchange.export)
        return {each.name: each for each in wired}.get(cmd_name)


class Desk:
    """A configuration, and commands over it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / "config.toml"
        self.path.write_text(CONFIG)
        (root / "seeds").mkdir()

    def run(self, *words: str, status: int = 0, given: bytes | str | None = None) -> Result:
        runner = CliRunner()
        result = runner.invoke(Wired("feedd"), [*words, "--config", str(self.path)], input=given)
        assert result.exit_code == status, (result.exit_code, result.output, result.exception)
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    def json(self, *words: str, status: int = 0, given: bytes | str | None = None) -> Any:
        return json.loads(self.run(*words, "--json", status=status, given=given).stdout)

    def feedd(self, *words: str) -> str:
        """A command of another part, in a process of its own."""
        done = run([*words, "--config", str(self.path)], self.path.parent)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def entries(self) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = json.loads(self.feedd("entries", "--json"))
        return found

    def feeds(self) -> dict[str, FeedSource]:
        return {each.name: each for each in load(self.path).sources if isinstance(each, FeedSource)}

    def opml(self, text: str = OPML) -> str:
        (self.root / "subscriptions.opml").write_text(text)
        return str(self.root / "subscriptions.opml")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as made:
        yield made


def test_add_a_feed_by_its_address(desk: Desk, web: Web) -> None:
    url = web.page("/feed.xml", feed(entries=3), type="application/atom+xml")
    said = desk.run("add", url, "--allow-private", "--tag", "Desk 1", "--tag", "zh", "--every", "auto").stdout
    assert said == f"{url}: A site, 3 entries\nadded as a-site\n"
    assert desk.path.read_text() == (
        f'{CONFIG}\n[sources.a-site]\ntype = "feed"\nurl = "{url}"\ntitle = "A site"\n'
        'tags = ["Desk 1", "zh"]\nevery = "auto"\nallow_private = true\n'
    )
    assert desk.feeds()["a-site"].url == url
    assert "feedd" in web.requests[0].headers["user-agent"]


def test_add_twice_changes_nothing(desk: Desk, web: Web) -> None:
    url = web.page("/feed.xml", feed())
    desk.run("add", url, "--allow-private", "--name", "mine")
    before = desk.path.read_bytes()
    asked = len(web.requests)
    assert desk.run("add", f"{url}#top", "--allow-private").stdout == "subscribed already, as mine\n"
    assert len(web.requests) == asked
    web.page("/", f'<link rel="alternate" type="application/atom+xml" href="{url}">')
    said = desk.json("add", web.url + "/", "--allow-private")
    assert said == {"added": False, "name": "mine", "url": url, "title": "A site", "entries": 1, "others": []}
    assert desk.path.read_bytes() == before


HEAD = (
    '<html><head><link rel="alternate" type="application/rss+xml" href="{}"></head><body>Hello</body></html>'
)


def test_add_what_a_page_names(desk: Desk, web: Web) -> None:
    url = web.page("/blog/atom", feed("A blog"))
    web.page("/blog/comments", feed("Comments"))
    links = HEAD.format("atom") + HEAD.format("comments")
    page = web.page("/blog/", links)
    said = desk.json("add", page, "--allow-private")
    others = [web.url + "/blog/comments"]
    assert said == {
        "added": True,
        "name": "a-blog",
        "url": url,
        "title": "A blog",
        "entries": 1,
        "others": others,
    }
    assert web.count("/blog/comments") == 0


def test_headers_come_before_the_page_and_the_page_before_common_paths(desk: Desk, web: Web) -> None:
    url = web.page("/by-header", feed("By header"))
    web.page("/by-page", feed("By page"))
    web.page("/feed", feed("By path"))
    link = {"Link": '</by-header>; rel="alternate"; type="application/atom+xml", </hub>; rel="hub"'}
    page = web.page("/", HEAD.format("/by-page"), headers=link)
    assert desk.json("add", page, "--allow-private")["url"] == url
    web.page("/", HEAD.format("/by-page"))
    assert desk.json("add", page, "--allow-private")["name"] == "by-page"
    web.page("/", "<html><body>Hello</body></html>")
    assert desk.json("add", page, "--allow-private")["name"] == "by-path"
    assert list(desk.feeds()) == ["by-header", "by-page", "by-path"]


def test_a_feed_with_entries_comes_before_an_empty_one(desk: Desk, web: Web) -> None:
    web.page("/empty", feed("Empty", 0))
    web.page("/broken", "<html>no feed either</html>")
    full = web.page("/full", feed("Full"))
    page = web.page("/", "".join(map(HEAD.format, ("/gone", "/broken", "/empty", "/full"))))
    assert desk.json("add", page, "--allow-private")["url"] == full
    page = web.page("/x/", HEAD.format("/empty"))
    assert desk.json("add", page, "--allow-private")["name"] == "empty"


def test_the_headers_of_json_feed_and_websub(desk: Desk, web: Web) -> None:
    items = [{"id": "1", "content_text": "Words"}]
    made = json.dumps({"version": "https://jsonfeed.org/version/1.1", "title": "In JSON", "items": items})
    url = web.page("/x.json", made, type="application/feed+json")
    topic = web.page("/topic", feed("A topic"))
    link = '</x.json>; rel=alternate; type="application/feed+json"'
    page = web.page("/", "<p>Hello</p>", headers={"Link": link})
    assert desk.json("add", page, "--allow-private")["url"] == url
    page = web.page("/pushed", "<p>Hello</p>", headers={"Link": '</topic>; rel="self", </hub>; rel="hub"'})
    assert desk.json("add", page, "--allow-private")["url"] == topic


def test_a_missing_page_of_a_site_with_a_feed(desk: Desk, web: Web) -> None:
    url = web.page("/feed", feed())
    assert desk.json("add", web.url + "/no/such/page", "--allow-private")["url"] == url


def test_a_permanent_redirect_is_followed_for_good(desk: Desk, web: Web) -> None:
    url = web.page("/new", feed())
    old = web.redirect("/old", "/new", 301)
    now = web.redirect("/now", "/new", 302)
    assert desk.json("add", now, "--allow-private")["url"] == now
    assert desk.json("add", old, "--allow-private")["url"] == url


def test_nothing_to_find(desk: Desk, web: Web) -> None:
    page = web.page("/", "<html><body>Hello</body></html>")
    said = desk.run("add", page, "--allow-private", status=1)
    assert said.stdout == ""
    assert said.stderr.startswith(f"feedd: {page}: ")
    assert said.stderr.endswith("; no feed was found at the usual addresses\n")
    assert len(said.stderr.splitlines()) == 1
    assert desk.path.read_text() == CONFIG


def test_a_private_address_is_refused(desk: Desk, web: Web) -> None:
    url = web.page("/feed.xml", feed())
    said = desk.run("add", url, status=1)
    assert said.stderr.startswith("feedd: ")
    assert not web.requests
    assert desk.path.read_text() == CONFIG


def test_a_page_that_names_more_than_anybody_follows(desk: Desk, web: Web) -> None:
    page = web.page("/", "".join(HEAD.format(f"/{number}") for number in range(500)))
    desk.run("add", page, "--allow-private", status=1)
    assert len(web.requests) <= 30


def test_an_address_without_a_scheme(desk: Desk, web: Web) -> None:
    """https is tried before http."""
    web.page("/feed.xml", feed())
    host = web.url.removeprefix("http://")
    assert desk.json("add", f"{host}/feed.xml", "--allow-private")["url"] == f"http://{host}/feed.xml"


def test_the_schemes_that_only_say_feed(desk: Desk, web: Web) -> None:
    url = web.page("/feed.xml", feed())
    assert desk.json("add", f"feed:{url}", "--allow-private")["url"] == url
    assert not desk.json("add", url.replace("http:", "feed:"), "--allow-private")["added"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["ftp://example.org/"], "is not a web address"),
        (["https://me:hunter2@example.org/"], "the address holds a user or password"),
        (["https://example.org/", "--name", "All"], "'All' is not a name"),
        (["https://example.org/", "--name", "all"], "sources.all: the name is taken already"),
        (["https://example.org/", "--name", "news"], "sources.news: the name is taken already"),
        (["https://example.org/", "--every", "5x"], "'5x' is not a duration"),
    ],
)
def test_wishes_that_can_not_be_met(desk: Desk, words: list[str], why: str) -> None:
    said = desk.run("add", *words, status=2)
    assert why in said.stderr
    assert "hunter2" not in said.output
    assert desk.path.read_text() == CONFIG


def test_a_title_that_is_no_name(desk: Desk, web: Web) -> None:
    url = web.page("/feed.xml", feed("日本\n  新闻 \u202e"))
    assert desk.json("add", url, "--allow-private")["name"] == "127-0-0-1"
    assert desk.feeds()["127-0-0-1"].title == "日本 新闻 \u202e"


def test_a_server_that_hangs_up(desk: Desk, web: Web) -> None:
    def first_only(_: Request) -> Reply:
        return Reply(HEAD.format("/hangs"))

    page = web.script("/", first_only)
    web.raw("/hangs", lambda wire: wire.send(b"HTTP/1.1 200"))
    url = web.page("/feed", feed())
    assert desk.json("add", page, "--allow-private")["url"] == url


def test_import(desk: Desk) -> None:
    said = desk.json("import", desk.opml())
    assert said == {
        "imported": [
            {"name": "asahi", "url": "https://example.jp/feed"},
            {"name": "news-2", "url": "http://example.org/news.xml"},
        ],
        "skipped": [
            {"what": "Again", "why": "it is in the file before, as Asahi"},
            {"what": "A link", "why": "it is a link to another document (type link), not a feed"},
        ],
    }
    assert desk.path.read_text() == (
        f'{CONFIG}\n[sources.asahi]\ntype = "feed"\nurl = "https://example.jp/feed"\ntitle = "Asahi"\n'
        'tags = ["far-east"]\n\n'
        '[sources.news-2]\ntype = "feed"\nurl = "http://example.org/news.xml"\ntitle = "News"\n'
    )


def test_import_again_imports_nothing(desk: Desk) -> None:
    desk.run("import", desk.opml())
    before = desk.path.read_bytes()
    said = desk.json("import", desk.opml())
    assert said["imported"] == []
    assert {"what": "Asahi", "why": "it is in the configuration already, as asahi"} in said["skipped"]
    assert desk.path.read_bytes() == before


def test_import_dry_run_and_from_standard_input(desk: Desk) -> None:
    said = desk.run("import", "-", "--dry-run", given=OPML)
    assert said.stdout == (
        "asahi: https://example.jp/feed\nnews-2: http://example.org/news.xml\n"
        "skipped Again: it is in the file before, as Asahi\n"
        "skipped A link: it is a link to another document (type link), not a feed\n"
    )
    assert said.stderr == "2 would be imported, 2 skipped\n"
    assert desk.path.read_text() == CONFIG
    assert desk.run("import", "-", given=OPML).stderr == "2 imported, 2 skipped\n"
    assert list(desk.feeds()) == ["asahi", "news-2"]


def test_import_of_what_is_no_opml(desk: Desk) -> None:
    path = desk.opml("<rss/>")
    words = "it is no OPML document: it has no <opml> element; feedd imports OPML, as other readers export it"
    assert desk.run("import", path, status=1).stderr == f"feedd: {path}: {words}\n"
    assert "No such file" in desk.run("import", str(desk.root / "none.opml"), status=2).stderr
    (desk.root / "large").write_bytes(b" " * 50_000_001)
    assert "is larger than 50 MB" in desk.run("import", str(desk.root / "large"), status=1).stderr


def test_import_into_a_configuration_with_mistakes(desk: Desk) -> None:
    desk.path.write_text(CONFIG + "paht = 1\n")
    assert "sources.news.paht: unknown key" in desk.run("import", desk.opml(), status=2).stderr
    assert desk.path.read_text() == CONFIG + "paht = 1\n"


def test_export_and_import_elsewhere(desk: Desk, tmp_path: Path) -> None:
    desk.run("import", desk.opml())
    exported = desk.run("export").stdout_bytes
    assert [each.url for each in read_opml(exported).subscriptions] == [
        "https://example.jp/feed",
        "http://example.org/news.xml",
    ]
    (tmp_path / "other").mkdir()
    other = Desk(tmp_path / "other")
    said = other.json("import", "-", given=exported)
    assert [each["name"] for each in said["imported"]] == ["asahi", "news-2"]
    assert other.path.read_text() == desk.path.read_text()


def test_export_entries_as_json_lines(desk: Desk) -> None:
    for number in range(3):
        write_seed(desk.root / f"seeds/{number}.md", f"标题 {number}", time_ms=1_706_867_102_000 + number)
    desk.feedd("update")
    lines = [json.loads(line) for line in desk.run("export", "--format", "jsonl").stdout.splitlines()]
    assert [each["title"] for each in lines] == ["标题 2", "标题 1", "标题 0"]
    assert lines[0]["text"] == "Some words."
    assert {each["id"] for each in lines} == {each["id"] for each in desk.entries()}


def test_export_entries_as_seed_files(desk: Desk, tmp_path: Path) -> None:
    write_seed(desk.root / "seeds/a.md", "One [x] (y)", "<p>a</p><pre>b&#10;c</pre>")
    write_seed(desk.root / "seeds/b.md", "Two", "<p>b</p>")
    undated = write_seed(desk.root / "seeds/c.md", "Three", "<p>c</p>")
    undated.write_text(undated.read_text().replace("<!--1706867102000-->", "<!--NaN-->"))
    desk.feedd("update")
    (tmp_path / "other").mkdir()
    other = Desk(tmp_path / "other")
    said = desk.run("export", "--format", "seeds", str(other.root / "seeds"))
    assert said.stderr == "3 written, 0 skipped\n"
    other.feedd("update")
    mine, theirs = (
        sorted(({**each, "id": 0} for each in place.entries()), key=lambda each: str(each["uid"]))
        for place in (desk, other)
    )
    assert mine == theirs
    assert "takes the folder" in desk.run("export", "--format", "seeds", status=2).stderr
    assert "takes the folder" in desk.run("export", "x", status=2).stderr
