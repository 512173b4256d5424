"""Why a ReplicaSet or ReplicationController has not the pods it wants (docs/semantics/replicaset.md)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rollplane.apps.v1 import ReplicaSet
from rollplane.core.v1 import Pod, ReplicationController
from rollplane_machinery.conditions import TRUE
from rollplane_machinery.metadata import controller_uid
from rollplane_machinery.pods import is_pod_active, is_pod_available
from rollplane_printing.findings import (
    COMPLETE,
    TERMINATING,
    Diagnosis,
    counted,
    failing,
    next_step,
    on_their_way,
    unobserved,
    without_node,
)

Replicated = ReplicaSet | ReplicationController


@dataclass(frozen=True, slots=True)
class ReplicasView:
    """``waiting`` are the pods that are not available, ``ending`` those that are being deleted or have ended."""

    owner: Replicated
    live: tuple[Pod, ...]
    waiting: tuple[Pod, ...]
    ending: tuple[Pod, ...]

    @property
    def called(self) -> str:
        return f'{type(self.owner).__name__.lower()} "{self.owner.metadata.name}"'


def replicas_view(owner: Replicated, pods: Iterable[Pod], now: float) -> ReplicasView:
    """Return the view as of ``now``; pods that ``owner`` does not control are left out."""
    mine = [pod for pod in pods if controller_uid(pod.metadata) == owner.metadata.uid]
    mine.sort(key=lambda pod: str(pod.metadata.name))
    ending = tuple(pod for pod in mine if not is_pod_active(pod))
    live = tuple(pod for pod in mine if pod not in ending)
    waiting = tuple(pod for pod in live if not is_pod_available(pod, owner.spec.min_ready_seconds, now))
    return ReplicasView(owner, live, waiting, ending)


def diagnose_replicas(view: ReplicasView) -> Diagnosis:
    """Return what the object waits for; it is stuck when it has all its pods, and those that wait all fail."""
    spec, status = view.owner.spec, view.owner.status
    return (
        unobserved(view.called, view.owner.metadata, status.observed_generation)
        or _complete(view)
        or _refused(view)
        or _troubled(view)
        or without_node(view.called, view.waiting, "pod")
        or on_their_way(view.called, view.waiting, "pod", spec.min_ready_seconds)
        or _ending(view)
        or next_step(view.called)
    )


def _complete(view: ReplicasView) -> Diagnosis | None:
    wanted, status = view.owner.spec.replicas, view.owner.status
    if not status.replicas == status.available_replicas == wanted or view.waiting:
        return None
    sentence = f"is complete: {counted(wanted, 'pod')} {'is' if wanted == 1 else 'are'} available"
    return Diagnosis(f"{view.called} {sentence}", COMPLETE)


def _refused(view: ReplicasView) -> Diagnosis | None:
    conditions = view.owner.status.conditions
    failure = next((each for each in conditions if each.type == "ReplicaFailure" and each.status == TRUE), None)
    if failure is None:
        return None
    return Diagnosis(f"{view.called} cannot have its pods made: {failure.message}", failure.reason)


def _troubled(view: ReplicasView) -> Diagnosis | None:
    found = failing(view.waiting)
    if found is None:
        return None
    settled = len(view.live) == view.owner.spec.replicas == view.owner.status.replicas
    if settled and len(found.pods) == len(view.waiting):
        sentence = f"cannot proceed: {found.told('pod')}; nothing else can move"
        return Diagnosis(f"{view.called} {sentence}", found.trouble.reason, found.pods, is_stuck=True)
    return Diagnosis(f"{view.called} waits while {found.told('pod')}", found.trouble.reason, found.pods)


def _ending(view: ReplicasView) -> Diagnosis | None:
    if not view.ending:
        return None
    sentence = f"waits for {counted(len(view.ending), 'pod')} to end"
    return Diagnosis(f"{view.called} {sentence}", TERMINATING, view.ending)
