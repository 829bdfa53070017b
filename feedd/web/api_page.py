"""The page /api: the description of the API as people read it. It is made of the OpenAPI document, and needs nothing else."""

import json
import shlex
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, NamedTuple

from starlette.requests import Request
from starlette.responses import Response

from feedd.web.look import look_of
from feedd.web.pages import page

Json = Mapping[str, Any]
METHODS = ("get", "post")
EXAMPLES: Mapping[str, str] = {
    "name": "NAME",
    "id": "1",
    "number": "1",
    "q": "water",
}  # by the name of a parameter
BODY = {"status": "failed"}
TOKEN = "Authorization: Bearer $FEEDD_TOKEN"  # noqa: S105 (a variable of the shell)


class Field(NamedTuple):
    """A parameter, or what stands under a key of a shape or a body."""

    name: str
    where: str  # path, query, or "" within a shape
    type: str
    bounds: tuple[str, ...]
    description: str
    required: bool


class Answer(NamedTuple):
    status: str
    words: str
    shape: str  # its name; "" for problems, which are all alike


class Operation(NamedTuple):
    id: str
    method: str
    path: str
    summary: str
    description: str
    fields: tuple[Field, ...]
    body: tuple[Field, ...]
    answers: tuple[Answer, ...]
    curl: str
    needs_token: bool


class Group(NamedTuple):
    name: str
    description: str
    operations: tuple[Operation, ...]


class Shape(NamedTuple):
    name: str
    description: str
    fields: tuple[Field, ...]


class ApiPage:
    """`document` gives the description; `base_url` is where the world reaches this server."""

    def __init__(self, document: Callable[[], Awaitable[Json]], base_url: str) -> None:
        self.document = document
        self.base_url = base_url

    async def page(self, request: Request) -> Response:
        document = await self.document()
        return page(
            look_of(request),
            "api.html",
            about=document["info"]["description"].split("\n\n"),
            groups=groups(document, self.base_url),
            shapes=shapes(document),
            token=TOKEN,
        )


def groups(document: Json, base_url: str) -> list[Group]:
    found: dict[str, list[Operation]] = {}
    for path, item in document["paths"].items():
        for method in METHODS:
            if method in item:
                made = operation(method, path, item[method], document, base_url)
                found.setdefault(item[method]["tags"][0], []).append(made)
    tags = [(each["name"], each["description"]) for each in document["tags"]]
    return [Group(name, words, tuple(found.get(name, ()))) for name, words in tags]


def operation(method: str, path: str, said: Json, document: Json, base_url: str) -> Operation:
    fields = tuple(
        field(each["name"], each["in"], each["schema"], required=each.get("required", False), words=each.get("description", ""))
        for each in said.get("parameters", ())
    )  # fmt: skip
    body: tuple[Field, ...] = ()
    if "requestBody" in said:
        schema = said["requestBody"]["content"]["application/json"]["schema"]
        body = fields_of(resolved(schema, document))
    address = base_url.rstrip("/") + document["servers"][0]["url"] + path
    needs_token = {} not in said.get("security", ({},))
    return Operation(
        said["operationId"],
        method.upper(),
        path,
        said["summary"],
        said.get("description", ""),
        fields,
        body,
        tuple(answer(status, each) for status, each in sorted(said["responses"].items())),
        curl(method, address, fields, with_body=bool(body), needs_token=needs_token),
        needs_token,
    )


def answer(status: str, said: Json) -> Answer:
    schema = said.get("content", {}).get("application/json", {}).get("schema", {})
    return Answer(status, said["description"], schema.get("$ref", "").rpartition("/")[2])


def curl(method: str, address: str, fields: Sequence[Field], *, with_body: bool, needs_token: bool) -> str:
    """A line for a shell; the token stands in a variable, since what is typed is kept."""
    for each in fields:
        address = address.replace(f"{{{each.name}}}", EXAMPLES.get(each.name, each.name.upper()))
    needed = [
        f"{each.name}={EXAMPLES.get(each.name, '1')}"
        for each in fields
        if each.where == "query" and each.required
    ]
    if needed:
        address += f"?{'&'.join(needed)}"
    words = ["curl"]
    if method == "post":
        words.append("-X POST")
    if needs_token:
        words.append(f'-H "{TOKEN}"')
    if with_body:
        words.append(f"--json {shlex.quote(json.dumps(BODY))}")
    return " ".join([*words, shlex.quote(address)])


def shapes(document: Json) -> list[Shape]:
    return [
        Shape(name, schema.get("description", ""), fields_of(schema))
        for name, schema in sorted(document["components"]["schemas"].items())
        if "properties" in schema
    ]


def resolved(schema: Json, document: Json) -> Json:
    name = schema.get("$ref", "").rpartition("/")[2]
    found: Json = document["components"]["schemas"][name] if name else schema
    return found


def fields_of(schema: Json) -> tuple[Field, ...]:
    required = schema.get("required", ())
    return tuple(
        field(name, "", each, required=name in required, words=each.get("description", ""))
        for name, each in schema.get("properties", {}).items()
    )


def field(name: str, where: str, schema: Json, *, required: bool, words: str) -> Field:
    return Field(name, where, type_of(schema), bounds_of(schema), words, required)


def type_of(schema: Json) -> str:
    """What a value is, in words."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(map(type_of, schema["anyOf"])))
    if "enum" in schema:
        return " or ".join(json.dumps(each) for each in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {type_of(schema['items'])}"
    kind = str(schema.get("type", "any"))
    return {"date-time": "time", "uuid": "uuid"}.get(schema.get("format", ""), kind)


def bounds_of(schema: Json) -> tuple[str, ...]:
    """What a value may be, in words; of alternatives, what the first of them may."""
    within = schema["anyOf"][0] if "anyOf" in schema else schema
    found = list[str]()
    if "minimum" in within and "maximum" in within:
        found.append(f"{within['minimum']:,} to {within['maximum']:,}")
    if "maxLength" in within:
        found.append(f"{within['maxLength']:,} characters at most")
    if "maxItems" in within:
        found.append(f"{within['maxItems']:,} at most")
    if schema.get("default") not in (None, []):
        found.append(f"{schema['default']} if it is left out")
    return tuple(found)
