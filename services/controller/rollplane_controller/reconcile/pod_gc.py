"""The pod garbage collector's shell: a sweep each twenty seconds, and a live look before a node counts as gone."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping

from rollplane.core.v1 import Node
from rollplane_client.batch_writer import BatchWriter
from rollplane_client.work_queue import WorkQueue
from rollplane_controller.reconcile.observer import Observer
from rollplane_controller.reconcile.views import WatchedPod
from rollplane_machinery.api import Delete, Fence, Key, ObjectApi, Preconditions, WriteOptions
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import ConflictError, NotFoundError, RollplaneError
from rollplane_machinery.kinds import NODE, POD
from rollplane_planners.pod_gc import is_out_of_service, plan_sweep
from rollplane_planners.pods import PodView

log = logging.getLogger(__name__)

NAME = "pod-garbage-collector"
SWEEP_SECONDS = 20.0
SWEEP = Key(POD, "", "")
"""The one key of the queue: all pods."""


class PodGarbageCollector:
    """Force-deletes pods that nobody else will; ``fence`` returns its shard's fence, None while that is another's."""

    def __init__(
        self,
        observer: Observer,
        api: ObjectApi,
        writer: BatchWriter,
        *,
        clock: Clock,
        fence: Callable[[], Fence | None],
    ) -> None:
        self._observer = observer
        self._api = api
        self._writer = writer
        self._clock = clock
        self._fence = fence
        self._missing_since: Mapping[str, float] = {}
        self.queue: WorkQueue[Key] = WorkQueue(clock=clock)

    def attach(self) -> None:
        """Nothing: it looks at everything each time."""

    def wake_all(self) -> None:
        """Sweep now, and from then on regularly."""
        self.queue.add(SWEEP)

    async def run(self) -> None:
        """Sweep until cancelled."""
        await self._observer.informer.synced.wait()
        self.wake_all()
        while await self.queue.take():
            fence = self._fence()
            if fence is not None:
                await self._sweep(fence)
                self.queue.add_after(SWEEP, SWEEP_SECONDS)
            self.queue.done(SWEEP)

    async def _sweep(self, fence: Fence) -> None:
        informer = self._observer.informer
        pods = [view.pod for _, view in informer.items(POD) if isinstance(view, WatchedPod)]
        nodes = frozenset(key.name for key, _ in informer.items(NODE))
        closed = self._out_of_service({pod.node_name for pod in pods if pod.terminating})
        sweep = plan_sweep(pods, nodes, self._missing_since, self._clock.monotonic(), out_of_service=closed)
        self._missing_since = sweep.missing_since
        doomed = list(sweep.doomed)
        for node, stranded in sweep.lost.items():
            if await self._is_gone(node):
                doomed.extend(stranded)
        await self._delete(doomed, WriteOptions(NAME, fence=fence, omit_object=True))

    def _out_of_service(self, names: Iterable[str]) -> frozenset[str]:
        found = ((name, self._observer.message(Key(NODE, "", name), Node)) for name in names)
        return frozenset(name for name, node in found if node is not None and is_out_of_service(node))

    async def _is_gone(self, node: str) -> bool:
        """Tell whether a node, read live, does not exist; one that cannot be read may exist."""
        try:
            await self._api.get(Key(NODE, "", node))
        except NotFoundError:
            return True
        except RollplaneError as exc:
            log.warning("node not read", extra={"object": node, "detail": exc.message})
        return False

    async def _delete(self, pods: Iterable[PodView], options: WriteOptions) -> None:
        """Remove pods at once, without their kubelets; what fails is found again by the next sweep."""
        writes = [
            Delete(Key(POD, pod.namespace, pod.name), 0, preconditions=Preconditions(uid=pod.uid), options=options)
            for pod in pods
        ]
        for write, answer in zip(writes, await self._writer.apply(writes), strict=True):
            if isinstance(answer, RollplaneError) and not isinstance(answer, NotFoundError | ConflictError):
                log.warning("not collected", extra={"object": str(write.key), "detail": answer.message})
        if writes:
            log.info("pods collected", extra={"pods": len(writes)})
