"""Percentiles of what was measured, and what several runs have in common. Pure."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

PARTS = (*(number / 20 for number in range(20)), 0.99, 1.0)
"""The parts that a distribution is told by."""


def percentile(values: Sequence[float], part: float) -> float:
    """Return the smallest value that at least ``part`` (0 to 1) of ``values`` do not exceed; 0 for none."""
    return _of_ordered(sorted(values), part)


def _of_ordered(ordered: Sequence[float], part: float) -> float:
    return ordered[max(0, math.ceil(part * len(ordered)) - 1)] if ordered else 0.0


@dataclass(frozen=True, slots=True)
class Summary:
    """Of ``count`` values, in their unit; ``quantiles`` are the values at PARTS. All 0 for none."""

    count: int
    mean: float
    p50: float
    p90: float
    p99: float
    max: float
    quantiles: tuple[float, ...]


def summary_of(values: Sequence[float]) -> Summary:
    """Return the summary of ``values``."""
    ordered = sorted(values)
    mean = math.fsum(ordered) / len(ordered) if ordered else 0.0
    quantiles = tuple(_of_ordered(ordered, part) for part in PARTS)
    p50, p90, p99 = (_of_ordered(ordered, part) for part in (0.5, 0.9, 0.99))
    return Summary(len(ordered), mean, p50, p90, p99, ordered[-1] if ordered else 0.0, quantiles)


@dataclass(frozen=True, slots=True)
class Spread:
    """What several runs gave for one figure."""

    median: float
    low: float
    high: float
    runs: int


def spread_of(values: Sequence[float]) -> Spread:
    """Return the median (of an even number, between the two in the middle) and the ends; raises ValueError for none."""
    if not values:
        raise ValueError("no values have no spread")
    ordered = sorted(values)
    middle = len(ordered) // 2
    median = ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2
    return Spread(median, ordered[0], ordered[-1], len(ordered))
