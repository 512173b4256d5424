"""One apiserver process: settings in, a ready line out, SIGTERM drains it."""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial

from rollplane_apiserver.core import Core, CoreSettings
from rollplane_apiserver.doors import OpenDoor, Premises
from rollplane_apiserver.metrics import Metrics
from rollplane_apiserver.rpc.server import RpcServer
from rollplane_apiserver.settings import Settings, read_arguments
from rollplane_apiserver.store.interface import Store, TokenLimits
from rollplane_apiserver.store.memory_store import MemoryStore
from rollplane_apiserver.store.redis_store import RedisSettings, RedisStore
from rollplane_apiserver.write_probe import WriteProbe
from rollplane_machinery.clock import Clock, SystemClock
from rollplane_machinery.errors import UnavailableError
from rollplane_service.admission import Limits
from rollplane_service.background import running
from rollplane_service.listen import with_port
from rollplane_service.peer import STORE_MEMORY, STORE_WRITES
from rollplane_service.ports import operators_port
from rollplane_service.process import Process, leaves, run_process
from rollplane_service.rest import keep_packed

log = logging.getLogger(__name__)

MEMORY = "memory://"
_RETRY_SECONDS = 0.5


def run(arguments: Sequence[str]) -> int:
    """Serve until SIGTERM or SIGINT and return the exit code."""
    settings = read_arguments(arguments, os.environ)
    return run_process("rollplane_apiserver", settings, lambda process: serve(settings, process))


async def serve(settings: Settings, process: Process, doors: Sequence[OpenDoor] = ()) -> None:
    """Serve until the process is told to stop, then drain.

    Announces ``listen=<address> metrics=<address> kubernetes=<release>`` and the words of further ``doors`` once calls
    are answered. Waits for a store that cannot be reached yet. Raises OSError when an address cannot be had,
    RollplaneError for a store that will not do (a schema that is too new, a URL that makes no sense).
    """
    clock, metrics = SystemClock(), Metrics()
    async with AsyncExitStack() as stack:
        scraped = await stack.enter_async_context(operators_port(settings, metrics.registry, process.health))
        store = _open_store(settings)
        stack.push_async_callback(store.close)
        core = await _enter_core(stack, store, settings, clock, metrics)
        limits = Limits(calls=settings.max_calls, streams=settings.max_streams)
        server = await stack.enter_async_context(RpcServer(core, clock, metrics, limits=limits, health=process.health))
        probe = WriteProbe(store, clock)
        process.health.add_check(STORE_WRITES, probe.trouble)
        process.health.add_note(STORE_MEMORY, probe.shortage)
        await stack.enter_async_context(running(probe.run, partial(keep_packed, core.packable, clock)))
        _show(metrics, core, server)
        metrics.gauge("store_memory_short", "1 while the store refuses creates.", lambda: store.memory_is_short)
        listening = with_port(settings.listen, await server.listen(settings.listen))
        premises = Premises(core, clock, process.health, metrics.registry)
        opened = [await stack.enter_async_context(door(premises)) for door in doors]
        words = "".join(f" {door.words}" for door in opened)
        process.announce(f"listen={listening} metrics={scraped} kubernetes={settings.kubernetes}{words}")
        told = {"listen": listening, "metrics": scraped, "cell": settings.cell, "kubernetes": settings.kubernetes}
        log.info("serving", extra=told)
        await process.told_to_stop()
        async with asyncio.TaskGroup() as leaving:
            for drain in (server.drain, *(door.drain for door in opened)):
                leaving.create_task(drain(settings.grace_seconds))
    log.info("stopped")


def _open_store(settings: Settings) -> Store:
    tokens = TokenLimits(settings.token_entries, settings.token_bytes, settings.token_seconds)
    if settings.redis == MEMORY:
        return MemoryStore(log_entries=settings.log_entries, log_bytes=settings.log_bytes, tokens=tokens)
    return RedisStore(
        RedisSettings(
            settings.redis,
            settings.cell,
            log_entries=settings.log_entries,
            log_bytes=settings.log_bytes,
            tokens=tokens,
            wait_replicas=settings.wait_replicas,
        )
    )


async def _enter_core(stack: AsyncExitStack, store: Store, settings: Settings, clock: Clock, metrics: Metrics) -> Core:
    """The core, loaded; tries again while the store cannot be reached."""
    while True:
        bounds = CoreSettings(
            ring_bytes=settings.ring_bytes,
            release=settings.release,
            ranges=settings.ranges(),
            ignore_webhooks=settings.ignore_webhooks,
        )
        core = Core(store, clock, settings=bounds, observe_commit=metrics.committed)
        try:
            return await stack.enter_async_context(core)
        except* (UnavailableError, TimeoutError) as group:  # as a group, when the core's own tasks were running
            errors = [str(error) or "not loaded in time" for error in leaves(group)]
            log.warning("waiting for the store", extra={"error": "; ".join(errors)})
        await clock.sleep(_RETRY_SECONDS)


def _show(metrics: Metrics, core: Core, server: RpcServer) -> None:
    metrics.gauge("store_up", "1 while the store answers.", lambda: core.is_serving)
    metrics.gauge("cache_revision", "Revision the cache has reached.", lambda: core.revision)
    metrics.gauge("ring_bytes", "Bytes of changes held for watchers.", lambda: core.ring_bytes)
    metrics.gauge("calls_in_progress", "Calls in progress.", lambda: server.admission.calls)
    metrics.gauge("streams_open", "Watches and rollout status streams.", lambda: server.admission.streams)
