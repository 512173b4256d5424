"""What objects take of quotas, after kubernetes/kubernetes pkg/quota/v1/evaluator/core: TestPodEvaluatorUsage,
TestPodConstraintsFunc, TestPodEvaluatorMatchingScopes, TestServiceEvaluatorUsage and
TestPersistentVolumeClaimEvaluatorUsage.
"""

from __future__ import annotations

from typing import Any

import pytest

from rollplane.core.v1 import PersistentVolumeClaim, Pod, Service
from rollplane.stored.v1 import StoredObject
from rollplane_machinery import kinds
from rollplane_machinery.codec import from_json
from rollplane_machinery.kinds import RESOURCE_QUOTA, Kind
from rollplane_rules.admission.quota import Quota, read_quota
from rollplane_rules.admission.reading import json_text
from rollplane_rules.admission.tally import Tally
from rollplane_rules.admission.usage import counted_of, missing_of, usage_of
from rollplane_rules.validation import validate_create, validate_update
from tests.rules.test_limit_range import Row, a_pod, resources

NOW = 1_000_000.0


def a_quota(**spec: Any) -> StoredObject:
    stored = RESOURCE_QUOTA.new()
    assert isinstance(stored, StoredObject)
    stored.metadata.name, stored.metadata.namespace = "q", "default"
    stored.spec.json = json_text(spec)
    return stored


def limiting(*names: str, **spec: Any) -> Quota:
    return read_quota(a_quota(hard=dict.fromkeys(names, "10"), **spec))


def compute(cpu: str = "", memory: str = "", **others: str) -> Row:
    """Return what a pod takes that requests so much."""
    named = {"cpu": cpu, "requests.cpu": cpu, "memory": memory, "requests.memory": memory, **others}
    return {"pods": "1", "count/pods": "1"} | {name: amount for name, amount in named.items() if amount}


USAGE: dict[str, tuple[Pod, Row]] = {
    "nothing asked": (a_pod({}), compute()),
    "cpu and memory": (a_pod(resources({"cpu": "1m", "memory": "2Mi"})), compute("1m", "2Mi")),
    "limits": (
        a_pod(resources(limits={"cpu": "2", "memory": "1Gi"})),
        compute() | {"limits.cpu": "2", "limits.memory": "1Gi"},
    ),
    "ephemeral storage": (
        a_pod(resources({"ephemeral-storage": "32Mi"}, {"ephemeral-storage": "64Mi"})),
        compute()
        | {
            "ephemeral-storage": "32Mi",
            "requests.ephemeral-storage": "32Mi",
            "limits.ephemeral-storage": "64Mi",
        },
    ),
    "huge pages": (
        a_pod(resources({"hugepages-2Mi": "100Mi"})),
        compute() | {"hugepages-2Mi": "100Mi", "requests.hugepages-2Mi": "100Mi"},
    ),
    "extended resource": (
        a_pod(resources({"example.com/dongle": "3"}, {"example.com/dongle": "3"})),
        compute() | {"requests.example.com/dongle": "3"},
    ),
    "containers are added up": (
        a_pod(resources({"cpu": "1"}), resources({"cpu": "500m", "memory": "1Gi"})),
        compute("1500m", "1Gi"),
    ),
    "the largest init container": (
        a_pod(resources({"cpu": "1"}), inits=(resources({"cpu": "3"}), resources({"cpu": "2"}))),
        compute("3"),
    ),
    "a sidecar runs beside the others": (
        a_pod(
            resources({"cpu": "1"}),
            inits=({**resources({"cpu": "1"}), "restartPolicy": "Always"}, resources({"cpu": "5"})),
        ),
        compute("6"),
    ),
    "what it asks for as a whole": (a_pod(resources({"cpu": "1"}), **resources({"cpu": "4"})), compute("4")),
    "overhead": (
        a_pod(resources({"cpu": "1"}, {"cpu": "2"}), overhead={"cpu": "100m", "memory": "1Mi"}),
        compute("1100m", "1Mi") | {"limits.cpu": "2100m"},
    ),
}


