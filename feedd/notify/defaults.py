"""The default words of messages, by the templates that come with feedd. Pure."""

import re
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from feedd.normalise.text import FORBIDDEN
from feedd.notify import sandbox
from feedd.notify.values import Form, Shape

TITLE = "title"
ENDS = re.compile(r"\n\s*\n\s*\n")


def defaults(shape: Shape, names: Sequence[str], *, brief: bool = False) -> dict[str, str]:
    """What the default templates of these names say. `brief`: without what repeats the title, and without styles."""
    seen = sandbox.context(shape)
    return {name: by_default(name, seen, brief=brief) for name in names}


def by_default(name: str, seen: Mapping[str, Any], *, brief: bool = False) -> str:
    form = Form.PLAIN if name == TITLE else Form(name)
    file = "brief" if brief and form is Form.HTML else name
    text = library(form).get_template(f"{file}.j2").render({**seen, "brief": brief})
    return text if form is Form.HTML and not brief else ENDS.sub("\n\n", text).strip()


@cache
def library(form: Form) -> sandbox.Sandbox:
    return sandbox.ours(form)


def lines(text: str) -> str:
    """A body without control characters."""
    plain = text.replace("\r\n", "\n").replace("\r", "\n")
    return FORBIDDEN.sub("", plain).strip() + "\n"
