"""The log: what a line says, where it goes, and that whoever logs waits for nobody."""

import ast
import json
import logging
import os
import pty
import re
import select
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
from commands import forker
from hypothesis import given
from hypothesis import strategies as st
from running import FEEDD, PATIENCE_S, Site, run

from feedd.log_output import MOST_WAITING, has_colours, is_journal
from feedd.logs import (
    LONGEST_MESSAGE,
    LONGEST_TRACEBACK,
    Event,
    as_coloured,
    as_entry,
    as_json,
    as_plain,
    as_prefixed,
    as_text,
    cleaned,
    event_of,
    fields_of,
    journal_fields,
    without_secrets,
)

PACKAGE = Path(__file__).parent.parent / "feedd"
TOKEN = "feedd_" + "aB3-_" * 9
SAID = Event(1_706_867_102.5, logging.WARNING, "feedd.window", "news: it failed", (("source", "news"),))
ANYTHING = st.text(st.characters(), max_size=200)
LINE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]{8}\.[0-9]{3}Z (DEBUG|INFO|WARNING|ERROR) .+")


def record(words: object, *args: object, name: str = "feedd.window", **extra: object) -> logging.LogRecord:
    made = logging.LogRecord(name, logging.INFO, "/feedd/window.py", 7, words, args, None, "look")
    vars(made).update(extra)
    return made


def in_python(script: str, *words: str) -> list[str]:
    """The command that runs a script which logs."""
    start = (
        "import logging, os, sys\n"
        "from feedd.log_output import Format, Wanted, begin\n"
        "log = logging.getLogger('feedd.window')\n"
    )
    return [sys.executable, "-c", start + script, *words]


# What a line says


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        (f"GET /feeds/all.atom?token={TOKEN} 200", "GET /feeds/all.atom?token=… 200"),
        (f"'{TOKEN}' is wrong", "'feedd_…' is wrong"),
        ("signs with whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw.", "signs with whsec_…."),
        ("Authorization: Bearer abc.def-ghi", "Authorization: …"),
        ("authorization=Basic dXNlcjpwYXNz, then", "authorization=…, then"),
        ("{'Proxy-Authorization': 'Basic dXNlcjpwYXNz'}", "{'Proxy-Authorization': '…'}"),
        ("https://user:pass@example.org/x", "https://…@example.org/x"),
        ("socks5://u:p@ss@host:1080 fails", "socks5://…@host:1080 fails"),
        ("https://example.org/?a=1&api_key=s3cret&b=2", "https://example.org/?a=1&api_key=…&b=2"),
        ("https://e.org/a?x=1&X-Amz-Signature=ab12#top", "https://e.org/a?x=1&X-Amz-Signature=…#top"),
        ("https://e.org/#access_token=abc", "https://e.org/#access_token=…"),
        ('Authorization: Digest username="u", uri="/", response="abc" (401)', "Authorization: … (401)"),
        ("[(b'authorization', b'Bearer abc'), (b'a', b'b')]", "[(b'authorization', b'…'), (b'a', b'b')]"),
        ("Set-Cookie: sid=abc; Path=/; HttpOnly", "Set-Cookie: …"),
        (
            "{'cookie': 'a=b; c=d', 'x-api-key': 'abc', 'x': 'y'}",
            "{'cookie': '…', 'x-api-key': '…', 'x': 'y'}",
        ),
        ("no cookie: it was set by nobody", "no cookie: … was set by nobody"),
        ("https://e.org/?keyword=abc&monkeys=3", "https://e.org/?keyword=abc&monkeys=3"),
        ("https://example.org/@someone/1 a@b.org", "https://example.org/@someone/1 a@b.org"),
        ("the number feedd_source_looks is high", "the number feedd_source_looks is high"),
        ("no authorization was given", "no authorization was given"),
        ("news: 3 added", "news: 3 added"),
    ],
)
def test_what_looks_like_a_secret_is_hidden(said: str, shown: str) -> None:
    assert without_secrets(said) == shown


