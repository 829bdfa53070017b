"""`diff`, and `show --revision`: what is printed, and how it ends."""

import os
import pty
import subprocess
from pathlib import Path
from typing import Any

import pytest
from lxml import html
from running import FEEDD, FIRST_MS, Site, write_seed

URL = "https://example.org/a"
FIRST = "<p>The council met. Fees rise by 1.5 %.</p><p>It was a long evening.</p><p><img src='https://example.org/1.jpg'></p>"
SECOND = FIRST.replace("1.5 %", "15 %").replace("1.jpg", "2.jpg")
THIRD = SECOND.replace("<p>It was a long evening.</p>", "")
ESCAPE = "\x1b[31m\u202e"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """An entry with three versions of one source and one of another; two with one version."""
    made = Site(
        tmp_path_factory.mktemp("site"),
        more='[sources.other]\ntype = "directory"\npath = "other"\npriority = -1',
    )
    write_seed(made.root / "other/a.txt", "Fees rise", FIRST.replace("1.5", "2.5"))
    made.seed("alone.txt")
    made.seed("hostile.txt", f"Red {ESCAPE}", f"<p>One {ESCAPE}</p>")
    for number, body in enumerate((FIRST, SECOND, THIRD)):
        made.seed("a.txt", "Fees rise" if number == 0 else "Fees soar", body, FIRST_MS + number * 1000)
        if number == 1:
            made.seed("hostile.txt", f"Red {ESCAPE}", f"<p>Two {ESCAPE}</p>")
        made.feedd("update")
    return made


def numbers(site: Site, source: str) -> list[int]:
    return [each["revision"] for each in site.json("history", URL) if each["source"] == source]


def test_two_versions_as_json(site: Site) -> None:
    first, second, _ = numbers(site, "news")
    shape = site.json("diff", URL, str(first), str(second))
    assert {"from", "to", "title", "significance", "reasons", "hunks", "image", "authors", "links"} <= set(
        shape
    )
    assert (shape["from"], shape["to"], shape["significance"]) == (first, second, "substantial")
    assert shape["title"] == {"old": "Fees rise", "new": "Fees soar"}
    assert shape["image"] == {"old": "https://example.org/1.jpg", "new": "https://example.org/2.jpg"}
    assert shape["reasons"]
    for hunk in shape["hunks"]:
        assert {"op", "old", "new"} <= set(hunk)
        assert hunk["op"] in {"equal", "insert", "delete", "replace", "move"}
    assert "1.5 %" in "".join(hunk["old"] for hunk in shape["hunks"])
    assert "15 %" in "".join(hunk["new"] for hunk in shape["hunks"])


def test_by_default_the_newest_is_compared_with_the_one_before_it(site: Site) -> None:
    _, second, third = numbers(site, "news")
    shape = site.json("diff", URL)
    assert (shape["from"], shape["to"]) == (second, third)
    assert site.json("diff", URL, str(third), str(second))["from"] == third


def test_versions_of_two_sources_can_be_compared(site: Site) -> None:
    (other,), (first, *_) = numbers(site, "other"), numbers(site, "news")
    shape = site.json("diff", URL, str(other), str(first))
    assert "2.5 %" in "".join(hunk["old"] for hunk in shape["hunks"])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["https://example.org/alone"], "has one version of this entry"),
        ([URL, "1"], "name two versions to compare, or none"),
        ([URL, "1", "99"], "there is no version 99 of this entry; the last is 4"),
        ([URL, "1", "9" * 30], "there is no version"),
        ([URL, "2", "2"], "version 2 and version 2 are one"),
        ([URL, "1", "x"], "is not a valid integer"),
        ([URL, "0", "1"], "not in the range"),
        (["https://example.org/nothing"], "there is no entry"),
        ([URL, "--format", "xml"], "is not one of"),
    ],
)
def test_what_can_not_be_compared_is_said(site: Site, words: list[str], said: str) -> None:
    done = site.feedd("diff", *words, status=2)
    assert said in done.stderr
    assert done.stdout == ""


