"""Percentiles and spreads."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollplane_load.statistics import PARTS, Spread, percentile, spread_of, summary_of

PERCENTILES: dict[str, tuple[list[float], float, float]] = {
    "none": ([], 0.5, 0.0),
    "one": ([3.0], 0.99, 3.0),
    "the middle of three": ([3.0, 1.0, 2.0], 0.5, 2.0),
    "of two the lower": ([1.0, 2.0], 0.5, 1.0),
    "nine in ten": ([float(n) for n in range(1, 11)], 0.9, 9.0),
    "99 of 100": ([float(n) for n in range(1, 101)], 0.99, 99.0),
    "all": ([1.0, 5.0], 1.0, 5.0),
    "the least": ([4.0, 5.0], 0.0, 4.0),
}


@pytest.mark.parametrize(("values", "part", "expected"), PERCENTILES.values(), ids=PERCENTILES)
def test_percentile(values: list[float], part: float, expected: float) -> None:
    assert percentile(values, part) == expected


@given(st.lists(st.floats(0, 1e6), min_size=1), st.floats(0.01, 1))
def test_a_percentile_is_the_least_value_that_enough_do_not_exceed(values: list[float], part: float) -> None:
    found = percentile(values, part)
    assert found in values
    assert sum(value <= found for value in values) >= part * len(values) - 1e-9
    assert sum(value < found for value in values) < part * len(values)


def test_a_summary() -> None:
    summary = summary_of([1.0, 2.0, 3.0, 10.0])
    assert (summary.count, summary.mean, summary.p50, summary.p90, summary.p99, summary.max) == (4, 4.0, 2, 10, 10, 10)
    assert len(summary.quantiles) == len(PARTS)
    assert list(summary.quantiles) == sorted(summary.quantiles)
    assert summary_of([]).max == 0.0


SPREADS: dict[str, tuple[list[float], Spread]] = {
    "one": ([2.0], Spread(2.0, 2.0, 2.0, 1)),
    "three": ([3.0, 1.0, 2.0], Spread(2.0, 1.0, 3.0, 3)),
    "between the two in the middle": ([1.0, 2.0, 4.0, 9.0], Spread(3.0, 1.0, 9.0, 4)),
}


@pytest.mark.parametrize(("values", "expected"), SPREADS.values(), ids=SPREADS)
def test_spread(values: list[float], expected: Spread) -> None:
    assert spread_of(values) == expected


def test_nothing_has_no_spread() -> None:
    with pytest.raises(ValueError, match="no values"):
        spread_of([])
