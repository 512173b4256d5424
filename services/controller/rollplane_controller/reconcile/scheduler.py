"""The scheduler's shell: pods that want a node are taken many at a time, and their bindings leave as one batch.

A pod is counted on its node from the moment it is chosen, not from when the watch shows it: else the next round
would fill the same room again.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable

from rollplane.core.v1 import Node, ObjectReference, Pod, PodCondition
from rollplane.meta.v1 import Time
from rollplane_client.backoff import Backoff
from rollplane_client.batch_writer import Answer, BatchWriter
from rollplane_client.work_queue import WorkQueue
from rollplane_controller.reconcile.events import EventRecorder
from rollplane_controller.reconcile.observer import Observer
from rollplane_controller.reconcile.views import View, WatchedPod
from rollplane_machinery.api import Bind, EventType, Fence, Key, Preconditions, UpdateStatus, WriteOptions, WriteResult
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import ConflictError, NotFoundError, RollplaneError
from rollplane_machinery.kinds import NODE, POD, Encoded
from rollplane_machinery.pods import POD_SCHEDULED
from rollplane_planners.model import PlannedEvent, Severity
from rollplane_planners.pods import PodView
from rollplane_planners.scheduling.cluster import Cluster, node_view
from rollplane_planners.scheduling.demand import demand_of

log = logging.getLogger(__name__)

NAME = "default-scheduler"
ROUND = 256
"""Most pods given a node in one go."""
RETRY = Backoff(base_seconds=1.0, cap_seconds=10.0, spread=0.0)
UNSCHEDULABLE = "Unschedulable"


class Scheduler:
    """Binds pods that name our scheduler; ``fence`` returns its shard's fence, None while another process owns it."""

    def __init__(
        self,
        observer: Observer,
        writer: BatchWriter,
        recorder: EventRecorder,
        *,
        clock: Clock,
        fence: Callable[[], Fence | None],
    ) -> None:
        self._observer = observer
        self._writer = writer
        self._recorder = recorder
        self._clock = clock
        self._fence = fence
        self._cluster = Cluster()
        self._assumed: dict[Key, PodView] = {}
        self._assumed_node: dict[Key, str] = {}
        self._unschedulable: set[Key] = set()
        self.queue: WorkQueue[Key] = WorkQueue(clock=clock, backoff=RETRY)

    def attach(self) -> None:
        """Register with the informer; to be called before it runs."""
        self._observer.informer.add_handler(NODE, self._on_node)
        self._observer.informer.add_handler(POD, self._on_pod)

    def wake_all(self) -> None:
        """Look at every pod without a node, as after the shard has been acquired."""
        for key, view in self._observer.informer.items(POD):
            if isinstance(view, WatchedPod) and _wants_node(view.pod):
                self.queue.add(key)

    async def run(self) -> None:
        """Give nodes to pods until cancelled."""
        await self._observer.informer.synced.wait()
        while keys := await self.queue.take(ROUND):
            for key in keys:
                self._schedule(key)
            await asyncio.sleep(0)

    # What the informer tells.

    def _on_node(self, type_: EventType, key: Key, _old: View | None, _new: View | None) -> None:
        node = self._observer.message(key, Node)
        if type_ is EventType.DELETED or node is None:
            self._cluster.remove_node(key.name)
        elif self._cluster.put_node(node_view(node)):
            self._retry_unschedulable()

    def _on_pod(self, _type: EventType, key: Key, old: View | None, new: View | None) -> None:
        before = old.pod if isinstance(old, WatchedPod) else None
        after = new.pod if isinstance(new, WatchedPod) else None
        self._recount(key, before, after)
        if after is not None and _wants_node(after):
            if key not in self._assumed:
                self.queue.add(key)
        else:
            self._unschedulable.discard(key)
            self.queue.forget(key)

    def _recount(self, key: Key, before: PodView | None, after: PodView | None) -> None:
        """Move a pod from where it counted to where it counts now."""
        held_before, holds_now = _holds_room(before), _holds_room(after)
        if after is None or holds_now:
            self._forget_assumed(key)
        if before is not None and held_before and not (holds_now and after and after.node_name == before.node_name):
            self._cluster.remove(before.node_name, before.requests, before.host_ports)
            self._retry_unschedulable()
            held_before = False
        if after is not None and holds_now and not held_before:
            self._cluster.add(after.node_name, after.requests, after.host_ports)

    def _retry_unschedulable(self) -> None:
        """Something made room: pods that found none look again."""
        for key in sorted(self._unschedulable, key=str):
            self.queue.add(key)
        self._unschedulable.clear()

    # What is chosen.

    def _schedule(self, key: Key) -> None:
        fence, view = self._fence(), self._observer.informer.get(key)
        pod = self._observer.message(key, Pod)
        if fence is None or pod is None or not isinstance(view, WatchedPod) or not _wants_node(view.pod):
            self.queue.done(key)
            return
        if key in self._assumed:
            self.queue.done(key)
            return
        choice = self._cluster.choose(demand_of(pod.spec))
        if choice.node:
            self._bind(key, view.pod, choice.node, fence)
        else:
            self._report(key, pod, choice.why, fence)

    def _bind(self, key: Key, pod: PodView, node: str, fence: Fence) -> None:
        self._cluster.add(node, pod.requests, pod.host_ports)
        self._assumed[key], self._assumed_node[key] = pod, node
        options = WriteOptions(NAME, fence=fence, omit_object=True)
        write = Bind(key, node, Preconditions(uid=pod.uid), options)
        self._submit(write, lambda answer: self._bound(key, pod, node, answer))

    def _bound(self, key: Key, pod: PodView, node: str, answer: Answer) -> None:
        if isinstance(answer, WriteResult):
            text = f"Successfully assigned {pod.namespace}/{pod.name} to {node}"
            self._recorder.emit(_reference(key, pod.uid), PlannedEvent("Scheduled", text))
            self.queue.done(key)
            return
        self._forget_assumed(key)
        if isinstance(answer, NotFoundError | ConflictError):
            # Gone, or bound by somebody else: the watch will tell.
            self.queue.done(key)
        else:
            log.warning("not bound", extra={"object": str(key), "detail": answer.message})
            self.queue.failed(key)

    def _forget_assumed(self, key: Key) -> None:
        pod = self._assumed.pop(key, None)
        if pod is not None:
            self._cluster.remove(self._assumed_node.pop(key), pod.requests, pod.host_ports)

    def _report(self, key: Key, pod: Pod, why: str, fence: Fence) -> None:
        """Show why the pod has no node, and try again: when something changes, at the latest after the back-off."""
        self._unschedulable.add(key)
        event = PlannedEvent("FailedScheduling", why, Severity.WARNING)
        self._recorder.emit(_reference(key, pod.metadata.uid), event)
        wanted = _with_condition(pod, why, self._clock.now())
        if wanted.status == pod.status:
            self.queue.failed(key)
            return
        options = WriteOptions(NAME, fence=fence, omit_object=True)
        self._submit(UpdateStatus(Encoded.of(wanted), options), lambda _answer: self._reported(key))

    def _reported(self, key: Key) -> None:
        self.queue.failed(key)

    def _submit(self, write: Bind | UpdateStatus, answered: Callable[[Answer], None]) -> None:
        try:
            future = self._writer.submit(write)
        except RollplaneError as exc:
            answered(exc)
            return
        future.add_done_callback(lambda done: None if done.cancelled() else answered(done.result()))


def _wants_node(pod: PodView) -> bool:
    return not pod.node_name and pod.active and pod.scheduler in ("", NAME)


def _holds_room(pod: PodView | None) -> bool:
    """Tell whether a pod counts on its node: it is bound and has not finished; a terminating one still counts."""
    return pod is not None and bool(pod.node_name) and not pod.finished


def _reference(key: Key, uid: str) -> ObjectReference:
    return ObjectReference(kind=POD.name, api_version=POD.api_version, namespace=key.namespace, name=key.name, uid=uid)


def _with_condition(pod: Pod, why: str, now: float) -> Pod:
    """Return a copy of the pod that says why it is not scheduled; unchanged when it says so already."""
    wanted = Pod()
    wanted.CopyFrom(pod)
    for condition in wanted.status.conditions:
        if condition.type == POD_SCHEDULED:
            condition.message = why
            return wanted
    time = Time(seconds=math.floor(now))
    wanted.status.conditions.append(
        PodCondition(type=POD_SCHEDULED, status="False", reason=UNSCHEDULABLE, message=why, last_transition_time=time)
    )
    return wanted
