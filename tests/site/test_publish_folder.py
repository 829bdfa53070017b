"""The directory that is published to: what is not ours is left alone, whatever happens to it."""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from nobody import NOBODY, open_folder
from published import Desktop

from feedd.errors import PublishError
from feedd.site import folder as folders
from feedd.site.manifest import MANIFEST

needs_another_user = pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desktop]:
    made = Desktop(tmp_path, publish="pages = false")
    yield made
    made.shelf.close()


def test_a_directory_that_holds_something_is_refused(desk: Desktop) -> None:
    desk.public.mkdir()
    (desk.public / "thesis.odt").write_text("years")
    with pytest.raises(PublishError, match=r"is not empty \(it holds thesis.odt\)"):
        desk.publish()
    assert os.listdir(desk.public) == ["thesis.odt"]


def test_what_file_systems_put_there_is_nothing(desk: Desktop) -> None:
    (desk.public / "lost+found").mkdir(parents=True)
    assert desk.publish().written


def test_a_file_in_our_place_is_refused_and_the_others_are_published(desk: Desktop) -> None:
    desk.publish()
    (desk.public / "feeds/all.rss").write_text("mine now")
    (desk.public / "feeds/a.json").unlink()
    (desk.public / "feeds/a.json").mkdir()
    done = desk.publish(anew=True)
    assert done.refused == {
        "feeds/all.rss": "was changed by another program",
        "feeds/a.json": "was changed by another program",
    }
    assert "feeds/a.json was changed by another program; feeds/all.rss" in (done.trouble or "")
    assert desk.text("feeds/all.rss") == "mine now"


def test_what_others_add_stays(desk: Desktop) -> None:
    desk.publish()
    (desk.public / "robots.txt").write_text("User-agent: *\n")
    (desk.public / "feeds/b/archive").mkdir(parents=True)
    (desk.public / "feeds/b.html").write_text("ours")
    desk.configure(more='[feeds.b]\naccess = "token"', publish="pages = false")
    done = desk.publish()
    assert "feeds/b.atom" in done.removed
    assert desk.text("robots.txt").startswith("User")
    assert desk.text("feeds/b.html") == "ours"
    desk.configure()
    done = desk.publish()
    assert done.refused == {"feeds/b.html": "is there already, and feedd did not write it"}


def test_what_was_changed_is_not_deleted(desk: Desktop) -> None:
    desk.publish()
    (desk.public / "feeds/b.atom").write_text("mine now")
    desk.configure(more='[feeds.b]\naccess = "token"', publish="pages = false")
    done = desk.publish()
    assert "feeds/b.rss" in done.removed
    assert desk.text("feeds/b.atom") == "mine now"


def test_links_are_not_followed(desk: Desktop, tmp_path: Path) -> None:
    desk.publish()
    outside = tmp_path / "outside"
    os.rename(desk.public / "feeds", outside)
    os.symlink(outside, desk.public / "feeds")
    before = {each.name: each.read_bytes() for each in outside.iterdir()}
    with pytest.raises(PublishError, match="feeds is no folder but a link"):
        desk.publish(anew=True)
    desk.configure(more='[feeds.b]\naccess = "token"', publish="pages = false")
    with pytest.raises(PublishError, match="feeds is no folder but a link"):
        desk.publish()
    assert before == {each.name: each.read_bytes() for each in outside.iterdir()}


def test_a_folder_that_becomes_a_link_meanwhile_is_not_followed(desk: Desktop, tmp_path: Path) -> None:
    desk.publish()
    outside = tmp_path / "outside"
    with folders.opened(desk.public, desk.shelf.reader.uuid()) as folder:
        folder.put("feeds/one.atom", b"one", "s")
        os.rename(desk.public / "feeds", outside)
        os.symlink(outside, desk.public / "feeds")
        with pytest.raises(PublishError, match="feeds is no folder but a link"):
            folder.put("feeds/two.atom", b"two", "s")
        folder.remove("feeds/one.atom")
    assert list(folder.refused) == ["feeds/one.atom"]
    assert (outside / "one.atom").exists()
    assert not (outside / "two.atom").exists()


def test_a_link_in_our_place_is_refused(desk: Desktop, tmp_path: Path) -> None:
    desk.publish()
    (tmp_path / "secret").write_text("secret")
    (desk.public / "feeds.opml").unlink()
    os.symlink(tmp_path / "secret", desk.public / "feeds.opml")
    assert list(desk.publish(anew=True).refused) == ["feeds.opml"]
    assert (tmp_path / "secret").read_text() == "secret"


