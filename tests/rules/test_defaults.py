"""Defaults of every kind but pods: each row of the field tables."""

from __future__ import annotations

from typing import Any

import pytest

from rollplane_machinery import codec
from rollplane_rules import defaults
from tests.machinery.samples import workload

SHARE = {"maxUnavailable": "25%", "maxSurge": "25%"}
NO_LIMIT = 2147483647


def _defaulted(manifest: dict[str, Any]) -> dict[str, Any]:
    obj = codec.from_json(manifest)
    defaults.apply_defaults(obj)
    return codec.to_json(obj)


def _at(value: Any, path: str) -> Any:
    """Return what stands at a dotted path, None where nothing does."""
    for step in path.split("."):
        value = value.get(step) if isinstance(value, dict) else value[int(step)]
        if value is None:
            return None
    return value


# kind, what is given in the spec, path, expected
WORKLOADS: dict[str, tuple[str, dict[str, Any], str, Any]] = {
    "Deployment replicas": ("Deployment", {}, "spec.replicas", 1),
    "Deployment replicas 0 stays": ("Deployment", {"replicas": 0}, "spec.replicas", 0),
    "Deployment selector is not made": ("Deployment", {"selector": None}, "spec.selector", None),
    "Deployment labels are not made": ("Deployment", {}, "metadata.labels", None),
    "Deployment strategy": ("Deployment", {}, "spec.strategy", {"type": "RollingUpdate", "rollingUpdate": SHARE}),
    "Deployment one limit given": (
        "Deployment",
        {"strategy": {"rollingUpdate": {"maxSurge": 0}}},
        "spec.strategy.rollingUpdate",
        {"maxUnavailable": "25%", "maxSurge": 0},
    ),
    "Deployment Recreate has no limits": (
        "Deployment",
        {"strategy": {"type": "Recreate"}},
        "spec.strategy",
        {"type": "Recreate"},
    ),
    "Deployment minReadySeconds": ("Deployment", {}, "spec.minReadySeconds", None),
    "Deployment revisionHistoryLimit": ("Deployment", {}, "spec.revisionHistoryLimit", 10),
    "Deployment revisionHistoryLimit 0 stays": (
        "Deployment",
        {"revisionHistoryLimit": 0},
        "spec.revisionHistoryLimit",
        0,
    ),
    "Deployment progressDeadlineSeconds": ("Deployment", {}, "spec.progressDeadlineSeconds", 600),
    "Deployment paused": ("Deployment", {}, "spec.paused", None),
    "Deployment restartPolicy": ("Deployment", {}, "spec.template.spec.restartPolicy", "Always"),
    "ReplicaSet replicas": ("ReplicaSet", {}, "spec.replicas", 1),
    "ReplicaSet minReadySeconds": ("ReplicaSet", {}, "spec.minReadySeconds", None),
    "ReplicaSet selector is not made": ("ReplicaSet", {"selector": None}, "spec.selector", None),
    "ReplicaSet template": ("ReplicaSet", {}, "spec.template.spec.dnsPolicy", "ClusterFirst"),
    "RC replicas": ("ReplicationController", {}, "spec.replicas", 1),
    "RC selector": ("ReplicationController", {"selector": None}, "spec.selector", {"app": "a"}),
    "RC selector given": ("ReplicationController", {"selector": {"x": "y"}}, "spec.selector", {"x": "y"}),
    "RC labels": ("ReplicationController", {}, "metadata.labels", {"app": "a"}),
    "RC without template": ("ReplicationController", {"template": None}, "spec.template", None),
    "StatefulSet replicas": ("StatefulSet", {}, "spec.replicas", 1),
    "StatefulSet serviceName": ("StatefulSet", {}, "spec.serviceName", ""),
    "StatefulSet podManagementPolicy": ("StatefulSet", {}, "spec.podManagementPolicy", "OrderedReady"),
    "StatefulSet strategy": (
        "StatefulSet",
        {},
        "spec.updateStrategy",
        {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}},
    ),
    "StatefulSet type without struct": (
        "StatefulSet",
        {"updateStrategy": {"type": "RollingUpdate"}},
        "spec.updateStrategy",
        {"type": "RollingUpdate"},
    ),
    "StatefulSet OnDelete": (
        "StatefulSet",
        {"updateStrategy": {"type": "OnDelete"}},
        "spec.updateStrategy",
        {"type": "OnDelete"},
    ),
    "StatefulSet maxUnavailable unset means 1": (
        "StatefulSet",
        {},
        "spec.updateStrategy.rollingUpdate.maxUnavailable",
        None,
    ),
    "StatefulSet revisionHistoryLimit": ("StatefulSet", {}, "spec.revisionHistoryLimit", 10),
    "StatefulSet ordinals unset mean 0": ("StatefulSet", {}, "spec.ordinals", None),
    "StatefulSet retention unset means Retain": ("StatefulSet", {}, "spec.persistentVolumeClaimRetentionPolicy", None),
    "StatefulSet retention, half given": (
        "StatefulSet",
        {"persistentVolumeClaimRetentionPolicy": {"whenScaled": "Delete"}},
        "spec.persistentVolumeClaimRetentionPolicy",
        {"whenDeleted": "Retain", "whenScaled": "Delete"},
    ),
    "StatefulSet claim templates": (
        "StatefulSet",
        {"volumeClaimTemplates": [{"metadata": {"name": "d"}, "spec": {}}]},
        "spec.volumeClaimTemplates.0.spec.volumeMode",
        "Filesystem",
    ),
    "DaemonSet strategy": (
        "DaemonSet",
        {},
        "spec.updateStrategy",
        {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1}},
    ),
    "DaemonSet maxSurge unset means 0": ("DaemonSet", {}, "spec.updateStrategy.rollingUpdate.maxSurge", None),
    "DaemonSet OnDelete": (
        "DaemonSet",
        {"updateStrategy": {"type": "OnDelete"}},
        "spec.updateStrategy",
        {"type": "OnDelete"},
    ),
    "DaemonSet revisionHistoryLimit": ("DaemonSet", {}, "spec.revisionHistoryLimit", 10),
    "DaemonSet labels are not made": ("DaemonSet", {}, "metadata.labels", None),
}