def test_as_text(site: Site) -> None:
    first, second, _ = map(str, numbers(site, "news"))
    text = site.feedd("diff", URL, first, second).stdout
    head, level, *rest = text.split("\n")
    assert head.startswith(f"version {first} (news, 20")
    assert level == "substantial"
    assert "Title: " in text
    assert "Lead picture: [-https://example.org/1.jpg-] {+https://example.org/2.jpg+}" in rest
    assert "\x1b" not in text
    assert "unchanged" not in site.feedd("diff", URL, first, second, "--full").stdout


def test_as_unified_text(site: Site) -> None:
    first, second, _ = map(str, numbers(site, "news"))
    lines = site.feedd("diff", URL, first, second, "--format", "unified").stdout.split("\n")
    assert lines[0].startswith(f"--- version {first} (news, ")
    assert lines[1].startswith(f"+++ version {second} (news, ")
    assert lines[2].startswith("@@ -1,")
    assert lines[3:5] == ["-Title: Fees rise", "+Title: Fees soar"]


def test_as_html(site: Site) -> None:
    first, second, _ = map(str, numbers(site, "news"))
    text = site.feedd("diff", URL, first, second, "--format", "html").stdout
    assert text.startswith("<!doctype html>\n<meta charset=utf-8>\n<title>Fees soar</title>")
    page = html.document_fromstring(text)
    assert page.xpath("//del") and page.xpath("//ins")  # noqa: PT018


def test_no_text_reaches_the_terminal_with_its_escapes(site: Site) -> None:
    for form in ("terminal", "unified", "html"):
        text = site.feedd("diff", "https://example.org/hostile", "--format", form).stdout
        assert "\x1b" not in text
        assert "\u202e" not in text or form == "html"
    shown = site.feedd("show", "https://example.org/hostile").stdout
    assert "\x1b" not in shown
    assert "\u202e" not in shown


@pytest.mark.parametrize(("no_color", "coloured"), [("", True), ("1", False)])
def test_colours_are_for_terminals_that_want_them(site: Site, no_color: str, coloured: bool) -> None:
    text = on_terminal(site, ["diff", URL], {**os.environ, "NO_COLOR": no_color, "TERM": "xterm"})
    assert "Title" not in text  # the title stayed
    assert "[-" in text
    assert ("\x1b[31m" in text) is coloured
    assert ("\x1b" in text) is coloured


def on_terminal(site: Site, words: list[str], environment: dict[str, str]) -> str:
    """What a command prints where its output is a terminal."""
    ours, theirs = pty.openpty()
    command = [*FEEDD, *words, "--config", os.fspath(site.config)]
    with subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment, cwd=site.root) as process:
        os.close(theirs)
        found = b""
        while some := read(ours):
            found += some
        assert process.wait(30) == 0, found
    os.close(ours)
    return found.decode()


def read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # so Linux says that the other end is closed
        return b""


def test_an_earlier_version_is_shown(site: Site) -> None:
    first, *_, third = numbers(site, "news")
    shape: dict[str, Any] = site.json("show", URL, "--revision", str(first))
    newest = site.json("show", URL)
    assert set(newest) <= set(shape)
    assert (shape["title"], newest["title"]) == ("Fees rise", "Fees soar")
    assert "1.5 %" in shape["text"]
    assert "1.5 %" in shape["content_html"]
    assert (shape["revision"], shape["source"]) == (first, "news")
    assert shape["image"] == "https://example.org/1.jpg"
    assert shape["published"] == newest["published"]
    assert site.json("show", URL, "--revision", str(third))["text"] == newest["text"]
    text = site.feedd("show", URL, "--revision", str(first)).stdout
    assert "title:        Fees rise\n" in text
    assert f"revision:     {first}\n" in text


def test_a_version_that_is_not_there_is_said(site: Site) -> None:
    done = site.feedd("show", URL, "--revision", "9", status=2)
    assert done.stderr == "there is no version 9 of this entry; the last is 4\n"


def test_the_command_is_listed(tmp_path: Path) -> None:
    done = subprocess.run([*FEEDD, "diff", "--help"], capture_output=True, encoding="utf-8", cwd=tmp_path)
    assert "Show what differs between two versions" in done.stdout
    assert done.returncode == 0
