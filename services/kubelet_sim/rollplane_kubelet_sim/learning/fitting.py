"""Log-normal fits of observed spans, and how well they fit."""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, median, quantiles

_Z95 = NormalDist().inv_cdf(0.95)
_KOLMOGOROV_95 = 1.358
_FEW = 5
_FAR = 10.0

LEAST_SECONDS = 0.25
"""Stands for "within the same second", which is how a cluster's times of whole seconds tell a shorter span."""


@dataclass(frozen=True, slots=True)
class Fit:
    """``count`` spans as a log-normal with ``median`` and ``p95`` in seconds, beside what was observed.

    ``left_out`` spans were more than ten times as long as the median. ``distance`` is that of Kolmogorov and Smirnov:
    the most by which the two distributions differ, from 0 to 1.
    """

    count: int
    median: float
    p95: float
    observed_median: float
    observed_p95: float
    worst: float
    left_out: int
    distance: float

    @property
    def is_good(self) -> bool:
        """Whether so many spans, drawn from the fit, would lie as far from it in one case of twenty or more."""
        return self.distance <= _KOLMOGOROV_95 / math.sqrt(self.count)

    @property
    def is_thin(self) -> bool:
        """Whether there are too few spans to say much."""
        return self.count < _FEW


def fit(spans: Sequence[float]) -> Fit:
    """Return the log-normal of greatest likelihood for ``spans`` (seconds, at least one).

    Source: mean and standard deviation of the logarithms. A pod that lost its readiness and got it back looks like one
    that took hours to become ready, so what is longer than ten medians is left out where there are five spans or more.
    """
    kept = _without_strays([max(span, LEAST_SECONDS) for span in spans])
    logs = [math.log(span) for span in kept]
    middle = fmean(logs)
    spread = math.sqrt(fmean((each - middle) ** 2 for each in logs))
    return Fit(
        len(kept),
        math.exp(middle),
        math.exp(middle + _Z95 * spread),
        median(kept),
        quantiles(kept, n=20, method="inclusive")[-1] if len(kept) > 1 else kept[0],
        max(kept),
        len(spans) - len(kept),
        _distance(kept, middle, spread, 0.5 if all(span == int(span) for span in spans) else 0.0),
    )


def _without_strays(spans: Sequence[float]) -> list[float]:
    ordered = sorted(spans)
    limit = _FAR * median(ordered) if len(ordered) >= _FEW else math.inf
    return [span for span in ordered if span <= limit]


def _distance(kept: Sequence[float], middle: float, spread: float, half: float) -> float:
    """The most by which the curve misses the steps of the sample; ``kept`` is in order.

    What was told in whole seconds may have been up to ``half`` a second more or less: a step is looked at from its
    edges, for a clock's rounding is no misfit.
    """
    if spread == 0.0:
        return 0.0
    curve, count = NormalDist(middle, spread), len(kept)
    return max(
        max(
            abs(bisect_left(kept, value) / count - curve.cdf(math.log(max(value - half, value / 2)))),
            abs(bisect_right(kept, value) / count - curve.cdf(math.log(value + half))),
        )
        for value in set(kept)
    )
