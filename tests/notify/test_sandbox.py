"""The process that renders templates of a configuration: what they can't do, and what they are told."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from feedd.notify import sandbox
from feedd.notify.sandbox import LIMIT_S, STOPPED, address, cut, mistake, when
from feedd.notify.values import Form

DATA = {"changes": [], "title": "<A & B>", "n": 3}


class Helper:
    """The process as the daemon sees it."""

    def __init__(self) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "feedd.notify.sandbox"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        assert self.answer() == {"made": "ready"}
        self.tell({"data": DATA})

    def tell(self, what: dict[str, Any]) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps(what).encode() + b"\n")
        self.process.stdin.flush()

    def answer(self) -> dict[str, str]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        return json.loads(line) if line else {}

    def render(self, text: str, form: Form = Form.PLAIN) -> dict[str, str]:
        self.tell({"form": form.value, "text": text})
        return self.answer()

    def ends(self) -> int:
        for pipe in (self.process.stdin, self.process.stdout):
            assert pipe is not None
            pipe.close()
        return self.process.wait(10)


@pytest.fixture(scope="module")
def helper() -> Iterator[Helper]:
    made = Helper()
    yield made
    assert made.ends() == 0  # it reads to the end of its input


def test_a_template_sees_the_data(helper: Helper) -> None:
    assert helper.render("{{ title }} {{ n + 1 }} {{ change is none }}") == {"made": "<A & B> 4 True"}
    assert helper.render("{{ title }}", Form.HTML) == {"made": "&lt;A &amp; B&gt;"}
    assert helper.render("{% for a in range(3) %}\n{{ a }}\n{% endfor %}") == {"made": "0\n1\n2\n"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{{ nosuch }}", "'nosuch' is undefined (line 1)"),
        ("\n\n{{ title.nosuch }}", "'str object' has no attribute 'nosuch' (line 3)"),
        ("{{ ''.__class__ }}", "access to attribute '__class__' of 'str' object is unsafe. (line 1)"),
        ("{{ ''['__class__'].__mro__ }}", "unsafe"),
        ("{{ ''|attr('__class__') }}", "unsafe"),
        ("{{ cycler.__init__.__globals__ }}", "unsafe"),
        ("{{ self._TemplateReference__context }}", "unsafe"),
        ("{{ '{0.__class__}'.format(1) }}", "unsafe"),
        ("{{ '{x.__class__}'.format_map({'x': 1}) }}", "unsafe"),
        ("{{ ('{0.__class__}'|safe).format(1) }}", "unsafe"),
        ("{{ changes.append(1) }}", "unsafe"),
        ("{{ 'a' * 10**10 }}", "it needs more than 512 MB of memory (line 1)"),
        ("{{ 'a'|center(10**9) }}", "it needs more than 512 MB of memory (line 1)"),
        ("{{ '%*d'|format(10**9, 1) }}", "it needs more than 512 MB of memory (line 1)"),
        ("{{ range(10**9)|list }}", "OverflowError: Range too big."),
        ("{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}", "it calls itself without end (line 1)"),
        ("{% for a in range(100000) %}0123456789 {% endfor %}", "it makes more than 1,000,000 characters"),
        ("{{ 'x' * 2000000 }}", "it makes more than 1,000,000 characters"),
        ("{% include '/etc/passwd' %}", "there are no other templates to be had here (line 1)"),
        ("{% autoescape false %}{% endautoescape %}", "autoescape can't be switched (line 1)"),
        ("{{ 'a'.encode('idna') }}", "it asks for what is out of its reach (line 1)"),
        ("{{ lipsum() }}", "'lipsum' is undefined (line 1)"),
        ("{{ 1 / 0 }}", "ZeroDivisionError: division by zero (line 1)"),
        ("{{ n|nosuch }}", "No filter named 'nosuch'. (line 1)"),
    ],
)
def test_what_it_can_t_do(helper: Helper, text: str, words: str) -> None:
    assert words in helper.render(text)["error"]
    assert helper.render("{{ n }}") == {"made": "3"}


def test_what_takes_for_ever_ends_the_process() -> None:
    text = "{{ (10 ** (10 ** 10))|string }}"  # no line of Python runs meanwhile
    helper, began = Helper(), time.monotonic()
    assert helper.render(text) == {}
    assert time.monotonic() - began < LIMIT_S + 8  # of processor time: others may use it, too
    assert helper.ends() == STOPPED


@pytest.mark.skipif(not os.path.isdir("/proc/self/fd"), reason="tells what is open")
def test_it_has_nothing_open_but_its_pipes() -> None:
    helper = Helper()
    limits = Path(f"/proc/{helper.process.pid}/limits").read_text()
    assert limits.split("Max open files")[1].split()[:2] == ["0", "0"]
    assert sorted(os.listdir(f"/proc/{helper.process.pid}/fd")) == ["0", "1", "2"]
    assert helper.ends() == 0


def test_lone_surrogates_are_no_trouble(helper: Helper) -> None:
    assert helper.render("{{ '\\ud800' }}") == {"made": "?"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{{ a }} {{ b|cut(3)|md }} {{ c|when }} {{ d|address }}", None),
        ("\n{{ a", "unexpected end of template, expected 'end of print statement'. (line 2)"),
        ("{{ a|nosuch }}", "No filter named 'nosuch'. (line 1)"),
        ("{% for a in b %}" * 25 + "{% endfor %}" * 25, "too many statically nested blocks"),
        ("{{ " + "(" * 5_000 + ")" * 5_000 + " }}", "it is nested too deeply"),
        ("{{ " + "9" * 10_000 + " }}", "Exceeds the limit"),
        ("{{ 'a' * 10**12 }}{{ 'a'|center(10**12) }}{{ 9**9**9**9 }}", None),
        ("{% set x = 'a' * 10**12 %}{% if 9**9**9**9 %}{% endif %}", None),
        ("{% autoescape 'a'|center(10**12) %}{% endautoescape %}", "autoescape can't be switched (line 1)"),
    ],
    ids=["sound", "cut", "filter", "loops", "brackets", "number", "large", "large-set", "autoescape"],
)
def test_mistakes_are_found_without_rendering_anything(text: str, words: str | None) -> None:
    began = time.monotonic()
    found = mistake(text)
    assert time.monotonic() - began < 2
    assert found == words or (words is not None and found is not None and words in found)


def test_filters() -> None:
    assert cut("abcdef", 4) == "abc…"
    assert cut("abc", 4) == "abc"
    assert cut("abc", 0) == "…"
    assert when("2024-02-01T09:05:00Z") == "1 Feb 2024, 09:05 UTC"
    assert when("soon") == "soon"
    assert address("https://x.example/a_(b)?q=<1>") == "https://x.example/a_%28b%29?q=%3C1%3E"


def test_our_own_templates_compile() -> None:
    for form in Form:
        assert sandbox.ours(form).get_template(f"{form.value}.j2")
    assert sandbox.ours(Form.PLAIN).get_template("title.j2")
