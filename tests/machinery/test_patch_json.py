"""JSON patch: the cases of RFC 6902 appendix A as a table, its limits, and what holds for any document."""

from __future__ import annotations

import copy
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollplane_machinery.errors import BadRequestError, InvalidError, RequestTooLargeError, RollplaneError
from rollplane_machinery.patch import json_patch
from rollplane_machinery.patch.json_value import Json, equal
from tests.machinery.strategies import json_values

# RFC 6902 appendix A: document, patch, result. A.1 to A.16 in order, less those that fail.
RFC_6902 = {
    "A.1 add a member": ({"foo": "bar"}, [{"op": "add", "path": "/baz", "value": "qux"}], {"baz": "qux", "foo": "bar"}),
    "A.2 add an item": (
        {"foo": ["bar", "baz"]},
        [{"op": "add", "path": "/foo/1", "value": "qux"}],
        {"foo": ["bar", "qux", "baz"]},
    ),
    "A.3 remove a member": ({"baz": "qux", "foo": "bar"}, [{"op": "remove", "path": "/baz"}], {"foo": "bar"}),
    "A.4 remove an item": (
        {"foo": ["bar", "qux", "baz"]},
        [{"op": "remove", "path": "/foo/1"}],
        {"foo": ["bar", "baz"]},
    ),
    "A.5 replace": (
        {"baz": "qux", "foo": "bar"},
        [{"op": "replace", "path": "/baz", "value": "boo"}],
        {"baz": "boo", "foo": "bar"},
    ),
    "A.6 move a member": (
        {"foo": {"bar": "baz", "waldo": "fred"}, "qux": {"corge": "grault"}},
        [{"op": "move", "from": "/foo/waldo", "path": "/qux/thud"}],
        {"foo": {"bar": "baz"}, "qux": {"corge": "grault", "thud": "fred"}},
    ),
    "A.7 move an item": (
        {"foo": ["all", "grass", "cows", "eat"]},
        [{"op": "move", "from": "/foo/1", "path": "/foo/3"}],
        {"foo": ["all", "cows", "eat", "grass"]},
    ),
    "A.8 tests that hold": (
        {"baz": "qux", "foo": ["a", 2, "c"]},
        [{"op": "test", "path": "/baz", "value": "qux"}, {"op": "test", "path": "/foo/1", "value": 2}],
        {"baz": "qux", "foo": ["a", 2, "c"]},
    ),
    "A.10 add a nested member": (
        {"foo": "bar"},
        [{"op": "add", "path": "/child", "value": {"grandchild": {}}}],
        {"foo": "bar", "child": {"grandchild": {}}},
    ),
    "A.11 unknown members are ignored": (
        {"foo": "bar"},
        [{"op": "add", "path": "/baz", "value": "qux", "xyz": 123}],
        {"foo": "bar", "baz": "qux"},
    ),
    "A.14 escapes": ({"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": 10}], {"/": 9, "~1": 10}),
    "A.16 add to the end": (
        {"foo": ["bar"]},
        [{"op": "add", "path": "/foo/-", "value": ["abc", "def"]}],
        {"foo": ["bar", ["abc", "def"]]},
    ),
    "copy": ({"a": {"b": 1}}, [{"op": "copy", "from": "/a", "path": "/c"}], {"a": {"b": 1}, "c": {"b": 1}}),
    "copies are apart": (
        {"a": {"b": 1}},
        [{"op": "copy", "from": "/a", "path": "/c"}, {"op": "replace", "path": "/c/b", "value": 2}],
        {"a": {"b": 1}, "c": {"b": 2}},
    ),
    "replace the whole": ({"a": 1}, [{"op": "replace", "path": "", "value": [1]}], [1]),
    "add the whole": ({"a": 1}, [{"op": "add", "path": "", "value": None}], None),
    "add over a member": ({"a": 1}, [{"op": "add", "path": "/a", "value": 2}], {"a": 2}),
    "move onto itself": ({"a": 1}, [{"op": "move", "from": "/a", "path": "/a"}], {"a": 1}),
    "the empty name": ({"": 1}, [{"op": "replace", "path": "/", "value": 2}], {"": 2}),
    "numbers compare by value": ({"a": 1}, [{"op": "test", "path": "/a", "value": 1.0}], {"a": 1}),
    "null is a value": ({"a": None}, [{"op": "test", "path": "/a", "value": None}], {"a": None}),
    "no operations": ({"a": 1}, [], {"a": 1}),
}


@pytest.mark.parametrize(("document", "patch", "expected"), RFC_6902.values(), ids=RFC_6902)
def test_vectors(document: Json, patch: Json, expected: Json) -> None:
    before = copy.deepcopy(document)
    assert equal(json_patch(document, patch), expected)
    assert document == before


