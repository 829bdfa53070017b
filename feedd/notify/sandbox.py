"""Templates of a configuration, rendered in a process of their own: `python -m feedd.notify.sandbox`.

JSON lines on standard input: `{"data": …}`, what the templates that follow see; and `{"form", "text"}`, a template.
Each template is answered by a line on standard output: `{"made": …}`, or `{"error": …}`, in words. The process reads
to the end of its input, so that it ends with the daemon. It can open nothing, and has none of the daemon's environment.

The only module that knows Jinja2 where messages are concerned.
"""

import codecs
import json
import pprint  # noqa: F401 - filters import it when they are used, when nothing can be opened any more
import resource
import signal
import sys
import textwrap  # noqa: F401 - same
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from functools import cache
from typing import Any

import jinja2.debug
from jinja2 import (
    BaseLoader,
    PackageLoader,
    StrictUndefined,
    Template,
    TemplateError,
    TemplateSyntaxError,
    UndefinedError,
    nodes,
    pass_eval_context,
)
from jinja2.nodes import EvalContext
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup

from feedd.changes.escaping import escaped
from feedd.notify.values import Form

MEMORY_BYTES = 512 * 1024 * 1024
LIMIT_S = 2.0  # of processor time, a template
LONGEST = 1_000_000  # characters that a template may make
LONGEST_ERROR = 300
KEPT = 200  # templates that are kept compiled
DATA = "data"
STOPPED = -signal.SIGPROF  # the exit status of a process that took longer than it may

# what is needed when nothing can be opened any more: by a template that fails, by the strings within one
jinja2.debug.__name__  # noqa: B018
for encoding in ("unicode_escape", "ascii", "latin-1", "utf-8"):
    codecs.lookup(encoding)


class TooMuch(Exception):
    """A template makes more than anybody reads."""


class Sandbox(ImmutableSandboxedEnvironment):
    # what is intercepted is not worked out when a template is compiled, where nothing would bound it: 'a' * 10**10
    intercepted_binops = frozenset(ImmutableSandboxedEnvironment.default_binop_table)


@pass_eval_context
def as_it_is(_: EvalContext, value: object) -> object:
    """A `finalize` that asks for a context keeps Jinja2 from working out constants when it compiles."""
    return value


