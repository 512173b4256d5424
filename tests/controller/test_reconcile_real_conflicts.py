"""A write is lost, somebody else changes the object, and the repeat meets a real conflict: to be planned anew."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

from rollplane.apps.v1 import ReplicaSet
from rollplane.core.v1 import ConfigMap, Node, PersistentVolumeClaim
from rollplane.meta.v1 import Time
from rollplane_machinery.api import (
    Api,
    Delete,
    EventType,
    Key,
    ObjectApi,
    Patch,
    PatchType,
    Propagation,
    Scale,
    Update,
    UpdateStatus,
    WatchBatch,
    WatchQuery,
    Write,
    WriteResult,
)
from rollplane_machinery.errors import ForbiddenError, Outcome, RollplaneError, UnavailableError
from rollplane_machinery.kinds import (
    CONFIG_MAP,
    DEPLOYMENT,
    NODE,
    PERSISTENT_VOLUME_CLAIM,
    POD,
    REPLICA_SET,
    Encoded,
)
from rollplane_machinery.pods import is_pod_ready
from tests.controller.plane import PlainApi, Plane, a_plane
from tests.controller.test_reconcile_refusals import a_set
from tests.controller.test_reconcile_workloads import a_deployment, a_replica_set
from tests.planners.pods import a_pod
from tests.planners.stateful_sets import a_claim_template

LABEL = b'{"metadata":{"labels":{"changed":"meanwhile"}}}'


class OvertakenApi(PlainApi):
    """Loses the first batch with a write that ``loses`` picks; before it is sent again ``user`` labels the object."""

    def __init__(self, api: ObjectApi, user: Api, loses: Callable[[Write], bool]) -> None:
        super().__init__(api)
        self._user = user
        self._loses = loses
        self.overtaken: Key | None = None

    async def batch(self, writes: Sequence[Write]) -> Sequence[WriteResult | RollplaneError]:
        lost = next((write for write in writes if self._loses(write)), None)
        if lost is None or self.overtaken is not None:
            return await super().batch(writes)
        self.overtaken = lost.key
        await self._user.write(Patch(lost.key, PatchType.MERGE, LABEL))
        raise UnavailableError("Socket closed", outcome=Outcome.OUTCOME_UNKNOWN)


def orphans(write: Write) -> bool:
    return isinstance(write, Patch) and write.key.kind is CONFIG_MAP


def config_map(name: str) -> ConfigMap:
    message = ConfigMap()
    message.metadata.namespace, message.metadata.name = "shop", name
    return message


async def test_an_orphaning_deletion_is_not_forgotten() -> None:
    async with a_plane() as plane:
        overtaken: list[OvertakenApi] = []

        def wrap(api: ObjectApi) -> ObjectApi:
            overtaken.append(OvertakenApi(api, plane.user, orphans))
            return overtaken[0]

        await plane.start(wrap=wrap)
        await plane.create(config_map("owner"))
        await own(plane, "owned", "owner")
        await plane.quiet()
        await plane.delete(CONFIG_MAP, "owner", propagation=Propagation.ORPHAN)
        await plane.quiet()
        await plane.pass_time(30.0)
        assert overtaken[0].overtaken is not None
        assert await plane.find(CONFIG_MAP, "owner") is None
        left = await plane.find(CONFIG_MAP, "owned")
        assert left is not None
        assert not left.metadata.owner_references
        assert dict(left.metadata.labels) == {"changed": "meanwhile"}


async def own(plane: Plane, name: str, owner: str) -> None:
    """Create an object that ``owner`` owns."""
    found = await plane.find(CONFIG_MAP, owner)
    assert found is not None
    message = config_map(name)
    message.metadata.owner_references.add(
        api_version="v1", kind="ConfigMap", name=owner, uid=found.metadata.uid, block_owner_deletion=True
    )
    await plane.create(message)


def overtaken_by(
    plane: Plane, loses: Callable[[Write], bool], apis: list[OvertakenApi]
) -> Callable[[ObjectApi], ObjectApi]:
    """Return what wraps a manager's Api so that the first write that ``loses`` picks is lost and overtaken."""

    def wrap(api: ObjectApi) -> ObjectApi:
        apis.append(OvertakenApi(api, plane.user, loses))
        return apis[0]

    return wrap


def marks_a_pod(write: Write) -> bool:
    return (
        isinstance(write, UpdateStatus)
        and write.object.kind is POD
        and write.options.field_manager == "node-controller"
    )


async def heartbeat(plane: Plane, name: str) -> None:
    node = await plane.find(NODE, name)
    assert isinstance(node, Node)
    del node.status.conditions[:]
    node.status.conditions.add(type="Ready", status="True", last_heartbeat_time=Time(seconds=int(plane.clock.now())))
    await plane.kubelet.write(UpdateStatus(Encoded.of(node)))


async def test_a_lost_nodes_pod_does_not_stay_ready() -> None:
    apis: list[OvertakenApi] = []
    async with a_plane() as plane:
        await plane.start(wrap=overtaken_by(plane, marks_a_pod, apis))
        pod = a_pod("p", owner="", node="n0")
        pod.metadata.ClearField("uid")
        pod.spec.tolerations.add(operator="Exists")
        await plane.create(pod)
        await plane.set_ready(await plane.pods())
        for _ in range(12):
            await heartbeat(plane, "n1")
            await plane.pass_time(10.0)
        (left,) = await plane.pods()
        assert apis[0].overtaken is not None
        assert dict(left.metadata.labels)["changed"] == "meanwhile"
        assert not is_pod_ready(left)


def scales_a_set(write: Write) -> bool:
    return isinstance(write, Update) and write.object.kind is REPLICA_SET


