"""JSON merge patch: the cases of RFC 7386 appendix A, and diffs that apply."""

from __future__ import annotations

import copy

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollplane_machinery.patch import merge_patch
from rollplane_machinery.patch.json_value import Json, equal
from tests.machinery.merge_diffs import merge_diff

# RFC 7386 appendix A, in order: document, patch, result.
RFC_7386: list[tuple[Json, Json, Json]] = [
    ({"a": "b"}, {"a": "c"}, {"a": "c"}),
    ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
    ({"a": "b"}, {"a": None}, {}),
    ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
    ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
    ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
    ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
    ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
    (["a", "b"], ["c", "d"], ["c", "d"]),
    ({"a": "b"}, ["c"], ["c"]),
    ({"a": "foo"}, None, None),
    ({"a": "foo"}, "bar", "bar"),
    ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
    ([1, 2], {"a": "b", "c": None}, {"a": "b"}),
    ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
]


@pytest.mark.parametrize(("document", "patch", "expected"), RFC_7386, ids=[str(case[1]) for case in RFC_7386])
def test_vectors(document: Json, patch: Json, expected: Json) -> None:
    before = copy.deepcopy((document, patch))
    assert equal(merge_patch(document, patch), expected)
    assert (document, patch) == before


_leaves = st.booleans() | st.integers(0, 3) | st.text(max_size=3)
_names = st.sampled_from("abcd")
_nullless = st.recursive(
    _leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=4), max_leaves=12
)
_any = st.recursive(
    _leaves | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_names, inner, max_size=4),
    max_leaves=12,
)


@given(_any, _nullless)
def test_a_diff_leads_to_what_was_wanted(document: Json, wanted: Json) -> None:
    assert equal(merge_patch(document, merge_diff(document, wanted)), wanted)


@given(_nullless)
def test_the_diff_of_equals_is_empty(document: Json) -> None:
    if isinstance(document, dict):
        assert merge_diff(document, document) == {}


@given(_any, _any)
def test_applying_twice_is_applying_once(document: Json, patch: Json) -> None:
    once = merge_patch(document, patch)
    assert equal(merge_patch(once, patch), once)
