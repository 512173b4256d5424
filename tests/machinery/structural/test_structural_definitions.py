from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from rollplane_machinery.releases import release_of
from rollplane_machinery.structural.definition import parse_definition
from rollplane_machinery.structural.definition_rules import validate_definition
from rollplane_machinery.structural.shape import DEFINITION, completed
from tests.machinery.structural.schemas import array, obj

Json = Any
Change = Callable[[Json], object]


def definition(change: Change = lambda _: None) -> Json:
    """Return a definition of CronTabs, after ``change`` was made to it."""
    crd: Json = {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "crontabs.stable.example.com"},
        "spec": {
            "group": "stable.example.com",
            "scope": "Namespaced",
            "names": {"plural": "crontabs", "kind": "CronTab", "shortNames": ["ct"], "categories": ["all"]},
            "versions": [
                {
                    "name": "v1",
                    "served": True,
                    "storage": True,
                    "schema": {
                        "openAPIV3Schema": obj(
                            {
                                "spec": obj({"cronSpec": {"type": "string"}, "replicas": {"type": "integer"}}),
                                "status": obj({"replicas": {"type": "integer"}, "selector": {"type": "string"}}),
                            }
                        )
                    },
                    "subresources": {
                        "status": {},
                        "scale": {
                            "specReplicasPath": ".spec.replicas",
                            "statusReplicasPath": ".status.replicas",
                            "labelSelectorPath": ".status.selector",
                        },
                    },
                    "additionalPrinterColumns": [
                        {"name": "Spec", "type": "string", "jsonPath": ".spec.cronSpec"},
                        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp", "priority": 1},
                    ],
                    "selectableFields": [{"jsonPath": ".spec.cronSpec"}],
                }
            ],
        },
    }
    change(crd["spec"])
    return crd


def told(crd: Json, old: Json = None) -> list[str]:
    return [str(cause) for cause in validate_definition(completed(crd), old and completed(old))]


def v1(spec: Json) -> Json:
    return spec["versions"][0]


def schema(spec: Json) -> Json:
    return v1(spec)["schema"]["openAPIV3Schema"]


def put(place: Json, **members: Json) -> Json:
    place.update(members)
    return place


LIST = "x-kubernetes-list-type"
KEYS = "x-kubernetes-list-map-keys"
MAP = "x-kubernetes-map-type"
KEEP = "x-kubernetes-preserve-unknown-fields"
EMBEDDED = "x-kubernetes-embedded-resource"
INT_OR_STRING = "x-kubernetes-int-or-string"
AT = "spec.versions[0].schema.openAPIV3Schema"


def test_a_good_definition() -> None:
    assert told(definition()) == []


def test_what_is_filled_in() -> None:
    crd: Json = completed(definition(lambda spec: put(spec["names"], singular=None)))
    assert crd["spec"]["names"]["singular"] == "crontab"
    assert crd["spec"]["names"]["listKind"] == "CronTabList"
    assert crd["spec"]["conversion"] == {"strategy": "None"}
    assert crd["status"]["storedVersions"] == ["v1"]


