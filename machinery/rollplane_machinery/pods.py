"""What can be said of a pod by looking at it: finished, active, ready, available.

Source: kubernetes/kubernetes pkg/api/v1/pod/util.go (IsPodReady, IsPodAvailable) and pkg/controller/controller_utils.go
(IsPodActive); docs/semantics/pod-lifecycle.md section 7.
"""

from __future__ import annotations

import math

from rollplane.core.v1 import Pod, PodCondition
from rollplane_machinery.conditions import TRUE, get_condition, is_true
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.times import to_seconds

POD_READY = "Ready"
POD_SCHEDULED = "PodScheduled"
DISRUPTION_TARGET = "DisruptionTarget"
POD_INITIALIZED = "Initialized"

SCHEDULING_GATED = "SchedulingGated"
"""The reason of a pod that is not scheduled because of its spec.schedulingGates."""

PENDING, RUNNING, SUCCEEDED, FAILED = "Pending", "Running", "Succeeded", "Failed"
FINAL_PHASES = frozenset({SUCCEEDED, FAILED})
"""Phases that a pod never leaves."""


def is_pod_finished(pod: Pod) -> bool:
    """Return whether the pod has ended for good."""
    return pod.status.phase in FINAL_PHASES


def is_pod_active(pod: Pod) -> bool:
    """Return whether the pod runs or is about to: neither finished nor being deleted."""
    return not is_pod_finished(pod) and not is_being_deleted(pod.metadata)


def observe_generation(condition: PodCondition, pod: Pod) -> None:
    """Say in ``condition``, in place, which generation of the pod it was judged by, where pods have generations."""
    if pod.metadata.generation:
        condition.observed_generation = pod.metadata.generation


def is_pod_ready(pod: Pod) -> bool:
    """Return whether the pod's Ready condition is True."""
    return is_true(pod.status.conditions, POD_READY)


def ready_since(pod: Pod) -> float | None:
    """Return since when the pod is ready, in seconds since the epoch: 0.0 if it does not say, None if it is not."""
    ready = get_condition(pod.status.conditions, POD_READY)
    return to_seconds(ready.last_transition_time) if ready is not None and ready.status == TRUE else None


def available_after(since: float | None, min_ready_seconds: int) -> float | None:
    """Return the time after which a pod that is ready ``since`` then is available; not yet at that time itself.

    None while it is not ready, and for one that must have been ready for some time but does not say since when; -inf
    where nothing is to be waited for.
    """
    if since is not None and min_ready_seconds == 0:
        return -math.inf
    return since + min_ready_seconds if since else None


def is_available_since(since: float | None, min_ready_seconds: int, now: float) -> bool:
    """Return whether a pod that is ready ``since`` then is available at ``now``."""
    after = available_after(since, min_ready_seconds)
    return after is not None and after < now


def is_pod_available(pod: Pod, min_ready_seconds: int, now: float) -> bool:
    """Return whether the pod has been ready for longer than ``min_ready_seconds`` at ``now`` (0: at all)."""
    return is_available_since(ready_since(pod), min_ready_seconds, now)
