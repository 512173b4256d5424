"""Workloads: each row of the field tables, on create, on update and in the status."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from rollplane_machinery import codec
from rollplane_machinery.kinds import ApiObject
from rollplane_rules import defaults, validation
from tests.machinery.samples import container, decoded, fields_of, refused, workload

Refusals = list[tuple[str, str]]

ALL = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "ReplicationController")
SIZED = ("Deployment", "ReplicaSet", "StatefulSet", "ReplicationController")
SELECTING = ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet")
LABELS = {"metadata": {"labels": {"app": "a"}}}


def _template(spec: dict[str, Any] | None = None, **metadata: Any) -> dict[str, Any]:
    return {"metadata": {"labels": {"app": "a"}, **metadata}, "spec": {**container(), **(spec or {})}}


@pytest.mark.parametrize("kind", ALL)
def test_minimal_is_accepted(kind: str) -> None:
    assert refused(workload(kind)) == []


UNREADABLE: dict[str, Any] = {"selector": {"matchExpressions": [{"key": "app", "operator": "Like", "values": ["a"]}]}}

# kinds, what is given in the spec, what is refused in the spec
EVERY: dict[str, tuple[tuple[str, ...], dict[str, Any], Refusals]] = {
    "replicas": (SIZED, {"replicas": -1}, [("Invalid", "replicas")]),
    "minReadySeconds": (ALL, {"minReadySeconds": -1}, [("Invalid", "minReadySeconds")]),
    "no selector": (SELECTING, {"selector": None}, [("Required", "selector")]),
    "empty selector": (SELECTING, {"selector": {}}, [("Invalid", "selector")]),
    "selector that does not match": (
        SELECTING,
        {"selector": {"matchLabels": {"app": "z"}}},
        [("Invalid", "template.metadata.labels")],
    ),
    "selector by expression": (
        SELECTING,
        {"selector": {"matchExpressions": [{"key": "app", "operator": "In", "values": ["a", "b"]}]}},
        [],
    ),
    "selector that cannot be read": (
        tuple(kind for kind in SELECTING if kind != "DaemonSet"),
        UNREADABLE,
        [("Invalid", "selector"), ("Invalid", "selector.matchExpressions[0].operator")],
    ),
    "DaemonSet's selector that cannot be read": (
        ("DaemonSet",),
        UNREADABLE,
        [("Invalid", "selector.matchExpressions[0].operator")],
    ),
    "restartPolicy": (
        ALL,
        {"template": _template({"restartPolicy": "Never"})},
        [("NotSupported", "template.spec.restartPolicy")],
    ),
    "activeDeadlineSeconds": (
        ALL,
        {"template": _template({"activeDeadlineSeconds": 5})},
        [("Forbidden", "template.spec.activeDeadlineSeconds")],
    ),
    "no containers": (ALL, {"template": _template({"containers": []})}, [("Required", "template.spec.containers")]),
    "ephemeral containers": (
        ALL,
        {"template": _template({"ephemeralContainers": [{"name": "e", "image": "x"}]})},
        [("Forbidden", "template.spec.ephemeralContainers")],
    ),
    "template label": (
        SELECTING,  # a ReplicationController has taken it for its own by then
        {"template": _template(labels={"app": "a", "x": "not valid!"})},
        [("Invalid", "template.labels")],
    ),
    "template annotation": (
        ALL,
        {"template": _template(annotations={"a b": "x"})},
        [("Invalid", "template.annotations")],
    ),
    "template deletion cost": (
        ALL,
        {"template": _template(annotations={"controller.kubernetes.io/pod-deletion-cost": "x"})},
        [("Invalid", "template.annotations[controller.kubernetes.io/pod-deletion-cost]")],
    ),
    "volume that is not there": (
        ("Deployment", "ReplicaSet", "DaemonSet", "ReplicationController"),
        {"template": _template(container(volumeMounts=[{"name": "v", "mountPath": "/v"}]))},
        [("NotFound", "template.spec.containers[0].volumeMounts[0].name")],
    ),
    "volume from a claim template": (
        ("StatefulSet",),
        {"template": _template(container(volumeMounts=[{"name": "v", "mountPath": "/v"}]))},
        [],
    ),
    "white space in an image is left to the pod": (ALL, {"template": _template(container(image=" nginx"))}, []),
}
EVERY_CASES = {
    f"{kind}: {name}": (kind, spec, expected) for name, (kinds, spec, expected) in EVERY.items() for kind in kinds
}


@pytest.mark.parametrize(("kind", "spec", "expected"), EVERY_CASES.values(), ids=EVERY_CASES)
def test_every_workload(kind: str, spec: dict[str, Any], expected: Refusals) -> None:
    assert refused(workload(kind, spec)) == sorted((reason, f"spec.{field}") for reason, field in expected)


def _rolling(**limits: Any) -> dict[str, Any]:
    return {"strategy": {"rollingUpdate": limits}}


def _updating(type_: str = "RollingUpdate", **rolling: Any) -> dict[str, Any]:
    return {"updateStrategy": {"type": type_, "rollingUpdate": rolling}}


ROLLING = "strategy.rollingUpdate"
UPDATING = "updateStrategy.rollingUpdate"
RETENTION = "persistentVolumeClaimRetentionPolicy"

OWN: dict[str, tuple[str, dict[str, Any], Refusals]] = {
    "strategy": ("Deployment", {"strategy": {"type": "BlueGreen"}}, [("NotSupported", "strategy")]),
    "Recreate": ("Deployment", {"strategy": {"type": "Recreate"}}, []),
    "Recreate with limits": (
        "Deployment",
        {"strategy": {"type": "Recreate", "rollingUpdate": {}}},
        [("Forbidden", ROLLING)],
    ),
    "surge": ("Deployment", _rolling(maxSurge=-1), [("Invalid", f"{ROLLING}.maxSurge")]),
    "surge text": ("Deployment", _rolling(maxSurge="many"), [("Invalid", f"{ROLLING}.maxSurge")]),
    "surge above 100%": ("Deployment", _rolling(maxSurge="150%"), []),
    "unavailable": ("Deployment", _rolling(maxUnavailable=-1), [("Invalid", f"{ROLLING}.maxUnavailable")]),
    "unavailable above 100%": (
        "Deployment",
        _rolling(maxUnavailable="101%"),
        [("Invalid", f"{ROLLING}.maxUnavailable")],
    ),
    "endless percentage": (
        "Deployment",
        _rolling(maxUnavailable="9" * 5000 + "%"),
        [("Invalid", f"{ROLLING}.maxUnavailable")],
    ),
    "both 0": ("Deployment", _rolling(maxSurge=0, maxUnavailable=0), [("Invalid", f"{ROLLING}.maxUnavailable")]),
    "both 0%": ("Deployment", _rolling(maxSurge="0%", maxUnavailable=0), [("Invalid", f"{ROLLING}.maxUnavailable")]),
    "0 by rounding": ("Deployment", _rolling(maxSurge=0, maxUnavailable="1%"), []),
    "history": ("Deployment", {"revisionHistoryLimit": -1}, [("Invalid", "revisionHistoryLimit")]),
    "no history": ("Deployment", {"revisionHistoryLimit": 0}, []),
    "deadline": (
        "Deployment",
        {"progressDeadlineSeconds": 5, "minReadySeconds": 5},
        [("Invalid", "progressDeadlineSeconds")],
    ),
    "deadline in time": ("Deployment", {"progressDeadlineSeconds": 6, "minReadySeconds": 5}, []),
    "deadline below 0": (
        "Deployment",
        {"progressDeadlineSeconds": -1},
        [("Invalid", "progressDeadlineSeconds"), ("Invalid", "progressDeadlineSeconds")],
    ),
    "RC without template": ("ReplicationController", {"template": None}, [("Required", "template")]),
    "RC without selector and labels": (
        "ReplicationController",
        {"selector": {}, "template": {"spec": container()}},
        [("Required", "selector")],
    ),
    "RC selector": (
        "ReplicationController",
        {"selector": {"app": "z"}},
        [("Invalid", "template.metadata.labels")],
    ),
    "pod management": ("StatefulSet", {"podManagementPolicy": "X"}, [("Invalid", "podManagementPolicy")]),
    "parallel": ("StatefulSet", {"podManagementPolicy": "Parallel"}, []),
    "set strategy": ("StatefulSet", {"updateStrategy": {"type": "X"}}, [("Invalid", "updateStrategy")]),
    "OnDelete with partition": ("StatefulSet", _updating("OnDelete", partition=1), [("Invalid", UPDATING)]),
    "partition": ("StatefulSet", _updating(partition=-1), [("Invalid", f"{UPDATING}.partition")]),
    "partition above replicas": ("StatefulSet", _updating(partition=99), []),
    "set unavailable 0": ("StatefulSet", _updating(maxUnavailable=0), [("Invalid", f"{UPDATING}.maxUnavailable")]),
    "set unavailable above 100%": (
        "StatefulSet",
        _updating(maxUnavailable="101%"),
        [("Invalid", f"{UPDATING}.maxUnavailable")],
    ),
    "set unavailable": ("StatefulSet", _updating(maxUnavailable="50%"), []),
    "set history": ("StatefulSet", {"revisionHistoryLimit": -1}, [("Invalid", "revisionHistoryLimit")]),
    "ordinals": ("StatefulSet", {"ordinals": {"start": -1}}, [("Invalid", "ordinals.start")]),
    "retention": (
        "StatefulSet",
        {RETENTION: {"whenDeleted": "Keep"}},
        [("NotSupported", f"{RETENTION}.whenDeleted")],
    ),
    "daemon strategy": ("DaemonSet", {"updateStrategy": {"type": "X"}}, [("NotSupported", "updateStrategy")]),
    "daemon OnDelete": ("DaemonSet", {"updateStrategy": {"type": "OnDelete"}}, []),
    "daemon both 0": ("DaemonSet", _updating(maxUnavailable=0), [("Invalid", f"{UPDATING}.maxUnavailable")]),
    "daemon surge": ("DaemonSet", _updating(maxUnavailable=0, maxSurge=1), []),
    "daemon both": ("DaemonSet", _updating(maxUnavailable=1, maxSurge=1), [("Invalid", f"{UPDATING}.maxSurge")]),
    "daemon surge beside the default": ("DaemonSet", _updating(maxSurge=1), [("Invalid", f"{UPDATING}.maxSurge")]),
    "daemon above 100%": (
        "DaemonSet",
        _updating(maxUnavailable="101%"),
        [("Invalid", f"{UPDATING}.maxUnavailable")],
    ),
    "daemon surge above 100%": (
        "DaemonSet",
        _updating(maxUnavailable=0, maxSurge="101%"),
        [("Invalid", f"{UPDATING}.maxSurge")],
    ),
    "daemon history": ("DaemonSet", {"revisionHistoryLimit": -1}, [("Invalid", "revisionHistoryLimit")]),
}


@pytest.mark.parametrize(("kind", "spec", "expected"), OWN.values(), ids=OWN)
def test_one_workload(kind: str, spec: dict[str, Any], expected: Refusals) -> None:
    assert refused(workload(kind, spec)) == sorted((reason, f"spec.{field}") for reason, field in expected)


# Updates


def _updated(kind: str, before: dict[str, Any], after: dict[str, Any]) -> Refusals:
    old, new = decoded(workload(kind, before)), decoded(workload(kind, after))
    return fields_of(validation.validate_update(new, old))


OTHER_SELECTOR = {"selector": {"matchExpressions": [{"key": "app", "operator": "Exists"}]}}
CHANGES: dict[str, tuple[str, dict[str, Any], Refusals]] = {
    **{
        f"{kind} selector": (kind, OTHER_SELECTOR, [("Invalid", "spec.selector")])
        for kind in ("Deployment", "ReplicaSet", "DaemonSet")
    },
    "RC selector": (
        "ReplicationController",
        {"selector": {"app": "a", "x": "y"}, "template": _template(labels={"app": "a", "x": "y"})},
        [],
    ),
    "Deployment all else": (
        "Deployment",
        {
            "replicas": 9,
            "template": _template(container(image="x")),
            "strategy": {"type": "Recreate"},
            "minReadySeconds": 5,
            "revisionHistoryLimit": 1,
            "paused": True,
            "progressDeadlineSeconds": 99,
        },
        [],
    ),
    "StatefulSet what may": (
        "StatefulSet",
        {
            "replicas": 9,
            "template": _template(container(image="x")),
            "updateStrategy": {"type": "OnDelete"},
            "minReadySeconds": 5,
            "revisionHistoryLimit": 1,
            "ordinals": {"start": 3},
            "persistentVolumeClaimRetentionPolicy": {"whenScaled": "Delete"},
        },
        [],
    ),
    "StatefulSet selector": ("StatefulSet", OTHER_SELECTOR, [("Forbidden", "spec")]),
    "StatefulSet serviceName": ("StatefulSet", {"serviceName": "other"}, [("Forbidden", "spec")]),
    "StatefulSet podManagementPolicy": ("StatefulSet", {"podManagementPolicy": "Parallel"}, [("Forbidden", "spec")]),
    "StatefulSet claims": (
        "StatefulSet",
        {"volumeClaimTemplates": [{"metadata": {"name": "d"}, "spec": {}}]},
        [("Forbidden", "spec")],
    ),
    "both in itself and as a change": (
        "Deployment",
        {"selector": {"matchLabels": {"app": "b"}}},
        [("Invalid", "spec.selector"), ("Invalid", "spec.template.metadata.labels")],
    ),
}


@pytest.mark.parametrize(("kind", "after", "expected"), CHANGES.values(), ids=CHANGES)
def test_update(kind: str, after: dict[str, Any], expected: Refusals) -> None:
    assert _updated(kind, {}, after) == sorted(expected)


@pytest.mark.parametrize("kind", ALL)
def test_what_means_the_same_is_no_change(kind: str) -> None:
    old, new = decoded(workload(kind)), decoded(workload(kind))
    template: Any = new.spec.template  # type: ignore[union-attr]
    template.spec.node_name = ""
    template.spec.containers[0].working_dir = ""
    if kind == "StatefulSet":
        new.spec.service_name = ""  # type: ignore[union-attr]
    assert validation.validate_update(new, old) == []


# Status

COUNTERS: dict[str, tuple[str, ...]] = {
    "Deployment": ("updatedReplicas", "readyReplicas", "availableReplicas"),
    "ReplicaSet": ("fullyLabeledReplicas", "readyReplicas", "availableReplicas"),
    "ReplicationController": ("fullyLabeledReplicas", "readyReplicas", "availableReplicas"),
    "StatefulSet": ("readyReplicas", "currentReplicas", "updatedReplicas", "availableReplicas"),
}
ALONE: dict[str, tuple[str, ...]] = {
    "Deployment": ("replicas", "unavailableReplicas", "observedGeneration", "terminatingReplicas", "collisionCount"),
    "ReplicaSet": ("replicas", "observedGeneration", "terminatingReplicas"),
    "ReplicationController": ("replicas", "observedGeneration"),
    "StatefulSet": ("replicas", "observedGeneration", "collisionCount"),
    "DaemonSet": (
        "currentNumberScheduled",
        "numberMisscheduled",
        "desiredNumberScheduled",
        "numberReady",
        "observedGeneration",
        "updatedNumberScheduled",
        "numberAvailable",
        "numberUnavailable",
        "collisionCount",
    ),
}


def _with_status(kind: str, status: dict[str, Any]) -> ApiObject:
    obj = codec.from_json({**workload(kind), "status": status})
    obj.metadata.namespace = "default"
    defaults.apply_defaults(obj)
    return obj


def _status_refused(kind: str, status: dict[str, Any], before: dict[str, Any] | None = None) -> Refusals:
    new, old = _with_status(kind, status), _with_status(kind, before or {})
    return fields_of(validation.validate_status_update(new, old))


NEGATIVE = [(kind, counter) for table in (COUNTERS, ALONE) for kind, names in table.items() for counter in names]


@pytest.mark.parametrize(("kind", "counter"), NEGATIVE)
def test_counters_are_not_negative(kind: str, counter: str) -> None:
    assert ("Invalid", f"status.{counter}") in _status_refused(kind, {counter: -1})


@pytest.mark.parametrize(
    ("kind", "counter"), [(kind, counter) for kind, names in COUNTERS.items() for counter in names]
)
def test_counters_are_among_replicas(kind: str, counter: str) -> None:
    status = {"replicas": 2, "readyReplicas": 2, counter: 3}
    assert _status_refused(kind, status) == [("Invalid", f"status.{counter}")] * (
        2 if counter == "availableReplicas" else 1
    )
    assert _status_refused(kind, {**status, counter: 2}) == []


@pytest.mark.parametrize("kind", COUNTERS)
def test_available_pods_are_ready(kind: str) -> None:
    status = {"replicas": 3, "readyReplicas": 1, "availableReplicas": 2}
    assert _status_refused(kind, status) == [("Invalid", "status.availableReplicas")]


def test_unavailable_replicas_may_exceed_replicas() -> None:
    assert _status_refused("Deployment", {"replicas": 1, "unavailableReplicas": 9}) == []


def test_daemon_counters_are_not_compared() -> None:
    assert _status_refused("DaemonSet", {"desiredNumberScheduled": 1, "numberReady": 9, "numberAvailable": 10}) == []


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_collision_count_never_decreases(kind: str) -> None:
    field = [("Invalid", "status.collisionCount")]
    assert _status_refused(kind, {"collisionCount": 1}, {"collisionCount": 2}) == field
    assert _status_refused(kind, {}, {"collisionCount": 2}) == field
    assert _status_refused(kind, {"collisionCount": 2}, {"collisionCount": 2}) == []
    assert _status_refused(kind, {"collisionCount": 0}) == []


def test_checks_change_nothing() -> None:
    for kind in ALL:
        obj = decoded(workload(kind, {"template": copy.deepcopy(_template({"restartPolicy": "Never"}))}))
        before = obj.SerializeToString(deterministic=True)
        validation.validate_create(obj)
        validation.validate_update(obj, obj)
        validation.validate_status_update(obj, obj)
        assert obj.SerializeToString(deterministic=True) == before
