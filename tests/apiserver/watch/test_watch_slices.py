"""However much a request selects, others have their turn while objects are matched."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest

from rollplane_apiserver.core import Core, CoreSettings
from rollplane_apiserver.watch.slice import SLICE_SECONDS, Slice
from rollplane_machinery import kinds
from rollplane_machinery.api import Create, DeleteCollection, ListQuery
from rollplane_machinery.clock import FakeClock
from rollplane_machinery.kinds import Encoded
from tests.apiserver.core.office import CountingStore, Office, config_map
from tests.apiserver.watch.watching import until, watching

OBJECTS = 300
DEAR = ",".join(f"!k{number}" for number in range(1_990))
NONE_OF_THEM = f"{DEAR},a=b"


async def fill(office: Office) -> None:
    await office.api.batch([Create(Encoded.of(config_map(f"c{number:03}"))) for number in range(OBJECTS)])


async def turns_beside(work: Awaitable[object]) -> int:
    """Return how often another task had its turn until ``work`` was done."""
    turns = 0

    async def count() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    async with asyncio.TaskGroup() as tasks:
        counting = tasks.create_task(count())
        await work
        counting.cancel()
    return turns


async def _lists(office: Office, _since: int) -> None:
    await office.api.list(ListQuery(kinds.CONFIG_MAP, label_selector=DEAR))


async def _deletes(office: Office, _since: int) -> None:
    await office.api.delete_collection(DeleteCollection(kinds.CONFIG_MAP, label_selector=NONE_OF_THEM))


async def _reads_the_state(office: Office, _since: int) -> None:
    async with office.api.watch(watching(kinds.CONFIG_MAP, initial=True, label_selector=DEAR)) as batches:
        assert len(await until(batches, office.core.revision)) == OBJECTS


async def _follows(office: Office, since: int) -> None:
    async with office.api.watch(watching(kinds.CONFIG_MAP, since=since, label_selector=DEAR)) as batches:
        assert len(await until(batches, office.core.revision)) == OBJECTS


@pytest.fixture(params=[64 * 1024 * 1024, 1], ids=["ring", "log"])
async def office(request: pytest.FixtureRequest) -> AsyncIterator[Office]:
    """A core whose watchers read what is past in the ring, or in the store's log."""
    store, clock = CountingStore(), FakeClock()
    settings = CoreSettings(ring_bytes=request.param)
    async with Core(store, clock, settings=settings, randomness=random.Random(1)) as core:
        yield Office(core, store, clock)


@pytest.mark.parametrize("work", [_lists, _deletes, _reads_the_state, _follows])
async def test_others_have_their_turn_every_few_objects(
    office: Office, work: Callable[[Office, int], Awaitable[None]]
) -> None:
    since = office.core.revision
    await fill(office)
    assert await turns_beside(work(office, since)) >= OBJECTS // 10


async def test_a_slice_is_over_after_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    loop = asyncio.get_running_loop()
    now = loop.time()
    monkeypatch.setattr(loop, "time", lambda: now)
    turn = Slice(0)
    assert not turn.is_over()
    now += 2 * SLICE_SECONDS
    assert turn.is_over()


@pytest.mark.parametrize(("terms", "objects"), [(0, 512), (2_000, 10), (100_000, 1)])
async def test_a_slice_is_over_after_its_objects_where_time_stands_still(
    terms: int, objects: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = asyncio.get_running_loop().time()
    monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: now)
    turn = Slice(terms)
    assert [turn.is_over() for _ in range(objects)] == [False] * (objects - 1) + [True]
