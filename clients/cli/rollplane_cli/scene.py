"""A workload with what belongs to it, read or watched, and why its rollout is where it is."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress

from rollplane.core.v1 import Node
from rollplane_cli.reading import key_of, list_all
from rollplane_cli.session import Session
from rollplane_client.watching import resumed_watch
from rollplane_machinery.api import EventType, Key, ListQuery, ObjectApi, WatchBatch, WatchFilter, WatchQuery
from rollplane_machinery.errors import BadRequestError
from rollplane_machinery.kinds import NODE, Kind, Workload
from rollplane_machinery.releases import LATEST, Release, release_of
from rollplane_machinery.selectors import pod_selector_of
from rollplane_printing.diagnosis import Diagnosis, diagnose
from rollplane_printing.scene import ALL, SELECTED, Scene

_REST = 10
"""After a diagnosis its time is rested so often: a rollout of 10,000 pods costs a tenth of a core to follow."""


def _around(key: Key, workload: Workload) -> Iterator[tuple[Kind, str, str]]:
    """Yield kind, namespace and label selector of all that the workload's planner must see."""
    for kind in SELECTED[key.kind]:
        yield kind, key.namespace, str(pod_selector_of(workload))
    for kind in ALL.get(key.kind, ()):
        yield kind, key.namespace if kind.namespaced else "", ""


async def release_behaved_as(api: ObjectApi) -> Release:
    """Return the release that the plane behaves as, which its kubelets tell; the latest when there is none to ask."""
    page = await api.list(ListQuery(NODE, limit=1))
    version = Node.FromString(page.objects[0].value).status.node_info.kubelet_version if page.objects else ""
    try:
        return release_of(version)
    except BadRequestError:  # an agent of somebody's own
        return LATEST


async def look(session: Session, key: Key, workload: Workload) -> Diagnosis:
    """Return why the rollout is where it is now."""
    api = await session.api()
    scene = Scene(workload, await release_behaved_as(api))
    for kind, namespace, selector in _around(key, workload):
        for encoded in (await list_all(api, ListQuery(kind, namespace, selector))).objects:
            scene.put(encoded.parse())
    return diagnose(scene, session.clock.now())


class WatchedScene:
    """A scene that a watch keeps up to date: ``observe`` and ``explain`` run side by side until they are cancelled."""

    def __init__(self, session: Session, key: Key, workload: Workload) -> None:
        self._session = session
        self._key = key
        self._scene = Scene(workload)
        self._changed = asyncio.Event()

    async def observe(self) -> None:
        """Take in what changes. Raises UnavailableError when the server stays away."""
        self._scene.release = await release_behaved_as(await self._session.api())
        complete, query = False, WatchQuery(tuple(self._filters()), send_initial_state=True)
        async with resumed_watch(await self._session.api(), query, self._session.clock) as batches:
            async for batch in batches:
                self._apply(batch)
                complete = complete or batch.initial_state_complete
                if complete and (batch.events or batch.initial_state_complete):
                    self._changed.set()

    async def explain(self, tell: Callable[[Diagnosis], Awaitable[None]]) -> None:
        """Tell why the rollout is where it is after each change, and when time alone may have changed it."""
        clock, look_again = self._session.clock, None
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(look_again):
                    await self._changed.wait()
            self._changed.clear()
            began = clock.monotonic()
            diagnosis = diagnose(self._scene, clock.now())
            took = clock.monotonic() - began
            await tell(diagnosis)
            look_again = diagnosis.look_again
            await clock.sleep(_REST * took)

    def _filters(self) -> Iterator[WatchFilter]:
        around = list(_around(self._key, self._scene.workload))
        if self._key.kind not in [kind for kind, _, _ in around]:
            name = f"metadata.name={self._key.name}"
            yield WatchFilter(self._key.kind, (self._key.namespace,), field_selector=name)
        for kind, namespace, selector in around:
            yield WatchFilter(kind, (namespace,) if namespace else (), selector)

    def _apply(self, batch: WatchBatch) -> None:
        for event in batch.events:
            key = key_of(event.object)
            if event.type is EventType.DELETED:
                self._scene.drop(key.kind, key.name)
            else:
                self._scene.put(event.object.parse())
