"""The shell for CustomResourceDefinitions: it empties those that are being deleted, and gives free names to who waits.

Everything is looked at live. Objects that have finalizers of their own are waited for.

Source: kubernetes/apiextensions-apiserver pkg/controller/finalizer/crd_finalizer.go and status/naming_controller.go.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from functools import partial

from rollplane.stored.v1 import StoredObject
from rollplane_client.backoff import Backoff
from rollplane_client.customs import read_definitions
from rollplane_controller.reconcile.observer import Observer
from rollplane_controller.reconcile.reconciler import Failure, Look, Pace, Reconciler, Wake
from rollplane_controller.reconcile.views import View
from rollplane_controller.shards import CLUSTER
from rollplane_machinery.api import (
    DeleteCollection,
    EventType,
    Fence,
    FieldValidation,
    Key,
    ListQuery,
    ObjectApi,
    Update,
    UpdateStatus,
    WriteOptions,
)
from rollplane_machinery.clock import Clock
from rollplane_machinery.definitions import CLEANUP_FINALIZER, NAMES_ACCEPTED, read_custom
from rollplane_machinery.errors import ConflictError, NotFoundError
from rollplane_machinery.kinds import ANY_CUSTOM, CUSTOM_RESOURCE_DEFINITION, Encoded, by_resource
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.releases import Release
from rollplane_machinery.stored import document_of
from rollplane_planners.model import NOTHING, Plan
from rollplane_rules.registry.definitions import end_deletion, has_condition, settle_names

log = logging.getLogger(__name__)


class DefinitionReconciler(Reconciler):
    """Serves the finalizer of definitions; ``fence`` returns its shard's fence, None while that is another's."""

    kind = CUSTOM_RESOURCE_DEFINITION
    shard = CLUSTER
    pace = Pace(backoff=Backoff(base_seconds=1.0, cap_seconds=15.0, spread=0.0), looks=4, look_seconds=300.0)

    def __init__(
        self, observer: Observer, release: Release, api: ObjectApi, clock: Clock, fence: Callable[[], Fence | None]
    ) -> None:
        super().__init__(observer, release)
        self._api = api
        self._clock = clock
        self._fence = fence

    def attach(self, wake: Wake) -> None:
        self._wake = wake
        self._observer.informer.add_handler(CUSTOM_RESOURCE_DEFINITION, self._on_definition)
        self._observer.informer.add_handler(ANY_CUSTOM, self._on_object)

    def all_keys(self) -> Iterator[Key]:
        """Yield every definition."""
        yield from (key for key, _ in self._observer.informer.items(CUSTOM_RESOURCE_DEFINITION))

    # What the informer tells.

    def _on_definition(self, _type: EventType, key: Key, _old: View | None, new: View | None) -> None:
        if new is not None:
            self._wake(key)
            return
        group = key.name.partition(".")[2]
        for other, _ in self._observer.informer.items(CUSTOM_RESOURCE_DEFINITION):
            if other.name.partition(".")[2] == group:
                self._wake(other)  # its names may be free now

    def _on_object(self, type_: EventType, key: Key, _old: View | None, _new: View | None) -> None:
        definition = Key(CUSTOM_RESOURCE_DEFINITION, "", key.kind.resource)
        if type_ is EventType.DELETED and self._observer.informer.get(definition) is not None:
            self._wake(definition)

    # What is done.

    def plan(self, key: Key, failure: Failure | None, now: float) -> Plan | Look:
        fence = self._fence()
        return NOTHING if fence is None else partial(self._look, key, self._options(fence))

    def _options(self, fence: Fence) -> WriteOptions:
        """A definition that holds what nobody knows, stored before that was refused, can still be served and go."""
        return WriteOptions(self.name, fence=fence, field_validation=FieldValidation.IGNORE)

    async def _look(self, key: Key, options: WriteOptions) -> Plan:
        try:
            definition = (await self._api.get(key)).read_as(StoredObject)
            if is_being_deleted(definition.metadata):
                return Plan(retry=not await self._empty(definition, options))
            await self._name(definition, options)
        except (NotFoundError, ConflictError):
            return NOTHING  # the next event tells
        return NOTHING

    async def _empty(self, definition: StoredObject, options: WriteOptions) -> bool:
        """Delete the objects of a definition, and let it go when none is left; tell whether that is so."""
        if CLEANUP_FINALIZER not in definition.metadata.finalizers:
            return True
        kind = by_resource(definition.metadata.name)
        try:
            if (await self._api.list(ListQuery(kind, limit=1))).objects:
                await self._api.delete_collection(DeleteCollection(kind, options=options))
            left = (await self._api.list(ListQuery(kind, limit=1))).objects
        except NotFoundError:
            left = []  # its names are another's: it never had any
        if not left:
            await self._let_go(definition, options)
        return not left

    async def _let_go(self, definition: StoredObject, options: WriteOptions) -> None:
        end_deletion(definition, self._clock.now())
        result = await self._api.write(UpdateStatus(Encoded.of(definition), options))
        if result.object is None:
            return
        told = result.object.read_as(StoredObject)
        kept = [each for each in told.metadata.finalizers if each != CLEANUP_FINALIZER]
        del told.metadata.finalizers[:]
        told.metadata.finalizers.extend(kept)
        await self._api.write(Update(Encoded.of(told), options))
        log.info("definition emptied", extra={"object": definition.metadata.name})

    async def _name(self, definition: StoredObject, options: WriteOptions) -> None:
        """Give it the names that it wished for, where another had them, and has them no more."""
        status = document_of(definition).get("status") or {}
        if has_condition(status, NAMES_ACCEPTED):
            return
        others = [read_custom(each, self._release) for each in await read_definitions(self._api)]
        settle_names(definition, others, self._clock.now())
        if (document_of(definition).get("status") or {}) != status:
            await self._api.write(UpdateStatus(Encoded.of(definition), options))
