"""Back-off: the numbers, the cap, the spread."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollplane_client.backoff import Backoff

CASES: dict[str, tuple[int, float]] = {
    "the first failure waits the base": (0, 0.5),
    "each failure doubles": (3, 4.0),
    "the cap holds": (4, 6.0),
    "however many failures": (100_000, 6.0),
}


@pytest.mark.parametrize(("failures", "expected"), CASES.values(), ids=CASES)
def test_backoff_without_jitter(failures: int, expected: float) -> None:
    backoff = Backoff(base_seconds=0.5, cap_seconds=6.0, spread=0.5)
    assert backoff.seconds(failures) == expected


def test_jitter_stretches_by_at_most_the_spread() -> None:
    backoff = Backoff(base_seconds=10.0, cap_seconds=10.0, spread=0.2)
    assert backoff.seconds(0, lambda: 0.5) == pytest.approx(11.0)


@given(st.integers(0, 200), st.floats(0, 1, exclude_max=True))
def test_more_failures_never_wait_less(failures: int, jitter: float) -> None:
    backoff = Backoff()
    assert backoff.seconds(failures + 1, lambda: jitter) >= backoff.seconds(failures, lambda: jitter) > 0
