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

_RESOURCES = frozenset({"cpu", "memory"})


def qos_class(spec: core.PodSpec) -> str:
    """Return the class of a pod with this defaulted ``spec``.

    Guaranteed: every container limits cpu and memory and requests as much. BestEffort: no container names either.
    Burstable: the rest. Init containers count as well.
    """
    classes = set()
    for containers in (spec.containers, spec.init_containers):
        for container in containers:
            classes.add(_class_of(container))
            if len(classes) > 1 or BURSTABLE in classes:
                return BURSTABLE
    return classes.pop() if classes else BEST_EFFORT


def _class_of(container: core.Container) -> str:
    """Return the class of a pod that has just this container."""
    if not container.HasField("resources"):
        return BEST_EFFORT
    resources = container.resources
    requests, limits = _amounts(resources.requests), _amounts(resources.limits)
    if not requests and not limits:
        return BEST_EFFORT
    return GUARANTEED if len(limits) == len(_RESOURCES) and requests == limits else BURSTABLE


def _amounts(named: Mapping[str, Quantity]) -> dict[str, int]:
    """Return what is named of cpu and memory, in nano units. Zero, and what is no quantity, counts as not named."""
    amounts = {name: _nanos(named[name].string) for name in named if name in _RESOURCES}
    return {name: amount for name, amount in amounts.items() if amount > 0}


def _nanos(text: str) -> int:
    try:
        return quantity.nanos(text)
    except BadRequestError:
        return 0