REFUSED: dict[str, tuple[Json, Json, type[RollplaneError]]] = {
    "A.9 a test that fails": ({"baz": "qux"}, [{"op": "test", "path": "/baz", "value": "bar"}], InvalidError),
    "A.12 add to nothing": ({"foo": "bar"}, [{"op": "add", "path": "/baz/bat", "value": "qux"}], InvalidError),
    "A.13 no operation": ({"foo": "bar"}, [{"path": "/baz", "value": "qux"}], BadRequestError),
    "A.15 strings are no numbers": ({"/": 9, "~1": 10}, [{"op": "test", "path": "/~01", "value": "10"}], InvalidError),
    "true is not 1": ({"a": 1}, [{"op": "test", "path": "/a", "value": True}], InvalidError),
    "remove nothing": ({}, [{"op": "remove", "path": "/a"}], InvalidError),
    "replace nothing": ({}, [{"op": "replace", "path": "/a", "value": 1}], InvalidError),
    "replace no item": ([], [{"op": "replace", "path": "/0", "value": 1}], InvalidError),
    "move nothing": ({}, [{"op": "move", "from": "/a", "path": "/b"}], InvalidError),
    "copy nothing": ({}, [{"op": "copy", "from": "/a", "path": "/b"}], InvalidError),
    "test nothing": ({}, [{"op": "test", "path": "/a", "value": None}], InvalidError),
    "beyond the end": ([1], [{"op": "add", "path": "/2", "value": 1}], InvalidError),
    "leading zero": ([1, 2], [{"op": "remove", "path": "/01"}], InvalidError),
    "negative index": ([1, 2], [{"op": "remove", "path": "/-1"}], InvalidError),
    "the end is no item": ([1, 2], [{"op": "remove", "path": "/-"}], InvalidError),
    "into a scalar": ({"a": 1}, [{"op": "add", "path": "/a/b", "value": 1}], InvalidError),
    "into itself": ({"a": {"b": 1}}, [{"op": "move", "from": "/a", "path": "/a/b"}], BadRequestError),
    "remove the whole": ({"a": 1}, [{"op": "remove", "path": ""}], BadRequestError),
    "unknown operation": ({}, [{"op": "spam", "path": "/a"}], BadRequestError),
    "unhashable operation": ({}, [{"op": [], "path": "/a"}], BadRequestError),
    "no value": ({}, [{"op": "add", "path": "/a"}], BadRequestError),
    "no path": ({}, [{"op": "add", "value": 1}], BadRequestError),
    "no from": ({}, [{"op": "move", "path": "/a"}], BadRequestError),
    "relative path": ({}, [{"op": "add", "path": "a", "value": 1}], BadRequestError),
    "bad escape": ({}, [{"op": "add", "path": "/~2", "value": 1}], BadRequestError),
    "not a list": ({}, {"op": "add", "path": "/a", "value": 1}, BadRequestError),
    "not an object": ({}, ["add"], BadRequestError),
}


@pytest.mark.parametrize(("document", "patch", "error"), REFUSED.values(), ids=REFUSED)
def test_refused(document: Json, patch: Json, error: type[RollplaneError]) -> None:
    before = copy.deepcopy(document)
    with pytest.raises(error):
        json_patch(document, patch)
    assert document == before


def test_errors_name_the_operation() -> None:
    operations: Json = [{"op": "add", "path": "/a", "value": 1}, {"op": "test", "path": "/a", "value": 2}]
    with pytest.raises(InvalidError, match=r"operation 1 \(test /a\): the test failed"):
        json_patch({}, operations)


def test_limits() -> None:
    operation: Json = {"op": "test", "path": "", "value": {}}
    assert json_patch({}, [operation] * 10_000) == {}
    with pytest.raises(RequestTooLargeError):
        json_patch({}, [operation] * 10_001)


def test_copies_of_copies_are_bounded() -> None:
    document: Json = {"a": ["x" * 100]}
    with pytest.raises((RequestTooLargeError, BadRequestError)):
        json_patch(document, [{"op": "copy", "from": "/a", "path": "/a/-"}] * 100)
    with pytest.raises(RequestTooLargeError):
        json_patch({"a": "x" * 1000}, [{"op": "copy", "from": "/a", "path": f"/b{n}"} for n in range(10_000)])


@given(json_values, json_values)
def test_replacing_the_whole(document: Json, wanted: Json) -> None:
    operations: Json = [
        {"op": "test", "path": "", "value": document},
        {"op": "replace", "path": "", "value": wanted},
        {"op": "test", "path": "", "value": wanted},
    ]
    assert equal(json_patch(document, operations), wanted)


@given(st.dictionaries(st.text(), json_values, min_size=1), json_values)
def test_adding_then_removing_is_nothing(document: dict[str, Json], value: Json) -> None:
    name = "".join(document)  # longer than each name, or the only one
    pointer = "/" + (name + "!").replace("~", "~0").replace("/", "~1")
    operations: Json = [{"op": "add", "path": pointer, "value": value}, {"op": "remove", "path": pointer}]
    assert equal(json_patch(document, operations), document)


_pointers = st.lists(st.sampled_from(["a", "b", "0", "1", "-", "~0", "~1", ""]), max_size=3).map(
    lambda steps: "".join(f"/{step}" for step in steps)
)
_operations = st.fixed_dictionaries(
    {"op": st.sampled_from(["add", "remove", "replace", "move", "copy", "test"]), "path": _pointers},
    optional={"from": _pointers, "value": json_values},
)
_documents = st.recursive(
    st.integers(0, 2) | st.none(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab~/"), inner, max_size=3),
    max_leaves=8,
)


@given(_documents, st.lists(_operations, max_size=5) | json_values)
def test_any_patch_gives_a_document_or_is_refused(document: Json, operations: Json) -> None:
    before = json.dumps(document)
    try:
        json.dumps(json_patch(document, operations))
    except RollplaneError as exc:
        assert isinstance(exc, BadRequestError | InvalidError | RequestTooLargeError)  # noqa: PT017
    assert json.dumps(document) == before
