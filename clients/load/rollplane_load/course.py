"""What a run measured, before figures are made of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from rollplane_load.sampling import Sampler
from rollplane_load.scenario.model import Batch, Phase, Rest, Scenario
from rollplane_load.scraping import Figures
from rollplane_load.tally import Tally
from rollplane_load.watcher import Watcher


@dataclass(frozen=True, slots=True)
class PhaseCourse:
    """What a phase came to: when it began and how long it took, in seconds of the run, and what changed meanwhile."""

    name: str
    began: float
    seconds: float
    rollouts: int
    pods_made: int
    changes: int
    cpu_seconds: Mapping[str, float]


@dataclass(slots=True)
class Course:
    """One run: its phases as they ended, and what was counted on the way.

    ``figures`` are those of the services by name, before and after; ``events`` the Events that were there in the end;
    ``left`` is what could not be cleaned up, a sentence each.
    """

    scenario: Scenario
    tally: Tally
    watcher: Watcher
    sampler: Sampler
    phase: str = ""
    phases: list[PhaseCourse] = field(default_factory=list)
    figures: tuple[Mapping[str, Figures], Mapping[str, Figures]] = field(default_factory=lambda: ({}, {}))
    violations: Sequence[str] = ()
    events: int = 0
    retries: int = 0
    left: Sequence[str] = ()


def name_of(phase: Phase) -> str:
    """Return what a phase is called."""
    if isinstance(phase, Batch):
        return f"{phase.action} all"
    if isinstance(phase, Rest):
        return f"rest for {phase.seconds:g} s"
    if phase.concurrency:
        return f"mix, {phase.concurrency} at once"
    return f"mix at {phase.rate[0][1]:g}/s" if len(phase.rate) == 1 else "mix at a rate that changes"
