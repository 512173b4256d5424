"""Counting values in buckets."""

from __future__ import annotations

from rollplane_client.tally import Tally


def test_buckets_count_what_is_at_most_as_large() -> None:
    tally = Tally((1.0, 10.0))
    for value in (0.5, 1.0, 2.0, 10.0, 11.0):
        tally.add(value)
    assert tally.buckets() == [("1", 2.0), ("10", 4.0), ("+Inf", 5.0)]
    assert (tally.count, tally.sum) == (5, 24.5)
