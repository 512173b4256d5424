"""How often what lives on is walked through by the cyclic collector: once."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from rollplane_service.garbage import freeze_survivors


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Leave the collector as it was."""
    thresholds, callbacks = gc.get_threshold(), list(gc.callbacks)
    yield
    gc.callbacks[:] = callbacks
    gc.set_threshold(*thresholds)
    gc.unfreeze()


def test_what_survives_a_collection_is_not_walked_through_again() -> None:
    freeze_survivors()
    kept = [[number] for number in range(1_000)]
    gc.collect(0)
    assert not [one for one in gc.get_objects() if one is kept]


def test_a_cycle_that_nobody_holds_is_freed_by_the_first_collection() -> None:
    freeze_survivors()
    before = gc.get_freeze_count()
    cycle: list[object] = []
    cycle.append(cycle)
    del cycle
    assert gc.collect(0) >= 1
    assert gc.get_freeze_count() - before < 1_000


def test_it_may_be_asked_for_twice() -> None:
    freeze_survivors()
    freeze_survivors()
    assert len(gc.callbacks) == len(set(gc.callbacks))
