"""One sync of a ReplicaSet or ReplicationController (docs/semantics/replicaset.md): one algorithm serves both."""

from __future__ import annotations

from collections.abc import Callable, Mapping, MutableSequence, Sequence
from dataclasses import dataclass
from functools import partial

from rollplane.apps.v1 import ReplicaSet, ReplicaSetCondition
from rollplane.core.v1 import Pod, ReplicationController, ReplicationControllerCondition
from rollplane_machinery.conditions import TRUE, AnyCondition, get_condition, remove_condition
from rollplane_machinery.frozen import frozen
from rollplane_machinery.kinds import POD, REPLICA_SET, REPLICATION_CONTROLLER
from rollplane_machinery.releases import LATEST, Release
from rollplane_machinery.selectors import pod_selector_of
from rollplane_machinery.times import time_of
from rollplane_planners import reasons
from rollplane_planners.claims import Owner, claim_pods
from rollplane_planners.model import (
    CreatePods,
    DeleteObject,
    Plan,
    PlanBuilder,
    PlannedEvent,
    UpdateObjectStatus,
)
from rollplane_planners.pods import PodView, seconds_until_available
from rollplane_planners.reasons import Reason
from rollplane_planners.victims import choose_victims

BURST = 500
"""Most pods created or deleted in one sync."""
REPLICA_FAILURE = "ReplicaFailure"

PodController = ReplicaSet | ReplicationController


@dataclass(frozen=True, slots=True)
class ManageFailure:
    """What the last attempt to create or delete pods failed of."""

    reason: str
    message: str


@frozen
class ReplicaSetView:
    """A ReplicaSet and its surroundings, as last observed.

    ``pods`` are those it controls and the orphans of its namespace; finished ones count in no number, terminating
    ones in one of their own. ``fetch`` reads one of them whole, for an adoption. ``related_on_node`` counts the active
    pods of all ReplicaSets with the same controller by node, and is asked for only when pods are to be chosen.
    """

    owner: PodController
    pods: Sequence[PodView]
    fetch: Callable[[PodView], Pod]
    related_on_node: Callable[[], Mapping[str, int]] = dict
    failure: ManageFailure | None = None
    release: Release = LATEST


def plan_replica_set(view: ReplicaSetView, now: float) -> Plan:
    """Return what brings the number of pods to the declared one; ``now`` is seconds since the epoch."""
    return _Sync(view, now).run()


