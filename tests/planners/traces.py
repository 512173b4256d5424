"""The recorded Deployment rollouts of tests/golden/traces, and snapshots to hold against them."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

from rollplane.apps.v1 import Deployment, ReplicaSet
from rollplane.core.v1 import Pod
from rollplane_machinery.metadata import is_being_deleted

Json = dict[str, Any]
FOLDER = Path(__file__).parent.parent / "golden" / "traces"


def load(kind: str) -> dict[str, Json]:
    """Return the traces of that kind by name."""
    traces = {path.stem: json.loads(path.read_text()) for path in sorted(FOLDER.glob("*.json"))}
    return {name: trace for name, trace in traces.items() if trace["manifest"]["kind"] == kind}


def snapshot(deployment: Deployment, replica_sets: list[ReplicaSet], pods: list[Pod]) -> Json:
    """Return a Deployment's world in the form of the recorded snapshots."""
    return {
        "generation": deployment.metadata.generation,
        "status": _counts(deployment),
        "spec_replicas": deployment.spec.replicas,
        "conditions": sorted(
            ({"type": c.type, "status": c.status, "reason": c.reason} for c in deployment.status.conditions),
            key=lambda condition: condition["type"],
        ),
        "revision": deployment.metadata.annotations.get("deployment.kubernetes.io/revision"),
        "replica_sets": sorted((_replica_set(one) for one in replica_sets), key=_image),
        "pods": _pods(pods),
    }


def normalised(recorded: Json) -> Json:
    """Return a recorded snapshot with its lists in the order ``snapshot`` uses."""
    kept = {key: value for key, value in recorded.items() if key not in {"after", "acted"}}
    kept["conditions"] = sorted(kept["conditions"], key=lambda condition: condition["type"])
    kept["replica_sets"] = sorted(kept["replica_sets"], key=_image)
    kept["pods"] = sorted(kept["pods"])
    return kept


def _counts(deployment: Deployment) -> Json:
    status = deployment.status
    names = {
        "observedGeneration": status.observed_generation,
        "replicas": status.replicas,
        "updatedReplicas": status.updated_replicas,
        "readyReplicas": status.ready_replicas,
        "availableReplicas": status.available_replicas,
        "unavailableReplicas": status.unavailable_replicas,
        "collisionCount": status.collision_count,
    }
    return {name: value for name, value in names.items() if value}


def _image(replica_set: Json) -> str:
    return str(replica_set["image"])


def _replica_set(replica_set: ReplicaSet) -> Json:
    annotations = replica_set.metadata.annotations
    return {
        "image": replica_set.spec.template.spec.containers[0].image,
        "revision": annotations.get("deployment.kubernetes.io/revision"),
        "revision_history": annotations.get("deployment.kubernetes.io/revision-history"),
        "spec": replica_set.spec.replicas,
        "status": replica_set.status.replicas,
        "ready": replica_set.status.ready_replicas,
        "available": replica_set.status.available_replicas,
    }


def _pods(pods: list[Pod]) -> list[list[Any]]:
    counts = Counter((pod.spec.containers[0].image, is_being_deleted(pod.metadata)) for pod in pods)
    return sorted([image, terminating, count] for (image, terminating), count in counts.items())


def tolerate(name: str, expected: Json, seen: Json) -> None:
    """Forgive what the real thing leaves open (golden/README.md, docs/semantics/deployment.md section 10)."""
    if name == "scale-down-mid-rollout":
        for pods in (expected["pods"], seen["pods"]):
            pods[:] = [entry for entry in pods if not entry[1]]
    waiting = {"NewReplicaSetCreated", "ReplicaSetUpdated"}
    for one, other in zip(expected["conditions"], seen["conditions"], strict=False):
        if {one["reason"], other["reason"]} <= waiting:
            one["reason"] = other["reason"]
