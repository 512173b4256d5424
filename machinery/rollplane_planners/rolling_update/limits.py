"""How far an update may deviate from the desired size, and the next sizes within that: numbers only.

Source: docs/semantics/rolling-update.md section 7.
An example, desired 3, old 3: new 1 (4 in all) → when that pod is ready
4 - 3 - 0 = 1 old one may go → old 2 → new 2 → old 1 → new 3 → old 0. With a broken image the new pod is never
available: 4 - 3 - 1 = 0, and the update stops with old still 3.
"""

from __future__ import annotations

from dataclasses import dataclass

from rollplane_machinery.int_or_string import of, resolve


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many pods the two controllers are told to have."""

    new: int
    old: int

    @property
    def total(self) -> int:
        return self.new + self.old


@dataclass(frozen=True, slots=True)
class UpdateLimits:
    """Pods: how many are wanted, how many must stay available, how many more than wanted there may be."""

    desired: int
    min_available: int
    max_surge: int

    @property
    def max_total(self) -> int:
        return self.desired + self.max_surge

    def is_reached(self, sizes: Sizes) -> bool:
        """Tell whether there is nothing left to resize."""
        return sizes == Sizes(self.desired, 0)

    def grown(self, sizes: Sizes) -> int:
        """Return the new controller's next size, the present one when it may not grow.

        One that is larger than desired stays so: it has to be corrected by hand.
        """
        if sizes.new == self.desired:
            return sizes.new
        increment = self.desired - sizes.new if sizes.old == 0 else self.max_total - sizes.total
        return min(sizes.new + increment, self.desired) if increment > 0 else sizes.new

    def shrunk(self, sizes: Sizes, available: int) -> int:
        """Return the old controller's next size, with ``available`` pods of the new one that can stand in for its own.

        Pods of the new one that are not available are taken off what may go: they are part of the total, and no help.
        """
        decrement = sizes.total - self.min_available - (sizes.new - available)
        if sizes.old == 0 or decrement <= 0:
            return sizes.old
        if sizes.new == self.desired and available == self.desired:
            return 0
        return max(0, sizes.old - decrement)


def limits_of(desired: int, max_surge: int | str, max_unavailable: int | str) -> UpdateLimits:
    """Return the resolved limits: surge rounds up, unavailable down; were both 0, one pod may be missing.

    Nothing needs to stay available where nothing is desired. Raises InvalidError for a text that is no percentage.
    """
    surge = resolve(of(max_surge), desired, round_up=True)
    unavailable = resolve(of(max_unavailable), desired, round_up=False)
    if surge == 0 and unavailable == 0:
        unavailable = 1
    return UpdateLimits(desired, max(0, desired - unavailable), surge)
