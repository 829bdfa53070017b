"""The description of the API (OpenAPI 3.1), from its routes."""

from collections.abc import Sequence
from typing import Any

from fastapi.openapi.utils import get_openapi
from pydantic import TypeAdapter
from starlette.routing import BaseRoute

from feedd import __version__
from feedd.api.problems import Problem

TAGS = (
    (
        "sources",
        "Where articles are read from: how each source is, its looks, and what can be done about it.",
    ),
    ("feeds", "What is published, and where."),
    ("entries", "Articles, every version of them, and what differs between those."),
    ("changes", "The change log, to be followed."),
    ("search", "Words in entries."),
    ("deliveries", "What is told to channels, and what became of it."),
    ("channels", "Who is told."),
)
ABOUT = """What feedd holds, as JSON, and what it can be asked to do.

Times are RFC 3339 in UTC; null stands for what there is not; further keys may come to stand beside those that are
described. Everything that goes wrong is a problem document (RFC 9457). Reading needs no token unless the configuration
says so; what changes something needs one: `feedd token new NAME --scope write`, sent as `Authorization: Bearer …`."""
SCHEME = "token"
LEFT_OUT = ("HTTPValidationError", "ValidationError")  # FastAPI's own, which nobody is sent


def description(routes: Sequence[BaseRoute]) -> dict[str, Any]:
    document = get_openapi(
        title="feedd",
        version=__version__,
        description=ABOUT,
        routes=routes,
        servers=[{"url": "/api/v1"}],
        tags=[{"name": name, "description": words} for name, words in TAGS],
        separate_input_output_schemas=False,
    )
    schemas = document.setdefault("components", {}).setdefault("schemas", {})
    for name in LEFT_OUT:
        schemas.pop(name, None)
    problem = TypeAdapter(Problem).json_schema(ref_template="#/components/schemas/{model}")
    schemas.update(problem.pop("$defs", {}))
    schemas["Problem"] = problem
    document["components"]["securitySchemes"] = {
        SCHEME: {
            "type": "http",
            "scheme": "bearer",
            "description": "A token: feedd token new NAME --scope SCOPE.",
        }
    }
    for path in document["paths"].values():
        for method, operation in path.items():
            operation["security"] = [{SCHEME: []}] if method == "post" else [{}, {SCHEME: []}]
            validation = operation["responses"].get("422", {}).get("content", {}).get("application/json", {})
            if validation.get("schema", {}).get("$ref", "").endswith(LEFT_OUT[0]):
                del operation["responses"]["422"]
    return document