@pytest.mark.parametrize(("kind", "spec", "path", "expected"), WORKLOADS.values(), ids=WORKLOADS)
def test_workload(kind: str, spec: dict[str, Any], path: str, expected: Any) -> None:
    assert _at(_defaulted(workload(kind, spec)), path) == expected


# version, kind, what is given in the spec, path, expected
OLDER: dict[str, tuple[str, str, dict[str, Any], str, Any]] = {
    "ext Deployment selector": (
        "extensions/v1beta1",
        "Deployment",
        {"selector": None},
        "spec.selector.matchLabels",
        {"app": "a"},
    ),
    "ext Deployment labels": ("extensions/v1beta1", "Deployment", {}, "metadata.labels", {"app": "a"}),
    "ext Deployment limits": (
        "extensions/v1beta1",
        "Deployment",
        {},
        "spec.strategy.rollingUpdate",
        {"maxUnavailable": 1, "maxSurge": 1},
    ),
    "ext Deployment history": ("extensions/v1beta1", "Deployment", {}, "spec.revisionHistoryLimit", NO_LIMIT),
    "ext Deployment deadline": ("extensions/v1beta1", "Deployment", {}, "spec.progressDeadlineSeconds", NO_LIMIT),
    "v1beta1 Deployment selector": (
        "apps/v1beta1",
        "Deployment",
        {"selector": None},
        "spec.selector.matchLabels",
        {"app": "a"},
    ),
    "v1beta1 Deployment labels": ("apps/v1beta1", "Deployment", {}, "metadata.labels", {"app": "a"}),
    "v1beta1 Deployment limits": ("apps/v1beta1", "Deployment", {}, "spec.strategy.rollingUpdate", SHARE),
    "v1beta1 Deployment history": ("apps/v1beta1", "Deployment", {}, "spec.revisionHistoryLimit", 2),
    "v1beta1 Deployment deadline": ("apps/v1beta1", "Deployment", {}, "spec.progressDeadlineSeconds", 600),
    "v1beta2 Deployment history": ("apps/v1beta2", "Deployment", {}, "spec.revisionHistoryLimit", 10),
    "v1beta2 Deployment selector": ("apps/v1beta2", "Deployment", {"selector": None}, "spec.selector", None),
    "ext ReplicaSet selector": (
        "extensions/v1beta1",
        "ReplicaSet",
        {"selector": None},
        "spec.selector.matchLabels",
        {"app": "a"},
    ),
    "ext ReplicaSet labels": ("extensions/v1beta1", "ReplicaSet", {}, "metadata.labels", {"app": "a"}),
    "v1beta2 ReplicaSet labels": ("apps/v1beta2", "ReplicaSet", {}, "metadata.labels", None),
    "v1beta1 StatefulSet type": ("apps/v1beta1", "StatefulSet", {}, "spec.updateStrategy", {"type": "OnDelete"}),
    "v1beta1 StatefulSet selector": (
        "apps/v1beta1",
        "StatefulSet",
        {"selector": None},
        "spec.selector.matchLabels",
        {"app": "a"},
    ),
    "v1beta1 StatefulSet labels": ("apps/v1beta1", "StatefulSet", {}, "metadata.labels", {"app": "a"}),
    "v1beta1 StatefulSet partition": (
        "apps/v1beta1",
        "StatefulSet",
        {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {}}},
        "spec.updateStrategy.rollingUpdate.partition",
        0,
    ),
    "v1beta2 StatefulSet type": ("apps/v1beta2", "StatefulSet", {}, "spec.updateStrategy.type", "RollingUpdate"),
    "ext DaemonSet type": ("extensions/v1beta1", "DaemonSet", {}, "spec.updateStrategy", {"type": "OnDelete"}),
    "ext DaemonSet RollingUpdate": (
        "extensions/v1beta1",
        "DaemonSet",
        {"updateStrategy": {"type": "RollingUpdate"}},
        "spec.updateStrategy.rollingUpdate.maxUnavailable",
        1,
    ),
    "ext DaemonSet history": ("extensions/v1beta1", "DaemonSet", {}, "spec.revisionHistoryLimit", 10),
    "ext DaemonSet selector": (
        "extensions/v1beta1",
        "DaemonSet",
        {"selector": None},
        "spec.selector.matchLabels",
        {"app": "a"},
    ),
    "ext DaemonSet labels": ("extensions/v1beta1", "DaemonSet", {}, "metadata.labels", {"app": "a"}),
    "v1beta2 DaemonSet type": ("apps/v1beta2", "DaemonSet", {}, "spec.updateStrategy.type", "RollingUpdate"),
}


