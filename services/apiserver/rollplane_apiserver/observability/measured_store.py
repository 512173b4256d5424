"""A store that counts its commits on the way to the real one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager

from rollplane_apiserver.store.interface import Jump, LogBatch, Mutation, Outcome, Store, Stored
from rollplane_machinery.api import Fence
from rollplane_machinery.clock import Clock


class MeasuredStore:
    """``store``, with ``committed(items, seconds)`` called after each commit, also one that failed."""

    def __init__(self, store: Store, clock: Clock, committed: Callable[[int, float], None]) -> None:
        self._store = store
        self._clock = clock
        self._committed = committed

    async def commit(self, mutations: Sequence[Mutation]) -> Sequence[Outcome]:
        started = self._clock.monotonic()
        try:
            return await self._store.commit(mutations)
        finally:
            self._committed(len(mutations), self._clock.monotonic() - started)

    async def read(self, resource: str, keys: Sequence[str]) -> Sequence[Stored | None]:
        return await self._store.read(resource, keys)

    async def revision(self) -> int:
        return await self._store.revision()

    async def oldest_revision(self) -> int:
        return await self._store.oldest_revision()

    async def jumps(self) -> Sequence[Jump]:
        return await self._store.jumps()

    def scan(self) -> AbstractAsyncContextManager[tuple[int, AsyncIterator[Sequence[Stored]]]]:
        return self._store.scan()

    def follow(self, after: int) -> AbstractAsyncContextManager[AsyncIterator[LogBatch]]:
        return self._store.follow(after)

    async def raise_fence(self, fence: Fence) -> None:
        await self._store.raise_fence(fence)

    async def close(self) -> None:
        await self._store.close()
