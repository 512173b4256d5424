"""The document of version 2 as protobuf, the only form that kubectl up to 1.26 reads.

The messages are those of gnostic's OpenAPIv2.proto (package ``openapi.v2``), written field by field: there is one
document, of which few fields are used, and nobody here reads one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import orjson

from rollplane_gateway.openapi.names import Json

_METHODS = {"get": 2, "put": 3, "post": 4, "delete": 5, "patch": 8}
"""Fields of PathItem."""

_Write = Callable[[Json], bytes]


def swagger_protobuf(document: Json) -> bytes:
    """Return ``document`` as a message Document."""
    info = _text(1, document["info"]["title"]) + _text(2, document["info"]["version"])
    return b"".join(
        (
            _text(1, document["swagger"]),
            _field(2, info),
            _field(8, _named(2, document["paths"], _path_item)),
            _field(9, _named(1, document["definitions"], _schema)),
        )
    )


def _path_item(item: Json) -> bytes:
    operations = b"".join(_field(number, _operation(item[name])) for name, number in _METHODS.items() if name in item)
    return operations + _each(9, item.get("parameters", ()), _parameters_item)


def _operation(operation: Json) -> bytes:
    return b"".join(
        (
            *(_text(1, each) for each in operation["tags"]),
            _text(3, operation["description"]),
            _text(5, operation["operationId"]),
            *(_text(6, each) for each in operation["produces"]),
            *(_text(7, each) for each in operation.get("consumes", ())),
            _each(8, operation["parameters"], _parameters_item),
            _field(9, _named(1, operation["responses"], _response_value)),
            _extensions(13, operation),
        )
    )


def _parameters_item(parameter: Json) -> bytes:
    """A ParametersItem is one of several kinds of Parameter, and those in queries and paths are kinds of one kind."""
    where = parameter["in"]
    head = _flag(1, parameter.get("required", False)) + _text(2, where) + _text(3, parameter.get("description"))
    head += _text(4, parameter["name"])
    if where == "body":
        body = _text(2, parameter["name"]) + _text(3, where) + _flag(4, parameter.get("required", False))
        return _field(1, _field(1, body + _field(5, _schema(parameter["schema"]))))
    if where == "query":
        typed = _text(6, parameter["type"]) + _text(7, parameter.get("format"))
        return _field(1, _field(2, _field(3, head + typed)))
    typed = _text(5, parameter["type"]) + _text(6, parameter.get("format"))
    return _field(1, _field(2, _field(4, head + typed)))


def _response_value(response: Json) -> bytes:
    return _field(1, _text(1, response["description"]) + _field(2, _field(1, _schema(response["schema"]))))


def _schema(schema: Json) -> bytes:
    parts = [
        _text(1, schema.get("$ref")),
        _text(2, schema.get("format")),
        _text(4, schema.get("description")),
        *(_text(19, each) for each in schema.get("required", ())),
        *(_field(20, _any(each)) for each in schema.get("enum", ())),
    ]
    if "default" in schema:
        parts.append(_field(5, _any(schema["default"])))
    if "additionalProperties" in schema:
        parts.append(_field(21, _additional(schema["additionalProperties"])))
    if "type" in schema:
        parts.append(_field(22, _text(1, schema["type"])))
    if "items" in schema:
        parts.append(_field(23, _field(1, _schema(schema["items"]))))
    if "properties" in schema:
        parts.append(_field(25, _named(1, schema["properties"], _schema)))
    return b"".join((*parts, _extensions(31, schema)))


def _additional(told: Json | bool) -> bytes:
    return _field(1, _schema(told)) if isinstance(told, dict) else _flag(2, told)


def _extensions(number: int, holder: Json) -> bytes:
    extensions = {name: value for name, value in holder.items() if name.startswith("x-")}
    return b"".join(_field(number, _text(1, name) + _field(2, _any(value))) for name, value in extensions.items())


def _any(value: object) -> bytes:
    """An Any holds a value as YAML, which JSON is."""
    return _text(2, orjson.dumps(value).decode())


def _named(number: int, values: Mapping[str, Json], write: _Write) -> bytes:
    return b"".join(_field(number, _text(1, name) + _field(2, write(value))) for name, value in values.items())


def _each(number: int, values: Iterable[Json], write: _Write) -> bytes:
    return b"".join(_field(number, write(value)) for value in values)


def _text(number: int, value: str | None) -> bytes:
    return b"" if value is None else _field(number, value.encode())


def _flag(number: int, value: bool) -> bytes:
    return bytes((number << 3, 1)) if value else b""


def _field(number: int, value: bytes) -> bytes:
    """Return a field of the wire type that says its length."""
    return _varint(number << 3 | 2) + _varint(len(value)) + value


def _varint(value: int) -> bytes:
    written = bytearray()
    while value > 0x7F:
        written.append(value & 0x7F | 0x80)
        value >>= 7
    written.append(value)
    return bytes(written)
