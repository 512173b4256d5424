"""Carrying out the steps of a scenario on a plane, each when its time or its state has come."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from rollplane.core.v1 import Pod
from rollplane_kubelet_sim.stages.schema import parse_profile
from rollplane_machinery.api import Delete, Key, ListQuery, Patch, PatchType, RolloutState, WriteOptions
from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.kinds import POD, kind_of
from rollplane_machinery.pods import is_pod_ready
from rollplane_machinery.selectors import pod_selector_of
from rollplane_page.recorder import Recorder
from rollplane_page.recording import PodState
from rollplane_rehearsal.diagnosing import workloads
from rollplane_rehearsal.faults.draining import drain
from rollplane_rehearsal.plane import Plane
from rollplane_rehearsal.rehearse.following import Rollouts
from rollplane_rehearsal.rehearse.outcome import DrainOutcome
from rollplane_rehearsal.rehearse.watching import Watcher
from rollplane_rehearsal.rollouts import Workload, name_of
from rollplane_rehearsal.scenario.steps import Step
from rollplane_rehearsal.scenario.words import Condition, is_meant
from rollplane_rehearsal.virtual_time import START

MOST_PATIENCE_SECONDS = 86_400.0
DRAIN_SECONDS = 600.0
"""How long evictions are tried where a step does not say."""
_STATES = {
    "complete": RolloutState.DONE,
    "failed": RolloutState.FAILED,
    "moving": RolloutState.PROGRESSING,
}


class Actor:
    """Takes ``steps`` one after another; ``since`` is when the first was, in seconds of the loop."""

    def __init__(self, plane: Plane, watcher: Watcher, rollouts: Rollouts, steps: Sequence[Step]) -> None:
        self._plane = plane
        self._watcher = watcher
        self._rollouts = rollouts
        self._steps = steps
        self._taken = 0
        self._since = 0.0
        self.drains: list[DrainOutcome] = []

    async def run(self, since: float) -> None:
        """Take all steps; raises RollplaneError when one is refused."""
        self._since = since
        for step in self._steps:
            await self._wait(step, since)
            self._watcher.recorder.mark(told(step), START + self._plane.seconds)
            await _DOERS[step.action](self, step)
            self._taken += 1

    @property
    def next_step(self) -> str:
        """The step that is waited for, as people read it; "" when all were taken."""
        if self._taken == len(self._steps):
            return ""
        return f"step {self._taken + 1} ({told(self._steps[self._taken])})"

    async def _wait(self, step: Step, since: float) -> None:
        if (condition := step.when) is not None:
            await self._plane.until(lambda: self._holds(condition), MOST_PATIENCE_SECONDS)
            await self._plane.advance(step.after)
        else:
            await self._plane.advance(max(step.after, since + step.at - self._plane.seconds))

    # Conditions.

    def _holds(self, condition: Condition) -> bool:
        if (state := _STATES.get(condition.state)) is not None:
            return any(
                now is state for name, now in self._rollouts.states.items() if is_meant(condition.workload, name)
            )
        return _pods_are(self._watcher.recorder, condition)

    # Actions.

    def _workload(self, called: str) -> Workload:
        found = [each for each in workloads(self._plane) if is_meant(called, name_of(each))]
        if len(found) != 1:
            count = "no workload" if not found else "more than one workload"
            raise BadRequestError(f'there is {count} called "{called}"')
        return found[0]

    def _key(self, called: str) -> Key:
        workload = self._workload(called)
        return Key(kind_of(workload), workload.metadata.namespace, workload.metadata.name)

    async def _apply(self, step: Step) -> None:
        await self._plane.apply(step.value)

    async def _set_image(self, step: Step) -> None:
        called, container, image = step.value
        key = self._key(called)
        await self._plane.client.set_image(key.kind.message, key.namespace, key.name, {container: image})

    async def _patch(self, step: Step) -> None:
        called, patch = step.value
        key = self._key(called)
        options = WriteOptions("rehearse")
        await self._plane.api.write(Patch(key, PatchType.STRATEGIC_MERGE, patch.encode(), options=options))

    async def _scale(self, step: Step) -> None:
        called, replicas = step.value
        key = self._key(called)
        await self._plane.client.scale(key.kind.message, key.namespace, key.name, replicas)

    async def _pause(self, step: Step) -> None:
        key = self._key(step.value)
        await self._plane.client.pause(key.kind.message, key.namespace, key.name)

    async def _resume(self, step: Step) -> None:
        key = self._key(step.value)
        await self._plane.client.resume(key.kind.message, key.namespace, key.name)

    async def _restart(self, step: Step) -> None:
        key = self._key(step.value)
        await self._plane.client.restart(key.kind.message, key.namespace, key.name)

    async def _undo(self, step: Step) -> None:
        key = self._key(step.value)
        await self._plane.client.undo(key.kind.message, key.namespace, key.name)

    async def _delete_pods(self, step: Step) -> None:
        """Delete the pods of a workload that are not ready, as somebody does who frees a StatefulSet that is stuck."""
        workload = self._workload(step.value)
        query = ListQuery(POD, workload.metadata.namespace, str(pod_selector_of(workload)))
        for pod in (Pod.FromString(each.value) for each in (await self._plane.api.list(query)).objects):
            if not is_pod_ready(pod):
                key = Key(POD, pod.metadata.namespace, pod.metadata.name)
                await self._plane.api.write(Delete(key, options=WriteOptions("rehearse")))

    async def _drain(self, step: Step) -> None:
        began = self._plane.seconds
        left = await drain(self._plane, step.value, step.seconds or DRAIN_SECONDS)
        took = self._plane.seconds - began
        self.drains.append(DrainOutcome(step.value, began - self._since, took, [*left.items()]))
        if left:
            self._watcher.recorder.mark(f"drain of {step.value} gave up", START + self._plane.seconds)

    async def _uncordon(self, step: Step) -> None:
        await self._plane.faults.uncordon(step.value)

    async def _silence(self, step: Step) -> None:
        self._plane.faults.silence(step.value)
        if step.seconds is not None:
            loop = asyncio.get_running_loop()
            loop.call_later(step.seconds, self._plane.faults.unsilence, step.value)

    async def _unready(self, step: Step) -> None:
        self._plane.faults.unready(step.value)

    async def _restart_kubelet(self, step: Step) -> None:
        self._plane.faults.restart_kubelet(step.value)

    async def _break_image(self, step: Step) -> None:
        self._plane.faults.break_image(step.value)

    async def _slow_pulls(self, step: Step) -> None:
        image, seconds = step.value
        self._plane.faults.slow_pulls(seconds, image)

    async def _rule(self, step: Step) -> None:
        (rule,) = parse_profile(json.dumps({"rules": [json.loads(step.value)]}), "rule").rules
        self._plane.faults.rule(rule)

    async def _kill_controller(self, _step: Step) -> None:
        await self._plane.faults.kill_controller()

    async def _restart_controller(self, _step: Step) -> None:
        await self._plane.faults.restart_controller()

    async def _add_controller(self, _step: Step) -> None:
        await self._plane.faults.add_controller()

    async def _pause_controller(self, step: Step) -> None:
        await self._plane.faults.pause_controller(step.seconds or 0.0)

    async def _stall_watches(self, step: Step) -> None:
        self._plane.faults.stall_watches(step.seconds)

    async def _lose_answers(self, step: Step) -> None:
        self._plane.faults.lose_answers(step.value, step.seconds)

    async def _fill_store(self, step: Step) -> None:
        self._plane.faults.fill_store(step.seconds)


_DOERS: Mapping[str, Callable[[Actor, Step], Awaitable[None]]] = {
    name.removeprefix("_").replace("_", " "): member
    for name, member in vars(Actor).items()
    if name.startswith("_") and not name.startswith("__") and name not in ("_wait", "_holds", "_workload", "_key")
}


def told(step: Step) -> str:
    """Return a step as people read it: ``set image web=web:v2``."""
    value: Any = step.value
    if step.action == "apply":
        return "apply"
    if step.action == "rule":
        return _rule_told(json.loads(value))
    if step.action == "patch":
        return f"patch {value[0]}"
    if isinstance(value, tuple):
        value = "=".join(str(each) for each in value if each != "*")
    return step.action if value is None else f"{step.action} {value}"


def _rule_told(rule: Mapping[str, Any]) -> str:
    """Return ``rule crash of web:v2``."""
    images = (rule.get("match") or {}).get("image", [])
    meant = ", ".join([images] if isinstance(images, str) else images)
    return f"rule {rule['stage']}{f' of {meant}' if meant else ''}"


def _pods_are(recorder: Recorder, condition: Condition) -> bool:
    """Tell whether as many pods are as the condition asks for, of the revision that is wanted now, or of others."""
    counted = {PodState.AVAILABLE} if condition.state == "available" else {PodState.AVAILABLE, PodState.READY}
    states = recorder.states()
    for place, workload in enumerate(recorder.recording.workloads):
        if not is_meant(condition.workload, workload.full_name):
            continue
        meant = [_is_meant_by(condition, recorder, place, each) for each in range(len(workload.revisions))]
        count = sum(
            line.workload == place and state in counted and meant[line.revision]
            for line, state in zip(recorder.recording.pods, states, strict=True)
        )
        wanted = -(-workload.desired * condition.count // 100) if condition.percent else condition.count
        return count >= wanted and (count > 0 or wanted == 0)
    return False


def _is_meant_by(condition: Condition, recorder: Recorder, place: int, revision: int) -> bool:
    newest = recorder.is_newest(place, revision)
    return {"new": newest, "old": not newest}.get(condition.revision, True)
