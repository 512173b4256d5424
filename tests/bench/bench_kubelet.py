"""What a simulated kubelet costs: CPU per pod life of the pure stages and of the keeper, and of a fleet at rest."""

from __future__ import annotations

import asyncio
import resource
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from ipaddress import IPv4Address
from typing import cast

from rollplane.core.v1 import Container, Pod
from rollplane_client.batch_writer import Answer, BatchWriter
from rollplane_kubelet_sim.addresses import node_address
from rollplane_kubelet_sim.admission import Admissions
from rollplane_kubelet_sim.fleet import Fleet, FleetSettings
from rollplane_kubelet_sim.node_objects import node_object
from rollplane_kubelet_sim.node_pools.planning import plan_nodes
from rollplane_kubelet_sim.pod_keeper import PodKeeper
from rollplane_kubelet_sim.profiles import shipped_profile
from rollplane_kubelet_sim.references import References
from rollplane_kubelet_sim.stages.life import PodLife
from rollplane_kubelet_sim.stages.pods import Place
from rollplane_kubelet_sim.stages.rules import Profile
from rollplane_machinery.api import (
    Create,
    EventType,
    Key,
    ObjectApi,
    UpdateStatus,
    WatchBatch,
    WatchEvent,
    WatchQuery,
    Write,
    WriteResult,
)
from rollplane_machinery.clock import SystemClock
from rollplane_machinery.kinds import POD, Encoded
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.releases import LATEST
from rollplane_rehearsal.virtual_time import LoopClock, VirtualTimeLoop
from tests.end_to_end.waiting import until

PODS = 2_000
IDLE_NODES, IDLE_PODS, IDLE_SECONDS = 1_000, 20_000, 100
NOW = 1_700_000_000.0


def main() -> None:
    """Print rows of name, value, unit."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(_measure_idle())
    for name in ("instant", "realistic", "flaky"):
        _measure_stages(shipped_profile(name))
    asyncio.run(_measure_keeper())


def _measure_stages(profile: Profile) -> None:
    """Take pods from bound to ready and gone, without a plane: parsing and serializing not counted."""
    pods = [_pod(number) for number in range(PODS)]
    looks = 0
    started = time.process_time()
    for pod in pods:
        looks += _live(pod, profile)
    seconds = time.process_time() - started
    _print(f"stages, {profile.name}, a life", seconds / PODS * 1e6, "us")
    _print(f"stages, {profile.name}, looks a life", looks / PODS, "looks")


def _live(pod: Pod, profile: Profile) -> int:
    """Take one pod through its life and return how often it was looked at."""
    life, now, looks = PodLife(pod, Place("172.16.0.1", "10.0.0.1", NOW)), NOW, 0
    while True:
        progress = life.advance(profile, now)
        looks += 1
        if progress.status is not None:
            pod.status.CopyFrom(progress.status)
        if progress.ended:
            return looks
        if progress.due is not None and progress.due < NOW + 100:
            now = progress.due
            continue
        if not is_being_deleted(pod.metadata):
            now = max(now, NOW + 100)
            pod.metadata.deletion_timestamp.seconds = int(now) + 30
            pod.metadata.deletion_grace_period_seconds = 30
            life.observe(pod)
        elif progress.due is not None:
            now = progress.due


class _Server:
    """Answers batches, and keeps what the watch would show."""

    def __init__(self) -> None:
        self.revision = 0
        self.objects: dict[Key, Encoded] = {}
        self.news: list[Key] = []
        self.removed = 0
        self.initial: list[WatchEvent] = []

    def store(self, key: Key, pod: Pod) -> None:
        self.revision += 1
        pod.metadata.resource_version = str(self.revision)
        self.objects[key] = Encoded.of(pod)

    async def batch(self, writes: Sequence[Write]) -> Sequence[Answer]:
        return [self._commit(write) for write in writes]

    def _commit(self, write: Write) -> Answer:
        self.revision += 1
        if isinstance(write, UpdateStatus) and write.object.kind is POD:
            report = Pod.FromString(write.object.value)
            key = Key(POD, report.metadata.namespace, report.metadata.name)
            pod = Pod.FromString(self.objects[key].value)
            pod.status.CopyFrom(report.status)
            pod.metadata.resource_version = str(self.revision)
            self.objects[key] = Encoded.of(pod)
            self.news.append(key)
        elif not isinstance(write, Create | UpdateStatus):
            self.removed += 1
        return WriteResult(self.revision)

    @asynccontextmanager
    async def watch(self, _query: WatchQuery) -> AsyncIterator[AsyncIterator[WatchBatch]]:
        yield self._batches()

    async def _batches(self) -> AsyncIterator[WatchBatch]:
        yield WatchBatch(self.initial, self.revision, initial_state_complete=True)
        await asyncio.Event().wait()


async def _measure_keeper() -> None:
    """Take pods through their lives with a keeper and a batch writer; what the stand-in server takes does not count."""
    server, profile = _Server(), shipped_profile("instant")
    writer = BatchWriter(server, clock=SystemClock())
    clock = SystemClock()
    needs = References(server, lambda: None, clock=clock)
    admissions = Admissions(server.objects.get, LATEST)
    keeper = PodKeeper(writer, {"node-0": 0}, server.objects.get, lambda: profile, needs, admissions, clock=clock)
    pods = {Key(POD, "default", f"web-{number}"): _pod(number) for number in range(PODS // 4)}
    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(writer.run()), tasks.create_task(keeper.run())]
        spent = 0.0
        for _ in range(4):
            spent += await _live_all(server, keeper, pods)
        for task in running:
            task.cancel()
    _print("keeper and batch writer, instant, a life", (spent - await _server_seconds(pods)) / PODS * 1e6, "us")
    _print("writes a life", writer.stats.sent / PODS, "writes")
    _print("writes a batch", writer.stats.sent / writer.stats.batches, "writes")


async def _live_all(server: _Server, keeper: PodKeeper, pods: dict[Key, Pod]) -> float:
    """Bind, report, mark and remove all pods once; return the seconds of CPU that took, this function's included."""
    for key, pod in pods.items():
        server.store(key, pod)
    started = time.process_time()
    for key in pods:
        keeper.observe(key, Pod.FromString(server.objects[key].value))
    await until(lambda: len(server.news) == len(pods), 60, "not all pods were reported")
    for key in server.news:
        keeper.observe(key, Pod.FromString(server.objects[key].value))
    spent = time.process_time() - started
    server.news.clear()
    for key in pods:
        marked = Pod.FromString(server.objects[key].value)
        marked.metadata.deletion_timestamp.seconds = int(time.time()) + 30
        marked.metadata.deletion_grace_period_seconds = 30
        server.store(key, marked)
    removed, started = server.removed + len(pods), time.process_time()
    for key in pods:
        keeper.observe(key, Pod.FromString(server.objects[key].value))
    await until(lambda: server.removed == removed, 60, "not all pods were removed")
    for key in pods:
        keeper.forget(key)
    return spent + time.process_time() - started


