"""The namespace controller's shell: empties a namespace that is being deleted, then lets it go.

A terminating namespace is sealed, so what is found gone stays gone. Everything is looked at live. Pods end gracefully,
and whatever has finalizers of its own is waited for; the namespace's conditions say for what.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Callable, Sequence

from rollplane.core.v1 import Namespace
from rollplane_client.backoff import Backoff
from rollplane_client.work_queue import WorkQueue
from rollplane_controller.reconcile.observer import BY_NAMESPACE, Observer
from rollplane_controller.reconcile.views import View
from rollplane_machinery.api import (
    DeleteCollection,
    EventType,
    Fence,
    Key,
    ListQuery,
    ObjectApi,
    Patch,
    PatchType,
    Propagation,
    UpdateStatus,
    WriteOptions,
)
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import ConflictError, NotFoundError, RollplaneError
from rollplane_machinery.kinds import NAMESPACE, Encoded, Kind
from rollplane_machinery.metadata import is_being_deleted
from rollplane_planners.namespace import CONTENT, Remainder, may_go, other_finalizers, with_conditions

log = logging.getLogger(__name__)

NAME = "namespace-controller"
ROUND = 8
"""Most namespaces emptied at a time."""
RETRY = Backoff(base_seconds=1.0, cap_seconds=15.0, spread=0.0)
SAMPLE = 100
"""Most objects of a kind looked at for their finalizers."""


class NamespaceController:
    """Serves the finalizer ``kubernetes``; ``fence`` returns its shard's fence, None while that is another's."""

    def __init__(
        self,
        observer: Observer,
        kinds: Sequence[Kind],
        api: ObjectApi,
        *,
        clock: Clock,
        fence: Callable[[], Fence | None],
    ) -> None:
        self._observer = observer
        self._kinds = tuple(kind for kind in kinds if kind.namespaced)
        self._api = api
        self._clock = clock
        self._fence = fence
        self.queue: WorkQueue[Key] = WorkQueue(clock=clock, backoff=RETRY)

    def attach(self) -> None:
        """Register with the informer; to be called before it runs."""
        self._observer.informer.add_handler(NAMESPACE, self._on_namespace)
        for kind in self._kinds:
            self._observer.informer.add_handler(kind, self._on_content)

    def wake_all(self) -> None:
        """Look at every namespace that is being deleted, as after the shard has been acquired."""
        for key, view in self._observer.informer.items(NAMESPACE):
            if view.terminating:
                self.queue.add(key)

    async def run(self) -> None:
        """Empty namespaces until cancelled."""
        await self._observer.informer.synced.wait()
        self.wake_all()
        while keys := await self.queue.take(ROUND):
            await asyncio.gather(*(self._process(key) for key in keys))

    # What the informer tells.

    def _on_namespace(self, _type: EventType, key: Key, _old: View | None, new: View | None) -> None:
        if new is not None and new.terminating:
            self.queue.add(key)

    def _on_content(self, type_: EventType, key: Key, _old: View | None, _new: View | None) -> None:
        """Wake a terminating namespace once the last object that we can see has gone."""
        if type_ is not EventType.DELETED:
            return
        namespace = Key(NAMESPACE, "", key.namespace)
        view = self._observer.informer.get(namespace)
        if view is not None and view.terminating and self._looks_empty(key.namespace):
            self.queue.add(namespace)

    def _looks_empty(self, namespace: str) -> bool:
        return not any(self._observer.informer.indexed(kind, BY_NAMESPACE, namespace) for kind in self._kinds)

    # What is done.

    async def _process(self, key: Key) -> None:
        fence = self._fence()
        if fence is None:
            self.queue.done(key)
            return
        try:
            finished = await self._empty(key, WriteOptions(NAME, fence=fence))
        except NotFoundError:
            finished = True
        except RollplaneError as exc:
            log.warning("namespace not emptied", extra={"object": str(key), "detail": exc.message})
            finished = False
        if finished:
            self.queue.done(key)
        else:
            self.queue.failed(key)

    async def _empty(self, key: Key, options: WriteOptions) -> bool:
        """Delete what there is and tell whether nothing is left to be done; raises what the Api raises."""
        namespace = (await self._api.get(key)).parse()
        if not isinstance(namespace, Namespace) or not is_being_deleted(namespace.metadata):
            return True
        left = [one for kind in CONTENT if (one := await self._delete(kind, key.name, options)) is not None]
        await self._show(namespace, left, options)
        if may_go(namespace, left):
            await self._let_go(key, namespace, options)
        return not left

    async def _delete(self, kind: Kind, namespace: str, options: WriteOptions) -> Remainder | None:
        """Delete all of a kind; return what is left of it, None for nothing."""
        if await self._remainder(kind, namespace) is None:
            return None
        request = DeleteCollection(kind, namespace, propagation=Propagation.BACKGROUND, options=options)
        try:
            await self._api.delete_collection(request)
        except (ConflictError, NotFoundError):
            log.debug("deleted meanwhile by others", extra={"kind": kind.resource, "namespace": namespace})
        return await self._remainder(kind, namespace)

    async def _remainder(self, kind: Kind, namespace: str) -> Remainder | None:
        page = await self._api.list(ListQuery(kind, namespace, limit=SAMPLE))
        if not page.objects:
            return None
        finalizers = Counter(one for encoded in page.objects for one in encoded.parse().metadata.finalizers)
        return Remainder(kind, len(page.objects) + page.remaining_item_count, finalizers)

    async def _show(self, namespace: Namespace, left: Sequence[Remainder], options: WriteOptions) -> None:
        """Write what is left into the namespace's conditions; one that simply goes needs none."""
        if not left and not namespace.status.conditions:
            return
        wanted = with_conditions(namespace, left, self._clock.now())
        wanted.metadata.ClearField("resource_version")
        if wanted.status != namespace.status:
            await self._api.write(UpdateStatus(Encoded.of(wanted), options))

    async def _let_go(self, key: Key, namespace: Namespace, options: WriteOptions) -> None:
        """Remove our finalizer; without others the namespace is gone then."""
        document = {"metadata": {"uid": namespace.metadata.uid}, "spec": {"finalizers": other_finalizers(namespace)}}
        patch = json.dumps(document).encode()
        await self._api.write(Patch(key, PatchType.MERGE, patch, subresource="finalize", options=options))
        log.info("namespace emptied", extra={"object": str(key)})
