"""The recorded StatefulSet and DaemonSet rollouts, taken by the whole control plane in one process: every snapshot."""

from __future__ import annotations

import pytest

from rollplane_machinery.releases import RECORDED
from rollplane_rehearsal import in_virtual_time
from tests.end_to_end.in_process import in_process_plane
from tests.end_to_end.ordinal_recording import OrdinalRecording
from tests.planners.ordinal_snapshots import recorded_snapshot
from tests.planners.traces import load

TRACES = {**load("StatefulSet"), **load("DaemonSet")}


@pytest.mark.parametrize("name", TRACES)
@in_virtual_time
async def test_plane_follows_the_recorded_rollout(name: str) -> None:
    trace = TRACES[name]
    async with in_process_plane(release=RECORDED) as plane:
        recording = OrdinalRecording(plane, trace["manifest"])
        for step, recorded in enumerate(trace["trace"]):
            await recording.act(recorded["after"], recorded.get("acted") or {})
            await plane.quiet()
            expected, seen = recorded_snapshot(recorded, recording.kind), await recording.snapshot()
            assert seen == expected, f"step {step}: {recorded['after']}"
