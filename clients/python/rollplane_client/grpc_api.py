"""``Api`` over gRPC: what the core is in one process, this is across the network.

Every call has a deadline, is tried again where that is safe (``retry``), and raises RollplaneErrors only. What a call
means is said in ``rollplane_machinery.api``.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import replace
from functools import partial
from typing import Any, TypeVar

import grpc
from google.protobuf.message import Message

from rollplane.api import v1 as pb
from rollplane.api.v1.object_service_pb2_grpc import ObjectServiceStub
from rollplane.api.v1.rollout_service_pb2_grpc import RolloutServiceStub
from rollplane_client.backoff import Jitter
from rollplane_client.channel import open_channel
from rollplane_client.grpc_errors import translated
from rollplane_client.retry import Retrier, RetryPolicy, did_nothing, is_retryable_read
from rollplane_client.silence import Watchdog
from rollplane_client.tokens import Tokens, repeat_of, repeated
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
from rollplane_machinery.frozen import frozen
from rollplane_machinery.kinds import Encoded
from rollplane_machinery.wire import parts, reads, rolling_updates, rollouts
from rollplane_machinery.wire.writes import (
    WriteRequest,
    decode_batch_results,
    decode_result,
    encode_batch,
    encode_write,
)

Q = TypeVar("Q", bound=Message)
A = TypeVar("A", bound=Message)
T = TypeVar("T")


@frozen
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
    tokens: Tokens | None = None,
) -> AsyncIterator[GrpcApi]:
    """Open an Api at ``address`` (``channel.target_of`` says how one is written), in the name and role given.

    Does not wait for a server: the first call does. Every write gets one of ``tokens`` and is repeated, for as long as
    ``retry`` says, until it is known what became of it. Leaving the context ends all calls and watches with
    UnavailableError. Raises BadRequestError for an address that is not one.
    """
    channel = open_channel(address)
    identity = {"rollplane-role": role, "rollplane-name": name}
    retrier = Retrier(retry, clock or SystemClock(), jitter or _chance)
    api = GrpcApi(channel, identity, retrier, deadlines, tokens or Tokens())
    try:
        yield api
    finally:
        await api.close()


def _chance() -> float:
    import random  # few calls are tried again

    return random.random()


class GrpcApi:
    """The Api at the other end of ``channel``, which is closed with it. Made by ``connect``."""

    def __init__(
        self,
        channel: grpc.aio.Channel,
        identity: Mapping[str, str],
        retrier: Retrier,
        deadlines: Deadlines,
        tokens: Tokens,
    ) -> None:
        self._channel = channel
        self._objects = ObjectServiceStub(channel)
        self._rollouts = RolloutServiceStub(channel)
        self._metadata = tuple((key, value) for key, value in identity.items() if value)
        self._retrier = retrier
        self._deadlines = deadlines
        self._tokens = tokens
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
        def encode(options: WriteOptions) -> WriteRequest:
            return encode_write(replace(write, options=options))

        return decode_result(await self._change(self._write_method(write), encode, write.options))

    async def batch(self, writes: Sequence[Write]) -> Sequence[WriteResult | RollplaneError]:
        stamped = [self._tokens.stamped(write) for write in writes]

        def encode(repeat: bool) -> pb.BatchWriteRequest:
            return encode_batch([repeated(write) for write in stamped] if repeat else stamped)

        response = await self._send(self._objects.BatchWrite, encode, self._deadlines.batch_seconds, of_many=True)
        if len(response.results) != len(writes):
            raise InternalError(f"{len(writes)} writes were answered by {len(response.results)} results")
        return decode_batch_results(response)

    async def delete_collection(self, request: DeleteCollection) -> DeletedCollection:
        # Many deletions under one call have no token: done again it would also hit what was created in between.
        message = reads.encode_delete_collection(request)
        response = await self._ask(
            lambda: self._call(self._objects.DeleteCollection, message, self._deadlines.batch_seconds),
            did_nothing,
        )
        return reads.decode_deleted_collection(response)

    async def raise_fence(self, fence: Fence) -> None:
        # Epochs only grow, so that raising one twice is the same as once: repeated like a read.
        await self._read(self._objects.RaiseFence, pb.RaiseFenceRequest(fence=parts.encode_fence(fence)))

    # Rollouts

    async def set_image(self, request: SetImage) -> WriteResult:
        def encode(options: WriteOptions) -> pb.SetImageRequest:
            return rollouts.encode_set_image(replace(request, options=options))

        return decode_result(await self._change(self._rollouts.SetImage, encode, request.options))

    async def scale(self, request: Scale) -> WriteResult:
        def encode(options: WriteOptions) -> pb.ScaleRequest:
            return rollouts.encode_scale(replace(request, options=options))

        return decode_result(await self._change(self._rollouts.Scale, encode, request.options))

    async def pause(self, key: Key, options: WriteOptions = DEFAULT_OPTIONS) -> WriteResult:
        encode = partial(rollouts.encode_pause, key)
        return decode_result(await self._change(self._rollouts.Pause, encode, options))

    async def resume(self, key: Key, options: WriteOptions = DEFAULT_OPTIONS) -> WriteResult:
        encode = partial(rollouts.encode_resume, key)
        return decode_result(await self._change(self._rollouts.Resume, encode, options))

    async def restart(self, key: Key, options: WriteOptions = DEFAULT_OPTIONS) -> WriteResult:
        encode = partial(rollouts.encode_restart, key)
        return decode_result(await self._change(self._rollouts.Restart, encode, options))

    async def history(self, key: Key, revision: int = 0) -> Sequence[Revision]:
        response = await self._read(self._rollouts.History, rollouts.encode_history(key, revision))
        return rollouts.decode_revisions(response)

    async def undo(self, key: Key, to_revision: int = 0, options: WriteOptions = DEFAULT_OPTIONS) -> Undone:
        encode = partial(rollouts.encode_undo, key, to_revision)
        return rollouts.decode_undone(await self._change(self._rollouts.Undo, encode, options))

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
        return await self._ask(lambda: self._call(method, request, self._deadlines.call_seconds), is_retryable_read)

    async def _ask(self, attempt: Callable[[], Awaitable[A]], may_retry: Callable[[RollplaneError], bool]) -> A:
        return await self._retrier.call(attempt, lambda error: not self._closed and may_retry(error))

    async def _change(
        self, method: grpc.aio.UnaryUnaryMultiCallable[Q, A], encode: Callable[[WriteOptions], Q], options: WriteOptions
    ) -> A:
        """Make the one write that ``encode`` gives for its options."""
        first = self._tokens.stamp(options)
        return await self._send(
            method, lambda repeat: encode(repeat_of(first) if repeat else first), self._deadlines.call_seconds
        )

    async def _send(
        self,
        method: grpc.aio.UnaryUnaryMultiCallable[Q, A],
        encode: Callable[[bool], Q],
        seconds: float,
        *,
        of_many: bool = False,
    ) -> A:
        """Send what ``encode`` gives, told whether it may have been sent before, until there is an answer."""
        return await self._retrier.write(
            lambda repeat: self._call(method, encode(repeat), seconds), lambda: not self._closed, of_many=of_many
        )

    async def _call(self, method: grpc.aio.UnaryUnaryMultiCallable[Q, A], request: Q, seconds: float) -> A:
        self._check_open()
        with translated(request, lambda: self._closed):
            return await method(request, timeout=seconds, metadata=self._metadata)

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
            with translated(request, lambda: self._closed or watchdog.gave_up):
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
