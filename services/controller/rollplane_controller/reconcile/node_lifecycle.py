"""The node lifecycle controller's shell: it listens to heartbeats, and writes what silence comes to.

Leases have a watch of their own, which keeps one number for each. A heartbeat costs a look-up; nodes are looked over
once in each monitor period, and only those whose state changes are planned.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator, Sequence

from rollplane.coordination.v1 import Lease
from rollplane.core.v1 import Node, Pod
from rollplane_client.batch_writer import Answer
from rollplane_client.informer import Informer
from rollplane_controller.reconcile.observer import Observer
from rollplane_controller.reconcile.reconciler import Failure, Reconciler, Source, Wake
from rollplane_controller.reconcile.views import View
from rollplane_controller.reconcile.wire_writes import Sent
from rollplane_controller.shards import CLUSTER
from rollplane_machinery.api import EventType, Fence, Key, ObjectApi, WatchFilter, WriteResult
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import NotFoundError
from rollplane_machinery.kinds import LEASE, NODE, Encoded
from rollplane_machinery.nodes import is_node_ready
from rollplane_machinery.references import reference_to
from rollplane_machinery.times import to_seconds
from rollplane_planners.model import (
    Plan,
    PlannedEvent,
    PlannedWrite,
    Severity,
    UpdateObject,
    UpdateObjectStatus,
)
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

REGISTERED = "RegisteredNode"
LEASE_NAMESPACE = "kube-node-lease"
PASS_SECONDS = 0.1
"""Between two looks at whose turn it is, as long as any node waits for a NoExecute taint."""


class NodeLifecycle(Reconciler):
    """Keeps nodes' conditions and taints; ``fence`` returns its shard's fence, None while another process owns it."""

    kind = NODE
    name = "node-controller"
    shard = CLUSTER

    def __init__(
        self,
        observer: Observer,
        api: ObjectApi,
        times: NodeTimes,
        clock: Clock,
        fence: Callable[[], Fence | None],
    ) -> None:
        super().__init__(observer)
        self._times = times
        self._clock = clock
        self._fence = fence
        self._epoch = 0
        self._health: dict[str, NodeHealth] = {}
        self._zones = Zones(times)
        self._granted: set[str] = set()
        self._telling: set[str] = set()
        """Nodes whose pods the present plan shows as not ready."""
        self._pods_told: set[str] = set()
        self._registered: dict[str, str] = {}
        """The nodes, with their uids, that this term of office has told of."""
        self._to_tell: dict[str, None] = {}
        """Nodes that were not told of yet at the last look over all."""
        leases = [WatchFilter(LEASE, (LEASE_NAMESPACE,))]
        self._leases: Informer[float] = Informer(api, leases, _renewed, clock=clock)
        self._waiting = asyncio.Event()

    @property
    def sources(self) -> Sequence[Source]:
        return self._leases.run, self._monitor, self._pace

    def attach(self, wake: Wake) -> None:
        self._wake = wake
        self._observer.informer.add_handler(NODE, self._on_node)
        self._leases.add_handler(LEASE, self._on_lease)

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
                self._wake(_key(name))
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
        self._wake(key)

    def _forget(self, name: str, health: NodeHealth | None) -> None:
        self._health.pop(name, None)
        self._granted.discard(name)
        self._telling.discard(name)
        self._pods_told.discard(name)
        if health is not None:
            self._zones.leave(health.zone, name)

    def _on_lease(self, _type: EventType, key: Key, _old: float | None, renewed: float | None) -> None:
        health = self._health.get(key.name)
        if health is not None and renewed is not None:
            self._health[key.name] = observe_lease(health, renewed, self._clock.monotonic())

    # What is judged.

    def _owned_fence(self) -> Fence | None:
        """Return the fence while the shard is ours; a new term of office begins with everybody's benefit of the doubt.

        Whoever did not own the shard may have been cut off or asleep, and has not listened then.
        """
        fence = self._fence()
        if fence is not None and fence.epoch != self._epoch:
            self._epoch = fence.epoch
            self._registered.clear()
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
            for key in self.all_keys():
                self._wake(key)
        if self._zones.waiting:
            self._waiting.set()
        monotonic = self._clock.monotonic()
        for name, health in self._health.items():
            if is_newly_silent(health, self._times, monotonic):
                self._wake(_key(name))
        come = [name for name in self._health if name not in self._registered]
        self._to_tell = dict.fromkeys([*come, *(name for name in self._registered if name not in self._health)])
        for name in self._to_tell:
            self._wake(_key(name))

    # What is written.

    def plan(self, key: Key, failure: Failure | None, now: float) -> Plan:
        self._owned_fence()
        node, health = self._observer.message(key, Node), self._health.get(key.name)
        if node is None or health is None:
            return Plan(events=self._farewell(key))
        plan = plan_node(
            node,
            health,
            self._times,
            granted=key.name in self._granted,
            lifted=self._zones.all_down,
            now=now,
            monotonic=self._clock.monotonic(),
        )
        self._line_up(key.name, health.zone, plan)
        return Plan(self._writes(key.name, node, plan, now), self._welcome(key, node))

    def _welcome(self, key: Key, node: Node) -> Sequence[PlannedEvent]:
        """Tell of a node that this term of office has not told of yet."""
        if key.name in self._registered or key.name not in self._to_tell:
            return ()
        return (_membership(REGISTERED, "Registered Node {} in Controller", key, node.metadata.uid),)

    def _farewell(self, key: Key) -> Sequence[PlannedEvent]:
        uid = self._registered.get(key.name)
        return () if uid is None else (_membership("RemovingNode", "Removing Node {} from Controller", key, uid),)

    def _line_up(self, name: str, zone: str, plan: NodePlan) -> None:
        if plan.waits:
            self._zones.ask(zone, name)
            return
        self._zones.leave(zone, name)
        if plan.spec is None:
            self._granted.discard(name)

    def _writes(self, name: str, node: Node, plan: NodePlan, now: float) -> list[PlannedWrite]:
        """Return what ``plan`` means: the node's own writes, then the pods that are shown as not ready."""
        writes: list[PlannedWrite] = []
        if plan.status is not None:
            writes.append(UpdateObjectStatus(plan.status, events=_news_of(node)))
        if plan.spec is not None:
            writes.append(UpdateObject(plan.spec, regardless=True))
        (self._telling.add if plan.lost_pods else self._telling.discard)(name)
        if plan.lost_pods and name not in self._pods_told:
            writes.extend(self._lost_pods(name, now))
        return writes

    def _lost_pods(self, node: str, now: float) -> Iterator[UpdateObjectStatus]:
        for key, view in self._observer.pods_on(node):
            pod = self._observer.message(key, Pod) if view.pod.ready else None
            marked = marked_not_ready(pod, now) if pod is not None else None
            if marked is not None:
                about = reference_to(key, marked.metadata.uid)
                event = PlannedEvent("NodeNotReady", "Node is not ready", Severity.WARNING, about)
                yield UpdateObjectStatus(marked, regardless=True, events=(event,))

    def answered(self, key: Key, plan: Plan, sent: Sequence[Sent], answers: Sequence[Answer]) -> None:
        """Remember whom has been told of; once all pods are shown as not ready, it is the kubelet's word again."""
        for event in plan.events:
            self._note_membership(key.name, event)
        written = all(isinstance(answer, WriteResult | NotFoundError) for answer in answers)
        if written and key.name in self._telling and key.name in self._health:
            self._pods_told.add(key.name)

    def _note_membership(self, name: str, event: PlannedEvent) -> None:
        if event.about is not None and event.reason == REGISTERED:
            self._registered[name] = event.about.uid
        else:
            self._registered.pop(name, None)


def _membership(reason: str, sentence: str, key: Key, uid: str) -> PlannedEvent:
    """Return the event of a node that comes or goes, in the words of kube-controller-manager."""
    message = f"Node {key.name} event: {sentence.format(key.name)}"
    return PlannedEvent(reason, message, about=reference_to(key, uid))


def _news_of(node: Node) -> Sequence[PlannedEvent]:
    """Return the event that a node which was ready deserves."""
    if not is_node_ready(node):
        return ()
    return (PlannedEvent("NodeNotReady", f"Node {node.metadata.name} status is now: NodeNotReady"),)


def _renewed(encoded: Encoded) -> float:
    return to_seconds(encoded.read_as(Lease).spec.renew_time)


def _key(name: str) -> Key:
    return Key(NODE, "", name)
