from __future__ import annotations

from typing import Any

import pytest

from tests.machinery.structural.schemas import array, obj, root

Json = Any
STRING = {"type": "string"}
PAIR = obj({"name": STRING, "value": STRING})
MAP = {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["name"]}
OPEN: dict[str, Json] = {"x-kubernetes-preserve-unknown-fields": True}

# schema of spec, spec, what is not declared
CASES: dict[str, tuple[Json, Json, list[str]]] = {
    "all is known": (obj({"a": STRING}), {"a": "x"}, []),
    "a member": (obj({"a": STRING}), {"b": 1, "c": 2}, [".spec.b", ".spec.c"]),
    "in an atomic list": (array(PAIR), [{"name": "x"}, {"odd": 1}], [".spec[1].odd"]),
    "in a list by keys": (
        array({**PAIR, "required": ["name"]}, **MAP),
        [{"name": "x", "odd": 1}],
        ['.spec[name="x"].odd'],
    ),
    "in an atomic object": (obj({"a": STRING}, **{"x-kubernetes-map-type": "atomic"}), {"b": 1}, [".spec.b"]),
    "in a map": ({"type": "object", "additionalProperties": PAIR}, {"m": {"odd": 1}}, [".spec.m.odd"]),
    "what is preserved": (obj(**OPEN), {"a": {"b": 1}}, []),
    "known members of what is preserved": (obj({"a": PAIR}, **OPEN), {"a": {"odd": 1}, "b": 1}, [".spec.a.odd"]),
    "an object of which nothing is said": ({"type": "object"}, {"a": 1}, []),
    "any members": ({"type": "object", "additionalProperties": True}, {"a": 1}, []),
    "what embedded resources have": (
        obj({"spec": PAIR}, **{"x-kubernetes-embedded-resource": True}),
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "x"}, "spec": {"odd": 1}},
        [".spec.spec.odd"],
    ),
}


@pytest.mark.parametrize(("schema", "spec", "told"), CASES.values(), ids=CASES)
def test_undeclared(schema: Json, spec: Json, told: list[str]) -> None:
    found = root(schema).undeclared(
        {"apiVersion": "example.com/v1", "kind": "X", "metadata": {"name": "x"}, "spec": spec}
    )
    assert found == [f"{path}: field not declared in schema" for path in told]


def test_members_of_whole_objects() -> None:
    assert root(obj()).undeclared({"metadata": {}, "odd": 1}) == [".odd: field not declared in schema"]
