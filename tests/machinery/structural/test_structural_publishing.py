from __future__ import annotations

from typing import Any

import pytest

from rollplane_machinery.structural.publishing import published
from rollplane_machinery.structural.schema import read
from tests.machinery.structural.schemas import obj

Json = Any
TEXT = {"type": "string"}
RESOURCE = {"apiVersion": TEXT, "kind": TEXT, "metadata": {"$ref": "#/meta"}}
BOTH = [{"type": "integer"}, {"type": "string"}]
INT_OR_STRING = {"x-kubernetes-int-or-string": True}
EMBEDDED: dict[str, Json] = {"x-kubernetes-embedded-resource": True}
OPEN: dict[str, Json] = {**EMBEDDED, "x-kubernetes-preserve-unknown-fields": True}

# a schema of spec, and what is shown of it
CASES: dict[str, tuple[Json, Json]] = {
    "as it is": ({**TEXT, "pattern": "a"}, {**TEXT, "pattern": "a"}),
    "int-or-string": (INT_OR_STRING, {**INT_OR_STRING, "anyOf": BOTH}),
    "int-or-string that says so": ({**INT_OR_STRING, "anyOf": BOTH}, {**INT_OR_STRING, "anyOf": BOTH}),
    "int-or-string with other alternatives": (
        {**INT_OR_STRING, "anyOf": [{"maxLength": 1}]},
        {**INT_OR_STRING, "anyOf": [{"maxLength": 1}], "allOf": [{"anyOf": BOTH}]},
    ),
    "a map": (
        {"type": "object", "additionalProperties": INT_OR_STRING},
        {"type": "object", "additionalProperties": {**INT_OR_STRING, "anyOf": BOTH}},
    ),
    "a map of anything": ({"type": "object", "additionalProperties": True},) * 2,
    "a resource inside": (
        obj({"spec": TEXT}, **EMBEDDED, required=["kind"]),
        {**obj({"spec": TEXT, **RESOURCE}, **EMBEDDED), "required": ["kind", "apiVersion"]},
    ),
    "any resource inside": (obj(**OPEN), {**obj(RESOURCE, **OPEN), "required": ["kind", "apiVersion"]}),
}


@pytest.mark.parametrize(("spec", "shown"), CASES.values(), ids=CASES)
def test_published(spec: Json, shown: Json) -> None:
    assert published(read(obj({"spec": spec})), RESOURCE) == obj({"spec": shown, **RESOURCE})
