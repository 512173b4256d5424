"""Streams that go on over losses, by what a server that the test plays sends and fails with."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any, TypeVar

import pytest

from rollplane_client.backoff import Backoff
from rollplane_client.watching import Patience, is_passing, resumed, resumed_watch
from rollplane_machinery.api import WatchBatch, WatchQuery
from rollplane_machinery.clock import FakeClock
from rollplane_machinery.errors import (
    BadRequestError,
    ExpiredError,
    InternalError,
    Outcome,
    RollplaneError,
    TooManyRequestsError,
    UnavailableError,
)
from rollplane_machinery.kinds import CONFIG_MAP
from tests.clients.python.plane import Plane, config_map, create, everything, name_of

T = TypeVar("T")
Part = int | RollplaneError

GONE = UnavailableError("gone", outcome=Outcome.NOT_SENT)
PATIENCE = Patience(Backoff(base_seconds=1.0, cap_seconds=4.0, spread=0.0), give_up_seconds=10.0)


class Streams:
    """Opens each stream of the script in turn; the last one again and again."""

    def __init__(self, clock: FakeClock, *script: list[Part]) -> None:
        self._clock = clock
        self._script = list(script)
        self.opened: list[float] = []

    @asynccontextmanager
    async def open(self) -> AsyncIterator[AsyncIterator[int]]:
        self.opened.append(self._clock.monotonic())
        parts = self._script.pop(0) if len(self._script) > 1 else self._script[0]

        async def stream() -> AsyncIterator[int]:
            for part in parts:
                if isinstance(part, RollplaneError):
                    raise part
                yield part

        yield stream()


async def as_time_passes(clock: FakeClock, work: Coroutine[Any, Any, T]) -> T:
    task = asyncio.ensure_future(work)
    while not task.done():
        for _ in range(5):
            await asyncio.sleep(0)
        await clock.advance(0.5)
    return task.result()


async def read(streams: Streams, clock: FakeClock, last: int) -> list[int]:
    seen = []
    async with resumed(streams.open, clock, PATIENCE) as items:
        async for item in items:
            seen.append(item)
            if item == last:
                break
    return seen


async def test_it_goes_on_after_losses_and_ends() -> None:
    clock = FakeClock()
    busy = TooManyRequestsError("busy", retry_after_seconds=3.0)
    streams = Streams(clock, [1, 2, GONE], [GONE], [busy], [InternalError("bug")], [3], [4])
    assert await as_time_passes(clock, read(streams, clock, 4)) == [1, 2, 3, 4]
    # The waits grow until something comes, and are never shorter than the server asks for.
    assert streams.opened == [0.0, 1.0, 3.0, 7.0, 11.0, 12.0]


async def test_patience_ends_with_the_last_error_and_begins_anew_with_each_sign_of_life() -> None:
    clock = FakeClock()
    streams = Streams(clock, [GONE], [GONE], [GONE], [1, GONE], [GONE])
    with pytest.raises(UnavailableError):
        await as_time_passes(clock, read(streams, clock, 9))
    assert streams.opened == [0.0, 1.0, 3.0, 7.0, 8.0, 10.0, 14.0, 18.0]


@pytest.mark.parametrize("error", [BadRequestError("no such field"), ExpiredError("too old")])
async def test_what_no_repetition_mends_is_raised_at_once(error: RollplaneError) -> None:
    clock = FakeClock()
    streams = Streams(clock, [1, error])
    with pytest.raises(type(error)):
        await as_time_passes(clock, read(streams, clock, 9))
    assert streams.opened == [0.0]
    assert not is_passing(error)


async def test_an_error_of_the_reader_is_no_loss() -> None:
    clock = FakeClock()
    streams = Streams(clock, [1, 2])

    async def stumble() -> None:
        async with resumed(streams.open, clock, PATIENCE) as items:
            async for _ in items:
                raise GONE

    with pytest.raises(UnavailableError):
        await stumble()
    assert streams.opened == [0.0]


class CutOff:
    """An Api whose watches end after each batch."""

    def __init__(self, plane: Plane) -> None:
        self._api = plane.in_process()
        self.queries: list[WatchQuery] = []

    def watch(self, query: WatchQuery) -> AbstractAsyncContextManager[AsyncIterator[WatchBatch]]:
        self.queries.append(query)
        return self._cut(query)

    @asynccontextmanager
    async def _cut(self, query: WatchQuery) -> AsyncIterator[AsyncIterator[WatchBatch]]:
        async def one(batches: AsyncIterator[WatchBatch]) -> AsyncIterator[WatchBatch]:
            yield await anext(batches)
            raise GONE

        async with self._api.watch(query) as batches:
            yield one(batches)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._api, name)


async def test_a_watch_goes_on_behind_the_last_batch(plane: Plane) -> None:
    api, clock = CutOff(plane), FakeClock()
    for name in "ab":
        await create(plane.in_process(), config_map(name))

    async def watch() -> list[str]:
        names: list[str] = []
        query = WatchQuery(everything(CONFIG_MAP), send_initial_state=True)
        async with resumed_watch(api, query, clock, PATIENCE) as batches:
            async for batch in batches:
                names += [name_of(event.object) for event in batch.events]
                if names == ["a", "b"] and batch.revision:
                    await create(plane.in_process(), config_map("c"))
                if names[-1:] == ["c"]:
                    return names
        raise AssertionError(names)

    assert await as_time_passes(clock, watch()) == ["a", "b", "c"]
    assert api.queries[0].send_initial_state
    assert not api.queries[-1].send_initial_state
