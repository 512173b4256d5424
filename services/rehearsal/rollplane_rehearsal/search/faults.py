"""The faults that a search puts into a scenario: which there are, and which of two is the simpler one. Pure values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from random import Random
from typing import Any

from rollplane_machinery.errors import BadRequestError

NODE, IMAGE, BY, PART, FOR = "node", "image", "by", "part", "for"

KINDS: Mapping[str, tuple[str, ...]] = {
    "drain": (NODE, FOR),
    "silence": (NODE, FOR),
    "restart kubelet": (NODE,),
    "unready": (NODE,),
    "slow pulls": (BY,),
    "kill controller": (),
    "restart controller": (),
    "add controller": (),
    "pause controller": (FOR,),
    "stall watches": (FOR,),
    "lose answers": (PART, FOR),
    "fill store": (FOR,),
    "break image": (IMAGE,),
}
"""Actions of a scenario that are faults, each with what can be said of it."""
USUAL = tuple(name for name in KINDS if name != "break image")
"""All but the one that no rollout to that image survives, and that would be found first each time."""

_LADDERS: Mapping[str, Sequence[str]] = {
    BY: ("5s", "10s", "20s", "30s", "60s"),
    PART: ("10%", "20%", "50%", "100%"),
    FOR: ("5s", "10s", "20s", "30s", "60s", "2m", "5m"),
}
"""What can be said, the mildest first."""


@dataclass(frozen=True, slots=True)
class Places:
    """What there is to be hit: nodes that pods were on, images that they had."""

    nodes: tuple[str, ...]
    images: tuple[str, ...]

    def ladder(self, what: str) -> Sequence[str]:
        """Return what can be said, the simplest first."""
        return {NODE: self.nodes, IMAGE: self.images}.get(what) or _LADDERS.get(what, ())


@dataclass(frozen=True, slots=True)
class Fault:
    """``action`` at ``at`` seconds after the first step; ``rungs`` are places on the ladders of what is said of it."""

    action: str
    at: float
    rungs: tuple[int, ...] = ()

    def step(self, places: Places) -> dict[str, Any]:
        """Return the step of a scenario that does it."""
        said = {what: places.ladder(what)[rung] for what, rung in zip(KINDS[self.action], self.rungs, strict=True)}
        value = next((said[what] for what in (NODE, IMAGE, BY, PART) if what in said), True)
        step: dict[str, Any] = {"at": f"{self.at:g}s", self.action: value}
        return step | {"for": said[FOR]} if FOR in said else step

    def simpler(self) -> Iterator[Fault]:
        """Yield what says the same more mildly, or at a rounder moment; each is simpler in one respect."""
        for place, rung in enumerate(self.rungs):
            for lower in range(rung):
                yield replace(self, rungs=(*self.rungs[:place], lower, *self.rungs[place + 1 :]))
        yield from (replace(self, at=at) for at in rounder(self.at))


_ROUND = (60.0, 10.0, 5.0, 1.0, 0.1)


def roundness(at: float) -> int:
    """Return how round a moment is: 0 for none at all, more for each place that it takes to write it."""
    if at == 0:
        return 0
    return next((rank for rank, unit in enumerate(_ROUND, 1) if _is_multiple(at, unit)), len(_ROUND) + 1)


def _is_multiple(at: float, unit: float) -> bool:
    return abs(at / unit - round(at / unit)) < 1e-9


def rounder(at: float) -> Iterator[float]:
    """Yield moments near ``at`` that are rounder, the roundest first."""
    seen = set()
    for unit in (0.0, *_ROUND):
        for moment in (0.0,) if unit == 0 else (at // unit * unit, -(-at // unit) * unit):
            found = round(moment, 3)
            if found not in seen and roundness(found) < roundness(at):
                seen.add(found)
                yield found


def draw(action: str, at: float, places: Places, dice: Random, *, harshest: bool) -> Fault:
    """Return a fault with all else left to the dice; of the ``harshest`` only where it is."""
    lengths = [len(places.ladder(what)) for what in KINDS[action]]
    drawn = [dice.randrange(length) for length in lengths]
    if harshest:
        drawn = [
            length - 1 if what in _LADDERS else rung
            for what, length, rung in zip(KINDS[action], lengths, drawn, strict=True)
        ]
    return Fault(action, at, tuple(drawn))


def read_kinds(written: Iterable[str]) -> tuple[str, ...]:
    """Return the kinds of fault that are asked for, all usual ones for none; raises BadRequestError."""
    asked = tuple(dict.fromkeys(written))
    for name in asked:
        if name not in KINDS:
            raise BadRequestError(f'"{name}" is no fault to search with; there are {", ".join(KINDS)}')
    return asked or USUAL