@pytest.mark.parametrize(("pod", "used"), USAGE.values(), ids=USAGE)
def test_pod_evaluator_usage(pod: Pod, used: Row) -> None:
    assert usage_of(kinds.POD, pod, NOW) == used


@pytest.mark.parametrize("phase", ["Succeeded", "Failed"])
def test_a_pod_that_ended_is_an_object_still(phase: str) -> None:
    pod = a_pod(resources({"cpu": "1"}))
    pod.status.phase = phase
    assert usage_of(kinds.POD, pod, NOW) == {"count/pods": "1"}


@pytest.mark.parametrize(("passed", "counts"), [(0.0, True), (30.0, True), (31.0, False)])
def test_a_pod_that_is_stuck_in_its_end_is_not_charged(passed: float, counts: bool) -> None:
    pod = a_pod(resources({"cpu": "1"}))
    pod.metadata.deletion_timestamp.seconds = int(NOW)
    pod.metadata.deletion_grace_period_seconds = 30
    assert ("pods" in usage_of(kinds.POD, pod, NOW + passed)) is counts


CONSTRAINTS: dict[str, tuple[Pod, tuple[str, ...], str]] = {
    "all is said": (a_pod(resources({"cpu": "1"})), ("cpu", "requests.cpu", "pods"), ""),
    "init container": (
        a_pod(resources({"cpu": "1"}), inits=(resources({"memory": "1"}),)),
        ("requests.cpu",),
        "requests.cpu for: i0",
    ),
    "several containers and resources": (
        a_pod(resources({"cpu": "1"}), {}, resources(limits={"cpu": "1"})),
        ("requests.cpu", "limits.cpu", "memory"),
        "limits.cpu for: c0,c1; memory for: c0,c1,c2; requests.cpu for: c1,c2",
    ),
    "others may be left out": (a_pod({}), ("requests.ephemeral-storage", "requests.example.com/dongle"), ""),
}


@pytest.mark.parametrize(("pod", "names", "missing"), CONSTRAINTS.values(), ids=CONSTRAINTS)
def test_pod_constraints_func(pod: Pod, names: tuple[str, ...], missing: str) -> None:
    assert missing_of(limiting(*names), pod) == missing


def a_selector(scope: str, operator: str, *values: str) -> Row:
    return {"scopeSelector": {"matchExpressions": [{"scopeName": scope, "operator": operator, "values": list(values)}]}}


ABROAD = {
    "podAntiAffinity": {
        "preferredDuringSchedulingIgnoredDuringExecution": [
            {"weight": 1, "podAffinityTerm": {"topologyKey": "zone", "namespaceSelector": {}}}
        ]
    }
}
GOLD = a_pod({}, priorityClassName="gold")
ENDS = a_pod({}, activeDeadlineSeconds=5)
SCOPES: dict[str, tuple[Row, Pod, bool]] = {
    "none": ({}, a_pod({}), True),
    "terminating": ({"scopes": ["Terminating"]}, ENDS, True),
    "terminating, does not end": ({"scopes": ["Terminating"]}, a_pod({}), False),
    "not terminating": ({"scopes": ["NotTerminating"]}, ENDS, False),
    "best effort": ({"scopes": ["BestEffort"]}, a_pod({}), True),
    "best effort, asks": ({"scopes": ["BestEffort"]}, a_pod(resources({"cpu": "1"})), False),
    "not best effort": ({"scopes": ["NotBestEffort"]}, a_pod(resources({"cpu": "1"})), True),
    "all scopes must match": ({"scopes": ["BestEffort", "Terminating"]}, a_pod({}), False),
    "priority class": ({"scopes": ["PriorityClass"]}, GOLD, True),
    "priority class, none": ({"scopes": ["PriorityClass"]}, a_pod({}), False),
    "class in": (a_selector("PriorityClass", "In", "gold", "silver"), GOLD, True),
    "class in, another": (a_selector("PriorityClass", "In", "silver"), GOLD, False),
    "class not in": (a_selector("PriorityClass", "NotIn", "silver"), GOLD, True),
    "class not in, none": (a_selector("PriorityClass", "NotIn", "silver"), a_pod({}), True),
    "class exists": (a_selector("PriorityClass", "Exists"), a_pod({}), False),
    "class does not exist": (a_selector("PriorityClass", "DoesNotExist"), a_pod({}), True),
    "affinity across namespaces": ({"scopes": ["CrossNamespacePodAffinity"]}, a_pod({}, affinity=ABROAD), True),
    "no affinity": ({"scopes": ["CrossNamespacePodAffinity"]}, a_pod({}), False),
    "unknown": ({"scopes": ["Tuesday"]}, a_pod({}), False),
}


