"""What the gateway does over HTTP in the apiserver's process: lists, fan-out to 100 watches, 1,000 watches at rest.

The store is in memory: nothing here waits for it. Server and client are processes of their own on the machine's cores.
The client reads bytes and parses nothing; a list ends with its body, a watch when the last pod's name comes by.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

import uvloop

from rollplane.coordination.v1 import Lease
from rollplane.core import v1 as core
from rollplane.meta.v1 import ObjectMeta, Time
from rollplane_machinery.api import Api, Create, Key, Patch, PatchType, UpdateStatus, Write, WriteOptions, WriteResult
from rollplane_machinery.kinds import LEASE, Encoded
from tests.bench.bench_pod import as_created_by_a_replica_set
from tests.bench.gateway_client import LAST
from tests.gateway.serving import Served, serving

LISTED = 10_000
LISTS = 5
CHANGED = 2_000
BATCH = 200
WATCHERS = 100
RESTING = 1_000
RESTING_SECONDS = 10.0
_TEMPLATE = as_created_by_a_replica_set()
_JSON, _PROTOBUF = "application/json", "application/vnd.kubernetes.protobuf"
_TABLE = "application/json;as=Table;v=v1;g=meta.k8s.io"


def main() -> None:
    """Print rows of name, value, unit."""
    uvloop.run(_run())


async def _run() -> None:
    async with serving() as served:
        pods = await _create(served.api, LISTED)
        await _write(served.api, [UpdateStatus(_running(pod, number)) for number, pod in enumerate(pods)])
        for form, accept, wanted in (("JSON", _JSON, 600), ("protobuf", _PROTOBUF, 150), ("Table", _TABLE, 0)):
            await _lists(served, form, accept, wanted)
    for form, accept, wanted in (("JSON", _JSON, 40_000), ("protobuf", _PROTOBUF, 100_000)):
        async with serving() as served:
            await _fan_out(served, form, accept, wanted)
    for what, selectors in (
        ("the same", [""]),
        ("an object each", [f"fieldSelector=metadata.name%3Dn{n}" for n in range(RESTING)]),
        ("a node each", [f"fieldSelector=spec.nodeName%3Dn{n}" for n in range(RESTING)]),
    ):
        async with serving() as served:
            await _at_rest(served, what, selectors)


async def _lists(served: Served, form: str, accept: str, wanted: int) -> None:
    async with _client("list", served.url, accept, str(LISTS)) as lines:
        before = time.process_time()
        taken = [float(await anext(lines)) for _ in range(LISTS)]
        cpu = (time.process_time() - before) / LISTS
        size = int(await anext(lines))
    target = f" (want <= {wanted})" if wanted else ""
    _row(f"list of {LISTED:,} pods, {form}, {size / 1e6:.0f} MB, first", taken[0] * 1000, f"ms{target}")
    _row(f"list of {LISTED:,} pods, {form}, again, median", statistics.median(taken[1:]) * 1000, "ms")
    _row("  CPU of the server", cpu * 1000, "ms a list")


async def _fan_out(served: Served, form: str, accept: str, wanted: int) -> None:
    """The pods are there before; each gets its status, and every watch is told."""
    pods = await _create(served.api, CHANGED)
    writes = [UpdateStatus(_running(pod, number), WriteOptions(omit_object=True)) for number, pod in enumerate(pods)]
    async with _client("watch", served.url, accept, str(WATCHERS)) as lines:
        await anext(lines)
        before = time.process_time()
        started = time.perf_counter()
        await _write(served.api, writes)
        await _write(served.api, [Create(Encoded.of(_pod(LAST)))])
        await anext(lines)
        seconds = time.perf_counter() - started
        cpu = time.process_time() - before
    events = (CHANGED + 1) * WATCHERS
    _row(f"fan-out to {WATCHERS} watches, {form}", events / seconds, f"events/s (want >= {wanted:,})")
    _row("  CPU of the server, writes included", cpu / events * 1e6, "µs an event")


async def _at_rest(served: Served, what: str, selectors: Sequence[str]) -> None:
    """Nothing happens for 1,000 watches: first nothing at all, then only what concerns none of them."""
    leases = [Create(Encoded.of(_lease(f"n{number}"))) for number in range(100)]
    async with _client("watch", served.url, _JSON, str(RESTING), *selectors) as lines:
        await anext(lines)
        before = time.process_time()
        await asyncio.sleep(RESTING_SECONDS)
        resting = (time.process_time() - before) / RESTING_SECONDS
        await _write(served.api, leases)
        before = time.process_time()
        await _renew(served.api)
        renewing = (time.process_time() - before) / RESTING_SECONDS
    _row(f"{RESTING:,} watches of {what}, nothing written", resting * 100, "% of a core")
    _row(f"{RESTING:,} watches of {what}, beside 100 leases a second", renewing * 100, "% of a core")


async def _renew(api: Api) -> None:
    """Change ten leases every tenth of a second."""
    for turn in range(int(RESTING_SECONDS * 10)):
        document = b'{"metadata":{"labels":{"turn":"%d"}}}' % turn
        some = [Key(LEASE, "default", f"n{number}") for number in range(turn % 10 * 10, turn % 10 * 10 + 10)]
        await _write(api, [Patch(key, PatchType.MERGE, document) for key in some])
        await asyncio.sleep(0.1)


@asynccontextmanager
async def _client(*arguments: str) -> AsyncIterator[AsyncIterator[str]]:
    """Run a client, and give the lines it prints."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.bench.gateway_client", *arguments, stdout=asyncio.subprocess.PIPE
    )
    try:
        yield _lines(process)
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def _lines(process: asyncio.subprocess.Process) -> AsyncIterator[str]:
    if process.stdout is None:
        raise RuntimeError("no output to read")
    while line := await process.stdout.readline():
        yield line.decode().strip()


