"""One ReplicaSet as the plan would leave it.

A planner reads sizes from the draft and availability from the stored status, changes the draft, and asks at the end
whether anything has to be written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rollplane.apps.v1 import Deployment, ReplicaSet
from rollplane_machinery.deployments import DESIRED_REPLICAS, MAX_REPLICAS
from rollplane_machinery.releases import Release, ScalingSentence
from rollplane_planners.limits import Limits
from rollplane_planners.model import CreateObject, PlannedEvent, UpdateObject
from rollplane_planners.templates import AS_STORED, Templates

SCALING_REPLICA_SET = "ScalingReplicaSet"


@dataclass(slots=True, eq=False)
class Draft:
    """A ReplicaSet to be created (``stored`` is None) or changed; ``wanted`` is its planned content, to be read.

    Most stay as they are: what is stored is copied when it is to be changed first.
    """

    stored: ReplicaSet | None
    wanted: ReplicaSet

    @classmethod
    def of(cls, stored: ReplicaSet) -> Draft:
        return cls(stored, stored)

    def edit(self) -> ReplicaSet:
        """Return the planned content, to be changed."""
        if self.wanted is self.stored:
            self.wanted = ReplicaSet()
            self.wanted.CopyFrom(self.stored)
        return self.wanted

    @property
    def name(self) -> str:
        return self.wanted.metadata.name

    @property
    def uid(self) -> str:
        return self.wanted.metadata.uid

    @property
    def age(self) -> tuple[int, str]:
        """Sorts oldest first, names decide between equals; a set not created yet is the newest."""
        return (self.wanted.metadata.creation_timestamp.seconds if self.stored else 2**62, self.name)

    @property
    def size(self) -> int:
        return self.wanted.spec.replicas

    @property
    def stored_size(self) -> int:
        return self.stored.spec.replicas if self.stored else 0

    @property
    def grows(self) -> bool:
        """Whether a set that is there gets larger."""
        return self.stored is not None and self.size > self.stored_size

    @property
    def available(self) -> int:
        return self.wanted.status.available_replicas

    @property
    def is_observed(self) -> bool:
        """Whether the stored status was made for the stored size."""
        metadata = self.wanted.metadata
        return self.stored is None or self.wanted.status.observed_generation >= metadata.generation

    @property
    def annotations(self) -> dict[str, str]:
        """The planned annotations, to be read; a copy."""
        return dict(self.wanted.metadata.annotations)

    @property
    def changed(self) -> bool:
        return self.stored is not self.wanted and self.stored != self.wanted

    def resize(self, size: int, limits: Limits) -> bool:
        """Plan ``size`` pods; tells whether that differs. The scaling annotations always follow a written size."""
        differs = size != self.size
        if differs:
            self.edit().spec.replicas = size
            self.annotate_size(limits)
        return differs

    def annotate_size(self, limits: Limits) -> None:
        """Record the Deployment's size and upper limit, by which a later sync recognises a scaling event."""
        self.annotate(DESIRED_REPLICAS, str(limits.replicas))
        self.annotate(MAX_REPLICAS, str(limits.max_total))

    def annotate(self, key: str, value: str) -> None:
        """Plan one annotation."""
        annotations = self.wanted.metadata.annotations
        if key not in annotations or annotations[key] != value:
            self.edit().metadata.annotations[key] = value

    def write(self, release: Release) -> CreateObject | UpdateObject:
        """Return the write that makes the draft true, with the event its size change deserves."""
        events = tuple(self._scaling_event(release.scaling_sentence))
        return UpdateObject(self.wanted, events) if self.stored else CreateObject(self.wanted, events)

    def _scaling_event(self, sentence: ScalingSentence) -> Iterable[PlannedEvent]:
        if self.size == self.stored_size:
            return
        direction = "up" if self.size > self.stored_size else "down"
        sizes = self._sizes(sentence)
        yield PlannedEvent(SCALING_REPLICA_SET, f"Scaled {direction} replica set {self.name} {sizes}")

    def _sizes(self, sentence: ScalingSentence) -> str:
        """A set that is new came from nowhere before 1.31."""
        if sentence is ScalingSentence.FROM_TO:
            return f"from {self.stored_size} to {self.size}"
        told = sentence is ScalingSentence.TO_FROM and self.stored is not None
        return f"to {self.size} from {self.stored_size}" if told else f"to {self.size}"


def oldest_first(drafts: Iterable[Draft]) -> list[Draft]:
    """Return drafts by creation time, then name."""
    return sorted(drafts, key=lambda draft: draft.age)


def active(drafts: Iterable[Draft]) -> list[Draft]:
    """Return the drafts that want pods."""
    return [draft for draft in drafts if draft.size > 0]


def total_size(drafts: Iterable[Draft]) -> int:
    """Return the sum of planned sizes."""
    return sum(draft.size for draft in drafts)


@dataclass(slots=True)
class ReplicaSets:
    """All ReplicaSets of a Deployment: the new one, where there is one, and the old ones, oldest first."""

    deployment: Deployment
    new: Draft | None
    old: list[Draft]
    templates: Templates = AS_STORED

    @property
    def all(self) -> list[Draft]:
        return [*self.old, self.new] if self.new else list(self.old)

    def writes(self, release: Release) -> list[CreateObject | UpdateObject]:
        """Return a write for every draft that differs from what is stored, a creation first: the rest hangs on it.

        What shrinks comes before what grows, so that the sum of all sizes is within its limit at every single write.
        """
        drafts = [self.new, *self.old] if self.new else self.old
        changed = sorted((draft for draft in drafts if draft.changed), key=lambda draft: draft.grows)
        return [draft.write(release) for draft in changed]
