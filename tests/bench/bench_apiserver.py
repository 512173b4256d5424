"""What one apiserver does over gRPC with a durable embedded server beside it: the figures promised for the API.

The apiserver and the store are processes of their own; this process is the client, and shares the machine's cores with
them. Requests are made before the clock starts, answers are counted and not parsed further than that takes.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc

from rollplane.api import v1 as pb
from rollplane.core import v1 as core
from rollplane_apiserver.store.server import RedisServer, embedded_server
from rollplane_machinery.api import Create, Write, WriteOptions
from rollplane_machinery.kinds import Encoded
from rollplane_machinery.wire.writes import encode_batch, encode_write
from tests.bench.bench_pod import as_created_by_a_replica_set

BATCH = 200
PODS = 20_000
LISTED = 10_000
WATCHERS = 10
_TEMPLATE = as_created_by_a_replica_set()
_OPTIONS = (("grpc.max_receive_message_length", 8 << 20), ("grpc.use_local_subchannel_pool", 1))
_OBJECTS = "/rollplane.api.v1.ObjectService/"


def main() -> None:
    """Print rows of name, value, unit."""
    asyncio.run(_run())


async def _run() -> None:
    async with _plane() as plane:
        _row("exec to serving, empty store", plane.start_seconds, "s (want < 1)")
        resting = plane.resident_bytes()
        await _batches(plane)
        _row("apiserver memory per pod", (plane.resident_bytes() - resting) / PODS / 1024, "KiB (want <= 6)")
        await _lists(plane)
        await _resumed_watches(plane)
    async with _plane() as plane:
        await _warm_up(plane)
        await _singles(plane)
        for in_flight in (1, 2):
            await _singles_beside_batches(plane, in_flight)
        await _live_watches(plane)


@dataclass
class _Plane:
    """A running apiserver and a connection to it."""

    process: asyncio.subprocess.Process
    address: str
    start_seconds: float
    channel: grpc.aio.Channel
    names: Iterator[str]

    async def call(self, method: str, request: bytes) -> bytes:
        stub: Any = self.channel.unary_unary(_OBJECTS + method)
        answer: bytes = await stub(request, timeout=60)
        return answer

    def batch(self) -> bytes:
        """Return a request that creates BATCH pods."""
        writes: list[Write] = [
            Create(Encoded.of(_pod(next(self.names))), WriteOptions(omit_object=True)) for _ in range(BATCH)
        ]
        return encode_batch(writes).SerializeToString()

    def single(self) -> bytes:
        return encode_write(Create(Encoded.of(_pod(next(self.names))))).SerializeToString()

    async def send_batch(self, request: bytes) -> None:
        """Send it and check that every write went through."""
        response = pb.BatchWriteResponse.FromString(await self.call("BatchWrite", request))
        for result in response.results:
            if not result.revision:
                raise RuntimeError(f"a write failed: {result.error.message}")

    def resident_bytes(self) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (line,) = (line for line in status.splitlines() if line.startswith("VmRSS"))
        return int(line.split()[1]) * 1024


@asynccontextmanager
async def _plane() -> AsyncIterator[_Plane]:
    with tempfile.TemporaryDirectory() as folder:
        async with RedisServer(Path(folder), binary=embedded_server()) as redis:
            started = time.perf_counter()
            process = await asyncio.create_subprocess_exec(
                *(*_wrapper(), "-m", "rollplane_apiserver", "--listen", "127.0.0.1:0", "--metrics-listen", ""),
                *("--redis", redis.url),
                stdout=asyncio.subprocess.PIPE,
                env={**os.environ, "ROLLPLANE_LOG_LEVEL": "warning"},
            )
            try:
                yield await _connected(process, started)
            finally:
                process.terminate()
                await process.wait()


def _wrapper() -> Sequence[str]:
    """The interpreter, run under a profiler when BENCH_WRAPPER names one."""
    return [*os.environ.get("BENCH_WRAPPER", "").split(), sys.executable]


async def _connected(process: asyncio.subprocess.Process, started: float) -> _Plane:
    if process.stdout is None:
        raise RuntimeError("no output to read")
    line = (await process.stdout.readline()).decode()
    seconds = time.perf_counter() - started
    address = line.split("listen=")[1].split()[0]
    channel = grpc.aio.insecure_channel(address, options=_OPTIONS)
    return _Plane(process, address, seconds, channel, (f"web-5d59d67564-{number:06}" for number in range(10**6)))


def _pod(name: str) -> core.Pod:
    """A pod as a ReplicaSet creates it: 1.2 KB, two containers, three probes, resources, volumes."""
    pod = core.Pod.FromString(_TEMPLATE)
    pod.metadata.ClearField("generate_name")
    pod.metadata.name, pod.metadata.namespace = name, "default"
    return pod


async def _batches(plane: _Plane) -> None:
    requests = [plane.batch() for _ in range(PODS // BATCH)]
    started = time.perf_counter()
    await _in_flight(4, [plane.send_batch(request) for request in requests])
    seconds = time.perf_counter() - started
    _row(f"BatchWrite of {BATCH}, 4 in flight", PODS / seconds, "pod creates/s (want >= 5,000, aim 8,000)")


async def _lists(plane: _Plane) -> None:
    taken = []
    for _ in range(3):
        started = time.perf_counter()
        listed, token = 0, ""
        while listed < LISTED:
            request = pb.ListRequest(resource="pods", limit=LISTED - listed, continue_token=token)
            page = pb.ListResponse.FromString(await plane.call("List", request.SerializeToString()))
            listed, token = listed + len(page.objects), page.continue_token
        taken.append(time.perf_counter() - started)
    _row(f"list of {listed:,} pods", statistics.median(taken) * 1000, "ms (want < 300)")


async def _warm_up(plane: _Plane) -> None:
    """Have everything done once that is done once in a process' life."""
    await plane.send_batch(plane.batch())
    for _ in range(20):
        await plane.call("Create", plane.single())


