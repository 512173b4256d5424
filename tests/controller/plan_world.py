"""A world of plain objects that planners can be run in: no server, no loop, time by hand.

Every write goes through at once and every sync sees all earlier writes, so a run is the ideal control plane.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Callable
from copy import deepcopy

from rollplane.apps.v1 import Deployment, ReplicaSet
from rollplane.core.v1 import Pod, PodCondition
from rollplane.meta.v1 import Time
from rollplane_controller.plan.deployment import DeploymentView, plan_deployment
from rollplane_controller.plan.model import (
    CreateObject,
    CreatePods,
    DeleteObject,
    Plan,
    PlannedEvent,
    UpdateObject,
    UpdateObjectStatus,
)
from rollplane_controller.plan.pods import PodView, pod_view
from rollplane_controller.plan.replica_set import ReplicaSetView, plan_replica_set
from rollplane_machinery.kinds import ApiObject

NOW = 1_700_000_000.0


class World:
    """One Deployment, its ReplicaSets and pods."""

    def __init__(self, deployment: Deployment) -> None:
        self.now = NOW
        self._uids = itertools.count(1)
        self.replica_sets: dict[str, ReplicaSet] = {}
        self.pods: dict[str, Pod] = {}
        self.events: list[PlannedEvent] = []
        self.reasons: list[str] = []
        self.deployment = deployment
        self._settle_new(deployment)
        deployment.metadata.generation = 1

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
        self.now += 1

    def live_pods(self) -> list[Pod]:
        """Return pods oldest first, terminating ones left out."""
        return [pod for pod in self.pods.values() if not pod.metadata.HasField("deletion_timestamp")]

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
        self.now += 1
        return acted

    def finish(self) -> None:
        """Let all terminating pods end."""
        self.pods = {pod.metadata.name: pod for pod in self.live_pods()}

    # What controllers do.

    def settle(self, on_sync: Callable[[], None] = lambda: None) -> None:
        """Sync everything until nothing is written any more."""
        for _ in range(1000):
            plans = [self._apply(self._plan_deployment(), self.deployment)]
            on_sync()
            for replica_set in list(self.replica_sets.values()):
                plans.append(self._apply(self._plan_replica_set(replica_set), replica_set))
                on_sync()
            if not any(plans):
                return
        raise AssertionError("the planners never come to rest")

    def _plan_deployment(self) -> Plan:
        running = Counter(
            view.controller_uid or ""
            for view in map(pod_view, self.pods.values())
            if view.phase not in {"Failed", "Succeeded"}
        )
        view = DeploymentView(self.deployment, list(self.replica_sets.values()), running_pods=running)
        return plan_deployment(view, self.now)

    def _plan_replica_set(self, replica_set: ReplicaSet) -> Plan:
        pods = [
            view
            for view in map(pod_view, self.pods.values())
            if view.controller_uid in (None, replica_set.metadata.uid)
        ]
        return plan_replica_set(ReplicaSetView(replica_set, pods, self._fetch), self.now)

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
                    self.events.extend(events)
                case UpdateObject(ReplicaSet() as updated, events):
                    stored = self.replica_sets[updated.metadata.name]
                    updated.metadata.generation += updated.spec != stored.spec
                    self.replica_sets[updated.metadata.name] = updated
                    self.events.extend(events)
                case UpdateObjectStatus(ReplicaSet() as updated):
                    self.replica_sets[updated.metadata.name].status.CopyFrom(updated.status)
                case UpdateObject(Deployment() as updated, events):
                    self.edit(lambda deployment, wanted=updated: deployment.CopyFrom(wanted))  # type: ignore[misc]
                    self.events.extend(events)
                case UpdateObjectStatus(Deployment() as updated):
                    self.deployment.status.CopyFrom(updated.status)
                    self.deployment.metadata.annotations.update(updated.metadata.annotations)
                case DeleteObject():
                    self._delete(write)
                case _:
                    raise AssertionError(f"nobody plans {write}")
        return bool(plan.writes)

    def _create_pods(self, write: CreatePods, owner: ApiObject) -> None:
        for _ in range(write.count):
            pod = Pod(spec=write.template.spec)
            pod.metadata.labels.update(write.template.metadata.labels)
            self._settle_new(pod)
            pod.metadata.name = f"{write.prefix}{pod.metadata.uid}"
            pod.metadata.owner_references.add(uid=owner.metadata.uid, name=owner.metadata.name, controller=True)
            pod.status.phase = "Pending"
            pod.spec.node_name = "n"
            self.pods[pod.metadata.name] = pod

    def _delete(self, write: DeleteObject) -> None:
        if write.kind.name == "ReplicaSet":
            assert self.replica_sets.pop(write.name).metadata.uid == write.uid
        else:
            self.pods[write.name].metadata.deletion_timestamp.seconds = int(self.now) + 30
