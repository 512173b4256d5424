"""What is tried, in which order: every kind of fault at moments around what happened in the unharmed run, then pairs.

Pure, and drawn by one seed: the same story and seed give the same trials.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, count, islice
from random import Random
from typing import Any

from rollplane_rehearsal.search.faults import KINDS, Fault, Places, draw

NEAR_SECONDS = 0.05
"""How long before and after a change a moment beside it is."""
WORST = 12
"""Of how many of the most harmful faults pairs are made first."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """The unharmed run of a seed: when pods changed, when each own step was taken (seconds), what there was to hit."""

    changes: Sequence[float]
    taken: Sequence[float]
    places: Places

    @property
    def moments(self) -> list[float]:
        """Moments worth a fault: at each change, just before it and just after."""
        near = (-NEAR_SECONDS, 0.0, NEAR_SECONDS)
        return sorted({max(0.0, round(at + by, 3)) for at in (0.0, *self.changes) for by in near})


@dataclass(frozen=True, slots=True)
class Trial:
    """A run with these faults, in the order of their moments."""

    seed: int
    faults: tuple[Fault, ...]

    def simpler(self) -> Iterator[Trial]:
        """Yield trials that are one step simpler: with a fault less, or one that is."""
        for place in range(len(self.faults)):
            yield Trial(self.seed, (*self.faults[:place], *self.faults[place + 1 :]))
        for place, fault in enumerate(self.faults):
            before, after = self.faults[:place], self.faults[place + 1 :]
            yield from (Trial(self.seed, in_order((*before, each, *after))) for each in fault.simpler())


def in_order(faults: Sequence[Fault]) -> tuple[Fault, ...]:
    """Return faults by their moments."""
    return tuple(sorted(faults, key=lambda each: each.at))


def script_of(own: Sequence[Any], timeline: Timeline, trial: Trial) -> list[Any]:
    """Return the steps of a trial: each fault behind those of its ``own`` steps that were taken by its moment."""
    placed: list[list[Any]] = [[] for _ in range(len(own) + 1)]
    for fault in trial.faults:
        done = sum(at <= fault.at for at in timeline.taken[: len(own)])
        placed[done].append(fault.step(timeline.places))
    return [step for place in range(len(own) + 1) for step in (*own[place - 1 : place], *placed[place])]


def singles(timelines: Mapping[int, Timeline], kinds: Sequence[str], seed: int, most: int) -> list[Trial]:
    """Return trials of one fault: all kinds in turn, each at moments that lie ever denser.

    Every other one is as harsh as it can be: what breaks then is made milder afterwards.
    """
    return list(islice(_singles(timelines, kinds, seed, most), most))


def _singles(timelines: Mapping[int, Timeline], kinds: Sequence[str], seed: int, most: int) -> Iterator[Trial]:
    seeds = list(timelines)
    moments = {each: spread(timeline.moments) for each, timeline in timelines.items()}
    dice = {kind: Random(f"{seed}/search/{kind}") for kind in kinds}
    seen = set()
    for turn in islice(count(), 20 * most):
        kind, number = kinds[turn % len(kinds)], turn // len(kinds)
        own = seeds[number % len(seeds)]
        places, at = timelines[own].places, moments[own][number % len(moments[own])]
        if not all(places.ladder(what) for what in KINDS[kind]):
            continue
        trial = Trial(own, (draw(kind, at, places, dice[kind], harshest=number % 2 == 0),))
        if trial not in seen:
            seen.add(trial)
            yield trial


def spread(moments: Sequence[float]) -> list[float]:
    """Return moments in an order in which those near each other come late: halves, quarters, eighths, …"""
    bits = len(moments).bit_length()
    return [moments[place] for place in sorted(range(len(moments)), key=lambda each: f"{each:0{bits}b}"[::-1])]


def pairs(harmed: Sequence[tuple[Trial, float]], seed: int, most: int) -> list[Trial]:
    """Return trials of two faults: first of those that did most harm alone, with each other; then by the dice."""
    ranked = [trial for trial, _ in sorted(harmed, key=lambda each: -each[1])]
    return list(islice(_pairs(ranked, Random(f"{seed}/search/pairs"), most), most))


def _pairs(ranked: Sequence[Trial], dice: Random, most: int) -> Iterator[Trial]:
    seen = set()
    drawn = ((dice.choice(ranked), dice.choice(ranked)) for _ in range(20 * most if len(ranked) > 1 else 0))
    for one, other in (*combinations(ranked[:WORST], 2), *drawn):
        trial = Trial(one.seed, in_order((*one.faults, *other.faults)))
        if one.seed == other.seed and one != other and trial not in seen:
            seen.add(trial)
            yield trial
