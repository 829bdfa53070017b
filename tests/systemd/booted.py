"""feedd's units under a real systemd. `make test-systemd` runs this: a line for each thing that is shown.

It is no part of `make test`: it needs root, debootstrap and systemd-container, and a network the first time.
"""

import json
import re
import sys
import time
from collections.abc import Callable
from typing import Any

from machine import FEEDD, PYTHON, Machine, booted, until
from stage import (
    AWAY,
    CONFIG,
    CONFIG_OF_ALICE,
    CONFIG_OF_FEEDD,
    DROP_IN,
    FILES,
    MORE,
    SECRET,
    SOCKET,
    prepare,
    seed,
)

MOST_EXPOSED = 1.1  # as systemd-analyze counts


def sources(machine: Machine) -> dict[str, Any]:
    found = json.loads(machine.said(FEEDD, "sources", "--json"))
    return {each["name"]: each for each in found}


def hammered(machine: Machine, *command: str, address: str = "127.0.0.1:8080") -> str:
    """What became of requests while a command ran."""
    said = json.loads(machine.said(PYTHON, "/opt/inside/hammering.py", address, *command))
    assert said["status"] == 0, said
    assert not said["wrong"], said
    return f"{said['answered']:,} requests, all answered, the slowest after {said['longest_s']:.1f} s"


def pid(machine: Machine) -> str:
    return machine.show("MainPID")


def back(machine: Machine, old: str, patience_s: float = 40) -> float:
    """Seconds until feedd runs again, as another process."""
    began = time.monotonic()
    until(lambda: machine.show("ActiveState") == "active" and pid(machine) not in {old, "0"}, patience_s)
    return time.monotonic() - began


def install(machine: Machine) -> str:
    said = machine.said(FEEDD, "install-service", "--yes")
    assert "Next:" in said, said
    machine.said("systemctl", "daemon-reload")
    units = ["feedd.service", "feedd.socket", "feedd-update.service", "feedd-update.timer"]
    verified = machine.run("systemd-analyze", "verify", *units)
    assert (verified.returncode, verified.stderr) == (0, ""), verified.stderr
    assert "nothing was written" not in machine.said(FEEDD, "install-service", "--yes")
    return "units written, systemd-analyze verify is silent"


def start(machine: Machine) -> str:
    machine.said("systemctl", "enable", "--now", "feedd.socket", "feedd.service")
    assert machine.show("ActiveState") == "active"
    assert machine.show("User") == "feedd"
    user = machine.said("stat", "-c", "%u", f"/proc/{pid(machine)}")
    assert int(user) > 60_000, user  # systemd's own range
    stored = machine.said("stat", "-L", "-c", "%u %a", "/var/lib/feedd")
    assert stored == f"{user} 700", stored
    return f"active as user {user}, made by systemd; the folder of the database is open to it alone"


def notify(machine: Machine) -> str:
    assert machine.show("NotifyAccess") == "main"
    text = until(lambda: machine.show("StatusText"), 5)
    until(lambda: sources(machine)["notes"]["entries"] == FILES, 60)
    later = until(lambda: found if (found := machine.show("StatusText")) != text else "", 10)
    return f"first {text!r}, then {later!r}"


def workers(machine: Machine) -> str:
    """More files than one process reads, and a template, within the sandbox."""
    machine.write("/srv/notes/new.md", seed(FILES))
    found = until(lambda: "Heard: Note" in machine.said("journalctl", "-u", "guarded-site"), 30)
    assert found
    return f"{FILES:,} files read, which takes worker processes; a template rendered, in a process of its own"


def sandbox(machine: Machine) -> str:
    unit = machine.said("cat", "/etc/systemd/system/feedd-update.service")
    probing = re.sub(
        r"^ExecStart=.*$", f"ExecStart={PYTHON} /opt/inside/probing.py", unit, flags=re.MULTILINE
    )
    machine.write("/etc/systemd/system/probe.service", probing)
    machine.said("systemctl", "daemon-reload")
    machine.said("systemctl", "start", "probe.service")
    lines = machine.said("journalctl", "-u", "probe.service", "-o", "cat").splitlines()
    found = json.loads(next(line for line in lines if line.startswith("{")))
    allowed = [name for name, what in found.items() if what == "yes"]
    assert allowed == ["write its state", "write /tmp", "read sources", "tcp", "limit memory"], found
    said = machine.said("systemd-analyze", "security", "feedd.service", "--no-pager")
    exposed = float(re.findall(r"Overall exposure level for \S+: ([0-9.]+)", said)[0])
    assert exposed <= MOST_EXPOSED, said
    return (
        f"{len(found) - len(allowed)} things refused, {len(allowed)} needed ones allowed; exposure {exposed}"
    )


