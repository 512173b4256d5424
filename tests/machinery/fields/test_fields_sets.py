"""Field sets: what they hold, and how they are written."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.fields.elements import Path, field_element, key_element, printed, value_element
from rollplane_machinery.fields.fields_v1 import dump_fields, load_fields
from rollplane_machinery.fields.sets import EMPTY, FieldSet

NAMES = st.text(st.characters(codec="utf-8"), max_size=4)
SCALARS = st.integers(-99, 99) | NAMES | st.booleans()
STEPS = st.one_of(
    NAMES.map(field_element),
    st.dictionaries(NAMES, SCALARS, min_size=1, max_size=2).map(key_element),
    SCALARS.map(value_element),
)
SETS = st.lists(st.lists(STEPS, min_size=1, max_size=3).map(tuple), max_size=6).map(FieldSet.of)


def paths(*texts: str) -> FieldSet:
    """``"a.b"`` is the member b of a."""
    return FieldSet.of(tuple(map(field_element, text.split("."))) for text in texts)


OPERATIONS: dict[str, tuple[FieldSet, FieldSet]] = {
    "a union has what either has": (paths("a", "a.b") | paths("a.c", "d"), paths("a", "a.b", "a.c", "d")),
    "an intersection has what both have": (paths("a", "a.b", "c.d") & paths("a", "c.d", "c.e"), paths("a", "c.d")),
    "a difference leaves what is inside": (paths("a", "a.b", "c") - paths("a", "c"), paths("a.b")),
    "without takes what is inside too": (paths("a", "a.b", "a.c.d", "e").without(paths("a")), paths("e")),
    "without looks inside": (paths("a.b", "a.b.c", "a.d").without(paths("a.b")), paths("a.d")),
    "no child is empty": (paths("a.b") - paths("a.b"), EMPTY),
}


@pytest.mark.parametrize(("found", "expected"), OPERATIONS.values(), ids=OPERATIONS)
def test_operations(found: FieldSet, expected: FieldSet) -> None:
    assert found == expected
    assert bool(found) == bool(list(expected.paths()))


def test_membership() -> None:
    fields = paths("a.b")
    assert (field_element("a"), field_element("b")) in fields
    assert (field_element("a"),) not in fields
    assert () not in FieldSet.of([()])


WRITTEN: dict[str, tuple[FieldSet, dict[str, Any]]] = {
    "nothing": (EMPTY, {}),
    "an object whose parts alone are owned": (paths("spec.replicas"), {"f:spec": {"f:replicas": {}}}),
    "an object owned with its parts": (paths("labels", "labels.a"), {"f:labels": {".": {}, "f:a": {}}}),
    "items by number before text": (
        FieldSet.of(
            [(key_element({"port": port, "protocol": "TCP"}),) for port in (443, 80)] + [(field_element("x"),)]
        ),
        {"f:x": {}, 'k:{"port":80,"protocol":"TCP"}': {}, 'k:{"port":443,"protocol":"TCP"}': {}},
    ),
    "values": (FieldSet.of([(value_element("b"),), (value_element(2),)]), {"v:2": {}, 'v:"b"': {}}),
    "what Go escapes": (FieldSet.of([(value_element("<&>"),)]), {'v:"\\u003c\\u0026\\u003e"': {}}),
}


@pytest.mark.parametrize(("fields", "expected"), WRITTEN.values(), ids=WRITTEN)
def test_fields_v1(fields: FieldSet, expected: dict[str, Any]) -> None:
    written = dump_fields(fields)
    assert written == json.dumps(expected, separators=(",", ":")).encode()
    assert load_fields(written) == fields


@given(SETS)
def test_fields_v1_round_trips(fields: FieldSet) -> None:
    assert load_fields(dump_fields(fields)) == fields


@given(SETS, SETS)
def test_operations_are_those_of_sets_of_paths(one: FieldSet, other: FieldSet) -> None:
    left, right = set(one.paths()), set(other.paths())
    assert set((one | other).paths()) == left | right
    assert set((one & other).paths()) == left & right
    assert set((one - other).paths()) == left - right
    prefixes = {path[:depth] for path in right for depth in range(1, len(path) + 1) if path[:depth] in right}
    assert set(one.without(other).paths()) == {
        path for path in left if not any(path[:depth] in prefixes for depth in range(1, len(path) + 1))
    }
    assert all(path in one for path in left)
    assert one == FieldSet.of(left)


def test_keys_are_read_in_any_order_and_steps_of_later_releases_left_out() -> None:
    read = load_fields(b'{"k:{\\"b\\": 1, \\"a\\": 2}": {}, "x:new": {}, "i:07": {}}')
    assert read == FieldSet.of([('k:{"a":2,"b":1}',), ("i:7",)])


DEEP = b'{"f:a":' * 200 + b"{}" + b"}" * 200
NO_SETS = [b"", b"[]", b'{"f:a": 1}', b'{"fa": {}}', b'{"k:[]": {}}', b'{"v:": {}}', b'{"i:x": {}}', DEEP]


@pytest.mark.parametrize("text", NO_SETS)
def test_what_is_no_field_set(text: bytes) -> None:
    with pytest.raises(BadRequestError):
        load_fields(text)


PRINTED: dict[str, tuple[Path, str]] = {
    ".spec.replicas": (("f:spec", "f:replicas"), ".spec.replicas"),
    "an item": (
        ("f:ports", 'k:{"containerPort":80,"protocol":"TCP"}', "f:name"),
        '.ports[containerPort=80,protocol="TCP"].name',
    ),
    "a value": (("f:finalizers", 'v:"x/y"'), '.finalizers[="x/y"]'),
    "an index": (("f:list", "i:3"), ".list[3]"),
}


@pytest.mark.parametrize(("path", "expected"), PRINTED.values(), ids=PRINTED)
def test_printed(path: Path, expected: str) -> None:
    assert printed(path) == expected
