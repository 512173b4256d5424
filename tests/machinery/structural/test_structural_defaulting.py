from __future__ import annotations

from typing import Any

import pytest

from tests.machinery.structural.schemas import array, obj, root

Json = Any
ANYTHING: dict[str, Json] = {"x-kubernetes-preserve-unknown-fields": True}
ONE = {"type": "integer", "default": 1}
NULLABLE = {"type": "integer", "nullable": True}

# schema of spec, spec, spec with defaults
CASES: dict[str, tuple[Json, Json, Json]] = {
    "a missing member": (obj({"a": ONE}), {}, {"a": 1}),
    "what is there stays": (obj({"a": ONE}), {"a": 2}, {"a": 2}),
    "false and zero are there": (obj({"a": {"type": "boolean", "default": True}}), {"a": False}, {"a": False}),
    "null counts as missing": (obj({"a": ONE}), {"a": None}, {"a": 1}),
    "null without a default goes": (obj({"a": {"type": "integer"}}), {"a": None}, {}),
    "null stays where it is allowed": (obj({"a": {**NULLABLE, "default": 1}}), {"a": None}, {"a": None}),
    "null of nobody's stays": (obj(**ANYTHING), {"a": None}, {"a": None}),
    "nothing is made for defaults to stand in": (obj({"a": obj({"b": ONE})}), {}, {}),
    "inside of a default": (obj({"a": obj({"b": ONE}, default={})}), {}, {"a": {"b": 1}}),
    "inside of items": (array(obj({"a": ONE})), [{}, {"a": 2}], [{"a": 1}, {"a": 2}]),
    "null items become the default": (array(obj({"a": ONE}, default={})), [None], [{"a": 1}]),
    "null items without a default stay": (array({"type": "string"}), [None], [None]),
    "inside of maps": ({"type": "object", "additionalProperties": obj({"a": ONE})}, {"m": {}}, {"m": {"a": 1}}),
    "null in maps goes": (
        {"type": "object", "additionalProperties": {"type": "string"}},
        {"m": None, "n": "x"},
        {"n": "x"},
    ),
    "what has another type stays": (obj({"a": ONE}), [1], [1]),
}


@pytest.mark.parametrize(("schema", "spec", "expected"), CASES.values(), ids=CASES)
def test_default(schema: Json, spec: Json, expected: Json) -> None:
    value: Json = {"spec": spec}
    assert root(schema).default(value) == {"spec": expected}
    assert value == {"spec": spec}


def test_defaults_of_the_spec_itself() -> None:
    assert root(obj({"a": ONE}, default={})).default({"kind": "K"}) == {"kind": "K", "spec": {"a": 1}}


def test_defaults_are_copies() -> None:
    schema = root(obj({"a": array({"type": "string"}, default=["x"])}))
    first: Json = schema.default({"spec": {}})
    first["spec"]["a"].append("y")
    assert schema.default({"spec": {}}) == {"spec": {"a": ["x"]}}


def test_nothing_to_fill_in_is_shared() -> None:
    value: Json = {"spec": {"a": 2}}
    assert root(obj({"a": ONE})).default(value) is value
