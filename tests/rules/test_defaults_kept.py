"""What Kubernetes fills into kinds that are kept as JSON (pkg/apis/*/v1/defaults.go), kind by kind."""

from __future__ import annotations

from typing import Any

import pytest

from rollplane.stored.v1 import StoredObject
from rollplane_machinery.codec import from_json, to_json
from rollplane_rules.defaults import apply_defaults

POD = {"containers": [{"name": "a", "image": "a:1"}]}
WEBHOOK = {
    "name": "a.example.com",
    "admissionReviewVersions": ["v1"],
    "sideEffects": "None",
    "clientConfig": {"service": {"name": "a", "namespace": "b"}},
    "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["*"], "resources": ["pods"]}],
}
BEHAVIOR: dict[str, Any] = {"scaleUp": {}, "scaleDown": {}}

CASES: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {
    "Job": (
        "batch/v1/Job",
        {"spec": {"template": {"spec": POD}}},
        {
            "spec.completions": 1,
            "spec.parallelism": 1,
            "spec.backoffLimit": 6,
            "spec.completionMode": "NonIndexed",
            "spec.suspend": False,
            "spec.podReplacementPolicy": "TerminatingOrFailed",
            "spec.selector": {"matchLabels": {"batch.kubernetes.io/controller-uid": "u-1"}},
            "spec.template.spec.dnsPolicy": "ClusterFirst",
            "metadata.labels": {
                "batch.kubernetes.io/controller-uid": "u-1",
                "batch.kubernetes.io/job-name": "one",
                "controller-uid": "u-1",
                "job-name": "one",
            },
        },
    ),
    "Job with a work queue": (
        "batch/v1/Job",
        {"spec": {"parallelism": 3, "template": {"spec": POD}}},
        {"spec.completions": None, "spec.parallelism": 3},
    ),
    "Job by index, with a policy": (
        "batch/v1/Job",
        {"spec": {"backoffLimitPerIndex": 1, "podFailurePolicy": {"rules": []}, "template": {"spec": POD}}},
        {"spec.backoffLimit": 2**31 - 1, "spec.podReplacementPolicy": "Failed"},
    ),
    "Job that selects by itself": (
        "batch/v1/Job",
        {"spec": {"manualSelector": True, "selector": {"matchLabels": {"a": "b"}}, "template": {"spec": POD}}},
        {"spec.selector": {"matchLabels": {"a": "b"}}, "metadata.labels": None},
    ),
    "CronJob": (
        "batch/v1/CronJob",
        {"spec": {"schedule": "@daily", "jobTemplate": {"spec": {"template": {"spec": POD}}}}},
        {
            "spec.concurrencyPolicy": "Allow",
            "spec.suspend": False,
            "spec.successfulJobsHistoryLimit": 3,
            "spec.failedJobsHistoryLimit": 1,
            "spec.jobTemplate.spec.backoffLimit": None,
            "spec.jobTemplate.spec.template.spec.schedulerName": "default-scheduler",
        },
    ),
    "PodTemplate": ("v1/PodTemplate", {"template": {"spec": POD}}, {"template.spec.restartPolicy": "Always"}),
    "autoscaler": (
        "autoscaling/v2/HorizontalPodAutoscaler",
        {"spec": {"maxReplicas": 3, "scaleTargetRef": {"kind": "Deployment", "name": "a"}, "behavior": BEHAVIOR}},
        {
            "spec.minReplicas": 1,
            "spec.metrics": [
                {
                    "type": "Resource",
                    "resource": {"name": "cpu", "target": {"type": "Utilization", "averageUtilization": 80}},
                }
            ],
            "spec.behavior.scaleUp.stabilizationWindowSeconds": 0,
            "spec.behavior.scaleUp.selectPolicy": "Max",
            "spec.behavior.scaleUp.policies": [
                {"type": "Pods", "value": 4, "periodSeconds": 15},
                {"type": "Percent", "value": 100, "periodSeconds": 15},
            ],
            "spec.behavior.scaleDown.stabilizationWindowSeconds": None,
            "spec.behavior.scaleDown.policies": [{"type": "Percent", "value": 100, "periodSeconds": 15}],
        },
    ),
    "NetworkPolicy": (
        "networking.k8s.io/v1/NetworkPolicy",
        {"spec": {"podSelector": {}, "egress": [{"ports": [{"port": 53}]}]}},
        {"spec.policyTypes": ["Ingress", "Egress"], "spec.egress": [{"ports": [{"protocol": "TCP", "port": 53}]}]},
    ),
    "IngressClass": (
        "networking.k8s.io/v1/IngressClass",
        {"spec": {"controller": "a/b", "parameters": {"kind": "A", "name": "a"}}},
        {"spec.parameters.scope": "Cluster"},
    ),
    "Endpoints": (
        "v1/Endpoints",
        {"subsets": [{"addresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 80}]}]},
        {"subsets": [{"addresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 80, "protocol": "TCP"}]}]},
    ),
    "EndpointSlice": (
        "discovery.k8s.io/v1/EndpointSlice",
        {"addressType": "IPv4", "endpoints": [], "ports": [{"port": 80}]},
        {"ports": [{"name": "", "protocol": "TCP", "port": 80}]},
    ),
    "RoleBinding": (
        "rbac.authorization.k8s.io/v1/RoleBinding",
        {
            "roleRef": {"kind": "Role", "name": "a"},
            "subjects": [{"kind": "User", "name": "u"}, {"kind": "ServiceAccount", "name": "s"}],
        },
        {
            "roleRef.apiGroup": "rbac.authorization.k8s.io",
            "subjects": [
                {"kind": "User", "apiGroup": "rbac.authorization.k8s.io", "name": "u"},
                {"kind": "ServiceAccount", "name": "s"},
            ],
        },
    ),
    "APIService": (
        "apiregistration.k8s.io/v1/APIService",
        {"spec": {"service": {"name": "a", "namespace": "b"}, "groupPriorityMinimum": 1, "versionPriority": 1}},
        {"spec.service.port": 443},
    ),
    "FlowSchema": (
        "flowcontrol.apiserver.k8s.io/v1/FlowSchema",
        {"spec": {"priorityLevelConfiguration": {"name": "a"}}},
        {"spec.matchingPrecedence": 1000},
    ),
    "PriorityLevelConfiguration": (
        "flowcontrol.apiserver.k8s.io/v1/PriorityLevelConfiguration",
        {"spec": {"type": "Limited", "limited": {"limitResponse": {"type": "Queue", "queuing": {"handSize": 6}}}}},
        {
            "spec.limited.nominalConcurrencyShares": 30,
            "spec.limited.lendablePercent": 0,
            "spec.limited.limitResponse.queuing": {"queues": 64, "handSize": 6, "queueLengthLimit": 50},
        },
    ),
    "PersistentVolume": (
        "v1/PersistentVolume",
        {"spec": {"capacity": {"storage": "1.5Gi"}, "hostPath": {"path": "/a"}}},
        {
            "spec.persistentVolumeReclaimPolicy": "Retain",
            "spec.volumeMode": "Filesystem",
            "spec.hostPath": {"path": "/a", "type": ""},
            "spec.capacity": {"storage": "1536Mi"},
            "status.phase": "Pending",
        },
    ),
    "StorageClass": (
        "storage.k8s.io/v1/StorageClass",
        {"provisioner": "a"},
        {"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate"},
    ),
    "CSIDriver": (
        "storage.k8s.io/v1/CSIDriver",
        {"spec": {"podInfoOnMount": True}},
        {
            "spec": {
                "attachRequired": True,
                "podInfoOnMount": True,
                "volumeLifecycleModes": ["Persistent"],
                "storageCapacity": False,
                "fsGroupPolicy": "ReadWriteOnceWithFSType",
                "requiresRepublish": False,
                "seLinuxMount": False,
            }
        },
    ),
}


def at(told: Any, path: str) -> Any:
    for name in path.split("."):
        told = told.get(name) if isinstance(told, dict) else None
    return told


def defaulted(kind: str, content: dict[str, Any]) -> StoredObject:
    api_version, _, name = kind.rpartition("/")
    obj = from_json({"apiVersion": api_version, "kind": name, "metadata": {"name": "one", "uid": "u-1"}, **content})
    assert isinstance(obj, StoredObject)
    apply_defaults(obj)
    return obj


@pytest.mark.parametrize(("kind", "content", "expected"), CASES.values(), ids=CASES)
def test_defaults(kind: str, content: dict[str, Any], expected: dict[str, Any]) -> None:
    obj = defaulted(kind, content)
    shown = to_json(obj)
    assert {path: at(shown, path) for path in expected} == expected
    apply_defaults(obj)
    assert to_json(obj) == shown


@pytest.mark.parametrize("kind", ["MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"])
def test_defaults_of_webhooks(kind: str) -> None:
    shown = to_json(defaulted(f"admissionregistration.k8s.io/v1/{kind}", {"webhooks": [WEBHOOK]}))
    (hook,) = shown["webhooks"]
    assert {
        name: hook.get(name) for name in ("failurePolicy", "matchPolicy", "timeoutSeconds", "reinvocationPolicy")
    } == {
        "failurePolicy": "Fail",
        "matchPolicy": "Equivalent",
        "timeoutSeconds": 10,
        "reinvocationPolicy": "Never" if kind.startswith("Mutating") else None,
    }
    assert (hook["namespaceSelector"], hook["objectSelector"]) == ({}, {})
    assert (hook["clientConfig"]["service"]["port"], hook["rules"][0]["scope"]) == (443, "*")


def test_defaults_of_admission_policies() -> None:
    constraints = {"resourceRules": WEBHOOK["rules"]}
    policy = to_json(
        defaulted(
            "admissionregistration.k8s.io/v1/ValidatingAdmissionPolicy", {"spec": {"matchConstraints": constraints}}
        )
    )
    assert policy["spec"]["failurePolicy"] == "Fail"
    assert policy["spec"]["matchConstraints"]["matchPolicy"] == "Equivalent"
    binding = {"spec": {"policyName": "a", "matchResources": constraints}}
    shown = to_json(defaulted("admissionregistration.k8s.io/v1/ValidatingAdmissionPolicyBinding", binding))
    assert shown["spec"]["matchResources"]["resourceRules"][0]["scope"] == "*"
