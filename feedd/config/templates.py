"""The words of a message as a configuration says them: Jinja2 templates, checked when they are read."""

from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, ValidationInfo

from feedd.config.base import Settings

MAX_BYTES = 200_000


def template(value: object, info: ValidationInfo) -> str:
    """The text of a template that parses: as it stands, or `file:PATH`, relative to the configuration's folder."""
    if not isinstance(value, str):
        raise ValueError("is not a template; write a text, or file:PATH")  # noqa: TRY004 (pydantic takes ValueError)
    text = value
    if value.startswith("file:"):
        path = Path(info.context["folder"] if info.context else Path(), value.removeprefix("file:"))
        try:
            with path.open("rb") as file:
                text = file.read(MAX_BYTES + 1).decode()
        except (OSError, ValueError) as error:
            raise ValueError(f"the template {path} can't be read: {error}") from error
    if len(text) > MAX_BYTES:
        raise ValueError(f"is too long for a template: more than {MAX_BYTES // 1000} kB")
    from feedd.notify.sandbox import mistake  # Jinja2 takes a moment, and few have templates of their own

    if (found := mistake(text)) is not None:
        raise ValueError(f"is not a template: {found}")
    return text


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
