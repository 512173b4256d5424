"""The rules about neighbours, one for each constraint: why a place may not take a pod, and how welcome it is there.

Source: docs/semantics/pod-lifecycle.md section 2, in the order and the words of kube-scheduler's plugins.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from rollplane_machinery.selectors.requirement import Labels
from rollplane_planners.scheduling.constraints import Spread
from rollplane_planners.scheduling.tallies import Tally

OWN = "node(s) didn't match pod anti-affinity rules"
OTHERS = "node(s) didn't satisfy existing pods anti-affinity rules"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why a node does not take a pod, in kube-scheduler's words; ``lasting``: whatever pods leave it."""

    sentences: tuple[str, ...]
    lasting: bool = False


UNEVEN = Obstacle(("node(s) didn't match pod topology spread constraints",))
NO_PLACE = Obstacle(("node(s) didn't match pod topology spread constraints (missing required label)",), lasting=True)
ALONE = Obstacle(("node(s) didn't match pod affinity rules",), lasting=True)


class Rule(Protocol):
    """What is asked of a node, by its labels ``keys`` alone."""

    @property
    def keys(self) -> Sequence[str]: ...

    def obstacle(self, labels: Labels) -> Obstacle | None:
        """Return why a node with these labels does not take the pod, None when it does."""


@dataclass(frozen=True, slots=True)
class Even:
    """A topology spread constraint that must hold."""

    spread: Spread
    tally: Tally

    @property
    def keys(self) -> Sequence[str]:
        return (self.spread.topology_key,)

    def obstacle(self, labels: Labels) -> Obstacle | None:
        place = labels.get(self.spread.topology_key)
        if place is None:
            return NO_PLACE
        counts = self.tally.counts
        least = self.tally.least() if len(counts) >= self.spread.min_domains else 0
        return UNEVEN if counts.get(place, 0) + self.spread.counts_itself - least > self.spread.max_skew else None


@dataclass(frozen=True, slots=True)
class Beside:
    """Required affinity: ``tallies`` are of the same pods, by one of ``keys`` each. The first pod needs no others."""

    keys: Sequence[str]
    tallies: Sequence[Tally]
    attracts_itself: bool

    def obstacle(self, labels: Labels) -> Obstacle | None:
        places = [labels.get(key) for key in self.keys]
        if None in places:
            return ALONE
        if all(tally.counts.get(str(place), 0) for tally, place in zip(self.tallies, places, strict=True)):
            return None
        is_first = self.attracts_itself and not any(any(tally.counts.values()) for tally in self.tallies)
        return None if is_first else ALONE


@dataclass(frozen=True, slots=True)
class Away:
    """Required anti-affinity, the pod's own or that of pods that run: nowhere where ``tally`` counts any."""

    key: str
    tally: Tally
    sentence: str

    @property
    def keys(self) -> Sequence[str]:
        return (self.key,)

    def obstacle(self, labels: Labels) -> Obstacle | None:
        place = labels.get(self.key)
        return Obstacle((self.sentence,)) if place is not None and self.tally.counts.get(place) else None


@dataclass(frozen=True, slots=True)
class Wish:
    """A preference: ``weight`` for each pod of the place, ``lost`` where the node is in none."""

    key: str
    tally: Tally
    weight: float
    lost: float = 0.0

    def cost(self, labels: Labels) -> float:
        """Return how unwelcome the pod is on a node with these labels; what attracts makes it negative."""
        place = labels.get(self.key)
        return self.lost if place is None else -self.weight * self.tally.counts.get(place, 0)


def even_wish(spread: Spread, tally: Tally) -> Wish:
    """Return the wish of a topology spread constraint that need not hold; more places weigh more."""
    return Wish(spread.topology_key, tally, -math.log(len(tally.counts) + 2), math.inf)
