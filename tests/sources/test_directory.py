"""Which files of a folder are read, and what is refused: real folders with everything in them that may be."""

import os
import socket
import time
from pathlib import Path

import pytest
from nobody import as_nobody, open_folder
from place import seed

from feedd.errors import SourceError
from feedd.model import Item, Rejected, Stamp
from feedd.sources.directory import (
    Found,
    Known,
    Listing,
    Reading,
    Selection,
    Waiting,
    pick,
    scan,
    survey,
)
from feedd.sources.files import read_file

DEFAULTS = ("**/*.md", "**/*.txt", "**/*.html")
SECOND_NS = 10**9
LATER_NS = time.time_ns() + 3600 * SECOND_NS
LONG_AGO_NS = 1_700_000_000 * SECOND_NS


def make(root: Path, *paths: str) -> None:
    for path in paths:
        file = root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(seed(path.encode("ascii", "replace").decode()), encoding="utf-8")
        os.utime(file, ns=(0, LONG_AGO_NS))


def listed(root: Path, include: tuple[str, ...] = DEFAULTS, exclude: tuple[str, ...] = ()) -> list[str]:
    return [found.path for found in scan(root, Selection(include, exclude), {}).changed]


def everything(root: Path, known: Known | None = None) -> Listing:
    return scan(root, Selection(DEFAULTS, ()), known or {})


def refused(root: Path) -> dict[str, str]:
    return {each.where: each.reason for each in everything(root).rejected}


def known_of(listing: Listing) -> Known:
    return {each.path: (each.stamp.size, each.stamp.mtime_ns, each.stamp.inode) for each in listing.changed}


def found(root: Path, path: str) -> Found:
    info = os.stat(root / path)
    return Found(path, Stamp(info.st_size, info.st_mtime_ns, info.st_ino))


def read(root: Path, path: str, now_ns: int = LATER_NS) -> Item | Rejected | Waiting:
    return read_file(Reading(str(root), None, ignore_scheme=False), found(root, path), now_ns)


# Selection


@pytest.mark.parametrize(
    ("include", "exclude", "path", "chosen"),
    [
        (DEFAULTS, (), "a.md", True),
        (DEFAULTS, (), "sub/deep/a.txt", True),
        (DEFAULTS, (), "a.html", True),
        (DEFAULTS, (), "a.MD", False),
        (DEFAULTS, (), "a.json", False),
        (DEFAULTS, (), "md", False),
        (DEFAULTS, (), "新闻/标题.md", True),
        (DEFAULTS, ("drafts/**",), "drafts/a.md", False),
        (DEFAULTS, ("drafts/**",), "sub/drafts/a.md", True),
        (DEFAULTS, ("**/drafts/**",), "sub/drafts/a.md", False),
        (DEFAULTS, ("**/README.md",), "README.md", False),
        (DEFAULTS, ("**/README.md",), "sub/README.md", False),
        (DEFAULTS, ("README.md",), "sub/README.md", True),
        (("*.md",), (), "a.md", True),
        (("*.md",), (), "sub/a.md", False),
        (("news/*.md",), (), "news/a.md", True),
        (("news/*.md",), (), "news/sub/a.md", False),
        (("news/**",), (), "news/sub/a.anything", True),
        (("**/[0-9]*.md",), (), "sub/1048575_x.md", True),
        (("**/[0-9]*.md",), (), "sub/x.md", False),
        (("**/[!0-9]*.md",), (), "x.md", True),
        (("**/[!0-9]*.md",), (), "1.md", False),
        (("?.md",), (), "a.md", True),
        (("?.md",), (), "ab.md", False),
        (("?.md",), (), "/.md", False),
        (("a+(b).md",), (), "a+(b).md", True),
        (("a+(b).md",), (), "aab.md", False),
        (("**/*",), (), "with\nline feed", True),
        ((), (), "a.md", False),
    ],
)
def test_globs(include: tuple[str, ...], exclude: tuple[str, ...], path: str, *, chosen: bool) -> None:
    assert (path in Selection(include, exclude)) is chosen


def test_the_walk_goes_by_them(tmp_path: Path) -> None:
    make(tmp_path, "a.md", "b.txt", "c.html", "d.json", "sub/e.md", "sub/drafts/f.md", ".git/g.md", ".h.md")
    assert listed(tmp_path) == ["a.md", "b.txt", "c.html", "sub/drafts/f.md", "sub/e.md"]
    assert listed(tmp_path, ("*.md",)) == ["a.md"]
    assert listed(tmp_path, ("**/*.md",), ("**/drafts/**",)) == ["a.md", "sub/e.md"]


