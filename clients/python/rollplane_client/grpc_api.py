"""``Api`` over gRPC: what the core is in one process, this is across the network.

Every call has a deadline, is tried again where that is safe (``retry``), and raises RollplaneErrors only. What a call
means is said in ``rollplane_machinery.api``.
"""

from __future__ import annotations

import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message

from rollplane.api import v1 as pb
from rollplane.api.v1.object_service_pb2_grpc import ObjectServiceStub
from rollplane.api.v1.rollout_service_pb2_grpc import RolloutServiceStub
from rollplane_client.backoff import Jitter
from rollplane_client.channel import open_channel
from rollplane_client.grpc_errors import translated
from rollplane_client.retry import (
    Retrier,
    RetryPolicy,
    is_retryable_eviction,
    is_retryable_read,
    is_retryable_write,
)
from rollplane_client.silence import Watchdog
from rollplane_machinery.api import (
    DEFAULT_OPTIONS,
    Bind,
    Create,
    Delete,
    DeleteCollection,
    DeletedCollection,
    Evict,
    Fence,
    Key,
    ListQuery,
    Page,
    Patch,
    Revision,
    RollBackRollingUpdate,
    RollingUpdate,
    RollingUpdateProgress,
    RolloutStatus,
    Scale,
    SetImage,
    StartRollingUpdate,
    Undone,
    Update,
    UpdateStatus,
    WatchBatch,
    WatchQuery,
    Write,
    WriteOptions,
    WriteResult,
)
from rollplane_machinery.clock import Clock, SystemClock
from rollplane_machinery.errors import InternalError, Outcome, RollplaneError, UnavailableError
from rollplane_machinery.kinds import Encoded
from rollplane_machinery.wire import parts, reads, rolling_updates, rollouts
from rollplane_machinery.wire.writes import decode_batch_results, decode_result, encode_batch, encode_write

Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Deadlines:
    """Seconds that one try of a call may take; watches have none."""

    call_seconds: float = 10.0
    batch_seconds: float = 30.0


DEFAULT_DEADLINES = Deadlines()
DEFAULT_RETRY = RetryPolicy()


@asynccontextmanager
async def connect(
    address: str,
    *,
    role: str = "editor",
    name: str = "",
    clock: Clock | None = None,
    jitter: Jitter | None = None,
    deadlines: Deadlines = DEFAULT_DEADLINES,
    retry: RetryPolicy = DEFAULT_RETRY,
) -> AsyncIterator[GrpcApi]:
    """Open an Api at ``address`` (``channel.target_of`` says how one is written), in the name and role given.

    Does not wait for a server: the first call does. Leaving the context ends all calls and watches with
    UnavailableError. Raises BadRequestError for an address that is not one.
    """
    channel = open_channel(address)
    identity = {"rollplane-role": role, "rollplane-name": name}
    retrier = Retrier(retry, clock or SystemClock(), jitter or random.Random().random)
    api = GrpcApi(channel, identity, retrier, deadlines)
    try:
        yield api
    finally:
        await api.close()


