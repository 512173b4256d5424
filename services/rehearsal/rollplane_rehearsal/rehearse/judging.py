"""Whether a story keeps what is expected of it: one sentence for people, one word for machines.

Without expectations of its own a story is expected to finish, to keep what its manifests and budgets promise, to break
no invariant, to complete its drains, and to heal when it is undone.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from rollplane_rehearsal.rehearse.durations import seconds_text
from rollplane_rehearsal.rehearse.outcome import DrainOutcome, Outcome, WorkloadOutcome


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


def _drains_complete(outcome: Outcome) -> str:
    return "; ".join(f"drain of {each.node} {drain_told(each)}" for each in outcome.drains if each.left)


def drain_told(drain: DrainOutcome) -> str:
    """Return ``at 3.0 s gave up after 5 min 00 s, 2 pods stay: shop/web-1, shop/web-2 (The disruption budget …)``."""
    if not drain.left:
        return f"at {seconds_text(drain.at)}, done after {seconds_text(drain.seconds)}"
    count = "1 pod stays" if len(drain.left) == 1 else f"{len(drain.left)} pods stay"
    return f"at {seconds_text(drain.at)} gave up after {seconds_text(drain.seconds)}, {count}: {_held(drain)}"


def _held(drain: DrainOutcome) -> str:
    """Return the pods that stay, those for one reason together."""
    held: dict[str, list[str]] = {}
    for pod, why in drain.left:
        held.setdefault(why or "evicted, and not gone", []).append(pod)
    return "; ".join(f"{', '.join(pods)} ({why.removesuffix('.')})" for why, pods in held.items())


FINISHES = Expectation("finishes", _finishes)
PROMISES_KEPT = Expectation("promises kept", _keeps_promises)
BUDGETS_KEPT = Expectation("budgets kept", _keeps_budgets)
INVARIANTS_KEPT = Expectation("invariants kept", _keeps_invariants)
UNDO_HEALS = Expectation("undo heals", _heals)
DRAINS_COMPLETE = Expectation("drains complete", _drains_complete)
USUAL = (FINISHES, PROMISES_KEPT, BUDGETS_KEPT, INVARIANTS_KEPT, DRAINS_COMPLETE, UNDO_HEALS)


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
            return f"{self.title} {self._took} and keeps every expectation in {runs}."
        count = len(self.broken)
        if count == len(self.outcomes):
            where = "its run" if count == 1 else f"all {count} runs"
        else:
            where = f"{count} of {runs}"
        first = self.broken[self.worst.seed][0]
        return f'{self.title} breaks "{first.expectation}" in {where}.'

    @property
    def _took(self) -> str:
        """How long runs take that keep everything, with the worst beside where it is another."""
        took, worst = self.seconds(0.5), self.seconds(1.0)
        if took is None:
            return "goes as expected"
        if seconds_text(took) == seconds_text(worst):
            return f"finishes in {seconds_text(took)}"
        at_worst = "at worst it does not finish" if worst is None else f"{seconds_text(worst)} at worst"
        return f"finishes in {seconds_text(took)} (P50), {at_worst},"

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