DEFINITIONS: dict[str, tuple[Change, list[str]]] = {
    "no group": (
        lambda spec: spec.pop("group"),
        [
            'metadata.name: Invalid value: "crontabs.stable.example.com": must be spec.names.plural+"."+spec.group',
            "spec.group: Required value",
        ],
    ),
    "another name": (
        lambda spec: put(spec["names"], plural="others"),
        ['metadata.name: Invalid value: "crontabs.stable.example.com": must be spec.names.plural+"."+spec.group'],
    ),
    "no scope": (lambda spec: spec.pop("scope"), ["spec.scope: Required value"]),
    "another scope": (
        lambda spec: put(spec, scope="Galaxy"),
        ['spec.scope: Unsupported value: "Galaxy": supported values: "Cluster", "Namespaced"'],
    ),
    "no kind": (
        lambda spec: spec["names"].pop("kind"),
        [f"spec.names.{name}: Required value" for name in ("singular", "kind", "listKind")],
    ),
    "a list of the same kind": (
        lambda spec: put(spec["names"], listKind="CronTab"),
        ['spec.names.listKind: Invalid value: "CronTab": kind and listKind may not be the same'],
    ),
    "no version is stored": (
        lambda spec: put(v1(spec), storage=False),
        [
            'spec.versions: Invalid value: ["v1"]: must have exactly one version marked as storage version',
            "status.storedVersions: Invalid value: []: must have at least one stored version",
        ],
    ),
    "two of one name": (
        lambda spec: spec["versions"].append({**deepcopy(v1(spec)), "storage": False}),
        ['spec.versions: Invalid value: ["v1","v1"]: must contain unique version names'],
    ),
    "no schema": (lambda spec: v1(spec).pop("schema"), [f"{AT}: Required value"]),
    "a warning without being deprecated": (
        lambda spec: put(v1(spec), deprecationWarning="old"),
        ['spec.versions[0].deprecationWarning: Invalid value: "old": can only be set for deprecated versions'],
    ),
    "an empty warning": (
        lambda spec: put(v1(spec), deprecated=True, deprecationWarning=""),
        ['spec.versions[0].deprecationWarning: Invalid value: "": must not be an empty string'],
    ),
    "replicas outside of the spec": (
        lambda spec: put(v1(spec)["subresources"]["scale"], specReplicasPath=".status.replicas"),
        [
            'spec.versions[0].subresources.scale.specReplicasPath: Invalid value: ".status.replicas": '
            "should be a json path under .spec"
        ],
    ),
    "a selector in the metadata": (
        lambda spec: put(v1(spec)["subresources"]["scale"], labelSelectorPath=".metadata.x"),
        [
            'spec.versions[0].subresources.scale.labelSelectorPath: Invalid value: ".metadata.x": '
            "should be a json path under either .spec or .status"
        ],
    ),
    "a column of no known type": (
        lambda spec: put(v1(spec)["additionalPrinterColumns"][0], type="object"),
        [
            'spec.versions[0].additionalPrinterColumns[0].type: Invalid value: "object": '
            "must be one of boolean,date,integer,number,string"
        ],
    ),
    "a column's path without a dot": (
        lambda spec: put(v1(spec)["additionalPrinterColumns"][0], jsonPath="spec"),
        [
            'spec.versions[0].additionalPrinterColumns[0].JSONPath: Invalid value: "spec": '
            "must be a simple json path starting with ."
        ],
    ),
    "a selectable object": (
        lambda spec: put(v1(spec), selectableFields=[{"jsonPath": ".spec"}]),
        [
            'spec.versions[0].selectableFields[0].jsonPath: Invalid value: ".spec": must point to a field of '
            "type string, boolean or integer. Enum string fields and strings with formats are allowed."
        ],
    ),
    "a selectable field twice": (
        lambda spec: put(v1(spec), selectableFields=[{"jsonPath": ".spec.cronSpec"}] * 2),
        ['spec.versions[0].selectableFields[1].jsonPath: Duplicate value: ".spec.cronSpec"'],
    ),
    "conversion by webhook": (
        lambda spec: put(spec, conversion={"strategy": "Webhook", "webhook": {"conversionReviewVersions": ["v1"]}}),
        [
            'spec.conversion.strategy: Invalid value: "Webhook": no webhook is called here: serve one version, or '
            "versions that None converts between"
        ],
    ),
    "unknown fields are kept everywhere": (
        lambda spec: put(spec, preserveUnknownFields=True),
        [
            "spec.preserveUnknownFields: Invalid value: true: cannot set to true, set "
            "x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead"
        ],
    ),
    "types are looked at first": (
        lambda spec: put(spec, group=5, scope="Galaxy"),
        ['spec.group: Invalid value: "integer": spec.group in body must be of type string: "integer"'],
    ),
    "a group of Kubernetes' own": (
        lambda spec: put(spec, group="x.k8s.io"),
        [
            'metadata.name: Invalid value: "crontabs.stable.example.com": must be spec.names.plural+"."+spec.group',
            "metadata.annotations[api-approved.kubernetes.io]: Required value: protected groups must have approval "
            'annotation "api-approved.kubernetes.io", see https://github.com/kubernetes/enhancements/pull/1111',
        ],
    ),
}


