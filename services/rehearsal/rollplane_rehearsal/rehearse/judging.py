"""Whether a story keeps what is expected of it: one sentence for people, one word for machines.

Without expectations of its own a story is expected to finish, to keep what its manifests and budgets promise, to break
no invariant, and to heal when it is undone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rollplane_rehearsal.rehearse.durations import seconds_text
from rollplane_rehearsal.rehearse.outcome import Outcome, WorkloadOutcome


@dataclass(frozen=True, slots=True)
class Broken:
    """An expectation that a run did not keep: its name, and what was seen instead."""

    expectation: str
    seen: str


@dataclass(frozen=True, slots=True)
class Expectation:
    """``broken`` returns what was seen instead of what ``name`` says, "" when it was kept."""

    name: str
    broken: Callable[[Outcome], str]


def _finishes(outcome: Outcome) -> str:
    if outcome.refused:
        return f"not everything was done: {outcome.refused[0]}"
    stuck = [each for each in outcome.workloads if not each.finished]
    return "; ".join(each.stuck.why if each.stuck else f"{each.name} does not finish" for each in stuck)


def _keeps_promises(outcome: Outcome) -> str:
    return "; ".join(told for each in outcome.workloads for told in _fallen(each))


def _fallen(workload: WorkloadOutcome) -> Iterator[str]:
    least, most = workload.least_available, workload.most_pods
    if least.missing > 0:
        seen = f"{least.count} pods available at {seconds_text(least.at)}"
        yield f"{workload.name} has {seen}, {least.promised} are promised"
    if most.above > 0:
        yield f"{workload.name} has {most.count} pods at {seconds_text(most.at)}, {most.promised} may be there"


def _keeps_budgets(outcome: Outcome) -> str:
    broken = [each for each in outcome.budgets if not each.kept]
    return "; ".join(
        f"budget {each.name} has {each.least_healthy.count} healthy pods at {seconds_text(each.least_healthy.at)}, "
        f"{each.least_healthy.promised} are asked for"
        for each in broken
    )


def _keeps_invariants(outcome: Outcome) -> str:
    return "; ".join(outcome.violations)


def _heals(outcome: Outcome) -> str:
    undo = outcome.undo
    if undo is None or undo.seconds is not None:
        return ""
    told = "; ".join(stuck.why for _, stuck in undo.stuck) or "it goes on and on"
    return f"undone at {seconds_text(undo.at)} it does not heal: {told}"


FINISHES = Expectation("finishes", _finishes)
PROMISES_KEPT = Expectation("promises kept", _keeps_promises)
BUDGETS_KEPT = Expectation("budgets kept", _keeps_budgets)
INVARIANTS_KEPT = Expectation("invariants kept", _keeps_invariants)
UNDO_HEALS = Expectation("undo heals", _heals)
USUAL = (FINISHES, PROMISES_KEPT, BUDGETS_KEPT, INVARIANTS_KEPT, UNDO_HEALS)


@dataclass(frozen=True, slots=True)
class Judged:
    """All runs of a story: ``broken`` by seed, what did not hold in it."""

    title: str
    outcomes: Sequence[Outcome]
    expectations: Sequence[Expectation]
    broken: dict[int, Sequence[Broken]]

    @property
    def kept(self) -> bool:
        return not self.broken

    @property
    def worst(self) -> Outcome:
        """The run with most broken expectations, of these one that did not finish, of these the slowest."""
        return max(
            self.outcomes,
            key=lambda each: (
                len(self.broken.get(each.seed, ())),
                math.inf if each.seconds is None else each.seconds,
                -each.seed,
            ),
        )

    def seconds(self, quantile: float) -> float | None:
        """Return the time to finish that this part of the runs did not exceed; None when that run did not finish."""
        ordered = sorted(math.inf if each.seconds is None else each.seconds for each in self.outcomes)
        found = ordered[max(0, math.ceil(quantile * len(ordered)) - 1)]
        return None if math.isinf(found) else found

    @property
    def sentence(self) -> str:
        """The verdict."""
        runs = "1 run" if len(self.outcomes) == 1 else f"{len(self.outcomes)} runs"
        if self.kept:
            took = self.seconds(0.5)
            told = f"finishes in {seconds_text(took)}" if took is not None else "goes as expected"
            return f"{self.title} {told} and keeps every expectation in {runs}."
        count = len(self.broken)
        if count == len(self.outcomes):
            where = "its run" if count == 1 else f"all {count} runs"
        else:
            where = f"{count} of {runs}"
        first = self.broken[self.worst.seed][0]
        return f'{self.title} breaks "{first.expectation}" in {where}.'

    @property
    def reason(self) -> str:
        """What was seen in the worst run instead; "" when everything was kept."""
        return "" if self.kept else self.broken[self.worst.seed][0].seen


def judge(title: str, outcomes: Sequence[Outcome], expectations: Sequence[Expectation] = USUAL) -> Judged:
    """Return how ``outcomes``, at least one, stand to what is expected."""
    broken: dict[int, Sequence[Broken]] = {}
    for outcome in outcomes:
        found = [Broken(each.name, seen) for each in expectations if (seen := each.broken(outcome))]
        if found:
            broken[outcome.seed] = found
    return Judged(title, outcomes, expectations, broken)