async def test_events_tell_of_what_was_done() -> None:
    apis: list[OvertakenApi] = []
    async with a_plane() as plane:
        await plane.start(wrap=overtaken_by(plane, scales_a_set, apis))
        deployment = a_deployment("v1", 2)
        await plane.create(deployment)
        await plane.quiet()
        before = await plane.events("ScalingReplicaSet")
        await plane.user.scale(Scale(Key(DEPLOYMENT, "shop", "web"), 5))
        while apis[0].overtaken is None:
            await plane.pass_time(0.1)
        # The scaling was refused: until it is made, nothing is told of it.
        told, sizes = await plane.events("ScalingReplicaSet"), await sizes_of(plane)
        assert (len(told) > len(before)) == (sizes == [5])
        await plane.quiet()
        told = await plane.events("ScalingReplicaSet")
        assert sum(event.count or 1 for event in told) == len(before) + 1
        assert await sizes_of(plane) == [5]


async def sizes_of(plane: Plane) -> list[int]:
    return [one.spec.replicas for one in await plane.all(REPLICA_SET) if isinstance(one, ReplicaSet)]


def updates_a_claim(write: Write) -> bool:
    return isinstance(write, Update | Patch) and write.key.kind is PERSISTENT_VOLUME_CLAIM


async def the_claim(plane: Plane) -> PersistentVolumeClaim:
    (claim,) = await plane.all(PERSISTENT_VOLUME_CLAIM)
    assert isinstance(claim, PersistentVolumeClaim)
    return claim


async def test_updates_of_claims_are_not_lost() -> None:
    """The update is all that its plan writes: no status that comes back brings another look."""
    apis: list[OvertakenApi] = []
    is_at_rest = False
    async with a_plane() as plane:
        await plane.start(wrap=overtaken_by(plane, lambda write: is_at_rest and updates_a_claim(write), apis))
        kept = {"whenDeleted": "Delete", "whenScaled": "Retain"}
        await plane.create(a_set(volumeClaimTemplates=[a_claim_template()], persistentVolumeClaimRetentionPolicy=kept))
        await plane.quiet()
        await plane.set_ready(await plane.pods())
        await plane.quiet()
        claim = await the_claim(plane)
        assert [reference.kind for reference in claim.metadata.owner_references] == ["StatefulSet"]
        del claim.metadata.owner_references[:]
        await plane.update(claim)
        await plane.quiet()
        is_at_rest = True
        (pod,) = await plane.pods()
        await plane.user.write(Patch(Key(POD, "shop", pod.metadata.name), PatchType.MERGE, LABEL))
        await plane.quiet()
        assert apis[0].overtaken is not None
        claim = await the_claim(plane)
        assert dict(claim.metadata.labels)["changed"] == "meanwhile"
        assert [reference.kind for reference in claim.metadata.owner_references] == ["StatefulSet"]


class LaggingDeletions(PlainApi):
    """Another has deleted the first pod that is to be deleted, and watches do not show it before ``shown`` is set.

    It refuses a few deletions first, until they are all that is left to write: a status written beside one would tell
    how far the cache must come. Then ``meanwhile`` is told which pod it is.
    """

    refusals = 4

    def __init__(self, api: ObjectApi, meanwhile: Callable[[Key], Awaitable[None]]) -> None:
        super().__init__(api)
        self._meanwhile = meanwhile
        self.shown = asyncio.Event()
        self.deleted: list[Key] = []

    async def batch(self, writes: Sequence[Write]) -> Sequence[WriteResult | RollplaneError]:
        pods = [write.key for write in writes if isinstance(write, Delete) and write.key.kind is POD]
        if pods and self.refusals:
            self.refusals -= 1
            return [await self._refused(write) for write in writes]
        if pods and not self.deleted:
            await self._meanwhile(pods[0])
        self.deleted += pods
        return await super().batch(writes)

    async def _refused(self, write: Write) -> WriteResult | RollplaneError:
        if isinstance(write, Delete):
            return ForbiddenError("not today")
        (answer,) = await super().batch([write])
        return answer

    def watch(self, query: WatchQuery) -> AbstractAsyncContextManager[AsyncIterator[WatchBatch]]:
        return self._lagging(super().watch(query))

    @asynccontextmanager
    async def _lagging(
        self, opened: AbstractAsyncContextManager[AsyncIterator[WatchBatch]]
    ) -> AsyncIterator[AsyncIterator[WatchBatch]]:
        async def held(batches: AsyncIterator[WatchBatch]) -> AsyncIterator[WatchBatch]:
            async for batch in batches:
                if any(event.type is EventType.DELETED for event in batch.events):
                    await self.shown.wait()
                yield batch

        async with opened as batches:
            yield held(batches)


async def test_a_pod_found_gone_is_not_made_up_for_by_another() -> None:
    async with a_plane() as plane:

        async def meanwhile(gone: Key) -> None:
            other = next(pod for pod in await plane.pods() if pod.metadata.name != gone.name)
            await plane.set_ready([other], ready=False)
            await plane.turn()
            await plane.user.write(Delete(gone, 0))
            await plane.turn()

        apis: list[LaggingDeletions] = []

        def wrap(api: ObjectApi) -> ObjectApi:
            apis.append(LaggingDeletions(api, meanwhile))
            return apis[0]

        await plane.start(wrap=wrap)
        one = a_replica_set(3)
        await plane.create(one)
        await plane.quiet()
        await plane.set_ready(await plane.pods())
        await plane.quiet()
        await plane.user.scale(Scale(Key(REPLICA_SET, "shop", "set"), 2))
        await plane.until(lambda: bool(apis[0].deleted), "nothing is deleted")
        await plane.pass_time(2.0)
        apis[0].shown.set()
        await plane.quiet()
        assert len(apis[0].deleted) == 1
        assert len(await plane.pods()) == 2
