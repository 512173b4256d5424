"""Two worlds in which one walk is taken: the pure planners', and the whole plane in one process and in virtual time."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from rollplane_machinery.releases import Release
from tests.end_to_end.in_process import HandPlane, in_process_plane
from tests.end_to_end.trace_recording import Recording
from tests.planners.trace_actions import act, created
from tests.planners.traces import Json, snapshot


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


class PlaneWorld:
    """The same Deployment on a plane; to be used in virtual time."""

    def __init__(self, plane: HandPlane, manifest: Json) -> None:
        self._plane = plane
        self._recording = Recording(plane, manifest)

    async def act(self, action: Any, acted: Mapping[str, int]) -> None:
        await self._recording.act(action, acted)
        await self._plane.quiet()

    async def snapshot(self) -> Json:
        return await self._recording.snapshot()


@asynccontextmanager
async def plane_world(manifest: Json, release: Release) -> AsyncIterator[PlaneWorld]:
    """Run a plane and create the Deployment on it."""
    async with in_process_plane(release=release) as plane:
        world = PlaneWorld(plane, manifest)
        await world.act("create", {})
        yield world
