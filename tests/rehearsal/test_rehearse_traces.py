"""The recorded rollouts of a real control plane, taken by the parts of a rehearsal, and seen as its reports see them.

What was asked for are steps of a rehearsal; what kubelets did is done by hand, as it was when it was recorded. At each
snapshot the plane is as recorded, and so is what the rehearsal saw of it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import pytest

from rollplane.core.v1 import Pod
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.pods import is_pod_ready
from rollplane_machinery.releases import RECORDED
from rollplane_page.recorder import Recorder
from rollplane_page.recording import PodState
from rollplane_rehearsal import in_virtual_time
from rollplane_rehearsal.rehearse.following import Rollouts
from rollplane_rehearsal.rehearse.watching import Watcher
from rollplane_rehearsal.scenario.acting import Actor
from rollplane_rehearsal.scenario.steps import read_step
from rollplane_rehearsal.virtual_time import START
from tests.end_to_end.in_process import in_process_plane
from tests.end_to_end.ordinal_recording import OrdinalRecording
from tests.end_to_end.trace_recording import Recording
from tests.planners.ordinal_snapshots import recorded_snapshot
from tests.planners.traces import Json, load, normalised, tolerate

TRACES = {**load("Deployment"), **load("StatefulSet"), **load("DaemonSet")}
KUBELETS_DID = {"ready", "unready", "ready_pod", "delete_pod", "finish"}


class _Steps:
    """The changes of a trace, taken as a rehearsal takes the steps of a scenario; ``seen`` is what it sees."""

    def __init__(self, recording: Recording | OrdinalRecording) -> None:
        self._plane, self._key = recording.plane, recording.key
        self.seen = Watcher(self._plane.log, "recorded", START)
        self._rollouts = Rollouts(self._plane.log)

    async def take(self, action: Any) -> bool:
        """Take what a step can say; tell whether it was one."""
        if (step := self._step(action)) is None:
            return False
        await self._plane.advance(1)
        await Actor(self._plane, self.seen, self._rollouts, [read_step(step)]).run(self._plane.seconds)
        return True

    def _step(self, action: Any) -> Json | None:
        workload = f"{self._key.kind.singular}/{self._key.namespace}/{self._key.name}"
        if action == "create" or KUBELETS_DID & set(action):
            return None
        if "image" in action:
            return {"set image": f"{workload}={action['image']}"}
        if "patch" in action:
            return {"patch": {"workload": workload, "patch": action["patch"]}}
        return {"undo": workload} if action == {"undo": 0} else None


@pytest.mark.parametrize("name", TRACES)
@in_virtual_time
async def test_a_rehearsal_takes_the_recorded_steps_and_sees_them(name: str) -> None:
    trace = TRACES[name]
    is_deployment = trace["manifest"]["kind"] == "Deployment"
    async with in_process_plane(release=RECORDED) as plane:
        recording = (Recording if is_deployment else OrdinalRecording)(plane, trace["manifest"])
        steps = _Steps(recording)
        for step, recorded in enumerate(trace["trace"]):
            if not await steps.take(recorded["after"]):
                await recording.act(recorded["after"], recorded.get("acted") or {})
            await plane.quiet()
            snapshot = await recording.snapshot()
            assert snapshot == _expected(name, recorded, recording, snapshot), f"step {step}: {recorded['after']}"
            there = await plane.pods(recording.namespace)
            assert _sizes(steps.seen.recorder) == _counted(there), f"step {step}: {recorded['after']}"
    assert not plane.violations


def _expected(name: str, recorded: Json, recording: Recording | OrdinalRecording, snapshot: Json) -> Json:
    if isinstance(recording, OrdinalRecording):
        return recorded_snapshot(recorded, recording.kind)
    expected = normalised(recorded)
    tolerate(name, expected, snapshot)
    return expected


Sizes = Mapping[str, tuple[int, int]]
"""By image: pods that are there and not going, and those of them that are ready."""


def _sizes(recorder: Recorder) -> Sizes:
    """Return what a report shows."""
    states = recorder.states()
    revisions = [each.revisions for each in recorder.recording.workloads]
    shown = [
        (revisions[line.workload][line.revision].split(" ")[0], state in (PodState.READY, PodState.AVAILABLE))
        for line, state in zip(recorder.recording.pods, states, strict=True)
        if state not in (PodState.GONE, PodState.TERMINATING)
    ]
    return _by_image(shown)


def _counted(pods: Iterable[Pod]) -> Sizes:
    live = (pod for pod in pods if not is_being_deleted(pod.metadata))
    return _by_image([(pod.spec.containers[0].image, is_pod_ready(pod)) for pod in live])


def _by_image(pods: Sequence[tuple[str, bool]]) -> Sizes:
    images = Counter(image for image, _ in pods)
    return {image: (count, sum(ready for own, ready in pods if own == image)) for image, count in images.items()}