@pytest.mark.parametrize(("version", "kind", "spec", "path", "expected"), OLDER.values(), ids=OLDER)
def test_older_versions(version: str, kind: str, spec: dict[str, Any], path: str, expected: Any) -> None:
    assert _at(_defaulted(workload(kind, spec, version)), path) == expected


def _object(kind: str, **fields: Any) -> dict[str, Any]:
    return {"apiVersion": "v1", "kind": kind, "metadata": {"name": "x"}, **fields}


PORT = {"ports": [{"port": 80}]}

OTHERS: dict[str, tuple[dict[str, Any], str, Any]] = {
    "Service type": (_object("Service", spec=PORT), "spec.type", "ClusterIP"),
    "Service affinity": (_object("Service", spec=PORT), "spec.sessionAffinity", "None"),
    "Service affinity by client": (
        _object("Service", spec={**PORT, "sessionAffinity": "ClientIP"}),
        "spec.sessionAffinityConfig.clientIP.timeoutSeconds",
        10800,
    ),
    "Service affinity config without affinity": (
        _object("Service", spec={**PORT, "sessionAffinityConfig": {"clientIP": {"timeoutSeconds": 5}}}),
        "spec.sessionAffinityConfig",
        None,
    ),
    "Service protocol and target": (
        _object("Service", spec=PORT),
        "spec.ports.0",
        {"port": 80, "protocol": "TCP", "targetPort": 80},
    ),
    "Service internal traffic": (_object("Service", spec=PORT), "spec.internalTrafficPolicy", "Cluster"),
    "Service external traffic": (
        _object("Service", spec={**PORT, "type": "NodePort"}),
        "spec.externalTrafficPolicy",
        "Cluster",
    ),
    "Service no external traffic": (_object("Service", spec=PORT), "spec.externalTrafficPolicy", None),
    "Service node ports": (
        _object("Service", spec={**PORT, "type": "LoadBalancer"}),
        "spec.allocateLoadBalancerNodePorts",
        True,
    ),
    "Service headless": (_object("Service", spec={"clusterIP": "None"}), "spec.clusterIPs", ["None"]),
    "Secret type": (_object("Secret"), "type", "Opaque"),
    "Secret stringData": (_object("Secret", stringData={"u": "p"}, data={"u": "eA=="}), "data", {"u": "cA=="}),
    "Secret stringData is not kept": (_object("Secret", stringData={"u": "p"}), "stringData", None),
    "claim mode": (_object("PersistentVolumeClaim", spec={}), "spec.volumeMode", "Filesystem"),
    "claim phase": (_object("PersistentVolumeClaim", spec={}), "status.phase", "Pending"),
    "Namespace phase": (_object("Namespace"), "status.phase", "Active"),
    "Namespace label": (_object("Namespace"), "metadata.labels", {"kubernetes.io/metadata.name": "x"}),
    "Node allocatable": (
        _object("Node", status={"capacity": {"cpu": "4"}}),
        "status.allocatable",
        {"cpu": "4"},
    ),
    "Node allocatable given": (
        _object("Node", status={"capacity": {"cpu": "4"}, "allocatable": {"cpu": "3"}}),
        "status.allocatable",
        {"cpu": "3"},
    ),
    "Node ranges": (_object("Node", spec={"podCIDR": "10.0.0.0/24"}), "spec.podCIDRs", ["10.0.0.0/24"]),
    "Node range": (_object("Node", spec={"podCIDRs": ["10.0.0.0/24"]}), "spec.podCIDR", "10.0.0.0/24"),
    "ConfigMap": (_object("ConfigMap", data={"a": "b"}), "data", {"a": "b"}),
}


@pytest.mark.parametrize(("manifest", "path", "expected"), OTHERS.values(), ids=OTHERS)
def test_other_kinds(manifest: dict[str, Any], path: str, expected: Any) -> None:
    assert _at(_defaulted(manifest), path) == expected
