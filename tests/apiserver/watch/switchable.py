"""A store whose server can be exchanged for another under its users: a failover, as they see it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager

from rollplane_apiserver.store.interface import Jump, LogBatch, Mutation, Outcome, Store, Stored
from rollplane_machinery.api import Fence


class SwitchableStore:
    """Passes everything on to ``inner``."""

    def __init__(self, inner: Store) -> None:
        self.inner = inner

    async def switch(self, other: Store) -> None:
        """Close the store in use, which ends whoever follows it, and go on with ``other``."""
        former, self.inner = self.inner, other
        await former.close()

    @property
    def memory_is_short(self) -> bool:
        return self.inner.memory_is_short

    async def commit(self, mutations: Sequence[Mutation]) -> Sequence[Outcome]:
        return await self.inner.commit(mutations)

    async def read(self, resource: str, keys: Sequence[str]) -> Sequence[Stored | None]:
        return await self.inner.read(resource, keys)

    async def revision(self) -> int:
        return await self.inner.revision()

    async def oldest_revision(self) -> int:
        return await self.inner.oldest_revision()

    async def jumps(self) -> Sequence[Jump]:
        return await self.inner.jumps()

    def scan(self) -> AbstractAsyncContextManager[tuple[int, AsyncIterator[Sequence[Stored]]]]:
        return self.inner.scan()

    async def changes(self, after: int) -> LogBatch:
        return await self.inner.changes(after)

    def follow(self, after: int) -> AbstractAsyncContextManager[AsyncIterator[LogBatch]]:
        return self.inner.follow(after)

    async def raise_fence(self, fence: Fence) -> None:
        await self.inner.raise_fence(fence)

    async def close(self) -> None:
        await self.inner.close()