async def _singles(plane: _Plane) -> None:
    requests = [plane.single() for _ in range(4_000)]
    latencies: list[float] = []
    started = time.perf_counter()
    await _in_flight(64, [_timed(plane, request, latencies) for request in requests])
    seconds = time.perf_counter() - started
    _row("single Create, 64 in flight", len(requests) / seconds, "/s (want >= 800)")
    _row("single Create, 64 in flight, P99", _percentile(latencies, 99), "ms (want < 150)")


async def _singles_beside_batches(plane: _Plane, in_flight: int) -> None:
    """One single after the other, while batches are sent without a pause, ``in_flight`` at a time."""
    batches = [plane.batch() for _ in range(200)]
    latencies: list[float] = []
    started = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        writing = tasks.create_task(_in_flight(in_flight, [plane.send_batch(request) for request in batches]))
        while not writing.done():
            await _timed(plane, plane.single(), latencies)
    written = len(batches) * BATCH / (time.perf_counter() - started)
    about = f"single Create beside batches of {BATCH}, {in_flight} in flight"
    _row(f"{about}, P50", _percentile(latencies, 50), "ms")
    _row(f"{about}, P99", _percentile(latencies, 99), "ms (want < 30)")
    _row(f"  on {len(latencies)} singles, beside", written, "pod creates/s")


async def _timed(plane: _Plane, request: bytes, latencies: list[float]) -> None:
    started = time.perf_counter()
    await plane.call("Create", request)
    latencies.append(time.perf_counter() - started)


async def _resumed_watches(plane: _Plane) -> None:
    """Watchers that resume from far back: what the server can send when nothing else is to be done."""
    revision = await _revision(plane)
    started = time.perf_counter()
    counts = await asyncio.gather(*(_count(plane, revision - LISTED, LISTED) for _ in range(WATCHERS)))
    seconds = time.perf_counter() - started
    _row(f"watch fan-out to {WATCHERS}, resumed", sum(counts) / seconds, "events/s in total (want >= 60,000)")


async def _live_watches(plane: _Plane) -> None:
    """Watchers that follow while batches are written as fast as they go."""
    revision = await _revision(plane)
    requests = [plane.batch() for _ in range(LISTED // BATCH)]
    started = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        watching = [tasks.create_task(_count(plane, revision, LISTED)) for _ in range(WATCHERS)]
        await _in_flight(4, [plane.send_batch(request) for request in requests])
        written = time.perf_counter() - started
    seconds = time.perf_counter() - started
    total = sum(task.result() for task in watching)
    _row(f"watch fan-out to {WATCHERS}, live", total / seconds, "events/s in total")
    _row("  beside", LISTED / written, "pod creates/s")


async def _revision(plane: _Plane) -> int:
    request = pb.ListRequest(resource="namespaces")
    return pb.ListResponse.FromString(await plane.call("List", request.SerializeToString())).revision


async def _count(plane: _Plane, after: int, wanted: int) -> int:
    """Watch pods after a revision on a connection of its own, until ``wanted`` events were seen."""
    request = pb.WatchRequest(filters=[pb.WatchFilter(resource="pods")], from_revision=after)
    seen = 0
    async with grpc.aio.insecure_channel(plane.address, options=_OPTIONS) as channel:
        stub: Any = channel.unary_stream(_OBJECTS + "Watch")
        stream = stub(request.SerializeToString())
        while seen < wanted:
            seen += len(pb.WatchResponse.FromString(await stream.read()).events)
        stream.cancel()
    return seen


async def _in_flight(limit: int, calls: Sequence[Any]) -> None:
    """Run all of ``calls``, ``limit`` at a time."""
    waiting = iter(calls)

    async def work() -> None:
        for call in waiting:
            await call

    async with asyncio.TaskGroup() as tasks:
        for _ in range(limit):
            tasks.create_task(work())


def _percentile(seconds: Sequence[float], percent: int) -> float:
    return statistics.quantiles(seconds, n=100)[percent - 1] * 1000


def _row(name: str, value: float, unit: str) -> None:
    print(f"{name:56} {value:>12,.1f} {unit}", flush=True)


if __name__ == "__main__":
    main()
