"""Preemption: which pods of lower priority make way for one that finds no node, and on which node.

A node is tried without any of its pods of lower priority; when the pod fits then, as many of them as possible are let
back in, first those whose budgets would be broken, the more important before the less. What stays out are the victims.
Source: kubernetes/kubernetes pkg/scheduler/framework/preemption and plugins/defaultpreemption.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from rollplane_machinery.frozen import frozen
from rollplane_machinery.selectors.labels import LabelSelector
from rollplane_planners.scheduling.rules import Obstacle
from rollplane_planners.scheduling.tallies import Placed

NEVER = "not eligible due to preemptionPolicy=Never."
VICTIMS_ENDING = "not eligible due to a terminating pod on the nominated node."
NOT_HELPFUL = Obstacle(("Preemption is not helpful for scheduling",), lasting=True)
NO_VICTIMS = Obstacle(("No preemption victims found for incoming pod",))
LEAST_CANDIDATES, CANDIDATES_IN_TEN = 100, 1
_PRIORITY_OFFSET = 2**31
"""Makes every priority positive, so that each victim more makes a sum larger."""


@frozen
class Asker:
    """Who wants a node: how urgently, which one was ``nominated`` for it, and whether others may go for its sake."""

    uid: str = ""
    priority: int = 0
    nominated: str = ""
    preempts: bool = True


ANYBODY = Asker()


@frozen
class Budget:
    """A PodDisruptionBudget: how many more of its pods may go; ``disrupted`` are those that are granted already."""

    namespace: str
    selector: LabelSelector
    allowed: int
    disrupted: frozenset[str]

    def covers(self, pod: Placed) -> bool:
        """Tell whether the pod's going is charged to it."""
        return pod.namespace == self.namespace and self.selector.matches(pod.labels) and pod.name not in self.disrupted


@frozen
class Candidate:
    """A node, and the pods that would have to go, the more important first; ``violations`` of them break a budget."""

    node: str
    victims: tuple[Placed, ...]
    violations: int = 0


class Trial(Protocol):
    """A node on which the room of pods is given back and taken again, to see whether the asker fits then."""

    def free(self, pod: Placed) -> None: ...

    def take(self, pod: Placed) -> None: ...

    def obstacle(self) -> Obstacle | None: ...

    def fits(self) -> bool: ...


def candidate_limit(nodes: int) -> int:
    """Return of how many candidates one is chosen in a cluster of so many nodes."""
    return max(LEAST_CANDIDATES, nodes * CANDIDATES_IN_TEN // 10)


def try_node(
    node: str, tenants: Iterable[Placed], priority: int, budgets: Sequence[Budget], trial: Trial
) -> Candidate | Obstacle:
    """Return who would have to go for a pod of ``priority``, or what is in its way even then.

    ``tenants`` are the node's pods. The trial is left as it was.
    """
    lower = sorted([pod for pod in tenants if pod.priority < priority], key=_importance)
    if not lower:
        return NO_VICTIMS
    for pod in lower:
        trial.free(pod)
    obstacle = trial.obstacle()
    breaking, others = _split(lower, budgets)
    refused = {pod.uid for pod in lower} if obstacle else _not_let_in((*breaking, *others), trial)
    victims = tuple(pod for pod in lower if pod.uid in refused)
    for pod in victims:
        trial.take(pod)
    return obstacle or Candidate(node, victims, sum(pod.uid in refused for pod in breaking))


def _not_let_in(pods: Iterable[Placed], trial: Trial) -> set[str]:
    """Let each of ``pods`` back in that leaves room for the asker; return the others, by uid."""
    refused = set()
    for pod in pods:
        trial.take(pod)
        if not trial.fits():
            trial.free(pod)
            refused.add(pod.uid)
    return refused


def _importance(pod: Placed) -> tuple[float | str, ...]:
    """Order pods, the most important first: by priority, then the longest running; one not yet started is young."""
    return -pod.priority, _started(pod), pod.namespace, pod.name


def _started(pod: Placed) -> float:
    return math.inf if pod.started is None else pod.started


def _split(pods: Iterable[Placed], budgets: Sequence[Budget]) -> tuple[list[Placed], list[Placed]]:
    """Part the pods, each charged to its budgets in turn, into those that break one and the others."""
    left = {at: budget.allowed for at, budget in enumerate(budgets)}
    breaking: list[Placed] = []
    others: list[Placed] = []
    for pod in pods:
        charged = [at for at, budget in enumerate(budgets) if budget.covers(pod)]
        for at in charged:
            left[at] -= 1
        (breaking if any(left[at] < 0 for at in charged) else others).append(pod)
    return breaking, others


def best_of(candidates: Iterable[Candidate]) -> Candidate:
    """Return the one that harms least.

    Fewest broken budgets, then the lowest of the highest priorities, the lowest sum of priorities, fewest victims, the
    youngest of the most important victims; then the first by name. There must be one.
    """
    return min(candidates, key=_harm)


def _harm(candidate: Candidate) -> tuple[float | str, ...]:
    victims = candidate.victims
    highest = max((pod.priority for pod in victims), default=-_PRIORITY_OFFSET)
    total = sum(pod.priority + _PRIORITY_OFFSET for pod in victims)
    eldest = min((_started(pod) for pod in victims if pod.priority == highest), default=math.inf)
    return candidate.violations, highest, total, len(victims), -eldest, candidate.node


def awaits_victims(asker: Asker, tenants: Iterable[Placed], obstacles: Mapping[str, Obstacle]) -> bool:
    """Tell whether pods that went for the asker's sake are still ending on its node, which may take it then."""
    obstacle = obstacles.get(asker.nominated)
    if obstacle is None or obstacle.lasting:
        return False
    return any(pod.preempted and pod.priority < asker.priority for pod in tenants)
