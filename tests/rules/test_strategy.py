from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollplane.apps.v1 import DaemonSet, Deployment, ReplicaSet, StatefulSet
from rollplane.core.v1 import (
    ConfigMap,
    Namespace,
    Node,
    PersistentVolumeClaim,
    Pod,
    PodStatus,
    ReplicationController,
)
from rollplane.meta.v1 import ObjectMeta
from rollplane.policy.v1 import PodDisruptionBudget
from rollplane_machinery.errors import BadRequestError, ConflictError, UnsupportedError
from rollplane_machinery.extensions import ROLLED_BACK
from rollplane_machinery.kinds import KINDS, POD, ApiObject, Kind
from rollplane_machinery.releases import release_of
from rollplane_machinery.times import time_of, to_seconds
from rollplane_machinery.well_known import TEMPLATE_GENERATION
from rollplane_rules.strategy import (
    NAMESPACE_FINALIZER,
    is_unchanged,
    mark_deleted,
    prepare_create,
    prepare_status_update,
    prepare_update,
)
from tests.machinery.strategies import objects, of_kind

NOW = 1_600_000_000.0
UID = "11111111-2222-3333-4444-555555555555"

_kinds = pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])


def _stored(kind: Kind) -> Any:
    obj = kind.new()
    obj.metadata.name = "a"
    prepare_create(obj, now=NOW, uid=UID, namespace="ns")
    return obj


def _counts(kind: Kind) -> bool:
    return kind.has_generation or kind is POD


def _copy(obj: Any) -> Any:
    other = type(obj)()
    other.CopyFrom(obj)
    return other


@_kinds
def test_create_gives_identity_and_takes_what_clients_cannot_set(kind: Kind) -> None:
    obj: Any = kind.new()
    obj.metadata.CopyFrom(
        ObjectMeta(
            name="a",
            namespace="ns",
            uid="mine",
            resource_version="7",
            generation=9,
            self_link="/x",
            creation_timestamp=time_of(1),
            deletion_timestamp=time_of(2),
            deletion_grace_period_seconds=3,
            labels={"k": "v"},
            finalizers=["x/y"],
        )
    )
    prepare_create(obj, now=NOW + 0.7, uid=UID)
    metadata = obj.metadata
    assert (metadata.name, metadata.uid, to_seconds(metadata.creation_timestamp)) == ("a", UID, NOW)
    assert metadata.namespace == ("ns" if kind.namespaced else "")
    assert metadata.HasField("generation") is _counts(kind)
    assert metadata.generation == (1 if _counts(kind) else 0)
    for field in ("resource_version", "self_link", "deletion_timestamp", "deletion_grace_period_seconds"):
        assert not metadata.HasField(field)
    assert (dict(metadata.labels), list(metadata.finalizers)) == ({"k": "v"}, ["x/y"])


@_kinds
def test_create_empties_the_status(kind: Kind) -> None:
    if not kind.has_status or kind.message is Node:
        return
    obj: Any = kind.new()
    if "conditions" in obj.status.DESCRIPTOR.fields_by_name:
        obj.status.conditions.add(type="Ready", status="True")
    else:
        obj.status.SetInParent()
    prepare_create(obj, now=NOW, uid=UID)
    bare: Any = kind.new()
    prepare_create(bare, now=NOW, uid=UID)
    assert obj.status == bare.status
    phases = {Pod: "Pending", PersistentVolumeClaim: "Pending", Namespace: "Active"}
    assert getattr(obj.status, "phase", "") == phases.get(kind.message, "")


def test_create_keeps_what_admission_or_the_kubelet_wrote() -> None:
    pod = Pod(status=PodStatus(phase="Running", qos_class="Burstable", pod_ip="10.0.0.1"))
    prepare_create(pod, now=NOW, uid=UID)
    assert pod.status == PodStatus(phase="Pending", qos_class="Burstable")
    node = Node()
    node.status.capacity["cpu"].string = "4"
    prepare_create(node, now=NOW, uid=UID)
    assert node.status.capacity["cpu"].string == "4"


NAMESPACES = {
    "object's": ("a", "", "a"),
    "request's": ("", "b", "b"),
    "both": ("a", "a", "a"),
    "neither": ("", "", "default"),
}


