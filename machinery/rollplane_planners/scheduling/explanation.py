"""The sentence of FailedScheduling: how many nodes each obstacle rules out, and what preemption comes to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from rollplane_machinery.releases import Release
from rollplane_planners.scheduling.preemption import NO_VICTIMS, NOT_HELPFUL
from rollplane_planners.scheduling.rules import Obstacle

NO_NODES = "no nodes available to schedule pods"


def unavailable(obstacles: Iterable[Obstacle]) -> str:
    """Return the sentence about nodes that do not take a pod, or would not even with victims gone.

    ``obstacles`` has one for each.
    """
    obstacles = list(obstacles)
    said = Counter(sentence for one in obstacles for sentence in one.sentences)
    return _sentence(len(obstacles), _listed(said)) if obstacles else NO_NODES


def without_victims(obstacles: Iterable[Obstacle]) -> str:
    """Return the sentence about preemption where no pod runs that might go; ``obstacles`` has one for each node."""
    return unavailable(NOT_HELPFUL if one.lasting else NO_VICTIMS for one in obstacles)


def claim_trouble(name: str, *, is_there: bool) -> str:
    """Return what is said of a claim that is not there, or is being deleted."""
    return f'persistentvolumeclaim "{name}" {"is being deleted" if is_there else "not found"}'


def everywhere(nodes: int, said: str) -> str:
    """Return the sentence about what rules out all ``nodes``."""
    return _sentence(nodes, said) if nodes else NO_NODES


def with_preemption(sentence: str, said: str, release: Release) -> str:
    """Return a sentence with what is ``said`` of preemption behind it."""
    return sentence if sentence == NO_NODES else sentence + release.preemption_sentence.value.format(said=said)


def _sentence(nodes: int, said: str) -> str:
    return f"0/{nodes} nodes are available: {said}."


def _listed(said: Counter[str]) -> str:
    return ", ".join(sorted(f"{count} {sentence}" for sentence, count in said.items()))
