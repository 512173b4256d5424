"""Pods and nodes to plan with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rollplane.core.v1 import Node, Pod
from rollplane_machinery.codec import from_json
from rollplane_planners.model import Plan
from rollplane_planners.pods import DELETION_COST, PodView, pod_view

NOW = 1_700_000_000.0


def a_pod(
    name: str,
    *,
    owner: str = "set-uid",
    labels: Mapping[str, str] | None = None,
    node: str = "n",
    phase: str = "Running",
    ready: float | None = None,
    age: float = 100,
    restarts: int = 0,
    cost: str = "",
    terminating: bool = False,
    namespace: str = "shop",
) -> Pod:
    """Return a pod; ``ready`` is since how many seconds it is Ready, None that it is not. ``age`` counts seconds."""
    pod = Pod()
    pod.metadata.name, pod.metadata.namespace, pod.metadata.uid = name, namespace, f"{name}-uid"
    pod.metadata.labels.update({"app": "web"} if labels is None else labels)
    pod.metadata.creation_timestamp.seconds = int(NOW - age)
    if cost:
        pod.metadata.annotations[DELETION_COST] = cost
    if owner:
        pod.metadata.owner_references.add(uid=owner, name="set", kind="ReplicaSet", controller=True)
    if terminating:
        pod.metadata.deletion_timestamp.seconds = int(NOW) + 30
    pod.spec.node_name = node
    pod.spec.containers.add(name="web", image="web:1")
    pod.status.phase = phase
    pod.status.container_statuses.add(name="web", restart_count=restarts)
    if ready is not None:
        condition = pod.status.conditions.add(type="Ready", status="True")
        condition.last_transition_time.seconds = int(NOW - ready)
    return pod


def a_view(name: str, **fields: Any) -> PodView:
    return pod_view(a_pod(name, **fields))


def a_node(
    name: str,
    *,
    cpu: str = "4",
    memory: str = "8Gi",
    pods: str = "110",
    labels: Mapping[str, str] | None = None,
    taints: list[dict[str, str]] | None = None,
    unschedulable: bool = False,
) -> Node:
    node = from_json(
        {
            "apiVersion": "v1",
            "kind": "Node",
            "metadata": {"name": name, "labels": dict(labels or {})},
            "spec": {"taints": taints or [], "unschedulable": unschedulable},
            "status": {"allocatable": {"cpu": cpu, "memory": memory, "pods": pods}},
        }
    )
    assert isinstance(node, Node)
    return node


def said(made: Plan) -> list[str]:
    """Return a plan's reasons in words."""
    return [str(reason) for reason in made.reasons]
