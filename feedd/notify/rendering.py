"""Messages in words: by the default templates, or by those of the configuration, which a process of its own renders.

Whatever a template of the configuration does, the message is told: in the default's words if need be.
"""

import asyncio
import json
import os
import sys
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Callable, Sequence
from contextlib import suppress
from types import TracebackType
from typing import NamedTuple, Self

from feedd.changes import plain
from feedd.config.templates import Template
from feedd.notify import fitting, sandbox
from feedd.notify.defaults import TITLE, defaults, lines
from feedd.notify.room import Room
from feedd.notify.values import Form, Message, Shape, Text
from feedd.notify.view import flat, view

LONGEST_TITLE = 300  # characters
LONGEST_MAIL = 95_000  # bytes of HTML: Gmail shows no more than 102 kB
LAST_S = 1.0  # from the end of its output to its own
START_S = 30.0  # for the process to be there
PATIENCE_S = 20.0  # of waiting for what may take LIMIT_S of processor time
REST_S = (
    600.0  # for which a template that had to be stopped is left alone: each of its tries holds up the others
)
LONGEST_DATA = 16_000_000  # bytes of what a template is given
LONGEST_ANSWER = 8_000_000  # bytes: characters may be spelled with six
INHERITED = ("LD_LIBRARY_PATH", "TMPDIR")  # without which Python might not start; no secrets

Report = Callable[[str, str], None]  # the name of a channel, and what failed, in words


class Failure(Exception):
    """A template could not be used; its text says why."""


class Halted(Failure):
    """And had to be stopped."""


class Died(Halted):
    """And its process died, of that or of something else."""


class Asked(NamedTuple):
    """A template of the configuration, and what it is given."""

    name: str
    text: str
    form: Form
    data: bytes  # a line of JSON


class Renderer:
    """Belongs to the event loop that it is used on. An asynchronous context manager: leaving it ends its process."""

    def __init__(self, base_url: str, report: Report) -> None:
        self.base_url = base_url
        self.report = report
        self.process: Process | None = None
        self.turn = asyncio.Lock()  # the process answers one after the other
        self.resting: dict[str, tuple[float, str]] = {}  # templates that were stopped: until when, and why

    async def texts(
        self, template: Template, message: Message, forms: Sequence[Form], room: Room | None = None
    ) -> tuple[Text, ...]:
        """The message in each of the forms, within `room`: default words say less, others give way to these.

        With `room` a text has no heading, since the service shows the title.
        """
        given = template.given
        # the defaults show no differences in a digest
        wanted = tuple(forms) if len(message.facts) == 1 or given else ()
        shape = await asyncio.to_thread(view, message, wanted, self.base_url)
        data = await asyncio.to_thread(line_of, shape) if given else b""
        longest = LONGEST_TITLE if room is None else min(LONGEST_TITLE, room.title)

        def by_default(name: str, left: int | None = None) -> str:
            if room is not None and left is not None:
                return fitting.fitted(message, wanted, self.base_url, Form(name), left, room.size)
            said = defaults(shape, [name])[name]
            if name != Form.HTML or plain.size(said) <= LONGEST_MAIL:
                return said
            return fitting.fitted(
                message, wanted, self.base_url, Form.HTML, LONGEST_MAIL, plain.size, brief=False
            )

        async def said(name: str, form: Form, left: int | None = None) -> str:
            text = None
            if name in given:
                text = await self.own(Asked(name, given[name], form, data), str(shape["channel"]))
            if (
                text is not None
                and room is not None
                and left is not None
                and not await fits(text, room, left)
            ):
                self.report(str(shape["channel"]), too_long(name, left))
                text = None
            return text if text is not None else await asyncio.to_thread(by_default, name, left)

        title = flat(await said(TITLE, Form.PLAIN), longest) or flat(str(shape["headline"]), longest)
        left = None if room is None else room.left(title)
        return tuple([Text(title, lines(await said(form.value, form, left)), form) for form in forms])

    async def own(self, asked: Asked, channel: str) -> str | None:
        """What a template of the configuration says; None, and a report, if it fails."""
        until, why = self.resting.get(asked.text, (0.0, ""))
        if time.monotonic() >= until:
            try:
                return await self.rendered(asked)
            except Failure as failure:
                why = str(failure)
                if isinstance(failure, Halted):
                    self.resting[asked.text] = (time.monotonic() + REST_S, why)
        self.report(channel, failed(asked.name, why))
        return None

    async def rendered(self, asked: Asked) -> str:
        """Raises Failure."""
        if len(asked.data) > LONGEST_DATA:
            raise Failure(f"the message is larger than {LONGEST_DATA // 1_000_000} MB")
        async with self.turn:
            try:
                answer = await self.answered(asked)
            except Died:  # which it may have done long ago
                answer = await self.answered(asked)
        if "error" in answer:
            raise Failure(answer["error"])
        return answer["made"]

    async def answered(self, asked: Asked) -> dict[str, str]:
        """Raises Failure."""
        process = self.process or await self.started()
        self.process = None  # until it has answered it is not to be used again, come what may
        try:
            answer = await exchanged(process, asked)
        except BaseException:
            await ended(process)
            raise
        self.process = process
        return answer

    async def started(self) -> Process:
        """Raises Failure."""
        try:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-s", "-m", sandbox.__name__),
                stdin=PIPE,
                stdout=PIPE,
                stderr=DEVNULL,
                limit=LONGEST_ANSWER,
                env=surroundings(),
                cwd="/",
                start_new_session=True,  # Ctrl-C is for the daemon
            )
        except OSError as error:
            raise Failure(f"no process could be started for it: {os.strerror(error.errno or 0)}") from error
        try:
            await answered(process, START_S)
        except Halted as error:
            await ended(process)
            raise Failure("the process that renders it did not start") from error
        except BaseException:
            await ended(process)
            raise
        return process

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        async with self.turn:
            process, self.process = self.process, None
            if process is not None:
                await ended(process)


