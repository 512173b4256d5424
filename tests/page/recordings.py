"""Batches of a watch, as tests of the page feed them."""

from __future__ import annotations

from rollplane.apps.v1 import Deployment, ReplicaSet
from rollplane.core.v1 import Event, Pod
from rollplane_machinery.api import EventType, WatchBatch, WatchEvent
from rollplane_machinery.kinds import ApiObject, Encoded
from rollplane_page.recorder import Recorder
from rollplane_page.recording import Recording

BEGAN = 1_000_000.0


def deployment(replicas: int = 4, *, min_ready: int = 0, kind: str = "RollingUpdate") -> Deployment:
    message = Deployment()
    message.metadata.name, message.metadata.namespace, message.metadata.uid = "web", "shop", "d"
    message.spec.replicas, message.spec.min_ready_seconds, message.spec.strategy.type = replicas, min_ready, kind
    if kind == "RollingUpdate":
        message.spec.strategy.rolling_update.max_surge.int_val = 1
        message.spec.strategy.rolling_update.max_unavailable.int_val = 1
    return message


def replica_set(uid: str = "r1") -> ReplicaSet:
    message = ReplicaSet()
    message.metadata.name, message.metadata.namespace, message.metadata.uid = f"web-{uid}", "shop", uid
    message.metadata.owner_references.add(uid="d", controller=True)
    return message


def pod(name: str, *, owner: str = "r1", node: str = "", ready_at: float | None = None, image: str = "web:v1") -> Pod:
    message = Pod()
    message.metadata.name, message.metadata.namespace, message.metadata.uid = name, "shop", f"uid-{name}"
    message.metadata.labels["pod-template-hash"] = owner
    message.metadata.owner_references.add(uid=owner, controller=True)
    message.spec.node_name = node
    message.spec.containers.add(name="web", image=image)
    if ready_at is not None:
        ready = message.status.conditions.add(type="Ready", status="True")
        ready.last_transition_time.seconds = int(BEGAN + ready_at)
    return message


def event(reason: str) -> Event:
    message = Event(reason=reason, message="told", type="Warning")
    message.involved_object.kind, message.involved_object.name = "Pod", "a"
    message.metadata.name = reason
    return message


def batch(*messages: ApiObject, kind: EventType = EventType.ADDED) -> WatchBatch:
    return WatchBatch(tuple(WatchEvent(kind, Encoded.of(each), 1) for each in messages), 1)


def recorder() -> Recorder:
    return Recorder(Recording("web: v1 → v2"), BEGAN)
