"""One quota's usage, kept up object by object."""

from __future__ import annotations

import heapq
from collections.abc import Hashable

from rollplane_machinery import quantity
from rollplane_machinery.kinds import ApiObject, Kind
from rollplane_rules.admission.amounts import NOTHING, Amounts, rise, told
from rollplane_rules.admission.quota import Quota
from rollplane_rules.admission.usage import counted_of, gives_up_at, is_in_scope, usage_of


class Tally:
    """What the objects told of by ``put`` take of ``quota``; ``key`` is whatever tells objects of all kinds apart."""

    def __init__(self, quota: Quota) -> None:
        self.quota = quota
        self._hard = {name: quantity.nanos(amount) for name, amount in quota.hard.items()}
        self._used = dict.fromkeys(quota.hard, 0)  # in nano units
        self._written = dict.fromkeys(quota.hard, "0")  # an amount that tells how the sum is written
        self._taken: dict[Hashable, Amounts] = {}
        self._counted: dict[Kind, frozenset[str]] = {}
        self._ends: list[tuple[float, int, Hashable, Kind, ApiObject, Amounts]] = []
        self._puts = 0

    def counts(self, kind: Kind) -> frozenset[str]:
        """Return which of the limited resources objects of ``kind`` take."""
        known = self._counted.get(kind)
        if known is None:
            known = self._counted[kind] = counted_of(self.quota, kind)
        return known

    def draw(self, kind: Kind, obj: ApiObject, now: float) -> Amounts:
        """Return what ``obj`` takes of the quota."""
        if not self.concerns(kind, obj):
            return NOTHING
        usage = usage_of(kind, obj, now)
        return {name: usage[name] for name in self.counts(kind) if name in usage}

    def concerns(self, kind: Kind, obj: ApiObject) -> bool:
        """Tell whether ``obj`` is of those that the quota is about."""
        return bool(self.counts(kind)) and is_in_scope(self.quota, obj)

    def rise(self, kind: Kind, obj: ApiObject, old: ApiObject | None, now: float) -> Amounts:
        """Return by how much more ``obj`` takes than ``old``, which it is to replace, does; without what is nothing."""
        return rise(self.draw(kind, obj, now), NOTHING if old is None else self.draw(kind, old, now))

    def put(self, key: Hashable, kind: Kind, obj: ApiObject, now: float) -> None:
        """Count ``obj`` instead of what is known under ``key``."""
        if not self.counts(kind):
            return
        self.remove(key)
        taken = self.draw(kind, obj, now)
        if not taken:
            return
        self._taken[key] = taken
        self.add(taken)
        end = gives_up_at(obj)
        if end is not None and end >= now:
            self._puts += 1
            heapq.heappush(self._ends, (end, self._puts, key, kind, obj, taken))

    def remove(self, key: Hashable) -> None:
        """Count what is known under ``key`` no more."""
        if taken := self._taken.pop(key, None):
            self.subtract(taken)

    def add(self, taken: Amounts) -> None:
        """Count what belongs to no key."""
        for name, amount in taken.items():
            if not self._used[name]:
                self._written[name] = amount
            self._used[name] += quantity.nanos(amount)

    def subtract(self, taken: Amounts) -> None:
        """Undo ``add``."""
        for name, amount in taken.items():
            self._used[name] -= quantity.nanos(amount)

    def next_end(self, now: float) -> float | None:
        """Count no more the pods whose time to go has passed, and return when the next one's does."""
        while self._ends and self._ends[0][0] < now:
            _, _, key, kind, obj, taken = heapq.heappop(self._ends)
            if self._taken.get(key) is taken:
                self.put(key, kind, obj, now)
        return self._ends[0][0] if self._ends else None

    def used(self) -> Amounts:
        """Return what is used of each limited resource."""
        return {name: quantity.from_nanos(self._used[name], like) for name, like in self._written.items()}

    def exceeded_by(self, asked: Amounts) -> str:
        """Return Kubernetes' sentence where ``asked`` is more than there is left, "" where it is not."""
        beyond = sorted(name for name, amount in asked.items() if self._is_beyond(name, amount))
        if not beyond:
            return ""
        requested, used, limited = (told(amounts, beyond) for amounts in (asked, self.used(), self.quota.hard))
        return f"exceeded quota: {self.quota.name}, requested: {requested}, used: {used}, limited: {limited}"

    def _is_beyond(self, name: str, amount: str) -> bool:
        return self._used[name] + quantity.nanos(amount) > self._hard[name]
