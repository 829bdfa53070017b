"""The units: what stands in them for a place, and what systemd says of them."""

import os
import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest

from feedd.config.values import Listen
from feedd.config.values import listen as listening
from feedd.errors import UsageError
from feedd.service.units import NAMES, Place, Scope, credentials, made, obstacles, quoted, whole

ROOT = Path(__file__).parent.parent.parent
MOST_EXPOSED = 1.1
CONFIG = Path("/etc/feedd/config.toml")
PLACE = Place(
    ("/usr/local/bin/feedd", "--config", str(CONFIG)),
    CONFIG,
    Path("/var/lib/feedd/feedd.db"),
    "root",
    Listen("127.0.0.1", 8080),
)
ELSEWHERE = PLACE._replace(store=Path("/srv/feedd/feedd.db"), owner="alice")
needs_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="there is no systemd-analyze here"
)


def service(place: Place, scope: Scope = "system") -> list[str]:
    return made(place, scope)["feedd.service"].splitlines()


def settings(text: str) -> list[str]:
    return [line for line in text.splitlines() if "=" in line and not line.startswith("#")]


@pytest.mark.parametrize("name", NAMES)
def test_the_folder_systemd_holds_the_same(name: str) -> None:
    assert (ROOT / "systemd" / name).read_text() == made(PLACE, "system")[name]


def test_there_are_no_others_in_the_folder() -> None:
    assert sorted(os.listdir(ROOT / "systemd")) == sorted(NAMES)


def test_one_pass_has_the_sandbox_of_the_daemon() -> None:
    units = made(PLACE, "system")
    daemon, once = (
        units[name].partition("\nProtectSystem=")[2].partition("\n[Install]")[0]
        for name in ("feedd.service", "feedd-update.service")
    )
    assert settings(daemon) == settings(once)
    assert len(settings(daemon)) > 25


def installed(folder: Path, scope: Scope) -> list[Path]:
    """Units for a feedd that is there: systemd looks whether it is."""
    program = folder / "bin" / "feedd"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    place = PLACE._replace(command=(str(program), *PLACE.command[1:]))
    for name, text in made(place, scope).items():
        (folder / name).write_text(text)
    return [folder / name for name in NAMES]


@needs_systemd
@pytest.mark.parametrize("scope", ["system", "user"])
def test_systemd_has_nothing_to_say(tmp_path: Path, scope: Scope) -> None:
    (tmp_path / "run").mkdir(mode=0o700)
    command = ["systemd-analyze", "verify", f"--{scope}", *map(str, installed(tmp_path, scope))]
    environment = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path / "run")}
    done = subprocess.run(command, env=environment, capture_output=True, encoding="utf-8")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@needs_systemd
@pytest.mark.parametrize("name", ["feedd.service", "feedd-update.service"])
def test_how_exposed_it_is(tmp_path: Path, name: str) -> None:
    installed(tmp_path, "system")
    command = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(tmp_path / name)]
    said = subprocess.run(command, capture_output=True, encoding="utf-8").stdout
    (exposed,) = re.findall(r"Overall exposure level for \S+: ([0-9.]+)", said)
    assert float(exposed) <= MOST_EXPOSED
    if name == "feedd.service":
        left = {line.split()[1].rstrip("=") for line in said.splitlines() if line.startswith("✗")}
        named = (tmp_path / name).read_text().partition("What `systemd-analyze")[2]
        for each in left:
            assert each.partition("=")[0].partition("/")[0] in named, f"{each} is not explained in the unit"


def test_a_database_of_somebody() -> None:
    lines = service(ELSEWHERE)
    assert "User=alice" in lines
    assert "ReadWritePaths=/srv/feedd" in lines
    assert not [line for line in lines if line.startswith(("DynamicUser=", "StateDirectory="))]
    assert "ProtectHome=yes" in lines


def test_homes_are_seen_where_something_lies_in_one() -> None:
    at_home = ELSEWHERE._replace(reads=(Path("/home/alice/notes"),))
    assert "ProtectHome=read-only" in service(at_home)


def test_folders_that_are_written() -> None:
    place = PLACE._replace(writes=(Path("/srv/www/my feeds"), Path("/var/lib/feedd/mirror")))
    assert [line for line in service(place) if line.startswith("ReadWritePaths=")] == [
        'ReadWritePaths="/srv/www/my feeds"'
    ]


def test_credentials_of_the_configuration_are_loaded() -> None:
    read = [
        {"title": "credential", "auth": {"password": "credential:a"}},
        {"x": [{"y": "credential:b.c"}, "credential:"]},
    ]
    assert list(credentials(read)) == ["a", "b.c"]
    place = PLACE._replace(credentials=("a", "b.c"))
    for name in ("feedd.service", "feedd-update.service"):
        text = made(place, "system")[name]
        assert [line for line in text.splitlines() if line.startswith("Load")] == [
            "LoadCredential=a",
            "LoadCredential=b.c",
        ]


