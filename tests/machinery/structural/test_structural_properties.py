"""Promises of schemas, held against schemas and values that hypothesis makes up."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from rollplane_machinery.errors import InvalidError
from rollplane_machinery.structural.custom import Schema, schema_of
from rollplane_machinery.structural.definition_rules import validate_definition
from rollplane_machinery.structural.json_path import PathError, compile_path
from rollplane_machinery.structural.parsing import check_schema, parse_schema
from rollplane_machinery.structural.shape import completed
from tests.machinery.structural.schemas import obj

Json = Any
NAMES = st.sampled_from(["a", "b", "c", "metadata", "a-b"])
SCALARS = st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from([0.5, 2.0]) | st.sampled_from(["", "a", "b"])
VALUES = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3))
EXTRAS = st.fixed_dictionaries({}, optional={"nullable": st.booleans(), "default": VALUES})
LEAVES = st.one_of(
    st.builds(lambda extra: {"type": "integer", "minimum": 0, **extra}, EXTRAS),
    st.builds(lambda extra: {"type": "string", "enum": ["a", "b"], **extra}, EXTRAS),
    st.builds(lambda extra: {"type": "boolean", **extra}, EXTRAS),
    st.builds(lambda extra: {"x-kubernetes-int-or-string": True, **extra}, EXTRAS),
    st.just({"x-kubernetes-preserve-unknown-fields": True}),
)


def _objects(inner: st.SearchStrategy[Json]) -> st.SearchStrategy[Json]:
    keeps = st.sampled_from([{}, {"x-kubernetes-preserve-unknown-fields": True}])
    structs = st.builds(
        lambda members, extra, keep: {"type": "object", "properties": members, **extra, **keep},
        st.dictionaries(NAMES, inner, max_size=3),
        EXTRAS,
        keeps,
    )
    maps = st.builds(lambda each: {"type": "object", "additionalProperties": each}, inner)
    lists = st.builds(lambda each, extra: {"type": "array", "items": each, **extra}, inner, EXTRAS)
    return structs | maps | lists


NODES = st.recursive(LEAVES, _objects, max_leaves=8)
SCHEMAS = st.dictionaries(st.sampled_from(["spec", "status"]), NODES, min_size=1).map(
    lambda members: schema_of(obj(members))
)
OBJECTS = st.dictionaries(st.sampled_from(["spec", "status", "other", "kind"]), VALUES)


@given(SCHEMAS, OBJECTS)
def test_pruning_again_drops_nothing(schema: Schema, value: Json) -> None:
    kept, _ = schema.prune(value)
    assert schema.prune(kept) == (kept, ())


@given(SCHEMAS, OBJECTS)
def test_filling_in_again_changes_nothing(schema: Schema, value: Json) -> None:
    once = schema.default(value)
    assert schema.default(once) == once


@given(SCHEMAS, OBJECTS)
def test_nothing_that_is_handed_in_changes(schema: Schema, value: Json) -> None:
    before = json.dumps(value)
    schema.default(schema.prune(value)[0])
    schema.validate(value, {"spec": None})
    assert json.dumps(value) == before


@given(st.dictionaries(st.sampled_from(["spec", "status"]), NODES, min_size=1), OBJECTS)
def test_what_is_good_stays_good(members: Json, value: Json) -> None:
    """Of schemas that are let in: pruned and defaulted, a good object stays what it is, and good."""
    try:
        schema = parse_schema(obj(members))
    except InvalidError:
        assume(False)
        return
    kept, _ = schema.prune(value)
    stored = schema.default(kept)
    if schema.validate(stored) == []:
        assert schema.default(schema.prune(stored)[0]) == stored
        assert schema.validate(stored, stored) == []


@given(SCHEMAS, OBJECTS)
def test_what_did_not_change_is_let_in(schema: Schema, value: Json) -> None:
    assert schema.validate(value, value) == []


@given(VALUES)
def test_any_json_is_told_what_is_wrong_with_it_as_a_schema(document: Json) -> None:
    assert check_schema(document if isinstance(document, dict) else {"type": document}, "schema")


@given(st.dictionaries(st.sampled_from(["group", "names", "scope", "versions", "conversion"]), VALUES), VALUES)
def test_any_json_is_told_what_is_wrong_with_it_as_a_definition(spec: Json, metadata: Json) -> None:
    assert validate_definition(completed({"metadata": metadata, "spec": spec}))


@given(st.text(alphabet=".[]*@?()='\"ab01:-\\<>!", max_size=20), VALUES)
def test_any_text_is_a_path_or_none(text: str, value: Json) -> None:
    try:
        find = compile_path(text)
    except PathError:
        return
    assert isinstance(find(value), list)
