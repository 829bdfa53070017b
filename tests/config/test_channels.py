"""What a configuration may say of channels, beyond what test_load.py asks of every table."""

import base64
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from feedd.config.channels import EmailChannel, WebhookChannel
from feedd.config.load import load
from feedd.config.receivers import host_of
from feedd.config.secrets import Secret
from feedd.errors import ConfigError

HOOK = '[notify.desk]\ntype = "webhook"\nurl = "https://hooks.example.org/x"\n'
MAIL = '[notify.desk]\ntype = "email"\nhost = "localhost"\nfrom = "a@example.org"\nto = "b@example.org"\n'


def mistakes(folder: Path, toml: str) -> list[str]:
    (folder / "config.toml").write_text(toml, encoding="utf-8")
    try:
        load(folder / "config.toml")
    except ConfigError as error:
        return [each.replace(f"{folder}/", "") for each in error.mistakes]
    return []


def file(name: str, path: str, more: str = "") -> str:
    return f'[notify.{name}]\ntype = "file"\npath = "{path}"\n{more}\n'


@pytest.mark.parametrize(
    ("toml", "why"),
    [
        (file("a", "feedd.db"), "feedd.db is the database; write another path"),
        (file("a", "./x/../feedd.db-wal"), "feedd.db-wal is the database; write another path"),
        (file("a", "feedd.db.lock"), "feedd.db.lock is the database; write another path"),
        (file("a", "feedd.db.sock"), "feedd.db.sock is the database; write another path"),
        (file("a", "config.toml"), "config.toml is the configuration; write another path"),
        (file("a", "more.toml"), "more.toml is the configuration; write another path"),
        (file("a", "link"), "feedd.db is the database; write another path"),
        ('[store]\npath = "log.3"\n' + file("a", "log"), "log.3 is the database; write another path"),
        ('[store]\npath = "log.3"\n' + file("a", "log", "keep = 2"), None),
        (
            file("b", "log") + file("a", "log"),
            "log is that of the channel 'b', or one that it moves its to; write another path",
        ),
        (
            file("b", "log") + file("a", "log.5"),
            "log.5 is that of the channel 'b', or one that it moves its to; write another path",
        ),
        (
            file("b", "log.5") + file("a", "log"),
            "log.5 is that of the channel 'b', or one that it moves its to; write another path",
        ),
        (file("b", "log.6") + file("a", "log"), None),
    ],
    ids="database wal lock sock configuration included link numbered fewer same its-last before beyond".split(),
)
def test_a_file_is_a_channels_own(tmp_path: Path, toml: str, why: str | None) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "more.toml").touch()
    (tmp_path / "link").symlink_to("feedd.db")
    found = mistakes(tmp_path, 'include = ["more.toml"]\n' + toml)
    assert found == ([f"config.toml: notify.a.path: {why}"] if why else [])


@pytest.mark.parametrize(
    "name",
    ["webhook-id", "Webhook-Timestamp", "webhook-signature", "content-type", "content-encoding"],
)
def test_headers_that_feedd_says_itself(tmp_path: Path, name: str) -> None:
    found = mistakes(tmp_path, HOOK + f'headers = {{ "{name}" = "T0KEN" }}\n')
    assert found == [f"config.toml: notify.desk.headers: '{name}' can't be set: feedd says that itself"]
    assert mistakes(tmp_path, HOOK + 'headers = { authorization = "T0KEN" }\n') == []


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("https://h.example/x#T0KEN", 'the address holds a "#": what follows it is never sent; leave it out'),
        ("https://h.example#T0KEN", 'the address holds a "#": what follows it is never sent; leave it out'),
        ("https://h..example/T0KEN", "the host of the address has an empty part between dots; correct it"),
        ("https://.example/T0KEN", "the host of the address has an empty part between dots; correct it"),
        ("https://h.example./T0KEN", None),
        ("https://[::1]/T0KEN", None),
    ],
)
def test_addresses(tmp_path: Path, url: str, why: str | None) -> None:
    found = mistakes(tmp_path, HOOK.replace("https://hooks.example.org/x", url))
    assert found == ([f"config.toml: notify.desk.url: {why}"] if why else [])


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("http://127.0.0.1:1#T0KEN", "127.0.0.1:1"),
        ("https://h.example?T0KEN", "h.example"),
        ("https://ann:T0KEN@h.example:8443/x", "h.example:8443"),
        ("https://[::1]:80/T0KEN", "[::1]:80"),
        ("https://[::1]", "[::1]"),
    ],
)
def test_nothing_but_the_host_is_shown(url: str, host: str) -> None:
    assert host_of(Secret(url)) == host


@given(st.text(alphabet="/?#;&=%:", min_size=1), st.text(alphabet="TOKEN", min_size=4))
def test_no_token_is_taken_for_a_host(signs: str, token: str) -> None:
    assert token not in host_of(Secret(f"https://h.example/{signs}{token}"))


