"""Shards and fences with several managers, and the scheduler, through the whole plane."""

from __future__ import annotations

import pytest

from rollplane.core.v1 import Pod
from rollplane_controller.shards import ALL_SHARDS, CLUSTER
from rollplane_machinery.api import Create, Fence, ObjectApi, WriteOptions
from rollplane_machinery.errors import FencedError, Outcome, UnavailableError
from rollplane_machinery.kinds import POD, Encoded
from tests.controller.plane import MortalApi, PlainApi, Plane, a_plane
from tests.controller.test_reconcile_workloads import a_replica_set
from tests.planners.pods import a_node, a_pod


async def dies(plane: Plane, name: str, api: MortalApi) -> None:
    """Kill a manager: it gives nothing up."""
    api.dead = True
    await plane.stop(name)


async def test_a_killed_owners_shards_move_within_the_lease_time() -> None:
    async with a_plane() as plane:
        mortal: list[MortalApi] = []

        def wrap(api: ObjectApi) -> MortalApi:
            mortal.append(MortalApi(api))
            return mortal[-1]

        first = await plane.start("first", wrap)
        second = await plane.start("second")
        await plane.until(lambda: len(first.shards.owned) == len(ALL_SHARDS), "the first does not own all")
        assert second.shards.owned == frozenset()
        epoch = first.shards.fence(CLUSTER)
        await dies(plane, "first", mortal[0])
        died = plane.clock.now()
        await plane.create(a_replica_set(3))
        await plane.until(lambda: len(second.shards.owned) == len(ALL_SHARDS), "the shards did not move")
        assert plane.clock.now() - died <= 15 + 2.5, "the lease time, and the time between two looks"
        await plane.quiet()
        assert len(await plane.pods()) == 3
        later = second.shards.fence(CLUSTER)
        assert epoch is not None
        assert later is not None
        assert later.epoch > epoch.epoch


async def test_an_owner_that_ends_gives_its_shards_up_at_once() -> None:
    async with a_plane() as plane:
        await plane.start("first")
        second = await plane.start("second")
        await plane.stop("first")
        ended = plane.clock.now()
        await plane.until(lambda: len(second.shards.owned) == len(ALL_SHARDS), "the shards did not move")
        assert plane.clock.now() - ended < 4


async def test_a_paused_owner_that_wakes_up_late_writes_nothing() -> None:
    async with a_plane() as plane:
        first = await plane.start("first")
        await plane.until(lambda: len(first.shards.owned) == len(ALL_SHARDS), "the first does not own all")
        stale = first.shards.fence_for("shop")
        await plane.stop("first")
        second = await plane.start("second")
        await plane.until(lambda: len(second.shards.owned) == len(ALL_SHARDS), "the shards did not move")
        options = WriteOptions("first", fence=stale)
        pod = a_pod("late", owner="")
        pod.metadata.ClearField("uid")
        with pytest.raises(FencedError):
            await plane.api().write(Create(Encoded.of(pod), options))
        with pytest.raises(FencedError):
            await plane.api().write(Create(Encoded.of(pod)))


class Unfenceable(PlainApi):
    """Cannot raise fences at first."""

    failures = 3

    async def raise_fence(self, fence: Fence) -> None:
        if self.failures:
            self.failures -= 1
            raise UnavailableError("not now", outcome=Outcome.OUTCOME_UNKNOWN)
        await super().raise_fence(fence)


async def test_a_fence_that_could_not_be_raised_is_raised_later() -> None:
    async with a_plane() as plane:
        manager = await plane.start(wrap=Unfenceable)
        await plane.until(
            lambda: len(manager.shards.owned) == len(ALL_SHARDS), "some shards are held, yet not acted for"
        )


async def scheduled(plane: Plane, name: str) -> str:
    pod = await plane.find(POD, name)
    assert isinstance(pod, Pod)
    return pod.spec.node_name


async def test_an_unschedulable_pod_says_why_and_is_bound_when_a_node_appears() -> None:
    async with a_plane(nodes=0) as plane:
        await plane.start()
        await plane.node(a_node("small", cpu="100m"))
        pod = a_pod("hungry", owner="", node="", phase="")
        pod.metadata.ClearField("uid")
        pod.spec.containers[0].resources.requests["cpu"].string = "2"
        await plane.create(pod)
        await plane.pass_time(3)
        waiting = await plane.find(POD, "hungry")
        assert isinstance(waiting, Pod)
        sentence = "0/1 nodes are available: 1 Insufficient cpu."
        (said,) = [one for one in waiting.status.conditions if one.type == "PodScheduled"]
        assert (said.status, said.reason, said.message) == ("False", "Unschedulable", sentence)
        (event,) = await plane.events("FailedScheduling")
        assert (event.message, event.type) == (sentence, "Warning")
        assert event.count > 1
        await plane.node(a_node("large", cpu="8"))
        await plane.quiet()
        assert await scheduled(plane, "hungry") == "large"
        (bound,) = await plane.events("Scheduled")
        assert bound.message == "Successfully assigned shop/hungry to large"
        assert bound.source.component == "default-scheduler"


async def test_room_that_a_finished_pod_leaves_is_taken() -> None:
    async with a_plane(nodes=0) as plane:
        await plane.start()
        await plane.node(a_node("only", pods="1"))
        for name in ("a", "b"):
            pod = a_pod(name, owner="", node="", phase="")
            pod.metadata.ClearField("uid")
            await plane.create(pod)
        await plane.pass_time(1)
        bound = {name: await scheduled(plane, name) for name in ("a", "b")}
        (lucky,) = [name for name, node in bound.items() if node]
        await plane.delete(POD, lucky)
        await plane.finish()
        await plane.quiet()
        (other,) = {"a", "b"} - {lucky}
        assert await scheduled(plane, other) == "only"


async def test_pods_for_other_schedulers_are_left_alone() -> None:
    async with a_plane() as plane:
        await plane.start()
        pod = a_pod("theirs", owner="", node="", phase="")
        pod.metadata.ClearField("uid")
        pod.spec.scheduler_name = "theirs"
        await plane.create(pod)
        await plane.quiet()
        assert await scheduled(plane, "theirs") == ""
