"""Usage of the quotas of one namespace, and what is held for writes on their way."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from rollplane.core.v1 import Pod
from rollplane_apiserver.store.interface import Reckoning
from rollplane_machinery.kinds import ApiObject, Kind
from rollplane_rules.admission.amounts import Amounts
from rollplane_rules.admission.quota import Quota
from rollplane_rules.admission.tally import Tally
from rollplane_rules.admission.usage import missing_of


@dataclass(slots=True, eq=False)
class Hold:
    """What a write on its way takes already; ``old`` is what it replaces, stored at ``base``."""

    kind: Kind
    obj: ApiObject
    old: ApiObject | None
    base: int
    uid: str
    reckoning: Reckoning
    drop: Callable[[Hold], None]
    distrust: Callable[[], None]
    is_settled: bool = False

    @property
    def namespace(self) -> str:
        return self.reckoning.ledger

    def keep(self) -> None:
        """It was made: hold on until the cache shows it."""
        self.is_settled = True

    def release(self) -> None:
        """It was not made, and will not be."""
        if not self.is_settled:
            self.is_settled = True
            self.drop(self)

    def lose(self) -> None:
        """Nobody knows whether it was made or will be."""
        if not self.is_settled:
            self.release()
            self.distrust()


@dataclass(slots=True)
class Book:
    """The quotas of one namespace with their usage, holds included; in the order in which they are asked."""

    quotas: Sequence[Quota]
    tallies: Sequence[Tally]
    held: dict[Hold, Sequence[Amounts]] = field(default_factory=dict)

    def counts(self, kind: Kind) -> bool:
        return any(tally.counts(kind) for tally in self.tallies)

    def put(self, key: str, kind: Kind, obj: ApiObject, now: float) -> None:
        for tally in self.tallies:
            tally.put((kind, key), kind, obj, now)

    def remove(self, key: str, kind: Kind) -> None:
        for tally in self.tallies:
            tally.remove((kind, key))

    def hold(self, hold: Hold, asked: Sequence[Amounts]) -> None:
        self.held[hold] = asked
        for tally, amounts in zip(self.tallies, asked, strict=True):
            tally.add(amounts)

    def drop(self, hold: Hold) -> None:
        for tally, amounts in zip(self.tallies, self.held.pop(hold, ()), strict=False):
            tally.subtract(amounts)

    def asked(self, kind: Kind, obj: ApiObject, old: ApiObject | None, now: float) -> Sequence[Amounts]:
        return [tally.rise(kind, obj, old, now) for tally in self.tallies]

    def refusal(self, kind: Kind, obj: ApiObject, asked: Sequence[Amounts], now: float) -> str:
        """Return why the quotas do not allow what ``obj`` takes, "" when they do.

        What is left unsaid comes before what is too much.
        """
        if isinstance(obj, Pod):
            for tally in self.tallies:
                if tally.concerns(kind, obj) and (missing := missing_of(tally.quota, obj)):
                    return f"failed quota: {tally.quota.name}: must specify {missing}"
        for tally, amounts in zip(self.tallies, asked, strict=True):
            tally.next_end(now)
            if why := tally.exceeded_by(amounts):
                return why
        return ""
