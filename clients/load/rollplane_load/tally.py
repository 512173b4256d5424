"""What a load measures while it runs; ``results`` makes figures of it."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass, field

from rollplane_load.scenario.model import Action
from rollplane_machinery.errors import RollplaneError


@dataclass(frozen=True, slots=True)
class Rollout:
    """One action that was carried out: of which kind, when it began, in seconds of the run, and how long it took."""

    action: Action
    kind: str
    began: float
    seconds: float


@dataclass(slots=True)
class Tally:
    """Grows as the load goes on.

    ``verbs`` are seconds by verb. ``errors`` are counts by reason; ``writes`` how many the
    load itself has made; ``late`` actions that could not begin when they were due.
    """

    rollouts: list[Rollout] = field(default_factory=list)
    verbs: defaultdict[str, list[float]] = field(default_factory=lambda: defaultdict(list))
    errors: Counter[str] = field(default_factory=Counter)
    examples: dict[str, str] = field(default_factory=dict)
    writes: int = 0
    late: int = 0
    in_flight: int = 0

    def fail(self, error: RollplaneError) -> None:
        """Count an error; the first of each reason is kept as an example."""
        self.errors[error.reason] += 1
        self.examples.setdefault(error.reason, error.message)
