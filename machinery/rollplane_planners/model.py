"""What a planner answers: writes, events, when to look again, and why it holds back.

A write says what shall be, not how it is sent: the shell gives pods their names, adds the shard's fence and puts all
writes of a round into one batch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import overload

from rollplane.core.v1 import ObjectReference, Pod, PodCondition, PodTemplateSpec
from rollplane.meta.v1 import ObjectMeta
from rollplane_machinery.api import Propagation
from rollplane_machinery.frozen import frozen
from rollplane_machinery.kinds import ApiObject, Kind
from rollplane_planners.reasons import Reason


class Severity(StrEnum):
    """An Event's type."""

    NORMAL = "Normal"
    WARNING = "Warning"


@frozen
class PlannedEvent:
    """An Event on the planned object, or on the one that ``about`` names."""

    reason: str
    message: str
    severity: Severity = Severity.NORMAL
    about: ObjectReference | None = None


@frozen
class CreateObject:
    """Create ``object``, whose name is fixed: the same name with our owner reference is success."""

    object: ApiObject
    events: Sequence[PlannedEvent] = ()


@frozen
class CreatePods:
    """Create ``count`` pods from ``template``, owned by the planned object; the shell names them ``<prefix>xxxxx``."""

    count: int
    prefix: str
    template: PodTemplateSpec


@frozen
class CreateDistinctPods:
    """Create each of ``pods``, which differ; the shell names them ``<prefix>xxxxx``."""

    pods: Sequence[Pod]
    prefix: str


@frozen
class UpdateObject:
    """Replace an object; its resource_version and uid are preconditions.

    ``regardless``: also when another write of the plan fails.
    """

    object: ApiObject
    events: Sequence[PlannedEvent] = ()
    regardless: bool = False


@frozen
class UpdateObjectStatus:
    """Replace an object's status (and, for a Deployment, its annotations); of ``object`` no more need be there.

    ``regardless``: also when another write of the plan fails, as a status that tells of failures must.
    """

    object: ApiObject
    regardless: bool = False
    events: Sequence[PlannedEvent] = ()


@frozen
class UpdateMetadata:
    """Replace owner references and finalizers of an object of which no more than the metadata may be known.

    ``metadata`` is as it shall be; its resource_version and uid are preconditions. ``regardless``: also when another
    write of the plan fails.
    """

    kind: Kind
    metadata: ObjectMeta
    regardless: bool = False
    events: Sequence[PlannedEvent] = ()


@frozen
class BindPod:
    """Give a pod its node; ``uid`` is a precondition."""

    namespace: str
    name: str
    uid: str
    node: str
    events: Sequence[PlannedEvent] = ()


@frozen
class MarkPod:
    """Set one condition of a pod, whatever else its status says meanwhile, unless another write of the plan fails.

    ``uid`` is a precondition.
    """

    namespace: str
    name: str
    uid: str
    condition: PodCondition


@frozen
class DeleteObject:
    """Delete one object; ``uid`` is a precondition, so that a namesake is never hit.

    ``resource_version`` is one too, where the object must be as it was planned with. ``is_last`` puts it behind all
    other writes of the plan, and leaves it out when one of them fails. ``propagation`` None leaves the
    fate of its dependents to the kind's default, ``grace_period_seconds`` None its time to end to the object.
    """

    kind: Kind
    namespace: str
    name: str
    uid: str
    events: Sequence[PlannedEvent] = ()
    resource_version: str | None = None
    propagation: Propagation | None = None
    grace_period_seconds: int | None = None
    is_last: bool = False


PlannedWrite = (
    CreateObject
    | CreatePods
    | CreateDistinctPods
    | UpdateObject
    | UpdateObjectStatus
    | UpdateMetadata
    | BindPod
    | MarkPod
    | DeleteObject
)


@frozen
class Plan:
    """What to do for one key.

    ``writes`` are sent together, each on its own conditions. ``requeue_after`` counts seconds; None waits for the next
    event. ``retry`` looks again after the key's back-off, which grows each time. ``reasons`` say what holds the object
    back, the one to be told first. A plan without writes means converged, or waiting for what ``reasons`` names; one
    without reasons that the object is as it should be. ``confirm_owner`` asks the shell to read the planned object live
    before it sends anything: an adoption is among the writes.
    """

    writes: Sequence[PlannedWrite] = ()
    events: Sequence[PlannedEvent] = ()
    requeue_after: float | None = None
    reasons: Sequence[Reason] = ()
    confirm_owner: bool = False
    retry: bool = False

    @property
    def can_move(self) -> bool:
        """Whether anything is to be written but a status, which only tells."""
        return any(not isinstance(write, UpdateObjectStatus) for write in self.writes)


NOTHING = Plan()


class Found(Sequence[Reason]):
    """Reasons that are looked for when somebody reads them first: controllers plan all the time, and read none."""

    def __init__(self, find: Callable[[], Sequence[Reason]]) -> None:
        self._find = find

    @cached_property
    def _reasons(self) -> Sequence[Reason]:
        return tuple(self._find())

    @overload
    def __getitem__(self, at: int) -> Reason: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Reason]: ...
    def __getitem__(self, at: int | slice) -> Reason | Sequence[Reason]:
        return self._reasons[at]

    def __len__(self) -> int:
        return len(self._reasons)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and self._reasons == tuple(other)

    def __hash__(self) -> int:
        return hash(self._reasons)

    def __repr__(self) -> str:
        return repr(self._reasons)


@dataclass(slots=True)
class PlanBuilder:
    """Collects a Plan while a planner walks its steps; ``explain`` finds more reasons, once all steps are taken."""

    writes: list[PlannedWrite] = field(default_factory=list)
    events: list[PlannedEvent] = field(default_factory=list)
    reasons: list[Reason] = field(default_factory=list)
    requeue_after: float | None = None
    confirm_owner: bool = False
    explain: Callable[[], Sequence[Reason]] | None = None

    def requeue(self, seconds: float | None) -> None:
        """Look again after ``seconds``, or sooner if that was asked for before; None: there is nothing to wait for."""
        if seconds is None:
            return
        self.requeue_after = seconds if self.requeue_after is None else min(self.requeue_after, seconds)

    def plan(self) -> Plan:
        """Return the plan; to be asked for once. ``explain`` goes with it: a planner that it belongs to holds us."""
        explain, told = self.explain, tuple(self.reasons)
        self.explain = None
        reasons = told if explain is None else Found(lambda: (*told, *explain()))
        return Plan(tuple(self.writes), tuple(self.events), self.requeue_after, reasons, self.confirm_owner)
