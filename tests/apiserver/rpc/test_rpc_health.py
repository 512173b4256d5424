"""Health tells the truth for every service, and a drain is announced before anything is refused."""

from __future__ import annotations

import asyncio
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from rollplane.api import v1 as pb
from rollplane_machinery import kinds
from rollplane_machinery.api import Delete, Key, Write, WriteResult
from rollplane_machinery.errors import Outcome, UnavailableError
from rollplane_machinery.wire.writes import encode_write
from tests.apiserver.rpc.serving import Served, error_of

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING
SERVICE_UNKNOWN = health_pb2.HealthCheckResponse.SERVICE_UNKNOWN
NAMES = ("ready", "rollplane.api.v1.ObjectService", "rollplane.api.v1.RolloutService", "grpc.health.v1.Health")


def health(served: Served) -> Any:
    return health_pb2_grpc.HealthStub(served.channel)  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("service", NAMES)
async def test_health_follows_the_core(served: Served, service: str) -> None:
    request = health_pb2.HealthCheckRequest(service=service)
    assert (await health(served).Check(request)).status == SERVING
    served.core.is_serving = False
    assert (await health(served).Check(request)).status == NOT_SERVING
    served.core.is_serving = True
    assert (await health(served).Check(request)).status == SERVING


@pytest.mark.parametrize("service", ["", "alive"])
async def test_an_apiserver_without_its_store_is_alive(served: Served, service: str) -> None:
    request = health_pb2.HealthCheckRequest(service=service)
    served.core.is_serving = False
    assert (await health(served).Check(request)).status == SERVING


async def test_an_unknown_service_is_not_found(served: Served) -> None:
    request = health_pb2.HealthCheckRequest(service="no.such.Service")
    with pytest.raises(grpc.aio.AioRpcError) as caught:
        await health(served).Check(request)
    assert caught.value.code() is grpc.StatusCode.NOT_FOUND
    watch = health(served).Watch(request)
    assert (await watch.read()).status == SERVICE_UNKNOWN
    watch.cancel()


async def test_a_health_watch_tells_changes_and_ends_with_the_drain(served: Served) -> None:
    watch = health(served).Watch(health_pb2.HealthCheckRequest(service="ready"))
    assert (await watch.read()).status == SERVING
    served.core.is_serving = False
    assert (await watch.read()).status == NOT_SERVING
    served.core.is_serving = True
    assert (await watch.read()).status == SERVING
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(served.server.drain(grace_seconds=5))
        assert (await watch.read()).status == NOT_SERVING
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await watch.read()
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


async def test_a_drain_lets_writes_finish_and_ends_watches(served: Served) -> None:
    entered, leave = asyncio.Event(), asyncio.Event()

    async def write(_: Write) -> WriteResult:
        entered.set()
        await leave.wait()
        return WriteResult(7)

    served.api.on_write = write
    request = encode_write(Delete(Key(kinds.POD, "default", "web-0")))
    async with asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(served.call("ObjectService/Delete", request))
        await entered.wait()
        draining = tasks.create_task(served.server.drain(grace_seconds=20))
        await served.core.watches_ended.wait()
        async with grpc.aio.insecure_channel(f"127.0.0.1:{served.port}") as late:
            stub: Any = late.unary_unary("/rollplane.api.v1.ObjectService/Delete")
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                await stub(request.SerializeToString())
        assert not draining.done()
        leave.set()
    assert pb.WriteResult.FromString(writing.result()).revision == 7
    error = error_of(refused.value)
    assert isinstance(error, UnavailableError)
    assert (error.outcome, error.retry_after_seconds) == (Outcome.NOT_SENT, 0.5)


async def test_a_drain_cuts_off_what_takes_too_long(served: Served) -> None:
    entered = asyncio.Event()

    async def write(_: Write) -> WriteResult:
        entered.set()
        await asyncio.Event().wait()
        raise AssertionError

    served.api.on_write = write
    request = encode_write(Delete(Key(kinds.POD, "default", "web-0")))
    async with asyncio.TaskGroup() as tasks:
        refused = tasks.create_task(served.refusal("ObjectService/Delete", request))
        await entered.wait()
        await served.server.drain(grace_seconds=0.05)
    assert refused.result()[0] in {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.CANCELLED}