@pytest.mark.parametrize(("spec", "pod", "matches"), SCOPES.values(), ids=SCOPES)
def test_pod_evaluator_matching_scopes(spec: Row, pod: Pod, matches: bool) -> None:
    assert Tally(limiting("pods", **spec)).concerns(kinds.POD, pod) is matches


def a_service(type_: str, *ports: int, **spec: Any) -> Service:
    data = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "s"}}
    listed = [{"port": at + 1, **({"nodePort": port} if port else {})} for at, port in enumerate(ports)]
    service = from_json({**data, "spec": {"type": type_, "ports": listed, **spec}})
    assert isinstance(service, Service)
    return service


SERVICES: dict[str, tuple[Service, str, str]] = {
    "cluster ip": (a_service("ClusterIP", 0), "0", "0"),
    "node ports": (a_service("NodePort", 0, 0), "2", "0"),
    "load balancer": (a_service("LoadBalancer", 0, 0), "2", "1"),
    "load balancer without node ports": (a_service("LoadBalancer", 0, allocateLoadBalancerNodePorts=False), "0", "1"),
    "one of its node ports asked for": (
        a_service("LoadBalancer", 30000, 0, allocateLoadBalancerNodePorts=False),
        "1",
        "1",
    ),
}


@pytest.mark.parametrize(("service", "ports", "balancers"), SERVICES.values(), ids=SERVICES)
def test_service_evaluator_usage(service: Service, ports: str, balancers: str) -> None:
    used = {"services.nodeports": ports, "services.loadbalancers": balancers, "services": "1", "count/services": "1"}
    assert usage_of(kinds.SERVICE, service, NOW) == used


def a_claim(storage: str, storage_class: str = "", allocated: str = "") -> PersistentVolumeClaim:
    data = {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "c"}}
    spec = {"resources": {"requests": {"storage": storage}}, "storageClassName": storage_class}
    status = {"allocatedResources": {"storage": allocated}} if allocated else {}
    claim = from_json({**data, "spec": spec, "status": status})
    assert isinstance(claim, PersistentVolumeClaim)
    return claim


def storage(amount: str) -> Row:
    return {"persistentvolumeclaims": "1", "count/persistentvolumeclaims": "1", "requests.storage": amount}


CLAIMS: dict[str, tuple[PersistentVolumeClaim, Row]] = {
    "of no class": (a_claim("10Gi"), storage("10Gi")),
    "of a class": (
        a_claim("10Gi", "gold"),
        storage("10Gi")
        | {
            "gold.storageclass.storage.k8s.io/requests.storage": "10Gi",
            "gold.storageclass.storage.k8s.io/persistentvolumeclaims": "1",
        },
    ),
    "whole bytes": (a_claim("1500m"), storage("2")),
    "it was given more": (a_claim("5Gi", allocated="10Gi"), storage("10Gi")),
}


@pytest.mark.parametrize(("claim", "used"), CLAIMS.values(), ids=CLAIMS)
def test_persistent_volume_claim_evaluator_usage(claim: PersistentVolumeClaim, used: Row) -> None:
    assert usage_of(kinds.PERSISTENT_VOLUME_CLAIM, claim, NOW) == used


