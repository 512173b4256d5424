"""Streams beside the Api are bounded, and a drain leaves nobody in doubt who was never let in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from rollplane_machinery import kinds
from rollplane_machinery.api import Delete, Key, Write, WriteResult
from rollplane_machinery.errors import Outcome, TooManyRequestsError
from rollplane_machinery.wire.writes import encode_write
from rollplane_service.admission import Limits
from tests.apiserver.rpc.serving import ScriptedCore, Served, error_of, serving


async def _questions(asked: asyncio.Event) -> AsyncIterator[reflection_pb2.ServerReflectionRequest]:
    yield reflection_pb2.ServerReflectionRequest(list_services="")
    await asked.wait()


async def test_streams_of_health_and_reflection_have_places() -> None:
    async with serving(ScriptedCore(), Limits(side_streams=2)) as served:
        health: Any = health_pb2_grpc.HealthStub(served.channel)  # type: ignore[no-untyped-call]
        reflection: Any = reflection_pb2_grpc.ServerReflectionStub(served.channel)  # type: ignore[no-untyped-call]
        done = asyncio.Event()
        one, two = health.Watch(health_pb2.HealthCheckRequest()), reflection.ServerReflectionInfo(_questions(done))
        await one.read(), await two.read()
        for late in (health.Watch(health_pb2.HealthCheckRequest()), reflection.ServerReflectionInfo(_questions(done))):
            with pytest.raises(grpc.aio.AioRpcError) as caught:
                await late.read()
            assert isinstance(error_of(caught.value), TooManyRequestsError)
        one.cancel()
        done.set()
        assert await two.read() is grpc.aio.EOF
        assert served.server.admission.streams == 0


async def test_calls_that_a_drain_never_let_in_are_told_so(served: Served) -> None:
    """gRPC cancels what comes in while it stops, without a word; so it stops only once nobody calls any more."""
    made, busy = 0, asyncio.Event()

    async def write(_: Write) -> WriteResult:
        nonlocal made
        made += 1
        if made == 100:
            busy.set()
        return WriteResult(made)

    served.api.on_write = write
    request = encode_write(Delete(Key(kinds.POD, "default", "web-0"))).SerializeToString()

    async def call_until_refused() -> tuple[int, Outcome | None]:
        options = (("grpc.use_local_subchannel_pool", 1),)
        async with grpc.aio.insecure_channel(f"127.0.0.1:{served.port}", options) as channel:
            stub: Any = channel.unary_unary("/rollplane.api.v1.ObjectService/Delete")
            answered = 0
            while True:
                try:
                    await stub(request)
                except grpc.aio.AioRpcError as error:
                    return answered, error_of(error).outcome
                answered += 1

    async with asyncio.TaskGroup() as tasks:
        calling = [tasks.create_task(call_until_refused()) for _ in range(20)]
        await busy.wait()
        await served.server.drain(grace_seconds=20)
    assert {task.result()[1] for task in calling} == {Outcome.NOT_SENT}
    assert sum(task.result()[0] for task in calling) == made