@pytest.mark.parametrize(("own", "asked", "expected"), NAMESPACES.values(), ids=NAMESPACES)
def test_namespace(own: str, asked: str, expected: str) -> None:
    obj = ConfigMap(metadata=ObjectMeta(namespace=own))
    prepare_create(obj, now=NOW, uid=UID, namespace=asked)
    assert obj.metadata.namespace == expected


def test_another_namespace_is_refused() -> None:
    with pytest.raises(BadRequestError, match=r"\(a\).*\(b\)"):
        prepare_create(ConfigMap(metadata=ObjectMeta(namespace="a")), now=NOW, uid=UID, namespace="b")


def test_a_namespace_gets_its_finalizer_once() -> None:
    namespace = Namespace()
    prepare_create(namespace, now=NOW, uid=UID)
    prepare_create(namespace, now=NOW, uid=UID)
    assert list(namespace.spec.finalizers) == [NAMESPACE_FINALIZER]


@_kinds
def test_update_fills_in_what_may_be_left_out(kind: Kind) -> None:
    old = _stored(kind)
    mark_deleted(old, NOW + 5, 30)
    old.metadata.managed_fields.add(manager="m")
    new = _copy(old)
    left_out = ("uid", "namespace", "creation_timestamp", "deletion_timestamp", "deletion_grace_period_seconds")
    for field in (*left_out, "generation", "managed_fields"):
        new.metadata.ClearField(field)
    new.metadata.resource_version = "7"
    prepare_update(new, old)
    assert new.metadata.resource_version == "7"
    assert is_unchanged(new, old)


@_kinds
def test_update_keeps_the_status_and_the_generation_counts_by_the_server(kind: Kind) -> None:
    old = _stored(kind)
    new = _copy(old)
    new.metadata.generation = 9
    new.metadata.labels["k"] = "v"
    if kind.has_status:
        new.ClearField("status")
        old.status.SetInParent()
    prepare_update(new, old)
    assert new.metadata.generation == old.metadata.generation
    assert new.metadata.HasField("generation") is _counts(kind)
    if kind.has_status:
        assert new.status == old.status


def test_another_uid_is_a_conflict() -> None:
    old = _stored(KINDS[2])
    new = _copy(old)
    new.metadata.uid = "other"
    for prepare in (prepare_update, prepare_status_update):
        with pytest.raises(ConflictError):
            prepare(new, old)


Change = Callable[[Any], object]


def _annotate(obj: Any) -> None:
    obj.metadata.annotations["k"] = "v"


def _scale(obj: Any) -> None:
    obj.spec.replicas = 5


def _scale_and_annotate(obj: Any) -> None:
    _scale(obj)
    _annotate(obj)


GENERATIONS: dict[str, tuple[type[ApiObject], Change, int]] = {
    "deployment spec": (Deployment, _scale, 2),
    "deployment annotation": (Deployment, _annotate, 2),
    "deployment label": (Deployment, lambda d: d.metadata.labels.update(a="b"), 1),
    "deployment both": (Deployment, _scale_and_annotate, 2),
    "nothing": (Deployment, lambda d: d.spec.template.metadata.SetInParent(), 1),
    "replica set spec": (ReplicaSet, _scale, 2),
    "replica set annotation": (ReplicaSet, _annotate, 1),
    "stateful set spec": (StatefulSet, _scale, 2),
    "stateful set annotation": (StatefulSet, _annotate, 1),
    "controller spec": (ReplicationController, _scale, 2),
    "daemon set spec": (DaemonSet, lambda d: setattr(d.spec, "min_ready_seconds", 3), 2),
    "daemon set annotation": (DaemonSet, _annotate, 1),
    "budget spec": (PodDisruptionBudget, lambda b: b.spec.selector.SetInParent(), 2),
    "pod spec": (Pod, lambda p: setattr(p.spec, "active_deadline_seconds", 9), 2),
    "pod label": (Pod, lambda p: p.metadata.labels.update(a="b"), 1),
}


@pytest.mark.parametrize(("message", "change", "expected"), GENERATIONS.values(), ids=GENERATIONS)
def test_generation(message: type[ApiObject], change: Change, expected: int) -> None:
    old = message()
    prepare_create(old, now=NOW, uid=UID)
    new = _copy(old)
    change(new)
    prepare_update(new, old)
    assert new.metadata.generation == expected


