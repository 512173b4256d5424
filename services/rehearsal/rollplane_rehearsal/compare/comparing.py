"""What all combinations come to, side by side, and which of them are best. Rows of plain values."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from rollplane_rehearsal.rehearse.judging import Expectation, Judged, judge
from rollplane_rehearsal.rehearse.many import outcome_or_refusal
from rollplane_rehearsal.rehearse.outcome import Outcome, WorkloadOutcome
from rollplane_rehearsal.rehearse.story import Story
from rollplane_rehearsal.series import spread


@dataclass(frozen=True, slots=True)
class Count:
    """Pods of the workload that went furthest, and how many it wants."""

    workload: str
    count: int
    desired: int

    @property
    def share(self) -> float:
        return self.count / self.desired if self.desired else 1.0


@dataclass(frozen=True, slots=True)
class Row:
    """One combination, by the names of what is varied; ``judged`` is None when it was ``refused``, in these words."""

    number: int
    values: Sequence[tuple[str, Any]]
    judged: Judged | None = None
    refused: str = ""

    @property
    def name(self) -> str:
        """``maxSurge=1, maxUnavailable=0``."""
        return ", ".join(f"{name}={value}" for name, value in self.values)

    @property
    def kept(self) -> bool:
        """Whether every run kept every expectation."""
        return self.judged is not None and self.judged.kept

    def seconds(self, part: float) -> float | None:
        """Return the time to finish that this part of the runs did not exceed, None for never."""
        return self.judged.seconds(part) if self.judged else None

    @property
    def least(self) -> Count | None:
        """The least available in any run, of the workload that had the smallest part of what it wants."""
        counts = [Count(each.name, each.least_available.count, each.desired) for each in self._changed()]
        return min(counts, key=lambda each: each.share, default=None)

    @property
    def most(self) -> Count | None:
        """The most pods in any run, of the workload that had the largest part of what it wants."""
        counts = [Count(each.name, each.most_pods.count, each.desired) for each in self._changed()]
        return max(counts, key=lambda each: each.share, default=None)

    @property
    def surge_pod_seconds(self) -> float:
        """What was run beyond what is wanted: pods times seconds, all workloads, the mean of all runs."""
        runs = len(self.judged.outcomes) if self.judged else 1
        return sum(each.surge_pod_seconds for each in self._changed()) / runs

    def _changed(self) -> Iterator[WorkloadOutcome]:
        for outcome in self.judged.outcomes if self.judged else ():
            yield from (each for each in outcome.workloads if each.changed)


@dataclass(frozen=True, slots=True)
class Compared:
    """All combinations of a story, in their order."""

    title: str
    rows: Sequence[Row]
    seeds: range

    @property
    def kept(self) -> bool:
        """Whether any combination keeps every expectation."""
        return any(row.kept for row in self.rows)

    @property
    def is_refused(self) -> bool:
        """Whether no combination could be rehearsed at all."""
        return all(row.judged is None for row in self.rows)

    @property
    def best(self) -> frozenset[int]:
        """The numbers of the kept rows that no other beats in time and least available together.

        Of those that are equal in both the ones with the fewest pods.
        """
        goods = {row.number: _goods(row) for row in self.rows if row.kept}
        return frozenset(
            number for number, good in goods.items() if not any(_beats(other, good) for other in goods.values())
        )

    @property
    def sentence(self) -> str:
        """Which is fastest while it keeps as many pods available as any, and what haste would cost."""
        kept = [row for row in self.rows if row.kept]
        if not kept:
            first = next((row for row in self.rows if row.judged), None)
            told = first.judged.sentence if first and first.judged else f"all are refused: {self.rows[0].refused}"
            return f"No combination keeps every expectation; {told.removesuffix('.')}."
        safest = min(kept, key=lambda row: (-_share(row.least), _seconds(row), row.number))
        fastest = min(kept, key=lambda row: (_seconds(row), -_share(row.least), row.number))
        told = f"{safest.name} is the fastest that keeps {_available(safest)}: {_seconds(safest):.1f} s (P95)"
        if _seconds(fastest) < _seconds(safest):
            told += f"; {fastest.name} takes {_seconds(fastest):.1f} s and keeps {_available(fastest)}"
        return f"{told}."


def _seconds(row: Row) -> float:
    seconds = row.seconds(0.95)
    return math.inf if seconds is None else seconds


def _share(count: Count | None) -> float:
    return 1.0 if count is None else count.share


def _available(row: Row) -> str:
    least = row.least
    if least is None or least.count >= least.desired:
        return "all pods available"
    return f"{least.count} of {least.desired} pods available"


def _goods(row: Row) -> tuple[float, float, float]:
    return _seconds(row), -_share(row.least), _share(row.most)


def _beats(one: Sequence[float], other: Sequence[float]) -> bool:
    if tuple(one[:2]) == tuple(other[:2]):
        return one[2] < other[2]
    return one[0] <= other[0] and one[1] <= other[1]


def compare(
    title: str,
    stories: Sequence[tuple[Sequence[tuple[str, Any]], Story]],
    seeds: range,
    expectations: Sequence[Expectation],
    told: Callable[[int], None] = lambda _count: None,
) -> Compared:
    """Rehearse each story, given with its values, with each seed, on all processors; ``told`` hears how many are done.

    Blocks. What is refused before it can be rehearsed is a row of its own.
    """
    runs = [(story, seed) for _, story in stories for seed in seeds]
    found: list[Outcome | str] = []
    for each in spread(outcome_or_refusal, runs):
        found.append(each)
        told(len(found))
    count = len(seeds)
    rows = [
        _row(place + 1, values, found[place * count : (place + 1) * count], title, expectations)
        for place, (values, _) in enumerate(stories)
    ]
    return Compared(title, rows, seeds)


def _row(
    number: int,
    values: Sequence[tuple[str, Any]],
    found: Iterable[Outcome | str],
    title: str,
    expectations: Sequence[Expectation],
) -> Row:
    outcomes: list[Outcome] = []
    for each in found:
        if isinstance(each, str):
            return Row(number, values, refused=each)
        outcomes.append(each)
    return Row(number, values, judge(title, outcomes, expectations))
