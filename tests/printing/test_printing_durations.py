"""Ages as kubectl shows them."""

from __future__ import annotations

import pytest

from rollplane.meta.v1 import MicroTime, Time
from rollplane_printing.durations import age, duration_text

MINUTE, HOUR, DAY, YEAR = 60, 3600, 86_400, 365 * 86_400

DURATIONS: dict[str, tuple[float, str]] = {
    "far in the future": (-2, "<invalid>"),
    "a clock slightly behind": (-1.5, "0s"),
    "now": (0, "0s"),
    "parts of a second are cut": (1.9, "1s"),
    "last with seconds only": (119, "119s"),
    "two minutes": (2 * MINUTE, "2m"),
    "minutes and seconds": (5 * MINUTE + 30, "5m30s"),
    "last with minutes and seconds": (10 * MINUTE - 1, "9m59s"),
    "ten minutes": (10 * MINUTE + 59, "10m"),
    "last with minutes only": (3 * HOUR - 1, "179m"),
    "three hours": (3 * HOUR, "3h"),
    "hours and minutes": (3 * HOUR + 12 * MINUTE, "3h12m"),
    "eight hours": (8 * HOUR + 59 * MINUTE, "8h"),
    "last with hours only": (2 * DAY - 1, "47h"),
    "two days": (2 * DAY, "2d"),
    "days and hours": (2 * DAY + 4 * HOUR, "2d4h"),
    "eight days": (8 * DAY + 23 * HOUR, "8d"),
    "last with days only": (2 * YEAR - 1, "729d"),
    "years and days": (2 * YEAR + 30 * DAY, "2y30d"),
    "years": (2 * YEAR, "2y"),
    "eight years": (8 * YEAR + 300 * DAY, "8y"),
}


@pytest.mark.parametrize(("seconds", "expected"), DURATIONS.values(), ids=DURATIONS)
def test_duration_text(seconds: float, expected: str) -> None:
    assert duration_text(seconds) == expected


def test_age_counts_from_either_kind_of_time() -> None:
    assert age(Time(seconds=1000), 1090.0) == "90s"
    assert age(MicroTime(seconds=1000, nanos=900_000_000), 1090.0) == "89s"


def test_age_of_an_unset_time_is_unknown() -> None:
    assert age(Time(), 1090.0) == "<unknown>"
