"""A workload with what belongs to it, watched together, and why its rollout is where it is."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from rollplane_cli.reading import key_of, list_all
from rollplane_cli.session import Session
from rollplane_client.watching import resumed_watch
from rollplane_machinery.api import EventType, Key, ListQuery, WatchBatch, WatchFilter, WatchQuery
from rollplane_machinery.kinds import ApiObject, Workload
from rollplane_machinery.selectors import pod_selector_of
from rollplane_printing.findings import Diagnosis
from rollplane_printing.workload_diagnosis import (
    SEEN_WITH,
    diagnose_workload,
    is_workload,
)


class Scene:
    """The objects as last seen."""

    def __init__(self, key: Key, workload: Workload) -> None:
        self._key = key
        self._workload = workload
        self._objects: dict[Key, ApiObject] = {}

    def add(self, message: ApiObject, key: Key) -> None:
        """Take in an object as it is now."""
        if key == self._key and is_workload(message):
            self._workload = message
        else:
            self._objects[key] = message

    def apply(self, batch: WatchBatch) -> None:
        """Take in what a watch tells."""
        for event in batch.events:
            key = key_of(event.object)
            if event.type is EventType.DELETED:
                self._objects.pop(key, None)
            else:
                self.add(event.object.parse(), key)

    def diagnose(self, now: float) -> Diagnosis:
        """Return why the rollout is where it is."""
        return diagnose_workload(self._workload, self._objects.values(), now)


async def look(session: Session, key: Key, workload: Workload) -> Diagnosis:
    """Return why the rollout is where it is now."""
    api = await session.api()
    scene = Scene(key, workload)
    for kind in SEEN_WITH[key.kind]:
        listed = await list_all(api, ListQuery(kind, key.namespace, str(pod_selector_of(workload))))
        for encoded in listed.objects:
            scene.add(encoded.parse(), key_of(encoded))
    return scene.diagnose(session.clock.now())


@asynccontextmanager
async def diagnoses(session: Session, key: Key, workload: Workload) -> AsyncIterator[AsyncIterator[Diagnosis]]:
    """Open a stream of diagnoses, one for each change of anything that belongs to the rollout."""
    async with aclosing(_diagnoses(session, key, workload)) as stream:
        yield stream


async def _diagnoses(session: Session, key: Key, workload: Workload) -> AsyncGenerator[Diagnosis, None]:
    namespaces, selector = (key.namespace,), str(pod_selector_of(workload))
    filters = (
        WatchFilter(key.kind, namespaces, field_selector=f"metadata.name={key.name}"),
        *(WatchFilter(kind, namespaces, selector) for kind in SEEN_WITH[key.kind]),
    )
    scene, complete = Scene(key, workload), False
    async with resumed_watch(
        await session.api(), WatchQuery(filters, send_initial_state=True), session.clock
    ) as batches:
        async for batch in batches:
            scene.apply(batch)
            complete = complete or batch.initial_state_complete
            if complete and (batch.events or batch.initial_state_complete):
                yield scene.diagnose(session.clock.now())
