"""Whether a pod may be evicted: what its PodDisruptionBudget says, and what the eviction costs the budget.

Source: kubernetes/kubernetes pkg/registry/core/pod/storage/eviction.go.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rollplane.core.v1 import Pod, PodCondition
from rollplane.policy.v1 import PodDisruptionBudget
from rollplane_machinery.conditions import TRUE, set_condition
from rollplane_machinery.errors import Cause, CauseReason, ForbiddenError, InternalError, TooManyRequestsError
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.pods import DISRUPTION_TARGET, PENDING, is_pod_finished, is_pod_ready
from rollplane_machinery.selectors import label_selector_of
from rollplane_machinery.times import time_of

RETRY_AFTER_SECONDS = 10.0
MAX_DISRUPTED_PODS = 2000
ALWAYS_ALLOW = "AlwaysAllow"


def ignores_budgets(pod: Pod) -> bool:
    """Return whether evicting ``pod`` disrupts nothing: it never ran, has ended, or is going anyway."""
    return (
        is_being_deleted(pod.metadata) or not pod.spec.node_name or pod.status.phase == PENDING or is_pod_finished(pod)
    )


def budget_of(pod: Pod, budgets: Iterable[PodDisruptionBudget]) -> PodDisruptionBudget | None:
    """Return the budget of its namespace that covers ``pod``; raises InternalError when there are several."""
    found: Sequence[PodDisruptionBudget] = [budget for budget in budgets if _covers(budget, pod)]
    if len(found) > 1:
        raise InternalError(
            "This pod has more than one PodDisruptionBudget, which the eviction subresource does not support.",
            resource="pods",
            name=pod.metadata.name,
        )
    return found[0] if found else None


def _covers(budget: PodDisruptionBudget, pod: Pod) -> bool:
    selector = budget.spec.selector if budget.spec.HasField("selector") else None
    return label_selector_of(selector).matches(pod.metadata.labels)


def needs_no_allowance(pod: Pod, budget: PodDisruptionBudget) -> bool:
    """Return whether ``pod``, not being ready, may go without drawing on ``budget``."""
    if is_pod_ready(pod):
        return False
    status = budget.status
    if budget.spec.unhealthy_pod_eviction_policy == ALWAYS_ALLOW:
        return True
    return status.current_healthy >= status.desired_healthy > 0


def draw(budget: PodDisruptionBudget, pod: Pod, now: float) -> None:
    """Take one disruption from ``budget`` for ``pod``.

    Raises TooManyRequestsError when none is left or the budget was changed and not yet counted anew, ForbiddenError
    when the budget cannot be reckoned with.
    """
    name, status = budget.metadata.name, budget.status
    if status.observed_generation < budget.metadata.generation:
        why = f"The disruption budget {name} is still being processed by the server."
        raise _would_violate(pod, why, RETRY_AFTER_SECONDS)
    if status.disruptions_allowed < 0:
        raise ForbiddenError(f'pod disruption budget "{name}" allows a negative number of disruptions')
    if len(status.disrupted_pods) > MAX_DISRUPTED_PODS:
        raise ForbiddenError(f'pod disruption budget "{name}" waits for too many evictions to be confirmed')
    if status.disruptions_allowed == 0:
        needs = f"needs {status.desired_healthy} healthy pods and has {status.current_healthy} currently"
        raise _would_violate(pod, f"The disruption budget {name} {needs}")
    status.disruptions_allowed -= 1
    status.disrupted_pods[pod.metadata.name].CopyFrom(time_of(now))


def _would_violate(pod: Pod, why: str, retry_after_seconds: float | None = None) -> TooManyRequestsError:
    """Refuse an eviction; when its turn comes is known only where the budget is just being counted.

    Clients repeat by themselves, ten times, what comes with a delay: a drain has a patience of its own.
    """
    return TooManyRequestsError(
        "Cannot evict pod as it would violate the pod's disruption budget.",
        resource="pods",
        name=pod.metadata.name,
        causes=[Cause(CauseReason.DISRUPTION_BUDGET, "", why)],
        retry_after_seconds=retry_after_seconds,
    )


def mark_disrupted(pod: Pod, now: float) -> None:
    """Write into ``pod`` why it is about to go."""
    condition = PodCondition(
        type=DISRUPTION_TARGET,
        status=TRUE,
        reason="EvictionByEvictionAPI",
        message="Eviction API: evicting",
        last_transition_time=time_of(now),
    )
    set_condition(pod.status.conditions, condition)