async def exchanged(process: Process, asked: Asked) -> dict[str, str]:
    """Raises Failure."""
    assert process.stdin is not None
    request = json.dumps({"form": asked.form.value, "text": asked.text}).encode() + b"\n"
    with suppress(ConnectionError, TimeoutError):  # that it reads no more shows when it does not answer
        process.stdin.write(asked.data + request)
        async with asyncio.timeout(PATIENCE_S):
            await process.stdin.drain()
    return await answered(process, PATIENCE_S)


async def answered(process: Process, patience_s: float) -> dict[str, str]:
    """Raises Failure."""
    assert process.stdout is not None
    try:
        async with asyncio.timeout(patience_s):
            line = await process.stdout.readline()
    except TimeoutError as error:
        raise Halted(f"it took longer than {patience_s:g} s and was stopped") from error
    except ValueError as error:  # a longer line than the stream takes
        raise Failure("it makes too much") from error
    if not line.endswith(b"\n"):
        with suppress(
            TimeoutError
        ):  # to kill a process in the moment in which it ends may lose its exit status
            async with asyncio.timeout(LAST_S):
                await process.wait()
        status = await ended(process)
        if status == sandbox.STOPPED:
            raise Halted(f"it took longer than {sandbox.LIMIT_S:g} s and was stopped")
        raise Died("its process died")
    answer: dict[str, str] = json.loads(line)
    return answer


async def ended(process: Process) -> int:
    """End it, if it has not ended, and see to what is left of it. The exit status."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.close()
    with suppress(ProcessLookupError):
        process.kill()
    with suppress(ConnectionError):
        while await process.stdout.read(LONGEST_ANSWER):
            pass  # a pipe that is not read to its end is never let go
    return await process.wait()


def surroundings() -> dict[str, str]:
    """The environment of the process: what it takes to find feedd. The daemon's may hold secrets."""
    kept = {name: value for name in INHERITED if (value := os.environ.get(name))}
    return {**kept, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def line_of(shape: Shape) -> bytes:
    return json.dumps({sandbox.DATA: shape}).encode() + b"\n"


async def fits(text: str, room: Room, left: int) -> bool:
    body = lines(text)
    return len(body) <= left and await asyncio.to_thread(room.size, body) <= left


def failed(name: str, why: str) -> str:
    return (
        f"the template `{name}` failed: {why}. The default is used instead; correct it in the configuration"
    )


def too_long(name: str, left: int) -> str:
    return failed(name, f"it makes more than the {left:,} characters that the service takes")
