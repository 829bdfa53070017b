"""What an appended source leaves as it was: everything."""

import os
import stat
import subprocess
import sys
import threading
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nobody import NOBODY, open_folder

from feedd.config.load import load
from feedd.config.sources import FeedSource
from feedd.errors import ConfigError, UsageError
from feedd.exchange.toml_file import CannotWrite, NewSource, append_sources, rendered, replace

FILE = """\
# feedd's configuration, with care

include = ["more/*.toml"]

[server]   # here
listen = "127.0.0.1:8080"

[sources.b]
type = "directory"
path = "seeds"   # relative

# about a
[sources.a]
type = "directory"
path = 'other'

[feeds.mine]
sources = ["a",
  "b", # two
]
# the end
"""
BLOG = NewSource("blog", "https://example.org/feed.xml", 'A "blog"', ("news", "日本"))
BLOG_TEXT = """\
[sources.blog]
type = "feed"
url = "https://example.org/feed.xml"
title = "A \\"blog\\""
tags = ["news", "日本"]
"""
ATTEMPT = f"""
import os
from pathlib import Path
from feedd.config.load import load
from feedd.exchange.toml_file import CannotWrite, NewSource, append_sources
load(Path("config.toml"))  # imports what it needs while it may
if os.geteuid() == 0:
    os.setresuid({NOBODY}, {NOBODY}, {NOBODY})
try:
    append_sources(Path("config.toml"), [NewSource("blog", "https://example.org/")])
except CannotWrite as error:
    print(error)
"""
WRITTEN = st.text(st.characters(exclude_categories=["Cs"]))


def configured(tmp_path: Path, text: str = FILE) -> Path:
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode())
    return path


def feeds(path: Path) -> dict[str, FeedSource]:
    return {each.name: each for each in load(path).sources if isinstance(each, FeedSource)}


@pytest.mark.parametrize(
    ("before", "between"),
    [
        (FILE, "\n"),
        (FILE.removesuffix("\n"), "\n\n"),
        (FILE + "\n", ""),
        (FILE + "\n\n\n", ""),
        (FILE.replace("\n", "\r\n"), "\r\n"),
        (FILE.replace("\n", "\r\n").removesuffix("\r\n"), "\r\n\r\n"),
        (FILE.replace("\n", "\r\n") + "\r\n", ""),
        ("\ufeff" + FILE, "\n"),
        ("", ""),
        ("\n", ""),
        ("\ufeff", ""),
        ("# nothing yet", "\n\n"),
        ("[sources]\n", "\n"),
        ('sources.a.type = "directory"\nsources.a.path = "x"\n', "\n"),
        ('[sources]\na = {type = "directory", path = "x"}\n', "\n"),
    ],
)
def test_every_byte_stays(tmp_path: Path, before: str, between: str) -> None:
    path = configured(tmp_path, before)
    append_sources(path, [BLOG])
    end = "\r\n" if "\r\n" in before else "\n"
    assert path.read_bytes().decode() == before + between + BLOG_TEXT.replace("\n", end)
    (blog,) = feeds(path).values()
    assert (blog.name, blog.url, blog.title, blog.tags) == BLOG[:4]


def test_one_after_the_other(tmp_path: Path) -> None:
    path = configured(tmp_path)
    append_sources(path, [BLOG, BLOG._replace(name="c", tags=(), title=None, every="auto")])
    append_sources(path, [NewSource("d", "http://127.0.0.1/", allow_private=True, every="10m")])
    append_sources(path, [])
    assert path.read_text() == (
        f"{FILE}\n{BLOG_TEXT}\n"
        '[sources.c]\ntype = "feed"\nurl = "https://example.org/feed.xml"\nevery = "auto"\n\n'
        '[sources.d]\ntype = "feed"\nurl = "http://127.0.0.1/"\nevery = "10m"\nallow_private = true\n'
    )
    assert list(feeds(path)) == ["blog", "c", "d"]
    assert feeds(path)["d"].allow_private


def test_sources_in_one_inline_table(tmp_path: Path) -> None:
    text = '# mine\nsources = {a = {type = "directory", path = "x"}}  # all\n\n[server]\nlisten = "127.0.0.1:1"\n'
    path = configured(tmp_path, text)
    append_sources(path, [BLOG])
    after = path.read_text()
    assert after.startswith('# mine\nsources = {a = {type = "directory", path = "x"}')
    assert after.endswith('# all\n\n[server]\nlisten = "127.0.0.1:1"\n')
    assert feeds(path)["blog"].tags == BLOG.tags


