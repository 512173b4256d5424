"""The pods of a set sorted into slots: one for each ordinal in range, and those condemned (section 5)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rollplane.apps.v1 import StatefulSet
from rollplane_machinery.pods import PENDING, RUNNING
from rollplane_machinery.well_known import REVISION_LABEL
from rollplane_planners.pods import PodView
from rollplane_planners.stateful_set.identity import ordinal_of

ROLLING_UPDATE, ON_DELETE = "RollingUpdate", "OnDelete"


@dataclass(slots=True, eq=False)
class Slot:
    """An ordinal and the pod in it, None for one yet to be created; ``revision`` is the one it is, or will be, of."""

    ordinal: int
    pod: PodView | None
    revision: str

    @property
    def terminating(self) -> bool:
        return self.pod is not None and self.pod.terminating

    @property
    def created(self) -> bool:
        """Whether a kubelet or the server has given the pod a phase."""
        return self.pod is not None and self.pod.phase != ""

    @property
    def pending(self) -> bool:
        return self.pod is not None and self.pod.phase == PENDING

    @property
    def ended(self) -> bool:
        """Whether the pod has come to its end by itself."""
        return self.pod is not None and self.pod.finished

    @property
    def running_ready(self) -> bool:
        return self.pod is not None and self.pod.phase == RUNNING and self.pod.ready

    def is_outdated(self, update: str) -> bool:
        """Tell whether a pod of another revision than ``update`` is there, and stays."""
        return self.pod is not None and self.revision != update and not self.terminating

    def available(self, min_ready_seconds: int, now: float) -> bool:
        """Tell whether the pod runs and has been ready for long enough; a terminating one may still be."""
        return self.running_ready and self.pod is not None and self.pod.is_available(min_ready_seconds, now)

    def unavailable(self, min_ready_seconds: int, now: float) -> bool:
        """Tell whether nobody can count on the pod: it is missing, not available, or about to go."""
        return self.terminating or not self.available(min_ready_seconds, now)


@dataclass(slots=True)
class Slots:
    """``replicas`` ascending, one for each ordinal in range; ``condemned`` descending."""

    replicas: list[Slot]
    condemned: list[Slot]

    @property
    def all(self) -> list[Slot]:
        return [*self.replicas, *self.condemned]

    def first_unhealthy(self, min_ready_seconds: int, now: float) -> Slot | None:
        """Return the lowest slot without an available pod that stays; condemned ones come after all others."""
        for slot in (*self.replicas, *reversed(self.condemned)):
            if slot.unavailable(min_ready_seconds, now):
                return slot
        return None


def sort_out(stateful_set: StatefulSet, pods: Iterable[PodView], current: str, update: str) -> Slots:
    """Return the set's slots; names that hold no ordinal have been left out by claiming."""
    start = stateful_set.spec.ordinals.start
    ordinals = range(start, start + stateful_set.spec.replicas)
    replicas = {
        ordinal: Slot(ordinal, None, _version_of(stateful_set, ordinal, current, update)) for ordinal in ordinals
    }
    condemned = []
    for pod in pods:
        ordinal = ordinal_of(stateful_set, pod.name)
        if ordinal is None:
            continue
        slot = Slot(ordinal, pod, pod.labels.get(REVISION_LABEL, ""))
        if ordinal in replicas:
            replicas[ordinal] = slot
        else:
            condemned.append(slot)
    condemned.sort(key=lambda slot: -slot.ordinal)
    return Slots(list(replicas.values()), condemned)


def _version_of(stateful_set: StatefulSet, ordinal: int, current: str, update: str) -> str:
    """Return the revision a missing pod is created at: below the partition the current one."""
    strategy, start = stateful_set.spec.update_strategy, stateful_set.spec.ordinals.start
    if strategy.type != ROLLING_UPDATE:
        return update
    if not strategy.HasField("rolling_update"):
        return current if ordinal < start + stateful_set.status.current_replicas else update
    return current if ordinal < start + strategy.rolling_update.partition else update
