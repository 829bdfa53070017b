"""Pages for people: templates, rendered on the server, in the language of whoever asks."""

from jinja2 import DictLoader, Environment, StrictUndefined, pass_context
from jinja2.runtime import Context
from markupsafe import Markup, escape
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
from feedd.web.sentences import in_minutes, recognised
from feedd.web.translation import LANGUAGES, USUAL, counted, translated

KINDS = {"silent-edit": "edited silently", "duplicate": "kept quietly"}  # changes as people call them
HEADINGS = {
    401: "A token is needed",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible here",
    410: "No longer here",
    429: "Too many requests",
    500: "Something broke in feedd",
    503: "Not now",
}


def minute(time_ms: int) -> str:
    return moment(time_ms).strftime("%Y-%m-%d %H:%M")


@pass_context
def gettext(context: Context, text: str) -> str:
    return translated(text, context["look"].language)


@pass_context
def ngettext(context: Context, one: str, many: str, number: int) -> str:
    return counted(one, many, number, context["look"].language)


def heading(status: int) -> str:
    return HEADINGS.get(status, "That can't be done")


@pass_context
def say(context: Context, text: str) -> str:
    """What feedd said in English, in the language of the page, if it can be said; plain text."""
    text = in_minutes(text)
    found = recognised(text, context["look"].language)
    return text if found is None else found


@pass_context
def said(context: Context, text: str) -> Markup:
    """As `say`; what stays English is marked as that."""
    text, language = in_minutes(text), context["look"].language
    found = recognised(text, language)
    if found is None and language != USUAL:
        return Markup('<span lang="en">{}</span>').format(text)
    return escape(text if found is None else found)


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
    heading=heading,
    say=say,
    said=said,
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
