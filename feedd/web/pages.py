"""Pages for people: templates, rendered on the server, in the language of whoever asks."""

from jinja2 import DictLoader, Environment, StrictUndefined, pass_context
from jinja2.runtime import Context
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from feedd import __version__
from feedd.access.scopes import Scope
from feedd.publish.syndication import headline
from feedd.publish.times import moment, rfc3339
from feedd.shapes import printable
from feedd.web.assets import ADDRESSES, FOLDER
from feedd.web.look import THEMES, Look, look_of
from feedd.web.translation import LANGUAGES, counted, translated

KINDS = {"silent-edit": "edited silently", "duplicate": "kept quietly"}  # changes as people call them


def minute(time_ms: int) -> str:
    return moment(time_ms).strftime("%Y-%m-%d %H:%M")


@pass_context
def gettext(context: Context, text: str) -> str:
    return translated(text, context["look"].language)


@pass_context
def ngettext(context: Context, one: str, many: str, number: int) -> str:
    return counted(one, many, number, context["look"].language)


# read at once: a later feedd's files may stand there while this one runs
TEMPLATES = {
    file.name: file.read_text(encoding="utf-8")
    for file in (FOLDER / "templates").iterdir()
    if file.name.endswith(".html")
}
environment = Environment(
    loader=DictLoader(TEMPLATES),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
    extensions=["jinja2.ext.i18n"],
)
environment.install_gettext_callables(gettext, ngettext, newstyle=True)  # type: ignore[attr-defined]
environment.filters.update(
    minute=minute,
    rfc3339=rfc3339,
    headline=headline,
    path=printable,
    kind=lambda name: KINDS.get(name, name),
    number="{:,}".format,
)
environment.globals.update(
    version=__version__,
    languages=LANGUAGES,
    themes=THEMES,
    asset=ADDRESSES,
    READ=Scope.READ,
    WRITE=Scope.WRITE,
    ADMIN=Scope.ADMIN,
)


def page(look: Look, template: str, status: int = 200, **values: object) -> HTMLResponse:
    headers = {"Cache-Control": "no-cache", "Vary": "Accept-Language, Cookie"}
    return HTMLResponse(environment.get_template(template).render(values, look=look), status, headers)


async def refused(request: Request, error: HTTPException) -> Response:
    """An error in words: a page for people, a line of text for machines."""
    if "text/html" in request.headers.get("accept", ""):
        answer = page(
            look_of(request), "error.html", error.status_code, code=error.status_code, words=error.detail
        )
        answer.headers.update(error.headers or {})
        return answer
    return Response(f"{error.detail}\n", error.status_code, error.headers, "text/plain")