def test_no_line_is_made_of_what_is_no_name() -> None:
    assert (
        list(credentials(["credential:a:/etc/shadow", "credential:a\nb", "credential:%h", "credential:../a"]))
        == []
    )


def test_a_database_of_root_is_refused() -> None:
    with pytest.raises(UsageError, match=r'belongs to root.*write store.path = "/var/lib/feedd/feedd.db"'):
        made(PLACE._replace(store=Path("/etc/feedd/feedd.db")), "system")


@pytest.mark.parametrize(
    ("version", "known"), [(None, False), (252, False), (253, False), (254, True), (257, True)]
)
def test_pauses_grow_where_systemd_can(version: int | None, known: bool) -> None:
    for scope in ("system", "user"):
        assert ("RestartSteps=8" in service(PLACE._replace(systemd=version), scope)) is known


@pytest.mark.parametrize("scope", ["system", "user"])
def test_a_socket_is_closed_where_feedd_can_not_start_and_not_where_it_is_tried_again(scope: Scope) -> None:
    units = made(PLACE, scope)
    socket, daemon = (
        dict(line.split("=", 1) for line in settings(units[f"feedd.{kind}"]))
        for kind in ("socket", "service")
    )
    within_s = int(socket["TriggerLimitIntervalSec"])
    assert 0 < within_s <= int(socket["TriggerLimitBurst"]) * int(daemon["RestartSec"])


def test_a_manager_of_a_user_is_asked_for_nothing_it_can_not_give() -> None:
    text = "\n".join(made(PLACE, "user").values())
    for each in (
        "DynamicUser",
        "User=",
        "Protect",
        "Private",
        "ReadWritePaths",
        "CapabilityBoundingSet",
        "multi-user",
    ):
        assert each not in text


@pytest.mark.parametrize(
    ("listen", "expected"),
    [
        ("127.0.0.1:8080", "127.0.0.1:8080"),
        ("localhost:80", "127.0.0.1:80"),
        (":8080", "0.0.0.0:8080"),
        ("[::1]:8080", "[::1]:8080"),
        ("[fe80::1%eth0]:8080", "[fe80::1%%eth0]:8080"),
        ("unix:/run/feedd/http.sock", "/run/feedd/http.sock"),
        ("unix:/run/a b/100%", "/run/a b/100%%"),
    ],
)
def test_addresses(listen: str, expected: str) -> None:
    text = made(PLACE._replace(listen=listening(listen)), "system")["feedd.socket"]
    assert f"ListenStream={expected}\n" in text


def test_a_name_is_no_address() -> None:
    with pytest.raises(UsageError, match=r"server\.listen names the host 'feeds\.example\.org'"):
        made(PLACE._replace(listen=Listen("feeds.example.org", 80)), "system")


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("/usr/bin/feedd", "/usr/bin/feedd"),
        ("/home/jo doe/feedd", '"/home/jo doe/feedd"'),
        ('/a"b\\c', '"/a\\"b\\\\c"'),
        ("/100%/$HOME", '"/100%%/$$HOME"'),
        ("/文件/a;b", '"/文件/a;b"'),
        ("/it's", '"/it\'s"'),
        ("", '""'),
    ],
)
def test_words_are_quoted(word: str, expected: str) -> None:
    assert quoted(word) == expected
    if "%" not in word:
        assert shlex.split(quoted(word)) == [word]


@pytest.mark.parametrize("word", ["/a\nExecStart=/bin/sh", "/a\rb", "/a\x00b", "/a\udce9b", "/a\u2028b"])
def test_what_no_unit_can_hold(word: str) -> None:
    for check in (quoted, whole):
        with pytest.raises(UsageError, match="can't stand in a unit of systemd"):
            check(word)


@pytest.mark.parametrize("text", ["/a\\", " /a", "/a "])
def test_what_no_line_can_end_with(text: str) -> None:
    with pytest.raises(UsageError, match="can't stand in a unit of systemd"):
        whole(text)


def test_obstacles() -> None:
    unreadable = {Path("/home/alice/notes")}
    place = PLACE._replace(
        reads=(Path("/home/alice/notes"), Path("/tmp/notes")),
        writes=(Path("/srv/www"), Path("/var/lib/feedd/a")),
    )
    found = obstacles(place, lambda path: path not in unreadable, lambda _: False)
    assert [each.partition(";")[0].partition(":")[0] for each in found] == [
        "/srv/www is no folder yet",
        "/tmp/notes is hidden from a service, which has a /tmp of its own",
        "/home/alice/notes can't be read by the user feedd that systemd makes",
        "/srv/www can't be written by the user feedd that systemd makes",
    ]
    assert obstacles(ELSEWHERE, lambda _: False, lambda _: True) == []
