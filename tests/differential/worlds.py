"""Two worlds in which one walk is taken: the pure planners', and the whole plane in one process and in virtual time."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from rollplane_machinery.releases import Release
from rollplane_planners.node_lifecycle.times import NodeTimes
from tests.end_to_end.in_process import Plane, SteppedClock, in_process_plane
from tests.end_to_end.trace_recording import Recording
from tests.end_to_end.virtual_time import START, until
from tests.planners.trace_actions import act, created
from tests.planners.traces import Json, snapshot

PATIENCE_SECONDS = 60.0
LONG = 1e9
"""Nodes are silent here, and must not be given up for it."""


class PlannersWorld:
    """A Deployment in the world of tests/planners/plan_world.py, at rest after every step."""

    def __init__(self, manifest: Json, release: Release) -> None:
        self._world = created(manifest, release)
        self._world.settle()

    def act(self, action: Any, acted: Mapping[str, int]) -> None:
        act(self._world, action, acted)
        self._world.settle()

    def choose(self, action: Any) -> dict[str, int]:
        """Return how many pods of each image an action concerns: the oldest live ones that are to be changed."""
        if not isinstance(action, dict) or not action.keys() & {"ready", "unready", "delete_pod"}:
            return {}
        ((verb, count),) = action.items()
        fitting = [pod for pod in self._world.live_pods() if verb == "delete_pod" or _ready(pod) == (verb == "unready")]
        return dict(Counter(pod.spec.containers[0].image for pod in fitting[:count]))

    def snapshot(self) -> Json:
        world = self._world
        return snapshot(world.deployment, list(world.replica_sets.values()), list(world.pods.values()))


def _ready(pod: Any) -> bool:
    return any(condition.type == "Ready" and condition.status == "True" for condition in pod.status.conditions)


class _VirtualClock(SteppedClock):
    def now(self) -> float:
        return START + self.monotonic() + self.ahead


class PlaneWorld:
    """The same Deployment on a plane; to be used in virtual time."""

    def __init__(self, plane: Plane, manifest: Json) -> None:
        self._plane = plane
        self._recording = Recording(plane, manifest)

    async def act(self, action: Any, acted: Mapping[str, int]) -> None:
        await self._recording.act(action, acted)
        await until(self._is_quiet, PATIENCE_SECONDS, "the controllers never rest")

    async def _is_quiet(self) -> bool:
        return self._plane.manager.is_quiet(self._plane.core.revision)

    async def snapshot(self) -> Json:
        return await self._recording.snapshot()


@asynccontextmanager
async def plane_world(manifest: Json, release: Release) -> AsyncIterator[PlaneWorld]:
    """Run a plane and create the Deployment on it."""
    times = NodeTimes(grace_seconds=LONG, startup_grace_seconds=LONG)
    async with in_process_plane(release=release, clock=_VirtualClock(), node_times=times) as plane:
        world = PlaneWorld(plane, manifest)
        await world.act("create", {})
        yield world
