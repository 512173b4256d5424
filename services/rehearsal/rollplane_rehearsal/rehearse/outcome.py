"""What came of one rehearsal, as plain values; times are in virtual seconds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Extreme:
    """The furthest a count went, and when, in seconds since the change; ``promised`` is what was to hold."""

    count: int
    at: float
    promised: int | None

    @property
    def missing(self) -> int:
        """How far below the promise a least count is; negative when there is room."""
        return 0 if self.promised is None else self.promised - self.count

    @property
    def above(self) -> int:
        """How far above the promise a greatest count is; negative when there is room."""
        return 0 if self.promised is None else self.count - self.promised


@dataclass(frozen=True, slots=True)
class Stuck:
    """A workload that did not get there: ``why`` as ``rollplane why`` says it, and the pods it is about."""

    why: str
    reason: str
    pods: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class WorkloadOutcome:
    """What a workload went through. ``seconds`` is how long its rollout took, None if it did not finish.

    ``surge_pod_seconds`` is what was run beyond the wanted number: pods times seconds. ``changed`` says that the
    change concerned it at all.
    """

    name: str
    desired: int
    changed: bool
    seconds: float | None
    least_available: Extreme
    most_pods: Extreme
    restarts: int
    surge_pod_seconds: float
    stuck: Stuck | None = None

    @property
    def finished(self) -> bool:
        return self.seconds is not None

    @property
    def kept(self) -> bool:
        """Whether there were as many pods available, and no more of them, as the manifest promises."""
        return self.least_available.missing <= 0 and self.most_pods.above <= 0


@dataclass(frozen=True, slots=True)
class BudgetOutcome:
    """A PodDisruptionBudget: the least healthy pods there were, and how many it asks for."""

    name: str
    least_healthy: Extreme

    @property
    def kept(self) -> bool:
        return self.least_healthy.missing <= 0


@dataclass(frozen=True, slots=True)
class DrainOutcome:
    """A drain that began at ``at`` (seconds since the change) and ended after ``seconds``.

    ``left`` are the pods that were there still when it gave up, each with the words in which its eviction was refused.
    """

    node: str
    at: float
    seconds: float
    left: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class UndoOutcome:
    """Going back at ``at`` (seconds since the change): how long until all is as before, None if it never was."""

    at: float
    seconds: float | None
    stuck: Sequence[tuple[str, Stuck]] = ()


@dataclass(frozen=True, slots=True)
class Outcome:
    """One run: ``digest`` is that of everything that happened in it."""

    seed: int
    digest: str
    settled_seconds: float
    seconds: float | None
    workloads: Sequence[WorkloadOutcome]
    budgets: Sequence[BudgetOutcome] = ()
    violations: Sequence[str] = ()
    refused: Sequence[str] = ()
    undo: UndoOutcome | None = None
    drains: Sequence[DrainOutcome] = ()
    notes: Sequence[str] = field(default=())

    @property
    def finished(self) -> bool:
        return self.seconds is not None

    @property
    def kept(self) -> bool:
        """Whether all manifests kept what they promise."""
        return all(each.kept for each in self.workloads) and all(each.kept for each in self.budgets)
