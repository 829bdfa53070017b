"""What there is in the machine: configurations, sources, secrets, drop-ins of the unit."""

from machine import PYTHON, Machine

FILES = 2_000  # more than the daemon reads without worker processes
CONFIG = """
[server]
listen = "127.0.0.1:8080"

[store]
path = "/var/lib/feedd/feedd.db"

[sources.notes]
type = "directory"
path = "/srv/notes"
watch = true

[sources.guarded]
type = "feed"
url = "http://127.0.0.1:9090/"
auth = { user = "feedd", password = "credential:site-password" }
allow_private = true
every = "1m"

[notify.desk]
type = "apprise"
url = "json://127.0.0.1:9090/"
on = ["added"]
[notify.desk.template]
title = "Heard: {{ change.title }}"
"""
CONFIG_OF_ALICE = """
[server]
listen = "127.0.0.1:8090"
[sources.notes]
type = "directory"
path = "/srv/notes"
"""
CONFIG_OF_FEEDD = """
[server]
listen = "127.0.0.1:8080"
base_url = "https://feeds.example.org/"
[store]
path = "/srv/feedd/feedd.db"
[sources.notes]
type = "directory"
path = "/srv/notes"
[publish]
directory = "/var/www/feeds"
[archive.own]
directory = "/srv/archive"
"""
SOCKET = "/run/feedd/http.sock"
SECRET = "/etc/credstore/site-password"
AWAY = "[Service]\nLoadCredential=site-password:/etc/credstore/away\n"
QUICK = "[Service]\nWatchdogSec=4\nTimeoutAbortSec=2\n"  # for the test not to take minutes
SOON = "[Socket]\nTriggerLimitBurst=3\n"  # on a slow machine, too
SECOND = CONFIG.replace("8080", "8081")
MORE = '\n[sources.others]\ntype = "directory"\npath = "/srv/others"\n'
DROP_IN = "/etc/systemd/system/feedd.service.d"


def seed(number: int) -> str:
    time = f"<!--{1_700_000_000 + number}000-->"
    return f"{time}\n[Note {number}](https://example.org/{number})\n------\n\n<p>Some words of note {number}.</p>\n"


def prepare(machine: Machine) -> None:
    machine.write("/etc/feedd/config.toml", CONFIG)
    machine.write("/etc/feedd/second.toml", SECOND)
    machine.write(SECRET, "hunter2\n", 0o600)
    machine.write(f"{DROP_IN}/quick.conf", QUICK)
    machine.write("/etc/systemd/system/feedd.socket.d/quick.conf", SOON)
    machine.write("/home/alice/letter", "Dear Bob")
    for folder in ("open", "notes", "others"):
        machine.said("mkdir", "-p", f"/srv/{folder}")
    machine.said("chmod", "1777", "/srv/open")
    for number in range(FILES):
        machine.write(f"/srv/notes/{number}.md", seed(number))
    machine.said("systemd-run", "--unit=guarded-site", PYTHON, "/opt/inside/guarded_site.py")
