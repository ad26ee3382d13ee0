"""The interface for programs as its page tells it: read once from the published schema, docs/openapi.yaml.

What stands there is English, made from the code's own descriptions; the page marks it so.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml
from django.conf import settings

FILE = settings.BASE_DIR / "docs" / "openapi.yaml"
METHODS = ("get", "put", "post", "patch", "delete")
PLACES = ("path", "header", "query")
"""Where parameters stand, in the order people are told."""
OF_SUCCESS = "2"
MEANINGS = {"gstin": "the GSTIN of the taxpayer", "p": "the period, like 102026", "period": "the period, like 102026"}
"""What parts of an address mean that the schema leaves without words."""
DEEPEST = 6
"""How deep an example goes, lest a shape that holds itself never ends."""

Schema = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter or a key of a shape: its name, what it may be, whether it must be there, where it stands.

    `shape` is the name of the shape it holds, "" where it holds a plain value.
    """

    name: str
    kind: str
    is_needed: bool
    text: str = ""
    place: str = ""
    shape: str = ""


@dataclass(frozen=True, slots=True)
class Shape:
    """An object that goes in or out, with its keys."""

    name: str
    paragraphs: list[str]
    fields: list[Field]


@dataclass(frozen=True, slots=True)
class Body:
    """What an operation takes: its media type, its keys, the shape they belong to, and an example."""

    media: str
    field: Field
    example: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What an operation answers: its status, what that means, and what it carries; None for nothing or a file."""

    status: str
    text: str
    media: str
    field: Field | None


@dataclass(frozen=True, slots=True)
class Operation:
    """A method on an address."""

    name: str
    method: str
    path: str
    paragraphs: list[str]
    parameters: list[Field]
    bodies: list[Body]
    answers: list[Answer]
    refusals: list[str]


@dataclass(frozen=True, slots=True)
class Told:
    """All of the interface: tag -> its operations, the shapes by name, and what the status of a refusal means."""

    chapters: dict[str, list[Operation]]
    shapes: list[Shape]
    errors: list[tuple[str, str]]


@cache
def schema() -> bytes:
    """Return the published schema as it is kept."""
    return bytes(FILE.read_bytes())


@cache
def told() -> Told:
    """Return the interface, read. An operation stands under its first tag, an address before its longer ones."""
    whole: dict[str, Any] = yaml.load(schema(), getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - safe ones  # nosec B506
    shapes: Schema = whole["components"]["schemas"]
    chapters: dict[str, list[Operation]] = {}
    errors: dict[str, str] = {}
    for path, methods in sorted(whole["paths"].items()):
        for method in METHODS:
            if method in methods:
                given = methods[method]
                chapters.setdefault(given.get("tags", ["other"])[0], []).append(_operation(path, method, given, shapes))
                refused = {status: one for status, one in given["responses"].items() if status[0] != OF_SUCCESS}
                errors |= {status: one["description"] for status, one in refused.items()}
    found = [Shape(name, _paragraphs(one), list(_fields(one, shapes))) for name, one in shapes.items() if _is_open(one)]
    return Told(chapters, sorted(found, key=lambda shape: shape.name), sorted(errors.items()))


def _operation(path: str, method: str, given: Schema, shapes: Schema) -> Operation:
    parameters = [
        Field(one["name"], _kind(one["schema"], shapes), one.get("required", False), _meaning(one), one["in"])
        for one in given.get("parameters", [])
    ]
    bodies = [
        Body(media, _field("", one["schema"], shapes), _example(one, shapes))
        for media, one in given.get("requestBody", {}).get("content", {}).items()
    ]
    return Operation(
        name=given["operationId"],
        method=method.upper(),
        path=path,
        paragraphs=_paragraphs(given),
        parameters=sorted(parameters, key=lambda one: (PLACES.index(one.place), not one.is_needed)),
        bodies=bodies,
        answers=[answer for status, one in given["responses"].items() for answer in _answers(status, one, shapes)],
        refusals=[status for status in given["responses"] if status[0] != OF_SUCCESS],
    )


def _meaning(parameter: Schema) -> str:
    return _text(parameter) or (MEANINGS.get(parameter["name"], "") if parameter["in"] == "path" else "")


def _answers(status: str, given: Schema, shapes: Schema) -> Iterator[Answer]:
    """Return the answers of a status that is a success, one of each media type."""
    if status[0] == OF_SUCCESS:
        for media, one in (given.get("content") or {"": {}}).items():
            held = one.get("schema")
            yield Answer(status, given.get("description", ""), media, _field("", held, shapes) if held else None)


def _fields(shape: Schema, shapes: Schema) -> Iterator[Field]:
    needed = shape.get("required", [])
    for name, one in shape.get("properties", {}).items():
        yield _field(name, one, shapes, is_needed=name in needed)


def _field(name: str, given: Schema, shapes: Schema, *, is_needed: bool = True) -> Field:
    held = _held(given)
    shape = held if held and _is_open(shapes[held]) else ""
    return Field(name, _kind(given, shapes), is_needed, _text(given), "", shape)


def _held(given: Schema) -> str:
    """Return the name of the shape a schema is, or is a list of, "" for neither."""
    inner = given.get("items", given) if given.get("type") == "array" else given
    inner = inner["allOf"][0] if "allOf" in inner else inner
    return str(inner.get("$ref", "")).rpartition("/")[2]


def _is_open(shape: Schema) -> bool:
    """Tell whether a shape has keys: others, the values of a choice, are told where they are used."""
    return "properties" in shape


def _kind(given: Schema, shapes: Schema) -> str:
    """Return in English words what a value may be."""
    if given.get("type") == "array":
        return f"list of {_kind(given['items'], shapes)}"
    if held := _held(given):
        base = held if _is_open(shapes[held]) else _kind(shapes[held], shapes)
    elif "oneOf" in given:
        base = " or ".join(_kind(one, shapes) for one in given["oneOf"])
    elif "enum" in given:
        base = " | ".join(str(one) if one not in ("", None) else '""' for one in given["enum"])
    else:
        base = _plain(given)
    return f"{base} or null" if given.get("nullable") else base


def _plain(given: Schema) -> str:
    words = {"date": "date", "date-time": "moment", "uuid": "UUID", "binary": "file"}
    base = words.get(given.get("format", ""), str(given.get("type", "any")))
    if "pattern" in given and "example" in given:
        base = f"text like {given['example']}"
    most = given.get("maxLength")
    return f"{base}, {most} characters at most" if most else base


def _example(media: Schema, shapes: Schema) -> str:
    """Return the example of a body: the one given, else one made from its keys."""
    given = [one["value"] for one in media.get("examples", {}).values()] + [
        one["example"] for one in (media,) if "example" in one
    ]
    value = given[0] if given else _sample(media["schema"], shapes, 0)
    return json.dumps(value, indent=2, ensure_ascii=False, default=str)


def _sample(given: Schema, shapes: Schema, depth: int) -> object:
    """Return a value a schema allows."""
    if "example" in given:
        return given["example"]
    if "enum" in given:
        return given["enum"][0]
    if depth > DEEPEST:
        return None
    if given.get("type") == "array":
        return [_sample(given["items"], shapes, depth + 1)]
    if held := _held(given):
        return _sample(shapes[held], shapes, depth + 1)
    if "oneOf" in given:
        return _sample(given["oneOf"][0], shapes, depth + 1)
    if "properties" in given:
        return {name: _sample(one, shapes, depth + 1) for name, one in given["properties"].items()}
    samples = {
        "date": "2026-11-14",
        "date-time": "2026-11-14T10:00:00+05:30",
        "uuid": "00000000-0000-4000-8000-000000000000",
    }
    of_type = {"integer": given.get("minimum", 0), "boolean": False, "object": {}}
    return samples.get(given.get("format", ""), of_type.get(given.get("type", ""), "text"))


def _text(given: Schema) -> str:
    return " ".join(str(given.get("description", "")).split())


def _paragraphs(given: Schema) -> list[str]:
    """Return a description, a paragraph each; its line breaks are those of the code."""
    return [" ".join(one.split()) for one in str(given.get("description", "")).split("\n\n") if one.strip()]
