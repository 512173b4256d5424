"""Conversions between domain time (float seconds since the epoch, UTC) and the messages Time and MicroTime.

Times are cut to the second, as Kubernetes cuts them; MicroTimes hold microseconds.
"""

from __future__ import annotations

import math

from rollplane.meta.v1 import MicroTime, Time

_MICROS_PER_SECOND = 1_000_000
_NANOS_PER_MICRO = 1_000


def time_of(seconds: float) -> Time:
    """Return ``seconds`` cut to the whole second."""
    time = Time()
    set_time(time, seconds)
    return time


def set_time(time: Time, seconds: float) -> None:
    """Make ``time``, in place, what ``time_of`` returns: both fields are set, as Kubernetes always writes both."""
    time.seconds, time.nanos = math.floor(seconds), 0


def micro_time_of(seconds: float) -> MicroTime:
    """Return ``seconds`` to the nearest microsecond (a float often lies just below the decimal that was meant)."""
    micros = round(seconds * _MICROS_PER_SECOND)
    return MicroTime(seconds=micros // _MICROS_PER_SECOND, nanos=micros % _MICROS_PER_SECOND * _NANOS_PER_MICRO)


def to_seconds(time: Time | MicroTime) -> float:
    """Return seconds since the epoch; an unset time is 0.0."""
    return time.seconds + time.nanos / 1_000_000_000


def is_set(time: Time | MicroTime) -> bool:
    """Return whether ``time`` says when; Kubernetes may encode "never" as a time without fields."""
    return time.HasField("seconds")
