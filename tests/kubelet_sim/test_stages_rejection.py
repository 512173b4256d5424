"""What a kubelet refuses, in the order and the words of its release (docs/semantics/pod-lifecycle.md section 3)."""

from __future__ import annotations

from typing import Any

import pytest

from rollplane.core.v1 import Pod
from rollplane_kubelet_sim.stages.rejection import Asked, Rejection, rejected_status, rejection_of
from rollplane_machinery.codec import from_json, to_json
from rollplane_machinery.releases import LATEST, Release, release_of
from rollplane_planners.scheduling.demand import host_ports_of, requests_of
from rollplane_planners.scheduling.nodes import Room, node_view
from tests.planners.placing import a_spec
from tests.planners.pods import a_node

GPU = "example.com/gpu"
PORT = [{"containerPort": 80, "hostPort": 80}]
NODE = a_node("n", cpu="2", memory="1Gi", pods="3", labels={"zone": "a"}, taints=[{"key": "k", "effect": "NoExecute"}])
NODE.status.allocatable["ephemeral-storage"].string = "1000"
TOLERATED = {"tolerations": [{"operator": "Exists"}]}
ELSEWHERE = {"nodeSelector": {"zone": "b"}}


def rejected(release: Release = LATEST, pods: int = 1, **fields: Any) -> Rejection | None:
    """Ask for a pod on a node where ``pods`` of half a core, with host port 80, run."""
    room = Room()
    for _ in range(pods):
        one = a_spec(requests={"cpu": "500m", "memory": "100Mi"}, ports=PORT)
        room.take(requests_of(one), host_ports_of(one))
    spec = a_spec(**{**TOLERATED, **fields})
    return rejection_of(spec, Asked(requests_of(spec), host_ports_of(spec)), node_view(NODE), room, release)


def short(name: str, requested: int, used: int, capacity: int) -> str:
    figures = f"requested: {requested}, used: {used}, capacity: {capacity}"
    return f"Node didn't have enough resource: {name}, {figures}"


REJECTED: dict[str, tuple[dict[str, Any], str, str]] = {
    "OutOfpods": ({"pods": 3, "requests": {"cpu": "9"}}, "OutOfpods", short("pods", 1, 3, 3)),
    "OutOfcpu": ({"requests": {"cpu": "2", "memory": "9Gi"}}, "OutOfcpu", short("cpu", 2000, 500, 2000)),
    "OutOfmemory": (
        {"requests": {"memory": "1Gi"}, **ELSEWHERE},
        "OutOfmemory",
        short("memory", 1 << 30, 100 << 20, 1 << 30),
    ),
    "OutOfephemeral-storage": (
        {"requests": {"ephemeral-storage": "2k"}},
        "OutOfephemeral-storage",
        short("ephemeral-storage", 2000, 0, 1000),
    ),
    "NodeAffinity": (
        {**ELSEWHERE, "ports": PORT},
        "NodeAffinity",
        "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    ),
    "NodePorts": (
        {"ports": PORT, "tolerations": []},
        "NodePorts",
        "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
    ),
    "TaintToleration": (
        {"tolerations": []},
        "TaintToleration",
        "Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate",
    ),
}


@pytest.mark.parametrize(("fields", "reason", "message"), REJECTED.values(), ids=REJECTED)
def test_rejected(fields: dict[str, Any], reason: str, message: str) -> None:
    assert rejected(**fields) == Rejection(reason, message)


ADMITTED: dict[str, dict[str, Any]] = {
    "what fits": {"requests": {"cpu": "1500m", "memory": "900Mi"}},
    "what asks for nothing where there is too little": {"pods": 2, "requests": {}},
    "extended resources that the node knows nothing of": {"requests": {GPU: "1"}},
    "another port": {"ports": [{"containerPort": 80, "hostPort": 81}]},
}


@pytest.mark.parametrize("fields", ADMITTED.values(), ids=ADMITTED)
def test_admitted(fields: dict[str, Any]) -> None:
    assert rejected(**fields) is None


def test_extended_resources_that_are_used_up() -> None:
    node = a_node("n")
    node.status.allocatable[GPU].string = "1"
    room, spec = Room(), a_spec(requests={GPU: "1"})
    asked = Asked(requests_of(spec), host_ports_of(spec))
    assert rejection_of(spec, asked, node_view(node), room, LATEST) is None
    room.take(asked.requests, asked.host_ports)
    assert rejection_of(spec, asked, node_view(node), room, LATEST) == Rejection(f"OutOf{GPU}", short(GPU, 1, 1, 1))


def test_taints_before_1_24_and_words_before_1_31() -> None:
    assert rejected(release_of("1.23"), tolerations=[]) is None
    assert rejected(release_of("1.30"), nodeSelector={"zone": "b"}) == Rejection(
        "NodeAffinity", "Predicate NodeAffinity failed"
    )


STATUSES = {"1.25": "Pod Predicate NodePorts failed", "1.26": "Pod was rejected: Predicate NodePorts failed"}


@pytest.mark.parametrize(("release", "message"), STATUSES.items())
def test_status(release: str, message: str) -> None:
    conditions = [{"type": "PodScheduled", "status": "True"}, {"type": "Ours", "status": "True"}]
    pod = from_json(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "status": {"phase": "Pending", "qosClass": "Burstable", "conditions": conditions},
        }
    )
    assert isinstance(pod, Pod)
    rejection = Rejection("NodePorts", "Predicate NodePorts failed")
    status = rejected_status(pod, rejection, 1_700_000_000.0, release_of(release))
    pod.status.CopyFrom(status)
    told = to_json(pod)["status"]
    assert {name: value for name, value in told.items() if name != "conditions"} == {
        "phase": "Failed",
        "reason": "NodePorts",
        "message": message,
        "qosClass": "Burstable",
        "startTime": "2023-11-14T22:13:20Z",
    }
    assert [one["type"] for one in told["conditions"]] == ["Ours"]
