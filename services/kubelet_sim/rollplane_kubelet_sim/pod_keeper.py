"""The pods of a fleet: each one's life, a heap of what is due, and reports that leave in batches."""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
from collections.abc import Callable, Mapping

from rollplane.core.v1 import Event, ObjectReference, Pod
from rollplane.meta.v1 import Time
from rollplane_client.batch_writer import Answer, BatchWriter
from rollplane_kubelet_sim.addresses import PodAddresses, node_address
from rollplane_kubelet_sim.stages.containers import Note
from rollplane_kubelet_sim.stages.life import COMMAND_ANNOTATION, PodLife, Progress
from rollplane_kubelet_sim.stages.pods import Place
from rollplane_kubelet_sim.stages.rules import Profile
from rollplane_machinery.api import Delete, Key, Preconditions, Update, UpdateStatus, Write, WriteOptions, WriteResult
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import ConflictError, NotFoundError, RollplaneError
from rollplane_machinery.kinds import POD, Encoded

log = logging.getLogger(__name__)

MANAGER = "kubelet"
RETRY_SECONDS = 1.0
OPTIONS = WriteOptions(MANAGER, omit_object=True)


class PodKeeper:
    """Lives the pods bound to the nodes of one fleet.

    ``nodes`` numbers the fleet's nodes by name. ``profile`` is asked at every step, so that it may change at run time.
    """

    def __init__(
        self, writer: BatchWriter, nodes: Mapping[str, int], profile: Callable[[], Profile], *, clock: Clock
    ) -> None:
        self._writer = writer
        self._nodes = nodes
        self._profile = profile
        self._clock = clock
        self._lives: dict[Key, PodLife] = {}
        self._addresses: dict[str, PodAddresses] = {}
        self._due: dict[Key, float] = {}
        self._heap: list[tuple[float, int, Key]] = []
        self._order = itertools.count()
        self._wake = asyncio.Event()
        self._reporting: set[Key] = set()
        self._awaited: dict[Key, int] = {}

    def __len__(self) -> int:
        """Return how many pods live here."""
        return len(self._lives)

    def observe(self, key: Key, pod: Pod) -> None:
        """Take note of a pod as now stored; a namesake of one that lived here begins a life of its own."""
        life = self._lives.get(key)
        if life is not None and life.pod.metadata.uid != pod.metadata.uid:
            self.forget(key)
            life = None
        if life is None:
            self._lives[key] = PodLife(pod, self._place(pod))
        else:
            life.observe(pod)
        self._schedule(key, self._clock.now())

    def forget(self, key: Key) -> None:
        """The pod is gone: nothing of it is left."""
        life = self._lives.pop(key, None)
        self._due.pop(key, None)
        self._awaited.pop(key, None)
        if life is not None:
            self._pods_of(life.pod.spec.node_name).free(life.place.pod_ip)

    def look_again(self) -> None:
        """Look at every pod, as after the profile has changed."""
        now = self._clock.now()
        for key in self._lives:
            self._schedule(key, now)

    async def run(self) -> None:
        """Take the steps that are due until cancelled."""
        while True:
            self._wake.clear()
            self._take_due()
            await self._wait()

    def _take_due(self) -> None:
        """Advance every pod whose time has come."""
        now = self._clock.now()
        while self._heap and self._heap[0][0] <= now:
            due, _, key = heapq.heappop(self._heap)
            if self._due.get(key) == due:
                del self._due[key]
                self._advance(key, now)

    async def _wait(self) -> None:
        """Block until something new is told, or the next step is due."""
        if not self._heap:
            await self._wake.wait()
            return
        try:
            async with asyncio.timeout(max(0.0, self._heap[0][0] - self._clock.now())):
                await self._wake.wait()
        except TimeoutError:
            return

    def _schedule(self, key: Key, due: float) -> None:
        if due < self._due.get(key, float("inf")):
            self._due[key] = due
            heapq.heappush(self._heap, (due, next(self._order), key))
            self._wake.set()

    def _advance(self, key: Key, now: float) -> None:
        life = self._lives.get(key)
        if life is None or self._is_reporting(key, life) or self._profile().is_silent(life.pod.spec.node_name):
            return
        progress = life.advance(self._profile(), now)
        self._tell(key, life, progress)
        if progress.status is not None:
            self._report(key, life, progress)
        if progress.ended:
            self._remove(key, life)
        if progress.due is not None:
            self._schedule(key, progress.due)

    def _is_reporting(self, key: Key, life: PodLife) -> bool:
        """Tell whether the watch has yet to show our last report; its event will bring the next look."""
        return key in self._reporting or self._awaited.get(key, 0) > int(life.pod.metadata.resource_version or 0)

    def _report(self, key: Key, life: PodLife, progress: Progress) -> None:
        """Send the status; a conflict means the pod has changed, and its event brings the next look."""
        pod = Pod()
        pod.CopyFrom(life.pod)
        pod.ClearField("spec")
        pod.status.CopyFrom(progress.status or pod.status)
        if progress.obeyed:
            pod.metadata.annotations.pop(COMMAND_ANNOTATION, None)
        if not progress.ended:
            self._reporting.add(key)
        self._submit(key, UpdateStatus(Encoded.of(pod), OPTIONS))

    def _remove(self, key: Key, life: PodLife) -> None:
        uid = life.pod.metadata.uid
        self._submit(key, Delete(key, 0, preconditions=Preconditions(uid=uid), options=OPTIONS))

    def _submit(self, key: Key, write: Write) -> None:
        try:
            future = self._writer.submit(write)
        except RollplaneError as exc:
            self._answered(key, exc)
            return
        future.add_done_callback(lambda done: None if done.cancelled() else self._answered(key, done.result()))

    def _answered(self, key: Key, answer: Answer) -> None:
        self._reporting.discard(key)
        if isinstance(answer, WriteResult):
            self._reported(key, answer)
            return
        if isinstance(answer, NotFoundError):
            return
        if not isinstance(answer, ConflictError):
            log.warning("not reported", extra={"object": str(key), "detail": answer.message})
        self._schedule(key, self._clock.now() + RETRY_SECONDS)

    def _reported(self, key: Key, result: WriteResult) -> None:
        """Wait for the watch to show the report; if it has already, the look that was skipped then is due now."""
        life = self._lives.get(key)
        if life is None or result.removed:
            return
        self._awaited[key] = result.revision
        if not self._is_reporting(key, life):
            self._schedule(key, self._clock.now())

    def _tell(self, key: Key, life: PodLife, progress: Progress) -> None:
        quiet = self._profile().quiet
        for note in progress.notes:
            if note.warning or not quiet:
                self._writer.record(Update(Encoded.of(self._event(key, life, note)), OPTIONS))

    def _event(self, key: Key, life: PodLife, note: Note) -> Event:
        now = self._clock.now()
        reference = ObjectReference(
            kind=POD.name,
            api_version=POD.api_version,
            namespace=key.namespace,
            name=key.name,
            uid=life.pod.metadata.uid,
        )
        event = Event(
            involved_object=reference,
            reason=note.reason,
            message=note.message,
            type="Warning" if note.warning else "Normal",
            first_timestamp=Time(seconds=int(now)),
            last_timestamp=Time(seconds=int(now)),
            count=1,
        )
        event.metadata.namespace, event.metadata.name = (
            key.namespace,
            f"{key.name}.{next(self._order):x}{int(now * 1e9):x}",
        )
        event.source.component, event.source.host = MANAGER, life.pod.spec.node_name
        return event

    def _pods_of(self, node: str) -> PodAddresses:
        return self._addresses.setdefault(node, PodAddresses(self._nodes[node]))

    def _place(self, pod: Pod) -> Place:
        """Return where a pod runs: what its status says already, else a fresh address."""
        node = pod.spec.node_name
        host, addresses = node_address(self._nodes[node]), self._pods_of(node)
        if pod.spec.host_network:
            return Place(host, host, self._clock.now())
        if pod.status.pod_ip:
            addresses.hold(pod.status.pod_ip)
            return Place(host, pod.status.pod_ip, self._clock.now())
        return Place(host, addresses.take(), self._clock.now())
