"""A few seeds of ``python -m tests.faults``, and that the same seed is the same story."""

from __future__ import annotations

from tests.faults.rollovers import tell_all


def test_rollovers_under_faults_end_with_exactly_their_pods() -> None:
    for told in tell_all(range(1, 9), 2):
        assert not told.problems, told
        assert told.faults.total() > 0


def test_the_same_seed_is_the_same_story() -> None:
    one, other = tell_all([3, 3], 2)
    assert one == other
