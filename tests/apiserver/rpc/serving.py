"""A real gRPC server on a free port, over an Api that answers as each test wants, called through raw stubs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import grpc
import pytest
from google.protobuf.message import Message
from google.rpc.status_pb2 import Status

from rollplane_apiserver.core import Identity
from rollplane_apiserver.rollout.edit import Change, Turns
from rollplane_apiserver.rollout.rollouts import Rollouts
from rollplane_apiserver.rpc.calls import DETAILS_KEY
from rollplane_apiserver.rpc.server import RpcServer
from rollplane_apiserver.watch.entry import Entry
from rollplane_machinery.api import (
    DeleteCollection,
    DeletedCollection,
    Fence,
    Key,
    ListQuery,
    Page,
    Unreadable,
    WatchBatch,
    WatchQuery,
    Write,
    WriteOptions,
    WriteResult,
)
from rollplane_machinery.clock import FakeClock, SystemClock
from rollplane_machinery.errors import RollplaneError, UnsupportedError
from rollplane_machinery.kinds import Encoded
from rollplane_machinery.wire.status import decode_error
from rollplane_service.admission import Limits

Asked = Write | Unreadable


class ScriptedApi(Rollouts):
    """An Api whose writes and watches the test scripts; it keeps what it was asked."""

    def __init__(self) -> None:
        super().__init__(self, FakeClock(), Turns())
        self.asked: list[Any] = []
        self.on_write: Callable[[Write], Awaitable[WriteResult]] | None = None
        self.on_batch: Callable[[Sequence[Asked]], Sequence[WriteResult | RollplaneError]] | None = None
        self.batches: AsyncIterator[WatchBatch] | None = None
        self.object: Encoded | None = None

    async def get(self, key: Key) -> Encoded:
        self.asked.append(key)
        if self.object is None:
            raise UnsupportedError("not scripted")
        return self.object

    async def entry(self, key: Key) -> Entry:
        return Entry("", await self.get(key), 17)

    async def list(self, query: ListQuery) -> Page:
        self.asked.append(query)
        return Page([], 1)

    @asynccontextmanager
    async def watch(self, query: WatchQuery) -> AsyncIterator[AsyncIterator[WatchBatch]]:
        self.asked.append(query)
        if self.batches is None:
            raise UnsupportedError("not scripted")
        yield self.batches

    async def write(self, write: Write) -> WriteResult:
        self.asked.append(write)
        return WriteResult(1) if self.on_write is None else await self.on_write(write)

    async def edit(self, key: Key, change: Change, options: WriteOptions, subresource: str = "") -> WriteResult:
        raise UnsupportedError("not scripted")

    async def made_before(self, key: Key, options: WriteOptions) -> WriteResult | None:
        raise UnsupportedError("not scripted")

    async def batch(self, writes: Sequence[Asked]) -> Sequence[WriteResult | RollplaneError]:
        self.asked.append(list(writes))
        return [WriteResult(1) for _ in writes] if self.on_batch is None else self.on_batch(writes)

    async def delete_collection(self, request: DeleteCollection) -> DeletedCollection:
        self.asked.append(request)
        return DeletedCollection(0, 1)

    async def raise_fence(self, fence: Fence) -> None:
        self.asked.append(fence)


@dataclass
class ScriptedCore:
    """A core that hands out one ScriptedApi and notes for whom."""

    api: ScriptedApi = field(default_factory=ScriptedApi)
    identities: list[Identity] = field(default_factory=list)
    is_serving: bool = True
    watches_ended: asyncio.Event = field(default_factory=asyncio.Event)

    def as_identity(self, identity: Identity) -> ScriptedApi:
        self.identities.append(identity)
        return self.api

    def end_watches(self) -> None:
        self.watches_ended.set()


class CountedCalls:
    """Where ended calls are counted, as (service, method, code)."""

    def __init__(self) -> None:
        self.ended: list[tuple[str, str, str]] = []

    def call_ended(self, service: str, method: str, code: str, seconds: float) -> None:
        assert seconds >= 0
        self.ended.append((service.rpartition(".")[2], method, code))


@dataclass
class Served:
    """One running server and a channel to it."""

    core: ScriptedCore
    calls: CountedCalls
    server: RpcServer
    channel: grpc.aio.Channel
    port: int

    @property
    def api(self) -> ScriptedApi:
        return self.core.api

    async def call(
        self, method: str, request: Message | bytes, *, metadata: Iterable[tuple[str, str]] = (), seconds: float = 20.0
    ) -> bytes:
        """Send ``request`` to ``Service/Method`` of rollplane.api.v1 and return the answer's bytes."""
        data = request if isinstance(request, bytes) else request.SerializeToString()
        stub: Any = self.channel.unary_unary(f"/rollplane.api.v1.{method}")
        answer: bytes = await stub(data, timeout=seconds, metadata=tuple(metadata))
        return answer

    async def refusal(self, method: str, request: Message | bytes, **options: Any) -> tuple[grpc.StatusCode, Status]:
        """Send ``request``, which must be refused; return the code and the status in the details."""
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await self.call(method, request, **options)
        return caught.value.code(), status_of(caught.value)

    def stream(self, method: str, request: Message | bytes) -> Any:
        """Open a stream of bytes."""
        data = request if isinstance(request, bytes) else request.SerializeToString()
        stub: Any = self.channel.unary_stream(f"/rollplane.api.v1.{method}")
        return stub(data)

    async def code_of(self, method: str, data: bytes, *, streaming: bool) -> grpc.StatusCode:
        """Send ``data``, take whatever comes, and return how the call ended."""
        try:
            if streaming:
                _ = [item async for item in self.stream(method, data)]
            else:
                await self.call(method, data)
        except grpc.aio.AioRpcError as error:
            return error.code()
        return grpc.StatusCode.OK


def status_of(error: grpc.aio.AioRpcError) -> Status:
    """Return the google.rpc.Status a call ended with, empty when it has none."""
    for key, value in error.trailing_metadata() or ():
        if key == DETAILS_KEY:
            return Status.FromString(value if isinstance(value, bytes) else value.encode())
    return Status()


def error_of(error: grpc.aio.AioRpcError) -> RollplaneError:
    """Return what a call ended with as the client library would raise it."""
    return decode_error(status_of(error))


@asynccontextmanager
async def serving(core: ScriptedCore, limits: Limits) -> AsyncIterator[Served]:
    """Serve ``core`` on a free port within the context."""
    calls = CountedCalls()
    async with RpcServer(core, SystemClock(), calls, limits=limits) as server:
        port = await server.listen("127.0.0.1:0")
        async with grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel:
            yield Served(core, calls, server, channel, port)
