"""The bound on a server's clock: a deadline never lies behind the moment it stands for."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rollplane_apiserver.store.store_clock import StoreClock

SECONDS = st.floats(0, 1000)
DELAYS = st.floats(0, 5)


@given(ahead=st.floats(-1e6, 2e9), exchanges=st.lists(st.tuples(SECONDS, DELAYS, DELAYS), min_size=1), later=SECONDS)
def test_a_deadline_is_never_late(ahead: float, exchanges: list[tuple[float, float, float]], later: float) -> None:
    clock = StoreClock()
    for sent, there, back in exchanges:
        clock.observe(sent, sent + there + back, int((sent + there + ahead) * 1e6))
    least_trip = min(there + back for _, there, back in exchanges)
    error = (later + ahead) - clock.deadline(later) / 1e6
    assert -1e-5 <= error <= least_trip + 5 + 1e-3


def test_a_clock_that_was_set_is_believed() -> None:
    clock = StoreClock()
    clock.observe(10.0, 10.1, 1_000_000_000)
    clock.observe(20.0, 20.1, 500_000_000)
    assert clock.deadline(20.1) == 500_000_000
    clock.observe(30.0, 30.1, 2_000_000_000)
    assert clock.deadline(30.1) == 2_000_000_000
