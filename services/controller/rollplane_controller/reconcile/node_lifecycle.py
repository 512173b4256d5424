"""The node lifecycle controller's shell: it listens to heartbeats, and writes what silence comes to.

Leases have a watch of their own, which keeps one number for each. A heartbeat costs a look-up; nodes are looked over
once in each monitor period, and only those whose state changes are planned.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator

from rollplane.coordination.v1 import Lease
from rollplane.core.v1 import Node, Pod
from rollplane_client.batch_writer import Answer, BatchWriter
from rollplane_client.gates import Gates
from rollplane_client.informer import Informer
from rollplane_client.work_queue import WorkQueue
from rollplane_controller.reconcile.events import EventRecorder
from rollplane_controller.reconcile.observer import Observer
from rollplane_controller.reconcile.submission import reference_to, submit_all
from rollplane_controller.reconcile.views import View
from rollplane_machinery.api import (
    EventType,
    Fence,
    Key,
    ObjectApi,
    Update,
    UpdateStatus,
    WatchFilter,
    Write,
    WriteOptions,
    WriteResult,
)
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import ConflictError, NotFoundError
from rollplane_machinery.kinds import LEASE, NODE, POD, Encoded, Kind
from rollplane_machinery.times import to_seconds
from rollplane_planners.model import PlannedEvent, Severity
from rollplane_planners.node_lifecycle.evictions import marked_not_ready
from rollplane_planners.node_lifecycle.health import (
    NodeHealth,
    is_newly_silent,
    observe_lease,
    observe_node,
    restarted,
)
from rollplane_planners.node_lifecycle.planner import NodePlan, plan_node
from rollplane_planners.node_lifecycle.times import NodeTimes
from rollplane_planners.node_lifecycle.zones import Zones

log = logging.getLogger(__name__)

NAME = "node-controller"
LEASE_NAMESPACE = "kube-node-lease"
ROUND = 64
PASS_SECONDS = 0.1
"""Between two looks at whose turn it is, as long as any node waits for a NoExecute taint."""


class NodeLifecycle:
    """Keeps nodes' conditions and taints; ``fence`` returns its shard's fence, None while another process owns it."""

    def __init__(
        self,
        observer: Observer,
        api: ObjectApi,
        writer: BatchWriter,
        recorder: EventRecorder,
        *,
        times: NodeTimes,
        clock: Clock,
        fence: Callable[[], Fence | None],
    ) -> None:
        self._observer = observer
        self._writer = writer
        self._recorder = recorder
        self._times = times
        self._clock = clock
        self._fence = fence
        self._epoch = 0
        self._health: dict[str, NodeHealth] = {}
        self._zones = Zones(times)
        self._granted: set[str] = set()
        self._pods_told: set[str] = set()
        self._gates: Gates[Key] = Gates()
        leases = [WatchFilter(LEASE, (LEASE_NAMESPACE,))]
        self._leases: Informer[float] = Informer(api, leases, _renewed, clock=clock)
        self._waiting = asyncio.Event()
        self.queue: WorkQueue[Key] = WorkQueue(clock=clock)

    def attach(self) -> None:
        """Register with the informers; to be called before they run."""
        self._observer.informer.add_handler(NODE, self._on_node)
        self._observer.informer.on_progress(self._open_gates)
        self._leases.add_handler(LEASE, self._on_lease)

    def wake_all(self) -> None:
        """Look at every node, as after the shard has been acquired."""
        for key, _ in self._observer.informer.items(NODE):
            self.queue.add(key)

    async def run(self) -> None:
        """Watch over the nodes until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for loop in (self._leases.run, self._work, self._monitor, self._pace):
                tasks.create_task(loop())

    async def _work(self) -> None:
        await self._observer.informer.synced.wait()
        while keys := await self.queue.take(ROUND):
            for key in keys:
                self._process(key)
            await asyncio.sleep(0)

    async def _monitor(self) -> None:
        """Look all nodes over, once in each period."""
        await self._leases.synced.wait()
        while True:
            await self._clock.sleep(self._times.monitor_seconds)
            if self._owned_fence() is not None:
                self._look_over()

    async def _pace(self) -> None:
        """Give nodes that wait their turn."""
        while True:
            await self._waiting.wait()
            for name in self._zones.grant(self._clock.monotonic()) if self._owned_fence() else ():
                self._granted.add(name)
                self.queue.add(_key(name))
            if not self._zones.waiting:
                self._waiting.clear()
            await self._clock.sleep(PASS_SECONDS)

    # What the informers tell.

    def _on_node(self, type_: EventType, key: Key, _old: View | None, _new: View | None) -> None:
        node, before = self._observer.message(key, Node), self._health.get(key.name)
        if type_ is EventType.DELETED or node is None:
            self._forget(key.name, before)
            return
        health = observe_node(before, node, self._clock.now(), self._clock.monotonic())
        self._health[key.name] = health
        if health.is_ready:
            self._pods_told.discard(key.name)
        self.queue.add(key)

    def _forget(self, name: str, health: NodeHealth | None) -> None:
        self._health.pop(name, None)
        self._granted.discard(name)
        self._pods_told.discard(name)
        if health is not None:
            self._zones.leave(health.zone, name)

    def _on_lease(self, _type: EventType, key: Key, _old: float | None, renewed: float | None) -> None:
        health = self._health.get(key.name)
        if health is not None and renewed is not None:
            self._health[key.name] = observe_lease(health, renewed, self._clock.monotonic())

    def _open_gates(self, revision: int) -> None:
        for key in self._gates.reach(revision):
            self.queue.add(key)

    # What is judged.

    def _owned_fence(self) -> Fence | None:
        """Return the fence while the shard is ours; a new term of office begins with everybody's benefit of the doubt.

        Whoever did not own the shard may have been cut off or asleep, and has not listened then.
        """
        fence = self._fence()
        if fence is not None and fence.epoch != self._epoch:
            self._epoch = fence.epoch
            self._restart_silence()
        return fence

    def _restart_silence(self) -> None:
        monotonic = self._clock.monotonic()
        self._health = {name: restarted(health, monotonic) for name, health in self._health.items()}

    def _look_over(self) -> None:
        verdict = self._zones.judge(self._health.values())
        if verdict.resumed:
            self._restart_silence()
        if verdict.turned:
            log.warning("all zones are down" if self._zones.all_down else "zones are back")
            self.wake_all()
        if self._zones.waiting:
            self._waiting.set()
        monotonic = self._clock.monotonic()
        for name, health in self._health.items():
            if is_newly_silent(health, self._times, monotonic):
                self.queue.add(_key(name))

    # What is written.

    def _process(self, key: Key) -> None:
        fence, node, health = self._owned_fence(), self._observer.message(key, Node), self._health.get(key.name)
        if fence is None or node is None or health is None or not self._gates.is_open(key):
            self.queue.done(key)
            return
        plan = plan_node(
            node,
            health,
            self._times,
            granted=key.name in self._granted,
            lifted=self._zones.all_down,
            now=self._clock.now(),
            monotonic=self._clock.monotonic(),
        )
        self._line_up(key.name, health.zone, plan)
        writes, pods = self._writes(key, plan, WriteOptions(NAME, fence=fence, omit_object=True))
        submit_all(self._writer, writes, lambda answers: self._answered(key, node, plan, pods, answers))

    def _line_up(self, name: str, zone: str, plan: NodePlan) -> None:
        if plan.waits:
            self._zones.ask(zone, name)
            return
        self._zones.leave(zone, name)
        if plan.spec is None:
            self._granted.discard(name)

    def _writes(self, key: Key, plan: NodePlan, options: WriteOptions) -> tuple[list[Write], list[Pod]]:
        """Return what ``plan`` means on the wire, and the pods that are shown as not ready by its last writes."""
        writes: list[Write] = []
        if plan.status is not None:
            writes.append(UpdateStatus(Encoded.of(plan.status), options))
        if plan.spec is not None:
            writes.append(Update(Encoded.of(plan.spec), options))
        pods = list(self._lost_pods(key.name)) if plan.lost_pods and key.name not in self._pods_told else []
        return [*writes, *(UpdateStatus(Encoded.of(pod), options) for pod in pods)], pods

    def _lost_pods(self, node: str) -> Iterator[Pod]:
        now = self._clock.now()
        for key, view in self._observer.pods_on(node):
            pod = self._observer.message(key, Pod) if view.pod.ready else None
            marked = marked_not_ready(pod, now) if pod is not None else None
            if marked is not None:
                yield marked

    def _answered(self, key: Key, node: Node, plan: NodePlan, pods: list[Pod], answers: list[Answer]) -> None:
        for answer in answers:
            if isinstance(answer, WriteResult):
                self._gates.shut(key, answer.revision)
        for pod, answer in zip(pods, answers[len(answers) - len(pods) :], strict=True):
            if isinstance(answer, WriteResult):
                self._tell_pod(pod)
        failures = [answer for answer in answers if not isinstance(answer, WriteResult | NotFoundError)]
        if plan.lost_pods and not failures and key.name in self._health:
            # From here on it is the kubelet's word again whether a pod is ready.
            self._pods_told.add(key.name)
        if plan.status is not None and not failures and self._is_news(node):
            text = f"Node {key.name} status is now: NodeNotReady"
            self._recorder.emit(reference_to(key, node.metadata.uid), PlannedEvent("NodeNotReady", text))
        for failure in failures:
            if not isinstance(failure, ConflictError):
                log.warning("node not written", extra={"object": str(key), "detail": failure.message})
        if failures:
            self.queue.failed(key)
        else:
            self.queue.done(key)

    def _is_news(self, node: Node) -> bool:
        """Tell whether the node was ready before."""
        return any(one.type == "Ready" and one.status == "True" for one in node.status.conditions)

    def _tell_pod(self, pod: Pod) -> None:
        subject = reference_to(Key(POD, pod.metadata.namespace, pod.metadata.name), pod.metadata.uid)
        self._recorder.emit(subject, PlannedEvent("NodeNotReady", "Node is not ready", Severity.WARNING))


def _renewed(_kind: Kind, value: bytes) -> float:
    return to_seconds(Lease.FromString(value).spec.renew_time)


def _key(name: str) -> Key:
    return Key(NODE, "", name)
