"""What makes a schema structural.

Shape and restrictions are apart: inside of ``allOf``, ``anyOf``, ``oneOf`` and ``not`` nothing tells of types, and
nothing is restricted there that is not declared outside.

Source: kubernetes/apiextensions-apiserver pkg/apiserver/schema/validation.go and complete.go.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rollplane_machinery.errors import Cause
from rollplane_machinery.structural.causes import forbidden, invalid, required
from rollplane_machinery.structural.faults import join
from rollplane_machinery.structural.patterns import PatternError, matcher
from rollplane_machinery.structural.schema import Document, Structural

_INT_OR_STRING = [{"type": "integer"}, {"type": "string"}]
_EMPTY_AT = {
    "root": "must not be empty at the root",
    "item": "must not be empty for specified array items",
    "field": "must not be empty for specified object fields",
}


def check_structure(root: Structural, path: str) -> list[Cause]:
    """Return what keeps the schema at ``path`` from being structural, sorted by what is said."""
    return sorted([*_shape(root, path, "root"), *_completeness(root, path)], key=str)


def _shape(node: Structural, path: str, level: str) -> Iterator[Cause]:
    document = node.document
    if document.get("type") == "array" and node.items is None:
        yield required(join(path, "items"), "must be specified")
    for name, child in node.children():
        yield from _shape(child, join(path, name), "item" if name == "items" else "field")
    yield from _additional(node, path, level)
    yield from _exclusions(document, path)
    yield from _restrictions(node, path, _is_pattern_any_of(node), _is_pattern_all_of(node))
    yield from _type(node, path, level)
    yield from _meta(node, path, level)


def _additional(node: Structural, path: str, level: str) -> Iterator[Cause]:
    if node.additional is None:
        return
    if level == "root":
        yield forbidden(join(path, "additionalProperties"), "must not be used at the root")
    if node.is_embedded:
        sentence = "must not be used if x-kubernetes-embedded-resource is set"
        yield forbidden(join(path, "additionalProperties"), sentence)


def _exclusions(document: Document, path: str) -> Iterator[Cause]:
    if document.get("x-kubernetes-int-or-string") is not True:
        return
    for name in ("x-kubernetes-preserve-unknown-fields", "x-kubernetes-embedded-resource"):
        if document.get(name) is True:
            yield invalid(join(path, name), True, "must be false if x-kubernetes-int-or-string is true")


def _type(node: Structural, path: str, level: str) -> Iterator[Cause]:
    field, kind = join(path, "type"), node.document.get("type") or ""
    if node.is_embedded and kind != "object":
        sentence = "must be object if x-kubernetes-embedded-resource is true"
        yield invalid(field, kind, sentence) if kind else required(field, sentence)
    elif not kind and not node.is_int_or_string and not node.preserves_unknown:
        yield required(field, _EMPTY_AT[level])
    if level == "root" and kind not in ("", "object"):
        yield invalid(field, kind, "must be object at the root")


def _meta(node: Structural, path: str, level: str) -> Iterator[Cause]:
    is_resource = level == "root" or node.is_embedded
    for name in ("kind", "apiVersion"):
        if is_resource and (known := node.properties.get(name)) is not None and known.type != "string":
            yield invalid(join(path, f"properties[{name}].type"), known.type, "must be string")
    if (metadata := node.properties.get("metadata")) is not None:
        yield from _metadata(metadata, join(path, "properties[metadata]"), is_resource, level)
    if node.is_embedded and not node.preserves_unknown and not node.properties:
        yield required(
            join(path, "properties"),
            "must not be empty if x-kubernetes-embedded-resource is true without x-kubernetes-preserve-unknown-fields",
        )


def _metadata(node: Structural, path: str, is_resource: bool, level: str) -> Iterator[Cause]:
    if is_resource and node.type != "object":
        yield invalid(join(path, "type"), node.type, "must be object")
    if level == "root" and not _names_only(node):
        yield forbidden(
            path, "must not specify anything other than name and generateName, but metadata is implicitly specified"
        )


def _names_only(metadata: Structural) -> bool:
    said = {name for name, value in metadata.document.items() if value not in (None, "", False, [], {})}
    return said <= {"type", "properties", "default"} and set(metadata.properties) <= {"name", "generateName"}


def _is_pattern_any_of(node: Structural) -> bool:
    """Whether the types of an int-or-string are said once more, which is allowed."""
    return [dict(each.document) for each in node.any_of] == _INT_OR_STRING


def _is_pattern_all_of(node: Structural) -> bool:
    return bool(node.all_of) and _is_pattern_any_of(node.all_of[0])


def _restrictions(node: Structural, path: str, skip_any_of: bool, skip_first: bool) -> Iterator[Cause]:
    for index, each in enumerate(() if skip_any_of else node.any_of):
        yield from _nested(each, join(path, f"anyOf[{index}]"), skip_any_of=False)
    for index, each in enumerate(node.all_of):
        yield from _nested(each, join(path, f"allOf[{index}]"), skip_any_of=skip_first and index == 0)
    for index, each in enumerate(node.one_of):
        yield from _nested(each, join(path, f"oneOf[{index}]"), skip_any_of=False)
    if node.none_of is not None:
        yield from _nested(node.none_of, join(path, "not"), skip_any_of=False)
    if pattern := node.document.get("pattern"):
        yield from _pattern(pattern, join(path, "pattern"))


def _pattern(pattern: str, field: str) -> Iterator[Cause]:
    try:
        matcher(pattern)
    except PatternError as error:
        yield invalid(field, pattern, f"must be a valid regular expression, but isn't: {error}")


_NESTED: Sequence[tuple[str, str]] = (
    ("type", "must be empty to be structural"),
    ("additionalProperties", "must be undefined to be structural"),
    ("default", "must be undefined to be structural"),
    ("title", "must be empty to be structural"),
    ("description", "must be empty to be structural"),
    ("nullable", "must be false to be structural"),
    ("x-kubernetes-preserve-unknown-fields", "must be false to be structural"),
    ("x-kubernetes-embedded-resource", "must be false to be structural"),
    ("x-kubernetes-int-or-string", "must be false to be structural"),
    ("x-kubernetes-list-map-keys", "must be empty to be structural"),
    ("x-kubernetes-list-type", "must be undefined to be structural"),
    ("x-kubernetes-map-type", "must be undefined to be structural"),
    ("x-kubernetes-validations", "must be empty to be structural"),
)


def _nested(node: Structural, path: str, *, skip_any_of: bool) -> Iterator[Cause]:
    yield from _restrictions(node, path, skip_any_of, skip_first=False)
    if node.items is not None:
        yield from _nested(node.items, join(path, "items"), skip_any_of=False)
    for name, each in node.properties.items():
        yield from _nested(each, join(path, f"properties[{name}]"), skip_any_of=False)
    for name, sentence in _NESTED:
        if _says(node.document.get(name)):
            yield forbidden(join(path, name), sentence)
    if "metadata" in node.properties:
        yield forbidden(join(path, "properties[metadata]"), "must not be specified in a nested context")


def _says(value: object) -> bool:
    return value not in (None, "", [], ()) and value is not False


def _completeness(node: Structural, path: str) -> Iterator[Cause]:
    for name, each in node.junctors():
        yield from _declared(each, node, path, join(path, name))


def _declared(value: Structural, shape: Structural | None, path: str, value_path: str) -> Iterator[Cause]:
    """What ``value`` at ``value_path`` restricts and ``shape`` at ``path`` does not declare."""
    if shape is None:
        yield required(path, f"because it is defined in {value_path}")
        return
    for name, each in value.junctors():
        yield from _declared(each, shape, path, join(value_path, name))
    if value.items is not None:
        yield from _declared(value.items, shape.items, join(path, "items"), join(value_path, "items"))
    for name, each in value.properties.items():
        inside = f"properties[{name}]"
        yield from _declared(each, shape.properties.get(name), join(path, inside), join(value_path, inside))
