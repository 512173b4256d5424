"""A pod's quality-of-service class, which follows from its requests and limits of cpu and memory."""

from __future__ import annotations

from collections.abc import Mapping

from rollplane.core import v1 as core
from rollplane.meta.v1 import Quantity
from rollplane_machinery import quantity
from rollplane_machinery.errors import BadRequestError

GUARANTEED = "Guaranteed"
BURSTABLE = "Burstable"
BEST_EFFORT = "BestEffort"

_RESOURCES = ("cpu", "memory")


def qos_class(spec: core.PodSpec) -> str:
    """Return the class of a pod with this defaulted ``spec``.

    Guaranteed: every container limits cpu and memory and requests as much. BestEffort: no container names either.
    Burstable: the rest. Init containers count; sidecars and all.
    """
    any_named, all_limited = False, True
    for containers in (spec.init_containers, spec.containers):
        for container in containers:
            requests, limits = _amounts(container.resources.requests), _amounts(container.resources.limits)
            any_named = any_named or bool(requests or limits)
            all_limited = all_limited and len(limits) == len(_RESOURCES) and requests == limits
    if not any_named:
        return BEST_EFFORT
    return GUARANTEED if all_limited else BURSTABLE


def _amounts(named: Mapping[str, Quantity]) -> dict[str, int]:
    """Return what is named of cpu and memory, in nano units. Zero, and what is no quantity, counts as not named."""
    amounts = {}
    for resource in _RESOURCES:
        if resource in named and (amount := _nanos(named[resource].string)) > 0:
            amounts[resource] = amount
    return amounts


def _nanos(text: str) -> int:
    try:
        return quantity.nanos(text)
    except BadRequestError:
        return 0
