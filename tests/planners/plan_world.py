"""A world of plain objects that planners can be run in: no server, no loop, time by hand.

Every write goes through at once and every sync sees all earlier writes, so a run is the ideal control plane. What a
watcher would see of it goes to an InvariantChecker as it happens.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from copy import deepcopy

from rollplane.apps.v1 import Deployment, ReplicaSet
from rollplane.core.v1 import Pod, PodCondition
from rollplane.meta.v1 import Time
from rollplane_machinery.api import EventType, WatchBatch, WatchEvent
from rollplane_machinery.invariants import InvariantChecker
from rollplane_machinery.kinds import ApiObject, Encoded
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.releases import LATEST, Release
from rollplane_planners.deployment import DeploymentView, plan_deployment
from rollplane_planners.model import (
    CreateObject,
    CreatePods,
    DeleteObject,
    Plan,
    PlannedEvent,
    UpdateObject,
    UpdateObjectStatus,
)
from rollplane_planners.pods import PodView, pod_view
from rollplane_planners.reasons import Reason
from rollplane_planners.replica_set import ReplicaSetView, plan_replica_set

NOW = 1_700_000_000.0


class World:
    """One Deployment, its ReplicaSets and pods."""

    def __init__(self, deployment: Deployment, release: Release = LATEST) -> None:
        self.release = release
        self.now = NOW
        self.checker = InvariantChecker()
        self._uids = itertools.count(1)
        self._revisions = itertools.count(1)
        self.replica_sets: dict[str, ReplicaSet] = {}
        self.pods: dict[str, Pod] = {}
        self.events: list[PlannedEvent] = []
        self.reasons: list[Reason] = []
        self.deployment = deployment
        self._settle_new(deployment)
        deployment.metadata.generation = 1
        self._tell(EventType.ADDED, deployment)

    def _tell(self, type_: EventType, message: ApiObject) -> None:
        revision = next(self._revisions)
        self.checker.feed(WatchBatch([WatchEvent(type_, Encoded.of(message), revision)], revision))

    def _settle_new(self, created: ApiObject) -> None:
        created.metadata.uid = f"uid-{next(self._uids):05}"
        created.metadata.creation_timestamp.seconds = int(self.now)

    # What users and kubelets do.

    def edit(self, change: Callable[[Deployment], None]) -> None:
        """Change the Deployment as a user: spec and annotation changes raise the generation."""
        before = deepcopy(self.deployment)
        change(self.deployment)
        if before.spec != self.deployment.spec or before.metadata.annotations != self.deployment.metadata.annotations:
            self.deployment.metadata.generation += 1
        self._tell(EventType.MODIFIED, self.deployment)
        self.now += 1

    def live_pods(self) -> list[Pod]:
        """Return pods oldest first, terminating and failed ones left out."""
        return [pod for pod in self.pods.values() if pod_view(pod).active]

    def set_ready(self, count: int, *, image: str | None = None, ready: bool = True) -> Counter[str]:
        """Make the ``count`` oldest pods that are not (or are) ready change; return how many of each image did."""
        acted: Counter[str] = Counter()
        for pod in self.live_pods():
            pod_image = pod.spec.containers[0].image
            if sum(acted.values()) < count and image in (None, pod_image) and (pod_view(pod).ready != ready):
                acted[pod_image] += 1
                del pod.status.conditions[:]
                time = Time(seconds=int(self.now))
                condition = PodCondition(type="Ready", status="True" if ready else "False", last_transition_time=time)
                pod.status.conditions.append(condition)
                pod.status.phase = "Running"
                self._tell(EventType.MODIFIED, pod)
        self.now += 1
        return acted

    def delete_pods(self, count: int, *, image: str) -> None:
        """Delete the ``count`` oldest live pods of that image, as a user; they end when told to ``finish``."""
        fitting = [pod for pod in self.live_pods() if pod.spec.containers[0].image == image]
        for pod in fitting[:count]:
            self._end(pod)
        self.now += 1

    def finish(self) -> None:
        """Let all terminating pods end."""
        for pod in [pod for pod in self.pods.values() if is_being_deleted(pod.metadata)]:
            self._tell(EventType.DELETED, self.pods.pop(pod.metadata.name))

    def fail(self, count: int) -> None:
        """Let the ``count`` oldest live pods end as Failed, which stay where they are."""
        for pod in self.live_pods()[:count]:
            pod.status.phase = "Failed"
            del pod.status.conditions[:]
            self._tell(EventType.MODIFIED, pod)

    # What controllers do.

    def settle(self) -> None:
        """Sync everything until nothing is written any more."""
        for _ in range(1000):
            moved = self.sync_deployment()
            if not self.sync_sets() and not moved:
                return
        raise AssertionError("the planners never come to rest")

    def sync_deployment(self) -> bool:
        """Sync the Deployment once; tells whether that wrote anything."""
        return self._apply(self._plan_deployment(), self.deployment)

    def sync_sets(self) -> bool:
        """Sync each ReplicaSet once; tells whether that wrote anything."""
        wrote = [self._apply(self._plan_replica_set(one), one) for one in list(self.replica_sets.values())]
        return any(wrote)

    def _plan_deployment(self) -> Plan:
        running = Counter(
            view.controller_uid or ""
            for view in map(pod_view, self.pods.values())
            if view.phase not in {"Failed", "Succeeded"}
        )
        view = DeploymentView(
            self.deployment, list(self.replica_sets.values()), running_pods=running, release=self.release
        )
        return plan_deployment(view, self.now)

    def _plan_replica_set(self, replica_set: ReplicaSet) -> Plan:
        pods = [
            view
            for view in map(pod_view, self.pods.values())
            if view.controller_uid in (None, replica_set.metadata.uid)
        ]
        return plan_replica_set(ReplicaSetView(replica_set, pods, self._fetch, release=self.release), self.now)

    def _fetch(self, view: PodView) -> Pod:
        return self.pods[view.name]

    def _apply(self, plan: Plan, owner: ApiObject) -> bool:
        """Carry out a plan; tells whether it wrote anything."""
        self.reasons = list(plan.reasons) or self.reasons
        self.events.extend(plan.events)
        for write in plan.writes:
            match write:
                case CreatePods():
                    self._create_pods(write, owner)
                case CreateObject(ReplicaSet() as created, events):
                    self._settle_new(created)
                    created.metadata.generation = 1
                    self.replica_sets[created.metadata.name] = created
                    self._tell(EventType.ADDED, created)
                    self.events.extend(events)
                case UpdateObject(ReplicaSet() as updated, events):
                    stored = self.replica_sets[updated.metadata.name]
                    updated.metadata.generation += updated.spec != stored.spec
                    self.replica_sets[updated.metadata.name] = updated
                    self._tell(EventType.MODIFIED, updated)
                    self.events.extend(events)
                case UpdateObjectStatus(ReplicaSet() as updated):
                    self.replica_sets[updated.metadata.name].status.CopyFrom(updated.status)
                    self._tell(EventType.MODIFIED, self.replica_sets[updated.metadata.name])
                case UpdateObject(Deployment() as updated, events):
                    self.edit(lambda deployment, wanted=updated: deployment.CopyFrom(wanted))  # type: ignore[misc]
                    self.events.extend(events)
                case UpdateObjectStatus(Deployment() as updated):
                    self.deployment.status.CopyFrom(updated.status)
                    self.deployment.metadata.annotations.update(updated.metadata.annotations)
                    self._tell(EventType.MODIFIED, self.deployment)
                case DeleteObject():
                    self._delete(write)
                case _:
                    raise AssertionError(f"nobody plans {write}")
        return bool(plan.writes)

    def _create_pods(self, write: CreatePods, owner: ApiObject) -> None:
        for _ in range(write.count):
            pod = Pod(spec=write.template.spec)
            pod.metadata.namespace = owner.metadata.namespace
            pod.metadata.labels.update(write.template.metadata.labels)
            self._settle_new(pod)
            pod.metadata.name = f"{write.prefix}{pod.metadata.uid}"
            reference = pod.metadata.owner_references.add(uid=owner.metadata.uid, name=owner.metadata.name)
            reference.kind, reference.controller = "ReplicaSet", True
            pod.status.phase = "Pending"
            pod.spec.node_name = "n"
            self.pods[pod.metadata.name] = pod
            self._tell(EventType.ADDED, pod)

    def _delete(self, write: DeleteObject) -> None:
        if write.kind.name == "ReplicaSet":
            gone = self.replica_sets.pop(write.name)
            assert gone.metadata.uid == write.uid
            self._tell(EventType.DELETED, gone)
        else:
            self._end(self.pods[write.name])

    def _end(self, pod: Pod) -> None:
        pod.metadata.deletion_timestamp.seconds = int(self.now) + 30
        self._tell(EventType.MODIFIED, pod)
