"""The taint manager's shell: pods that a NoExecute taint drives away are deleted when their toleration has run out.

The time runs from when this process first saw a pod under a taint it does not tolerate for ever.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable
from dataclasses import dataclass

from rollplane.core.v1 import Node, Pod, Taint
from rollplane_client.batch_writer import Answer, BatchWriter
from rollplane_client.work_queue import WorkQueue
from rollplane_controller.reconcile.events import EventRecorder
from rollplane_controller.reconcile.observer import Observer
from rollplane_controller.reconcile.submission import reference_to, submit_all
from rollplane_controller.reconcile.views import View, WatchedPod
from rollplane_machinery.api import (
    Delete,
    EventType,
    Fence,
    Key,
    Preconditions,
    UpdateStatus,
    WriteOptions,
    WriteResult,
)
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import ConflictError, NotFoundError, RollplaneError
from rollplane_machinery.kinds import NODE, POD, Encoded
from rollplane_machinery.metadata import is_being_deleted
from rollplane_planners.model import PlannedEvent
from rollplane_planners.node_lifecycle.evictions import marked_for_eviction, tolerated_seconds
from rollplane_planners.node_lifecycle.taints import no_execute_taints

log = logging.getLogger(__name__)

NAME = "taint-eviction-controller"
REASON = "TaintManagerEviction"
ROUND = 256


@dataclass(frozen=True, slots=True)
class _Threat:
    """A pod that is to go some day: which one, and since when (monotonic) its toleration is used up."""

    uid: str
    since: float


class TaintEviction:
    """Deletes pods that taints drive away; ``fence`` returns its shard's fence, None while another process owns it."""

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
        self._taints: dict[str, tuple[Taint, ...]] = {}
        self._threats: dict[Key, _Threat] = {}
        self.queue: WorkQueue[Key] = WorkQueue(clock=clock)

    def attach(self) -> None:
        """Register with the informer; to be called before it runs."""
        self._observer.informer.add_handler(NODE, self._on_node)
        self._observer.informer.add_handler(POD, self._on_pod)

    def wake_all(self) -> None:
        """Look at every pod on a tainted node, as after the shard has been acquired."""
        for node in self._taints:
            self._wake_node(node)

    async def run(self) -> None:
        """Evict until cancelled."""
        await self._observer.informer.synced.wait()
        while keys := await self.queue.take(ROUND):
            for key in keys:
                self._process(key)
            await asyncio.sleep(0)

    # What the informer tells.

    def _on_node(self, type_: EventType, key: Key, _old: View | None, _new: View | None) -> None:
        node = self._observer.message(key, Node)
        taints = no_execute_taints(node) if node is not None and type_ is not EventType.DELETED else ()
        if taints == self._taints.get(key.name, ()):
            return
        if taints:
            self._taints[key.name] = taints
        else:
            del self._taints[key.name]
        self._wake_node(key.name)

    def _wake_node(self, node: str) -> None:
        for key, _ in self._observer.pods_on(node):
            self.queue.add(key)

    def _on_pod(self, _type: EventType, key: Key, _old: View | None, new: View | None) -> None:
        if new is None or new.terminating:
            self._threats.pop(key, None)
            self.queue.forget(key)
        elif isinstance(new, WatchedPod) and new.pod.node_name in self._taints:
            self.queue.add(key)

    # What is done.

    def _process(self, key: Key) -> None:
        fence, pod = self._fence(), self._observer.message(key, Pod)
        if pod is None or is_being_deleted(pod.metadata):
            self.queue.done(key)
            return
        taints = self._taints.get(pod.spec.node_name, ())
        tolerated = tolerated_seconds(taints, pod.spec.tolerations)
        if tolerated == math.inf:
            self._call_off(key, pod)
        elif fence is not None:
            self._threaten(key, pod, tolerated, fence)
            return
        self.queue.done(key)

    def _call_off(self, key: Key, pod: Pod) -> None:
        """The pod may stay after all."""
        threat = self._threats.pop(key, None)
        self.queue.forget(key)
        if threat is not None and threat.uid == pod.metadata.uid:
            self._tell(key, threat.uid, f"Cancelling deletion of Pod {key.namespace}/{key.name}")

    def _threaten(self, key: Key, pod: Pod, tolerated: float, fence: Fence) -> None:
        """Delete the pod if its time is up, else come back when it is."""
        uid, monotonic = pod.metadata.uid, self._clock.monotonic()
        threat = self._threats.get(key)
        if threat is None or threat.uid != uid:
            threat = self._threats[key] = _Threat(uid, monotonic)
        remaining = threat.since + tolerated - monotonic
        if remaining <= 0:
            self._evict(key, pod, fence)
        else:
            self.queue.done(key)
            self.queue.add_after(key, remaining)

    def _evict(self, key: Key, pod: Pod, fence: Fence) -> None:
        """Write on the pod why it goes, then delete it; a pod that has changed meanwhile is looked at again."""
        options = WriteOptions(NAME, fence=fence, omit_object=True)
        marked = marked_for_eviction(pod, self._clock.now())
        delete = Delete(key, preconditions=Preconditions(uid=pod.metadata.uid), options=options)

        def marked_answered(answers: list[Answer]) -> None:
            if isinstance(answers[0], WriteResult):
                self._tell(key, pod.metadata.uid, f"Marking for deletion Pod {key.namespace}/{key.name}")
                submit_all(self._writer, [delete], lambda answers: self._finish(key, answers[0]))
            else:
                self._finish(key, answers[0])

        submit_all(self._writer, [UpdateStatus(Encoded.of(marked), options)], marked_answered)

    def _finish(self, key: Key, answer: Answer) -> None:
        if isinstance(answer, RollplaneError) and not isinstance(answer, NotFoundError):
            if not isinstance(answer, ConflictError):
                log.warning("not evicted", extra={"object": str(key), "detail": answer.message})
            self.queue.failed(key)
        else:
            self.queue.done(key)

    def _tell(self, key: Key, uid: str, text: str) -> None:
        self._recorder.emit(reference_to(key, uid), PlannedEvent(REASON, text))