@pytest.mark.parametrize("size", [65, 100])
def test_a_secret_that_is_too_long(tmp_path: Path, size: int) -> None:
    secret = base64.b64encode(bytes(size)).decode()
    (found,) = mistakes(tmp_path, HOOK + f'secret = "whsec_{secret}"\n')
    assert found == (
        f"config.toml: notify.desk.secret: the signing secret has {size} bytes; Standard Webhooks takes 64 at most"
    )


@pytest.mark.parametrize("host", ["mail..example", ".example"])
def test_a_mail_server_with_an_empty_part(tmp_path: Path, host: str) -> None:
    (found,) = mistakes(tmp_path, MAIL.replace("localhost", host))
    assert found.startswith(f"config.toml: notify.desk.host: '{host}' is not a host; write one such as")


def test_a_url_of_apprise_with_several_targets(tmp_path: Path) -> None:
    (found,) = mistakes(tmp_path, '[notify.desk]\ntype = "apprise"\nurl = "ntfy://localhost/one/T0KEN"\n')
    assert found.startswith("config.toml: notify.desk.url: names 2 targets; write a channel for each")
    assert "T0KEN" not in found


def test_how_long_an_attempt_takes() -> None:
    values = {"name": "desk", "host": "localhost", "from": "a@example.org", "to": "b@example.org"}
    assert EmailChannel.model_validate(values | {"type": "email"}).timeout == 120_000
    hook = {"name": "desk", "type": "webhook", "url": "https://h.example/"}
    assert WebhookChannel.model_validate(hook).timeout == 15_000


@pytest.mark.parametrize(
    ("what", "why"),
    [
        ("fifo", "the template {} is not an ordinary file"),
        ("folder", "the template {} is not an ordinary file"),
        ("nothing", "the template {} can't be read: No such file or directory"),
        ("long", "the template {} is too long: more than 200 kB"),
        ("bytes", "the template {} is not UTF-8 text"),
        ("~nobody-of-that-name/x", "'file:{}' is not a path: there is no user of that name"),
        ("good", None),
    ],
    ids="fifo folder nothing long bytes user good".split(),
)
def test_templates_in_files(tmp_path: Path, what: str, why: str | None) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "folder").mkdir()
    (tmp_path / "long").write_text("x" * 200_001)
    (tmp_path / "bytes").write_bytes(b"\xff")
    (tmp_path / "good").write_text("\ufeff{{ headline }}")
    found = mistakes(tmp_path, MAIL + f'[notify.desk.template]\ntext = "file:{what}"\n')
    assert found == ([f"config.toml: notify.desk.template.text: {why.format(what)}"] if why else [])


def test_a_template_of_a_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "words.j2").write_text("{{ headline }}")
    assert mistakes(tmp_path, MAIL + '[notify.desk.template]\ntext = "file:~/words.j2"\n') == []


def test_all_mistakes_of_a_channel_at_once(tmp_path: Path) -> None:
    table = MAIL.replace("localhost", "smtp://h") + 'user = "x"\nlist_unsubscribe = "foo"\non = ["x", "y"]\n'
    found = mistakes(tmp_path, table + '[notify.desk.template]\ntitel = "x"\n[websub]\nlease = "20d"\n')
    keys = [each.split(": ")[1] for each in found]
    own = ["notify.desk", "notify.desk.host", "notify.desk.list_unsubscribe", "notify.desk.on"]
    assert sorted(keys) == [*own, "notify.desk.template.titel", "websub"]
    assert any("'x', 'y' are no kinds of change" in each for each in found)
    assert any("did you mean 'title'?" in each for each in found)


def test_all_mistakes_of_a_list_at_once(tmp_path: Path) -> None:
    table = (
        '[notify.desk]\ntype = "webhook"\nurl = "https://example.org/"\nheaders = { "X Y" = "a", A = 3 }\n'
    )
    found = mistakes(tmp_path, table + 'secret = ["whsec_bad!", 5]\n')
    (headers,), (secrets,) = ([each for each in found if key in each] for key in (".headers:", ".secret:"))
    assert "'X Y' can't be set; A: a secret is a text" in headers
    assert "is not a signing secret" in secrets
    assert "a secret is a text" in secrets


def test_what_only_senders_care_about_is_found_by_who_sends(tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text('[notify.desk]\ntype = "apprise"\nurl = "nosuch://localhost/"\n')
    assert load(file, thorough=False).channels[0].name == "desk"
    with pytest.raises(ConfigError, match="names a service that Apprise does not know"):
        load(file)


def test_a_file_that_a_source_would_read(tmp_path: Path) -> None:
    source = '[sources.news]\ntype = "directory"\npath = "seeds"\n'
    (found,) = mistakes(tmp_path, source + file("desk", "seeds/deep/n.md"))
    assert "notify.desk.path: lies in the folder of sources.news, which would read it" in found
    assert mistakes(tmp_path, source + file("desk", "seeds/n.jsonl")) == []
