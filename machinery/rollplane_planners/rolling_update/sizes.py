"""The next sizes of two controllers within the limits of their update: numbers only.

Source: docs/semantics/rolling-update.md section 7.
An example, desired 3, old 3: new 1 (4 in all) → when that pod is ready
4 - 3 - 0 = 1 old one may go → old 2 → new 2 → old 1 → new 3 → old 0. With a broken image the new pod is never
available: 4 - 3 - 1 = 0, and the update stops with old still 3.
"""

from __future__ import annotations

from dataclasses import dataclass

from rollplane_planners.limits import Limits


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many pods the two controllers are told to have."""

    new: int
    old: int

    @property
    def total(self) -> int:
        return self.new + self.old


def is_reached(limits: Limits, sizes: Sizes) -> bool:
    """Tell whether there is nothing left to resize."""
    return sizes == Sizes(limits.replicas, 0)


def grown(limits: Limits, sizes: Sizes) -> int:
    """Return the new controller's next size, the present one when it may not grow.

    One that is larger than wanted stays so: it has to be corrected by hand.
    """
    if sizes.new == limits.replicas:
        return sizes.new
    increment = limits.replicas - sizes.new if sizes.old == 0 else limits.max_total - sizes.total
    return min(sizes.new + increment, limits.replicas) if increment > 0 else sizes.new


def shrunk(limits: Limits, sizes: Sizes, available: int) -> int:
    """Return the old controller's next size, with ``available`` pods of the new one that can stand in for its own.

    Pods of the new one that are not available are taken off what may go: they are part of the total, and no help.
    """
    decrement = sizes.total - limits.min_available - (sizes.new - available)
    if sizes.old == 0 or decrement <= 0:
        return sizes.old
    if sizes.new == limits.replicas and available == limits.replicas:
        return 0
    return max(0, sizes.old - decrement)