@pytest.mark.parametrize("message", [Deployment, StatefulSet, DaemonSet])
def test_the_story_of_a_rollback_ends_with_the_next_template(message: type[ApiObject]) -> None:
    """The write that goes back tells it; whatever else is written keeps it."""
    old: Any = message()
    prepare_create(old, now=NOW, uid=UID)
    back = _copy(old)
    back.spec.template.spec.host_network = True
    back.metadata.annotations[ROLLED_BACK] = "story"
    prepare_update(back, old)
    scaled = _copy(back)
    scaled.spec.min_ready_seconds = 5
    prepare_update(scaled, back)
    assert scaled.metadata.annotations[ROLLED_BACK] == "story"
    newer = _copy(scaled)
    newer.spec.template.spec.host_network = False
    prepare_update(newer, scaled)
    assert ROLLED_BACK not in newer.metadata.annotations
    again = _copy(scaled)
    again.spec.template.spec.host_network = False
    again.metadata.annotations[ROLLED_BACK] = "another story"
    prepare_update(again, scaled)
    assert again.metadata.annotations[ROLLED_BACK] == "another story"


@pytest.mark.parametrize(("release", "generations"), [("1.33", (0, 0, 0)), ("1.34", (1, 2, 3))])
def test_pods_have_generations_by_release(release: str, generations: tuple[int, int, int]) -> None:
    pod = Pod()
    prepare_create(pod, now=NOW, uid=UID, release=release_of(release))
    changed = _copy(pod)
    changed.spec.active_deadline_seconds = 9
    prepare_update(changed, pod, release_of(release))
    marked = _copy(changed)
    mark_deleted(marked, NOW, 30)
    assert tuple(one.metadata.generation for one in (pod, changed, marked)) == generations


def test_template_generation() -> None:
    old = DaemonSet()
    prepare_create(old, now=NOW, uid=UID)
    assert old.metadata.annotations[TEMPLATE_GENERATION] == "1"
    new: DaemonSet = _copy(old)
    new.metadata.annotations[TEMPLATE_GENERATION] = "7"
    new.spec.min_ready_seconds = 3
    prepare_update(new, old)
    assert new.metadata.annotations[TEMPLATE_GENERATION] == "1"
    newer: DaemonSet = _copy(new)
    newer.metadata.annotations.clear()
    newer.spec.template.spec.host_network = True
    prepare_update(newer, new)
    assert newer.metadata.annotations[TEMPLATE_GENERATION] == "2"
    assert newer.metadata.generation == 3


TEMPLATE_GENERATIONS = {"larger": ("7", "7"), "smaller": ("0", "1"), "negative": ("-3", "1")}


@pytest.mark.parametrize(("given", "kept"), TEMPLATE_GENERATIONS.values(), ids=TEMPLATE_GENERATIONS)
def test_template_generation_of_a_new_daemon_set(given: str, kept: str) -> None:
    daemon_set = DaemonSet(metadata=ObjectMeta(annotations={TEMPLATE_GENERATION: given}))
    prepare_create(daemon_set, now=NOW, uid=UID)
    assert daemon_set.metadata.annotations[TEMPLATE_GENERATION] == kept


def test_a_template_generation_that_is_no_number() -> None:
    with pytest.raises(BadRequestError, match="want an integer"):
        prepare_create(DaemonSet(metadata=ObjectMeta(annotations={TEMPLATE_GENERATION: "x"})), now=NOW, uid=UID)


def test_a_namespace_keeps_its_finalizers_on_update() -> None:
    old = Namespace()
    prepare_create(old, now=NOW, uid=UID)
    new: Namespace = _copy(old)
    new.spec.ClearField("finalizers")
    prepare_update(new, old)
    assert list(new.spec.finalizers) == [NAMESPACE_FINALIZER]


