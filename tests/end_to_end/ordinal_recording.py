"""The recorder's actions of tests/golden/traces on StatefulSets and DaemonSets, done to a plane in one process."""

from __future__ import annotations

import json
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

from rollplane.apps.v1 import ControllerRevision, DaemonSet, StatefulSet
from rollplane.core.v1 import Namespace, Pod
from rollplane_machinery.api import Delete, Key, Patch, PatchType, SetImage
from rollplane_machinery.codec import from_json
from rollplane_machinery.kinds import CONTROLLER_REVISION, DAEMON_SET, POD, STATEFUL_SET, Kind
from rollplane_machinery.metadata import is_being_deleted
from tests.end_to_end.in_process import HandPlane
from tests.planners.ordinal_snapshots import daemon_set_snapshot, stateful_set_snapshot
from tests.planners.traces import Json


class OrdinalRecording:
    """One trace's object, and the recorder's actions on it."""

    def __init__(self, plane: HandPlane, manifest: Json) -> None:
        self.plane = plane
        self.manifest = manifest
        self.kind: Kind = STATEFUL_SET if manifest["kind"] == "StatefulSet" else DAEMON_SET
        self.namespace = str(manifest["metadata"]["namespace"])
        self.key = Key(self.kind, self.namespace, manifest["metadata"]["name"])

    async def act(self, action: Any, acted: Mapping[str, int]) -> None:
        await self.plane.advance(1)
        if action == "create":
            await self._create()
        elif "ready" in action:
            await self._set_ready(list(acted))
        elif "ready_pod" in action:
            await self._set_ready([action["ready_pod"]])
        elif "delete_pod" in action:
            await self._delete_pod(action["delete_pod"])
        elif "finish" in action:
            await self.plane.finish([pod for pod in await self._pods() if _ends(pod)])
        elif "image" in action:
            await self.plane.api.set_image(SetImage(self.key, {"*": action["image"]}))
        else:
            await self.plane.api.write(Patch(self.key, PatchType.MERGE, json.dumps(action["patch"]).encode()))

    async def _create(self) -> None:
        namespace = Namespace()
        namespace.metadata.name = self.namespace
        await self.plane.create(namespace)
        await self.plane.create(from_json(deepcopy(self.manifest)))

    async def _pods(self) -> list[Pod]:
        return await self.plane.pods(self.namespace)

    def _place(self, pod: Pod) -> str:
        """Return what the recording calls a pod by: its name, or for a DaemonSet its node."""
        return pod.metadata.name if self.kind is STATEFUL_SET else pod.spec.node_name

    async def _set_ready(self, places: list[str]) -> None:
        """Make a pod ready on each place; a DaemonSet's nodes are interchangeable: any that waits will do."""
        waiting = [pod for pod in await self._pods() if not _is_ready(pod) and not _ends(pod)]
        named = [pod for pod in waiting if self._place(pod) in places]
        chosen = named if self.kind is STATEFUL_SET else waiting[: len(places)]
        assert len(chosen) == len(places)
        await self.plane.set_ready(chosen, ready=True)

    async def _delete_pod(self, place: str) -> None:
        candidates = [pod for pod in await self._pods() if not _ends(pod)]
        named = [pod for pod in candidates if self._place(pod) == place]
        await self.plane.api.write(Delete(Key(POD, self.namespace, named[0].metadata.name)))

    async def snapshot(self) -> Json:
        workload = await self.plane.get(self.kind, self.namespace, self.key.name)
        found = await self.plane.all(CONTROLLER_REVISION, self.namespace)
        revisions = [one for one in found if isinstance(one, ControllerRevision)]
        pods = await self._pods()
        if isinstance(workload, StatefulSet):
            return stateful_set_snapshot(workload, pods, revisions)
        assert isinstance(workload, DaemonSet)
        return daemon_set_snapshot(workload, pods, revisions)


def _is_ready(pod: Pod) -> bool:
    return any(condition.type == "Ready" and condition.status == "True" for condition in pod.status.conditions)


def _ends(pod: Pod) -> bool:
    return is_being_deleted(pod.metadata)
