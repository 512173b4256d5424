"""When probes come to a verdict (docs/semantics/pod-lifecycle.md section 6).

All times are seconds from a container's start.

A probe looks once a period; the first look comes at ``phase``, somewhere within the first period, and looks within
the initial delay are left out.
"""

from __future__ import annotations

import math

from rollplane.core.v1 import Probe

DEFAULT_PERIOD_SECONDS = 10
DEFAULT_FAILURE_THRESHOLD = 3


def period_seconds(probe: Probe) -> float:
    """Return how far the probe's looks lie apart."""
    return float(probe.period_seconds or DEFAULT_PERIOD_SECONDS)


def success_seconds(probe: Probe, able_after: float, phase: float) -> float:
    """Return when the probe has succeeded often enough in a row, if it does from ``able_after`` on."""
    return _look_seconds(probe, able_after, phase, probe.success_threshold or 1)


def failure_seconds(probe: Probe, failing_after: float, phase: float) -> float:
    """Return when the probe has failed often enough in a row, if it does from ``failing_after`` on."""
    return _look_seconds(probe, failing_after, phase, probe.failure_threshold or DEFAULT_FAILURE_THRESHOLD)


def _look_seconds(probe: Probe, after: float, phase: float, count: int) -> float:
    """Return when the ``count``-th look at or after ``after`` takes place."""
    period = period_seconds(probe)
    skipped = max(0, math.ceil((max(after, float(probe.initial_delay_seconds)) - phase) / period))
    return phase + (skipped + count - 1) * period
