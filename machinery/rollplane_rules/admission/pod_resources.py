"""What a pod requests and is limited to as a whole, as admission reckons it.

Source: kubernetes/component-helpers resource/helpers.go, PodRequests and PodLimits.
"""

from __future__ import annotations

from rollplane.core.v1 import Container, PodSpec
from rollplane_machinery import quantity
from rollplane_machinery.pod_totals import pod_total
from rollplane_rules.admission.amounts import NOTHING, Amounts, added, amounts_of, largest

_OF_THE_WHOLE = frozenset({"cpu", "memory"})
"""What a pod may ask for as a whole, and then whatever its containers say."""


def requests_of(spec: PodSpec) -> Amounts:
    """Return what a pod requests, overhead left out."""
    total = pod_total(spec, _requests, NOTHING, added, largest)
    return _overridden(total, amounts_of(spec.resources.requests)) if spec.HasField("resources") else total


def limits_of(spec: PodSpec) -> Amounts:
    """Return what a pod is limited to, overhead left out."""
    total = pod_total(spec, _limits, NOTHING, added, largest)
    return _overridden(total, amounts_of(spec.resources.limits)) if spec.HasField("resources") else total


def overhead_of(spec: PodSpec) -> Amounts:
    """Return what running the pod takes beside its containers."""
    return amounts_of(spec.overhead)


def with_overhead(limits: Amounts, overhead: Amounts) -> Amounts:
    """Return ``limits`` with the overhead, which raises those that are there and makes no new ones."""
    raised = {name: quantity.add(limits[name], amount) for name, amount in overhead.items() if name in limits}
    return {**limits, **raised}


def _requests(container: Container) -> Amounts:
    return amounts_of(container.resources.requests)


def _limits(container: Container) -> Amounts:
    return amounts_of(container.resources.limits)


def _overridden(total: Amounts, whole: Amounts) -> Amounts:
    return {**total, **{name: amount for name, amount in whole.items() if name in _OF_THE_WHOLE}}