def credentials(machine: Machine) -> str:
    until(lambda: sources(machine)["guarded"]["entries"] == 1, 30)
    log = machine.said("journalctl", "-u", "feedd", "-o", "cat")
    assert "hunter2" not in log
    return "a source behind a password is read; the journal does not hold it"


def activation(machine: Machine) -> str:
    machine.said("systemctl", "stop", "feedd.service")
    assert machine.show("ActiveState") == "inactive"
    begun = time.monotonic()
    text = machine.said(
        PYTHON, "-c", "import httpx; print(httpx.get('http://127.0.0.1:8080/feeds/all.json', timeout=30))"
    )
    assert "200" in text, text
    return f"a request started it, and was answered after {time.monotonic() - begun:.1f} s"


def restart(machine: Machine) -> str:
    old = pid(machine)
    said = hammered(machine, "systemctl", "restart", "feedd.service")
    assert pid(machine) != old
    return said


def reload(machine: Machine) -> str:
    old = pid(machine)
    machine.write("/etc/feedd/config.toml", CONFIG + MORE)
    said = hammered(machine, "systemctl", "reload", "feedd.service")
    assert "others" in sources(machine)
    assert pid(machine) == old
    return said


def bad_reload(machine: Machine) -> str:
    old = pid(machine)
    machine.write("/etc/feedd/config.toml", CONFIG + MORE + '\n[sources.bad]\ntype = "no such"\n')
    done = machine.run("systemctl", "reload", "feedd.service")
    assert done.returncode != 0
    assert pid(machine) == old
    text = until(lambda: found if "mistake" in (found := machine.show("StatusText")) else "", 10)
    log = machine.said("journalctl", "-u", "feedd", "-o", "cat", "-n", "30")
    assert "sources.bad" in log, log
    machine.write("/etc/feedd/config.toml", CONFIG + MORE)
    machine.said("systemctl", "reload", "feedd.service")
    assert "bad" not in sources(machine)
    return f"exit status {done.returncode}, nothing changed; status {text!r}"


def mistaken(machine: Machine) -> str:
    """A configuration with a mistake at a start, while somebody waits in the socket."""
    machine.said("systemctl", "stop", "feedd.service")
    machine.write("/etc/feedd/config.toml", CONFIG + '\n[sources.bad]\ntype = "no such"\n')
    machine.said(PYTHON, "-c", "import socket; socket.create_connection(('127.0.0.1', 8080)).close()")
    until(lambda: machine.show("ActiveState", "feedd.socket") == "failed", 40)
    until(lambda: machine.show("ActiveState") == "failed", 10)
    log = machine.said("journalctl", "-u", "feedd", "-o", "cat", "--since", "-45s")
    tries = log.count("Main process exited, code=exited, status=2")
    assert "sources.bad" in log, log
    machine.write("/etc/feedd/config.toml", CONFIG)
    machine.said("systemctl", "start", "feedd.service")
    assert machine.show("ActiveState", "feedd.socket") == "active"
    return f"given up after {tries} tries, and its socket closed; one start brings both back"


def watchdog(machine: Machine) -> str:
    old = pid(machine)
    machine.said("systemctl", "kill", "-s", "STOP", "--kill-who=main", "feedd.service")
    took_s = back(machine, old)
    log = machine.said("journalctl", "-u", "feedd", "-o", "cat", "-n", "400")
    assert "Watchdog timeout" in log, log
    return f"hung, ended, and running again after {took_s:.0f} s"


def killed(machine: Machine) -> str:
    old = pid(machine)
    machine.said("systemctl", "kill", "-s", "KILL", "--kill-who=main", "feedd.service")
    said = [f"{back(machine, old):.0f} s"]
    old = pid(machine)
    machine.said("systemctl", "kill", "-s", "KILL", "--kill-who=main", "feedd.service")
    said.append(f"{back(machine, old):.0f} s")
    steps = machine.run("systemctl", "show", "-p", "RestartSteps", "feedd.service").stdout.strip()
    return f"running again after {', then '.join(said)} ({steps or 'this systemd knows no RestartSteps='})"


