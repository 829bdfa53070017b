"""Archive → feedd → archive: the same files."""

import json
import os
import shutil
from pathlib import Path

import pytest
from mirrored import OUT, files, followed, passed, seeds
from running import Site, settle

SEEDS = Path(__file__).parents[2] / "seeds"
HARD = {
    "brackets.md": '<!--1706867102000-->\n[A ](B) [c]\\ 《d》"é"](https://example.org/wiki/X_(y))\n------\n\n<p>a</p>\n',
    "guessed.md": "<!--NaN-->\n[No time](https://example.org/nan)\n------\n\n<p>b</p>\n",
    "lines.md": "<!--1706867103000-->\n[Two\n lines](https://example.org/lines)\n------\n\n<p>c\nd</p>\n<pre>e\n f</pre>\n",
    "crlf.md": "<!--1706867104000-->\r\n[CRLF](https://example.org/crlf)\r\n------\r\n\r\n<p>g &amp; h &lt;i&gt; &nbsp;</p>\r\n",
    "plain.txt": "<!--1706867105000-->\n[Plain](HTTPS://Example.org:443/%e8?utm_source=x#y)\n------\n\nfirst\nline\n\nsecond",
    "hostile.txt": "<!--1706867106000-->\n[<img src=x onerror=alert(1)>](https://example.org/h)\n------\n\n"
    "<script>alert(1)</script><p onclick=x>k <img src='a.png' data-lazy-src='/b.png'></p>\n",
    "emoji.txt": "<!--1706867107000-->\n[😀 中文，标题](https://例子.example/路)\n------\n\n<p>没有空格的文字。</p>\n",
}


def filled(site: Site) -> Site:
    """With all kinds of seed files."""
    shutil.rmtree(site.seeds)
    shutil.copytree(SEEDS, site.seeds)
    for name, text in HARD.items():
        (site.seeds / name).write_text(text, encoding="utf-8", newline="")
    (site.seeds / "gb.txt").write_bytes(
        (
            "<!--1706867108000-->\n[标题很长很长的标题](https://example.org/gb)\n------\n\n<p>"
            + "中文内容" * 30
            + "</p>\n"
        ).encode("gb18030")
    )
    for path in site.seeds.iterdir():
        settle(path)
    return site


def over(root: Path, archive: Path, source: str = "") -> Site:
    """A site whose source is the folder `news` of an archive."""
    site = Site(root, source, OUT)
    text = site.config.read_text(encoding="utf-8").replace('path = "seeds"', f'path = "{archive / "news"}"')
    site.config.write_text(text, encoding="utf-8")
    return site


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Site:
    site = filled(Site(tmp_path_factory.mktemp("first"), more=OUT))
    passed(site)
    return site


def entries(site: Site) -> dict[str, tuple[object, ...]]:
    """What each entry says, by its uid."""
    lines = map(json.loads, site.feedd("export", "--format", "jsonl").stdout.splitlines())
    keys = ("url", "title", "published", "date_guessed", "text", "revisions")
    return {each["uid"]: tuple(each[key] for key in keys) for each in lines}


def anew(stated: dict[str, tuple[object, ...]], found: dict[str, tuple[object, ...]]) -> None:
    """What was edited is met as it is: an earlier time, which no file states any more, is not known."""
    assert stated.keys() == found.keys()
    assert len(stated) >= 20
    for uid, (url, title, published, guessed, text, revisions) in stated.items():
        again = found[uid]
        assert (url, title, guessed, " ".join(str(text).split())) == (
            *again[:2],
            again[3],
            " ".join(str(again[4]).split()),
        )
        assert revisions != 1 or published == again[2]


def test_an_archive_of_an_archive_is_the_same(first: Site, tmp_path: Path) -> None:
    second = over(tmp_path, first.root / "out")
    passed(second)
    anew(entries(first), entries(second))
    assert files(second.root / "out") == files(first.root / "out")


def test_files_that_are_kept_as_they_came_are_written_so(tmp_path: Path) -> None:
    first = filled(Site(tmp_path / "first", "keep_raw = true", OUT))
    passed(first)
    out, came = seeds(first.root / "out"), {path.read_bytes() for path in first.seeds.iterdir()}
    assert set(out.values()) <= came
    assert len(out) >= 20
    second = over(tmp_path / "second", first.root / "out", "keep_raw = true")
    passed(second)
    anew(entries(first), entries(second))
    assert files(second.root / "out") == files(first.root / "out")


def test_what_is_written_is_written_once(first: Site) -> None:
    out = first.root / "out"

    def times() -> dict[str, int]:
        return {path.name: os.stat(path).st_mtime_ns for path in out.rglob("*") if path.is_file()}

    before = times()
    followed(first)
    assert times() == before
    (out / ".feedd-mirror.json").write_text("{}")  # so that all is compared
    followed(first)
    after = times()
    assert [name for name in after if after[name] != before[name]] == [".feedd-mirror.json"]


def test_a_database_that_is_made_anew_writes_the_same(tmp_path: Path) -> None:
    site = filled(Site(tmp_path, more=OUT))
    passed(site)
    before = files(site.root / "out")
    for path in site.root.glob("feedd.db*"):
        path.unlink()
    passed(site)
    assert files(site.root / "out") == before
