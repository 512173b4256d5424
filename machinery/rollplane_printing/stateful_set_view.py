"""A StatefulSet with its pods, sorted by ordinal, and the limits its update keeps.

Source of the rules: docs/semantics/statefulset.md sections 2, 3, 5 and 6.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rollplane.apps.v1 import StatefulSet
from rollplane.core.v1 import Pod
from rollplane_machinery.extensions import AUTO_ROLLBACK, HEAL_STUCK_ROLLOUT
from rollplane_machinery.metadata import controller_uid, is_being_deleted
from rollplane_machinery.pods import RUNNING, is_pod_available
from rollplane_machinery.well_known import REVISION_LABEL
from rollplane_planners.limits import stateful_set_max_unavailable

_NAME = re.compile(r"(.*)-(0|[1-9][0-9]*)")


@dataclass(frozen=True)
class StatefulSetView:
    """``slots`` holds the pod of each ordinal in range, None for one that is missing; ``surplus`` all other pods."""

    stateful_set: StatefulSet
    slots: Mapping[int, Pod | None]
    surplus: tuple[Pod, ...]

    @property
    def called(self) -> str:
        return f'statefulset "{self.stateful_set.metadata.name}"'

    @property
    def is_ordered(self) -> bool:
        return self.stateful_set.spec.pod_management_policy != "Parallel"

    @property
    def is_on_delete(self) -> bool:
        return self.stateful_set.spec.update_strategy.type == "OnDelete"

    @property
    def heals_itself(self) -> bool:
        """Whether the user lets the controller replace a broken pod that nobody wants any more."""
        annotations = self.stateful_set.metadata.annotations
        return any(annotations.get(name) == "true" for name in (HEAL_STUCK_ROLLOUT, AUTO_ROLLBACK))

    @property
    def first_updated(self) -> int:
        """The lowest ordinal that the update may touch."""
        return self.stateful_set.spec.ordinals.start + self.stateful_set.spec.update_strategy.rolling_update.partition

    @property
    def max_unavailable(self) -> int:
        """How many pods the update may take away at once: percentages round down, and it is at least one."""
        return stateful_set_max_unavailable(self.stateful_set)

    @property
    def outdated(self) -> tuple[Pod, ...]:
        """The pods that the update has still to replace, from the highest ordinal down."""
        within = sorted((at for at in self.slots if at >= self.first_updated), reverse=True)
        pods = (self.slots[at] for at in within)
        return tuple(
            pod for pod in pods if pod is not None and not self.is_updated(pod) and not is_being_deleted(pod.metadata)
        )

    def is_updated(self, pod: Pod) -> bool:
        return pod.metadata.labels.get(REVISION_LABEL, "") == self.stateful_set.status.update_revision

    def is_left_over(self, ordinal: int, pod: Pod) -> bool:
        """Whether the pod's template is no longer wanted where it is: the update would replace it, or nobody made it.

        Below the partition the current revision is as good as the new one.
        """
        revision, status = pod.metadata.labels.get(REVISION_LABEL, ""), self.stateful_set.status
        return revision not in (status.current_revision, status.update_revision) or (
            revision != status.update_revision and ordinal >= self.first_updated
        )

    def is_available(self, pod: Pod, now: float) -> bool:
        """Whether the pod can be counted on: it stays, runs, and has been ready for long enough."""
        least = self.stateful_set.spec.min_ready_seconds
        return pod.status.phase == RUNNING and not is_being_deleted(pod.metadata) and is_pod_available(pod, least, now)

    def first_unavailable(self, now: float) -> int | None:
        """Return the lowest ordinal in range whose pod is missing or cannot be counted on."""
        return next((at for at, pod in self.slots.items() if pod is None or not self.is_available(pod, now)), None)

    def unavailable(self, now: float) -> tuple[Pod, ...]:
        """Return the pods in range, by ordinal, that are there but cannot be counted on."""
        return tuple(pod for pod in self.slots.values() if pod is not None and not self.is_available(pod, now))

    @property
    def missing(self) -> tuple[int, ...]:
        """The ordinals in range that have no pod."""
        return tuple(at for at, pod in self.slots.items() if pod is None)

    def is_update_held(self, now: float) -> bool:
        """Whether the update may not delete an outdated pod now; there must be one.

        One by one, from the highest ordinal down, an outdated pod goes whatever its state, and what is updated already
        must be available before. Several at once, every unavailable pod in range uses up the limit.
        """
        if self.max_unavailable > 1:
            return len(self.unavailable(now)) + len(self.missing) >= self.max_unavailable
        return self._first_held(now) != self.outdated[0]

    def holding_update(self, now: float) -> tuple[Pod, ...]:
        """Return the pods that the update waits for while it is held; none when those are missing."""
        if self.max_unavailable > 1:
            return self.unavailable(now)
        first = self._first_held(now)
        return () if first is None else (first,)

    def _first_held(self, now: float) -> Pod | None:
        """The first slot from the top down to the partition that is not both updated and available."""
        within = sorted((at for at in self.slots if at >= self.first_updated), reverse=True)
        for pod in (self.slots[at] for at in within):
            if pod is None or not self.is_updated(pod) or not self.is_available(pod, now):
                return pod
        return None


def stateful_set_view(stateful_set: StatefulSet, pods: Iterable[Pod]) -> StatefulSetView:
    """Return the view; pods that the set does not control, or whose names hold no ordinal of it, are left out."""
    start, name = stateful_set.spec.ordinals.start, stateful_set.metadata.name
    slots: dict[int, Pod | None] = dict.fromkeys(range(start, start + stateful_set.spec.replicas))
    surplus: dict[int, Pod] = {}
    for pod in pods:
        ordinal = _ordinal(name, pod.metadata.name)
        if ordinal is None or controller_uid(pod.metadata) != stateful_set.metadata.uid:
            continue
        if ordinal in slots:
            slots[ordinal] = pod
        else:
            surplus[ordinal] = pod
    return StatefulSetView(stateful_set, slots, tuple(surplus[at] for at in sorted(surplus, reverse=True)))


def _ordinal(name: str, pod_name: str) -> int | None:
    found = _NAME.fullmatch(pod_name)
    return int(found[2]) if found is not None and found[1] == name else None