def test_sources_in_other_files(tmp_path: Path) -> None:
    (tmp_path / "more").mkdir()
    other = tmp_path / "more/x.toml"
    other.write_text('[sources.x]\ntype = "feed"\nurl = "https://example.org/x"\n')
    path = configured(tmp_path)
    append_sources(path, [BLOG])
    assert list(feeds(path)) == ["blog", "x"]
    with pytest.raises(ConfigError, match="the name is taken already in"):
        append_sources(path, [NewSource("x", "https://example.org/y")])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[sources.b\n", "config.toml: is not valid TOML"),
        ("[sources.b]\npaht = 1\n", "config.toml: sources.b"),
        ('[server]\nlisten = "nowhere"\n', "config.toml: server.listen"),
        ("sources = 1\n", "write each source as a table"),
        (
            '[sources.blog]\ntype = "feed"\nurl = "https://example.org/"\n',
            "config.toml: sources.blog: the name is taken",
        ),
        (
            'sources = {blog = {type = "feed", url = "https://example.org/"}}',
            "config.toml: sources.blog: the name is taken",
        ),
    ],
)
def test_a_file_with_mistakes_stays(tmp_path: Path, text: str, words: str) -> None:
    path = configured(tmp_path, text)
    with pytest.raises((ConfigError, UsageError), match=words):
        append_sources(path, [BLOG])
    assert path.read_text() == text
    assert os.listdir(tmp_path) == ["config.toml"]


@pytest.mark.parametrize(
    "new",
    [
        BLOG._replace(url="ftp://example.org/"),
        BLOG._replace(every="5x"),
        BLOG._replace(name="all"),
        BLOG._replace(type="fed"),
        BLOG._replace(name="mine"),
    ],
)
def test_a_source_that_would_be_a_mistake_is_not_written(tmp_path: Path, new: NewSource) -> None:
    path = configured(tmp_path)
    with pytest.raises(ConfigError):
        append_sources(path, [BLOG._replace(name="good"), new])
    assert path.read_text() == FILE
    assert os.listdir(tmp_path) == ["config.toml"]


@pytest.mark.parametrize("text", [FILE, "sources = {}\n"])
def test_one_name_twice(tmp_path: Path, text: str) -> None:
    path = configured(tmp_path, text)
    with pytest.raises(ConfigError, match=r"config\.toml: sources\.blog: the name is taken"):
        append_sources(path, [BLOG, BLOG._replace(url="https://example.org/other")])
    assert path.read_text() == text


def test_no_file_yet(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"config\.toml: there is no such file; make one first"):
        append_sources(tmp_path / "config.toml", [BLOG])
    assert not os.listdir(tmp_path)


def test_mode_owner_and_link_stay(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "home").mkdir()
    real = configured(tmp_path / "etc", FILE)
    real.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(real, 12345, 54321)
    before = real.stat()
    link = tmp_path / "home/config.toml"
    link.symlink_to("../etc/config.toml")
    append_sources(link, [BLOG])
    after = real.stat()
    assert link.is_symlink()
    assert (after.st_uid, after.st_gid, stat.S_IMODE(after.st_mode)) == (before.st_uid, before.st_gid, 0o640)
    assert after.st_mtime_ns > before.st_mtime_ns
    assert list(feeds(link)) == ["blog"]
    assert os.listdir(tmp_path / "etc") == os.listdir(tmp_path / "home") == ["config.toml"]


def test_what_a_link_names_is_relative_to_the_link(tmp_path: Path) -> None:
    """As the daemon sees it: the folder of a configuration is that of the path by which it is named."""
    (tmp_path / "home/more").mkdir(parents=True)
    (tmp_path / "home/more/x.toml").write_text(
        '[sources.blog]\ntype = "feed"\nurl = "https://example.org/x"\n'
    )
    link = tmp_path / "home/config.toml"
    link.symlink_to(configured(tmp_path))
    with pytest.raises(ConfigError, match="taken already"):
        append_sources(link, [BLOG])


def test_a_folder_that_cannot_be_written() -> None:
    with open_folder() as folder:
        path = configured(folder)
        path.chmod(0o644)
        folder.chmod(0o555)
        command = [sys.executable, "-W", "error", "-c", ATTEMPT]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)
        words = "config.toml can't be written: Permission denied; it is as it was\n"
        assert (done.stdout, done.stderr) == (words, "")
        assert path.read_text() == FILE


def test_many_at_once_lose_nothing(tmp_path: Path) -> None:
    path = configured(tmp_path)
    news = [NewSource(f"n{number}", f"https://example.org/{number}") for number in range(12)]
    threads = [threading.Thread(target=append_sources, args=(path, [each])) for each in news]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(feeds(path)) == sorted(each.name for each in news)
    assert path.read_text().startswith(FILE)


def test_what_somebody_else_wrote_meanwhile_stays(tmp_path: Path) -> None:
    path = configured(tmp_path)
    before = path.stat()
    path.write_text(FILE + "# and more\n")
    with pytest.raises(CannotWrite, match="was changed by another program meanwhile"):
        replace(path, b"", before)
    assert path.read_text() == FILE + "# and more\n"
    assert os.listdir(tmp_path) == ["config.toml"]


@given(url=WRITTEN, title=WRITTEN, tags=st.lists(WRITTEN))
def test_any_text_is_spelled_so_that_toml_reads_it(url: str, title: str, tags: list[str]) -> None:
    made = rendered([NewSource("a", url, title, tuple(tags)), NewSource("b", "https://example.org/")])
    found = tomllib.loads(made)["sources"]
    stated = {"type": "feed", "url": url, "title": title}
    assert found["a"] == ({**stated, "tags": tags} if tags else stated)
    assert found["b"] == {"type": "feed", "url": "https://example.org/"}
    assert tomllib.loads(made.replace("\n", "\r\n"))["sources"] == found