# What changed, what is gone


def test_a_file_changed_if_its_stamp_did(tmp_path: Path) -> None:
    make(tmp_path, "same.md", "size.md", "mtime.md", "inode.md", "gone.md")
    known = known_of(everything(tmp_path))
    assert everything(tmp_path, known)[:3] == (5, [], [])
    (tmp_path / "size.md").write_text("longer than it was" * 50, encoding="utf-8")
    os.utime(tmp_path / "size.md", ns=(0, LONG_AGO_NS))
    os.utime(tmp_path / "mtime.md", ns=(0, LONG_AGO_NS + 1))
    make(tmp_path, "copy.md")
    (tmp_path / "copy.md").write_bytes((tmp_path / "inode.md").read_bytes())
    os.utime(tmp_path / "copy.md", ns=(0, LONG_AGO_NS))
    (tmp_path / "copy.md").rename(tmp_path / "inode.md")
    (tmp_path / "gone.md").unlink()
    listing = everything(tmp_path, known)
    assert [each.path for each in listing.changed] == ["inode.md", "mtime.md", "size.md"]
    assert (listing.present, listing.gone) == (4, ["gone.md"])


def test_the_digest_of_a_listing_tells_any_change(tmp_path: Path) -> None:
    make(tmp_path, "a.md", "sub/b.md")
    digests = {
        survey(tmp_path, Selection(DEFAULTS, ())).digest,
        survey(tmp_path, Selection(DEFAULTS, ())).digest,
    }
    assert len(digests) == 1
    os.utime(tmp_path / "a.md", ns=(0, LONG_AGO_NS + 1))
    digests.add(survey(tmp_path, Selection(DEFAULTS, ())).digest)
    (tmp_path / "sub/b.md").rename(tmp_path / "sub/c.md")
    digests.add(survey(tmp_path, Selection(DEFAULTS, ())).digest)
    os.mkfifo(tmp_path / "f.md")
    digests.add(survey(tmp_path, Selection(DEFAULTS, ())).digest)
    assert len(digests) == 4


@pytest.mark.parametrize("what", ["missing", "a file", "a loop"])
def test_a_folder_that_is_none(tmp_path: Path, what: str) -> None:
    path = tmp_path / "folder"
    if what == "a file":
        path.write_text("", encoding="utf-8")
    elif what == "a loop":
        path.symlink_to(path)
    with pytest.raises(SourceError, match=r"the folder .*folder can't be listed: "):
        everything(path)


# What is no regular file


def test_what_is_no_regular_file_is_refused(tmp_path: Path) -> None:
    root, outside = tmp_path / "root", tmp_path / "outside"
    make(root, "good.md")
    make(outside, "secret.md")
    os.mkfifo(root / "fifo.md")
    (root / "folder.md").mkdir()
    (root / "null.md").symlink_to("/dev/null")
    (root / "out.md").symlink_to(outside / "secret.md")
    (root / "dotted.md").symlink_to("../outside/secret.md")
    (root / "loop.md").symlink_to("loop.md")
    (root / "one.md").symlink_to("two.md")
    (root / "two.md").symlink_to("one.md")
    (root / "dangling.md").symlink_to("nothing.md")
    (root / "up").symlink_to("..")
    (root / "linked.md").symlink_to("folder.md")
    assert refused(root) == {
        "fifo.md": "is a FIFO, no regular file",
        "null.md": "is a symbolic link that leads out of the folder",
        "out.md": "is a symbolic link that leads out of the folder",
        "dotted.md": "is a symbolic link that leads out of the folder",
        "loop.md": "is a broken symbolic link: Too many levels of symbolic links",
        "one.md": "is a broken symbolic link: Too many levels of symbolic links",
        "two.md": "is a broken symbolic link: Too many levels of symbolic links",
        "dangling.md": "is a broken symbolic link: No such file or directory",
        "up": "a symbolic link to a folder is not followed; make that folder a source of its own",
        "linked.md": "is a symbolic link to something that is no regular file",
    }
    assert listed(root) == ["good.md"]


