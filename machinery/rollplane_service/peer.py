"""The apiserver as a process that works against it sees it: asked once a second whether it is ready."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from rollplane_machinery.clock import Clock
from rollplane_service.health import READY

ASK_SECONDS = 1.0
SILENT_SECONDS = 3.0
"""Without a good answer for so long it is away; one of several that is lost costs one question, not our readiness."""

STORE_WRITES, STORE_MEMORY = "store-writes", "store-memory"
"""What an apiserver tells of its store, by the names of its checks and notes."""

SHORT_OF_MEMORY = "the store is short of memory: creates are refused, deletions go through"
HINDRANCES: Mapping[str, str] = MappingProxyType(
    {STORE_WRITES: "the store takes no writes", STORE_MEMORY: SHORT_OF_MEMORY}
)
"""What each of them means to who waits for a write."""

_TROUBLES: Mapping[grpc.StatusCode, str] = MappingProxyType(
    {
        grpc.StatusCode.UNAVAILABLE: "nobody can be reached there",
        grpc.StatusCode.DEADLINE_EXCEEDED: f"not within {ASK_SECONDS:g} s",
        grpc.StatusCode.UNIMPLEMENTED: "another program listens there",
    }
)
"""What it means for us; gRPC's own words tell of its insides."""


class Peer:
    """Knows whether somebody at the other end of ``channel`` is ready; ``run`` until cancelled."""

    def __init__(self, channel: grpc.aio.Channel, clock: Clock) -> None:
        self._stub = health_pb2_grpc.HealthStub(channel)  # type: ignore[no-untyped-call]
        self._clock = clock
        self._heard = float("-inf")
        self._trouble = "not asked yet"

    def trouble(self) -> str:
        """Return why the apiserver cannot be worked with, nothing when it can: a Check."""
        return self._trouble if self._clock.monotonic() - self._heard > SILENT_SECONDS else ""

    async def run(self) -> None:
        """Ask again and again."""
        while True:
            await self.ask()
            await self._clock.sleep(ASK_SECONDS)

    async def ask(self) -> None:
        """Ask once; blocks ASK_SECONDS at most."""
        request = health_pb2.HealthCheckRequest(service=READY)
        try:
            answer = await self._stub.Check(request, timeout=ASK_SECONDS)
        except grpc.aio.AioRpcError as exc:
            self._trouble = f"the apiserver does not answer: {_TROUBLES.get(exc.code(), exc.code().name)}"
            return
        if answer.status == health_pb2.HealthCheckResponse.SERVING:
            self._heard = self._clock.monotonic()
        else:
            self._trouble = "the apiserver is not ready"


async def hindrances(channel: grpc.aio.Channel) -> Sequence[str]:
    """Return those of HINDRANCES that an apiserver tells of now: none when it does not answer, or knows none."""
    stub = health_pb2_grpc.HealthStub(channel)  # type: ignore[no-untyped-call]
    found = []
    for name in HINDRANCES:
        try:
            answer = await stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=ASK_SECONDS)
        except grpc.aio.AioRpcError:
            continue
        if answer.status == health_pb2.HealthCheckResponse.NOT_SERVING:
            found.append(name)
    return found
