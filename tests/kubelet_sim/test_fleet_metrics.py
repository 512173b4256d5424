"""What a fleet counts of its pods, reports, heartbeats and batches."""

from __future__ import annotations

import asyncio

import pytest
from prometheus_client import CollectorRegistry

from rollplane_kubelet_sim.metrics import PHASES, Metrics, result_of
from rollplane_machinery.api import WriteResult
from rollplane_machinery.clock import FakeClock
from rollplane_machinery.errors import ConflictError, ForbiddenError, NotFoundError
from rollplane_rehearsal.virtual_time import in_virtual_time
from rollplane_service.metrics import WriteMetrics
from tests.kubelet_sim.fleets import world


def figure(registry: CollectorRegistry, name: str, **labels: str) -> float:
    return registry.get_sample_value(name, labels) or 0.0


def phases(metrics: Metrics) -> dict[str, float]:
    """The pods by phase, without the phases that none is in."""
    found = {phase: figure(metrics.registry, "rollplane_kubelet_pods", phase=phase) for phase in PHASES}
    return {phase: count for phase, count in found.items() if count}


@in_virtual_time
async def test_pods_are_counted_by_phase_until_they_are_gone() -> None:
    async with world() as here:
        fleet, _ = await here.fleet("instant")
        registry = fleet.metrics.registry
        assert (phases(fleet.metrics), figure(registry, "rollplane_kubelet_nodes")) == ({}, 2)
        await here.pod("a")
        await here.pod("b", "node-1")
        await asyncio.sleep(0.5)
        assert phases(fleet.metrics) == {"Running": 2}
        assert figure(registry, "rollplane_kubelet_status_reports_total", result="stored") == 2
        await here.delete("a")
        await asyncio.sleep(0.5)
        assert phases(fleet.metrics) == {"Running": 1}
        await here.delete("b")
        await asyncio.sleep(0.5)
        assert phases(fleet.metrics) == {}


@in_virtual_time
async def test_each_node_is_heard_of_every_ten_seconds() -> None:
    async with world() as here:
        fleet, _ = await here.fleet("instant")
        registry = fleet.metrics.registry
        before = figure(registry, "rollplane_kubelet_heartbeats_total", result="stored")
        await asyncio.sleep(30.5)
        assert figure(registry, "rollplane_kubelet_heartbeats_total", result="stored") - before == 6
        assert figure(registry, "rollplane_batch_writes_count") > 0
        assert figure(registry, "rollplane_watch_lag_seconds_count") > 0


RESULTS = {
    "stored": (WriteResult(7), "stored"),
    "changed": (ConflictError("x"), "stale"),
    "gone": (NotFoundError("x"), "stale"),
    "forbidden": (ForbiddenError("x"), "refused"),
}


@pytest.mark.parametrize(("answer", "word"), RESULTS.values(), ids=RESULTS)
def test_answers_have_one_of_three_words(answer: WriteResult, word: str) -> None:
    assert result_of(answer) == word


async def test_lag_is_from_the_answer_until_the_watch_has_shown_all() -> None:
    registry, clock = CollectorRegistry(), FakeClock()
    metrics = WriteMetrics(registry, clock)
    metrics.answered(3, 0.01, revision=10)
    metrics.reached(9)
    assert figure(registry, "rollplane_watch_lag_seconds_count") == 0
    await clock.advance(2.0)
    metrics.reached(10)
    assert figure(registry, "rollplane_watch_lag_seconds_sum") == 2.0
    metrics.answered(1, 0.01, revision=10)  # the watch was faster than the answer
    assert figure(registry, "rollplane_watch_lag_seconds_count") == 2
    assert figure(registry, "rollplane_watch_lag_seconds_sum") == 2.0
