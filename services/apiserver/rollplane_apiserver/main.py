"""One apiserver process: settings in, a ready line out, SIGTERM drains it."""

from __future__ import annotations

import asyncio
import logging
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import uvloop

from rollplane_apiserver.core import Core, CoreSettings
from rollplane_apiserver.metrics import Metrics
from rollplane_apiserver.rpc.admission import Limits
from rollplane_apiserver.rpc.server import RpcServer
from rollplane_apiserver.settings import Settings, read_arguments
from rollplane_apiserver.store.interface import Store
from rollplane_apiserver.store.memory_store import MemoryStore
from rollplane_apiserver.store.redis_store import RedisSettings, RedisStore
from rollplane_machinery.clock import Clock, SystemClock
from rollplane_machinery.errors import RollplaneError, UnavailableError
from rollplane_service.endpoint import serve_metrics
from rollplane_service.garbage import freeze_survivors
from rollplane_service.logs import start_logging

log = logging.getLogger(__name__)

MEMORY = "memory://"
_RETRY_SECONDS = 0.5


def run(arguments: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT and return the exit code."""
    settings = read_arguments(arguments, os.environ)
    start_logging(settings.log_level)
    code = 0
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(_serve_until_told(settings))
    except* (OSError, RollplaneError) as group:  # what an operator can put right, out of whatever task it came from
        code = 1
        for error in _leaves(group):
            print(f"rollplane_apiserver: {error}", file=sys.stderr)
    return code


def _leaves(group: BaseExceptionGroup[Exception]) -> Iterator[Exception]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


async def _serve_until_told(settings: Settings) -> None:
    stop, ready = asyncio.Event(), asyncio.Event()
    serving = asyncio.current_task()

    def end() -> None:
        stop.set()
        if serving is not None and not ready.is_set():
            serving.cancel()  # still waiting for the store: there is nothing to drain

    def announce(line: str) -> None:
        ready.set()
        freeze_survivors()  # what was loaded stays
        print(line, flush=True)

    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, end)
    try:
        await serve(settings, stop, announce)
    except asyncio.CancelledError:
        if ready.is_set() or not stop.is_set():
            raise


async def serve(settings: Settings, stop: asyncio.Event, announce: Callable[[str], None]) -> None:
    """Serve until ``stop`` is set, then drain.

    ``announce`` gets the ready line, ``ready listen=<address> metrics=<address>``, once calls are answered. Waits for a
    store that cannot be reached yet. Raises OSError when an address cannot be had, RollplaneError for a store that will
    not do (a schema that is too new, a URL that makes no sense).
    """
    clock, metrics = SystemClock(), Metrics()
    async with AsyncExitStack() as stack:
        store = _open_store(settings)
        stack.push_async_callback(store.close)
        core = await _enter_core(stack, store, settings, clock, metrics)
        limits = Limits(calls=settings.max_calls, streams=settings.max_streams)
        server = await stack.enter_async_context(RpcServer(core, clock, metrics, limits=limits))
        _show(metrics, core, server)
        scraped = await stack.enter_async_context(_metrics_port(settings, metrics))
        listening = _with_port(settings.listen, await server.listen(settings.listen))
        announce(f"ready listen={listening} metrics={scraped or '-'}")
        log.info("serving", extra={"listen": listening, "metrics": scraped, "cell": settings.cell})
        await stop.wait()
        await server.drain(settings.grace_seconds)
    log.info("stopped")


def _open_store(settings: Settings) -> Store:
    if settings.redis == MEMORY:
        return MemoryStore(log_entries=settings.log_entries, log_bytes=settings.log_bytes)
    return RedisStore(
        RedisSettings(
            settings.redis,
            settings.cell,
            log_entries=settings.log_entries,
            log_bytes=settings.log_bytes,
            wait_replicas=settings.wait_replicas,
        )
    )


async def _enter_core(stack: AsyncExitStack, store: Store, settings: Settings, clock: Clock, metrics: Metrics) -> Core:
    """The core, loaded; tries again while the store cannot be reached."""
    while True:
        bounds = CoreSettings(ring_bytes=settings.ring_bytes)
        core = Core(store, clock, settings=bounds, observe_commit=metrics.committed)
        try:
            return await stack.enter_async_context(core)
        except* (UnavailableError, TimeoutError) as group:  # as a group, when the core's own tasks were running
            errors = [str(error) or "not loaded in time" for error in _leaves(group)]
            log.warning("waiting for the store", extra={"error": "; ".join(errors)})
        await clock.sleep(_RETRY_SECONDS)


def _show(metrics: Metrics, core: Core, server: RpcServer) -> None:
    metrics.gauge("store_up", "1 while the store answers.", lambda: core.is_serving)
    metrics.gauge("cache_revision", "Revision the cache has reached.", lambda: core.revision)
    metrics.gauge("ring_bytes", "Bytes of changes held for watchers.", lambda: core.ring_bytes)
    metrics.gauge("calls_in_progress", "Calls in progress.", lambda: server.admission.calls)
    metrics.gauge("streams_open", "Watches and rollout status streams.", lambda: server.admission.streams)


@asynccontextmanager
async def _metrics_port(settings: Settings, metrics: Metrics) -> AsyncIterator[str]:
    """Serve the metrics where the settings say; yields the address, empty for none."""
    if not settings.metrics_listen:
        yield ""
        return
    host, _, port = settings.metrics_listen.rpartition(":")
    async with serve_metrics(metrics.registry, host.strip("[]"), int(port)) as bound:
        yield _with_port(settings.metrics_listen, bound)


def _with_port(address: str, port: int) -> str:
    """``address`` with the port that was bound in place of the one asked for."""
    return address if address.startswith("unix:") else f"{address.rpartition(':')[0]}:{port}"