@given(ANYTHING, st.from_regex(r"[A-Za-z0-9_-]{43}", fullmatch=True, alphabet=st.characters(codec="ascii")))
def test_a_token_is_hidden_wherever_it_stands(before: str, random: str) -> None:
    for said in (f"{before} feedd_{random}", f"https://x/?token=feedd_{random}&{before}"):
        shown = cleaned(SAID._replace(message=said, traceback=f"Error\n  {said}"))
        assert random not in as_json(shown) + as_text(shown)


def test_secrets_are_found_quickly() -> None:
    begun = time.monotonic()
    pieces = (
        *("feedd_", "://", "://a:", "authorization ", "?token=", "a", "authorization:'", "?a", "x-", "x-a"),
        *("cookie:a;", "authorization:digest a=b,", "digest a=", 'a="b",', "; a", "cookie: "),
    )
    for piece in pieces:
        without_secrets(piece * (2 * LONGEST_MESSAGE // len(piece)))
    assert time.monotonic() - begun < 2


@given(ANYTHING, ANYTHING, ANYTHING)
def test_an_event_is_one_line_that_no_terminal_acts_on(message: str, field: str, trace: str) -> None:
    event = cleaned(SAID._replace(message=message, fields=(("source", field),)))
    for shape in (as_text, as_plain, as_json, as_prefixed):
        line = shape(event)
        assert len(line.splitlines()) == 1
        assert line.endswith("\n")
        assert not re.search("[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]", line[:-1])
        line.encode()
    broken = cleaned(event._replace(traceback=f"ValueError\n{trace}"))
    assert all(line.startswith("    ") for line in as_text(broken).split("\n")[1:-1])
    assert all(line.startswith("<4>") for line in as_prefixed(broken).split("\n")[:-1])
    assert re.findall(r"\x1b\[[0-9;]*m", as_coloured(broken)) == ["\x1b[33m", "\x1b[0m"]


@given(ANYTHING, ANYTHING, ANYTHING)
def test_json_gives_back_what_was_said(message: str, field: str, trace: str) -> None:
    event = cleaned(SAID._replace(message=message, fields=(("source", field),), traceback=trace))
    read = json.loads(as_json(event))
    expected = {
        "time": "2024-02-02T09:45:02.500Z",
        "level": "warning",
        "logger": "feedd.window",
        "message": event.message,
        "source": event.fields[0][1],
    }
    assert read == (expected | {"traceback": event.traceback} if event.traceback else expected)


def test_shapes() -> None:
    assert as_text(SAID) == "2024-02-02T09:45:02.500Z WARNING news: it failed\n"
    assert as_plain(SAID) == "WARNING news: it failed\n"
    assert as_coloured(SAID) == "\x1b[33mWARNING\x1b[0m news: it failed\n"
    assert as_prefixed(SAID._replace(traceback="a\nb")) == "<4>news: it failed\n<4>    a\n<4>    b\n"
    theirs = SAID._replace(logger="uvicorn.error", level=logging.ERROR, fields=(("source", "other"),))
    assert as_plain(theirs) == "ERROR uvicorn.error: news: it failed [source=other]\n"


def test_long_ones_are_cut() -> None:
    event = cleaned(
        event_of(record("x" * 1_000_000, source="y" * 1000))._replace(traceback="z" * 10 * LONGEST_TRACEBACK)
    )
    assert len(event.message) == LONGEST_MESSAGE
    assert len(event.traceback) <= LONGEST_TRACEBACK
    assert event.message.endswith("…")


@pytest.mark.parametrize("lines", [0, 230])
def test_half_a_secret_is_shown_of_no_trace(lines: int) -> None:
    for extra in range(LONGEST_TRACEBACK - 50, LONGEST_TRACEBACK + 10, 7):
        error = ValueError("https://user:SECRET-WORD@example.org/" + "y" * extra + "\n" * lines)
        said = record("it failed")
        said.exc_info = (ValueError, error, None)
        assert "SECRET" not in as_text(cleaned(event_of(said)))
        assert "WORD" not in as_text(cleaned(event_of(said)))


def test_fields_come_from_the_words() -> None:
    assert fields_of(record("%s: %d added", "news", 3)) == (("source", "news"),)
    assert fields_of(record("notify.%s: %s", "desk", "no")) == (("channel", "desk"),)
    assert fields_of(record("%s follows %s", "host", "feed")) == ()
    assert fields_of(record("%s: no", "x", name="uvicorn.error")) == ()
    assert fields_of(record("%s: no", "archive.x")) == fields_of(record("%s: no", Path("/x/feedd.db"))) == ()
    assert fields_of(record("%s: no", "news", source="other", feed="all")) == (
        ("source", "other"),
        ("feed", "all"),
    )
    assert event_of(record("%d apples", "no")).message.endswith("do not fit its words: %d apples")


def calls_of_log() -> list[tuple[Any, str]]:
    """The words, and the first value of each call of a logger that has some."""
    return [
        (node.args[0].value, ast.unparse(node.args[1]))
        for path in sorted(PACKAGE.rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and ast.unparse(node.func.value) in {"log", "logger"}
        and len(node.args) > 1
        and isinstance(node.args[0], ast.Constant)
    ]


def test_lines_begin_with_what_they_are_about() -> None:
    calls = calls_of_log()
    sources = {first for words, first in calls if words.startswith("%s: ")}
    others = {"self.what", "path"}  # which have not the form of a source's name
    assert sources - others <= {"source.name", "row.source", "gone.name", "name"}, (
        "give the field by extra=, or say it otherwise"
    )
    assert len(sources) > 1
    channels = {first for words, first in calls if words.startswith("notify.%s: ")}
    assert channels <= {"channel.name", "self.channel.name", "channel", "name", "*(name, failed.why, name)"}


# The journal


def entry_of(data: bytes) -> dict[str, str]:
    """As journald reads it."""
    found = {}
    while data:
        head, _, rest = data.partition(b"\n")
        name, equals, value = head.partition(b"=")
        if equals:
            data = rest
        else:
            size = int.from_bytes(rest[:8], "little")
            value, data = rest[8 : 8 + size], rest[8 + size :]
            assert data[:1] == b"\n"
            data = data[1:]
        found[name.decode()] = value.decode()
    return found


@given(st.dictionaries(st.from_regex(r"[A-Z][A-Z0-9_]{0,20}", fullmatch=True), st.text(max_size=100)))
def test_an_entry_of_the_journal_is_read_as_it_was_meant(fields: dict[str, str]) -> None:
    assert entry_of(as_entry(list(fields.items()))) == fields


def test_fields_of_the_journal() -> None:
    event = event_of(record("%s: it failed", "news"))._replace(traceback="a\nb")
    assert entry_of(as_entry(journal_fields(event))) == {
        "MESSAGE": "news: it failed\na\nb",
        "PRIORITY": "6",
        "SYSLOG_IDENTIFIER": "feedd",
        "CODE_FILE": "/feedd/window.py",
        "CODE_LINE": "7",
        "CODE_FUNC": "look",
        "LOGGER": "feedd.window",
        "FEEDD_SOURCE": "news",
    }


def test_what_the_journal_connected_is_known() -> None:
    reading, writing = os.pipe()
    try:
        status = os.fstat(writing)
        assert is_journal(writing, {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"})
        assert not is_journal(writing, {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino + 1}"})
        assert not is_journal(writing, {})
        assert not is_journal(None, {"JOURNAL_STREAM": "1:1"})
    finally:
        os.close(reading)
        os.close(writing)


def test_the_journal_is_written_to(tmp_path: Path) -> None:
    """What systemd does: standard error is a stream of the journal, whose number JOURNAL_STREAM gives."""
    path = str(tmp_path / "socket")
    script = """
begin(Wanted(journal=sys.argv[1]))
log.warning('%s: it failed\\n\\x1b[31mred', 'news')
log.error('👍' * 100_000)
logging.getLogger('httpx').info('not this')
sys.stdin.read()
log.error('nobody is there')
"""
    reading, writing = os.pipe()
    status = os.fstat(writing)
    environment = os.environ | {"JOURNAL_STREAM": f"{status.st_dev}:{status.st_ino}"}
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal, open(reading, "rb") as errors:
        journal.bind(path)
        journal.settimeout(PATIENCE_S)
        with subprocess.Popen(
            in_python(script, path), stdin=subprocess.PIPE, stderr=writing, env=environment
        ) as process:
            os.close(writing)
            first, second = (entry_of(journal.recv(1 << 20)) for _ in range(2))
            os.unlink(path)
            process.communicate()
        assert errors.read() == b"<3>nobody is there\n"
    assert first["MESSAGE"] == r"news: it failed \x1b[31mred"
    assert (first["PRIORITY"], first["FEEDD_SOURCE"]) == ("4", "news")
    assert (first["CODE_FUNC"], second["PRIORITY"]) == ("<module>", "3")
    assert second["MESSAGE"] == "👍" * (LONGEST_MESSAGE - 1) + "…"


# Terminals, and what is none


def test_colours() -> None:
    assert has_colours({})
    assert has_colours({"NO_COLOR": "", "TERM": "xterm"})
    assert not has_colours({"NO_COLOR": "1"})
    assert not has_colours({"TERM": "dumb"})


@pytest.mark.parametrize(
    ("variables", "shown"),
    [
        ({"TERM": "xterm"}, "\x1b[33mWARNING\x1b[0m news: \\x1b]0;x\\x07"),
        ({"NO_COLOR": "1"}, "WARNING news: "),
    ],
)
def test_a_terminal(variables: dict[str, str], shown: str) -> None:
    script = "begin(Wanted())\nlog.warning('%s: \\x1b]0;x\\x07', 'news')"
    ours, theirs = pty.openpty()
    try:
        environment = {k: v for k, v in os.environ.items() if k not in {"NO_COLOR", "TERM"}} | variables
        subprocess.run(in_python(script), stderr=theirs, env=environment, check=True)
        said = os.read(ours, 10_000).decode()
    finally:
        os.close(ours)
        os.close(theirs)
    assert said.startswith(shown)
    assert said.endswith("\r\n")


# Readers that are slow, or gone

FLOOD = f"""
import time
begin(Wanted())
begun = time.monotonic()
for number in range({2 * MOST_WAITING}):
    log.warning('line %d ' + 'x' * 200, number)
print(time.monotonic() - begun, flush=True)
"""


def test_a_reader_that_stops_holds_nobody_up() -> None:
    command = in_python(FLOOD + "sys.stdin.read()")
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout is not None
        assert float(process.stdout.readline()) < 5
        _, said = process.communicate()  # reads at last
    lines = said.splitlines()
    shown = [int(line.split()[3]) for line in lines if " WARNING line " in line]
    (lost,) = re.findall(r"([\d,]+) lines of the log were lost: what reads it was away", lines[-1])
    assert shown == sorted(set(shown))
    assert len(shown) + int(lost.replace(",", "")) == 2 * MOST_WAITING
    assert len(shown) >= MOST_WAITING


def test_a_reader_that_stops_does_not_keep_it_from_ending() -> None:
    reading, writing = os.pipe()
    try:
        process = subprocess.Popen(in_python(FLOOD), stdout=subprocess.DEVNULL, stderr=writing)
        assert process.wait(PATIENCE_S) == 0
    finally:
        os.close(reading)
        os.close(writing)


def test_a_full_disk_and_no_standard_error_end_nothing(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.seed("a.txt", "First")
    words = [*FEEDD, "-v", "update", "--config", str(site.config)]
    with open("/dev/full", "wb") as full:
        assert subprocess.run(words, stderr=full, stdout=subprocess.DEVNULL).returncode == 0
    closed = ["sh", "-c", 'exec "$@" 2>&-', "sh", *words]
    assert subprocess.run(closed, stdout=subprocess.DEVNULL).returncode == 0
    assert len(site.json("entries")) == 1
    assert site.database.read_bytes().startswith(b"SQLite format 3\0")


STRAY = r"""
import threading, warnings
begin(Wanted(format=Format.JSON))
warnings.warn("first\n\x1b[31m second", stacklevel=1)
thread = threading.Thread(target=lambda: 1 / 0, name="reader")
thread.start()
thread.join()
class Spoilt:
    def __del__(self):
        raise ValueError("https://u:p@host/")
Spoilt()
threading.Thread(target=sys.exit).start()
"""


def test_what_python_itself_would_write_is_logged_too() -> None:
    done = subprocess.run(in_python(STRAY), capture_output=True, text=True, check=True)
    warned, ended, spoilt = map(json.loads, done.stderr.splitlines())
    assert (warned["level"], warned["logger"]) == ("warning", "py.warnings")
    assert r"UserWarning: first \x1b[31m second" in warned["message"]
    assert ended["message"] == "a bug in feedd ended the thread reader: division by zero"
    assert "ZeroDivisionError" in ended["traceback"]
    assert spoilt["message"].endswith("https://…@host/")
    assert "u:p" not in done.stderr


# Commands


def test_a_bug_has_a_trace_and_is_one_line_of_json() -> None:
    script = """
import sys, types, click
from feedd.cli.main import COMMANDS, cli
COMMANDS['new'] = 'broken'
sys.modules['feedd.cli.broken'] = types.SimpleNamespace(new=click.command()(lambda: 1 / 0))
cli()
"""
    command = [sys.executable, "-c", script, "--log-format", "json", "new"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    said = json.loads(done.stderr)
    assert said["message"] == "a bug in feedd ended it: division by zero"
    assert said["level"] == "critical"
    assert said["traceback"].startswith("Traceback (most recent call last):\n")


def test_a_daemon_whose_log_nobody_reads_any_more(tmp_path: Path) -> None:
    site = Site(tmp_path)
    site.seed("a.txt", "First")
    reading, writing = os.pipe()
    words = ["run", "-v", "--log-format", "json", "--config", str(site.config)]
    with open(writing, "wb") as errors, open(os.devnull, "wb") as nothing:
        process = forker().start(words, site.root, nothing, errors)
    try:
        said = b""
        while b"1 added" not in said or not said.endswith(b"\n"):
            assert select.select([reading], [], [], PATIENCE_S)[0]
            said += os.read(reading, 10_000)
        os.close(reading)
        lines = [json.loads(line) for line in said.splitlines()]
        assert lines[0]["message"] == f"feedd serves {site.url}/ (Ctrl-C ends it)"
        (added,) = (line for line in lines if line["message"] == "news: 1 added")
        assert (added["source"], added["level"], added["logger"]) == (
            "news",
            "info",
            "feedd.daemon.attending",
        )
        assert any(line["level"] == "debug" for line in lines)
        site.seed("b.txt", "Second")
        assert site.json("update")["sources"][0]["added"] == 1  # the daemon does it
        assert httpx.get(f"{site.url}/feeds/all.json", trust_env=False).status_code == 200
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    finally:
        process.kill()
        process.wait(PATIENCE_S)


def test_how_much_is_said(tmp_path: Path) -> None:
    site = Site(tmp_path, more='[sources.gone]\ntype = "directory"\npath = "nowhere"\n')

    def said(*words: str) -> list[str]:
        done = run(["--config", str(site.config), *words], tmp_path)
        assert done.returncode == 1
        return done.stderr.splitlines()

    (failed,) = said("update")
    assert LINE.fullmatch(failed)
    assert " WARNING gone: " in failed
    assert len(said("update", "-q")) == 1
    assert [line for line in said("-v", "update") if " DEBUG news: looked at" in line]
    assert [line for line in said("update", "-q", "--log-level", "pipeline=debug") if " DEBUG news: " in line]
    assert said("--log-level", "folder=error", "update") == []
    assert len(said("-q", "--log-level", "websub.hub=DEBUG", "update", "-v")) == 3


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--log-level", "ftech=debug"], "'ftech' is no part of feedd; there are: access, "),
        (["--log-level", "fetch=loud"], "'fetch=loud' is not NAME=LEVEL; a level is one of debug, info, "),
        (["--log-level", "fetch"], "'fetch' is not NAME=LEVEL"),
        (["--log-format", "xml"], "'xml' is not one of"),
        (["-v", "-q"], "-v and -q at once"),
    ],
    ids=["part", "level", "none", "format", "both"],
)
def test_options_that_are_wrong(tmp_path: Path, words: list[str], why: str) -> None:
    for each in (["update", *words], [*words, "update"]):
        done = run(each, tmp_path)
        assert done.returncode == 2
        assert why in " ".join(done.stderr.split())
