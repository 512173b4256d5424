"""Deployments and ReplicaSets through the whole plane: claims, failures, lagging caches and lost answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

import pytest

from rollplane.apps.v1 import Deployment, ReplicaSet
from rollplane.core.v1 import Container, Pod, ReplicationController
from rollplane_controller.shards import ALL_SHARDS
from rollplane_machinery.api import (
    Create,
    Delete,
    Key,
    ObjectApi,
    Propagation,
    SetImage,
    UpdateStatus,
    Write,
    WriteResult,
)
from rollplane_machinery.errors import ForbiddenError, Outcome, RollplaneError, UnavailableError
from rollplane_machinery.kinds import DEPLOYMENT, POD, REPLICA_SET, REPLICATION_CONTROLLER, Encoded
from rollplane_machinery.rolling_update import STATE
from tests.controller.plane import (
    LaggingApi,
    LossyApi,
    PlainApi,
    Plane,
    RefusingApi,
    a_plane,
    creates_pods,
    names_of,
    owners_of,
)
from tests.planners.deployments import a_deployment as built
from tests.planners.pods import a_pod

WEB = Key(DEPLOYMENT, "shop", "web")


def a_deployment(image: str = "v1", replicas: int = 3, **spec: Any) -> Deployment:
    deployment = built(image, replicas, **spec)
    deployment.metadata.ClearField("uid")
    return deployment


def a_replica_set(replicas: int) -> ReplicaSet:
    one = ReplicaSet()
    one.metadata.name, one.metadata.namespace = "set", "shop"
    one.spec.replicas = replicas
    one.spec.selector.match_labels["app"] = "web"
    one.spec.template.CopyFrom(built().spec.template)
    return one


async def sets_of(plane: Plane) -> dict[str, ReplicaSet]:
    """Return the ReplicaSets by the images of their templates."""
    found = [one for one in await plane.all(REPLICA_SET) if isinstance(one, ReplicaSet)]
    return {one.spec.template.spec.containers[0].image: one for one in found}


async def deployed(plane: Plane, **spec: Any) -> None:
    await plane.create(a_deployment(**spec))
    await plane.quiet()
    await plane.set_ready(await plane.pods())
    await plane.quiet()


async def test_a_deployment_comes_up_bound_to_nodes() -> None:
    async with a_plane() as plane:
        await plane.start()
        await deployed(plane)
        pods = await plane.pods()
        assert Counter(pod.spec.node_name for pod in pods) == {"n0": 2, "n1": 1}
        web = await plane.find(DEPLOYMENT, "web")
        assert isinstance(web, Deployment)
        assert web.status.available_replicas == 3
        assert {one.type: one.reason for one in web.status.conditions}["Progressing"] == "NewReplicaSetAvailable"


async def test_orphans_are_adopted_and_strangers_released() -> None:
    async with a_plane() as plane:
        await plane.start()
        orphan = a_pod("orphan", owner="", node="")
        orphan.metadata.ClearField("uid")
        await plane.create(orphan)
        await plane.create(a_replica_set(2))
        await plane.quiet()
        pods = await plane.pods()
        assert len(pods) == 2
        assert {tuple(owners_of(pod)) for pod in pods} == {("set",)}
        stranger = next(pod for pod in pods if pod.metadata.name == "orphan")
        stranger.metadata.labels["app"] = "debugged"
        await plane.update(stranger)
        await plane.quiet()
        pods = await plane.pods()
        assert len(pods) == 3
        assert {pod.metadata.name: owners_of(pod) for pod in pods}["orphan"] == []


class OwnerSeenGoing(PlainApi):
    """Reads of ReplicaSets show them being deleted; watches have not shown that yet."""

    reads = 0

    async def get(self, key: Key) -> Any:
        found = await super().get(key)
        if key.kind is not REPLICA_SET:
            return found
        self.reads += 1
        message = found.parse()
        message.metadata.deletion_timestamp.seconds = 1
        return type(found).of(message)


async def test_an_adoption_reads_the_owner_live_first() -> None:
    async with a_plane() as plane:
        spoilt: list[OwnerSeenGoing] = []

        def wrap(api: Any) -> OwnerSeenGoing:
            spoilt.append(OwnerSeenGoing(api))
            return spoilt[0]

        await plane.start(wrap=wrap)
        orphan = a_pod("orphan", owner="", node="")
        orphan.metadata.ClearField("uid")
        await plane.create(orphan)
        await plane.create(a_replica_set(1))
        await plane.quiet()
        assert spoilt[0].reads > 0
        (pod,) = await plane.pods()
        assert owners_of(pod) == []


def quota(write: Write) -> RollplaneError | None:
    return ForbiddenError("quota exceeded") if creates_pods(write) else None


async def test_a_refused_pod_shows_as_replica_failure_and_heals() -> None:
    async with a_plane() as plane:
        refusing: list[RefusingApi] = []

        def wrap(api: Any) -> RefusingApi:
            refusing.append(RefusingApi(api, quota))
            return refusing[0]

        await plane.start(wrap=wrap)
        await plane.create(a_deployment(replicas=4))
        await plane.pass_time(2)
        web = await plane.find(DEPLOYMENT, "web")
        assert isinstance(web, Deployment)
        failures = [one for one in web.status.conditions if one.type == "ReplicaFailure"]
        assert [(one.status, one.reason, one.message) for one in failures] == [
            ("True", "FailedCreate", "quota exceeded")
        ]
        assert [event.message for event in await plane.events("FailedCreate")] == ["Error creating: quota exceeded"]
        refusing[0].error = lambda _write: None
        await plane.pass_time(60)
        web = await plane.find(DEPLOYMENT, "web")
        assert isinstance(web, Deployment)
        assert len(await plane.pods()) == 4
        assert not [one for one in web.status.conditions if one.type == "ReplicaFailure"]


async def test_a_refused_replica_set_shows_as_create_error_and_heals() -> None:
    async with a_plane() as plane:
        refusing: list[RefusingApi] = []

        def no_sets(write: Write) -> RollplaneError | None:
            is_set = isinstance(write, Create) and write.object.kind is REPLICA_SET
            return ForbiddenError("quota exceeded") if is_set else None

        def wrap(api: Any) -> RefusingApi:
            refusing.append(RefusingApi(api, no_sets))
            return refusing[0]

        await plane.start(wrap=wrap)
        await plane.create(a_deployment())
        await plane.pass_time(1)
        assert await progressing(plane) == ("False", "ReplicaSetCreateError")
        assert await plane.events("ReplicaSetCreateError")
        refusing[0].error = lambda _write: None
        await plane.pass_time(60)
        assert (await progressing(plane))[0] == "True"
        assert len(await plane.pods()) == 3


async def progressing(plane: Plane) -> tuple[str, str]:
    web = await plane.find(DEPLOYMENT, "web")
    assert isinstance(web, Deployment)
    (found,) = [one for one in web.status.conditions if one.type == "Progressing"]
    return found.status, found.reason


async def test_a_lagging_cache_makes_no_surplus_pods() -> None:
    async with a_plane() as plane:
        lagging: list[LaggingApi] = []

        def wrap(api: Any) -> LaggingApi:
            lagging.append(LaggingApi(api, creates_pods))
            return lagging[0]

        manager = await plane.start(wrap=wrap)
        await plane.create(a_replica_set(5))
        await plane.until(lambda: any(map(creates_pods, lagging[0].written)), "no pods were created")
        for _ in range(5):
            manager._wake(frozenset(ALL_SHARDS))  # as any event would
            await plane.pass_time(1)
        assert sum(map(creates_pods, lagging[0].written)) == 5
        lagging[0].flowing.set()
        await plane.quiet()
        assert len(await plane.pods()) == 5
        assert sum(map(creates_pods, lagging[0].written)) == 5


@pytest.mark.parametrize("losses", [1, 3])
async def test_lost_answers_make_no_surplus_pods(losses: int) -> None:
    async with a_plane() as plane:
        lossy: list[LossyApi] = []

        def wrap(api: Any) -> LossyApi:
            lossy.append(LossyApi(api, creates_pods, losses))
            return lossy[0]

        await plane.start(wrap=wrap)
        await plane.create(a_replica_set(6))
        await plane.pass_time(20)
        assert lossy[0].losses == 0
        assert len(await plane.pods()) == 6
        assert len(await plane.events("SuccessfulCreate")) == 6
        assert not await plane.events("SuccessfulDelete")


async def test_lost_answers_and_a_lagging_cache_together_make_no_surplus_pods() -> None:
    """What was created by a batch without an answer shuts the gate as well, all of it."""
    async with a_plane() as plane:
        lagging: list[LaggingApi] = []

        def wrap(api: Any) -> LossyApi:
            lagging.append(LaggingApi(api, creates_pods))
            return LossyApi(lagging[0], creates_pods, 1)

        manager = await plane.start(wrap=wrap)
        await plane.create(a_replica_set(6))
        for _ in range(5):
            await plane.pass_time(1)
            manager._wake(frozenset(ALL_SHARDS))  # as any event would
        lagging[0].flowing.set()
        await plane.quiet()
        assert len({write.object.value for write in lagging[0].written if creates_pods(write)}) == 6  # type: ignore[union-attr]
        assert len(await plane.pods()) == 6


async def test_lost_answers_of_deletions_delete_no_more() -> None:
    async with a_plane() as plane:

        def deletes(write: Write) -> bool:
            return isinstance(write, Delete) and write.key.kind is POD

        await plane.start(wrap=lambda api: LossyApi(api, deletes, 2))
        await plane.create(a_replica_set(6))
        await plane.quiet()
        one = await plane.find(REPLICA_SET, "set")
        assert isinstance(one, ReplicaSet)
        one.spec.replicas = 2
        await plane.update(one)
        await plane.pass_time(20)
        assert len(await plane.pods()) == 2


async def test_a_taken_name_is_a_collision_and_gets_another_hash() -> None:
    async with a_plane() as plane:
        await plane.start()
        await deployed(plane)
        (name,) = names_of(await plane.all(REPLICA_SET))
        await plane.delete(DEPLOYMENT, "web", propagation=Propagation.ORPHAN)
        await plane.quiet()
        taken = (await sets_of(plane))["v1"]
        taken.metadata.labels["app"] = "taken"
        await plane.update(taken)
        await deployed(plane)
        web = await plane.find(DEPLOYMENT, "web")
        assert isinstance(web, Deployment)
        assert web.status.collision_count == 1
        assert len([one for one in names_of(await plane.all(REPLICA_SET)) if one != name]) == 1


async def test_after_orphaning_a_new_deployment_adopts_the_sets_and_their_revisions() -> None:
    async with a_plane() as plane:
        await plane.start()
        await deployed(plane)
        await plane.user.set_image(SetImage(WEB, {"*": "v2"}))
        for _ in range(6):
            await plane.quiet()
            await plane.set_ready(await plane.pods())
            await plane.finish()
        await plane.quiet()
        before = {image: one.metadata.uid for image, one in (await sets_of(plane)).items()}
        pods = names_of(await plane.pods())
        await plane.delete(DEPLOYMENT, "web", propagation=Propagation.ORPHAN)
        await plane.quiet()
        assert await plane.find(DEPLOYMENT, "web") is None
        orphans = await sets_of(plane)
        assert {image: owners_of(one) for image, one in orphans.items()} == {"v1": [], "v2": []}
        await plane.create(a_deployment("v2"))
        await plane.quiet()
        adopted = await sets_of(plane)
        assert {image: one.metadata.uid for image, one in adopted.items()} == before
        assert {image: owners_of(one) for image, one in adopted.items()} == {"v1": ["web"], "v2": ["web"]}
        assert names_of(await plane.pods()) == pods, "nothing was restarted"
        web = await plane.find(DEPLOYMENT, "web")
        assert web is not None
        assert web.metadata.annotations["deployment.kubernetes.io/revision"] == "2"


async def test_recreate_starts_the_new_version_when_the_last_old_pod_is_gone() -> None:
    async with a_plane() as plane:
        await plane.start()
        await deployed(plane, strategy={"type": "Recreate"})
        await plane.user.set_image(SetImage(WEB, {"*": "v2"}))
        await plane.quiet()
        assert await plane.pods() == []
        assert list(await sets_of(plane)) == ["v1"]
        unrelated = a_replica_set(2)
        unrelated.spec.selector.match_labels["app"] = unrelated.spec.template.metadata.labels["app"] = "unrelated"
        await plane.create(unrelated)
        await plane.quiet()
        await plane.finish()
        await plane.quiet()
        images = Counter(
            pod.spec.containers[0].image for pod in await plane.pods() if pod.metadata.labels["app"] == "web"
        )
        assert images == {"v2": 3}


class HoldingApi(PlainApi):
    """Lets no pod of version v1 be made before ``released``; all else goes through."""

    def __init__(self, api: ObjectApi) -> None:
        super().__init__(api)
        self.released = False
        self.held = 0

    async def batch(self, writes: Sequence[Write]) -> Sequence[WriteResult | RollplaneError]:
        return [await self._one(write) for write in writes]

    async def _one(self, write: Write) -> WriteResult | RollplaneError:
        if not self.released and isinstance(write, Create) and _image_of(write) == "v1":
            self.held += 1
            return UnavailableError("nobody listens", outcome=Outcome.NOT_SENT)
        (answer,) = await super().batch([write])
        return answer


def _image_of(write: Create) -> str:
    message = write.object.parse()
    return message.spec.containers[0].image if isinstance(message, Pod) else ""


async def test_recreate_waits_for_a_pod_of_the_old_version_that_is_still_being_made() -> None:
    async with a_plane() as plane:
        apis: list[HoldingApi] = []

        def wrap(api: ObjectApi) -> ObjectApi:
            apis.append(HoldingApi(api))
            return apis[0]

        await plane.start(wrap=wrap)
        await plane.create(a_deployment(replicas=1, strategy={"type": "Recreate"}))
        await plane.until(lambda: apis[0].held > 0, "no pod is made")
        await plane.user.set_image(SetImage(WEB, {"*": "v2"}))
        await plane.pass_time(5.0)
        assert await plane.pods() == []
        apis[0].released = True
        await plane.quiet()
        await plane.finish()
        await plane.quiet()
        assert [pod.spec.containers[0].image for pod in await plane.pods()] == ["v2"]


async def test_a_pod_lost_from_under_a_set_is_replaced() -> None:
    async with a_plane() as plane:
        await plane.start()
        await deployed(plane)
        (first, *_) = await plane.pods()
        await plane.delete(POD, first.metadata.name)
        await plane.quiet()
        assert len(await plane.pods()) == 3
        failed = (await plane.pods())[0]
        failed.status.phase = "Failed"
        await plane.kubelet.write(UpdateStatus(Encoded.of(failed)))
        await plane.quiet()
        alive = [pod for pod in await plane.pods() if pod.status.phase != "Failed"]
        assert len(alive) == 3


async def test_what_no_retry_can_help_waits_for_the_object_to_change() -> None:
    async with a_plane() as plane:
        manager = await plane.start()
        controller = ReplicationController()
        controller.metadata.namespace, controller.metadata.name = "shop", "next"
        controller.metadata.annotations[STATE] = "nobody can read this"
        controller.spec.selector["app"] = "next"
        controller.spec.template.metadata.labels["app"] = "next"
        controller.spec.template.spec.containers.append(Container(name="app", image="app:2"))
        await plane.create(controller)
        (loop,) = [one for one in manager.loops if one.name == "rolling-update-controller"]
        await plane.pass_time(30)
        assert set(loop.results) == {"terminal"}
        assert loop.results["terminal"] <= 5, "once for each change at most: its own, two of its status, two of its pod"
        stored = await plane.find(REPLICATION_CONTROLLER, "next")
        assert stored is not None
        del stored.metadata.annotations[STATE]
        await plane.update(stored)
        await plane.quiet()
        assert loop.results["success"] > 0