def test_a_socket(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # a socket's address holds 107 bytes
    with socket.socket(socket.AF_UNIX) as bound:
        bound.bind("socket.md")
    assert refused(tmp_path) == {"socket.md": "is a socket, no regular file"}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes device files")
def test_a_device(tmp_path: Path) -> None:
    try:
        os.mknod(tmp_path / "null.md", 0o20666, os.makedev(1, 3))
    except PermissionError:
        pytest.skip("device files can't be made here")
    assert refused(tmp_path) == {"null.md": "is a character device, no regular file"}


def test_a_link_within_the_folder_is_the_file_it_leads_to(tmp_path: Path) -> None:
    make(tmp_path, "real.data")
    (tmp_path / "link.md").symlink_to("real.data")
    listing = everything(tmp_path)
    assert listing.changed == [Found("link.md", found(tmp_path, "real.data").stamp)]
    assert isinstance(read(tmp_path, "link.md"), Item)
    assert everything(tmp_path, known_of(listing)).changed == []
    os.utime(tmp_path / "real.data", ns=(0, LONG_AGO_NS + 1))
    assert len(everything(tmp_path, known_of(listing)).changed) == 1


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    make(tmp_path / "real", "a.md")
    (tmp_path / "real/b.md").symlink_to("a.md")
    (tmp_path / "link").symlink_to("real")
    assert listed(tmp_path / "link") == ["a.md", "b.md"]


def test_a_fifo_that_takes_a_files_place_holds_nothing_up(tmp_path: Path) -> None:
    make(tmp_path, "a.md")
    before = found(tmp_path, "a.md")
    (tmp_path / "a.md").unlink()
    os.mkfifo(tmp_path / "a.md")
    assert read_file(Reading(str(tmp_path), None, ignore_scheme=False), before, LATER_NS) == Waiting("a.md")


def test_names_that_are_no_text(tmp_path: Path) -> None:
    make(tmp_path, os.fsdecode(b"\xff\xfe.md"), "\n.md")
    assert listed(tmp_path) == ["\n.md", "\udcff\udcfe.md"]
    assert isinstance(read(tmp_path, "\udcff\udcfe.md"), Item)


def test_a_file_of_50_megabytes(tmp_path: Path) -> None:
    with open(tmp_path / "large.md", "wb") as file:
        file.write(seed().encode())
        file.truncate(50_000_000)
    outcome = read(tmp_path, "large.md")
    assert isinstance(outcome, Rejected)
    assert outcome.reason == "has 50,000,000 bytes; a seed file has at most 15,000,000"
    assert outcome.stamp == found(tmp_path, "large.md").stamp


def test_without_permission() -> None:
    with open_folder() as root:
        make(root, "a.md", "secret.md", "private/b.md", "private/c.md")
        os.chmod(root / "secret.md", 0)
        os.chmod(root / "private", 0)
        said = as_nobody(
            root,
            """
from feedd.sources.directory import *
from feedd.sources.files import read_file, read_files
listing = scan(root, Selection(["**/*.md"], []), {"a.md": None, "private/b.md": None, "gone.md": None})
print([each.path for each in listing.changed], listing.gone, listing.rejected[0][:2])
reading = Reading(str(root), None, False)
print([type(each).__name__ for each in read_files(reading, listing.changed, 0)])
print(read_file(reading, listing.changed[1], 0)[:3])
""",
        )
        os.chmod(root / "private", 0o700)
    assert said.splitlines() == [
        "['a.md', 'secret.md'] ['gone.md'] ('private/', \"the folder can't be listed: Permission denied\")",
        "['Item', 'Rejected']",
        "('secret.md', \"can't be read: Permission denied\", None)",
    ]


# What an event named


def test_named_files_alone_are_looked_at(tmp_path: Path) -> None:
    make(tmp_path, "a.md", "b.md", "c.json", "sub/d.md", ".hidden/e.md", "drafts/f.md")
    os.mkfifo(tmp_path / "fifo.md")
    selection = Selection(DEFAULTS, ("drafts/**",))
    names = ["a.md", "a.md", "c.json", "sub", "sub/d.md", ".hidden/e.md", "drafts/f.md", "gone.md", "../x.md"]
    listing = pick(tmp_path, selection, [*names, "fifo.md"], {})
    assert [each.path for each in listing.changed] == ["a.md", "sub/d.md"]
    assert [each.where for each in listing.rejected] == ["fifo.md"]
    assert listing.gone == ["gone.md"]
    assert pick(tmp_path, selection, names, known_of(listing)).changed == []


def test_a_name_below_a_linked_folder_leads_nowhere(tmp_path: Path) -> None:
    make(tmp_path / "outside", "a.md", "sub/b.md")
    (tmp_path / "root").mkdir()
    (tmp_path / "root/link").symlink_to("../outside")
    listing = pick(tmp_path / "root", Selection(DEFAULTS, ()), ["link/a.md", "link/sub/b.md"], {})
    assert (listing.present, listing.changed, listing.gone) == (0, [], [])
