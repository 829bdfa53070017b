"""What pages load besides themselves: one style sheet, scripts, the icon. All of it is ours, and in memory."""

from collections.abc import Mapping
from hashlib import sha256
from importlib.resources import files
from typing import NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

FOLDER = files("feedd.web")
TYPES = {".js": "text/javascript; charset=utf-8", ".svg": "image/svg+xml"}
FOREVER = (
    "public, max-age=31536000, immutable"  # an address with the right `v` means these very bytes (RFC 8246)
)
FOR_AN_HOUR = "max-age=3600"


class Asset(NamedTuple):
    body: bytes
    media_type: str

    @property
    def version(self) -> str:
        return sha256(self.body).hexdigest()[:12]


def style() -> Asset:
    """The base first: what belongs to single pages stands on it."""
    parts = sorted(
        (FOLDER / "templates/style").iterdir(), key=lambda file: (file.name != "base.css", file.name)
    )
    return Asset(b"\n".join(each.read_bytes() for each in parts), "text/css; charset=utf-8")


def found() -> Mapping[str, Asset]:
    """By path."""
    made = {"/style.css": style()}
    for each in (FOLDER / "static").iterdir():
        suffix = each.name[each.name.rindex(".") :]
        made[f"/static/{each.name}"] = Asset(each.read_bytes(), TYPES[suffix])
    return made


ASSETS = found()
ADDRESSES = {path: f"{path}?v={asset.version}" for path, asset in ASSETS.items()}


async def asset(request: Request) -> Response:
    """Raises HTTPException."""
    path = request.url.path
    wanted = ASSETS.get(path)
    if wanted is None:
        raise HTTPException(404, "There is no such file.")
    kept = FOREVER if request.query_params.get("v") == wanted.version else FOR_AN_HOUR
    headers = {"Content-Type": wanted.media_type, "Cache-Control": kept, "ETag": f'"{wanted.version}"'}
    if request.headers.get("if-none-match") == headers["ETag"]:
        return Response(status_code=304, headers=headers)
    return Response(wanted.body, headers=headers)


def routes() -> list[Route]:
    return [Route("/style.css", asset), Route("/static/{name}", asset)]
