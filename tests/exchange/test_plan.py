"""What an import appends, and what it leaves out."""

from pathlib import Path

from feedd.config.load import load
from feedd.config.settings import Config
from feedd.exchange.opml_in import Subscription
from feedd.exchange.plan import planned
from feedd.exchange.toml_file import NewSource

CONFIG = """
[server]
listen = "127.0.0.1:8080"
[sources.folder]
type = "directory"
path = "seeds"
[sources.blog]
type = "feed"
url = "http://Example.org:80/feed#top"
[feeds.mine]
sources = ["blog"]
"""


def config(tmp_path: Path) -> Config:
    (tmp_path / "config.toml").write_text(CONFIG)
    return load(tmp_path / "config.toml")


def test_nothing_twice(tmp_path: Path) -> None:
    wanted = [
        Subscription("https://example.org/feed?utm_source=opml", "Mine"),
        Subscription("https://example.org/other", "Other"),
        Subscription("http://example.org/other", "Other again"),
    ]
    assert planned(config(tmp_path), wanted) == (
        (NewSource("other", "https://example.org/other", "Other"),),
        (
            ("Mine", "it is in the configuration already, as blog"),
            ("Other again", "it is in the configuration already, as other"),
        ),
    )


def test_names_are_free(tmp_path: Path) -> None:
    """A source must not be named as a feed of the configuration: it would become that feed."""
    titles = ("Folder", "Blog", "Mine", "All", "blog-2", "中文")
    wanted = [Subscription(f"https://e{n}.example.org/", title) for n, title in enumerate(titles)]
    made = planned(config(tmp_path), wanted).imported
    names = ["folder-2", "blog-2", "mine-2", "all-2", "blog-2-2", "e5-example-org"]
    assert [each.name for each in made] == names
    assert [each.title for each in made] == list(titles)


def test_a_title_that_is_the_name_is_not_repeated(tmp_path: Path) -> None:
    wanted = [Subscription("https://example.org/a", "heise"), Subscription("https://example.org/b", "")]
    assert [each.title for each in planned(config(tmp_path), wanted).imported] == [None, None]


def test_what_the_configuration_would_refuse_is_skipped(tmp_path: Path) -> None:
    wanted = [Subscription("https://a:b@example.org/", "A"), Subscription("https://example.org:0/", "B")]
    made = planned(config(tmp_path), wanted)
    assert not made.imported
    assert [what for what, _ in made.skipped] == ["A", "B"]
