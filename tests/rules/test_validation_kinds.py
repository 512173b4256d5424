"""The kinds that are no workloads: pods' updates and status, and all the others."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from rollplane.core import v1 as core
from rollplane_machinery import codec
from rollplane_machinery.kinds import ApiObject
from rollplane_rules import defaults, validation
from tests.machinery.samples import container, decoded, fields_of, pod, refused

Refusals = list[tuple[str, str]]

# Pods

TOLERATION = {"key": "k", "operator": "Exists", "effect": "NoExecute"}
BEFORE: dict[str, Any] = {
    **container(image="x:1"),
    "initContainers": [{"name": "i", "image": "x:1"}],
    "activeDeadlineSeconds": 50,
    "tolerations": [TOLERATION],
    "schedulingGates": [{"name": "a"}],
}
CHANGES: dict[str, tuple[dict[str, Any], Refusals]] = {
    "nothing": ({}, []),
    "image": (container(image="x:2"), []),
    "init image": ({"initContainers": [{"name": "i", "image": "x:2"}]}, []),
    "no image": (container(image=""), [("Required", "spec.containers[0].image")]),
    "lower deadline": ({"activeDeadlineSeconds": 40}, []),
    "higher deadline": ({"activeDeadlineSeconds": 60}, [("Invalid", "spec.activeDeadlineSeconds")]),
    "no deadline": ({"activeDeadlineSeconds": None}, [("Invalid", "spec.activeDeadlineSeconds")]),
    "another toleration": ({"tolerations": [{"key": "l", "operator": "Exists"}, TOLERATION]}, []),
    "toleration for how long": ({"tolerations": [{**TOLERATION, "tolerationSeconds": 5}]}, []),
    "other toleration": ({"tolerations": [{**TOLERATION, "key": "l"}]}, [("Forbidden", "spec.tolerations")]),
    "no gate": ({"schedulingGates": []}, []),
    "another gate": ({"schedulingGates": [{"name": "a"}, {"name": "b"}]}, [("Forbidden", "spec.schedulingGates")]),
    "more containers": (
        {"containers": [{"name": "c", "image": "x:1"}, {"name": "d", "image": "x"}]},
        [("Forbidden", "spec.containers")],
    ),
    "no init containers": ({"initContainers": []}, [("Forbidden", "spec.initContainers")]),
    "grace": ({"terminationGracePeriodSeconds": 1}, [("Forbidden", "spec")]),
    "node": ({"nodeName": "n"}, [("Forbidden", "spec")]),
    "args": (container(image="x:1", args=["a"]), [("Forbidden", "spec")]),
    "host network": ({"hostNetwork": True}, [("Forbidden", "spec")]),
}


def _updated(before: dict[str, Any], after: dict[str, Any]) -> Refusals:
    given = {key: value for key, value in {**before, **after}.items() if value is not None}
    return fields_of(validation.validate_update(decoded(pod(given)), decoded(pod(before))))


@pytest.mark.parametrize(("after", "expected"), CHANGES.values(), ids=CHANGES)
def test_pod_update(after: dict[str, Any], expected: Refusals) -> None:
    assert _updated(BEFORE, after) == expected


SELECTORS: dict[str, tuple[dict[str, str], bool, Refusals]] = {
    "grows while gated": ({"disk": "ssd", "zone": "a"}, True, []),
    "changes while gated": ({"disk": "hdd"}, True, [("Forbidden", "spec.nodeSelector")]),
    "goes while gated": ({}, True, [("Forbidden", "spec.nodeSelector")]),
    "grows without gates": ({"disk": "ssd", "zone": "a"}, False, [("Forbidden", "spec")]),
}


@pytest.mark.parametrize(("selector", "gated", "expected"), SELECTORS.values(), ids=SELECTORS)
def test_node_selector_of_a_gated_pod(selector: dict[str, str], gated: bool, expected: Refusals) -> None:
    gates = [{"name": "a"}] if gated else None
    before = {**container(), "nodeSelector": {"disk": "ssd"}, **({"schedulingGates": gates} if gated else {})}
    assert _updated(before, {"nodeSelector": selector}) == expected


REQUIRED = "requiredDuringSchedulingIgnoredDuringExecution"
TERMS = f"spec.affinity.nodeAffinity.{REQUIRED}.nodeSelectorTerms"
SSD, ZONE = ({"key": key, "operator": "In", "values": [value]} for key, value in (("disk", "ssd"), ("zone", "a")))


def _affinity(*terms: list[dict[str, Any]], preferred: bool = False) -> dict[str, Any]:
    node: dict[str, Any] = {}
    if terms:
        node[REQUIRED] = {"nodeSelectorTerms": [{"matchExpressions": term} for term in terms]}
    if preferred:
        term = {"weight": 1, "preference": {"matchExpressions": [ZONE]}}
        node["preferredDuringSchedulingIgnoredDuringExecution"] = [term]
    return {"nodeAffinity": node} if node else {}


AFFINITIES: dict[str, tuple[dict[str, Any], dict[str, Any], bool, Refusals]] = {
    "from nothing": ({}, _affinity([SSD]), True, []),
    "a term asks for more": (_affinity([SSD]), _affinity([ZONE, SSD]), True, []),
    "preferences change": (_affinity([SSD]), _affinity([SSD], preferred=True), True, []),
    "a term asks for less": (_affinity([SSD, ZONE]), _affinity([SSD]), True, [("Invalid", f"{TERMS}[0]")]),
    "a term more": (_affinity([SSD]), _affinity([SSD], [ZONE]), True, [("Invalid", TERMS)]),
    "no terms any more": (_affinity([SSD]), _affinity(preferred=True), True, [("Invalid", TERMS)]),
    "without gates": ({}, _affinity([SSD]), False, [("Forbidden", "spec")]),
    "pod affinity beside it": (
        {},
        {**_affinity([SSD]), "podAffinity": {REQUIRED: [{"topologyKey": "zone", "labelSelector": {}}]}},
        True,
        [("Forbidden", "spec")],
    ),
}


@pytest.mark.parametrize(("old", "new", "gated", "expected"), AFFINITIES.values(), ids=AFFINITIES)
def test_node_affinity_of_a_gated_pod(
    old: dict[str, Any], new: dict[str, Any], gated: bool, expected: Refusals
) -> None:
    def spec(affinity: dict[str, Any]) -> dict[str, Any]:
        gates = {"schedulingGates": [{"name": "a"}]} if gated else {}
        return {**container(), **gates, **({"affinity": affinity} if affinity else {})}

    assert _updated(spec(old), {"affinity": new}) == expected


def test_a_first_deadline() -> None:
    assert _updated(container(), {"activeDeadlineSeconds": 5}) == []
    assert _updated(container(), {"activeDeadlineSeconds": -5}) == [("Invalid", "spec.activeDeadlineSeconds")]


def test_a_negative_grace_period_may_become_1() -> None:
    assert _updated({"terminationGracePeriodSeconds": -1}, {"terminationGracePeriodSeconds": 1}) == []
    assert _updated({"terminationGracePeriodSeconds": -1}, {"terminationGracePeriodSeconds": 2}) == [
        ("Forbidden", "spec")
    ]


def test_ephemeral_containers_are_kept_on_update() -> None:
    spec = {**container(), "ephemeralContainers": [{"name": "e", "image": "x"}]}
    assert _updated(spec, {}) == []


def test_a_pod_that_means_the_same_is_not_changed() -> None:
    old, new = decoded(pod()), decoded(pod())
    assert isinstance(new, core.Pod)
    new.spec.node_name = ""
    assert validation.validate_update(new, old) == []


RUNNING: dict[str, Any] = {"name": "c", "state": {"running": {}}}


def _ended(code: int) -> dict[str, Any]:
    return {"name": "c", "state": {"terminated": {"exitCode": code}}}


STATUS: dict[str, tuple[dict[str, Any], dict[str, Any], dict[str, Any], Refusals]] = {
    "address": ({}, {}, {"podIPs": [{"ip": "x"}]}, [("Invalid", "podIPs[0].ip")]),
    "host address": ({}, {}, {"hostIPs": [{"ip": ""}]}, [("Invalid", "hostIPs[0].ip")]),
    "addresses": ({}, {}, {"podIPs": [{"ip": "10.0.0.1"}, {"ip": "2001:db8::1"}]}, []),
    "condition": ({}, {}, {"conditions": [{"status": "True"}]}, [("Required", "conditions[0].type")]),
    "Always restarts": ({}, {"containerStatuses": [_ended(0)]}, {"containerStatuses": [RUNNING]}, []),
    "Never restarts": (
        {"restartPolicy": "Never"},
        {"containerStatuses": [_ended(1)]},
        {"containerStatuses": [RUNNING]},
        [("Forbidden", "containerStatuses[0].state")],
    ),
    "OnFailure restarts a failure": (
        {"restartPolicy": "OnFailure"},
        {"containerStatuses": [_ended(1)]},
        {"containerStatuses": [RUNNING]},
        [],
    ),
    "OnFailure does not restart a success": (
        {"restartPolicy": "OnFailure"},
        {"containerStatuses": [_ended(0)]},
        {"containerStatuses": [RUNNING]},
        [("Forbidden", "containerStatuses[0].state")],
    ),
}


@pytest.mark.parametrize(("spec", "before", "after", "expected"), STATUS.values(), ids=STATUS)
def test_pod_status(spec: dict[str, Any], before: dict[str, Any], after: dict[str, Any], expected: Refusals) -> None:
    old, new = (
        codec.from_json({**pod(spec, {"namespace": "default"}), "status": status}) for status in (before, after)
    )
    for obj in (old, new):
        defaults.apply_defaults(obj)
    found = fields_of(validation.validate_status_update(new, old))
    assert found == [(reason, f"status.{field}") for reason, field in expected]


# All others


def _object(kind: str, version: str = "v1", **fields: Any) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "x"}, **fields}


def _service(**fields: Any) -> dict[str, Any]:
    return _object("Service", spec={"ports": [{"port": 80}], **fields})


def _node(**fields: Any) -> dict[str, Any]:
    return _object("Node", **fields)


def _claim(**fields: Any) -> dict[str, Any]:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}, **fields}
    return _object("PersistentVolumeClaim", spec=spec)


def _event(**fields: Any) -> dict[str, Any]:
    return _object("Event", **{"involvedObject": {"namespace": "default"}, **fields})


def _budget(**spec: Any) -> dict[str, Any]:
    return _object("PodDisruptionBudget", "policy/v1", spec=spec)


def _taint(**fields: Any) -> dict[str, Any]:
    return _node(spec={"taints": [{"key": "k", "effect": "NoSchedule", **fields}]})


NEW_EVENT = {"eventTime": "2021-03-24T22:51:40.000000Z"}
REVISION = {"data": {"a": 1}, "revision": 1}
LEASES = "coordination.k8s.io/v1"

KINDS: dict[str, tuple[dict[str, Any], Refusals]] = {
    "Service": (_service(), []),
    "Service type": (_service(type="X"), [("NotSupported", "spec.type")]),
    "Service without ports": (_service(ports=[]), [("Required", "spec.ports")]),
    "Service headless": (_service(ports=[], clusterIP="None"), []),
    "Service port": (_service(ports=[{"port": 0}]), [("Invalid", "spec.ports[0].port")]),
    "Service protocol": (_service(ports=[{"port": 1, "protocol": "X"}]), [("NotSupported", "spec.ports[0].protocol")]),
    "Service target": (
        _service(ports=[{"port": 1, "targetPort": "Web"}]),
        [("Invalid", "spec.ports[0].targetPort")],
    ),
    "Service port names": (
        _service(ports=[{"port": 1}, {"port": 2, "name": "a"}, {"port": 3, "name": "a"}, {"port": 4, "name": "A"}]),
        [
            ("Duplicate", "spec.ports[2].name"),
            ("Invalid", "spec.ports[3].name"),
            ("Required", "spec.ports[0].name"),
        ],
    ),
    "Service port twice": (
        _service(ports=[{"port": 1, "name": "a"}, {"port": 1, "name": "b"}]),
        [("Duplicate", "spec.ports[1]")],
    ),
    "Service node port": (
        _service(ports=[{"port": 1, "nodePort": 30000}]),
        [("Forbidden", "spec.ports[0].nodePort")],
    ),
    "Service selector": (_service(selector={"a b": ""}), [("Invalid", "spec.selector")]),
    "Service affinity": (_service(sessionAffinity="X"), [("NotSupported", "spec.sessionAffinity")]),
    "Service affinity time": (
        _service(sessionAffinity="ClientIP", sessionAffinityConfig={"clientIP": {"timeoutSeconds": 0}}),
        [("Invalid", "spec.sessionAffinityConfig.clientIP.timeoutSeconds")],
    ),
    "Service external name": (_service(type="ExternalName"), [("Required", "spec.externalName")]),
    "Service bad external name": (
        _service(type="ExternalName", externalName="a b", clusterIP="10.0.0.1"),
        [("Forbidden", "spec.clusterIPs"), ("Invalid", "spec.externalName")],
    ),
    "Service addresses": (
        _service(clusterIP="x", externalIPs=["y"]),
        [("Invalid", "spec.clusterIPs[0]"), ("Invalid", "spec.externalIPs[0]")],
    ),
    "Service traffic": (
        _service(type="NodePort", externalTrafficPolicy="X", internalTrafficPolicy="X"),
        [("NotSupported", "spec.externalTrafficPolicy"), ("NotSupported", "spec.internalTrafficPolicy")],
    ),
    "Node": (_node(spec={"podCIDR": "10.0.0.0/24"}, status={"capacity": {"cpu": "4"}}), []),
    "Node taint key": (_taint(key=""), [("Invalid", "spec.taints[0].key")]),
    "Node taint value": (_taint(value="a b"), [("Invalid", "spec.taints[0].value")]),
    "Node taint without effect": (_taint(effect=""), [("Required", "spec.taints[0].effect")]),
    "Node taint effect": (_taint(effect="X"), [("NotSupported", "spec.taints[0].effect")]),
    "Node taint twice": (
        _node(spec={"taints": [{"key": "k", "effect": "NoSchedule"}] * 2}),
        [("Duplicate", "spec.taints[1]")],
    ),
    "Node range": (_node(spec={"podCIDR": "10.0.0.0/99"}), [("Invalid", "spec.podCIDRs[0]")]),
    "Node capacity": (
        _node(status={"capacity": {"cpu": "-1"}, "allocatable": {"cpu": "1"}}),
        [("Invalid", "status.capacity[cpu]")],
    ),
    "Namespace": (_object("Namespace"), []),
    "Namespace finalizer": (_object("Namespace", spec={"finalizers": ["x y"]}), [("Invalid", "spec.finalizers")]),
    "ServiceAccount": (_object("ServiceAccount"), []),
    "ConfigMap": (_object("ConfigMap", data={"a.b": "x"}, binaryData={"c": "eA=="}), []),
    "ConfigMap keys": (
        _object("ConfigMap", data={"a/b": ""}, binaryData={"..": ""}),
        [("Invalid", "binaryData[..]"), ("Invalid", "data[a/b]")],
    ),
    "ConfigMap twice": (_object("ConfigMap", data={"a": ""}, binaryData={"a": ""}), [("Invalid", "data[a]")]),
    "ConfigMap size": (_object("ConfigMap", data={"a": "x" * (1024 * 1024 + 1)}), [("TooLong", "")]),
    "Secret": (_object("Secret", stringData={"a": "b"}), []),
    "Secret key": (_object("Secret", stringData={"a/b": ""}), [("Invalid", "data[a/b]")]),
    "Secret size": (_object("Secret", stringData={"a": "x" * (1024 * 1024 + 1)}), [("TooLong", "data")]),
    "Secret for TLS": (
        _object("Secret", type="kubernetes.io/tls"),
        [("Required", "data[tls.crt]"), ("Required", "data[tls.key]")],
    ),
    "Secret of Docker": (
        _object("Secret", type="kubernetes.io/dockerconfigjson"),
        [("Required", "data[.dockerconfigjson]")],
    ),
    "Secret of SSH": (_object("Secret", type="kubernetes.io/ssh-auth"), [("Required", "data[ssh-privatekey]")]),
    "Secret of a user": (
        _object("Secret", type="kubernetes.io/basic-auth"),
        [("Required", "data[password]"), ("Required", "data[username]")],
    ),
    "Secret of a user, one given": (
        _object("Secret", type="kubernetes.io/basic-auth", stringData={"password": "x"}),
        [],
    ),
    "Secret of an account": (
        _object("Secret", type="kubernetes.io/service-account-token"),
        [("Required", "metadata.annotations[kubernetes.io/service-account.name]")],
    ),
    "claim": (_claim(storageClassName="fast", selector={"matchLabels": {"a": "b"}}), []),
    "claim without modes": (_claim(accessModes=[]), [("Required", "spec.accessModes")]),
    "claim mode": (_claim(accessModes=["X"]), [("NotSupported", "spec.accessModes")]),
    "claim modes": (
        _claim(accessModes=["ReadWriteOncePod", "ReadWriteOnce"]),
        [("Forbidden", "spec.accessModes")],
    ),
    "claim without size": (_claim(resources={}), [("Required", "spec.resources[storage]")]),
    "claim of nothing": (
        _claim(resources={"requests": {"storage": "0"}}),
        [("Invalid", "spec.resources[storage]")],
    ),
    "claim class": (_claim(storageClassName="A"), [("Invalid", "spec.storageClassName")]),
    "claim volume mode": (_claim(volumeMode="Tape"), [("NotSupported", "spec.volumeMode")]),
    "claim selector": (_claim(selector={"matchLabels": {"a b": ""}}), [("Invalid", "spec.selector.matchLabels")]),
    "revision": (_object("ControllerRevision", "apps/v1", **REVISION), []),
    "revision number": (
        _object("ControllerRevision", "apps/v1", **{**REVISION, "revision": -1}),
        [("Invalid", "revision")],
    ),
    "revision without data": (
        _object("ControllerRevision", "apps/v1", revision=1),
        [("Required", "data")],
    ),
    "Lease": (_object("Lease", LEASES, spec={"leaseDurationSeconds": 40, "leaseTransitions": 0}), []),
    "Lease duration": (
        _object("Lease", LEASES, spec={"leaseDurationSeconds": 0}),
        [("Invalid", "spec.leaseDurationSeconds")],
    ),
    "Lease transitions": (
        _object("Lease", LEASES, spec={"leaseTransitions": -1}),
        [("Invalid", "spec.leaseTransitions")],
    ),
    "Event": (_event(), []),
    "Event about a node": (_event(involvedObject={"kind": "Node"}), []),
    "Event elsewhere": (_event(involvedObject={"namespace": "b"}), [("Invalid", "involvedObject.namespace")]),
    "Event of the newer form": (
        _event(**NEW_EVENT, reportingComponent="a b", reportingInstance="x" * 129, message="m" * 1025),
        [
            ("Invalid", "message"),
            ("Invalid", "reportingComponent"),
            ("Invalid", "reportingInstance"),
            ("Required", "action"),
            ("Required", "reason"),
        ],
    ),
    "budget": (_budget(minAvailable="50%", selector={}), []),
    "budget both": (_budget(minAvailable=1, maxUnavailable=1), [("Invalid", "spec")]),
    "budget share": (_budget(minAvailable="101%"), [("Invalid", "spec.minAvailable")]),
    "budget count": (_budget(maxUnavailable=-1), [("Invalid", "spec.maxUnavailable")]),
    "budget selector": (
        _budget(maxUnavailable=1, selector={"matchExpressions": [{"key": "a", "operator": "In"}]}),
        [("Required", "spec.selector.matchExpressions[0].values")],
    ),
    "budget eviction": (
        _budget(unhealthyPodEvictionPolicy="X"),
        [("NotSupported", "spec.unhealthyPodEvictionPolicy")],
    ),
}


@pytest.mark.parametrize(("manifest", "expected"), KINDS.values(), ids=KINDS)
def test_kind(manifest: dict[str, Any], expected: Refusals) -> None:
    assert refused(manifest) == expected


def _changed(manifest: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {**copy.deepcopy(manifest), **changes}


CONFIG = _object("ConfigMap", data={"a": "b"}, immutable=True)
SECRET = _object("Secret", stringData={"a": "b"}, immutable=True)
CLAIM = _claim()
BOUND = _claim(volumeName="v")
NODE = _node(spec={"podCIDR": "10.0.0.0/24", "providerID": "p"})
REVISED = _object("ControllerRevision", "apps/v1", **REVISION)

UPDATES: dict[str, tuple[dict[str, Any], dict[str, Any], Refusals]] = {
    "ConfigMap data": (CONFIG, _changed(CONFIG, data={"a": "c"}), [("Forbidden", "data")]),
    "ConfigMap binary data": (CONFIG, _changed(CONFIG, binaryData={"c": "eA=="}), [("Forbidden", "binaryData")]),
    "ConfigMap mutable again": (CONFIG, _changed(CONFIG, immutable=False), [("Forbidden", "immutable")]),
    "ConfigMap becomes immutable": (_changed(CONFIG, immutable=False), CONFIG, []),
    "Secret data": (SECRET, _changed(SECRET, stringData={"a": "c"}), [("Forbidden", "data")]),
    "Secret type": (SECRET, _changed(SECRET, type="x"), [("Invalid", "type")]),
    "revision number": (REVISED, _changed(REVISED, revision=2), []),
    "revision data": (REVISED, _changed(REVISED, data={"a": 2}), [("Invalid", "data")]),
    "claim": (CLAIM, _claim(storageClassName="x"), [("Forbidden", "spec")]),
    "claim is bound": (CLAIM, BOUND, []),
    "claim is bound elsewhere": (BOUND, _claim(volumeName="w"), [("Forbidden", "spec")]),
    "claim grows": (BOUND, _claim(volumeName="v", resources={"requests": {"storage": "2Gi"}}), []),
    "Node range": (NODE, _node(spec={"podCIDR": "10.1.0.0/24", "providerID": "p"}), [("Forbidden", "spec.podCIDRs")]),
    "Node provider": (NODE, _node(spec={"podCIDR": "10.0.0.0/24"}), [("Forbidden", "spec.providerID")]),
    "Node first range": (_node(), NODE, []),
    "Node taints": (NODE, _changed(NODE, spec={**NODE["spec"], "taints": [{"key": "k", "effect": "NoExecute"}]}), []),
    "Service address": (_service(clusterIP="10.0.0.1"), _service(), [("Invalid", "spec.clusterIPs[0]")]),
    "Service first address": (_service(), _service(clusterIP="10.0.0.1"), []),
    "Service becomes a name": (
        _service(clusterIP="10.0.0.1"),
        _service(type="ExternalName", externalName="a.b"),
        [],
    ),
}


@pytest.mark.parametrize(("before", "after", "expected"), UPDATES.values(), ids=UPDATES)
def test_kind_update(before: dict[str, Any], after: dict[str, Any], expected: Refusals) -> None:
    assert fields_of(validation.validate_update(decoded(after), decoded(before))) == expected


def _with_status(manifest: dict[str, Any], status: dict[str, Any]) -> ApiObject:
    obj = codec.from_json({**manifest, "status": status})
    if manifest["kind"] != "Node":
        obj.metadata.namespace = "default"
    return obj


def test_node_status() -> None:
    status = {"capacity": {"cpu": "-1"}, "conditions": [{"status": "True"}]}
    found = validation.validate_status_update(_with_status(NODE, status), _with_status(NODE, {}))
    assert fields_of(found) == [("Invalid", "status.capacity[cpu]"), ("Required", "status.conditions[0].type")]


def test_budget_status() -> None:
    status = {"currentHealthy": -1, "desiredHealthy": 1, "disruptionsAllowed": 0, "expectedPods": -2}
    found = validation.validate_status_update(_with_status(_budget(), status), _with_status(_budget(), {}))
    assert fields_of(found) == [("Invalid", "status.currentHealthy"), ("Invalid", "status.expectedPods")]
