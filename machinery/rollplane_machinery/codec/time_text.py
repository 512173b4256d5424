"""Time, MicroTime and Duration in JSON: RFC 3339 in UTC, with six digits for MicroTime, and Go's ``1h0m0.5s``."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from rollplane.meta import v1 as meta
from rollplane_machinery.times import is_set

_RFC3339 = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9})\d*)?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_SECOND = -62_135_596_800
_LAST_SECOND = 253_402_300_799
_DURATION_PART = re.compile(r"(\d+\.?\d*|\.\d+)(ns|us|µs|μs|ms|s|m|h)", re.ASCII)
_NANOSECONDS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "μs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_MAX_DURATION = 2**63


def parse_time(text: str) -> tuple[int, int]:
    """Return (seconds since the epoch, nanoseconds) of an RFC 3339 time; raises ValueError."""
    match = _RFC3339.fullmatch(text)
    if match is None:
        raise ValueError("not an RFC 3339 time")
    year, month, day, hour, minute, second, fraction, sign, offset_hours, offset_minutes = match.groups()
    moment = datetime(int(year), int(month), int(day), int(hour), int(minute), int(second), tzinfo=UTC)
    since = moment - _EPOCH
    seconds = since.days * 86_400 + since.seconds
    if sign:
        if int(offset_hours) > 23 or int(offset_minutes) > 59:
            raise ValueError("no such zone offset")
        offset = int(offset_hours) * 3600 + int(offset_minutes) * 60
        seconds += -offset if sign == "+" else offset
    return seconds, int((fraction or "0").ljust(9, "0"))


def format_time(time: meta.Time) -> str | None:
    """Return ``2006-01-02T15:04:05Z``; None for the zero time, which Kubernetes sends as an empty message.

    Seconds that no date has (before year 1, after 9999) are shown as the nearest one that is a date.
    """
    if not is_set(time):
        return None
    return _date(time.seconds).strftime("%Y-%m-%dT%H:%M:%SZ").rjust(20, "0")


def format_micro_time(time: meta.MicroTime) -> str | None:
    """Return ``2006-01-02T15:04:05.000000Z``; None for the zero time."""
    if not is_set(time):
        return None
    second = _date(time.seconds).strftime("%Y-%m-%dT%H:%M:%S").rjust(19, "0")
    return f"{second}.{min(max(time.nanos, 0), 999_999_999) // 1000:06}Z"


def _date(seconds: int) -> datetime:
    return _EPOCH + timedelta(seconds=min(max(seconds, _FIRST_SECOND), _LAST_SECOND))


def parse_duration(text: str) -> int:
    """Return the nanoseconds of ``1h30m``, ``-1.5s`` or ``0``; raises ValueError."""
    sign = -1 if text.startswith("-") else 1
    rest = text[1:] if text[:1] in ("-", "+") else text
    if rest == "0":
        return 0
    total, at = 0, 0
    while match := _DURATION_PART.match(rest, at):
        number, unit = match.groups()
        whole, _, fraction = number.partition(".")
        total += int(whole or "0") * _NANOSECONDS[unit]
        total += int(fraction or "0") * _NANOSECONDS[unit] // 10 ** len(fraction)
        at = match.end()
    if not at or at != len(rest) or total >= _MAX_DURATION:
        raise ValueError("not a duration")
    return sign * total


def format_duration(nanoseconds: int) -> str:
    """Return the shortest form Go prints: ``1h0m0s``, ``1.5s``, ``2ms``, ``0s``."""
    sign, left = ("-", -nanoseconds) if nanoseconds < 0 else ("", nanoseconds)
    if left < 10**9:
        for unit, size in (("ms", 10**6), ("µs", 10**3), ("ns", 1)):
            if left >= size:
                return f"{sign}{_decimal(left, size)}{unit}"
        return "0s"
    minutes, nanos = divmod(left, 60 * 10**9)
    hours, minutes = divmod(minutes, 60)
    seconds = f"{_decimal(nanos, 10**9)}s"
    if hours:
        return f"{sign}{hours}h{minutes}m{seconds}"
    return f"{sign}{minutes}m{seconds}" if minutes else sign + seconds


def _decimal(value: int, unit: int) -> str:
    """``value / unit`` without rounding; ``unit`` is a power of ten."""
    whole, rest = divmod(value, unit)
    digits = f"{rest:0{len(str(unit)) - 1}}".rstrip("0") if rest else ""
    return f"{whole}.{digits}" if digits else str(whole)
