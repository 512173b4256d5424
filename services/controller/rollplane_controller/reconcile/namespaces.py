"""The namespace controller's shell: empties a namespace that is being deleted, then lets it go.

A terminating namespace is sealed, so what is found gone stays gone. Everything is looked at live. Pods end gracefully,
and whatever has finalizers of its own is waited for; the namespace's conditions say for what.
"""

from __future__ import annotations

import json
import logging
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial

from rollplane.core.v1 import Namespace
from rollplane_client.backoff import Backoff
from rollplane_client.customs import read_all
from rollplane_controller.reconcile.observer import BY_NAMESPACE, Observer
from rollplane_controller.reconcile.reconciler import Failure, Look, Pace, Reconciler, Wake
from rollplane_controller.reconcile.views import View
from rollplane_controller.shards import CLUSTER
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
from rollplane_machinery.errors import ConflictError, FencedError, NotFoundError, RollplaneError
from rollplane_machinery.kinds import NAMESPACE, Encoded, Kind
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.releases import Release
from rollplane_planners.model import NOTHING, Plan
from rollplane_planners.namespace import CONTENT, Remainder, deleted_first, may_go, other_finalizers, with_conditions

log = logging.getLogger(__name__)

SAMPLE = 100
"""Most objects of a kind looked at for their finalizers."""


@dataclass(slots=True)
class _Found:
    """What is left of a namespace's content after all was to be deleted, and which kinds' deletions failed."""

    left: list[Remainder] = field(default_factory=list)
    failures: list[RollplaneError] = field(default_factory=list)


class NamespaceController(Reconciler):
    """Serves the finalizer ``kubernetes``; ``fence`` returns its shard's fence, None while that is another's."""

    kind = NAMESPACE
    shard = CLUSTER
    pace = Pace(backoff=Backoff(base_seconds=1.0, cap_seconds=15.0, spread=0.0), looks=8, look_seconds=300.0)

    def __init__(
        self,
        observer: Observer,
        release: Release,
        kinds: Sequence[Kind],
        api: ObjectApi,
        clock: Clock,
        fence: Callable[[], Fence | None],
    ) -> None:
        super().__init__(observer, release)
        self._kinds = tuple(kind for kind in kinds if kind.namespaced)
        self._api = api
        self._clock = clock
        self._fence = fence

    def attach(self, wake: Wake) -> None:
        self._wake = wake
        self._observer.informer.add_handler(NAMESPACE, self._on_namespace)
        for kind in self._kinds:
            self._observer.informer.add_handler(kind, self._on_content)

    def all_keys(self) -> Iterator[Key]:
        """Yield every namespace that is being deleted."""
        yield from (key for key, view in self._observer.informer.items(NAMESPACE) if view.terminating)

    # What the informer tells.

    def _on_namespace(self, _type: EventType, key: Key, _old: View | None, new: View | None) -> None:
        if new is not None and new.terminating:
            self._wake(key)

    def _on_content(self, type_: EventType, key: Key, _old: View | None, _new: View | None) -> None:
        """Wake a terminating namespace once the last object of a kind has gone: others may have waited for it."""
        if type_ is not EventType.DELETED:
            return
        namespace = Key(NAMESPACE, "", key.namespace)
        view = self._observer.informer.get(namespace)
        if (
            view is not None
            and view.terminating
            and not self._observer.informer.indexed(key.kind, BY_NAMESPACE, key.namespace)
        ):
            self._wake(namespace)

    # What is done.

    def plan(self, key: Key, failure: Failure | None, now: float) -> Plan | Look:
        fence = self._fence()
        return NOTHING if fence is None else partial(self._look, key, WriteOptions(self.name, fence=fence))

    async def _look(self, key: Key, options: WriteOptions) -> Plan:
        """Empty the namespace as far as it goes, and come back while anything is left."""
        try:
            return Plan(retry=not await self._empty(key, options))
        except NotFoundError:
            return NOTHING

    async def _empty(self, key: Key, options: WriteOptions) -> bool:
        """Delete what there is and tell whether nothing is left to be done.

        What cannot be deleted keeps nothing else from it, but for pods that go first. Raises what the Api raises: the
        first failure of a deletion once the namespace's conditions tell of all.
        """
        namespace = (await self._api.get(key)).parse()
        if not isinstance(namespace, Namespace) or not is_being_deleted(namespace.metadata):
            return True
        first = deleted_first(self._release)
        found = await self._delete_all(first, key.name, options)
        if not found.left and not found.failures:
            rest = [kind for kind in CONTENT if kind not in first]
            customs = [kind for kind in (await read_all(self._api)).kinds if kind.namespaced]
            found = await self._delete_all([*rest, *customs], key.name, options)
        await self._show(namespace, found, options)
        if found.failures:
            raise found.failures[0]
        if may_go(namespace, found.left):
            await self._let_go(key, namespace, options)
        return not found.left

    async def _delete_all(self, kinds: Sequence[Kind], namespace: str, options: WriteOptions) -> _Found:
        found = _Found()
        for kind in kinds:
            await self._delete(kind, namespace, options, found)
        return found

    async def _delete(self, kind: Kind, namespace: str, options: WriteOptions, found: _Found) -> None:
        """Delete all of a kind; note what is left of it, and what went wrong."""
        left = None
        try:
            left = await self._remainder(kind, namespace)
            if left is not None:
                await self._delete_collection(kind, namespace, options)
                left = await self._remainder(kind, namespace)
        except FencedError:
            raise
        except RollplaneError as exc:
            found.failures.append(exc)
        if left is not None:
            found.left.append(left)

    async def _delete_collection(self, kind: Kind, namespace: str, options: WriteOptions) -> None:
        request = DeleteCollection(kind, namespace, propagation=Propagation.BACKGROUND, options=options)
        try:
            await self._api.delete_collection(request)
        except (ConflictError, NotFoundError):
            log.debug("deleted meanwhile by others", extra={"kind": kind.resource, "namespace": namespace})

    async def _remainder(self, kind: Kind, namespace: str) -> Remainder | None:
        page = await self._api.list(ListQuery(kind, namespace, limit=SAMPLE))
        if not page.objects:
            return None
        finalizers = Counter(one for encoded in page.objects for one in encoded.parse().metadata.finalizers)
        return Remainder(kind, len(page.objects) + page.remaining_item_count, finalizers)

    async def _show(self, namespace: Namespace, found: _Found, options: WriteOptions) -> None:
        """Write what is left, and what went wrong, into the namespace's conditions; one that simply goes needs none."""
        if not found.left and not found.failures and not namespace.status.conditions:
            return
        wanted = with_conditions(namespace, found.left, [str(one) for one in found.failures], self._clock.now())
        wanted.metadata.ClearField("resource_version")
        if wanted.status != namespace.status:
            await self._api.write(UpdateStatus(Encoded.of(wanted), options))

    async def _let_go(self, key: Key, namespace: Namespace, options: WriteOptions) -> None:
        """Remove our finalizer; without others the namespace is gone then."""
        document = {"metadata": {"uid": namespace.metadata.uid}, "spec": {"finalizers": other_finalizers(namespace)}}
        patch = json.dumps(document).encode()
        await self._api.write(Patch(key, PatchType.MERGE, patch, subresource="finalize", options=options))
        log.info("namespace emptied", extra={"object": str(key)})
