"""Defaults of pod specs, in Pod objects and templates; what admission adds; the first status."""

from __future__ import annotations

from typing import Any

import pytest

from rollplane.core import v1 as core
from rollplane_machinery import codec
from rollplane_machinery.qos import qos_class
from rollplane_rules import defaults
from rollplane_rules.defaults.pod_spec import pull_policy
from tests.machinery.samples import container, pod, workload


def _pod_spec(spec: dict[str, Any]) -> dict[str, Any]:
    obj = codec.from_json(pod(spec))
    defaults.apply_defaults(obj)
    result: dict[str, Any] = codec.to_json(obj)["spec"]
    return result


def _template_spec(spec: dict[str, Any]) -> dict[str, Any]:
    template = {"metadata": {"labels": {"app": "a"}}, "spec": {**pod(spec)["spec"]}}
    obj = codec.from_json(workload("Deployment", {"template": template}))
    defaults.apply_defaults(obj)
    result: dict[str, Any] = codec.to_json(obj)["spec"]["template"]["spec"]
    return result


SCALARS = {
    "restartPolicy": "Always",
    "terminationGracePeriodSeconds": 30,
    "dnsPolicy": "ClusterFirst",
    "schedulerName": "default-scheduler",
    "securityContext": {},
}


@pytest.mark.parametrize(("field", "value"), SCALARS.items(), ids=SCALARS)
def test_spec(field: str, value: Any) -> None:
    assert _template_spec({})[field] == value
    assert _pod_spec({})[field] == value


def test_explicit_zero_stays() -> None:
    assert _pod_spec({"terminationGracePeriodSeconds": 0})["terminationGracePeriodSeconds"] == 0


CONTAINER: dict[str, tuple[dict[str, Any], str, Any]] = {
    "message path": ({}, "terminationMessagePath", "/dev/termination-log"),
    "message policy": ({}, "terminationMessagePolicy", "File"),
    "pull policy": ({}, "imagePullPolicy", "Always"),
    "pull policy given": ({"imagePullPolicy": "Never"}, "imagePullPolicy", "Never"),
    "protocol": ({"ports": [{"containerPort": 1}]}, "ports", [{"containerPort": 1, "protocol": "TCP"}]),
    "field ref": (
        {"env": [{"name": "N", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}]},
        "env",
        [{"name": "N", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}}],
    ),
    "probe": (
        {"livenessProbe": {"exec": {"command": ["x"]}}},
        "livenessProbe",
        {
            "exec": {"command": ["x"]},
            "timeoutSeconds": 1,
            "periodSeconds": 10,
            "successThreshold": 1,
            "failureThreshold": 3,
        },
    ),
    "probe over HTTP": (
        {"readinessProbe": {"httpGet": {"port": 80}, "periodSeconds": 5, "timeoutSeconds": 2, "failureThreshold": 9}},
        "readinessProbe",
        {
            "httpGet": {"path": "/", "port": 80, "scheme": "HTTP"},
            "timeoutSeconds": 2,
            "periodSeconds": 5,
            "successThreshold": 1,
            "failureThreshold": 9,
        },
    ),
    "hook": (
        {
            "lifecycle": {
                "preStop": {"httpGet": {"port": "h", "scheme": "HTTPS"}},
                "postStart": {"httpGet": {"port": 1}},
            }
        },
        "lifecycle",
        {
            "preStop": {"httpGet": {"path": "/", "port": "h", "scheme": "HTTPS"}},
            "postStart": {"httpGet": {"path": "/", "port": 1, "scheme": "HTTP"}},
        },
    ),
    "grpc": (
        {"startupProbe": {"grpc": {"port": 1}}},
        "startupProbe",
        {
            "grpc": {"port": 1, "service": ""},
            "timeoutSeconds": 1,
            "periodSeconds": 10,
            "successThreshold": 1,
            "failureThreshold": 3,
        },
    ),
    "less than a thousandth": ({"resources": {"limits": {"cpu": "1500u"}}}, "resources", {"limits": {"cpu": "2m"}}),
}


@pytest.mark.parametrize(("given", "field", "expected"), CONTAINER.values(), ids=CONTAINER)
@pytest.mark.parametrize("kept", ["containers", "initContainers"])
def test_container(given: dict[str, Any], field: str, expected: Any, kept: str) -> None:
    spec = {**container(), kept: container(**given)["containers"]}
    assert _template_spec(spec)[kept][0][field] == expected


IMAGES = {
    "nginx": "Always",
    "nginx:latest": "Always",
    "nginx:1.2": "IfNotPresent",
    "reg:5000/web": "Always",
    "reg:5000/web:2": "IfNotPresent",
    "web@sha256:" + "a" * 64: "IfNotPresent",
    "web:latest@sha256:" + "a" * 64: "Always",
    "web:1@sha256:" + "a" * 64: "IfNotPresent",
    "": "IfNotPresent",
}


