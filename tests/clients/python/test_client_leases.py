"""Leases over a real apiserver, by a clock that the test moves."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from unittest.mock import AsyncMock

import pytest

from rollplane.coordination.v1 import Lease
from rollplane_client.lease_plan import LeaseTimes
from rollplane_client.leases import LeaseHolder
from rollplane_client.typed import parse
from rollplane_machinery.api import Delete, Key, ObjectApi, Update
from rollplane_machinery.clock import FakeClock
from rollplane_machinery.kinds import LEASE, Encoded
from tests.clients.python.plane import Plane

KEY = Key(LEASE, "default", "shard-7")
TIMES = LeaseTimes(duration_seconds=15, deadline_seconds=10.0, renew_seconds=3.0, retry_seconds=2.0)


class Candidate:
    """A holder and what it was told, in order."""

    def __init__(self, api: ObjectApi, identity: str, clock: FakeClock) -> None:
        self.told: list[str] = []
        self.clock = clock
        self.holder = LeaseHolder(
            api,
            KEY.namespace,
            (KEY.name,),
            identity,
            clock=clock,
            times=TIMES,
            on_acquired=lambda epochs: self.told.append(f"acquired {epochs[KEY.name]}"),
            on_lost=lambda _names: self.told.append("lost"),
        )

    @property
    def epoch(self) -> int:
        return self.holder.epoch(KEY.name) or 0

    @property
    def is_held(self) -> bool:
        return self.epoch > 0

    async def try_acquire(self) -> bool:
        await self.holder.tend()
        return self.is_held

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        task = asyncio.ensure_future(self.holder.run())
        try:
            yield
        finally:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    async def move_until(self, condition: Callable[[], bool], *, seconds: float = 60.0) -> float:
        """Move the clock in small steps until ``condition`` holds; return how many seconds that took."""
        start = self.clock.monotonic()
        while not condition():
            assert self.clock.monotonic() - start < seconds, self.told
            await settle()
            await self.clock.advance(0.25)
        return self.clock.monotonic() - start


async def settle() -> None:
    """Let the apiserver, which is in this process, answer whatever was asked."""
    for _ in range(60):
        await asyncio.sleep(0)


@pytest.fixture
def near(plane: Plane) -> ObjectApi:
    return plane.in_process()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


async def stored(api: ObjectApi) -> Lease:
    return parse(Lease, await api.get(KEY))


async def steal(api: ObjectApi) -> None:
    lease = await stored(api)
    lease.spec.holder_identity = "thief"
    await api.write(Update(Encoded.of(lease)))


async def test_the_first_creates_it_and_its_epoch_is_that_revision(near: ObjectApi, clock: FakeClock) -> None:
    one = Candidate(near, "one", clock)
    assert await one.try_acquire()
    lease = await stored(near)
    assert lease.spec.holder_identity == "one"
    assert one.epoch == int(lease.metadata.resource_version)
    assert one.told == [f"acquired {one.epoch}"]
    assert one.is_held


async def test_a_second_waits_its_full_duration_from_its_own_first_look(near: ObjectApi, clock: FakeClock) -> None:
    one, two = Candidate(near, "one", clock), Candidate(near, "two", clock)
    await one.try_acquire()
    await clock.advance(100.0)  # long silent already, but two has only just looked
    assert not await two.try_acquire()
    await clock.advance(14.9)
    assert not await two.try_acquire()
    await clock.advance(0.2)
    assert await two.try_acquire()
    assert two.epoch > one.epoch
    assert (await stored(near)).spec.lease_transitions == 1


async def test_is_held_ends_with_the_deadline_though_nobody_took_it(near: ObjectApi, clock: FakeClock) -> None:
    one = Candidate(near, "one", clock)
    await one.try_acquire()
    await clock.advance(9.9)
    assert one.is_held
    await clock.advance(0.2)
    assert not one.is_held


async def test_of_two_that_race_one_wins(near: ObjectApi, clock: FakeClock) -> None:
    candidates = [Candidate(near, name, clock) for name in ("one", "two", "three")]
    won = await asyncio.gather(*(candidate.try_acquire() for candidate in candidates))
    assert sorted(won) == [False, False, True]


async def test_the_same_identity_takes_up_its_lease_again_with_a_new_epoch(near: ObjectApi, clock: FakeClock) -> None:
    """As after a restart, or when the answer to the acquiring write was lost."""
    earlier, later = Candidate(near, "one", clock), Candidate(near, "one", clock)
    await earlier.try_acquire()
    await clock.advance(1.0)
    assert await later.try_acquire()
    assert later.epoch > earlier.epoch
    assert (await stored(near)).spec.lease_transitions == 0


async def test_it_is_renewed_as_long_as_it_runs(near: ObjectApi, clock: FakeClock) -> None:
    one, two = Candidate(near, "one", clock), Candidate(near, "two", clock)
    async with one.running():
        await one.move_until(lambda: one.is_held)
        for _ in range(20):
            await settle()
            await clock.advance(2.5)
            assert not await two.try_acquire()
            assert one.is_held
    assert len(one.told) == 2


async def test_stopping_releases_it_so_that_the_next_need_not_wait(near: ObjectApi, clock: FakeClock) -> None:
    one, two = Candidate(near, "one", clock), Candidate(near, "two", clock)
    async with one.running():
        await one.move_until(lambda: one.is_held)
        assert not await two.try_acquire()
    assert one.told[-1] == "lost"
    assert not one.is_held
    assert await two.try_acquire()


async def test_a_stolen_lease_is_lost_at_the_next_renewal_and_won_back_later(near: ObjectApi, clock: FakeClock) -> None:
    one = Candidate(near, "one", clock)
    async with one.running():
        await one.move_until(lambda: one.is_held)
        first = one.epoch
        await steal(near)
        assert await one.move_until(lambda: one.told[-1] == "lost") <= TIMES.renew_seconds + 0.5
        assert not one.is_held
        await one.move_until(lambda: one.is_held)
        assert one.epoch > first
    assert [word.split()[0] for word in one.told] == ["acquired", "lost", "acquired", "lost"]


async def test_a_lease_that_was_deleted_is_lost_and_to_be_had_anew(near: ObjectApi, clock: FakeClock) -> None:
    one, two = Candidate(near, "one", clock), Candidate(near, "two", clock)
    async with one.running():
        await one.move_until(lambda: one.is_held)
        first = one.epoch
        await near.write(Delete(KEY))
        await one.move_until(lambda: one.epoch > first)
        assert [word.split()[0] for word in one.told] == ["acquired", "lost", "acquired"]
        await near.write(Delete(KEY))
        assert await two.try_acquire()
        await one.move_until(lambda: one.told[-1] == "lost")


async def test_what_is_dropped_in_a_hurry_is_acquired_anew_at_once(near: ObjectApi, clock: FakeClock) -> None:
    one = Candidate(near, "one", clock)
    async with one.running():
        await one.move_until(lambda: one.is_held)
        first = one.epoch
        one.holder.drop((KEY.name,), hurry=True)
        assert not one.is_held
        await settle()
        assert one.epoch > first


async def test_one_holder_holds_many(near: ObjectApi, clock: FakeClock) -> None:
    names = [f"shard-{number}" for number in range(20)]
    acquired: dict[str, int] = {}
    holder = LeaseHolder(near, "default", names, "one", clock=clock, times=TIMES, on_acquired=acquired.update)
    for _ in range(5):
        await holder.tend()
        await clock.advance(TIMES.renew_seconds)
    assert sorted(acquired) == sorted(names)
    assert {name: holder.epoch(name) for name in names} == acquired, "renewed, not acquired anew"


async def test_what_is_held_is_renewed_unread(near: ObjectApi, clock: FakeClock) -> None:
    api = AsyncMock(wraps=near)
    one = Candidate(api, "one", clock)
    assert await one.try_acquire()
    await clock.advance(TIMES.renew_seconds)
    await one.holder.tend()
    assert api.list.await_count == 1
    await steal(near)
    await one.holder.tend()
    assert (api.list.await_count, one.is_held) == (2, False)


async def test_a_change_by_others_that_leaves_us_the_holder_is_no_loss(near: ObjectApi, clock: FakeClock) -> None:
    one = Candidate(near, "one", clock)
    async with one.running():
        await one.move_until(lambda: one.is_held)
        lease = await stored(near)
        lease.metadata.labels["touched"] = "yes"
        await near.write(Update(Encoded.of(lease)))
        renewed_before = lease.spec.renew_time
        await settle()
        await clock.advance(TIMES.renew_seconds)
        await settle()
        assert (await stored(near)).spec.renew_time != renewed_before
        assert one.told == [f"acquired {one.epoch}"]


async def test_a_holder_that_cannot_renew_stops_before_another_may_start(plane: Plane, clock: FakeClock) -> None:
    one = Candidate(plane.in_process(), "one", clock)
    async with one.running():
        await one.move_until(lambda: one.is_held)
        await plane.stop()
        waited = await one.move_until(lambda: one.told[-1] == "lost")
        assert TIMES.deadline_seconds - 0.5 <= waited <= TIMES.deadline_seconds + 0.5
