"""The garbage collector's shell: it follows deletions to dependents, and finishes foreground and orphaning deletions.

Who owns whom is asked of ``Owners``; absence is never taken from the cache. Nothing but metadata is read or written: of
some kinds there is no more in the cache.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from rollplane.meta.v1 import ObjectMeta
from rollplane_controller.reconcile.observer import Observer
from rollplane_controller.reconcile.owners import Owners, waits
from rollplane_controller.reconcile.reconciler import Failure, Look, Pace, Reconciler, Wake
from rollplane_controller.reconcile.views import View
from rollplane_controller.shards import GARBAGE_COLLECTOR
from rollplane_machinery.api import EventType, Key, ObjectApi
from rollplane_machinery.clock import Clock
from rollplane_machinery.kinds import Kind, metadata_of
from rollplane_machinery.well_known import FOREGROUND, ORPHAN
from rollplane_planners.garbage import (
    Collect,
    Detach,
    Standing,
    detach,
    drop_finalizer,
    judge,
    unblock,
)
from rollplane_planners.model import NOTHING, DeleteObject, Plan, PlannedWrite, UpdateMetadata

RECHECK_SECONDS = 60.0
_NO_OWNERS: tuple[str, ...] = ()


class GarbageCollector(Reconciler):
    """Collects what has lost its owners."""

    name = "generic-garbage-collector"
    shard = GARBAGE_COLLECTOR
    pace = Pace(round=256)

    def __init__(self, observer: Observer, kinds: Iterable[Kind], api: ObjectApi, clock: Clock) -> None:
        super().__init__(observer)
        self._kinds = tuple(kinds)
        self._owners = Owners(observer, api, clock)
        self._owned: Counter[str] = Counter()
        """How many objects each owner has, by its uid: most that go have none."""

    def attach(self, wake: Wake) -> None:
        self._wake = wake
        for kind in self._kinds:
            self._observer.informer.add_handler(kind, self._on_change)

    def all_keys(self) -> Iterator[Key]:
        """Yield everything that lacks an owner or is being deleted."""
        for kind in self._kinds:
            for key, view in self._observer.informer.items(kind):
                if self._owners.is_lacking(view) or _has_work(view):
                    yield key

    # What the informer tells.

    def _on_change(self, type_: EventType, key: Key, old: View | None, new: View | None) -> None:
        before, after = _NO_OWNERS if old is None else old.owner_uids, _NO_OWNERS if new is None else new.owner_uids
        if before != after:
            self._count(before, after)
        if old is not None and (new is None or new.uid != old.uid):
            self._owners.forget(old.uid)
            self._wake_dependents(old)
            self._wake_waiting(old.owner_uids)
            old = None
        if new is None:
            return
        self._owners.note(new.uid, key)
        if old is not None and (before != after or old.blocked_uids != new.blocked_uids):
            # Whoever orphans waits until every dependent is cut loose, also one that does not block.
            self._wake_waiting(old.owner_uids)
        owned_anew = old is None or before != after
        if _has_work(new) or (owned_anew and self._owners.is_lacking(new)):
            self._wake(key)

    def _count(self, before: Iterable[str], after: Iterable[str]) -> None:
        for uid in before:
            self._owned[uid] -= 1
            if not self._owned[uid]:
                del self._owned[uid]
        for uid in after:
            self._owned[uid] += 1

    def _wake_dependents(self, gone: View) -> None:
        if gone.uid in self._owned:
            for key, _ in self._dependents(gone.uid):
                self._wake(key)

    def _wake_waiting(self, owner_uids: Iterable[str]) -> None:
        """Wake those owners that are being deleted: they may have waited for what has just changed."""
        for uid in owner_uids:
            found = self._owners.find(uid)
            if found is not None and _has_work(found[1]):
                self._wake(found[0])

    def _dependents(self, uid: str) -> Iterator[tuple[Key, View]]:
        for kind in self._observer.informer.present(self._kinds):
            yield from self._observer.dependents(kind, uid)

    # What is done.

    def plan(self, key: Key, failure: Failure | None, now: float) -> Plan | Look:
        view = self._observer.informer.get(key)
        encoded = self._observer.informer.encoded(key)
        if view is None or encoded is None:
            return NOTHING
        metadata = metadata_of(encoded.value)
        if view.terminating and ORPHAN in view.finalizers:
            return Plan(self._orphan(key.kind, view, metadata))
        if waits(view):
            return Plan(self._advance_foreground(key.kind, view, metadata))
        unseen = self._owners.unseen(metadata, key.namespace)
        if self._owners.are_alive(unseen):
            return self._judged(key, view, metadata, unseen)
        return partial(self._look_and_judge, key, unseen)

    async def _look_and_judge(self, key: Key, unseen: Mapping[str, Key]) -> Plan:
        """Look its owners up, then judge by what the cache shows by now."""
        await self._owners.look_up(unseen)
        view = self._observer.informer.get(key)
        encoded = self._observer.informer.encoded(key)
        if view is None or encoded is None:
            return NOTHING
        metadata = metadata_of(encoded.value)
        unseen = self._owners.unseen(metadata, key.namespace)
        return self._judged(key, view, metadata, unseen) if self._owners.are_alive(unseen) else Plan(retry=True)

    def _judged(self, key: Key, view: View, metadata: ObjectMeta, unseen: Mapping[str, Key]) -> Plan:
        """Judge; an owner not in the cache is of a kind not watched, or younger: nothing will tell when it goes."""
        return Plan(self._judge(key, view, metadata), requeue_after=RECHECK_SECONDS if unseen else None)

    def _judge(self, key: Key, view: View, metadata: ObjectMeta) -> list[PlannedWrite]:
        standings = [self._owners.standing(one.uid, key.namespace) for one in metadata.owner_references]
        has_dependents = any(True for _ in self._dependents(view.uid))
        in_circle = Standing.WAITING in standings and self._owners.is_in_circle(view)
        match judge(metadata, standings, has_dependents=has_dependents, in_circle=in_circle):
            case Detach(uids):
                return [_detached(key.kind, metadata, uids)]
            case Collect(propagation, unblock_first):
                first = [_unblocked(key.kind, metadata)] if unblock_first and view.blocked_uids else []
                deletion = DeleteObject(key.kind, key.namespace, key.name, view.uid, propagation=propagation)
                return [*first, deletion]
            case _:
                return []

    def _orphan(self, kind: Kind, view: View, metadata: ObjectMeta) -> list[PlannedWrite]:
        """Cut the dependents loose first; the finalizer goes once none is left."""
        writes: list[PlannedWrite] = []
        for dependent, _ in self._dependents(view.uid):
            encoded = self._observer.informer.encoded(dependent)
            if encoded is not None:
                writes.append(_detached(dependent.kind, metadata_of(encoded.value), frozenset({view.uid})))
        return writes or [_without_finalizer(kind, metadata, ORPHAN)]

    def _advance_foreground(self, kind: Kind, view: View, metadata: ObjectMeta) -> list[PlannedWrite]:
        """Have the dependents judged; the finalizer goes once none is left that blocks."""
        blocking = False
        for dependent, seen in self._dependents(view.uid):
            blocking = blocking or view.uid in seen.blocked_uids
            if not seen.terminating:
                self._wake(dependent)
        if not blocking:
            return [_without_finalizer(kind, metadata, FOREGROUND)]
        if view.blocked_uids and self._owners.is_in_circle(view):
            return [_unblocked(kind, metadata)]
        return []


def _has_work(view: View) -> bool:
    return view.terminating and (FOREGROUND in view.finalizers or ORPHAN in view.finalizers)


def _detached(kind: Kind, metadata: ObjectMeta, uids: frozenset[str]) -> UpdateMetadata:
    detach(metadata, uids)
    return UpdateMetadata(kind, metadata, regardless=True)


def _unblocked(kind: Kind, metadata: ObjectMeta) -> UpdateMetadata:
    unblock(metadata)
    return UpdateMetadata(kind, metadata)


def _without_finalizer(kind: Kind, metadata: ObjectMeta, finalizer: str) -> UpdateMetadata:
    drop_finalizer(metadata, finalizer)
    return UpdateMetadata(kind, metadata)
