"""What the engine observes: the pair of controllers and their pods."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rollplane.core.v1 import Pod, ReplicationController
from rollplane_planners.pods import PodView


@dataclass(frozen=True, slots=True)
class RollingUpdateView:
    """An update's two controllers, as last observed.

    ``target`` grows and carries the state; ``source`` is whatever bears the name of the one it replaces, None when
    there is none. ``target_pods`` are those that the target controls, ``source_pods`` those of the source and the
    orphans of the namespace. ``fetch`` reads one of them whole.
    """

    target: ReplicationController
    source: ReplicationController | None
    target_pods: Sequence[PodView]
    source_pods: Sequence[PodView]
    fetch: Callable[[PodView], Pod]


def copy_of(one: ReplicationController) -> ReplicationController:
    """Return a copy to write changes into: what was observed is shared."""
    copy = ReplicationController()
    copy.CopyFrom(one)
    return copy


def is_settled(one: ReplicationController) -> bool:
    """Tell whether ``one`` has as many pods as it was told to have, ready or not."""
    status = one.status
    return status.observed_generation >= one.metadata.generation and status.replicas == one.spec.replicas


def is_shrinking(one: ReplicationController) -> bool:
    """Tell whether ``one`` may have more pods than it was told to have."""
    status = one.status
    return status.observed_generation < one.metadata.generation or status.replicas > one.spec.replicas