def update(machine: Machine) -> str:
    machine.said("systemctl", "start", "feedd-update.service")
    beside = machine.show("Result", "feedd-update.service")
    machine.said("systemctl", "stop", "feedd.socket", "feedd.service")
    machine.said("systemctl", "start", "feedd-update.service")
    alone = machine.show("Result", "feedd-update.service")
    assert (beside, alone) == ("success", "success")
    machine.said("systemctl", "enable", "--now", "feedd-update.timer")
    following = machine.said("systemctl", "list-timers", "--no-legend", "feedd-update.timer")
    machine.said("systemctl", "disable", "--now", "feedd-update.timer")
    assert "feedd-update.timer" in following
    machine.said("systemctl", "start", "feedd.socket", "feedd.service")
    return "one pass beside the daemon, one alone; the timer waits"


def second(machine: Machine) -> str:
    options = ["--wait", "--pipe", "-p", "DynamicUser=yes", "-p", "User=feedd", "-p", "StateDirectory=feedd"]
    command = [FEEDD, "--config", "/etc/feedd/second.toml", "run"]
    done = machine.run("systemd-run", "--quiet", "--unit=second", *options, *command)
    assert done.returncode == 1, done
    assert f"process {pid(machine)} on this database" in done.stderr, done.stderr
    return f"exit status 1: {done.stderr.strip().splitlines()[0]}"


def missing(machine: Machine) -> str:
    """A credential that is not in the store, then one of a file that is named and away."""
    machine.said("mv", SECRET, f"{SECRET}.kept")
    machine.said("systemctl", "restart", "feedd.service")
    machine.said(FEEDD, "update", "notes")
    machine.run(FEEDD, "update", "guarded")
    error = sources(machine)["guarded"]["error"]
    assert error, sources(machine)
    assert "site-password" in error, error
    machine.write(f"{DROP_IN}/credential.conf", AWAY)
    machine.said("systemctl", "daemon-reload")
    done = machine.run("systemctl", "restart", "feedd.service")
    code = machine.show("ExecMainStatus")
    machine.said("rm", f"{DROP_IN}/credential.conf")
    machine.said("mv", f"{SECRET}.kept", SECRET)
    machine.said("systemctl", "daemon-reload")
    machine.said("systemctl", "restart", "feedd.service")
    assert done.returncode != 0
    return f"not in the store: that source alone fails ({error!r}); its file away: systemd does not start it ({code})"


def journal(machine: Machine) -> str:
    lines = machine.said("journalctl", "-u", "feedd", "-o", "json", "SYSLOG_IDENTIFIER=feedd").splitlines()
    entries = [json.loads(line) for line in lines]
    ours = [each for each in entries if "LOGGER" in each]
    assert ours
    assert all(each["PRIORITY"] in set("23467") and each["CODE_FILE"] for each in ours)
    warned = [each for each in ours if each["PRIORITY"] == "4" and each.get("FEEDD_SOURCE") == "guarded"]
    assert warned, [each["MESSAGE"] for each in ours]
    bugs = [each["MESSAGE"] for each in entries if "bug in feedd" in str(each["MESSAGE"])]
    assert not bugs, bugs
    return f"{len(ours):,} entries with priority and fields; a warning has FEEDD_SOURCE=guarded"


def upgrade(machine: Machine) -> str:
    machine.said("systemctl", "stop", "feedd.socket", "feedd.service")
    machine.said(PYTHON, "/opt/inside/older_store.py")
    machine.said("systemctl", "start", "feedd.socket", "feedd.service")
    until(lambda: sources(machine)["notes"]["entries"] == FILES + 1, 60)
    names = machine.said("ls", "/var/lib/feedd/").split()
    kept = [name for name in names if name.startswith("feedd.db.before-")]
    assert kept, names
    return f"the database is brought up to date; what it was is kept as {kept[0]}"


def moved(machine: Machine) -> str:
    """A backup that root restores where no feedd ran yet: the folder and what is in it become the service's."""
    machine.said(FEEDD, "backup", "/root/moves.db")
    machine.said("systemctl", "stop", "feedd.socket", "feedd.service")
    machine.said("rm", "-r", "/var/lib/feedd", "/var/lib/private/feedd")
    machine.said("install", "-d", "-m", "700", "/var/lib/feedd")
    machine.said(FEEDD, "restore", "/root/moves.db")
    machine.said("systemctl", "start", "feedd.service")
    user = machine.said("stat", "-c", "%u", f"/proc/{pid(machine)}")
    owners = machine.said("find", "/var/lib/feedd/", "-printf", "%U\\n").split()
    assert set(owners) == {user}, owners
    entries = sources(machine)["notes"]["entries"]
    assert entries >= FILES, entries
    return f"{entries:,} entries, and all that is in the folder belongs to user {user}"