@pytest.mark.parametrize(("change", "expected"), DEFINITIONS.values(), ids=DEFINITIONS)
def test_definition(change: Change, expected: list[str]) -> None:
    assert told(definition(change)) == expected


# a schema of spec, what is said of it, each below the schema of spec
SPEC = f"{AT}.properties[spec]"
SCHEMAS: dict[str, tuple[Json, list[str]]] = {
    "type required": ({}, [".type: Required value: must not be empty for specified object fields"]),
    "type required of items": (
        array({}),
        [".items.type: Required value: must not be empty for specified array items"],
    ),
    "anything goes without a type": ({KEEP: True}, []),
    "int-or-string goes without a type": ({INT_OR_STRING: True}, []),
    "an unknown type": (
        {"type": "text"},
        [
            '.type: Unsupported value: "text": supported values: "array", "boolean", "integer", "number", "object", '
            '"string"'
        ],
    ),
    "$ref": ({"type": "object", "$ref": "#/x"}, [".$ref: Forbidden: $ref is not supported"]),
    "definitions": (
        {"type": "object", "definitions": {"a": {"type": "string"}}},
        [".definitions: Forbidden: definitions is not supported"],
    ),
    "items required": ({"type": "array"}, [".items: Required value: must be specified"]),
    "items of several schemas": (
        {"type": "array", "items": [{"type": "string"}]},
        [".items: Forbidden: items must be a schema object and not an array"],
    ),
    "uniqueItems": (
        array({"type": "string"}, uniqueItems=True),
        [".uniqueItems: Forbidden: uniqueItems cannot be set to true since the runtime complexity becomes quadratic"],
    ),
    "additionalProperties beside properties": (
        obj({"a": {"type": "string"}}, additionalProperties={"type": "string"}),
        [".additionalProperties: Forbidden: additionalProperties and properties are mutual exclusive"],
    ),
    "a pattern that is none": (
        {"type": "string", "pattern": "("},
        [
            '.pattern: Invalid value: "(": must be a valid regular expression, but isn\'t: error parsing regexp: '
            "missing closing ): `(`"
        ],
    ),
    "keeping nothing is not said": (
        obj(**{KEEP: False}),
        [f".{KEEP}: Invalid value: false: must be true or undefined"],
    ),
    "int-or-string beside keeping": (
        {INT_OR_STRING: True, KEEP: True},
        [f".{KEEP}: Invalid value: true: must be false if {INT_OR_STRING} is true"],
    ),
    "types in anyOf of an int-or-string": (
        {INT_OR_STRING: True, "anyOf": [{"type": "integer"}, {"type": "string"}]},
        [],
    ),
    "types in allOf of an int-or-string": (
        {INT_OR_STRING: True, "allOf": [{"anyOf": [{"type": "integer"}, {"type": "string"}]}, {"maxLength": 3}]},
        [],
    ),
    "types elsewhere in anyOf": (
        {"type": "string", "anyOf": [{"type": "string"}]},
        [".anyOf[0].type: Forbidden: must be empty to be structural"],
    ),
    "a default in not": (
        {"type": "string", "not": {"default": "x"}},
        [".not.default: Forbidden: must be undefined to be structural"],
    ),
    "additionalProperties in oneOf": (
        obj(oneOf=[{"additionalProperties": {"maxLength": 1}}]),
        [".oneOf[0].additionalProperties: Forbidden: must be undefined to be structural"],
    ),
    "metadata in a junctor": (
        obj({"metadata": obj()}, anyOf=[{"properties": {"metadata": {}}}]),
        [".anyOf[0].properties[metadata]: Forbidden: must not be specified in a nested context"],
    ),
    "an embedded resource is an object": (
        {"type": "string", EMBEDDED: True, KEEP: True},
        [f'.type: Invalid value: "string": must be object if {EMBEDDED} is true'],
    ),
    "an embedded resource says something": (
        obj(**{EMBEDDED: True}),
        [f".properties: Required value: must not be empty if {EMBEDDED} is true without {KEEP}"],
    ),
    "a list type of an object": (
        obj(**{LIST: "atomic"}),
        [f'.type: Invalid value: "object": must be array if {LIST} is specified'],
    ),
    "an unknown list type": (
        array({"type": "string"}, **{LIST: "bag"}),
        [f'.{LIST}: Unsupported value: "bag": supported values: "atomic", "set", "map"'],
    ),
    "a set of objects": (
        array(obj(), **{LIST: "set"}),
        [f".items.{MAP}: Invalid value: null: must be atomic as item of a list with {LIST}=set"],
    ),
    "a set of atomic objects": (array(obj(**{MAP: "atomic"}), **{LIST: "set"}), []),
    "keys without a map": (
        array(obj({"a": {"type": "string"}}), **{KEYS: ["a"]}),
        [f".{LIST}: Required value: must be map if {KEYS} is non-empty"],
    ),
    "a map without keys": (
        array(obj(), **{LIST: "map"}),
        [f".{KEYS}: Required value: must not be empty if {LIST} is map"],
    ),
    "a map of texts": (
        array({"type": "string"}, **{LIST: "map", KEYS: ["a"]}),
        [f'.items.type: Invalid value: "string": must be object if parent array\'s {LIST} is map'],
    ),
    "a key that nothing declares": (
        array(obj(), **{LIST: "map", KEYS: ["a"]}),
        [f'.{KEYS}: Invalid value: ["a"]: entries must all be names of item properties'],
    ),
    "a key that may be missing": (
        array(obj({"a": {"type": "string"}}), **{LIST: "map", KEYS: ["a"]}),
        [
            f".items.properties[a].default: Required value: this property is in {KEYS}, so it must have a default "
            "or be a required property"
        ],
    ),
    "a key that may be null": (
        array(obj({"a": {"type": "string", "nullable": True}}, required=["a"]), **{LIST: "map", KEYS: ["a"]}),
        [f".items.properties[a].nullable: Forbidden: this property is in {KEYS}, so it cannot be nullable"],
    ),
    "items of a map that may be null": (
        array(obj({"a": {"type": "string"}}, required=["a"], nullable=True), **{LIST: "map", KEYS: ["a"]}),
        [f".items.nullable: Forbidden: cannot be nullable when {LIST} is map"],
    ),
    "a default of another type": (
        obj({"a": {"type": "string", "default": 5}}),
        [f'.properties[a].default: Invalid value: "integer": {SPEC[:0]} in body must be of type string: "integer"'],
    ),
    "a default with unknown fields": (
        obj({"a": obj(default={"b": 1})}),
        ['.properties[a].default: Invalid value: {"b":1}: must not have unknown fields'],
    ),
    "a default that is not valid": (
        obj({"a": obj({"b": {"type": "integer", "maximum": 1}}, default={"b": 2})}),
        [".properties[a].default.b: Invalid value: 2: b in body should be less than or equal to 1"],
    ),
}


