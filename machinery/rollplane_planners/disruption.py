"""How many pods a PodDisruptionBudget lets go now.

Source: kubernetes/kubernetes pkg/controller/disruption/disruption.go. The apiserver draws on the number when it grants
an eviction; this counts it anew from the pods that are there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from rollplane.meta.v1 import Condition, IntOrString, LabelSelector, Time
from rollplane.policy.v1 import PodDisruptionBudget
from rollplane_machinery import int_or_string
from rollplane_machinery.conditions import FALSE, TRUE
from rollplane_machinery.times import time_of, to_seconds
from rollplane_planners.model import Plan, PlanBuilder, PlannedEvent, Severity, UpdateObjectStatus
from rollplane_planners.pods import PodView
from rollplane_planners.reasons import wait

DELETION_TIMEOUT_SECONDS = 120.0
"""How long an eviction that was granted is believed in without its pod being deleted."""
DISRUPTION_ALLOWED = "DisruptionAllowed"


@dataclass(frozen=True, slots=True)
class Scale:
    """Whose number of pods it is, by uid, and how many that owner wants."""

    uid: str
    replicas: int


ScaleOf = Callable[[PodView], Scale | None]
"""Returns the scale of a pod's controller, or of the Deployment above it; None when no such controller is known."""


@dataclass(frozen=True, slots=True)
class DisruptionView:
    """A budget and the pods it selects. Each pod's controller is asked for once."""

    budget: PodDisruptionBudget
    pods: Sequence[PodView]
    scale_of: ScaleOf


@dataclass(frozen=True, slots=True)
class Expectation:
    """``expected`` pods there should be, ``healthy`` of them must be ready."""

    expected: int
    healthy: int


class UncountableError(Exception):
    """It cannot be told how many pods there should be."""


def plan_disruption(view: DisruptionView, now: float) -> Plan:
    """Return the plan that brings the budget's status up to date.

    A budget whose pods have no countable controller allows nothing (condition SyncFailed), which is the safe side.
    """
    builder = PlanBuilder()
    if not view.pods:
        builder.events.append(PlannedEvent("NoPods", "No matching pods found"))
    if _asks_for_scales(view.budget) and any(pod.controller_uid is None for pod in view.pods):
        builder.events.append(_unmanaged(view.budget))
    try:
        wanted = expectation(view)
    except UncountableError as exc:
        text = f"Failed to calculate the number of expected pods: {exc}"
        builder.events.append(PlannedEvent("CalculateExpectedPodCountFailed", text, Severity.WARNING))
        builder.reasons.append(wait("SyncFailed", f"cannot be counted: {exc}"))
        _write(builder, view.budget, _failed(view.budget, str(exc), now))
        return builder.plan()
    disrupted = _still_disrupted(view, builder, now)
    healthy = sum(pod.ready and not pod.terminating and pod.name not in disrupted for pod in view.pods)
    _write(builder, view.budget, _counted(view.budget, wanted, healthy, disrupted, now))
    return builder.plan()


def _asks_for_scales(budget: PodDisruptionBudget) -> bool:
    """Tell whether it matters how many pods there should be."""
    spec = budget.spec
    return spec.HasField("max_unavailable") or spec.min_available.type == int_or_string.STRING


def _unmanaged(budget: PodDisruptionBudget) -> PlannedEvent:
    """Return the event of a budget that also selects pods which nobody controls, and cannot count them."""
    text = (
        f"Pods selected by this PodDisruptionBudget (selector: {_in_go(budget.spec.selector)}) were found to "
        "be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in "
        'undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an '
        "integer value."
    )
    return PlannedEvent("UnmanagedPods", text, Severity.WARNING)


def _in_go(selector: LabelSelector) -> str:
    """Return a selector as Go prints it, which is what people search for."""
    labels = "".join(f"{key}: {value}," for key, value in sorted(selector.match_labels.items()))
    terms = "".join(
        f"LabelSelectorRequirement{{Key:{one.key},Operator:{one.operator},Values:[{' '.join(one.values)}],}},"
        for one in selector.match_expressions
    )
    maps = f"map[string]string{{{labels}}}"
    return f"&LabelSelector{{MatchLabels:{maps},MatchExpressions:[]LabelSelectorRequirement{{{terms}}},}}"