def _status_update(message: type[ApiObject]) -> tuple[Any, Any]:
    """Return what is stored after a status update that tried to change everything, and what was stored before."""
    old: Any = message()
    old.metadata.labels["k"] = "old"
    old.metadata.owner_references.add(uid="old")
    prepare_create(old, now=NOW, uid=UID)
    new = _copy(old)
    new.metadata.labels["k"] = new.metadata.annotations["k"] = new.metadata.owner_references[0].uid = "new"
    new.metadata.generation = 9
    new.spec.Clear()
    new.status.conditions.add(type="Ready", status="True")
    if message is not Pod:
        new.spec.min_ready_seconds = 3
    prepare_status_update(new, old)
    return new, old


STATUS_UPDATES = {
    "deployment": (Deployment, "old", "new"),
    "replica set": (ReplicaSet, "new", "new"),
    "pod": (Pod, "new", "old"),
}


@pytest.mark.parametrize(("message", "label", "owner"), STATUS_UPDATES.values(), ids=STATUS_UPDATES)
def test_status_update(message: type[ApiObject], label: str, owner: str) -> None:
    new, old = _status_update(message)
    assert new.status.conditions[0].type == "Ready"
    assert new.spec == old.spec
    assert new.metadata.generation == old.metadata.generation
    assert new.metadata.annotations["k"] == "new"
    assert new.metadata.labels["k"] == label
    assert new.metadata.owner_references[0].uid == owner


def test_a_status_update_knows_no_deletion_of_its_own() -> None:
    old = _stored(KINDS[2])
    new = _copy(old)
    mark_deleted(old, NOW, 30)
    prepare_status_update(new, old)
    assert new.metadata.deletion_timestamp == old.metadata.deletion_timestamp
    ahead = _copy(old)
    mark_deleted(old, NOW, 5)
    prepare_status_update(ahead, old)
    assert ahead.metadata.deletion_grace_period_seconds == 5
    assert ahead.metadata.deletion_timestamp == old.metadata.deletion_timestamp


def test_kinds_without_status() -> None:
    with pytest.raises(UnsupportedError, match="ConfigMap has no status"):
        prepare_status_update(ConfigMap(), ConfigMap())


def test_marking_as_deleted() -> None:
    deployment = Deployment()
    prepare_create(deployment, now=NOW, uid=UID)
    assert mark_deleted(deployment, NOW + 0.5, 30)
    assert to_seconds(deployment.metadata.deletion_timestamp) == NOW + 30
    assert deployment.metadata.deletion_grace_period_seconds == 30
    assert deployment.metadata.generation == 2
    assert not mark_deleted(deployment, NOW + 20, 30)
    assert mark_deleted(deployment, NOW + 20, 10)
    assert to_seconds(deployment.metadata.deletion_timestamp) == NOW + 10
    assert deployment.metadata.deletion_grace_period_seconds == 10
    assert deployment.metadata.generation == 2


def test_marking_pods_and_namespaces() -> None:
    pod, namespace = Pod(), Namespace()
    for obj in (pod, namespace):
        prepare_create(obj, now=NOW, uid=UID)
        assert mark_deleted(obj, NOW, 0)
        assert not mark_deleted(obj, NOW, 0)
    assert pod.metadata.generation == 2
    assert namespace.status.phase == "Terminating"


def test_unchanged_ignores_only_the_resource_version() -> None:
    old = _stored(KINDS[2])
    new = _copy(old)
    new.metadata.resource_version = "8"
    new.spec.SetInParent()
    assert is_unchanged(new, old)
    new.metadata.labels["k"] = "v"
    assert not is_unchanged(new, old)
    other = _copy(old)
    other.spec.node_name = "n"
    assert not is_unchanged(other, old)


@given(objects())
def test_updating_with_the_same_changes_nothing(obj: ApiObject) -> None:
    obj.metadata.annotations.pop(TEMPLATE_GENERATION, None)
    prepare_create(obj, now=NOW, uid=UID)
    new = _copy(obj)
    prepare_update(new, obj)
    assert is_unchanged(new, obj)


@given(st.sampled_from(KINDS).flatmap(lambda kind: st.tuples(of_kind(kind), of_kind(kind))))
def test_an_update_repeated_changes_nothing(pair: tuple[ApiObject, ApiObject]) -> None:
    new, old = pair
    new.metadata.ClearField("uid")
    prepare_create(old, now=NOW, uid=UID)
    prepare_update(new, old)
    again = _copy(new)
    prepare_update(again, new)
    assert is_unchanged(again, new)
