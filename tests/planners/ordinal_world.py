"""Worlds of plain objects for the StatefulSet and DaemonSet planners: no server, no loop, time by hand.

Every write goes through at once and every sync sees all earlier ones. What users, kubelets and nodes do are methods,
so that a property can do them in any order.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from copy import deepcopy

from rollplane.apps.v1 import ControllerRevision, DaemonSet, StatefulSet
from rollplane.core.v1 import Node, PersistentVolumeClaim, Pod
from rollplane_machinery.kinds import ApiObject
from rollplane_machinery.metadata import is_being_deleted
from rollplane_planners.daemon_set import DaemonSetView, plan_daemon_set
from rollplane_planners.daemon_set.placement import target_node
from rollplane_planners.model import (
    CreateDistinctPods,
    CreateObject,
    DeleteObject,
    Plan,
    UpdateObject,
    UpdateObjectStatus,
)
from rollplane_planners.pods import PodView, pod_view
from rollplane_planners.scheduling.nodes import node_view
from rollplane_planners.stateful_set import StatefulSetView, plan_stateful_set
from tests.planners.pods import NOW, a_node

IMAGE_LABEL = "controller-revision-hash"


class OrdinalWorld:
    """What both worlds share: pods, revisions, and the way of a plan into them."""

    def __init__(self) -> None:
        self.now = NOW
        self.pods: dict[str, Pod] = {}
        self.revisions: dict[str, ControllerRevision] = {}
        self.claims: dict[str, PersistentVolumeClaim] = {}
        self.before_deletion: Callable[[Pod], None] = lambda _pod: None
        self.before_creation: Callable[[Pod], None] = lambda _pod: None
        self._numbers = itertools.count(1)

    # Kubelets.

    def live(self) -> list[Pod]:
        """Return the pods that are not being deleted, by name."""
        return [pod for _, pod in sorted(self.pods.items()) if not is_being_deleted(pod.metadata)]

    def report(self, pod: Pod, *, ready: bool = True, phase: str = "Running") -> None:
        """Report a pod's state as its kubelet does."""
        del pod.status.conditions[:]
        condition = pod.status.conditions.add(type="Ready", status="True" if ready else "False")
        condition.last_transition_time.seconds = int(self.now)
        pod.status.phase = phase

    def finish(self) -> None:
        """Let all terminating pods end."""
        self.pods = {pod.metadata.name: pod for pod in self.live()}

    def calm(self) -> None:
        """Let all kubelets do their work: pods that should run are ready, those that should end are gone."""
        self.finish()
        for pod in self.live():
            if pod.status.phase != "Failed" and not pod_view(pod).ready:
                self.report(pod)

    def mark_deleted(self, name: str) -> None:
        self.pods[name].metadata.deletion_timestamp.seconds = int(self.now) + 30

    # The controller.

    def sync(self) -> bool:
        """Plan once and carry it out; tells whether anything was written."""
        self.now += 1
        plan = self.plan()
        for write in plan.writes:
            self._apply(write)
        return bool(plan.writes)

    def settle(self) -> None:
        """Sync until nothing is written any more."""
        for _ in range(400):
            if not self.sync():
                return
        raise AssertionError("the planner never comes to rest")

    def plan(self) -> Plan:
        raise NotImplementedError

    def fetch(self, view: PodView) -> Pod:
        return self.pods[view.name]

    def views(self) -> list[PodView]:
        return [pod_view(pod) for pod in self.pods.values()]

    def _apply(self, write: object) -> None:
        match write:
            case CreateObject(Pod() as pod):
                self._take(pod, pod.metadata.name)
            case CreateDistinctPods(pods, prefix):
                for pod in pods:
                    self._take(pod, f"{prefix}{next(self._numbers):05}")
            case CreateObject(ControllerRevision() as revision) | UpdateObject(ControllerRevision() as revision):
                self.revisions[revision.metadata.name] = revision
            case CreateObject(PersistentVolumeClaim() as claim) | UpdateObject(PersistentVolumeClaim() as claim):
                self.claims[claim.metadata.name] = claim
            case UpdateObjectStatus(status):
                self.store_status(status)
            case DeleteObject(kind=kind, name=name) if kind.message is ControllerRevision:
                del self.revisions[name]
            case DeleteObject(name=name, uid=uid):
                assert self.pods[name].metadata.uid == uid
                self.before_deletion(self.pods[name])
                self.mark_deleted(name)
            case _:
                raise AssertionError(f"nobody plans {write}")

    def _take(self, pod: Pod, name: str) -> None:
        assert name not in self.pods, f"{name} is there already"
        self.before_creation(pod)
        pod.metadata.name, pod.metadata.uid = name, f"uid-{next(self._numbers)}"
        pod.metadata.creation_timestamp.seconds = int(self.now)
        pod.status.phase = "Pending"
        self.bind(pod)
        self.pods[name] = pod

    def bind(self, pod: Pod) -> None:
        pod.spec.node_name = target_node(pod.spec) or "n"

    def store_status(self, message: ApiObject) -> None:
        raise NotImplementedError


class StatefulSetWorld(OrdinalWorld):
    """One StatefulSet."""

    def __init__(self, stateful_set: StatefulSet) -> None:
        super().__init__()
        self.set = stateful_set

    def edit(self, change: Callable[[StatefulSet], None]) -> None:
        """Change the set as a user does."""
        before = deepcopy(self.set)
        change(self.set)
        self.set.metadata.generation += before.spec != self.set.spec

    def plan(self) -> Plan:
        view = StatefulSetView(self.set, self.views(), list(self.revisions.values()), self.fetch, dict(self.claims))
        return plan_stateful_set(view, self.now)

    def store_status(self, message: ApiObject) -> None:
        assert isinstance(message, StatefulSet)
        self.set.status.CopyFrom(message.status)

    def slots(self) -> dict[int, Pod]:
        """Return all pods by their ordinals."""
        return {ordinal_of(pod): pod for pod in self.pods.values()}


class DaemonSetWorld(OrdinalWorld):
    """One DaemonSet and the nodes."""

    def __init__(self, daemon_set: DaemonSet, nodes: int) -> None:
        super().__init__()
        self.set = daemon_set
        self.nodes: dict[str, Node] = {f"n{number}": a_node(f"n{number}") for number in range(nodes)}

    def edit(self, change: Callable[[DaemonSet], None]) -> None:
        """Change the set as a user does."""
        before = deepcopy(self.set)
        change(self.set)
        self.set.metadata.generation += before.spec != self.set.spec

    def plan(self) -> Plan:
        where = [node_view(node) for node in self.nodes.values()]
        view = DaemonSetView(self.set, where, self.views(), list(self.revisions.values()), self.fetch)
        return plan_daemon_set(view, self.now)

    def store_status(self, message: ApiObject) -> None:
        assert isinstance(message, DaemonSet)
        self.set.status.CopyFrom(message.status)

    def on(self, node: str) -> Iterator[Pod]:
        """Yield the live pods of a node."""
        yield from (pod for pod in self.live() if pod.spec.node_name == node)

    def remove_node(self, name: str) -> None:
        """Take a node away; its pods are collected with it."""
        del self.nodes[name]
        self.pods = {pod.metadata.name: pod for pod in self.pods.values() if pod.spec.node_name != name}


def ordinal_of(pod: Pod) -> int:
    return int(pod.metadata.name.rpartition("-")[2])


def is_ready(pod: Pod) -> bool:
    return pod_view(pod).ready
