"""When actions are due: as often as the rate says, at every moment."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollplane_load.scenario.arrivals import arrivals, rate_at
from rollplane_load.scenario.model import Curve

CASES: dict[str, tuple[Curve, float, float, list[float]]] = {
    "a steady rate": (((0.0, 2.0),), 0.0, 2.0, [0.5, 1.0, 1.5, 2.0]),
    "a ramp: half as many": (((0.0, 2.0),), 2.0, 3.0, [1.0**0.5 * 2**0.5, 2.0, 2.5, 3.0]),
    "a ramp that is longer than the phase": (((0.0, 2.0),), 4.0, 2.0, [2.0]),
    "a curve": (((0.0, 0.0), (2.0, 2.0), (4.0, 0.0)), 0.0, 4.0, [2**0.5, 2.0, 4 - 2**0.5, 4.0]),
    "nothing": (((0.0, 0.0),), 0.0, 10.0, []),
    "it begins late": (((5.0, 0.0), (5.5, 4.0)), 0.0, 6.0, [5.5, 5.75, 6.0]),
}


@pytest.mark.parametrize(("curve", "ramp", "seconds", "expected"), CASES.values(), ids=CASES)
def test_arrivals(curve: Curve, ramp: float, seconds: float, expected: list[float]) -> None:
    assert list(arrivals(curve, ramp, seconds)) == pytest.approx(expected)


_RATES = st.floats(0, 20).map(lambda rate: round(rate, 2))
_CURVES = st.lists(st.tuples(st.integers(0, 30), _RATES), min_size=1, max_size=5, unique_by=lambda each: each[0]).map(
    lambda points: tuple((float(at), rate) for at, rate in sorted(points))
)


@given(curve=_CURVES, seconds=st.integers(1, 40))
def test_as_many_as_the_area_below_the_curve_in_order_and_in_time(curve: Curve, seconds: int) -> None:
    found = list(arrivals(curve, 0.0, float(seconds)))
    steps = 4000
    area = sum(rate_at(curve, seconds * (step + 0.5) / steps) for step in range(steps)) * seconds / steps
    assert abs(len(found) - area) <= 1.1
    assert found == sorted(found)
    assert all(0 <= at <= seconds for at in found)
