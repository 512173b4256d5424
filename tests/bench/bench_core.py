"""What the core does in one process over a store in memory: creates, watch fan-out, lists, memory."""

from __future__ import annotations

import asyncio
import gc
import time
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import uvloop

from rollplane.core.v1 import Pod
from rollplane.meta.v1 import Quantity
from rollplane_apiserver.core import ADMIN, Core
from rollplane_apiserver.store.memory_store import MemoryStore
from rollplane_machinery import kinds
from rollplane_machinery.api import (
    Api,
    Bind,
    Create,
    Key,
    ListQuery,
    UpdateStatus,
    WatchBatch,
    WatchFilter,
    WatchQuery,
    Write,
    WriteOptions,
)
from rollplane_machinery.clock import SystemClock
from rollplane_machinery.errors import RollplaneError
from rollplane_machinery.kinds import Encoded

PODS = 10_000
BATCH = 200
WATCHERS = 10
SINGLES = 2_000
OMIT = WriteOptions(omit_object=True)


def main() -> None:
    """Print rows of name, value, unit."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_measure_writes())
        runner.run(_measure_fan_out())
        runner.run(_measure_memory())


async def _measure_writes() -> None:
    async with Core(MemoryStore(), SystemClock()) as core:
        api = core.as_identity(ADMIN)
        _print("core creates in batches of 200", PODS / await _timed_batches(api, _creates()), "writes/s")
        bindings: list[Write] = [Bind(_key(n), f"node-{n % 100}", options=OMIT) for n in range(PODS)]
        _print("core binds in batches of 200", PODS / await _timed_batches(api, bindings), "writes/s")
        page = await _whole_list(api)
        reports: list[Write] = [UpdateStatus(_running(encoded), OMIT) for encoded in page]
        _print("core status updates in batches of 200", PODS / await _timed_batches(api, reports), "writes/s")
        started = time.perf_counter()
        for number in range(SINGLES):
            await api.write(Create(Encoded.of(_pod(PODS + number)), OMIT))
        _print("core single creates, one by one", SINGLES / (time.perf_counter() - started), "writes/s")
        await _measure_lists(api)


async def _measure_lists(api: Api) -> None:
    for name, query in (
        ("core list of 10k pods", ListQuery(kinds.POD)),
        ("core list by label", ListQuery(kinds.POD, label_selector="app=web")),
        ("core list by node", ListQuery(kinds.POD, field_selector="spec.nodeName=node-7")),
    ):
        started = time.perf_counter()
        await _whole_list(api, query)
        _print(name, (time.perf_counter() - started) * 1000, "ms")


async def _measure_fan_out() -> None:
    """Ten watchers with filters of their own kind count what they are told; writing is not part of the time."""
    async with Core(MemoryStore(), SystemClock()) as core, AsyncExitStack() as stack:
        api = core.as_identity(ADMIN)
        watches = [
            await stack.enter_async_context(api.watch(WatchQuery((WatchFilter(kinds.POD, label_selector="app=web"),))))
            for _ in range(WATCHERS)
        ]
        await _timed_batches(api, _creates())
        started = time.perf_counter()
        counts = await asyncio.gather(*(_count(batches) for batches in watches))
        _print("core watch fan-out to 10 watchers", sum(counts) / (time.perf_counter() - started), "events/s")
        await _measure_mixed(api, watches)


async def _measure_mixed(api: Api, watches: list[AsyncIterator[WatchBatch]]) -> None:
    """The same while the writes go on."""
    started = time.perf_counter()
    bindings: list[Write] = [Bind(_key(n), f"node-{n % 100}", options=OMIT) for n in range(PODS)]
    results = await asyncio.gather(_timed_batches(api, bindings), *(_count(batches) for batches in watches))
    _print("core binds and 10 watchers at once", sum(results[1:]) / (time.perf_counter() - started), "events/s")


async def _measure_memory() -> None:
    """Bytes that a core holds for each pod beside the store's own; the ring is full of the same pods' events."""
    store = MemoryStore()
    async with Core(store, SystemClock()) as core:
        await _timed_batches(core.as_identity(ADMIN), _creates())
    gc.collect()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    async with Core(store, SystemClock()) as core:
        api = core.as_identity(ADMIN)
        await _whole_list(api)
        gc.collect()
        loaded = tracemalloc.get_traced_memory()[0]
        _print("core memory per pod, loaded", (loaded - before) / PODS, "bytes")
        bindings: list[Write] = [Bind(_key(n), f"node-{n % 100}", options=OMIT) for n in range(PODS)]
        await _timed_batches(api, bindings)
        del bindings
        gc.collect()
        store_size = len((await api.get(_key(1))).value)
        held = tracemalloc.get_traced_memory()[0] - before
        _print("core and store memory per pod, each changed once", held / PODS, "bytes")
        _print("one pod serialized", store_size, "bytes")
    tracemalloc.stop()


async def _timed_batches(api: Api, writes: list[Write]) -> float:
    started = time.perf_counter()
    for at in range(0, len(writes), BATCH):
        for result in await api.batch(writes[at : at + BATCH]):
            if isinstance(result, RollplaneError):
                raise result
    return time.perf_counter() - started


async def _count(batches: AsyncIterator[WatchBatch]) -> float:
    count = 0
    async for batch in batches:
        count += len(batch.events)
        if count == PODS:
            return count
    raise RuntimeError("the watch ended")


async def _whole_list(api: Api, query: ListQuery = ListQuery(kinds.POD)) -> list[Encoded]:  # noqa: B008 - frozen
    found: list[Encoded] = []
    page = await api.list(query)
    found += page.objects
    while page.continue_token:
        page = await api.list(
            ListQuery(
                query.kind,
                label_selector=query.label_selector,
                field_selector=query.field_selector,
                continue_token=page.continue_token,
            )
        )
        found += page.objects
    return found


def _creates() -> list[Write]:
    return [Create(Encoded.of(_pod(number)), OMIT) for number in range(PODS)]


def _key(number: int) -> Key:
    return Key(kinds.POD, "default", f"web-6d4cf56db6-{number:05}")


def _pod(number: int) -> Pod:
    pod = Pod()
    meta = pod.metadata
    meta.namespace, meta.name = "default", f"web-6d4cf56db6-{number:05}"
    meta.labels.update({"app": "web", "pod-template-hash": "6d4cf56db6", "tier": "front"})
    owner = meta.owner_references.add(api_version="apps/v1", kind="ReplicaSet", name="web-6d4cf56db6")
    owner.uid, owner.controller, owner.block_owner_deletion = "8f1a2c3d-0000-4000-8000-000000000001", True, True
    container = pod.spec.containers.add(name="app", image="registry.example.com/team/web:v1")
    for index in range(10):
        container.env.add(name=f"SETTING_{index}", value=f"value of setting {index}")
    container.ports.add(name="http", container_port=8080)
    for resource, amount in (("cpu", "100m"), ("memory", "128Mi")):
        container.resources.requests[resource].CopyFrom(Quantity(string=amount))
        container.resources.limits[resource].CopyFrom(Quantity(string=amount))
    probe = container.readiness_probe.handler.http_get
    probe.path, probe.port.type, probe.port.str_val = "/ready", 1, "http"
    return pod


def _running(encoded: Encoded) -> Encoded:
    pod = Pod.FromString(encoded.value)
    pod.metadata.ClearField("resource_version")
    pod.status.phase = "Running"
    pod.status.pod_ip = "10.1.2.3"
    for kind in ("Initialized", "Ready", "ContainersReady"):
        pod.status.conditions.add(type=kind, status="True").last_transition_time.seconds = 1_600_000_000
    status = pod.status.container_statuses.add(name="app", ready=True, restart_count=0, image="web:v1", started=True)
    status.state.running.started_at.seconds = 1_600_000_000
    return Encoded.of(pod)


def _print(name: str, value: float, unit: str) -> None:
    print(f"{name:<50} {value:>12,.0f} {unit}")


if __name__ == "__main__":
    main()