def expectation(view: DisruptionView) -> Expectation:
    """Return how many pods there should be and must be ready; raises UncountableError.

    Percentages, and everything that is reckoned from what may be missing, count from what the controllers want; a plain
    ``min_available`` from the pods that are there. Both are rounded up.
    """
    spec = view.budget.spec
    if spec.HasField("max_unavailable"):
        expected = _expected_scale(view)
        return Expectation(expected, max(0, expected - _resolve(spec.max_unavailable, expected)))
    if spec.HasField("min_available"):
        plain = spec.min_available.type == int_or_string.INT
        expected = len(view.pods) if plain else _expected_scale(view)
        return Expectation(expected, _resolve(spec.min_available, expected))
    return Expectation(0, 0)


def _resolve(value: IntOrString, total: int) -> int:
    return int_or_string.resolve(value, total, round_up=True)


def _expected_scale(view: DisruptionView) -> int:
    """Return what the owners of the pods' scales want together; pods without a controller do not count.

    Summed by the uid of the scale's owner: in a rollout the pods of two ReplicaSets are those of one Deployment.
    """
    scales: dict[str, Scale] = {}
    for pod in view.pods:
        if pod.controller_uid is None or pod.controller_uid in scales:
            continue
        scale = view.scale_of(pod)
        if scale is None:
            raise UncountableError(f'found no controllers for pod "{pod.name}"')
        scales[pod.controller_uid] = scale
    return sum({scale.uid: scale.replicas for scale in scales.values()}.values())


def _still_disrupted(view: DisruptionView, builder: PlanBuilder, now: float) -> dict[str, Time]:
    """Return the evictions that were granted and not yet seen, and look again when the first of them is too old."""
    granted: Mapping[str, Time] = view.budget.status.disrupted_pods
    disrupted = {}
    for pod in view.pods:
        if pod.name not in granted or pod.terminating:
            continue
        remaining = to_seconds(granted[pod.name]) + DELETION_TIMEOUT_SECONDS - now
        if remaining < 0:
            budget = view.budget.metadata
            text = f"Pod {pod.name} was expected by PDB {budget.namespace}/{budget.name} to be deleted but it wasn't"
            builder.events.append(PlannedEvent("NotDeleted", text, Severity.WARNING))
            continue
        disrupted[pod.name] = granted[pod.name]
        builder.requeue(remaining + 1)
    return disrupted


def _counted(
    budget: PodDisruptionBudget, wanted: Expectation, healthy: int, disrupted: Mapping[str, Time], now: float
) -> PodDisruptionBudget:
    new = _copy(budget)
    allowed = healthy - wanted.healthy if wanted.expected > 0 else 0
    status = new.status
    status.current_healthy = healthy
    status.desired_healthy = wanted.healthy
    status.expected_pods = wanted.expected
    status.disruptions_allowed = max(0, allowed)
    status.observed_generation = budget.metadata.generation
    status.disrupted_pods.clear()
    for name, time in disrupted.items():
        status.disrupted_pods[name].CopyFrom(time)
    if allowed > 0:
        _set_allowed(new, TRUE, "SufficientPods", "", now)
    else:
        _set_allowed(new, FALSE, "InsufficientPods", "", now)
    return new


def _failed(budget: PodDisruptionBudget, message: str, now: float) -> PodDisruptionBudget:
    new = _copy(budget)
    new.status.disruptions_allowed = 0
    _set_allowed(new, FALSE, "SyncFailed", message, now)
    return new


def _set_allowed(budget: PodDisruptionBudget, status: str, reason: str, message: str, now: float) -> None:
    """Write the condition in place; its time stays as long as its status does."""
    conditions = budget.status.conditions
    present = next((one for one in conditions if one.type == DISRUPTION_ALLOWED), None)
    since = present.last_transition_time if present is not None and present.status == status else time_of(now)
    condition = Condition(
        type=DISRUPTION_ALLOWED,
        status=status,
        observed_generation=budget.status.observed_generation,
        last_transition_time=since,
        reason=reason,
        message=message,
    )
    if present is None:
        conditions.append(condition)
    else:
        present.CopyFrom(condition)


def _copy(budget: PodDisruptionBudget) -> PodDisruptionBudget:
    new = PodDisruptionBudget()
    new.CopyFrom(budget)
    return new


def _write(builder: PlanBuilder, old: PodDisruptionBudget, new: PodDisruptionBudget) -> None:
    if new.status != old.status:
        builder.writes.append(UpdateObjectStatus(new))
