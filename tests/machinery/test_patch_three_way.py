"""The patch of ``apply``: what it looks like in the plain cases, and what it promises in all."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollplane.apps.v1 import Deployment
from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.patch import strategic_merge_patch, three_way_merge
from rollplane_machinery.patch.json_value import equal
from rollplane_machinery.patch.schema import Field, Schema, schema_of

SCHEMA = schema_of(Deployment.DESCRIPTOR)
TYPE = {"apiVersion": "apps/v1", "kind": "Deployment"}

Object = dict[str, Any]


def _pod(spec: Object) -> Object:
    return {**TYPE, "spec": {"template": {"spec": spec}}}


A = {"name": "a", "image": "a:1"}
B = {"name": "b", "image": "b:1"}

PATCHES: dict[str, tuple[Object | None, Object, Object, Object]] = {
    "null takes away what others wrote": (
        TYPE,
        {**TYPE, "metadata": {"labels": {"owner": None, "absent": None}}, "spec": {"paused": None}},
        {**TYPE, "metadata": {"labels": {"owner": "someone", "team": "blue"}}, "spec": {"paused": True}},
        {"metadata": {"labels": {"owner": None}}, "spec": {"paused": None}},
    ),
    "nothing": (TYPE, TYPE, {**TYPE, "spec": {"replicas": 1}}, {}),
    "first apply": (
        None,
        {**TYPE, "spec": {"replicas": 2}},
        {**TYPE, "spec": {"replicas": 1}},
        {"spec": {"replicas": 2}},
    ),
    "dropped": (
        {**TYPE, "spec": {"replicas": 2, "paused": True}},
        {**TYPE, "spec": {"replicas": 2}},
        {**TYPE, "spec": {"replicas": 2, "paused": True}},
        {"spec": {"paused": None}},
    ),
    "dropped and gone": ({**TYPE, "spec": {"paused": True}}, TYPE, TYPE, {}),
    "null in the manifest drops": ({**TYPE, "a": 1}, {**TYPE, "a": None}, {**TYPE, "a": 1}, {"a": None}),
    "changed by others": ({**TYPE, "a": 1}, {**TYPE, "a": 1}, {**TYPE, "a": 2}, {"a": 1}),
    "an image": (
        _pod({"containers": [A, B]}),
        _pod({"containers": [A, {**B, "image": "b:2"}]}),
        _pod({"containers": [{**A, "tty": True}, {**B, "tty": True}]}),
        {
            "spec": {
                "template": {
                    "spec": {
                        "$setElementOrder/containers": [{"name": "a"}, {"name": "b"}],
                        "containers": [{"name": "b", "image": "b:2"}],
                    }
                }
            }
        },
    ),
    "a container less": (
        _pod({"containers": [A, B]}),
        _pod({"containers": [A]}),
        _pod({"containers": [A, B, {"name": "injected"}]}),
        {
            "spec": {
                "template": {
                    "spec": {
                        "$setElementOrder/containers": [{"name": "a"}],
                        "containers": [{"$patch": "delete", "name": "b"}],
                    }
                }
            }
        },
    ),
    "another order": (
        _pod({"containers": [A, B]}),
        _pod({"containers": [B, A]}),
        _pod({"containers": [A, B]}),
        {"spec": {"template": {"spec": {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}}}},
    ),
    "recreate": (
        {**TYPE, "spec": {"strategy": {"type": "RollingUpdate"}}},
        {**TYPE, "spec": {"strategy": {"type": "Recreate"}}},
        {**TYPE, "spec": {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}}},
        {"spec": {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}}},
    ),
    "finalizers": (
        {**TYPE, "metadata": {"finalizers": ["a/a"]}},
        {**TYPE, "metadata": {"finalizers": ["b/b"]}},
        {**TYPE, "metadata": {"finalizers": ["a/a", "c/c"]}},
        {
            "metadata": {
                "$setElementOrder/finalizers": ["b/b"],
                "$deleteFromPrimitiveList/finalizers": ["a/a"],
                "finalizers": ["b/b"],
            }
        },
    ),
}


@pytest.mark.parametrize(("original", "modified", "current", "expected"), PATCHES.values(), ids=PATCHES)
def test_patch(original: Object | None, modified: Object, current: Object, expected: Object) -> None:
    assert three_way_merge(original, modified, current) == expected


def test_one_port_for_two_protocols() -> None:
    ports = [{"containerPort": 53, "protocol": "TCP"}, {"containerPort": 53, "protocol": "UDP"}]
    old, new = _pod({"containers": [{**A, "ports": ports[:1]}]}), _pod({"containers": [{**A, "ports": ports}]})
    patched = _patched(old, new, old)
    assert patched == new
    live = _pod({"containers": [{**A, "ports": [{**port, "hostPort": 1} for port in ports]}]})
    assert three_way_merge(new, new, live) == {}


def test_only_known_kinds() -> None:
    with pytest.raises(BadRequestError):
        three_way_merge(None, {}, {"apiVersion": "v9", "kind": "Thing"})


_values = st.sampled_from(["1", "2"])
_maps = st.dictionaries(st.sampled_from("abc"), _values, max_size=3)


def _lists(items: st.SearchStrategy[Any], key: str | None) -> st.SearchStrategy[list[Any]]:
    unique = (lambda item: item[key]) if key else (lambda item: item)
    return st.lists(items, max_size=3, unique_by=unique)


def _struct(**fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Object]:
    return st.fixed_dictionaries({}, optional=fields)


def _item(key: str, keys: list[Any], **fields: st.SearchStrategy[Any]) -> st.SearchStrategy[Object]:
    return st.fixed_dictionaries({key: st.sampled_from(keys)}, optional=fields)


_container = _item(
    "name",
    ["a", "b", "c"],
    image=_values,
    args=st.lists(_values, max_size=2),
    env=_lists(_item("name", ["E", "F"], value=_values), "name"),
    ports=_lists(_item("containerPort", [80, 81], name=_values), "containerPort"),
)
_pod_spec = st.fixed_dictionaries(
    {"containers": _lists(_container, "name")},
    optional={
        "volumes": _lists(_item("name", ["v", "w"], emptyDir=st.just({}), hostPath=_struct(path=_values)), "name"),
        "nodeSelector": _maps,
        "tolerations": st.lists(_struct(key=_values), max_size=2),
    },
)
_metadata = st.fixed_dictionaries(
    {"finalizers": _lists(st.sampled_from(["a", "b", "c"]), None)}, optional={"labels": _maps, "annotations": _maps}
)
_strategy = _struct(type=_values, rollingUpdate=_struct(maxSurge=st.integers(0, 2)))
# The lists that merge are always there: three of them must meet for most of the rules to count.
_deployments = st.builds(
    lambda metadata, spec, pod_spec: {
        **TYPE,
        "metadata": metadata,
        "spec": {**spec, "template": {"spec": pod_spec}},
    },
    _metadata,
    _struct(replicas=st.integers(0, 2), strategy=_strategy),
    _pod_spec,
)


def _patched(original: Object | None, modified: Object, current: Object) -> Object:
    return strategic_merge_patch(current, three_way_merge(original, modified, current), Deployment.DESCRIPTOR)


def _holds(live: Any, wanted: Any, field: Field) -> bool:
    """Whether ``live`` says all that ``wanted`` says, in its order where lists merge."""
    if isinstance(wanted, dict):
        return isinstance(live, dict) and _object_holds(live, wanted, field.schema)
    if field.rule.is_set:
        return bool([item for item in live if item in wanted] == wanted)
    if field.rule.merge_key:
        found = [_of_key(live, item, field) for item in wanted]
        known = [item for item in live if item in found]
        return known == found and all(map(_object_holds, found, wanted, [field.schema] * len(wanted)))
    return equal(live, wanted)


def _object_holds(live: Object, wanted: Object, schema: Schema) -> bool:
    return all(name in live and _holds(live[name], value, schema.field(name)) for name, value in wanted.items())


def _of_key(items: list[Any], item: Object, field: Field) -> Object:
    key = field.rule.merge_key
    return next((each for each in items if each[key] == item[key]), {})


def _paths(value: Any, field: Field, path: tuple[Any, ...] = ()) -> set[tuple[Any, ...]]:
    """Every place in ``value`` that merging looks at by itself: members, items by key, members of sets."""
    if isinstance(value, dict):
        inner = [(_paths(member, field.schema.field(name), (*path, name))) for name, member in value.items()]
        return {path}.union(*inner)
    if isinstance(value, list) and field.rule.is_set:
        return {path} | {(*path, item) for item in value}
    if isinstance(value, list) and field.rule.merge_key:
        key = field.rule.merge_key
        item_field = Field(descriptor=field.descriptor)
        return {path}.union(*[_paths(item, item_field, (*path, item[key])) for item in value])
    return {path}


def _all_paths(value: Object) -> set[tuple[Any, ...]]:
    return _paths(value, Field(descriptor=Deployment.DESCRIPTOR))


def _in_union(path: tuple[Any, ...]) -> bool:
    """Inside a union, foreign members go when the choice changes."""
    return "strategy" in path or "volumes" in path


@given(_deployments, _deployments, _deployments)
def test_what_the_manifest_says_is_set(original: Object, modified: Object, current: Object) -> None:
    assert _object_holds(_patched(original, modified, current), modified, SCHEMA)
    assert _object_holds(_patched(None, modified, current), modified, SCHEMA)


@given(_deployments, _deployments, _deployments)
def test_what_it_no_longer_says_is_removed(original: Object, modified: Object, current: Object) -> None:
    dropped = _all_paths(original) - _all_paths(modified)
    assert not dropped & _all_paths(_patched(original, modified, current))


@given(_deployments, _deployments, _deployments)
def test_what_neither_says_stays(original: Object, modified: Object, current: Object) -> None:
    foreign = _all_paths(current) - _all_paths(original) - _all_paths(modified)
    dropped = _all_paths(original) - _all_paths(modified)
    # What stood inside something that was dropped as a whole went with it.
    kept = {path for path in foreign if not any(path[:cut] in dropped for cut in range(len(path)))}
    lost = kept - _all_paths(_patched(original, modified, current))
    assert not {path for path in lost if not _in_union(path)}


@given(_deployments, _deployments, _deployments)
def test_applying_again_changes_nothing(original: Object, modified: Object, current: Object) -> None:
    patched = _patched(original, modified, current)
    assert three_way_merge(modified, modified, patched) == {}