COUNTED: dict[str, tuple[Kind, str, bool]] = {
    "by its old name": (kinds.CONFIG_MAP, "configmaps", True),
    "by count/": (kinds.CONFIG_MAP, "count/configmaps", True),
    "of a group": (kinds.DEPLOYMENT, "count/deployments.apps", True),
    "an old name that is none": (kinds.DEPLOYMENT, "deployments", False),
    "quotas": (kinds.RESOURCE_QUOTA, "resourcequotas", True),
    "Events never": (kinds.EVENT, "count/events", False),
    "what has no namespace": (kinds.NODE, "count/nodes", False),
    "requests of its own kind": (kinds.POD, "requests.example.com/dongle", True),
    "a resource with a domain alone": (kinds.POD, "example.com/dongle", False),
    "storage of a class": (kinds.PERSISTENT_VOLUME_CLAIM, "gold.storageclass.storage.k8s.io/requests.storage", True),
}


@pytest.mark.parametrize(("kind", "name", "counted"), COUNTED.values(), ids=COUNTED)
def test_what_a_quota_counts(kind: Kind, name: str, counted: bool) -> None:
    assert counted_of(limiting(name), kind) == (frozenset({name}) if counted else frozenset())
    assert not counted_of(limiting(name, scopes=["BestEffort"]), kind) or kind is kinds.POD


def test_check_request_tells_only_what_is_exceeded() -> None:
    tally = Tally(read_quota(a_quota(hard={"requests.cpu": "1500m", "requests.memory": "1Gi", "pods": "10"})))
    pod = a_pod(resources({"cpu": "1", "memory": "600Mi"}))
    assert not tally.exceeded_by(tally.draw(kinds.POD, pod, NOW))
    tally.put("p", kinds.POD, pod, NOW)
    told = (
        "exceeded quota: q, requested: requests.cpu=1,requests.memory=600Mi, "
        "used: requests.cpu=1,requests.memory=600Mi, limited: requests.cpu=1500m,requests.memory=1Gi"
    )
    assert tally.exceeded_by(tally.draw(kinds.POD, pod, NOW)) == told
    tally.remove("p")
    assert tally.used() == {"requests.cpu": "0", "requests.memory": "0", "pods": "0"}


WRONG: dict[str, tuple[Row, str]] = {
    "no quantity": ({"hard": {"pods": "many"}}, "spec.hard.pods"),
    "negative": ({"hard": {"pods": "-1"}}, "spec.hard[pods]"),
    "half an object": ({"hard": {"count/jobs.batch": "1500m"}}, "spec.hard[count/jobs.batch]"),
    "no such resource": ({"hard": {"deployments": "1"}}, "spec.hard[deployments]"),
    "no such scope": ({"scopes": ["Tuesday"]}, "spec.scopes"),
    "opposed scopes": ({"scopes": ["BestEffort", "NotBestEffort"]}, "spec.scopes"),
    "no such operator": (
        a_selector("PriorityClass", "Like", "a"),
        "spec.scopeSelector.matchExpressions[0].operator",
    ),
    "values missing": (a_selector("PriorityClass", "In"), "spec.scopeSelector.matchExpressions[0].values"),
    "values too many": (a_selector("PriorityClass", "Exists", "a"), "spec.scopeSelector.matchExpressions[0].values"),
    "an operator of classes": (a_selector("BestEffort", "In", "a"), "spec.scopeSelector.matchExpressions[0].operator"),
}


@pytest.mark.parametrize(("spec", "field"), WRONG.values(), ids=WRONG)
def test_validate_resource_quota(spec: Row, field: str) -> None:
    assert field in [cause.field for cause in validate_create(a_quota(**spec))]


def test_a_quota_of_every_name_is_valid() -> None:
    names = [
        "pods",
        "requests.cpu",
        "limits.memory",
        "hugepages-2Mi",
        "requests.nvidia.com/gpu",
        "count/widgets.example.com",
    ]
    assert validate_create(a_quota(hard=dict.fromkeys(names, "1"), scopes=["NotBestEffort"])) == []


def test_the_scopes_of_a_quota_stay() -> None:
    old, new = a_quota(hard={"pods": "1"}, scopes=["BestEffort"]), a_quota(hard={"pods": "2"})
    new.metadata.resource_version = old.metadata.resource_version = "1"
    assert [cause.field for cause in validate_update(new, old)] == ["spec.scopes"]