@pytest.mark.parametrize(("image", "policy"), IMAGES.items())
def test_pull_policy(image: str, policy: str) -> None:
    assert pull_policy(image) == policy


VOLUMES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "none": ({}, {"emptyDir": {}}),
    "secret": ({"secret": {"secretName": "s"}}, {"secret": {"secretName": "s", "defaultMode": 420}}),
    "config map": ({"configMap": {"name": "c", "defaultMode": 0}}, {"configMap": {"name": "c", "defaultMode": 0}}),
    "downward API": (
        {"downwardAPI": {"items": [{"path": "l", "fieldRef": {"fieldPath": "metadata.labels"}}]}},
        {
            "downwardAPI": {
                "items": [{"path": "l", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.labels"}}],
                "defaultMode": 420,
            }
        },
    ),
    "projected": (
        {"projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}},
        {
            "projected": {
                "sources": [{"serviceAccountToken": {"path": "t", "expirationSeconds": 3600}}],
                "defaultMode": 420,
            }
        },
    ),
    "host path": ({"hostPath": {"path": "/x"}}, {"hostPath": {"path": "/x", "type": ""}}),
    "iscsi": (
        {"iscsi": {"targetPortal": "t", "iqn": "i", "lun": 0}},
        {"iscsi": {"targetPortal": "t", "iqn": "i", "lun": 0, "iscsiInterface": "default"}},
    ),
    "rbd": (
        {"rbd": {"monitors": ["m"], "image": "i"}},
        {"rbd": {"monitors": ["m"], "image": "i", "pool": "rbd", "user": "admin", "keyring": "/etc/ceph/keyring"}},
    ),
    "azure disk": (
        {"azureDisk": {"diskName": "d", "diskURI": "u"}},
        {
            "azureDisk": {
                "diskName": "d",
                "diskURI": "u",
                "cachingMode": "ReadWrite",
                "fsType": "ext4",
                "readOnly": False,
                "kind": "Shared",
            }
        },
    ),
    "scale io": (
        {"scaleIO": {"gateway": "g", "system": "s", "secretRef": {"name": "x"}}},
        {
            "scaleIO": {
                "gateway": "g",
                "system": "s",
                "secretRef": {"name": "x"},
                "storageMode": "ThinProvisioned",
                "fsType": "xfs",
            }
        },
    ),
}


@pytest.mark.parametrize(("given", "expected"), VOLUMES.values(), ids=VOLUMES)
def test_volume(given: dict[str, Any], expected: dict[str, Any]) -> None:
    assert _template_spec({"volumes": [{"name": "v", **given}]})["volumes"] == [{"name": "v", **expected}]


def test_ephemeral_volume_claims_a_file_system() -> None:
    claim = {"volumeClaimTemplate": {"spec": {"accessModes": ["ReadWriteOnce"]}}}
    (volume,) = _template_spec({"volumes": [{"name": "v", "ephemeral": claim}]})["volumes"]
    assert volume["ephemeral"]["volumeClaimTemplate"]["spec"]["volumeMode"] == "Filesystem"


def test_host_network_opens_the_same_ports() -> None:
    spec = {**container(ports=[{"containerPort": 80}]), "hostNetwork": True}
    assert _template_spec(spec)["containers"][0]["ports"][0]["hostPort"] == 80


@pytest.mark.parametrize("name", ["serviceAccount", "serviceAccountName"])
def test_both_names_of_the_service_account(name: str) -> None:
    spec = _template_spec({name: "robot"})
    assert (spec["serviceAccount"], spec["serviceAccountName"]) == ("robot", "robot")


LIMITS = {"limits": {"cpu": "1", "memory": "1Gi"}, "requests": {"cpu": "500m"}}


def test_only_pods_get_service_links_and_requests() -> None:
    as_pod, as_template = _pod_spec(container(resources=LIMITS)), _template_spec(container(resources=LIMITS))
    assert as_pod["enableServiceLinks"] is True
    assert "enableServiceLinks" not in as_template
    assert as_pod["containers"][0]["resources"]["requests"] == {"cpu": "500m", "memory": "1Gi"}
    assert as_template["containers"][0]["resources"]["requests"] == {"cpu": "500m"}


def test_service_links_given_stay() -> None:
    assert _pod_spec({"enableServiceLinks": False})["enableServiceLinks"] is False


# Admission


def _admitted(spec: dict[str, Any]) -> core.Pod:
    obj = codec.from_json(pod(spec))
    defaults.apply_defaults(obj)
    defaults.admit(obj)
    assert isinstance(obj, core.Pod)
    return obj


def test_admission_adds() -> None:
    spec = _admitted({}).spec
    assert (spec.service_account_name, spec.service_account) == ("default", "default")
    assert (spec.HasField("priority"), spec.priority) == (True, 0)
    assert spec.preemption_policy == "PreemptLowerPriority"


def test_admission_leaves_what_is_given() -> None:
    spec = _admitted({"serviceAccountName": "robot", "priority": 7, "preemptionPolicy": "Never"}).spec
    assert (spec.service_account_name, spec.priority, spec.preemption_policy) == ("robot", 7, "Never")


CLASSES = {"system-node-critical": 2_000_001_000, "system-cluster-critical": 2_000_000_000, "ours": None}


@pytest.mark.parametrize(("name", "priority"), CLASSES.items())
def test_priority_classes(name: str, priority: int | None) -> None:
    spec = _admitted({"priorityClassName": name}).spec
    assert (spec.priority if spec.HasField("priority") else None) == priority


NOT_READY, UNREACHABLE = "node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"
TOLERATIONS: dict[str, tuple[list[dict[str, Any]], list[str]]] = {
    "none": ([], [NOT_READY, UNREACHABLE]),
    "another key": ([{"key": "gpu", "operator": "Exists"}], [NOT_READY, UNREACHABLE]),
    "same key": ([{"key": NOT_READY, "operator": "Exists", "effect": "NoExecute"}], [UNREACHABLE]),
    "same key, any effect": ([{"key": UNREACHABLE, "operator": "Exists"}], [NOT_READY]),
    "same key, another effect": (
        [{"key": NOT_READY, "operator": "Exists", "effect": "NoSchedule"}],
        [NOT_READY, UNREACHABLE],
    ),
    "everything": ([{"operator": "Exists"}], []),
    "every eviction": ([{"operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5}], []),
}


@pytest.mark.parametrize(("given", "added"), TOLERATIONS.values(), ids=TOLERATIONS)
def test_tolerations_of_node_loss(given: list[dict[str, Any]], added: list[str]) -> None:
    tolerations = list(_admitted({"tolerations": given}).spec.tolerations)
    assert [toleration.key for toleration in tolerations[len(given) :]] == added
    for toleration in tolerations[len(given) :]:
        assert (toleration.operator, toleration.effect, toleration.toleration_seconds) == ("Exists", "NoExecute", 300)


def test_admission_adds_once() -> None:
    obj = _admitted({})
    before = obj.SerializeToString(deterministic=True)
    defaults.admit(obj)
    assert obj.SerializeToString(deterministic=True) == before


def test_first_status() -> None:
    status = _admitted({}).status
    assert (status.phase, status.qos_class) == ("Pending", "BestEffort")


def test_other_kinds_are_not_admitted() -> None:
    obj = codec.from_json(workload("Deployment"))
    before = obj.SerializeToString(deterministic=True)
    defaults.admit(obj)
    assert obj.SerializeToString(deterministic=True) == before


FULL = {"cpu": "1", "memory": "1Gi"}
QOS: dict[str, tuple[list[dict[str, Any]], str]] = {
    "nothing": ([{}], "BestEffort"),
    "zero counts as nothing": ([{"requests": {"cpu": "0"}}], "BestEffort"),
    "other resources do not count": ([{"limits": {"ephemeral-storage": "1Gi"}}], "BestEffort"),
    "limits only": ([{"limits": FULL}], "Guaranteed"),
    "equal by value": ([{"limits": FULL, "requests": {"cpu": "1000m", "memory": "1024Mi"}}], "Guaranteed"),
    "lower request": ([{"limits": FULL, "requests": {"cpu": "500m"}}], "Burstable"),
    "cpu only": ([{"limits": {"cpu": "1"}}], "Burstable"),
    "request only": ([{"requests": {"memory": "1Gi"}}], "Burstable"),
    "one of two": ([{"limits": FULL}, {}], "Burstable"),
    "two of two": ([{"limits": FULL}, {"limits": FULL}], "Guaranteed"),
    "neither of two": ([{}, {}], "BestEffort"),
}


@pytest.mark.parametrize(("resources", "expected"), QOS.values(), ids=QOS)
@pytest.mark.parametrize("others", ["containers", "initContainers"])
def test_qos(resources: list[dict[str, Any]], expected: str, others: str) -> None:
    first, *rest = [{"name": f"c{i}", "image": "x", "resources": each} for i, each in enumerate(resources)]
    spec = {"containers": [first, *rest]} if others == "containers" else {"containers": [first], others: rest}
    assert _admitted(spec).status.qos_class == expected


def test_qos_of_what_is_no_quantity() -> None:
    spec = core.PodSpec()
    spec.containers.add().resources.limits["cpu"].string = "fast"
    assert qos_class(spec) == "BestEffort"
