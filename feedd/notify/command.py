"""The channel `command`: a program of the operator's takes the message as JSON on standard input."""

import os
import threading
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from feedd.config.channels import CommandChannel
from feedd.errors import SourceError, Stopped
from feedd.notify.aside import aside
from feedd.notify.file import line_of
from feedd.notify.values import Delivered, Failed, Message, Outcome
from feedd.quoting import quoted
from feedd.sources.process import Program, run

KEPT_BYTES = 8_000  # of the end of what it prints
MOST_SAID = 300  # characters
INHERITED = ("PATH", "HOME", "LANG")


async def send(channel: CommandChannel, message: Message, folder: Path) -> Outcome:
    """Run the program in `folder`, without a shell; exit status 0 says that it took the message.

    On standard input: one line of JSON, as the channel `file` writes it. In its environment: PATH, HOME, LANG, and
    FEEDD_MESSAGE_ID, FEEDD_MESSAGE_TYPE, FEEDD_CHANNEL. After `timeout` it is ended, with all that it started.
    """
    program = Program(
        channel.command,
        channel.timeout / 1000,
        KEPT_BYTES,
        folder,
        environment(message, os.environ),
        line_of(message),
        surplus=True,
    )
    name = os.path.basename(channel.command[0])
    cancelled = threading.Event()
    try:
        ended = await aside(partial(run, program, cancelled.is_set), f"command {channel.name}")
    except (SourceError, Stopped) as error:
        return Failed(str(error))
    finally:
        cancelled.set()
    if ended.status == 0:
        return Delivered(last_line(ended.output) or f"{name} ended with exit status 0")
    how = f"exit status {ended.status}" if ended.status > 0 else f"signal {-ended.status}"
    said = last_line(ended.errors)
    return Failed(quoted(f"{name} failed with {how}", said))


def environment(message: Message, ours: Mapping[str, str]) -> dict[str, str]:
    """What the program finds in its environment: nothing of our secrets."""
    kept = {name: ours[name] for name in INHERITED if name in ours}
    told = {"ID": message.id, "TYPE": message.type}
    return (
        kept
        | {f"FEEDD_MESSAGE_{name}": text for name, text in told.items()}
        | {"FEEDD_CHANNEL": message.channel}
    )


def last_line(output: bytes) -> str:
    """The last line that says something, as far as it can be shown."""
    for line in reversed(output.decode("utf-8", "replace").splitlines()):
        shown = " ".join("".join(sign if sign.isprintable() else " " for sign in line).split())
        if shown:
            return shown if len(shown) <= MOST_SAID else shown[: MOST_SAID - 1] + "…"
    return ""
