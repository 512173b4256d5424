"""Amounts of what nodes offer and pods ask for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache

from rollplane_machinery import quantity
from rollplane_machinery.frozen import frozen

CPU, MEMORY, PODS = "cpu", "memory", "pods"

Others = tuple[tuple[str, int], ...]


@frozen
class Resources:
    """CPU in thousandths of a core, memory in bytes; ``others`` (storage in bytes, devices) by name, sorted."""

    cpu: int = 0
    memory: int = 0
    others: Others = ()

    def __add__(self, other: Resources) -> Resources:
        if other is NOTHING:
            return self
        others = _merged(self.others, other.others, int.__add__) if other.others else self.others
        return Resources(self.cpu + other.cpu, self.memory + other.memory, others)

    def __sub__(self, other: Resources) -> Resources:
        others = _merged(self.others, other.others, int.__sub__) if other.others else self.others
        return Resources(self.cpu - other.cpu, self.memory - other.memory, others)

    def at_least(self, other: Resources) -> Resources:
        """Return the larger of each resource."""
        others = _merged(self.others, other.others, max) if other.others else self.others
        return Resources(max(self.cpu, other.cpu), max(self.memory, other.memory), others)


NOTHING = Resources()


@lru_cache(maxsize=4_096)
def same_resources(cpu: int, memory: int, others: Others) -> Resources:
    """Return such an amount, the same each time: most pods are made from few templates."""
    return Resources(cpu, memory, others)


def resources_of(quantities: Mapping[str, object]) -> Resources:
    """Return what a resource list holds, the number of pods apart; rounded up, CPU to a thousandth."""
    cpu, memory = quantities.get(CPU), quantities.get(MEMORY)
    others: Others = ()
    if len(quantities) > (cpu is not None) + (memory is not None):
        others = tuple(sorted((name, _scaled(one, 1)) for name, one in quantities.items() if name not in _APART))
    return Resources(_scaled(cpu, 1000), _scaled(memory, 1), others)


_APART = frozenset({CPU, MEMORY, PODS})


def _scaled(value: object, scale: int) -> int:
    text = getattr(value, "string", "")
    return -int(-quantity.parse(text) * scale // 1) if text else 0


def _merged(some: Others, more: Others, both: Callable[[int, int], int]) -> Others:
    amounts = dict(some)
    for name, amount in more:
        amounts[name] = both(amounts.get(name, 0), amount)
    return tuple(sorted(amounts.items()))
