"""The recorder's actions of tests/golden/traces, done to a plane in one process."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from copy import deepcopy
from typing import Any

from rollplane.apps.v1 import Deployment, ReplicaSet
from rollplane.core.v1 import Namespace, Pod
from rollplane_machinery.api import Delete, Key, Patch, PatchType, SetImage
from rollplane_machinery.codec import from_json
from rollplane_machinery.kinds import DEPLOYMENT, POD, REPLICA_SET
from rollplane_machinery.metadata import is_being_deleted
from tests.end_to_end.in_process import HandPlane
from tests.planners.traces import Json, snapshot


class Recording:
    """One trace's Deployment, and the recorder's actions on it."""

    def __init__(self, plane: HandPlane, manifest: Json) -> None:
        self.plane = plane
        self.manifest = manifest
        self.namespace = str(manifest["metadata"]["namespace"])
        self.key = Key(DEPLOYMENT, self.namespace, manifest["metadata"]["name"])

    async def act(self, action: Any, acted: Mapping[str, int]) -> None:
        await self.plane.advance(1)
        if action == "create":
            await self._create()
        elif "ready" in action or "unready" in action:
            await self._set_ready(acted, ready="ready" in action)
        elif "delete_pod" in action:
            await self._delete(acted)
        elif "finish" in action:
            pods = await self.plane.pods(self.namespace)
            await self.plane.finish([pod for pod in pods if is_being_deleted(pod.metadata)])
        elif "image" in action:
            await self.plane.api.set_image(SetImage(self.key, {"*": action["image"]}))
        elif "patch" in action:
            await self._patch(action["patch"])
        else:
            await self.plane.api.undo(self.key, action["undo"])

    async def _create(self) -> None:
        namespace = Namespace()
        namespace.metadata.name = self.namespace
        await self.plane.create(namespace)
        await self.plane.create(from_json(deepcopy(self.manifest)))

    async def _patch(self, patch: Json) -> None:
        await self.plane.api.write(Patch(self.key, PatchType.MERGE, json.dumps(patch).encode()))

    async def _set_ready(self, acted: Mapping[str, int], *, ready: bool) -> None:
        await self.plane.set_ready(await self._oldest(acted, lambda pod: _is_ready(pod) != ready), ready=ready)

    async def _delete(self, acted: Mapping[str, int]) -> None:
        for pod in await self._oldest(acted, lambda _pod: True):
            await self.plane.api.write(Delete(Key(POD, self.namespace, pod.metadata.name)))

    async def _oldest(self, acted: Mapping[str, int], fits: Callable[[Pod], bool]) -> list[Pod]:
        """Return as many pods of each image as ``acted`` says, the oldest live ones that fit."""
        pods = await self.plane.pods(self.namespace)
        chosen: list[Pod] = []
        for image, count in acted.items():
            fitting = [pod for pod in pods if _image(pod) == image and not _ends(pod) and fits(pod)]
            assert len(fitting) >= count
            chosen.extend(fitting[:count])
        return chosen

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