class GrpcApi:
    """The Api at the other end of ``channel``, which is closed with it. Made by ``connect``."""

    def __init__(
        self, channel: grpc.aio.Channel, identity: Mapping[str, str], retrier: Retrier, deadlines: Deadlines
    ) -> None:
        self._channel = channel
        self._objects = ObjectServiceStub(channel)
        self._rollouts = RolloutServiceStub(channel)
        self._metadata = tuple((key, value) for key, value in identity.items() if value)
        self._retrier = retrier
        self._deadlines = deadlines
        self._closed = False

    async def close(self) -> None:
        """End all calls and watches at once with UnavailableError; later ones get it too."""
        self._closed = True
        await self._channel.close()

    # Objects

    async def get(self, key: Key) -> Encoded:
        response = await self._read(self._objects.Get, pb.GetRequest(key=parts.encode_key(key)))
        return parts.decode_object(response.object)

    async def list(self, query: ListQuery) -> Page:
        return reads.decode_page(await self._read(self._objects.List, reads.encode_list(query)))

    def watch(self, query: WatchQuery) -> AbstractAsyncContextManager[AsyncIterator[WatchBatch]]:
        return self._stream(self._objects.Watch, reads.encode_watch(query), reads.decode_watch_batch, is_regular=True)

    async def write(self, write: Write) -> WriteResult:
        request = encode_write(write)
        may_retry = is_retryable_eviction if isinstance(write, Evict) else is_retryable_write
        return decode_result(await self._ask(self._write_method(write), request, may_retry))

    async def batch(self, writes: Sequence[Write]) -> Sequence[WriteResult | RollplaneError]:
        response = await self._ask(
            self._objects.BatchWrite,
            encode_batch(writes),
            is_retryable_write,
            deadline_seconds=self._deadlines.batch_seconds,
        )
        if len(response.results) != len(writes):
            raise InternalError(f"{len(writes)} writes were answered by {len(response.results)} results")
        return decode_batch_results(response)

    async def delete_collection(self, request: DeleteCollection) -> DeletedCollection:
        response = await self._ask(
            self._objects.DeleteCollection,
            reads.encode_delete_collection(request),
            is_retryable_write,
            deadline_seconds=self._deadlines.batch_seconds,
        )
        return reads.decode_deleted_collection(response)

    async def raise_fence(self, fence: Fence) -> None:
        # Epochs only grow, so that raising one twice is the same as once: repeated like a read.
        await self._read(self._objects.RaiseFence, pb.RaiseFenceRequest(fence=parts.encode_fence(fence)))

    # Rollouts

    async def set_image(self, request: SetImage) -> WriteResult:
        return await self._change(self._rollouts.SetImage, rollouts.encode_set_image(request))

    async def scale(self, request: Scale) -> WriteResult:
        return await self._change(self._rollouts.Scale, rollouts.encode_scale(request))

    async def pause(self, key: Key, options: WriteOptions = DEFAULT_OPTIONS) -> WriteResult:
        return await self._change(self._rollouts.Pause, rollouts.encode_pause(key, options))

    async def resume(self, key: Key, options: WriteOptions = DEFAULT_OPTIONS) -> WriteResult:
        return await self._change(self._rollouts.Resume, rollouts.encode_resume(key, options))

    async def restart(self, key: Key, options: WriteOptions = DEFAULT_OPTIONS) -> WriteResult:
        return await self._change(self._rollouts.Restart, rollouts.encode_restart(key, options))

    async def history(self, key: Key, revision: int = 0) -> Sequence[Revision]:
        response = await self._read(self._rollouts.History, rollouts.encode_history(key, revision))
        return rollouts.decode_revisions(response)

    async def undo(self, key: Key, to_revision: int = 0, options: WriteOptions = DEFAULT_OPTIONS) -> Undone:
        request = rollouts.encode_undo(key, to_revision, options)
        return rollouts.decode_undone(await self._ask(self._rollouts.Undo, request, is_retryable_write))

    def rollout_status(self, key: Key, revision: int = 0) -> AbstractAsyncContextManager[AsyncIterator[RolloutStatus]]:
        request = rollouts.encode_status(key, revision)
        return self._stream(self._rollouts.Status, request, rollouts.decode_rollout_status)

    async def start_rolling_update(self, request: StartRollingUpdate) -> RollingUpdate:
        # Starting one that runs takes it up: a call whose answer was lost is repeated like a read.
        response = await self._read(self._rollouts.StartRollingUpdate, rolling_updates.encode_start(request))
        return rolling_updates.decode_rolling_update(response)

    async def roll_back_rolling_update(self, request: RollBackRollingUpdate) -> RollingUpdate:
        response = await self._read(self._rollouts.RollBackRollingUpdate, rolling_updates.encode_roll_back(request))
        return rolling_updates.decode_rolling_update(response)

    def watch_rolling_update(
        self, target: Key, source: str, revision: int
    ) -> AbstractAsyncContextManager[AsyncIterator[RollingUpdateProgress]]:
        request = rolling_updates.encode_follow(target, source, revision)
        return self._stream(self._rollouts.WatchRollingUpdate, request, rolling_updates.decode_progress)

    # Calls

    def _write_method(self, write: Write) -> grpc.aio.UnaryUnaryMultiCallable[Any, pb.WriteResult]:
        match write:
            case Create():
                return self._objects.Create
            case Update():
                return self._objects.Update
            case UpdateStatus():
                return self._objects.UpdateStatus
            case Patch():
                return self._objects.Patch
            case Delete():
                return self._objects.Delete
            case Bind():
                return self._objects.Bind
            case Evict():
                return self._objects.Evict

    async def _read(self, method: grpc.aio.UnaryUnaryMultiCallable[Q, A], request: Q) -> A:
        return await self._ask(method, request, is_retryable_read)

    async def _change(self, method: grpc.aio.UnaryUnaryMultiCallable[Q, pb.WriteResult], request: Q) -> WriteResult:
        return decode_result(await self._ask(method, request, is_retryable_write))

    async def _ask(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[Q, A],
        request: Q,
        may_retry: Callable[[RollplaneError], bool],
        *,
        deadline_seconds: float | None = None,
    ) -> A:
        timeout = self._deadlines.call_seconds if deadline_seconds is None else deadline_seconds

        async def attempt() -> A:
            self._check_open()
            with translated(lambda: self._closed):
                return await method(request, timeout=timeout, metadata=self._metadata)

        return await self._retrier.call(attempt, lambda error: not self._closed and may_retry(error))

    @asynccontextmanager
    async def _stream(
        self,
        method: grpc.aio.UnaryStreamMultiCallable[Q, A],
        request: Q,
        decode: Callable[[A], T],
        *,
        is_regular: bool = False,
    ) -> AsyncIterator[AsyncIterator[T]]:
        """Open a stream, whose messages the iterator decodes; leaving the context cancels the call.

        One that ``is_regular`` brings something at least every second, or is given up as lost.
        """
        self._check_open()
        call = method(request, metadata=self._metadata)
        watchdog = Watchdog(call.cancel)
        if not is_regular:
            watchdog.close()

        async def decoded() -> AsyncGenerator[T, None]:
            with translated(lambda: self._closed or watchdog.gave_up):
                async for message in call:
                    watchdog.rest()
                    yield decode(message)
                    watchdog.listen()

        try:
            async with aclosing(decoded()) as results:
                yield results
        finally:
            watchdog.close()
            call.cancel()

    def _check_open(self) -> None:
        if self._closed:
            raise UnavailableError("the connection is closed", outcome=Outcome.NOT_SENT)
