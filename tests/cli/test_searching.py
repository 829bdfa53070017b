"""`feedd search`: what it prints, with and beside a daemon."""

import json
from pathlib import Path

import pytest
from running import Site

from feedd.cli.searching import styled


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path, more='[feeds.net]\nquery = "网络"\n')
    made.seed("net.md", "5G网络", "<p>新的网络来了。</p>")
    made.seed("hostile.md", "Water \x1b[31m<b>", "<p>&lt;script&gt; of \u202ewater &amp; fire</p>")
    made.feedd("update")
    return made


def test_what_is_printed(site: Site) -> None:
    done = site.feedd("search", "网")
    assert "5G网络" in done.stdout
    assert "新的网络来了。" in done.stdout
    assert done.stderr == ""
    hostile = site.feedd("search", "water", "-网络").stdout
    assert "<script> of water & fire" in hostile
    assert not {"\x1b", "\u202e"} & set(hostile)
    (found,) = site.json("search", "网络 5g")
    assert found["title"] == "5G网络"
    assert found["fragment"] == "新的<mark>网络</mark>来了。"
    assert found["id"] == site.json("show", found["url"])["id"]
    assert site.json("search", "absent") == []
    assert len(site.json("search", "网 OR water", "--limit", "1")) == 1
    assert site.json("search", "网", "--since", "2030-01-01") == []
    assert site.feedd("search", "absent").stderr == "nothing was found\n"


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["-網"], "only what must not be there"),
        (['"'], "nothing to look for"),
        (["source:nope"], "there is no source 'nope'"),
        (["x" * 100_000], "at most 1,000 characters"),
        ([], "Missing argument"),
    ],
    ids=["negative", "nothing", "source", "long", "none"],
)
def test_what_is_wrong_is_said(site: Site, words: list[str], why: str) -> None:
    assert why in site.feedd("search", *words, status=2).stderr


def test_a_store_that_is_not_made_yet(tmp_path: Path) -> None:
    site = Site(tmp_path)
    assert "there is no source 'news'" in site.feedd("search", "source:news", status=2).stderr
    assert site.json("search", "x") == []
    assert not site.database.exists()


def test_beside_a_daemon(site: Site) -> None:
    with site.running() as daemon:
        site.seed("more.md", "More 网络")
        site.feedd("update")
        assert {each["title"] for each in site.json("search", "网络")} == {"5G网络", "More 网络"}
        assert set(daemon.titles("net")) == {"5G网络", "More 网络"}


def test_the_json_is_one_document_whatever_was_asked(site: Site) -> None:
    done = site.feedd("search", "--json", "water")
    assert json.loads(done.stdout)[0]["title_html"].startswith("<mark>Water</mark>")


def test_marks_on_a_terminal() -> None:
    assert styled("a <mark>b</mark> &lt;c&gt;", 50) == "a \x1b[1mb\x1b[0m <c>"
    assert styled("<mark>网络</mark>网络网络", 5).count("…") == 1
