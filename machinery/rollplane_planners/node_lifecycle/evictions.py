"""Which pods a NoExecute taint drives away and when, and what is written on them."""

from __future__ import annotations

import math
from collections.abc import Sequence

from rollplane.core.v1 import Pod, PodCondition, Taint, Toleration
from rollplane_machinery.conditions import FALSE, TRUE, get_condition, set_condition
from rollplane_machinery.pods import DISRUPTION_TARGET, POD_READY, observe_generation
from rollplane_machinery.times import time_of
from rollplane_planners.scheduling.node_affinity import tolerates

BY_TAINT_MANAGER = "DeletionByTaintManager"


def tolerated_seconds(taints: Sequence[Taint], tolerations: Sequence[Toleration]) -> float:
    """Return how long a pod with ``tolerations`` may stay under ``taints``: 0 must go now, infinity may stay.

    Every taint must be tolerated; of the tolerations that match any of them the shortest counts.
    """
    matching: list[Toleration] = []
    for taint in taints:
        covering = [one for one in tolerations if tolerates((one,), taint)]
        if not covering:
            return 0.0
        matching += covering
    return min((_seconds(toleration) for toleration in matching), default=math.inf)


def _seconds(toleration: Toleration) -> float:
    if not toleration.HasField("toleration_seconds"):
        return math.inf
    return max(0.0, float(toleration.toleration_seconds))


def marked_not_ready(pod: Pod, now: float) -> Pod | None:
    """Return a copy of ``pod`` that is not Ready, all else untouched; None when it is not Ready already."""
    ready = get_condition(pod.status.conditions, POD_READY)
    if ready is None or ready.status == FALSE:
        return None
    marked = Pod()
    marked.CopyFrom(pod)
    condition = PodCondition()
    condition.CopyFrom(ready)
    condition.status = FALSE
    condition.last_transition_time.CopyFrom(time_of(now))
    observe_generation(condition, pod)
    set_condition(marked.status.conditions, condition)
    return marked


def is_marked_for_eviction(pod: Pod) -> bool:
    """Tell whether the pod says already what ``marked_for_eviction`` would write."""
    said = get_condition(pod.status.conditions, DISRUPTION_TARGET)
    return said is not None and said.status == TRUE and said.reason == BY_TAINT_MANAGER


def marked_for_eviction(pod: Pod, now: float) -> Pod:
    """Return a copy of ``pod`` that says why it is about to go."""
    marked = Pod()
    marked.CopyFrom(pod)
    condition = PodCondition(
        type=DISRUPTION_TARGET,
        status=TRUE,
        reason=BY_TAINT_MANAGER,
        message="Taint manager: deleting due to NoExecute taint",
        last_transition_time=time_of(now),
    )
    observe_generation(condition, pod)
    set_condition(marked.status.conditions, condition)
    return marked
