"""Channels as they are used: the daemon, `update`, `deliveries` and `notify`, in processes of their own."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from receivers import SECRET, Receiver, lines, told
from running import Site, until
from webserver import Web

FILE = '[notify.lines]\ntype = "file"\npath = "out.jsonl"\n'


def webhook(name: str, url: str, more: str = "") -> str:
    return f'[notify.{name}]\ntype = "webhook"\nurl = "{url}"\nsecret = "{SECRET}"\n{more}\n'


@pytest.fixture
def web() -> Iterator[Web]:
    with Web() as made:
        yield made


@pytest.fixture
def hook(web: Web) -> Receiver:
    return Receiver(web)


@pytest.fixture
def site(tmp_path: Path, hook: Receiver) -> Site:
    """One entry whose first pass is done, and one that was added since and is told by `update`."""
    made = Site(tmp_path, more=FILE + webhook("desk", hook.url))
    made.seed("first.md")
    made.feedd("update")
    assert hook.got == []
    return made


def test_update_tells_what_it_found(site: Site, hook: Receiver) -> None:
    site.seed("second.md", "The second one")
    site.feedd("update")
    (got,) = hook.got
    assert (got.type, got.data["entry"]["title"], got.data["previous"]) == (
        "entry.added",
        "The second one",
        None,
    )
    assert told(lines((site.root / "out.jsonl").read_text())) == [got.data["change"]["id"]]
    listed = site.json("deliveries")
    assert {each["channel"]: each["status"] for each in listed} == {"desk": "delivered", "lines": "delivered"}
    assert {"id", "channel", "change", "type", "status", "attempts", "next_attempt", "error"} <= listed[
        0
    ].keys()


def test_an_edit_is_told_with_what_differs(site: Site, hook: Receiver) -> None:
    site.seed("first.md", body="<p>Other words altogether.</p>")
    site.feedd("update")
    (got,) = hook.got
    assert got.type == "entry.silent-edit"
    assert got.data["previous"]["revision"] == 1
    assert got.data["revision"]["revision"] == 2
    assert got.data["diff"]["hunks"]
    shown = site.json("show", "1")
    assert {key: got.data["entry"][key] for key in shown} == shown


def test_what_nobody_takes_waits_is_listed_retried_and_cancelled(site: Site, hook: Receiver) -> None:
    hook.mood = "wrong"
    for name in ("b", "c", "d"):
        site.seed(f"{name}.md", name)
    site.feedd("update")
    waiting = site.json("deliveries", "--channel", "desk", "--status", "pending")
    assert [each["attempts"] for each in waiting] == [1, 1, 1]
    assert all("500" in each["error"] and each["next_attempt"] for each in waiting)
    gone, *others = [each["id"] for each in waiting]
    site.feedd("deliveries", "cancel", str(gone))
    hook.mood = "well"
    site.feedd("deliveries", "retry", "--channel", "desk", "--status", "pending")
    site.feedd("update")
    statuses = {each["id"]: each["status"] for each in site.json("deliveries", "--channel", "desk")}
    assert statuses == {gone: "cancelled", **dict.fromkeys(others, "delivered")}
    assert len(hook.got) == 2
    site.feedd("deliveries", "retry", str(gone))
    site.feedd("update")
    assert len(hook.got) == 3


def test_a_channel_that_is_taken_out_is_said_to_be(site: Site, hook: Receiver) -> None:
    hook.mood = "wrong"
    site.seed("second.md", "The second one")
    site.feedd("update")
    site.configure(more=FILE)
    said = site.feedd("update").stderr
    assert "notify.desk is no longer in the configuration; 1 delivery that waited for it cancelled" in said
    assert [each["status"] for each in site.json("deliveries", "--channel", "desk")] == ["cancelled"]
    assert (
        "not in the configuration" in site.feedd("deliveries", "retry", "--channel", "desk", status=2).stderr
    )


def test_a_daemon_tells_and_streams_at_once(site: Site, hook: Receiver) -> None:
    with site.running() as daemon:
        site.seed("second.md", "The second one")
        site.feedd("update")
        until(lambda: hook.got)
        answer = daemon.get("/feeds/all.atom")
        assert f'<{site.url}/hub>; rel="hub"' in answer.headers["link"]
        hook.mood = "gone"
        site.seed("third.md", "The third one")
        site.feedd("update")
        until(lambda: [each for each in daemon.items("health") if "disabled" in each["title"]])


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("deliveries", "list", "x"), "neither list, retry, cancel nor the number"),
        (("deliveries", "retry"), "say which"),
        (("deliveries", "--channel", "nobody"), "there is no channel 'nobody'"),
        (("deliveries", "cancel", "--status", "failed"), "only what is pending"),
        (("deliveries", "cancel", "99"), "there is no delivery 99"),
        (("notify", "test", "nobody"), "there are: lines, desk"),
        (("notify", "preview", "desk", "99"), "99"),
    ],
)
def test_words_that_make_no_sense(site: Site, words: tuple[str, ...], said: str) -> None:
    assert said in site.feedd(*words, status=2).stderr


def test_notify_test_prints_what_the_other_side_said(site: Site, hook: Receiver) -> None:
    done = site.feedd("notify", "test", "desk")
    assert "204 No Content" in done.stdout
    (got,) = hook.got
    assert got.type == "test"
    hook.mood = "wrong"
    done = site.feedd("notify", "test", "desk", status=1)
    assert "not delivered" in done.stderr
    assert "500" in done.stderr
    assert "/hook" not in done.stderr  # whoever knows the address may send there
    said = json.loads(site.feedd("notify", "test", "desk", "--json", status=1).stdout)
    assert said["delivered"] is False


def test_notify_preview_sends_nothing(site: Site, hook: Receiver) -> None:
    site.seed("first.md", body="<p>Other words altogether.</p>")
    site.feedd("update")
    hook.got.clear()
    site.configure(
        more=FILE
        + webhook("desk", hook.url)
        + '[notify.mail]\ntype = "email"\nhost = "localhost"\nfrom = "a@example.org"\nto = "b@example.org"\n'
        + f'[notify.chat]\ntype = "apprise"\nurl = "{hook.url.replace("http", "json")}-not"\n'
        + f'[notify.hub]\ntype = "websub"\nurl = "{hook.url}"\n'
        + '[notify.program]\ntype = "command"\ncommand = ["true"]\n'
    )
    assert site.json("notify", "preview", "desk", "1")["body"]["type"] == "entry.silent-edit"
    mail = site.feedd("notify", "preview", "mail", "1").stdout
    assert "Subject: Silently edited: A title" in mail
    assert "Other words" in mail
    assert "Other words" in site.feedd("notify", "preview", "chat", "1").stdout
    assert f"{site.url}/feeds/news.atom" in site.json("notify", "preview", "hub", "1")["topics"]
    assert site.json("notify", "preview", "program", "1")["line"]["id"]
    assert hook.got == []


def test_check_warns_of_a_webhook_without_a_secret_and_never_shows_one(site: Site, hook: Receiver) -> None:
    site.configure(more=f'[notify.open]\ntype = "webhook"\nurl = "{hook.url}/T0KEN"\n')
    done = site.feedd("check")
    assert "notify.open.secret: there is none" in done.stderr
    assert "T0KEN" not in done.stderr + done.stdout
    site.configure(more=webhook("bad", "ftp://T0KEN.example.org").replace(SECRET, "whsec_T0KEN!"))
    done = site.feedd("check", status=2)
    assert "notify.bad.url" in done.stderr
    assert "notify.bad.secret" in done.stderr
    assert "T0KEN" not in done.stderr + done.stdout


def test_check_warns_of_words_that_are_never_used(site: Site) -> None:
    site.configure(
        more='[notify.mail]\ntype = "email"\nhost = "localhost"\nfrom = "a@example.org"\nto = "b@example.org"\n'
        '[notify.mail.template]\ntitle = "x"\nmarkdown = "x"\n'
        '[notify.chat]\ntype = "apprise"\nurl = "mmost://localhost/3ccdd113474722377935511fc85d3dd4"\n'
        '[notify.chat.template]\ntext = "x"\nmarkdown = "x"\n'
    )
    said = site.feedd("check").stderr.replace(f"{site.config}", "config.toml")
    assert "config.toml: notify.mail.template.markdown: a mail takes text and html, so" in said
    assert "config.toml: notify.chat.template.text: this service takes markdown, so" in said
    assert said.count("never used") == 2


def test_check_warns_of_what_is_no_file(site: Site) -> None:
    (site.root / "folder").mkdir()
    (site.root / "link").symlink_to("elsewhere")
    site.configure(
        more='[notify.a]\ntype = "file"\npath = "folder"\n[notify.b]\ntype = "file"\npath = "link"\n'
        '[notify.c]\ntype = "file"\npath = "nowhere/x"\n[notify.d]\ntype = "file"\npath = "new"\n'
    )
    said = site.feedd("check").stderr
    assert "notify.a.path" in said
    assert "folder is not an ordinary file" in said
    assert "notify.c.path" in said
    assert "notify.d.path" not in said


def test_notify_test_of_a_hub_tells_of_all_feeds(site: Site, web: Web) -> None:
    hub = web.page("/outer", status=202)
    site.configure(more=f'[notify.hub]\ntype = "websub"\nurl = "{hub}"\nfeeds = ["news", "changes"]\n')
    assert "202" in site.feedd("notify", "test", "hub").stdout
    body = web.last("/outer").body.decode()
    assert "news.atom" in body
    assert "changes.atom" in body
    assert "all.atom" not in body


def test_notify_test_without_its_secret_says_so(site: Site) -> None:
    site.configure(more='[notify.chat]\ntype = "apprise"\nurl = "env:NOT_SET_HERE"\n')
    said = site.feedd("notify", "test", "chat", status=1).stderr
    assert "chat: not delivered: a secret of its configuration can't be had" in said