async def _server_seconds(pods: dict[Key, Pod]) -> float:
    """Return what the stand-in server's commits of PODS statuses cost."""
    server = _Server()
    for key, pod in pods.items():
        server.store(key, pod)
    writes = [UpdateStatus(encoded) for encoded in server.objects.values()]
    started = time.process_time()
    for _ in range(PODS // len(pods)):
        await server.batch(writes)
    return time.process_time() - started


async def _measure_idle() -> None:
    """Let a fleet with ready pods live on in virtual time, and count what that costs in real time."""
    server = _Server()
    server.revision = 1
    for plan in plan_nodes((), IDLE_NODES):
        node = node_object(plan, LATEST.version, LoopClock().now())
        server.initial.append(WatchEvent(EventType.ADDED, Encoded.of(node), 1))
    for number in range(IDLE_PODS):
        pod = _pod(number, f"node-{number % IDLE_NODES}")
        place = Place(node_address(number % IDLE_NODES), str(IPv4Address(number + 1)), LoopClock().now())
        life = PodLife(pod, place)
        pod.status.CopyFrom(life.advance(Profile("instant"), LoopClock().now()).status or pod.status)
        pod.metadata.resource_version = "1"
        server.initial.append(WatchEvent(EventType.ADDED, Encoded.of(pod), 1))
    before = _resident_kib()
    fleet = Fleet(cast("ObjectApi", server), FleetSettings(nodes=IDLE_NODES), Profile("instant"), clock=LoopClock())
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(fleet.run())
        started = time.process_time()
        await fleet.ready.wait()
        await asyncio.sleep(5)
        _print(f"taking up {IDLE_PODS} pods", time.process_time() - started, "s CPU")
        _print("memory for a pod at rest, its bytes aside", (_resident_kib() - before) / IDLE_PODS, "KiB")
        started = time.process_time()
        await asyncio.sleep(IDLE_SECONDS)
        busy = (time.process_time() - started) / IDLE_SECONDS * 100
        _print(f"{IDLE_NODES} nodes, {IDLE_PODS} pods at rest", busy, "% of a core")
        running.cancel()


def _pod(number: int, node: str = "node-0") -> Pod:
    pod = Pod()
    pod.metadata.namespace, pod.metadata.name, pod.metadata.uid = "default", f"web-{number}", f"uid-{number}"
    pod.metadata.labels.update({"app": "web", "pod-template-hash": "5f7c9d8b6d"})
    pod.metadata.owner_references.add(
        api_version="apps/v1", kind="ReplicaSet", name="web-5f7c9d8b6d", uid="2f2d6a5e", controller=True
    )
    pod.spec.containers.append(Container(name="app", image="registry.example/web:v1", image_pull_policy="IfNotPresent"))
    pod.spec.node_name, pod.spec.restart_policy = node, "Always"
    pod.status.phase = "Pending"
    pod.status.conditions.add(type="PodScheduled", status="True").last_transition_time.seconds = int(NOW)
    return pod


def _resident_kib() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _print(name: str, value: float, unit: str) -> None:
    print(f"{name:60} {value:12,.2f} {unit}", flush=True)


if __name__ == "__main__":
    main()
