"""The words of a message as a configuration says them: Jinja2 templates, checked when they are read."""

import os
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, ValidationInfo

from feedd.config.base import Settings
from feedd.config.secrets import first_bytes

MAX_BYTES = 200_000


def template(value: object, info: ValidationInfo) -> str:
    """The text of a template that parses: as it stands, or `file:PATH`, relative to the configuration's folder."""
    if not isinstance(value, str):
        raise ValueError("is not a template; write a text, or file:PATH")  # noqa: TRY004 (pydantic takes ValueError)
    text = value
    if value.startswith("file:"):
        text = read(info.context["folder"] if info.context else Path(), value.removeprefix("file:"))
    if len(text) > MAX_BYTES:
        raise ValueError(f"is too long for a template: more than {MAX_BYTES // 1000} kB")
    from feedd.notify.sandbox import mistake  # Jinja2 takes a moment, and few have templates of their own

    if (found := mistake(text)) is not None:
        raise ValueError(f"is not a template: {found}")
    return text


def read(folder: Path, name: str) -> str:
    """The template in a file. Raises ValueError."""
    try:
        path = Path(folder, Path(name).expanduser())
    except RuntimeError as error:
        raise ValueError(f"'file:{name}' is not a path: there is no user of that name") from error
    try:
        found = first_bytes(path, MAX_BYTES + 1)
    except OSError as error:
        raise ValueError(f"the template {path} can't be read: {os.strerror(error.errno or 0)}") from error
    if found is None:
        raise ValueError(f"the template {path} is not an ordinary file")
    data, _ = found
    if len(data) > MAX_BYTES:
        raise ValueError(f"the template {path} is too long: more than {MAX_BYTES // 1000} kB")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"the template {path} is not UTF-8 text") from error


TemplateText = Annotated[str, BeforeValidator(template)]


class Template(Settings):
    """None: the default."""

    title: TemplateText | None = None
    text: TemplateText | None = None  # plain
    html: TemplateText | None = None
    markdown: TemplateText | None = None

    @property
    def given(self) -> dict[str, str]:
        return {name: text for name in type(self).model_fields if (text := getattr(self, name)) is not None}