class _Sync:
    def __init__(self, view: ReplicaSetView, now: float) -> None:
        self.view = view
        self.now = now
        kind = REPLICA_SET if isinstance(view.owner, ReplicaSet) else REPLICATION_CONTROLLER
        self.owner = Owner.of(kind, view.owner.metadata)
        self.result = PlanBuilder()

    def run(self) -> Plan:
        owned = self._claim([pod for pod in self.view.pods if pod.active])
        if self.result.writes:
            # Adopted or released pods are counted once they are ours, or gone, in the store too: should an adoption
            # fail, a pod deleted to make room for it would be missing.
            return self.result.plan()
        if not self.owner.deleting:
            self._manage(owned)
        self._write_status(owned)
        min_ready = self.view.owner.spec.min_ready_seconds
        self.result.requeue(seconds_until_available(owned, min_ready, self.now))
        self.result.explain = partial(self._explain, owned)
        return self.result.plan()

    def _claim(self, pods: Sequence[PodView]) -> list[PodView]:
        """Return the pods that are ours; plan adoptions and releases."""
        selector = pod_selector_of(self.view.owner)
        return claim_pods(
            self.owner,
            pods,
            selects=lambda pod: selector.matches(pod.labels),
            fetch=self.view.fetch,
            result=self.result,
        )

    def _manage(self, owned: Sequence[PodView]) -> None:
        """Plan creations or deletions, at most BURST of them."""
        surplus = len(owned) - self.view.owner.spec.replicas
        if surplus < 0:
            prefix = f"{self.owner.name}-"
            self.result.writes.append(CreatePods(min(-surplus, BURST), prefix, self.view.owner.spec.template))
        elif surplus > 0:
            count, crowd = min(surplus, BURST), self.view.related_on_node()
            victims = choose_victims(owned, count, crowd, self.now, self.view.release)
            self.result.writes.extend(self._deletion(pod) for pod in victims)

    def _deletion(self, pod: PodView) -> DeleteObject:
        event = PlannedEvent("SuccessfulDelete", f"Deleted pod: {pod.name}")
        return DeleteObject(POD, pod.namespace, pod.name, pod.uid, (event,))

    def _write_status(self, owned: Sequence[PodView]) -> None:
        """Plan the status if it differs: it counts the pods as they were before this sync's own writes."""
        owner = self.view.owner
        wanted = _told_by(owner)
        status = wanted.status
        template_labels = dict(owner.spec.template.metadata.labels).items()
        min_ready = owner.spec.min_ready_seconds
        ready = [pod for pod in owned if pod.ready]
        counts = {
            "fully_labeled_replicas": len([pod for pod in owned if template_labels <= pod.labels.items()]),
            "ready_replicas": len(ready),
            "available_replicas": len([pod for pod in ready if pod.is_available(min_ready, self.now)]),
            "observed_generation": owner.metadata.generation,
        }
        status.replicas = len(owned)
        for field, value in counts.items():
            if getattr(status, field) != value:
                setattr(status, field, value)
        if isinstance(wanted, ReplicaSet):
            self._count_terminating(wanted)
            _show_failure(wanted.status.conditions, ReplicaSetCondition, self.view.failure, self.now)
        else:
            _show_failure(wanted.status.conditions, ReplicationControllerCondition, self.view.failure, self.now)
        if wanted.status != self.view.owner.status:
            self.result.writes.append(UpdateObjectStatus(wanted, regardless=True))

    def _count_terminating(self, wanted: ReplicaSet) -> None:
        """Count the pods that are on their way out, in place; a release that does not tell leaves the number out."""
        if not self.view.release.terminating_replicas:
            wanted.status.ClearField("terminating_replicas")
            return
        selector = pod_selector_of(self.view.owner)
        wanted.status.terminating_replicas = sum(
            pod.terminating
            and not pod.finished
            and pod.controller_uid == self.owner.uid
            and selector.matches(pod.labels)
            for pod in self.view.pods
        )

    def _explain(self, owned: Sequence[PodView]) -> Sequence[Reason]:
        """Return what keeps the object from having its pods available."""
        owner, least = self.view.owner, self.view.owner.spec.min_ready_seconds
        found = []
        if failure := _failure_of(self.view):
            found.append(reasons.refused(failure.reason, failure.message))
        waiting = [pod for pod in owned if not pod.is_available(least, self.now)]
        if about := reasons.about_pods(waiting, "pod", least, self.now):
            found.append(about)
        if len(owned) != owner.spec.replicas or not (found or _is_told(owner)):
            found.append(reasons.step())
        mine = [pod for pod in self.view.pods if pod.controller_uid == self.owner.uid]
        if found and (failed := reasons.about_failed(mine, "pod")):
            found.append(failed)
        return found


def _told_by(owner: PodController) -> PodController:
    """Return what a write of the status sends of ``owner``, to be changed: the spec stays the stored one."""
    if isinstance(owner, ReplicaSet):
        return ReplicaSet(metadata=owner.metadata, status=owner.status)
    return ReplicationController(metadata=owner.metadata, status=owner.status)


def _failure_of(view: ReplicaSetView) -> ManageFailure | None:
    """Return what keeps pods from being made, as met last, or as the status tells it."""
    stored = next((one for one in view.owner.status.conditions if one.type == REPLICA_FAILURE), None)
    if view.failure is not None or stored is None or stored.status != TRUE:
        return view.failure
    return ManageFailure(stored.reason, stored.message)


def _is_told(owner: PodController) -> bool:
    """Tell whether the status says that all pods are there and available."""
    return owner.status.replicas == owner.status.available_replicas == owner.spec.replicas


def _show_failure(
    conditions: MutableSequence[AnyCondition], make: type[AnyCondition], failure: ManageFailure | None, now: float
) -> None:
    """Show or clear the ReplicaFailure condition; one that stands is not rewritten."""
    if failure is None:
        remove_condition(conditions, REPLICA_FAILURE)
    elif get_condition(conditions, REPLICA_FAILURE) is None:
        condition = make(type=REPLICA_FAILURE, status=TRUE, reason=failure.reason, message=failure.message)
        condition.last_transition_time.CopyFrom(time_of(now))
        conditions.append(condition)
