"""`[archive.NAME]`: what is refused, in words."""

from pathlib import Path

import pytest

from feedd.config.load import load
from feedd.config.mirrors import Author, Mirror
from feedd.errors import ConfigError

SOURCES = (
    '[sources.rfi]\ntype = "directory"\npath = "seeds/rfi"\ntags = ["zh"]\n'
    '[sources.blog]\ntype = "feed"\nurl = "https://example.org/feed"\n'
    '[sources.own]\ntype = "git"\npath = "repository"\n'
    '[feeds.japan]\nmatch = { title = "Japan" }\n[feeds.edits]\nchanges = "all"\n'
)
OUT = '[archive.out]\ndirectory = "out"\n'


def loaded(root: Path, toml: str) -> tuple[Mirror, ...]:
    path = root / "config.toml"
    path.write_text(SOURCES + toml)
    return load(path).mirrors


def test_what_is_not_said(tmp_path: Path) -> None:
    (mirror,) = loaded(tmp_path, OUT)
    assert mirror.directory == tmp_path / "out"
    assert (mirror.git, mirror.push, mirror.list) == (False, None, 300)
    assert mirror.author == Author("feedd", "feedd@localhost")


def test_what_is_said(tmp_path: Path) -> None:
    more = (
        'git = true\npush = "public"\nauthor = "A. B. <a@example.org>"\nlist = 5\nfeeds = ["japan", "blog"]\n'
    )
    (mirror,) = loaded(tmp_path, OUT + more + 'sources = ["tag:zh"]\n')
    assert mirror.push == "public"
    assert mirror.author == Author("A. B.", "a@example.org")
    assert mirror.feeds == ("japan", "blog")


@pytest.mark.parametrize(
    ("toml", "mistake"),
    [
        ("[archive.out]\n", "archive.out.directory: is missing"),
        (OUT + "lists = 3\n", "archive.out.lists: unknown key; did you mean 'list'?"),
        (OUT + "list = 0\n", "archive.out.list: 0 is out of bounds"),
        (OUT + 'name = "x"\n', "archive.out.name: unknown key; the name stands in the table's heading"),
        (OUT + "push = true\n", "archive.out: push needs git = true"),
        (OUT + 'git = true\npush = "--all"\n', "archive.out.push: '--all' is not the name of a remote"),
        (OUT + 'git = true\nauthor = "Jo"\n', "archive.out.author: 'Jo' is not an author; write one such as"),
        (OUT + 'git = true\nauthor = ". <a@b>"\n', "archive.out.author: '. <a@b>' is not an author; write one"),
        (OUT + 'author = "Jo\\nDoe <a@b>"\n', "archive.out.author: "),
        (OUT + 'sources = ["rif"]\n', "archive.out.sources: 'rif' is no source"),
        (OUT + 'sources = ["tag:x"]\n', "archive.out.sources: 'tag:x' is no tag of any source"),
        (OUT + 'feeds = ["x"]\n', "archive.out.feeds: 'x' is no feed"),
        (OUT + 'feeds = ["edits"]\n', "archive.out.feeds: the feed 'edits' shows no entries"),
        (OUT + 'feeds = ["health"]\n', "archive.out.feeds: the feed 'health' shows no entries"),
        (OUT + 'sources = ["tag:zh"]\nfeeds = ["rfi"]\n', "the folder 'rfi' is that of the source already"),
        ('[archive.a]\ndirectory = "seeds"\n', "/seeds/rfi, which sources.rfi reads, are not apart"),
        ('[archive.a]\ndirectory = "seeds/rfi/x"\n', "/seeds/rfi, which sources.rfi reads, are not apart"),
        ('[archive.a]\ndirectory = "repository"\n', "/repository, which sources.own reads, are not apart"),
        (OUT + '[archive.b]\ndirectory = "./x/../out"\n', "archive.b.directory: "),
        (OUT + '[archive.b]\ndirectory = "out/b"\n', "/out, which archive.out writes, are not apart; write another folder"),
    ],
)  # fmt: skip
def test_a_mistake_is_said(tmp_path: Path, toml: str, mistake: str) -> None:
    with pytest.raises(ConfigError) as found:
        loaded(tmp_path, toml)
    (only,) = found.value.mistakes
    assert mistake in only
