"""When actions are due at a rate that changes: the moments at which its integral passes 1, 2, 3 and so on."""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise

from rollplane_load.scenario.model import Curve


def arrivals(curve: Curve, ramp: float, seconds: float) -> Iterator[float]:
    """Yield the seconds at which actions are due, in order, before ``seconds``.

    Before its first point and after its last the rate stays as it is there. For ``ramp`` seconds a constant rate
    grows from nothing.
    """
    passed, number = 0.0, 1
    for (begin, first), (end, last) in pairwise(_points(curve, ramp, seconds)):
        held = (first + last) / 2 * (end - begin)
        while passed + held >= number:
            yield begin + _within(first, last, end - begin, number - passed)
            number += 1
        passed += held


def _points(curve: Curve, ramp: float, seconds: float) -> Curve:
    if ramp and len(curve) == 1:
        top = curve[0][1]
        reached = min(1.0, seconds / ramp)
        curve = ((0.0, 0.0), (min(ramp, seconds), top * reached))
    inside = [(at, rate) for at, rate in curve if 0 < at < seconds]
    return ((0.0, rate_at(curve, 0.0)), *inside, (seconds, rate_at(curve, seconds)))


def rate_at(curve: Curve, at: float) -> float:
    """Return the rate ``at`` that moment."""
    if at <= curve[0][0]:
        return curve[0][1]
    for (begin, first), (end, last) in pairwise(curve):
        if at <= end:
            return first + (last - first) * (at - begin) / (end - begin)
    return curve[-1][1]


def _within(first: float, last: float, length: float, wanted: float) -> float:
    """Return after which time a rate that goes evenly from ``first`` to ``last`` in ``length`` has made ``wanted``."""
    slope = (last - first) / length
    if abs(slope) < 1e-12:
        return wanted / first
    return min(length, 2 * wanted / (first + math.sqrt(max(0.0, first * first + 2 * slope * wanted))))