@pytest.mark.parametrize(("spec", "expected"), SCHEMAS.values(), ids=SCHEMAS)
def test_schema(spec: Json, expected: list[str]) -> None:
    crd = definition(lambda known: put(schema(known)["properties"], spec=spec))
    crd["spec"]["versions"][0].pop("selectableFields")
    assert told(crd) == [SPEC + sentence for sentence in expected]


def test_root_is_an_object() -> None:
    crd = definition(lambda spec: put(v1(spec), schema={"openAPIV3Schema": {"type": "string"}}, subresources={}))
    crd["spec"]["versions"][0].pop("selectableFields")
    assert told(crd) == [f'{AT}.type: Invalid value: "string": must be object at the root']


def test_root_has_a_type() -> None:
    crd = definition(lambda spec: put(v1(spec), schema={"openAPIV3Schema": {}}, subresources={}))
    crd["spec"]["versions"][0].pop("selectableFields")
    assert told(crd) == [f"{AT}.type: Required value: must not be empty at the root"]


def test_root_has_no_additional_properties() -> None:
    crd = definition(lambda spec: put(schema(spec), properties={}, additionalProperties={"type": "string"}))
    crd["spec"]["versions"][0].pop("selectableFields")
    assert f"{AT}.additionalProperties: Forbidden: must not be used at the root" in told(crd)


