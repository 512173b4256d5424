"""The sentence of FailedScheduling: how many nodes each obstacle rules out, and that preemption does not help."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from rollplane_machinery.releases import Release
from rollplane_planners.scheduling.rules import Obstacle

NO_NODES = "no nodes available to schedule pods"
NOT_HELPFUL = "Preemption is not helpful for scheduling"
NO_VICTIMS = "No preemption victims found for incoming pod"


def unavailable(obstacles: Sequence[Obstacle], release: Release) -> str:
    """Return the sentence; ``obstacles`` has one for each node."""
    if not obstacles:
        return NO_NODES
    said = Counter(sentence for one in obstacles for sentence in one.sentences)
    return _sentence(len(obstacles), _listed(said), sum(one.lasting for one in obstacles), release)


def without_claim(nodes: int, name: str, release: Release) -> str:
    """Return the sentence about a claim that is not there, which rules out all ``nodes``."""
    said = f'persistentvolumeclaim "{name}" not found'
    return _sentence(nodes, said, nodes, release) if nodes else NO_NODES


def _sentence(nodes: int, said: str, lasting: int, release: Release) -> str:
    available = f"0/{nodes} nodes are available: "
    preemption = available + _listed(Counter({NOT_HELPFUL: lasting, NO_VICTIMS: nodes - lasting}))
    return f"{available}{said}." + release.preemption_sentence.value.format(said=preemption)


def _listed(said: Counter[str]) -> str:
    return ", ".join(sorted(f"{count} {sentence}" for sentence, count in said.items() if count))