def environment(form: Form, loader: BaseLoader | None = None) -> Sandbox:
    """Where templates of a form are compiled: nothing but the data is in reach, a misspelt name is an error."""
    made = Sandbox(
        loader=loader,
        autoescape=form is Form.HTML,
        undefined=StrictUndefined,
        finalize=as_it_is,
        optimized=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(cut=cut, when=when, md=escaped, address=address)
    del made.globals["lipsum"]
    return made


def ours(form: Form) -> Sandbox:
    """The same with the default templates."""
    return environment(form, PackageLoader("feedd.notify"))


def compiled(text: str, form: Form = Form.PLAIN) -> Template:
    """Raises whatever Jinja2 and Python's compiler raise: all of them are Exceptions."""
    where = environment(form)
    tree = where.parse(text)
    if switch := tree.find(nodes.EvalContextModifier):
        raise TemplateSyntaxError("autoescape can't be switched", switch.lineno)
    for statement in (nodes.Include, nodes.Extends, nodes.Import, nodes.FromImport):
        if other := tree.find(statement):
            raise TemplateSyntaxError("there are no other templates to be had here", other.lineno)
    return where.from_string(tree)


def mistake(text: str) -> str | None:
    """What is wrong with a template, in words; None: nothing that shows before it is used."""
    try:
        compiled(text)
    except TemplateSyntaxError as error:
        return in_words(f"{error.message} (line {error.lineno})")
    except RecursionError:
        return "it is nested too deeply"
    except MemoryError:
        return "it is nested too deeply, or too large"
    except Exception as error:  # noqa: BLE001 - Python's own compiler has limits besides, such as 20 loops in each other
        return in_words(str(error))
    return None


def context(data: Mapping[str, Any]) -> dict[str, Any]:
    """The names of a template: the data, and `change` for the first of its changes; HTML of ours is marked as such."""
    changes = [{**each, "diff": marked_safe(each["diff"])} for each in data["changes"]]
    return {**data, "changes": changes, "change": changes[0] if changes else None}


def marked_safe(diff: Mapping[str, Any] | None) -> Mapping[str, Any] | None:
    if diff is None or diff["html"] is None:
        return diff
    return {**diff, "html": Markup(diff["html"])}  # noqa: S704 - made by changes.markup


def made(template: Template, names: dict[str, Any]) -> str:
    """What it says. Raises TooMuch, and whatever the template does."""
    parts, room = list[str](), LONGEST
    for part in template.root_render_func(template.new_context(names)):
        room -= len(part)
        if room < 0:
            raise TooMuch
        parts.append(part)
    return "".join(parts)


def failure(error: Exception) -> str:
    """What went wrong in a template, in words, and on which line."""
    match error:
        case TooMuch():
            words = f"it makes more than {LONGEST:,} characters"
        case MemoryError():
            words = f"it needs more than {MEMORY_BYTES // 1024**2} MB of memory"
        case RecursionError():
            words = "it calls itself without end"
        case OSError() | ImportError():
            words = "it asks for what is out of its reach"
        case UndefinedError() | TemplateError():
            words = error.message or "it can't be used"
        case _:
            words = f"{type(error).__name__}: {error}"
    line = line_of(error)
    return in_words(words) + (f" (line {line})" if line else "")


def line_of(error: Exception) -> int | None:
    """The line of the template on which it failed."""
    if isinstance(error, TemplateSyntaxError):
        return error.lineno
    line, trace = None, error.__traceback__
    while trace is not None:
        template = trace.tb_frame.f_globals.get("__jinja_template__")
        if isinstance(template, Template):
            line = template.get_corresponding_lineno(trace.tb_lineno)
        trace = trace.tb_next
    return line


def in_words(text: str) -> str:
    """A message of Jinja2 or Python as one printable line."""
    line = " ".join(
        "".join(char if char.isprintable() else " " for char in text[: 4 * LONGEST_ERROR]).split()
    )
    return cut(line.replace("'dict object'", "what stands before it"), LONGEST_ERROR)


def cut(text: object, length: int = 100) -> str:
    """A text that is no longer than so many characters, with an ellipsis if it was."""
    whole = str(text)
    return whole if len(whole) <= length else f"{whole[: max(length - 1, 0)].rstrip()}…"


def when(time: object) -> str:
    """A time of the data, RFC 3339, as people read it: `24 Nov 2026, 22:21 UTC`."""
    try:
        moment = datetime.fromisoformat(str(time))
    except ValueError:
        return str(time)
    months = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()
    return f"{moment.day} {months[moment.month - 1]} {moment.year}, {moment:%H:%M} UTC"


def address(url: object) -> str:
    """An address as Markdown takes it between the brackets of a link; nobody is mentioned in it."""
    return "".join(f"%{ord(char):02X}" if char in ' "()<>[\\]`|@' else char for char in str(url))


@cache
def keeper() -> dict[tuple[Form, str], Template]:
    return {}


def answer(form: Form, text: str, names: dict[str, Any]) -> dict[str, str]:
    kept = keeper()
    try:
        if (form, text) not in kept:
            if len(kept) >= KEPT:
                kept.clear()
            kept[form, text] = compiled(text, form)
        whole = made(kept[form, text], names)
        return {"made": whole.encode("utf-8", "replace").decode()}
    except Exception as error:  # noqa: BLE001 - whatever a template does is no reason to end
        return {"error": failure(error)}


def confined() -> None:
    """Give up what is not needed to render: memory, files, sockets, processes; and requests to end are the daemon's."""
    for request in (signal.SIGINT, signal.SIGTERM):
        signal.signal(request, signal.SIG_IGN)
    for what, most in (
        (resource.RLIMIT_AS, MEMORY_BYTES),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 0),  # what is open stays so
    ):
        with suppress(OSError, ValueError):  # a system that has no such limit
            resource.setrlimit(what, (most, most))


def main() -> None:
    confined()
    names: dict[str, Any] = {}
    say({"made": "ready"})
    for line in sys.stdin.buffer:
        asked = json.loads(line)
        if DATA in asked:
            names = context(asked[DATA])
            continue
        signal.setitimer(signal.ITIMER_PROF, LIMIT_S)  # nobody waits for its signal: it ends the process
        said = answer(Form(asked["form"]), asked["text"], names)
        signal.setitimer(signal.ITIMER_PROF, 0)
        say(said)


def say(what: dict[str, str]) -> None:
    sys.stdout.buffer.write(json.dumps(what).encode() + b"\n")
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
