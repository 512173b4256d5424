"""Shards and fences with several managers, and the scheduler, through the whole plane."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import pytest

from rollplane.core.v1 import Pod
from rollplane_client.lease_identity import has_ended
from rollplane_client.leases import LeaseHolder
from rollplane_controller.shards import ALL_SHARDS, CLUSTER, SCHEDULER, TIMES, ShardOwner, shards_of
from rollplane_machinery.api import Create, Fence, ListQuery, ObjectApi, Page, Write, WriteOptions, WriteResult
from rollplane_machinery.errors import FencedError, Outcome, RollplaneError, UnavailableError
from rollplane_machinery.kinds import LEASE, POD, Encoded
from tests.controller.plane import MortalApi, PlainApi, Plane, a_plane
from tests.controller.test_reconcile_workloads import a_replica_set
from tests.planners.placing import available
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
        assert plane.clock.now() - died <= 15 - 3, "there must be time left for a process to start"
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
        stale = first.shards.fence(first.shards.shard_of("shop"))
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


async def test_what_was_held_back_while_the_lease_had_lapsed_is_looked_at_again() -> None:
    """A process that was stopped beyond its lease hears of what happened first, and renews then."""
    async with a_plane() as plane:
        first = await plane.start()
        await plane.until(lambda: len(first.shards.owned) == len(ALL_SHARDS), "it does not own all")
        await plane.create(a_replica_set(3))
        await plane.clock.advance(9)
        assert not first.shards.owned
        await plane.until(lambda: len(first.shards.owned) == len(ALL_SHARDS), "it does not own all again", 5)
        await plane.quiet()
        assert len(await plane.pods()) == 3


async def test_what_came_while_no_lease_was_held_is_looked_at_once_it_is() -> None:
    async with a_plane() as plane:
        apis: list[MortalApi] = []

        def wrap(api: ObjectApi) -> ObjectApi:
            apis.append(MortalApi(api))
            return apis[0]

        first = await plane.start(wrap=wrap)
        await plane.until(lambda: len(first.shards.owned) == len(ALL_SHARDS), "it does not own all")
        apis[0].dead = True
        await plane.until(lambda: not first.shards.owned, "it owns shards although its leases lapsed")
        await plane.create(a_replica_set(3))
        await plane.pass_time(1.0)  # its watch goes on
        apis[0].dead = False
        await plane.until(lambda: len(first.shards.owned) == len(ALL_SHARDS), "it does not own all again")
        await plane.quiet()
        assert len(await plane.pods()) == 3


class Sleepy(PlainApi):
    """Time passes before its batches are answered."""

    pause: Callable[[], Awaitable[object]] | None = None

    async def batch(self, writes: Sequence[Write]) -> Sequence[WriteResult | RollplaneError]:
        answers = await super().batch(writes)
        if self.pause is not None:
            await self.pause()
        return answers


async def test_a_lease_that_lapsed_while_it_was_renewed_counts_as_acquired() -> None:
    async with a_plane() as plane:
        api, acquired = Sleepy(plane.api()), list[str]()
        holder = LeaseHolder(
            api, "kube-system", ("a",), "me", clock=plane.clock, times=TIMES, on_acquired=acquired.extend
        )
        await holder.tend()
        await holder.tend()
        assert acquired == ["a"], "one that is renewed in time is not acquired"
        api.pause = lambda: plane.clock.advance(TIMES.deadline_seconds)
        await holder.tend()
        assert acquired == ["a", "a"]


class Doubting(PlainApi):
    """Has a shard distrusted in the middle of what its owner waits for, the calls named ``during``."""

    def __init__(self, api: ObjectApi, during: str) -> None:
        super().__init__(api)
        self._during = during
        self.doubt: Callable[[Fence | None], object] = id

    def _answered(self, call: str, fence: Fence | None = None) -> None:
        if call == self._during:
            self.doubt(fence)

    async def batch(self, writes: Sequence[Write]) -> Sequence[WriteResult | RollplaneError]:
        answers = await super().batch(writes)
        self._answered("batch")
        return answers

    async def raise_fence(self, fence: Fence) -> None:
        await super().raise_fence(fence)
        self._answered("raise_fence", fence)

    async def list(self, query: ListQuery) -> Page:
        page = await super().list(query)
        self._answered("list")
        return page


@pytest.mark.parametrize("during", ["batch", "raise_fence", "list"])
@pytest.mark.parametrize("shard", [CLUSTER, "ns-0", "ns-63"])
async def test_a_shard_distrusted_while_its_owner_waits_is_acquired_anew(shard: str, during: str) -> None:
    async with a_plane() as plane:
        doubting: list[Doubting] = []

        def wrap(api: ObjectApi) -> Doubting:
            doubting.append(Doubting(api, during))
            return doubting[-1]

        first = await plane.start(wrap=wrap)

        def owned() -> bool:
            return len(first.shards.owned) == len(ALL_SHARDS)

        await plane.until(owned, "it does not own all")
        before, doubts = first.shards.fence(shard), 0

        def doubt(raised: Fence | None) -> None:
            nonlocal doubts
            fence = raised or first.shards.fence(shard) or before
            if fence is not None and fence.shard == shard:
                doubts += 1
                if doubts <= 4:
                    first.shards.distrust(fence)

        doubting[0].doubt = doubt
        doubt(None)
        await plane.until(lambda: doubts > 4 and owned(), "it does not own all again")
        after = first.shards.fence(shard)
        assert before is not None
        assert after is not None
        assert after.epoch > before.epoch


class Disowning(PlainApi):
    """Has the last shard whose fence was raised lost, while its owner asks how far the store is."""

    lose: Callable[[Fence], None]
    raised: Fence | None = None

    async def raise_fence(self, fence: Fence) -> None:
        await super().raise_fence(fence)
        self.raised = fence

    async def list(self, query: ListQuery) -> Page:
        page = await super().list(query)
        if self.raised is not None:
            self.lose(self.raised)
            self.raised = None
        return page


async def test_what_is_lost_before_it_was_looked_at_is_not_told_as_acquired() -> None:
    async with a_plane() as plane:
        api, told = Disowning(plane.api()), list[tuple[frozenset[str], frozenset[str]]]()
        owner = ShardOwner(
            api,
            "me",
            clock=plane.clock,
            reached=lambda: plane.core.revision,
            on_acquired=lambda shards: told.append((shards, owner.owned)),
            spread=1,
        )
        api.lose = owner.distrust
        running = plane.tasks.create_task(owner.run())
        await plane.until(owner.looked.is_set, "it never looked")
        running.cancel()
        rest = frozenset(shards_of(1)) - {SCHEDULER}
        assert told == [(rest, rest)]


async def test_two_lives_of_one_name_are_told_apart_and_said_loudly(caplog: pytest.LogCaptureFixture) -> None:
    async with a_plane() as plane:
        first = await plane.start("controller_a")
        await plane.until(lambda: len(first.shards.owned) == len(ALL_SHARDS), "the first does not own all")
        before = first.shards.fence(CLUSTER)
        second = await plane.start("controller_b")
        await plane.pass_time(30)
        assert second.shards.owned == frozenset()
        assert first.shards.fence(CLUSTER) == before
        (said,) = [one for one in caplog.records if one.levelname == "ERROR"]
        assert "another holder of this name is alive" in said.message


async def test_two_lives_of_one_name_are_told_apart_while_neither_holds_a_shard(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async with a_plane() as plane:
        owner = await plane.start("owner_a")
        await plane.until(lambda: len(owner.shards.owned) == len(ALL_SHARDS), "the owner does not own all")
        for name in ("waiting_a", "waiting_b"):
            assert (await plane.start(name)).shards.owned == frozenset()
        await plane.pass_time(10)
        (said,) = [one for one in caplog.records if one.levelname == "ERROR"]
        assert "another holder of this name is alive" in said.message
        assert {said.__dict__["other"], said.__dict__["own"]} == {"waiting_a", "waiting_b"}


async def test_a_renewal_that_comes_late_is_no_sign_of_life(caplog: pytest.LogCaptureFixture) -> None:
    """As when a process is killed whose last bytes are still on their way."""
    async with a_plane() as plane:
        mortal: list[MortalApi] = []

        def wrap(api: ObjectApi) -> MortalApi:
            mortal.append(MortalApi(api))
            return mortal[-1]

        await plane.start("controller_a", wrap)
        await dies(plane, "controller_a", mortal[0])
        second = await plane.start("controller_b")
        await plane.pass_time(3)
        for lease in await plane.all(LEASE, "kube-system"):
            lease.metadata.annotations["late"] = "renewal"
            await plane.update(lease)
        await plane.until(lambda: len(second.shards.owned) == len(ALL_SHARDS), "the shards did not move")
        assert [one for one in caplog.records if one.levelname == "ERROR"] == []


async def test_nothing_is_left_of_a_life_that_ended_in_good_order() -> None:
    async with a_plane() as plane:
        await plane.start("controller_a")
        await plane.stop("controller_a")
        assert len(await plane.all(LEASE, "kube-system")) == len(ALL_SHARDS)


async def test_the_next_life_takes_over_at_once_from_one_that_is_known_to_have_ended() -> None:
    async with a_plane() as plane:
        mortal: list[MortalApi] = []

        def wrap(api: ObjectApi) -> MortalApi:
            mortal.append(MortalApi(api))
            return mortal[-1]

        first = await plane.start("controller_up.9", wrap)
        await plane.until(lambda: len(first.shards.owned) == len(ALL_SHARDS), "the first does not own all")
        await dies(plane, "controller_up.9", mortal[0])
        died = plane.clock.now()
        second = await plane.start("controller_up.10")
        await plane.until(lambda: len(second.shards.owned) == len(ALL_SHARDS), "the shards did not move")
        assert plane.clock.now() - died < 1


ENDED = {
    "the one before": ("c_up.1", "c_up.2", True),
    "by number, not by letters": ("c_up.9", "c_up.10", True),
    "one that was started later": ("c_up.3", "c_up.2", False),
    "itself": ("c_up.2", "c_up.2", False),
    "of another line": ("c_other.1", "c_up.2", False),
    "of another name": ("d_up.1", "c_up.2", False),
    "lives that nobody numbers": ("c_17-ab", "c_18-cd", False),
    "nobody": ("", "c_up.2", False),
}


@pytest.mark.parametrize(("holder", "identity", "expected"), ENDED.values(), ids=ENDED)
def test_which_lives_have_ended(holder: str, identity: str, expected: bool) -> None:
    assert has_ended(holder, identity) is expected


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
        sentence = available(1, "1 Insufficient cpu", lasting=1)
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
