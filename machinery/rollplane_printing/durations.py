"""Durations as kubectl shows them: two units at most, fewer the longer it is.

Source: kubernetes/apimachinery pkg/util/duration/duration.go, HumanDuration.
"""

from __future__ import annotations

from rollplane.meta.v1 import MicroTime, Time
from rollplane_machinery.times import to_seconds

UNKNOWN, INVALID = "<unknown>", "<invalid>"

_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86_400, 31_536_000


def duration_text(seconds: float) -> str:
    """Return ``47s``, ``5m30s``, ``3h12m``, ``2d4h``, ``100d``, ``2y30d`` or ``9y``.

    A clock that is up to a second behind shows ``0s``, one further behind ``<invalid>``.
    """
    if seconds <= -2:
        return INVALID
    whole = max(0, int(seconds))
    if whole < 2 * _MINUTE:
        return f"{whole}s"
    if whole < 10 * _MINUTE:
        return _pair(whole, _MINUTE, "m", 1, "s")
    if whole < 3 * _HOUR:
        return f"{whole // _MINUTE}m"
    if whole < 8 * _HOUR:
        return _pair(whole, _HOUR, "h", _MINUTE, "m")
    if whole < 2 * _DAY:
        return f"{whole // _HOUR}h"
    if whole < 8 * _DAY:
        return _pair(whole, _DAY, "d", _HOUR, "h")
    if whole < 2 * _YEAR:
        return f"{whole // _DAY}d"
    if whole < 8 * _YEAR:
        return _pair(whole, _YEAR, "y", _DAY, "d")
    return f"{whole // _YEAR}y"


def _pair(seconds: int, large: int, large_unit: str, small: int, small_unit: str) -> str:
    """``5m30s``; a second part of zero is left out."""
    rest = seconds % large // small
    return f"{seconds // large}{large_unit}" + (f"{rest}{small_unit}" if rest else "")


def age(since: Time | MicroTime, now: float) -> str:
    """Return how long ago ``since`` was at ``now`` (seconds since the epoch); ``<unknown>`` for an unset time."""
    then = to_seconds(since)
    return duration_text(now - then) if then else UNKNOWN


def age_of_text(since: str, now: float) -> str:
    """As ``age``, of a time in RFC 3339; ``<invalid>`` for what is none."""
    from rollplane_machinery.codec.time_text import parse_time  # with the codec, which few tables need

    try:
        return duration_text(now - parse_time(since)[0])
    except ValueError:
        return INVALID
