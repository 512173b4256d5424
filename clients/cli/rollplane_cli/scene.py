"""A Deployment, its ReplicaSets and its pods, watched together, and why the rollout is where it is."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from rollplane.apps.v1 import Deployment, ReplicaSet
from rollplane.core.v1 import Pod
from rollplane_cli.reading import following, key_of, list_all
from rollplane_cli.session import Session
from rollplane_machinery.api import EventType, Key, ListQuery, WatchBatch, WatchFilter, WatchQuery
from rollplane_machinery.kinds import POD, REPLICA_SET, ApiObject
from rollplane_machinery.printing.diagnosis import Diagnosis, diagnose
from rollplane_machinery.printing.rollout_view import RolloutView, view_of
from rollplane_machinery.selectors import label_selector_of


class Scene:
    """The objects as last seen."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._objects: dict[Key, ApiObject] = {}

    def add(self, message: ApiObject, key: Key) -> None:
        """Take in an object as it is now."""
        if isinstance(message, Deployment):
            self._deployment = message
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

    def view(self) -> RolloutView:
        """Return the rollout as it stands."""
        sets = [each for each in self._objects.values() if isinstance(each, ReplicaSet)]
        pods = [each for each in self._objects.values() if isinstance(each, Pod)]
        return view_of(self._deployment, sets, pods)


async def look(session: Session, deployment: Deployment) -> Diagnosis:
    """Return why the rollout is where it is now."""
    api = await session.api()
    scene = Scene(deployment)
    selector = str(label_selector_of(deployment.spec.selector))
    for kind in (REPLICA_SET, POD):
        listed = await list_all(api, ListQuery(kind, deployment.metadata.namespace, selector))
        for encoded in listed.objects:
            scene.add(encoded.parse(), key_of(encoded))
    return diagnose(scene.view(), session.clock.now())


@asynccontextmanager
async def diagnoses(session: Session, key: Key, deployment: Deployment) -> AsyncIterator[AsyncIterator[Diagnosis]]:
    """Open a stream of diagnoses, one for each change of anything that belongs to the rollout."""
    async with aclosing(_diagnoses(session, key, deployment)) as stream:
        yield stream


async def _diagnoses(session: Session, key: Key, deployment: Deployment) -> AsyncGenerator[Diagnosis, None]:
    selector = str(label_selector_of(deployment.spec.selector))
    namespaces = (key.namespace,)
    filters = (
        WatchFilter(key.kind, namespaces, field_selector=f"metadata.name={key.name}"),
        WatchFilter(REPLICA_SET, namespaces, selector),
        WatchFilter(POD, namespaces, selector),
    )
    scene, complete = Scene(deployment), False
    async with following(await session.api(), session.clock, WatchQuery(filters, send_initial_state=True)) as batches:
        async for batch in batches:
            scene.apply(batch)
            complete = complete or batch.initial_state_complete
            if complete and (batch.events or batch.initial_state_complete):
                yield diagnose(scene.view(), session.clock.now())
