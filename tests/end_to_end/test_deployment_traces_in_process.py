"""The recorded Deployment rollouts, taken by the whole control plane in one process: every snapshot."""

from __future__ import annotations

import json
from copy import deepcopy
from typing import Any

import pytest

from rollplane.apps.v1 import Deployment, ReplicaSet
from rollplane.core.v1 import Namespace, Pod
from rollplane_machinery.api import Key, Patch, PatchType, SetImage
from rollplane_machinery.codec import from_json
from rollplane_machinery.kinds import DEPLOYMENT, REPLICA_SET
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.releases import RECORDED
from tests.end_to_end.in_process import Plane, in_process_plane
from tests.planners.traces import Json, load, normalised, snapshot, tolerate

TRACES = load("Deployment")


@pytest.mark.parametrize("name", TRACES)
async def test_plane_follows_the_recorded_rollout(name: str) -> None:
    trace = TRACES[name]
    async with in_process_plane(release=RECORDED) as plane:
        recording = _Recording(plane, trace["manifest"])
        for step, recorded in enumerate(trace["trace"]):
            await recording.act(recorded["after"], recorded.get("acted") or {})
            await plane.quiet()
            expected, seen = normalised(recorded), await recording.snapshot()
            tolerate(name, expected, seen)
            assert seen == expected, f"step {step}: {recorded['after']}"


class _Recording:
    """One trace's Deployment, and the recorder's actions on it."""

    def __init__(self, plane: Plane, manifest: Json) -> None:
        self.plane = plane
        self.manifest = manifest
        self.namespace = str(manifest["metadata"]["namespace"])
        self.key = Key(DEPLOYMENT, self.namespace, manifest["metadata"]["name"])

    async def act(self, action: Any, acted: dict[str, int]) -> None:
        self.plane.clock.ahead += 1
        if action == "create":
            await self._create()
        elif "ready" in action or "unready" in action:
            await self._set_ready(acted, ready="ready" in action)
        elif "finish" in action:
            pods = await self.plane.pods(self.namespace)
            await self.plane.finish([pod for pod in pods if is_being_deleted(pod.metadata)])
        elif "image" in action:
            await self.plane.user.set_image(SetImage(self.key, {"*": action["image"]}))
        elif "patch" in action:
            await self._patch(action["patch"])
        else:
            await self.plane.user.undo(self.key, action["undo"])

    async def _create(self) -> None:
        namespace = Namespace()
        namespace.metadata.name = self.namespace
        await self.plane.create(namespace)
        await self.plane.create(from_json(deepcopy(self.manifest)))

    async def _patch(self, patch: Json) -> None:
        await self.plane.user.write(Patch(self.key, PatchType.MERGE, json.dumps(patch).encode()))

    async def _set_ready(self, acted: dict[str, int], *, ready: bool) -> None:
        pods = await self.plane.pods(self.namespace)
        chosen: list[Pod] = []
        for image, count in acted.items():
            fitting = [pod for pod in pods if _image(pod) == image and _is_ready(pod) != ready and not _ends(pod)]
            assert len(fitting) >= count
            chosen.extend(fitting[:count])
        await self.plane.set_ready(chosen, ready=ready)

    async def snapshot(self) -> Json:
        deployment = await self.plane.get(DEPLOYMENT, self.namespace, self.key.name)
        assert isinstance(deployment, Deployment)
        sets = [one for one in await self.plane.all(REPLICA_SET, self.namespace) if isinstance(one, ReplicaSet)]
        return snapshot(deployment, sets, await self.plane.pods(self.namespace))


def _image(pod: Pod) -> str:
    return pod.spec.containers[0].image


def _is_ready(pod: Pod) -> bool:
    return any(condition.type == "Ready" and condition.status == "True" for condition in pod.status.conditions)


def _ends(pod: Pod) -> bool:
    return is_being_deleted(pod.metadata)
