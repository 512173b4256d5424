from __future__ import annotations

from typing import Any

import pytest

from rollplane_machinery.structural.publishing import published
from rollplane_machinery.structural.schema import read
from tests.machinery.structural.schemas import array, obj

Json = Any
TEXT = {"type": "string"}
RESOURCE = {"apiVersion": TEXT, "kind": TEXT, "metadata": {"$ref": "#/meta"}}
KEEP: dict[str, Json] = {"x-kubernetes-preserve-unknown-fields": True}
NULLABLE = {**TEXT, "nullable": True}
BOTH = [{"type": "integer"}, {"type": "string"}]
INT_OR_STRING = {"x-kubernetes-int-or-string": True}
EMBEDDED: dict[str, Json] = {"x-kubernetes-embedded-resource": True}

# a schema of spec, as version 3 shows it, as version 2 does
CASES: dict[str, tuple[Json, Json, Json]] = {
    "as it is": ({**TEXT, "pattern": "a"}, {**TEXT, "pattern": "a"}, {**TEXT, "pattern": "a"}),
    "int-or-string": (INT_OR_STRING, {**INT_OR_STRING, "anyOf": BOTH}, INT_OR_STRING),
    "int-or-string that says so": ({**INT_OR_STRING, "anyOf": BOTH}, {**INT_OR_STRING, "anyOf": BOTH}, INT_OR_STRING),
    "int-or-string with other alternatives": (
        {**INT_OR_STRING, "anyOf": [{"maxLength": 1}]},
        {**INT_OR_STRING, "anyOf": [{"maxLength": 1}], "allOf": [{"anyOf": BOTH}]},
        INT_OR_STRING,
    ),
    "null": (obj({"a": NULLABLE}, required=["a"]), obj({"a": NULLABLE}, required=["a"]), obj({"a": {}})),
    "anything": (
        obj({"a": TEXT}, **KEEP),
        obj({"a": TEXT}, **KEEP),
        KEEP,
    ),
    "items of anything": (array(obj(**KEEP)), array({"type": "object", **KEEP}), array(KEEP)),
    "a map": (
        {"type": "object", "additionalProperties": NULLABLE},
        {"type": "object", "additionalProperties": NULLABLE},
        {"type": "object", "additionalProperties": {}},
    ),
    "a resource inside": (
        obj({"spec": TEXT}, **EMBEDDED),
        {**obj({"spec": TEXT, **RESOURCE}, **EMBEDDED), "required": ["kind", "apiVersion"]},
        {**obj({"spec": TEXT, **RESOURCE}, **EMBEDDED), "required": ["kind", "apiVersion"]},
    ),
    "any resource inside": (
        obj(**EMBEDDED, **KEEP),
        {**obj(RESOURCE, **EMBEDDED, **KEEP), "required": ["kind", "apiVersion"]},
        {**EMBEDDED, **KEEP},
    ),
}


@pytest.mark.parametrize(("spec", "third", "second"), CASES.values(), ids=CASES)
def test_published(spec: Json, third: Json, second: Json) -> None:
    root = read(obj({"spec": spec}))
    assert published(root, RESOURCE) == obj({"spec": third, **RESOURCE})
    assert published(root, RESOURCE, v2=True) == obj({"spec": second, **RESOURCE})


def test_a_root_that_keeps_anything_is_any_object_to_version_2() -> None:
    root = read(obj({"spec": TEXT}, **KEEP))
    assert published(root, RESOURCE, v2=True) == {"type": "object"}
    assert published(root, RESOURCE) == obj({"spec": TEXT, **RESOURCE}, **KEEP)
