"""Strategic merge patch: one table for each rule of api-conventions.md section 9."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from google.protobuf.descriptor import Descriptor

from rollplane.apps.v1 import Deployment, DeploymentSpec
from rollplane.core.v1 import Container, NodeSpec, NodeStatus, PodSpec, PodStatus, ServiceSpec
from rollplane.meta.v1 import ObjectMeta
from rollplane.policy.v1 import PodDisruptionBudgetSpec
from rollplane_machinery.errors import BadRequestError, RequestTooLargeError
from rollplane_machinery.kinds import KINDS
from rollplane_machinery.patch import strategic_merge_patch
from rollplane_machinery.patch.schema import Schema, schema_of

A = {"name": "a", "image": "a:1"}
B = {"name": "b", "image": "b:1"}
C = {"name": "c", "image": "c:1"}
TWO = {"containers": [A, B]}

Case = tuple[Any, dict[str, Any], dict[str, Any], dict[str, Any]]
"""Message, document, patch, result."""

MAPS: dict[str, Case] = {
    "members merge": (
        ObjectMeta,
        {"name": "x", "labels": {"a": "1"}},
        {"labels": {"b": "2"}},
        {"name": "x", "labels": {"a": "1", "b": "2"}},
    ),
    "null removes": (ObjectMeta, {"labels": {"a": "1", "b": "2"}}, {"labels": {"a": None}}, {"labels": {"b": "2"}}),
    "null removes what is not there": (ObjectMeta, {"name": "x"}, {"labels": None}, {"name": "x"}),
    "nested nulls are no values": (ObjectMeta, {}, {"labels": {"a": None, "b": "2"}}, {"labels": {"b": "2"}}),
    "replace": (
        ObjectMeta,
        {"labels": {"a": "1"}},
        {"labels": {"$patch": "replace", "b": "2"}},
        {"labels": {"b": "2"}},
    ),
    "delete": (ObjectMeta, {"labels": {"a": "1"}}, {"labels": {"$patch": "delete"}}, {"labels": {}}),
    "delete nothing": (ObjectMeta, {}, {"labels": {"$patch": "delete"}}, {}),
    "merge": (
        ObjectMeta,
        {"labels": {"a": "1"}},
        {"labels": {"$patch": "merge", "b": "2"}},
        {"labels": {"a": "1", "b": "2"}},
    ),
    "replace the whole": (ObjectMeta, {"name": "x"}, {"$patch": "replace", "name": "y"}, {"name": "y"}),
    "retain keys": (
        DeploymentSpec,
        {"strategy": {"type": "RollingUpdate", "rollingUpdate": {"maxSurge": 1}}},
        {"strategy": {"$retainKeys": ["type"], "type": "Recreate"}},
        {"strategy": {"type": "Recreate"}},
    ),
    "retain keys of a volume": (
        PodSpec,
        {"volumes": [{"name": "v", "emptyDir": {}}]},
        {"volumes": [{"$retainKeys": ["name", "hostPath"], "name": "v", "hostPath": {"path": "/x"}}]},
        {"volumes": [{"name": "v", "hostPath": {"path": "/x"}}]},
    ),
    "retained but removed": (
        DeploymentSpec,
        {"strategy": {"type": "x"}},
        {"strategy": {"$retainKeys": ["type"], "rollingUpdate": None}},
        {"strategy": {"type": "x"}},
    ),
    "an object that is replaced": (
        PodDisruptionBudgetSpec,
        {"selector": {"matchLabels": {"a": "1"}}},
        {"selector": {"matchLabels": {"b": "2"}}},
        {"selector": {"matchLabels": {"b": "2"}}},
    ),
    "another type replaces": (DeploymentSpec, {"replicas": 1}, {"replicas": {"a": 1}}, {"replicas": {"a": 1}}),
}

LISTS: dict[str, Case] = {
    "by key": (
        PodSpec,
        TWO,
        {"containers": [{"name": "b", "image": "b:2"}]},
        {"containers": [A, {**B, "image": "b:2"}]},
    ),
    "a new item stands first": (PodSpec, TWO, {"containers": [C]}, {"containers": [C, A, B]}),
    "the patch's order wins": (PodSpec, TWO, {"containers": [B, A]}, {"containers": [B, A]}),
    "others keep their place": (
        PodSpec,
        {"containers": [A, B, C]},
        {"containers": [{"name": "c"}, {"name": "a"}]},
        {"containers": [B, C, A]},
    ),
    "into nothing": (PodSpec, {}, {"containers": [A]}, {"containers": [A]}),
    "delete": (PodSpec, TWO, {"containers": [{"name": "a", "$patch": "delete"}]}, {"containers": [B]}),
    "delete what is not there": (PodSpec, TWO, {"containers": [{"name": "x", "$patch": "delete"}]}, TWO),
    "replace an item": (PodSpec, TWO, {"containers": [{"$patch": "replace"}, C]}, {"containers": [C]}),
    "merge an item": (
        PodSpec,
        TWO,
        {"containers": [{"$patch": "merge", "name": "a", "tty": True}]},
        {"containers": [{**A, "tty": True}, B]},
    ),
    "empty merges to the same": (PodSpec, TWO, {"containers": []}, TWO),
    "null removes": (PodSpec, TWO, {"containers": None}, {}),
    "order": (PodSpec, TWO, {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}]}, {"containers": [B, A]}),
    "order and items": (
        PodSpec,
        TWO,
        {"$setElementOrder/containers": [{"name": "a"}, {"name": "c"}], "containers": [C]},
        {"containers": [A, C, B]},
    ),
    "order and deletion": (
        PodSpec,
        {"containers": [A, B, C]},
        {
            "$setElementOrder/containers": [{"name": "c"}, {"name": "a"}],
            "containers": [{"name": "b", "$patch": "delete"}],
        },
        {"containers": [C, A]},
    ),
    "order names what is not there": (
        PodSpec,
        TWO,
        {"$setElementOrder/containers": [{"name": "x"}, {"name": "b"}, {"name": "a"}]},
        {"containers": [B, A]},
    ),
    "nested lists": (
        PodSpec,
        {"containers": [{"name": "a", "env": [{"name": "E", "value": "1"}, {"name": "F", "value": "2"}]}]},
        {"containers": [{"name": "a", "env": [{"name": "E", "value": "3"}]}]},
        {"containers": [{"name": "a", "env": [{"name": "E", "value": "3"}, {"name": "F", "value": "2"}]}]},
    ),
    "one port for two protocols stays": (
        Container,
        {
            "ports": [
                {"containerPort": 53, "protocol": "TCP"},
                {"containerPort": 53, "protocol": "UDP"},
                {"containerPort": 80},
            ]
        },
        {"ports": [{"containerPort": 80, "name": "http"}]},
        {
            "ports": [
                {"containerPort": 53, "protocol": "TCP"},
                {"containerPort": 53, "protocol": "UDP"},
                {"containerPort": 80, "name": "http"},
            ]
        },
    ),
    "one port for two protocols comes": (
        Container,
        {},
        {"ports": [{"containerPort": 53, "protocol": "TCP"}, {"containerPort": 53, "protocol": "UDP"}]},
        {"ports": [{"containerPort": 53, "protocol": "TCP"}, {"containerPort": 53, "protocol": "UDP"}]},
    ),
    "a set": (ObjectMeta, {"finalizers": ["a", "b"]}, {"finalizers": ["c", "b"]}, {"finalizers": ["c", "a", "b"]}),
    "delete from a set": (
        ObjectMeta,
        {"finalizers": ["a", "b"]},
        {"$deleteFromPrimitiveList/finalizers": ["a", "x"]},
        {"finalizers": ["b"]},
    ),
    "order of a set": (
        ObjectMeta,
        {"finalizers": ["a", "b"]},
        {"$setElementOrder/finalizers": ["c", "b"], "finalizers": ["c"], "$deleteFromPrimitiveList/finalizers": ["a"]},
        {"finalizers": ["c", "b"]},
    ),
    "atomic": (Container, {"args": ["a", "b"]}, {"args": ["c"]}, {"args": ["c"]}),
    "atomic objects": (
        PodSpec,
        {"tolerations": [{"key": "a"}]},
        {"tolerations": [{"key": "b"}]},
        {"tolerations": [{"key": "b"}]},
    ),
}

# Message, list, merge key: the table of api-conventions.md section 9, as far as lists merge by key.
KEYS: list[tuple[Any, str, str]] = [
    (PodSpec, "containers", "name"),
    (PodSpec, "initContainers", "name"),
    (PodSpec, "ephemeralContainers", "name"),
    (PodSpec, "volumes", "name"),
    (PodSpec, "imagePullSecrets", "name"),
    (PodSpec, "hostAliases", "ip"),
    (PodSpec, "topologySpreadConstraints", "topologyKey"),
    (Container, "env", "name"),
    (Container, "ports", "containerPort"),
    (Container, "volumeMounts", "mountPath"),
    (Container, "volumeDevices", "devicePath"),
    (PodStatus, "conditions", "type"),
    (NodeStatus, "conditions", "type"),
    (NodeStatus, "addresses", "type"),
    (ObjectMeta, "ownerReferences", "uid"),
    (ServiceSpec, "ports", "port"),
]
ATOMIC: list[tuple[Any, str]] = [
    (NodeSpec, "taints"),
    (PodSpec, "tolerations"),
    (PodSpec, "readinessGates"),
    (Container, "envFrom"),
    (Container, "args"),
    (Container, "command"),
]


@pytest.mark.parametrize(
    ("message", "document", "patch", "expected"), [*MAPS.values(), *LISTS.values()], ids=[*MAPS, *LISTS]
)
def test_merge(message: Any, document: dict[str, Any], patch: dict[str, Any], expected: dict[str, Any]) -> None:
    before = copy.deepcopy((document, patch))
    assert strategic_merge_patch(document, patch, message.DESCRIPTOR) == expected
    assert (document, patch) == before


REFUSED: dict[str, tuple[Any, dict[str, Any], str]] = {
    "unknown directive": (ObjectMeta, {"labels": {"$patch": "drop"}}, r"\$patch is 'drop'"),
    "unknown directive in a list": (PodSpec, {"containers": [{"name": "a", "$patch": "drop"}]}, r"\$patch is 'drop'"),
    "no key": (PodSpec, {"containers": [{"image": "x"}]}, "merged by 'name'"),
    "no key to delete": (PodSpec, {"containers": [{"$patch": "delete"}]}, "merged by 'name'"),
    "a key that is none": (PodSpec, {"containers": [{"name": {}}]}, "merged by 'name'"),
    "not an object": (PodSpec, {"containers": ["a"]}, "must be a JSON object"),
    "missing in the order": (
        PodSpec,
        {"$setElementOrder/containers": [{"name": "a"}], "containers": [B]},
        "'b' is patched",
    ),
    "order is no list": (PodSpec, {"$setElementOrder/containers": {}}, "must be a JSON array"),
    "order of an atomic list": (Container, {"$setElementOrder/args": ["a"]}, "takes no directives"),
    "delete from an atomic list": (Container, {"$deleteFromPrimitiveList/args": ["a"]}, "takes no directives"),
    "lists in a set": (ObjectMeta, {"finalizers": [["a"]]}, "must be scalars"),
    "retain keys is no list": (DeploymentSpec, {"strategy": {"$retainKeys": "type"}}, "must be a JSON array"),
    "patched, not retained": (DeploymentSpec, {"strategy": {"$retainKeys": [], "type": "x"}}, "not in"),
}


@pytest.mark.parametrize(("message", "patch", "sentence"), REFUSED.values(), ids=REFUSED)
def test_refused(message: Any, patch: dict[str, Any], sentence: str) -> None:
    with pytest.raises(BadRequestError, match=sentence):
        strategic_merge_patch({}, patch, message.DESCRIPTOR)


@pytest.mark.parametrize(("message", "name", "key"), KEYS, ids=[f"{case[0].__name__}.{case[1]}" for case in KEYS])
def test_merge_keys(message: Any, name: str, key: str) -> None:
    document: dict[str, Any] = {name: [{key: 1, "x": 1}, {key: 2, "x": 2}]}
    patched = strategic_merge_patch(document, {name: [{key: 2, "x": 3}]}, message.DESCRIPTOR)
    assert patched == {name: [{key: 1, "x": 1}, {key: 2, "x": 3}]}


@pytest.mark.parametrize(("message", "name"), ATOMIC, ids=[f"{case[0].__name__}.{case[1]}" for case in ATOMIC])
def test_atomic_lists(message: Any, name: str) -> None:
    assert strategic_merge_patch({name: [1, 2]}, {name: [3]}, message.DESCRIPTOR) == {name: [3]}


def _fields(schema: Schema, descriptor: Descriptor, seen: set[str]) -> list[tuple[str, str]]:
    """Every merged list under ``descriptor``, with its key; each message once."""
    if descriptor.full_name in seen:
        return []
    seen.add(descriptor.full_name)
    found = []
    for name, field in schema.members.items():
        if field.rule.merge_key:
            assert field.descriptor is not None
            assert field.rule.merge_key in schema_of(field.descriptor).members, f"{descriptor.full_name}.{name}"
            found.append((f"{descriptor.full_name}.{name}", field.rule.merge_key))
        if field.descriptor is not None:
            found += _fields(schema_of(field.descriptor), field.descriptor, seen)
    return found


def test_every_merge_key_is_a_field_of_its_items() -> None:
    seen: set[str] = set()
    found = [
        each for kind in KINDS for each in _fields(schema_of(kind.message.DESCRIPTOR), kind.message.DESCRIPTOR, seen)
    ]
    assert ("rollplane.core.v1.PodSpec.containers", "name") in found
    # Inline messages are lifted, so an ephemeral container has the lists of a container.
    assert ("rollplane.core.v1.EphemeralContainer.env", "name") in found
    assert len(found) == len(dict(found))


def test_a_controller_revision_is_a_patch() -> None:
    template: dict[str, Any] = {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [B]}}
    document: dict[str, Any] = {
        "spec": {"replicas": 2, "template": {"metadata": {"labels": {"x": "y"}}, "spec": {"containers": [A]}}}
    }
    patch: dict[str, Any] = {"spec": {"template": {**template, "$patch": "replace"}}}
    assert strategic_merge_patch(document, patch, Deployment.DESCRIPTOR) == {
        "spec": {"replicas": 2, "template": template}
    }


def env(count: int) -> list[dict[str, str]]:
    return [{"name": f"e{number}"} for number in range(count)]


def of_a(**members: Any) -> dict[str, Any]:
    return {"name": "a", **members}


AGAIN_AND_AGAIN = [of_a(env=env(1))] * 500
TOO_LARGE: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "items": ({"containers": [A]}, {"containers": [of_a(env=env(10_000))]}, "merge 10000 items"),
    "one list again and again": (
        {"containers": [of_a(env=env(1_000))]},
        {"containers": AGAIN_AND_AGAIN},
        "100000 stored items and members",
    ),
    "one map again and again": (
        {"containers": [of_a(resources={"limits": {f"r{n}": "1" for n in range(1_000)}})]},
        {"containers": [of_a(resources={"limits": {"x": "1"}})] * 500},
        "100000 stored items and members",
    ),
}


@pytest.mark.parametrize(("document", "patch", "sentence"), TOO_LARGE.values(), ids=TOO_LARGE)
def test_a_patch_that_takes_too_long_is_refused(document: dict[str, Any], patch: dict[str, Any], sentence: str) -> None:
    with pytest.raises(RequestTooLargeError, match=sentence):
        strategic_merge_patch(document, patch, PodSpec.DESCRIPTOR)


def test_thousands_of_items_merge_into_tens_of_thousands() -> None:
    document: dict[str, Any] = {"containers": [of_a(env=env(60_000))]}
    patched = strategic_merge_patch(document, {"containers": [of_a(env=env(9_999))]}, PodSpec.DESCRIPTOR)
    assert patched == document
