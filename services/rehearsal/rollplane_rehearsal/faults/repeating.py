"""What gRPC's client does for single calls, over any Api: a token, and repeats until the answer is certain."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager

from rollplane_client.retry import Retrier, is_retryable_read
from rollplane_client.tokens import Tokens, repeated
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
from rollplane_machinery.errors import RollplaneError
from rollplane_machinery.kinds import Encoded


class RepeatingApi:
    """``api``, through the client's own ``Retrier``."""

    def __init__(self, api: ObjectApi, retrier: Retrier, tokens: Tokens) -> None:
        self._api = api
        self._retrier = retrier
        self._tokens = tokens

    async def get(self, key: Key) -> Encoded:
        return await self._retrier.call(lambda: self._api.get(key), is_retryable_read)

    async def list(self, query: ListQuery) -> Page:
        return await self._retrier.call(lambda: self._api.list(query), is_retryable_read)

    async def write(self, write: Write) -> WriteResult:
        first = self._tokens.stamped(write)
        return await self._retrier.write(
            lambda repeat: self._api.write(repeated(first) if repeat else first), lambda: True
        )

    async def batch(self, writes: Sequence[Write]) -> Sequence[WriteResult | RollplaneError]:
        first = [self._tokens.stamped(write) for write in writes]
        return await self._retrier.write(
            lambda repeat: self._api.batch([repeated(write) for write in first] if repeat else first),
            lambda: True,
            of_many=True,
        )

    async def delete_collection(self, request: DeleteCollection) -> DeletedCollection:
        return await self._api.delete_collection(request)

    async def raise_fence(self, fence: Fence) -> None:
        await self._retrier.call(lambda: self._api.raise_fence(fence), is_retryable_read)

    def watch(self, query: WatchQuery) -> AbstractAsyncContextManager[AsyncIterator[WatchBatch]]:
        return self._api.watch(query)