def unix_socket(machine: Machine) -> str:
    """Another address: the units are written anew; the socket outlives its service, and anybody may use it."""
    text = CONFIG.replace("127.0.0.1:8080", f"unix:{SOCKET}").replace(
        "[store]", 'base_url = "http://h/"\n[store]'
    )
    machine.write("/etc/feedd/config.toml", text)
    said = machine.said(FEEDD, "install-service", "--yes")
    assert "feedd.socket: is there, and DIFFERS" in said, said
    machine.said("systemctl", "daemon-reload")
    machine.said("systemctl", "stop", "feedd.service", "feedd.socket")
    machine.said("systemctl", "start", "feedd.service")
    shown = hammered(machine, "systemctl", "restart", "feedd.service", address=SOCKET)
    mode = machine.said("stat", "-c", "%a", SOCKET)
    assert mode == "666", mode
    return shown


def own_user(machine: Machine) -> str:
    """A database of a user who was made for feedd; what is published is for everybody."""
    machine.said("systemctl", "stop", "feedd.socket", "feedd.service")
    home = ("--home-dir", "/srv/feedd", "--create-home", "--shell", "/usr/sbin/nologin")
    machine.said("useradd", "--system", *home, "feedd")
    machine.said("install", "-d", "-o", "feedd", "/var/www/feeds", "/srv/archive")
    machine.write("/etc/feedd/config.toml", CONFIG_OF_FEEDD)
    said = machine.said(FEEDD, "install-service", "--yes")
    assert "Before it can start" not in said, said
    machine.said("systemctl", "daemon-reload")
    machine.said("systemctl", "start", "feedd.service")
    assert machine.show("User") == "feedd"
    feed = until(lambda: machine.run("stat", "-c", "%U %a", "/var/www/feeds/feeds/all.atom").stdout, 60)
    assert feed.split() == ["feedd", "644"], feed
    until(lambda: machine.run("find", "/srv/archive", "-name", "*.md").stdout.count("\n") > FILES, 60)
    return f"feeds published, for all to read; the {FILES:,} articles are in the archive"


def own_manager(machine: Machine) -> str:
    """The units of a user, under the manager of that user."""
    machine.said("useradd", "alice")
    machine.write("/home/alice/.config/feedd/config.toml", CONFIG_OF_ALICE)
    machine.said("chown", "-R", "alice:alice", "/home/alice")
    number = machine.said("id", "-u", "alice")
    machine.said("systemctl", "start", f"user@{number}.service")
    alice = ["setpriv", f"--reuid={number}", f"--regid={number}", "--clear-groups", "env", "HOME=/home/alice"]
    alice += [f"XDG_RUNTIME_DIR=/run/user/{number}"]
    machine.said(*alice, FEEDD, "install-service", "--user", "--yes")
    control = (*alice, "systemctl", "--user")
    machine.said(*control, "daemon-reload")
    machine.said(*control, "enable", "--now", "feedd.socket", "feedd.service")
    status = machine.said(*control, "show", "--value", "-p", "StatusText", "feedd.service")
    shown = hammered(machine, *control, "restart", "feedd.service", address="127.0.0.1:8090")
    machine.said(*control, "reload", "feedd.service")
    return f"status {status!r}; at a restart {shown}"


STEPS: tuple[Callable[[Machine], str], ...] = (
    install,
    start,
    notify,
    workers,
    sandbox,
    credentials,
    activation,
    restart,
    reload,
    bad_reload,
    mistaken,
    watchdog,
    killed,
    update,
    second,
    missing,
    journal,
    upgrade,
    moved,
    unix_socket,
    own_user,
    own_manager,
)


def shown(step: Callable[[Machine], str], machine: Machine) -> bool:
    began = time.monotonic()
    try:
        words, good = step(machine), True
    except Exception as error:  # noqa: BLE001 (whatever it is, the other steps are tried, too)
        words, good = f"{type(error).__name__}: {error}", False
    taken = f"{time.monotonic() - began:4.1f} s"
    print(
        f"{'ok    ' if good else 'FAILED'}  {taken}  {step.__name__.replace('_', ' ')}: {words}", flush=True
    )
    return good


def main(names: list[str]) -> int:
    with booted() as machine:
        print(machine.said("systemctl", "--version").splitlines()[0])
        prepare(machine)
        steps = [step for step in STEPS if not names or step.__name__ in {"install", "start", *names}]
        good = [shown(step, machine) for step in steps]
        if not all(good):
            print(machine.run("journalctl", "-u", "feedd", "-o", "short-monotonic", "-n", "60").stdout)
    return 0 if all(good) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
