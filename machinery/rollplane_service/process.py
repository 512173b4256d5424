"""What a process that works against the apiserver needs around its work: signals, a health port, a ready line."""

from __future__ import annotations

import asyncio
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import grpc
from grpc_health.v1 import _async as health
from grpc_health.v1 import health_pb2
from grpc_health.v1.health_pb2_grpc import add_HealthServicer_to_server

from rollplane_machinery.errors import RollplaneError

GRACE_SECONDS = 10.0
"""From SIGTERM to the end of work that does not stop by itself."""


class HealthPort:
    """The grpc.health.v1 service of a process that serves nothing else."""

    def __init__(self) -> None:
        self._servicer = health.HealthServicer()

    async def set_serving(self, *, serving: bool) -> None:
        """Answer SERVING or NOT_SERVING from now on."""
        status = health_pb2.HealthCheckResponse.SERVING if serving else health_pb2.HealthCheckResponse.NOT_SERVING
        await self._servicer.set("", status)

    @asynccontextmanager
    async def listen(self, address: str) -> AsyncIterator[str]:
        """Serve within the context, NOT_SERVING at first; yields the address bound. Raises OSError when taken."""
        server = grpc.aio.server()
        add_HealthServicer_to_server(self._servicer, server)  # type: ignore[no-untyped-call]
        await self.set_serving(serving=False)
        try:
            port = server.add_insecure_port(address)
        except RuntimeError as exc:
            raise OSError(f"cannot listen on {address}: {exc}") from exc
        await server.start()
        try:
            yield address if address.startswith("unix:") else f"{address.rpartition(':')[0]}:{port}"
        finally:
            await server.stop(None)


def run_until_signal(
    work: Callable[[], Awaitable[None]],
    program: str,
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None = None,
) -> int:
    """Run ``work`` until it ends or SIGTERM or SIGINT cancels it; return the exit code.

    Errors of ours, and addresses that cannot be had, end the process with one line and code 1.
    """
    failed = False
    try:
        with asyncio.Runner(loop_factory=loop_factory) as runner:
            runner.run(_until_signal(work))
    except* (RollplaneError, OSError) as group:
        for line in sorted({str(exc) for exc in _leaves(group)}):
            sys.stderr.write(f"{program}: {line}\n")
        failed = True
    return int(failed)


def _leaves(group: BaseExceptionGroup[BaseException]) -> list[BaseException]:
    found: list[BaseException] = []
    for exc in group.exceptions:
        found += _leaves(exc) if isinstance(exc, BaseExceptionGroup) else [exc]
    return found


async def _until_signal(work: Callable[[], Awaitable[None]]) -> None:
    running = asyncio.ensure_future(work())
    loop = asyncio.get_running_loop()
    told = False

    def stop() -> None:
        nonlocal told
        told = True
        running.cancel()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop)
    try:
        await running
    except asyncio.CancelledError:
        if not told:
            raise