def test_the_directory_itself_may_be_a_link(desk: Desktop, tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    os.symlink(tmp_path / "real", desk.public)
    desk.publish()
    assert (tmp_path / "real/feeds/all.atom").is_file()


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        ("{", "is damaged"),
        ('{"format": 9}', "was written by a later feedd"),
        ('{"format": 1, "store": "x", "mark": [0, 0, 0, 0], "pages": "", "files": {"../x": [1, "%s", ""]}}' % ("0" * 64),
         "names '../x'"),
        ('{"format": 1, "store": "x", "mark": [0, 0, 0, 0], "pages": "", "files": {"/x": [1, "%s", ""]}}' % ("0" * 64),
         "names '/x'"),
        ('{"format": 1, "store": "x", "mark": [0, 0, 0, 0], "pages": "", "files": {"a/.x": [1, "%s", ""]}}' % ("0" * 64),
         "names 'a/.x'"),
        ('{"format": 1, "store": "x", "mark": [0, 0, 0, 0], "pages": "", "files": {"x": [1, 2, ""]}}', "names 'x'"),
        ('{"format": 1, "store": "x", "mark": [0, 0, 0, 0], "pages": "", "files": []}', "is damaged"),
    ],
    ids=["torn", "later", "above", "from the root", "hidden", "no hash", "no files"],
)  # fmt: skip
def test_a_manifest_that_is_not_feedds(desk: Desktop, damage: str, words: str) -> None:
    desk.public.mkdir()
    (desk.public / MANIFEST).write_text(damage)
    with pytest.raises(PublishError, match=words):
        desk.publish()
    assert os.listdir(desk.public) == [MANIFEST]


def test_another_database_must_be_told_to(desk: Desktop, tmp_path: Path) -> None:
    desk.publish()
    (tmp_path / "other").mkdir()
    other = Desktop(tmp_path / "other", publish="pages = false")
    os.symlink(desk.public, other.public)
    with pytest.raises(PublishError, match="from another database"):
        other.publish()
    assert not other.publish(adopt=True).refused
    assert other.files()["feeds/all.atom"] == other.shelf.body("all", "atom")
    other.publish()
    other.shelf.close()


def test_two_do_not_publish_at_once(desk: Desktop, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "PATIENCE_S", 0.1)
    with (
        folders.opened(desk.public, desk.shelf.reader.uuid()),
        pytest.raises(PublishError, match="another feedd is publishing there"),
    ):
        desk.publish()
    desk.publish()


def test_the_folder_above_must_be_there(desk: Desktop) -> None:
    desk.shelf.configure(desk.shelf.path.read_text().replace('"public"', '"not/there"'))
    with pytest.raises(PublishError, match="the folder above it must be there"):
        desk.publish()


def test_a_full_disk(desk: Desktop) -> None:
    """What was published stays whole, and the next round makes up for the rest."""
    desk.publish()
    before = desk.files()
    desk.configure()  # pages come besides
    script = (
        "import resource, signal, sys; signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (9000, resource.RLIM_INFINITY))\n"
        "from feedd.__main__ import main; sys.argv = ['feedd', 'publish']; main()"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=desk.root, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 1
    assert "can't be written: File too large; what was published before stays as it was" in done.stderr
    found = desk.files()
    assert {name: found[name] for name in before} == before
    assert not [each for each in found if each.endswith(".part")]
    done2 = desk.publish()
    assert not done2.refused
    assert "style.css" in done2.written


@needs_another_user
def test_a_directory_that_can_only_be_read() -> None:
    with open_folder() as root:
        desk = Desktop(root, publish="pages = false")
        desk.publish()
        before = desk.files()
        (desk.public / "feeds/a.atom").unlink()
        os.seteuid(NOBODY)
        try:
            with pytest.raises(PublishError, match="Permission denied; let feedd's user write there"):
                desk.publish()
        finally:
            os.seteuid(0)
        assert desk.publish().written == ("feeds/a.atom",)
        assert desk.files() == before
        desk.shelf.close()


def test_the_manifest_is_read_by_people(desk: Desktop) -> None:
    desk.publish()
    said = json.loads(desk.text(MANIFEST))
    assert said["about"].startswith("feedd made the files")
    size, sha256, state = said["files"]["feeds/all.atom"]
    assert size == len(desk.files()["feeds/all.atom"])
    assert (len(sha256), len(state)) == (64, 16)


def test_threads_may_put_different_files(desk: Desktop) -> None:
    with folders.opened(desk.public, desk.shelf.reader.uuid()) as folder:
        threads = [
            threading.Thread(target=folder.put, args=(f"x/{number % 7}/{number}.atom", b"x" * 600, "s"))
            for number in range(60)
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
    assert len(json.loads(desk.text(MANIFEST))["files"]) == 180
