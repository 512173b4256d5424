"""The document of version 2, which is one for all: those of version 3 in the older words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rollplane_gateway.openapi.names import Json

_V3, _V2 = "#/components/schemas/", "#/definitions/"
_PARTS = {"items", "additionalProperties"}
_SHAPES = {"type", "properties"}


def swagger(specifications: Iterable[Json]) -> Json:
    """Return the paths and schemas of all ``specifications`` in one document."""
    documents = list(specifications)
    paths = {path: _path_item(item) for each in documents for path, item in each["paths"].items()}
    schemas = {name: schema for each in documents for name, schema in each["components"]["schemas"].items()}
    return {
        "swagger": "2.0",
        "info": documents[0]["info"],
        "paths": dict(sorted(paths.items())),
        "definitions": {name: _schema(schemas[name]) for name in sorted(schemas)},
    }


def _schema(schema: Json) -> Json:
    told: Json = {}
    for name, value in schema.items():
        match name:
            case "$ref":
                told["$ref"] = value.replace(_V3, _V2)
            case "allOf" if "$ref" in value[0]:
                told |= _schema(value[0])  # what stands beside a reference stands beside it here, too
            case "oneOf" if not schema.keys() & _SHAPES and "x-kubernetes-int-or-string" not in schema:
                told["type"] = "string"  # only one type can be told
            case "allOf" | "oneOf" | "anyOf" | "not" | "nullable":
                continue  # what a definition says and this version has no words for
            case "type" | "items" | "properties" if _is_open(schema):
                continue  # as kube-apiserver has it, since null, or what nobody declared, would be refused
            case "required":
                told |= _required(value, schema.get("properties") or {})
            case "properties":
                told[name] = {each: _schema(part) for each, part in value.items()}
            case _:
                told[name] = _schema(value) if name in _PARTS and isinstance(value, dict) else value
    return told


def _is_open(schema: Json) -> bool:
    """Whether kubectl would refuse what the schema lets in; it takes objects of whole kinds as they are."""
    keeps = schema.get("x-kubernetes-preserve-unknown-fields") is True
    return schema.get("nullable") is True or (keeps and "x-kubernetes-group-version-kind" not in schema)


def _required(names: list[str], properties: Json) -> Json:
    """What must be there, but for what may be null and is untyped here."""
    wanted = [name for name in names if properties.get(name, {}).get("nullable") is not True]
    return {"required": wanted} if wanted else {}


def _path_item(item: Json) -> Json:
    return {
        name: [_parameter(each) for each in value] if name == "parameters" else _operation(value)
        for name, value in item.items()
    }


def _operation(operation: Json) -> Json:
    body = operation.get("requestBody")
    told = {name: value for name, value in operation.items() if name != "requestBody"}
    parameters = [_parameter(each) for each in operation["parameters"]]
    if body is not None:
        told["consumes"] = list(body["content"])
        parameters.append(_body(body))
    produced = (media_type for each in operation["responses"].values() for media_type in each["content"])
    return {
        **told,
        "produces": list(dict.fromkeys(produced)),
        "parameters": parameters,
        "responses": {code: _response(each) for code, each in operation["responses"].items()},
    }


def _parameter(parameter: Json) -> Json:
    return {**{name: value for name, value in parameter.items() if name != "schema"}, **parameter["schema"]}


def _body(body: Json) -> Json:
    told: Json = {"name": "body", "in": "body", "schema": _content(body["content"])}
    return {**told, "required": True} if body.get("required") else told


def _response(response: Json) -> Json:
    return {"description": response["description"], "schema": _content(response["content"])}


def _content(content: Mapping[str, Json]) -> Json:
    """The schema is the same in every form."""
    return _schema(next(iter(content.values()))["schema"])
