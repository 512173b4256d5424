"""A Deployment with its ReplicaSets and pods, sorted into new and old, and whether its controller has a move left.

Source of the rules: docs/semantics/deployment.md sections 1, 3, 5 and 6.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from rollplane.apps.v1 import Deployment, ReplicaSet
from rollplane.core.v1 import Pod
from rollplane_machinery.deployments import without_hash
from rollplane_machinery.equality import semantic_equal
from rollplane_machinery.metadata import controller_uid
from rollplane_machinery.pods import is_pod_active, is_pod_available
from rollplane_machinery.times import to_seconds
from rollplane_planners.limits import RECREATE, Limits, limits_of


@dataclass(frozen=True)
class RolloutView:
    """What can be seen of a rollout at one moment.

    ``new`` is the ReplicaSet of the present template, None before there is one; ``old`` are all others. Pods that are
    being deleted stand apart in ``ending``.
    """

    deployment: Deployment
    new: ReplicaSet | None
    old: tuple[ReplicaSet, ...]
    new_pods: tuple[Pod, ...]
    old_pods: tuple[Pod, ...]
    ending: tuple[Pod, ...]

    @property
    def is_observed(self) -> bool:
        """Whether the controller has seen the latest change."""
        return self.deployment.status.observed_generation >= self.deployment.metadata.generation

    @property
    def is_complete(self) -> bool:
        status, wanted = self.deployment.status, self.deployment.spec.replicas
        counts = (status.updated_replicas, status.replicas, status.available_replicas)
        return self.is_observed and all(count == wanted for count in counts)

    @property
    def is_recreate(self) -> bool:
        return self.deployment.spec.strategy.type == RECREATE

    @cached_property
    def limits(self) -> Limits:
        return limits_of(self.deployment.spec)

    def unavailable_new_pods(self, now: float) -> tuple[Pod, ...]:
        """Return the new pods that have not been ready for long enough."""
        least = self.deployment.spec.min_ready_seconds
        return tuple(pod for pod in self.new_pods if not is_pod_available(pod, least, now))

    @property
    def is_settled(self) -> bool:
        """Whether every ReplicaSet has the pods it wants, and says so."""
        sets = [self.new, *self.old] if self.new is not None else [*self.old]
        if len(self.new_pods) != (self.new.spec.replicas if self.new is not None else 0):
            return False
        return all(
            each.status.observed_generation >= each.metadata.generation and each.status.replicas == each.spec.replicas
            for each in sets
        )

    @property
    def controller_can_move(self) -> bool:
        """Whether the Deployment's controller would scale any ReplicaSet now, by its own arithmetic."""
        if self.new is None:
            return True
        return self._can_grow(self.new) or self._can_shrink(self.new)

    def _can_grow(self, new: ReplicaSet) -> bool:
        limit = self.limits.max_total
        return new.spec.replicas < self.deployment.spec.replicas and self._total(new) < limit

    def _can_shrink(self, new: ReplicaSet) -> bool:
        active = [each for each in self.old if each.spec.replicas]
        if self.is_recreate or not active:
            return bool(active)
        unavailable = new.spec.replicas - new.status.available_replicas
        if self._total(new) - self.limits.min_available - unavailable <= 0:
            return False
        unhealthy = any(each.spec.replicas > each.status.available_replicas for each in active)
        available = sum(each.status.available_replicas for each in (new, *active))
        return unhealthy or available > self.limits.min_available

    def _total(self, new: ReplicaSet) -> int:
        return sum(each.spec.replicas for each in (new, *self.old))


def view_of(deployment: Deployment, replica_sets: Iterable[ReplicaSet], pods: Iterable[Pod]) -> RolloutView:
    """Return the view; what the Deployment does not control, directly or through a ReplicaSet, is left out."""
    owned = [each for each in replica_sets if controller_uid(each.metadata) == deployment.metadata.uid]
    owned.sort(key=lambda each: (to_seconds(each.metadata.creation_timestamp), each.metadata.name))
    new = _new_of(deployment, owned)
    uids = {each.metadata.uid for each in owned}
    mine = sorted((pod for pod in pods if controller_uid(pod.metadata) in uids), key=lambda pod: str(pod.metadata.name))
    live = [pod for pod in mine if is_pod_active(pod)]
    new_uid = new.metadata.uid if new is not None else None
    return RolloutView(
        deployment,
        new,
        tuple(each for each in owned if each is not new),
        tuple(pod for pod in live if controller_uid(pod.metadata) == new_uid),
        tuple(pod for pod in live if controller_uid(pod.metadata) != new_uid),
        tuple(pod for pod in mine if not is_pod_active(pod)),
    )


def _new_of(deployment: Deployment, owned: Sequence[ReplicaSet]) -> ReplicaSet | None:
    wanted = without_hash(deployment.spec.template)
    return next((each for each in owned if semantic_equal(without_hash(each.spec.template), wanted)), None)
