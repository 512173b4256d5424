"""An Api that notices when the store no longer knows our fences.

A store that was restarted forgets them, and another process may have taken a shard. Either way
a write comes back fenced; whoever owns the shards must then find out, whichever part of the controller sent it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager

from rollplane_machinery.api import (
    DeleteCollection,
    DeletedCollection,
    Fence,
    Key,
    ListQuery,
    ObjectApi,
    Page,
    WatchBatch,
    WatchQuery,
    Write,
    WriteResult,
)
from rollplane_machinery.errors import FencedError, RollplaneError
from rollplane_machinery.kinds import Encoded


class FenceAwareApi:
    """``api``, calling ``on_fenced`` with the fence of every write that was refused for it."""

    def __init__(self, api: ObjectApi, on_fenced: Callable[[Fence], None]) -> None:
        self._api = api
        self._on_fenced = on_fenced

    async def get(self, key: Key) -> Encoded:
        return await self._api.get(key)

    async def list(self, query: ListQuery) -> Page:
        return await self._api.list(query)

    def watch(self, query: WatchQuery) -> AbstractAsyncContextManager[AsyncIterator[WatchBatch]]:
        return self._api.watch(query)

    async def write(self, write: Write) -> WriteResult:
        try:
            return await self._api.write(write)
        except FencedError:
            self._notice(write.options.fence)
            raise

    async def batch(self, writes: Sequence[Write]) -> Sequence[WriteResult | RollplaneError]:
        results = await self._api.batch(writes)
        for write, result in zip(writes, results, strict=True):
            if isinstance(result, FencedError):
                self._notice(write.options.fence)
        return results

    async def delete_collection(self, request: DeleteCollection) -> DeletedCollection:
        try:
            return await self._api.delete_collection(request)
        except FencedError:
            self._notice(request.options.fence)
            raise

    async def raise_fence(self, fence: Fence) -> None:
        await self._api.raise_fence(fence)

    def _notice(self, fence: Fence | None) -> None:
        if fence is not None:
            self._on_fenced(fence)
