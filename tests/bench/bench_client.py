"""What the client library does: informer events per second, and the batch writer against an apiserver process."""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

import uvloop

from rollplane.core.v1 import Container, Pod
from rollplane_apiserver.store.server import RedisServer, embedded_server
from rollplane_client.batch_writer import BatchWriter
from rollplane_client.cache import Cache
from rollplane_client.grpc_api import GrpcApi, connect
from rollplane_client.informer import Informer
from rollplane_machinery.api import Create, EventType, WatchEvent, WatchFilter, WriteOptions, WriteResult
from rollplane_machinery.clock import SystemClock
from rollplane_machinery.kinds import POD, Encoded
from tests.clients.python.plane import caught_up

PODS = 20_000
OMIT = WriteOptions(omit_object=True)


def main() -> None:
    """Print rows of name, value, unit."""
    _measure_cache()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_measure_servers())


def _measure_cache() -> None:
    """Take up pods that are added and then modified; one index by node and one handler's worth of work each."""
    for name, view in (("trivial views", _trivial_view), ("views that parse the pod", _parsing_view)):
        cache: Cache[str] = Cache(view)
        cache.add_index(POD, "node", lambda node: (node,))
        events = [_event(number, turn) for turn in range(3) for number in range(PODS)]
        started = time.perf_counter()
        told = sum(1 for event in events if cache.apply(event) is not None)
        seconds = time.perf_counter() - started
        if told != len(events):
            raise RuntimeError(f"{told} of {len(events)} events were news")
        _print(f"informer cache, {name}", told / seconds, "events/s")


async def _measure_servers() -> None:
    with tempfile.TemporaryDirectory() as folder:
        await _measure_server("memory", "memory://", folder)
        async with RedisServer(Path(folder), binary=embedded_server()) as redis:
            await _measure_server("durable", redis.url, folder)


async def _measure_server(store: str, url: str, folder: str) -> None:
    async with _apiserver(url, folder) as address, connect(address, role="admin") as api:
        informer = Informer(api, [WatchFilter(POD)], _trivial_view, clock=SystemClock())
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(informer.run())
            await informer.synced.wait()
            await _measure_writer(store, api, informer)
            running.cancel()
        await _measure_loading(store, api)


async def _measure_writer(store: str, api: GrpcApi, informer: Informer[str]) -> None:
    writer = BatchWriter(api, clock=SystemClock())
    writes = [Create(Encoded.of(_pod(number)), OMIT) for number in range(PODS)]
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(writer.run())
        started = time.perf_counter()
        answers = await writer.apply(writes)
        written = time.perf_counter() - started
        results = [answer for answer in answers if isinstance(answer, WriteResult)]
        if len(results) != PODS:
            raise RuntimeError(f"{PODS - len(results)} writes failed")
        await caught_up(informer, max(result.revision for result in results))
        seen = time.perf_counter() - started
        writer.close()
    _print(f"batch writer, {store} store", PODS / written, "creates/s")
    _print(f"batch writer, {store} store, writes a batch", PODS / writer.stats.batches, "writes")
    _print(f"written and seen by an informer, {store} store", PODS / seen, "creates/s")


async def _measure_loading(store: str, api: GrpcApi) -> None:
    informer = Informer(api, [WatchFilter(POD)], _trivial_view, clock=SystemClock())
    started = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(informer.run())
        await informer.synced.wait()
        seconds = time.perf_counter() - started
        running.cancel()
    _print(f"informer's initial state over gRPC, {store} store", informer.count(POD) / seconds, "objects/s")


@asynccontextmanager
async def _apiserver(url: str, folder: str) -> AsyncIterator[str]:
    """Run an apiserver process and yield its address."""
    address = f"unix:{folder}/api.sock"
    command: Sequence[str] = (sys.executable, "-m", "rollplane_apiserver", "--listen", address, "--redis", url)
    server = await asyncio.create_subprocess_exec(*command, "--metrics-listen", "", stdout=PIPE)
    try:
        if server.stdout is None or not (await server.stdout.readline()).startswith(b"ready"):
            raise RuntimeError("the apiserver did not start")
        yield address
    finally:
        server.terminate()
        await server.wait()


def _event(number: int, turn: int) -> WatchEvent:
    event_type = EventType.MODIFIED if turn else EventType.ADDED
    return WatchEvent(event_type, Encoded.of(_pod(number, turn)), turn * PODS + number)


def _pod(number: int, turn: int = 0) -> Pod:
    pod = Pod()
    pod.metadata.namespace = "default"
    pod.metadata.name = f"web-{number:06}"
    pod.metadata.labels.update({"app": "web", "pod-template-hash": "5f7c9d8b6d", "turn": str(turn)})
    pod.metadata.owner_references.add(
        api_version="apps/v1", kind="ReplicaSet", name="web-5f7c9d8b6d", uid="2f2d6a5e", controller=True
    )
    pod.spec.containers.append(Container(name="app", image="registry.example/web:v1"))
    pod.spec.node_name = f"node-{number % 100}"
    return pod


def _trivial_view(encoded: Encoded) -> str:
    return "node"


def _parsing_view(encoded: Encoded) -> str:
    return encoded.read_as(Pod).spec.node_name


def _print(name: str, value: float, unit: str) -> None:
    print(f"{name:60} {value:12,.0f} {unit}", flush=True)


if __name__ == "__main__":
    main()
