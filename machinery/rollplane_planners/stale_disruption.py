"""Taking back what a pod says of its own end when nothing came of that: an eviction that somebody undid, say.

Source: kubernetes/kubernetes pkg/controller/disruption/disruption.go, syncStalePodDisruption.
"""

from __future__ import annotations

from rollplane.core.v1 import Pod, PodCondition
from rollplane_machinery.conditions import FALSE, set_condition
from rollplane_machinery.pods import DISRUPTION_TARGET, observe_generation
from rollplane_machinery.times import time_of
from rollplane_planners.model import NOTHING, Plan, UpdateObjectStatus
from rollplane_planners.pods import A_MOMENT, disrupted_since

STALE_SECONDS = 120.0
"""How long a pod that is about to go may be there without being deleted."""


def plan_stale_disruption(pod: Pod, now: float) -> Plan:
    """Return the plan that turns the condition DisruptionTarget False once it is two minutes old."""
    since = disrupted_since(pod)
    if since is None:
        return NOTHING
    remaining = since + STALE_SECONDS - now
    return Plan(requeue_after=remaining + A_MOMENT) if remaining > 0 else Plan((UpdateObjectStatus(_undone(pod, now)),))


def _undone(pod: Pod, now: float) -> Pod:
    """Return a copy of ``pod`` that is no target any more; reason and message go with what they told of."""
    undone = Pod()
    undone.CopyFrom(pod)
    condition = PodCondition(type=DISRUPTION_TARGET, status=FALSE, last_transition_time=time_of(now))
    observe_generation(condition, pod)
    set_condition(undone.status.conditions, condition)
    return undone