async def _create(api: Api, count: int, name: str = "") -> list[core.Pod]:
    pods = [_pod(name or f"web-5d59d67564-{number:06}") for number in range(count)]
    results = await _write(api, [Create(Encoded.of(pod)) for pod in pods])
    stored = [result.object.parse() for result in results if result.object is not None]
    return [pod for pod in stored if isinstance(pod, core.Pod)]


async def _write(api: Api, writes: Sequence[Write]) -> list[WriteResult]:
    results: list[WriteResult] = []
    for part in _parts(writes):
        for result in await api.batch(part):
            if not isinstance(result, WriteResult):
                raise result
            results.append(result)
    return results


def _parts(writes: Sequence[Write]) -> Iterator[Sequence[Write]]:
    for at in range(0, len(writes), BATCH):
        yield writes[at : at + BATCH]


def _pod(name: str) -> core.Pod:
    """A pod as a ReplicaSet creates it: 1.2 KB, two containers, three probes, resources, volumes."""
    pod = core.Pod.FromString(_TEMPLATE)
    pod.metadata.ClearField("generate_name")
    pod.metadata.name, pod.metadata.namespace = name, "default"
    for field in ("service_account_name", "service_account"):
        pod.spec.ClearField(field)
    return pod


def _lease(name: str) -> Lease:
    return Lease(metadata=ObjectMeta(name=name, namespace="default"))


def _running(pod: core.Pod, number: int) -> Encoded:
    """The pod as its kubelet reports it."""
    since = Time(seconds=1_764_000_000 + number // 100)
    status = pod.status
    status.phase, status.pod_ip, status.host_ip = "Running", f"10.1.{number // 250}.{number % 250}", "192.168.0.1"
    status.pod_ips.add(ip=status.pod_ip)
    status.start_time.CopyFrom(since)
    for type_ in ("Initialized", "Ready", "ContainersReady", "PodScheduled"):
        status.conditions.add(type=type_, status="True", last_transition_time=since)
    for container in pod.spec.containers:
        running = core.ContainerState(running=core.ContainerStateRunning(started_at=since))
        status.container_statuses.add(
            name=container.name,
            image=container.image,
            image_id=f"docker-pullable://{container.image}",
            container_id=f"sim://{number:064x}",
            ready=True,
            started=True,
            state=running,
        )
    return Encoded.of(pod)


def _row(name: str, value: float, unit: str) -> None:
    print(f"{name}  {value:,.1f} {unit}", flush=True)


if __name__ == "__main__":
    main()
