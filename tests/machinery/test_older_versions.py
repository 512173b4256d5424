"""Older API versions of kinds that are kept as JSON: what they say otherwise, there and back."""

from __future__ import annotations

from typing import Any

import pytest

from rollplane.stored.v1 import StoredObject
from rollplane_machinery.codec import from_json, to_json, to_json_in
from rollplane_machinery.older.versions import OLDER_VERSIONS, OlderVersion
from rollplane_machinery.releases import LATEST, release_of
from rollplane_machinery.served import GroupVersion, served

TARGET = {"kind": "Deployment", "name": "web", "apiVersion": "apps/v1"}


def cpu(percent: int) -> dict[str, Any]:
    target = {"type": "Utilization", "averageUtilization": percent}
    return {"type": "Resource", "resource": {"name": "cpu", "target": target}}


MEMORY = {"type": "Resource", "resource": {"name": "memory", "target": {"type": "AverageValue", "averageValue": "1Gi"}}}
PORT = {"service": {"name": "web", "port": {"number": 80}}}
NAMED = {"service": {"name": "web", "port": {"name": "http"}}}

# kind, the older version, what it says, what is stored
CASES: dict[str, tuple[str, str, dict[str, Any], dict[str, Any]]] = {
    "one target": (
        "HorizontalPodAutoscaler",
        "autoscaling/v1",
        {"spec": {"scaleTargetRef": TARGET, "maxReplicas": 3, "targetCPUUtilizationPercentage": 70}},
        {"spec": {"scaleTargetRef": TARGET, "maxReplicas": 3, "metrics": [cpu(70)]}},
    ),
    "used": (
        "HorizontalPodAutoscaler",
        "autoscaling/v1",
        {"status": {"currentReplicas": 1, "desiredReplicas": 2, "currentCPUUtilizationPercentage": 90}},
        {
            "status": {
                "currentReplicas": 1,
                "desiredReplicas": 2,
                "currentMetrics": [
                    {"type": "Resource", "resource": {"name": "cpu", "current": {"averageUtilization": 90}}}
                ],
            }
        },
    ),
    "Ingress": (
        "Ingress",
        "networking.k8s.io/v1beta1",
        {
            "spec": {
                "backend": {"serviceName": "web", "servicePort": "http"},
                "rules": [{"http": {"paths": [{"path": "/", "backend": {"serviceName": "web", "servicePort": 80}}]}}],
            }
        },
        {
            "spec": {
                "defaultBackend": NAMED,
                "rules": [{"http": {"paths": [{"path": "/", "pathType": "ImplementationSpecific", "backend": PORT}]}}],
            }
        },
    ),
    "EndpointSlice": (
        "EndpointSlice",
        "discovery.k8s.io/v1beta1",
        {"endpoints": [{"addresses": ["10.0.0.1"], "topology": {"topology.kubernetes.io/zone": "a", "rack": "b"}}]},
        {"endpoints": [{"addresses": ["10.0.0.1"], "zone": "a", "deprecatedTopology": {"rack": "b"}}]},
    ),
    "webhook": (
        "ValidatingWebhookConfiguration",
        "admissionregistration.k8s.io/v1beta1",
        {"webhooks": [{"name": "a.b.c", "timeoutSeconds": 5}]},
        {
            "webhooks": [
                {
                    "name": "a.b.c",
                    "timeoutSeconds": 5,
                    "failurePolicy": "Ignore",
                    "matchPolicy": "Exact",
                    "sideEffects": "Unknown",
                    "admissionReviewVersions": ["v1beta1"],
                }
            ]
        },
    ),
    "priority level": (
        "PriorityLevelConfiguration",
        "flowcontrol.apiserver.k8s.io/v1beta2",
        {"spec": {"type": "Limited", "limited": {"assuredConcurrencyShares": 5}}},
        {"spec": {"type": "Limited", "limited": {"nominalConcurrencyShares": 5}}},
    ),
    "the same fields": (
        "CronJob",
        "batch/v1beta1",
        {"spec": {"schedule": "@daily"}},
        {"spec": {"schedule": "@daily"}},
    ),
}


def holds(told: Any, sample: Any) -> bool:
    if isinstance(sample, dict):
        return all(name in told and holds(told[name], value) for name, value in sample.items())
    if isinstance(sample, list):
        return len(told) == len(sample) and all(map(holds, told, sample))
    return bool(told == sample)


