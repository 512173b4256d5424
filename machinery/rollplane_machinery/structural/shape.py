"""The schema of CustomResourceDefinitions themselves, which a schema inside of one is a part of.

It tells which members a definition may have and of what types; what they mean together is for ``definition_rules``.

Source: kubernetes/apiextensions-apiserver pkg/apis/apiextensions/v1/types.go and types_jsonschema.go.
"""

from __future__ import annotations

from rollplane_machinery.fields.values import as_items, as_members
from rollplane_machinery.patch.json_value import Json, JsonObject
from rollplane_machinery.structural.custom import Schema
from rollplane_machinery.structural.schema import Structural

_ANY = Structural({}, nullable=True, preserves_unknown=True)
_TEXT = Structural({}, ("string",))
_FLAG = Structural({}, ("boolean",))
_WHOLE = Structural({}, ("integer",))
_NUMBER = Structural({}, ("number",))


def _object(**members: Structural) -> Structural:
    return Structural({}, ("object",), properties={name.rstrip("_"): each for name, each in members.items()})


def _list(items: Structural, keys: tuple[str, ...] = ()) -> Structural:
    document = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": keys} if keys else {}
    return Structural(document, ("array",), items=items)


def _map(values: Structural) -> Structural:
    return Structural({}, ("object",), additional=values)


_TEXTS = _list(_TEXT)
_PROPERTIES: dict[str, Structural] = {}
SCHEMA = Structural({}, ("object",), properties=_PROPERTIES)
"""A schema as definitions hold it."""

_SCHEMAS = _list(SCHEMA)
_SCHEMA_OR_FLAG = Structural({}, ("object", "boolean"), properties=_PROPERTIES)
_SCHEMA_OR_LIST = Structural({}, ("object", "array"), properties=_PROPERTIES, items=SCHEMA)
_RULE = _object(
    rule=_TEXT, message=_TEXT, messageExpression=_TEXT, reason=_TEXT, fieldPath=_TEXT, optionalOldSelf=_FLAG
)
_PROPERTIES.update(
    {
        **dict.fromkeys(("id", "$schema", "$ref", "description", "type", "format", "title", "pattern"), _TEXT),
        **dict.fromkeys(("default", "example"), _ANY),
        **dict.fromkeys(("maximum", "minimum", "multipleOf"), _NUMBER),
        **dict.fromkeys(("exclusiveMaximum", "exclusiveMinimum", "uniqueItems", "nullable"), _FLAG),
        **dict.fromkeys(("maxLength", "minLength", "maxItems", "minItems", "maxProperties", "minProperties"), _WHOLE),
        **dict.fromkeys(("allOf", "oneOf", "anyOf"), _SCHEMAS),
        **dict.fromkeys(("properties", "patternProperties", "definitions"), _map(SCHEMA)),
        **dict.fromkeys(("additionalProperties", "additionalItems"), _SCHEMA_OR_FLAG),
        "not": SCHEMA,
        "items": _SCHEMA_OR_LIST,
        "enum": _list(_ANY),
        "required": _TEXTS,
        "dependencies": _map(_SCHEMA_OR_LIST),
        "externalDocs": _object(description=_TEXT, url=_TEXT),
        "x-kubernetes-preserve-unknown-fields": _FLAG,
        "x-kubernetes-embedded-resource": _FLAG,
        "x-kubernetes-int-or-string": _FLAG,
        "x-kubernetes-list-map-keys": _TEXTS,
        "x-kubernetes-list-type": _TEXT,
        "x-kubernetes-map-type": _TEXT,
        "x-kubernetes-validations": _list(_RULE, ("rule",)),
    }
)
_NAMES = _object(plural=_TEXT, singular=_TEXT, shortNames=_TEXTS, kind=_TEXT, listKind=_TEXT, categories=_TEXTS)
_COLUMN = _object(name=_TEXT, type=_TEXT, format=_TEXT, description=_TEXT, priority=_WHOLE, jsonPath=_TEXT)
_SCALE = _object(specReplicasPath=_TEXT, statusReplicasPath=_TEXT, labelSelectorPath=_TEXT)
_VERSION = _object(
    name=_TEXT,
    served=_FLAG,
    storage=_FLAG,
    deprecated=_FLAG,
    deprecationWarning=_TEXT,
    schema=_object(openAPIV3Schema=SCHEMA),
    subresources=_object(status=_object(), scale=_SCALE),
    additionalPrinterColumns=_list(_COLUMN),
    selectableFields=_list(_object(jsonPath=_TEXT)),
)
_SERVICE = _object(namespace=_TEXT, name=_TEXT, path=_TEXT, port=_WHOLE)
_CONVERSION = _object(
    strategy=_TEXT,
    webhook=_object(clientConfig=_object(url=_TEXT, service=_SERVICE, caBundle=_TEXT), conversionReviewVersions=_TEXTS),
)
_CONDITION = _object(
    type=_TEXT, status=_TEXT, lastTransitionTime=_TEXT, reason=_TEXT, message=_TEXT, observedGeneration=_WHOLE
)
DEFINITION = Schema(
    _object(
        metadata=Structural({}, ("object",)),
        spec=_object(
            group=_TEXT,
            names=_NAMES,
            scope=_TEXT,
            versions=_list(_VERSION),
            conversion=_CONVERSION,
            preserveUnknownFields=_FLAG,
        ),
        status=_object(
            conditions=_list(_CONDITION, ("type",)),
            acceptedNames=_NAMES,
            storedVersions=_TEXTS,
            observedGeneration=_WHOLE,
        ),
    ),
    has_rules=False,
)
"""Whole CustomResourceDefinitions."""


def completed(crd: JsonObject) -> JsonObject:
    """Return a definition as it is stored: without nulls, with what Kubernetes fills in.

    That is the singular and the list kind, the conversion, and the storage version as the first one that was stored.

    Source: kubernetes/apiextensions-apiserver pkg/apis/apiextensions/v1/defaults.go.
    """
    crd = as_members(DEFINITION.default(crd))
    spec, status = as_members(crd.get("spec")), as_members(crd.get("status"))
    filled: JsonObject = {**spec, "names": _named(spec), "conversion": spec.get("conversion") or {"strategy": "None"}}
    if not status.get("storedVersions") and (stored := _stored(spec)):
        status = {**status, "storedVersions": stored}
    return {**crd, "spec": filled, "status": status}


def _named(spec: JsonObject) -> JsonObject:
    names = as_members(spec.get("names"))
    kind = names.get("kind")
    if not isinstance(kind, str) or not kind:
        return names
    return {
        **names,
        "singular": names.get("singular") or kind.lower(),
        "listKind": names.get("listKind") or f"{kind}List",
    }


def _stored(spec: JsonObject) -> list[Json]:
    versions = map(as_members, as_items(spec.get("versions")))
    return [version.get("name") for version in versions if version.get("storage") is True][:1]
