"""A few seeds of ``python -m tests.faults``, and that the same seed is the same story."""

from __future__ import annotations

import pytest

from tests.faults.rollovers import tell

SEEDS = range(1, 13)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_rollover_under_faults_ends_with_exactly_its_pods(seed: int) -> None:
    told = tell(seed)
    assert not told.problems, told
    assert told.faults.total() > 0


def test_the_same_seed_is_the_same_story() -> None:
    assert tell(3) == tell(3)
