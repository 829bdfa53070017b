"""`feedd token`, as it is run."""

import re
from pathlib import Path

import pytest
from running import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_a_token_is_shown_once(site: Site) -> None:
    done = site.feedd("token", "new", "phone")
    token = done.stdout.strip()
    assert re.fullmatch(r"feedd_[A-Za-z0-9_-]{43}", token)
    assert "may read" in done.stderr
    assert token not in done.stderr
    listed = site.feedd("token", "list").stdout
    assert "phone" in listed
    assert token not in listed
    (shown,) = site.json("token", "list")
    assert (shown["name"], shown["scope"], shown["last_used"], shown["revoked"]) == (
        "phone",
        "read",
        None,
        None,
    )
    assert shown["created"].endswith("Z")
    assert "already" in site.feedd("token", "new", "phone", status=2).stderr


def test_tokens_for_programs(site: Site) -> None:
    made = site.json("token", "new", "desk", "--scope", "write")
    assert (made["name"], made["scope"]) == ("desk", "write")
    assert made["token"].startswith("feedd_")
    site.feedd("token", "new", "boss", "--scope", "admin")
    assert [each["name"] for each in site.json("token", "list")] == ["boss", "desk"]
    assert [each["name"] for each in site.json("token", "list", "--limit", "1")] == ["boss"]
    assert len(site.json("token", "list", "--since", "1h")) == 2
    ended = site.json("token", "revoke", "desk")
    assert ended["revoked"]
    assert "no token 'desk'" in site.feedd("token", "revoke", "desk", status=2).stderr
    assert [each["revoked"] is None for each in site.json("token", "list")] == [True, False]


def test_what_is_asked_amiss(site: Site) -> None:
    assert site.json("token", "list") == []
    assert "feedd token new NAME" in site.feedd("token", "list").stdout
    assert not site.database.exists()
    assert "no token 'x'" in site.feedd("token", "revoke", "x", status=2).stderr
    assert "is not a name" in site.feedd("token", "new", "A b", status=2).stderr
    assert "root" in site.feedd("token", "new", "a", "--scope", "root", status=2).stderr
    assert not site.database.exists()