@pytest.mark.parametrize(("kind", "version", "older", "newer"), CASES.values(), ids=CASES)
def test_there_and_back(kind: str, version: str, older: dict[str, Any], newer: dict[str, Any]) -> None:
    read = from_json({"apiVersion": version, "kind": kind, "metadata": {"name": "one"}, **older})
    assert isinstance(read, StoredObject)
    assert read.api_version == row(kind, version).kind.api_version
    assert holds(to_json(read), newer), to_json(read)
    shown = to_json_in(read, version)
    assert (shown["apiVersion"], shown["kind"]) == (version, kind)
    assert holds(shown, older), shown


def row(kind: str, version: str) -> OlderVersion:
    return next(each for each in OLDER_VERSIONS if (each.kind.name, each.api_version) == (kind, version))


def test_what_autoscaling_v1_has_no_word_for_is_in_annotations_and_comes_back() -> None:
    spec = {"scaleTargetRef": TARGET, "maxReplicas": 3, "metrics": [MEMORY, cpu(70)], "behavior": {"scaleDown": {}}}
    stored = from_json(
        {"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": {"name": "a"}, "spec": spec}
    )
    shown = to_json_in(stored, "autoscaling/v1")
    assert shown["spec"]["targetCPUUtilizationPercentage"] == 70
    assert "memory" in shown["metadata"]["annotations"]["autoscaling.alpha.kubernetes.io/metrics"]
    again = to_json(from_json(shown))
    assert again["spec"]["metrics"] == [cpu(70), MEMORY]
    assert again["spec"]["behavior"] == to_json(stored)["spec"]["behavior"]
    assert "annotations" not in again["metadata"]


def test_an_annotation_that_is_none_of_ours_stays() -> None:
    name = "autoscaling.alpha.kubernetes.io/metrics"
    document = {
        "apiVersion": "autoscaling/v1",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "a", "annotations": {name: "{"}},
    }
    assert to_json(from_json(document))["metadata"]["annotations"] == {name: "{"}


def test_a_configuration_says_no_more_in_the_stored_version() -> None:
    sent = {
        "apiVersion": "autoscaling/v1",
        "kind": "HorizontalPodAutoscaler",
        "metadata": {"name": "a", "labels": {"b": "c"}},
    }
    autoscaler = row("HorizontalPodAutoscaler", "autoscaling/v1")
    told = autoscaler.configuration({**sent, "spec": {"targetCPUUtilizationPercentage": 50}})
    assert told == {**sent, "apiVersion": "autoscaling/v2", "spec": {"metrics": [cpu(50)]}}


SERVED = {
    "autoscaling": {
        "1.20": ["v1", "v2beta2"],
        "1.23": ["v2", "v1", "v2beta2"],
        "1.26": ["v2", "v1"],
        "1.37": ["v2", "v1"],
    },
    "batch": {"1.20": ["v1", "v1beta1"], "1.24": ["v1", "v1beta1"], "1.25": ["v1"]},
    "networking.k8s.io": {"1.21": ["v1", "v1beta1"], "1.22": ["v1"]},
    "extensions": {"1.21": ["v1beta1"], "1.22": []},
    "discovery.k8s.io": {"1.20": ["v1beta1"], "1.21": ["v1", "v1beta1"], "1.25": ["v1"]},
    "rbac.authorization.k8s.io": {"1.21": ["v1", "v1beta1"], "1.22": ["v1"]},
    "flowcontrol.apiserver.k8s.io": {
        "1.20": ["v1beta1"],
        "1.24": ["v1beta2", "v1beta1"],
        "1.28": ["v1beta3", "v1beta2"],
        "1.29": ["v1", "v1beta3"],
        "1.32": ["v1"],
    },
    "admissionregistration.k8s.io": {
        "1.21": ["v1", "v1beta1"],
        "1.22": ["v1"],
        "1.28": ["v1", "v1beta1"],
        "1.34": ["v1"],
    },
}


@pytest.mark.parametrize(("group", "versions"), SERVED.items(), ids=SERVED)
def test_versions_are_served_by_release(group: str, versions: dict[str, list[str]]) -> None:
    for release, expected in versions.items():
        groups = served(release_of(release)).groups
        assert [each.version for each in groups.get(group, ())] == expected, release


def test_a_cron_job_is_in_v1_since_1_21() -> None:
    batch = GroupVersion("batch", "v1")
    assert served(release_of("1.20")).resource(batch, "cronjobs") is None
    assert served(release_of("1.20")).resource(batch, "jobs") is not None
    assert served(LATEST).resource(batch, "cronjobs") is not None
