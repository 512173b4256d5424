"""The recorded rollouts, followed by the pure planners alone: no server, every snapshot."""

from __future__ import annotations

import pytest

from tests.planners.trace_actions import act, created
from tests.planners.traces import load, normalised, snapshot, tolerate

TRACES = load("Deployment")


@pytest.mark.parametrize("name", TRACES)
def test_planners_follow_the_recorded_rollout(name: str) -> None:
    trace = TRACES[name]
    world = created(trace["manifest"])
    for step, recorded in enumerate(trace["trace"]):
        act(world, recorded["after"], recorded.get("acted") or {})
        world.settle()
        seen = snapshot(world.deployment, list(world.replica_sets.values()), list(world.pods.values()))
        expected = normalised(recorded)
        tolerate(name, expected, seen)
        assert seen == expected, f"step {step} {recorded['after']}: {world.reasons}"