def test_root_metadata_tells_of_names_only() -> None:
    names = obj({"name": {"type": "string", "maxLength": 5}})
    assert told(definition(lambda spec: put(schema(spec)["properties"], metadata=names))) == []
    labels = obj({"labels": obj()})
    assert told(definition(lambda spec: put(schema(spec)["properties"], metadata=labels))) == [
        f"{AT}.properties[metadata]: Forbidden: must not specify anything other than name and generateName, "
        "but metadata is implicitly specified"
    ]


def test_what_is_restricted_at_the_root_is_declared() -> None:
    any_of = [{"properties": {"a": {"maxLength": 1}}}]
    assert told(definition(lambda spec: put(schema(spec), anyOf=any_of) and v1(spec).pop("subresources"))) == [
        f"{AT}.properties[a]: Required value: because it is defined in {AT}.anyOf[0].properties[a]"
    ]


def test_no_defaults_in_metadata() -> None:
    kind = {"type": "string", "default": "CronTab"}
    assert told(definition(lambda spec: put(schema(spec)["properties"], kind=kind))) == [
        f"{AT}.properties[kind].default: Forbidden: must not be set in top-level kind"
    ]


def test_root_beside_a_status_says_little() -> None:
    (cause,) = told(definition(lambda spec: put(schema(spec), minProperties=1)))
    assert "fields are allowed at the root of the schema if the status subresource is enabled" in cause


def established(crd: Json) -> Json:
    return {**crd, "status": {"conditions": [{"type": "Established", "status": "True"}], "storedVersions": ["v1"]}}


def test_group_and_plural_never_change() -> None:
    crd = definition(lambda spec: put(spec, group="other.example.com"))
    crd["metadata"]["name"] = "crontabs.other.example.com"
    assert told(crd, definition()) == ['spec.group: Invalid value: "other.example.com": field is immutable']


def test_scope_and_kind_change_until_it_is_established() -> None:
    crd = definition(lambda spec: put(spec, scope="Cluster"))
    assert told(crd, definition()) == []
    assert told(established(crd), established(definition())) == [
        'spec.scope: Invalid value: "Cluster": field is immutable'
    ]


def test_a_version_that_was_stored_stays() -> None:
    crd = definition(lambda spec: put(v1(spec), name="v2"))
    crd["status"] = {"storedVersions": ["v1", "v2"]}
    (cause,) = told(crd, definition())
    assert cause.startswith(
        'status.storedVersions[0]: Invalid value: "v1": missing from spec.versions; v1 was previously'
    )


def test_the_version_that_is_stored_is_told() -> None:
    crd = definition(lambda spec: put(v1(spec), name="v2"))
    crd["status"] = {"storedVersions": ["v1"]}
    assert 'status.storedVersions: Invalid value: ["v1"]: must have the storage version v2' in told(crd, definition())


def test_unknown_fields_of_definitions() -> None:
    crd = definition(lambda spec: put(schema(spec)["properties"]["spec"], example={"any": "thing"}, other=1))
    assert DEFINITION.prune(crd)[1] == (f"{AT}.properties.spec.other",)


def test_parse() -> None:
    parsed = parse_definition(completed(definition(lambda spec: put(v1(spec), deprecated=True))))
    assert (parsed.group, parsed.is_namespaced, parsed.names.list_kind) == ("stable.example.com", True, "CronTabList")
    version = parsed.stored
    assert version is parsed.version("v1")
    assert version.has_status
    assert version.scale is not None
    assert version.scale.label_selector == ".status.selector"
    assert version.warning == "stable.example.com/v1 CronTab is deprecated"
    assert version.selectable_fields == ("spec.cronSpec",)
    assert [(column.name, column.priority) for column in version.columns] == [("Spec", 0), ("Age", 1)]


def test_columns_of_a_version_without_any() -> None:
    parsed = parse_definition(completed(definition(lambda spec: v1(spec).pop("additionalPrinterColumns"))))
    assert [column.name for column in parsed.stored.columns] == ["Age"]


def test_formats_by_release() -> None:
    crd = completed(
        definition(lambda s: put(schema(s)["properties"]["spec"]["properties"]["cronSpec"], format="k8s-short-name"))
    )
    value: Json = {"spec": {"cronSpec": "Not Short"}}
    assert parse_definition(crd, release_of("1.33")).stored.schema.validate(value) == []
    assert len(parse_definition(crd, release_of("1.34")).stored.schema.validate(value)) == 1
