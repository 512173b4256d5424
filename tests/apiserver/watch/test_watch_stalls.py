"""Watchers that take nothing, and stores that are gone: what they cost everybody else."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager

import pytest

from rollplane_apiserver.core import ADMIN, Core, CoreSettings
from rollplane_apiserver.store.interface import LogBatch, Mutation, Require
from rollplane_apiserver.store.memory_store import MemoryStore
from rollplane_apiserver.watch.cache import Cache
from rollplane_apiserver.watch.cursor import Cursor, CursorLimits
from rollplane_apiserver.watch.filters import Filter, FilterSet
from rollplane_apiserver.watch.ring import Ring
from rollplane_machinery import kinds
from rollplane_machinery.clock import FakeClock
from rollplane_machinery.errors import ExpiredError, Outcome, UnavailableError
from tests.apiserver.core.office import CountingStore, Office, config_map
from tests.apiserver.watch.switchable import SwitchableStore
from tests.apiserver.watch.watching import until, watching


async def test_stalled_resumptions_keep_nobody_from_resuming() -> None:
    settings = CoreSettings(ring_bytes=1, concurrent_catch_ups=2)
    store, clock = CountingStore(), FakeClock()
    async with Core(store, clock, settings=settings, randomness=random.Random(1)) as core, AsyncExitStack() as stack:
        office = Office(core, store, clock)
        since = core.revision
        for number in range(3):
            await office.create(config_map(f"c{number}"))
        async with asyncio.timeout(5):
            for _ in range(4):
                stalled = await stack.enter_async_context(office.api.watch(watching(kinds.CONFIG_MAP, since=since)))
                await anext(stalled)
            async with office.api.watch(watching(kinds.CONFIG_MAP, since=since)) as batches:
                assert [name for _, name in await until(batches, core.revision)] == ["c0", "c1", "c2"]


@asynccontextmanager
async def followed(store: MemoryStore) -> AsyncIterator[Cache]:
    cache = Cache(store, FakeClock(), Ring(1024 * 1024))
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(cache.run())
        await cache.loaded()
        yield cache
        running.cancel()


async def test_an_initial_state_that_is_not_taken_is_let_go() -> None:
    store = MemoryStore()
    value = config_map("c").SerializeToString()
    await store.commit([Mutation("configmaps", f"default/c{n}", value, Require.ABSENT) for n in range(200)])
    await store.commit([Mutation("configmaps", f"default/d{n}", value, Require.ABSENT) for n in range(200)])
    await store.commit([Mutation("configmaps", f"default/e{n}", value, Require.ABSENT) for n in range(200)])
    limits = CursorLimits(1, 0.1, 5.0, asyncio.Semaphore(1), stall_seconds=0.0)
    async with followed(store) as cache:
        cursor = Cursor(cache, store, FilterSet([Filter(kinds.CONFIG_MAP)]), limits, initial_state=True)
        batches = cursor.batches()
        await anext(batches)
        for _ in range(3):
            await asyncio.sleep(0)
        with pytest.raises(ExpiredError, match="not taken"):
            await anext(batches)


class GoneStore(SwitchableStore):
    """A store that answers everything but whoever wants to follow it."""

    def follow(self, after: int) -> AbstractAsyncContextManager[AsyncIterator[LogBatch]]:
        raise UnavailableError("gone", outcome=Outcome.NOT_SENT)


class NotingClock(FakeClock):
    """A clock on which waiting takes no time; it ends whoever has waited often enough."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    async def sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        if len(self.waits) == 7:
            raise asyncio.CancelledError
        await asyncio.sleep(0)


async def test_the_log_reader_waits_longer_each_time_in_vain() -> None:
    store, clock = MemoryStore(), NotingClock()
    switchable = SwitchableStore(store)
    cache = Cache(switchable, clock, Ring(1024))
    running = asyncio.create_task(cache.run())
    await cache.loaded()
    await switchable.switch(GoneStore(MemoryStore()))
    with pytest.raises(asyncio.CancelledError):
        await running
    assert clock.waits == [0.1, 0.2, 0.4, 0.8, 1.6, 2.0, 2.0]


async def test_an_emptied_store_gets_the_first_namespaces_again() -> None:
    store, other = SwitchableStore(MemoryStore()), MemoryStore()
    clock = NotingClock()
    async with Core(store, clock, randomness=random.Random(1)):
        other.jump(10**9)
        await store.switch(other)
        async with asyncio.timeout(5), other.follow(10**9 + 1) as batches:
            told: list[str] = []
            while "/default" not in told:
                told += [change.key for change in (await anext(batches)).changes]


class LosingStore(CountingStore):
    """A store that loses its latest writes just before it is asked for its revision."""

    loses = False

    async def revision(self) -> int:
        if self.loses:
            self.loses = False
            self.jump(await super().revision() + 1000)
        return await super().revision()


async def test_a_watch_from_a_revision_that_is_lost_while_it_opens() -> None:
    store, clock = LosingStore(), FakeClock()
    async with Core(store, clock, randomness=random.Random(1)) as core:
        store.loses = True
        lost = core.revision + 1  # as another apiserver told it
        with pytest.raises(ExpiredError):
            async with core.as_identity(ADMIN).watch(watching(kinds.CONFIG_MAP, since=lost)) as batches:
                await anext(batches)


async def test_no_watcher_steps_into_the_ring_at_a_revision_that_a_jump_has_made_void() -> None:
    store = MemoryStore()
    limits = CursorLimits(1024, 0.1, 5.0, asyncio.Semaphore(1))
    async with followed(store) as cache:
        here = cache.revision
        lost = here + 3  # as another apiserver told it, before our cache got there
        cursor = Cursor(cache, store, FilterSet([Filter(kinds.CONFIG_MAP)]), limits, revision=lost)
        store.jump(here + 1000)
        await cache.reached(here + 1001)
        assert cache.loads == 1  # what it holds was not lost, so it follows on
        with pytest.raises(ExpiredError, match="void"):
            await anext(cursor.batches())
