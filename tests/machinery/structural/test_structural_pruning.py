from __future__ import annotations

from typing import Any

import pytest

from rollplane_machinery.structural.parsing import parse_schema
from tests.machinery.structural.schemas import array, obj

Json = Any
STRING = {"type": "string"}
ANYTHING: dict[str, Json] = {"x-kubernetes-preserve-unknown-fields": True}

# schema of spec, spec, what is kept, what is dropped
CASES: dict[str, tuple[Json, Json, Json, tuple[str, ...]]] = {
    "known members stay": (obj({"a": STRING}), {"a": "x"}, {"a": "x"}, ()),
    "unknown members go": (obj({"a": STRING}), {"a": "x", "b": 1}, {"a": "x"}, ("spec.b",)),
    "paths are told by name": (obj(), {"b": 1, "a": 2}, {}, ("spec.a", "spec.b")),
    "inside of items": (array(obj({"a": STRING})), [{"a": "x"}, {"b": 1}], [{"a": "x"}, {}], ("spec[1].b",)),
    "inside of maps": (
        {"type": "object", "additionalProperties": obj({"a": STRING})},
        {"m": {"a": "x", "b": 1}},
        {"m": {"a": "x"}},
        ("spec.m.b",),
    ),
    "additionalProperties: true keeps members, and nothing of theirs": (
        {"type": "object", "additionalProperties": True},
        {"m": {"a": 1}, "n": 1},
        {"m": {}, "n": 1},
        ("spec.m.a",),
    ),
    "what is preserved stays": (obj(**ANYTHING), {"a": {"b": [1]}}, {"a": {"b": [1]}}, ()),
    "known members of what is preserved are looked into": (
        obj({"a": obj()}, **ANYTHING),
        {"a": {"b": 1}, "c": {"d": 1}},
        {"a": {}, "c": {"d": 1}},
        ("spec.a.b",),
    ),
    "items of preserved lists too": (
        array(obj({"a": obj()}), **ANYTHING),
        [{"a": {"b": 1}, "c": 1}],
        [{"a": {}, "c": 1}],
        ("spec[0].a.b",),
    ),
    "an embedded resource keeps what it says of itself": (
        obj({"spec": obj()}, **{"x-kubernetes-embedded-resource": True}),
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"x": 1}, "spec": {"y": 1}, "z": 1},
        {"apiVersion": "v1", "kind": "Pod", "metadata": {"x": 1}, "spec": {}},
        ("spec.spec.y", "spec.z"),
    ),
    "lists where no list is known": (obj(), [{"a": 1}], [{}], ("spec[0].a",)),
    "what is no object stays": (obj(), "text", "text", ()),
}


@pytest.mark.parametrize(("schema", "spec", "kept", "dropped"), CASES.values(), ids=CASES)
def test_prune(schema: Json, spec: Json, kept: Json, dropped: tuple[str, ...]) -> None:
    parsed = parse_schema(obj({"spec": schema}))
    value: Json = {"apiVersion": "a/v1", "kind": "K", "metadata": {"any": "thing"}, "spec": spec}
    assert parsed.prune(value) == ({**value, "spec": kept}, dropped)


def test_what_is_known_is_shared() -> None:
    value: Json = {"spec": {"a": [{"b": "x"}]}}
    kept, _ = parse_schema(obj({"spec": obj({"a": array(obj({"b": STRING}))})})).prune(value)
    assert kept is value


def test_nothing_of_the_value_changes() -> None:
    value: Json = {"spec": {"a": "x", "b": 1}}
    parse_schema(obj({"spec": obj({"a": STRING})})).prune(value)
    assert value == {"spec": {"a": "x", "b": 1}}
