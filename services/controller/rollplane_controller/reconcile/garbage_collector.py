"""The garbage collector's shell: it follows deletions to dependents, and finishes foreground and orphaning deletions.

Absence is never taken from the cache: an owner that the cache does not know is read live, once for each uid.
"""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator

from rollplane.meta.v1 import OwnerReference
from rollplane_client.batch_writer import Answer, BatchWriter
from rollplane_client.work_queue import WorkQueue
from rollplane_controller.plan.garbage import (
    FOREGROUND,
    ORPHAN,
    Collect,
    Detach,
    Standing,
    judge,
    without_references,
)
from rollplane_controller.reconcile.observer import BY_OWNER, Observer
from rollplane_controller.reconcile.views import View
from rollplane_machinery.api import (
    Delete,
    EventType,
    Fence,
    Key,
    ObjectApi,
    Preconditions,
    Propagation,
    Update,
    Write,
    WriteOptions,
    WriteResult,
)
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import ConflictError, NotFoundError, RollplaneError
from rollplane_machinery.kinds import BY_API_VERSION_KIND, ApiObject, Encoded, Kind

log = logging.getLogger(__name__)

NAME = "generic-garbage-collector"
ROUND = 256
LIVE_READS = 16
"""Most owners read live at a time."""
REMEMBERED_UIDS = 4096


class GarbageCollector:
    """Collects what has lost its owners; ``fence`` returns its shard's fence, None while another process owns it."""

    def __init__(
        self,
        observer: Observer,
        kinds: Iterable[Kind],
        api: ObjectApi,
        writer: BatchWriter,
        *,
        clock: Clock,
        fence: Callable[[], Fence | None],
    ) -> None:
        self._observer = observer
        self._kinds = tuple(kinds)
        self._api = api
        self._writer = writer
        self._fence = fence
        self._present: dict[str, Key] = {}
        self._absent: OrderedDict[str, None] = OrderedDict()
        self.queue: WorkQueue[Key] = WorkQueue(clock=clock)

    def attach(self) -> None:
        """Register with the informer; to be called before it runs."""
        for kind in self._kinds:
            self._observer.informer.add_handler(kind, self._on_change)

    def wake_all(self) -> None:
        """Look at everything that has owners or is being deleted, as after the shard has been acquired."""
        for kind in self._kinds:
            for key, view in self._observer.informer.items(kind):
                if view.owner_uids or view.terminating:
                    self.queue.add(key)

    async def run(self) -> None:
        """Collect until cancelled."""
        await self._observer.informer.synced.wait()
        self.wake_all()
        while keys := await self.queue.take(ROUND):
            fence = self._fence()
            if fence is not None:
                await self._confirm_absences(keys)
            for key in keys:
                self._process(key, fence)
            await asyncio.sleep(0)

    # What the informer tells.

    def _on_change(self, type_: EventType, key: Key, old: View | None, new: View | None) -> None:
        if old is not None and (new is None or new.uid != old.uid):
            self._present.pop(old.uid, None)
            self._wake_around(old)
        if new is None:
            return
        self._present[new.uid] = key
        changed_owners = old is None or old.owner_uids != new.owner_uids
        if (new.owner_uids and changed_owners and not self._all_present(new)) or self._has_work(new):
            self.queue.add(key)

    def _wake_around(self, gone: View) -> None:
        """Wake the dependents of what has gone, and owners that may have waited for it."""
        for key, _ in self._dependents(gone.uid):
            self.queue.add(key)
        for uid in gone.owner_uids:
            owner = self._present.get(uid)
            view = self._observer.informer.get(owner) if owner else None
            if owner and view is not None and view.terminating:
                self.queue.add(owner)

    def _all_present(self, view: View) -> bool:
        return all(uid in self._present for uid in view.owner_uids)

    def _has_work(self, view: View) -> bool:
        return view.terminating and (FOREGROUND in view.finalizers or ORPHAN in view.finalizers)

    def _dependents(self, uid: str) -> Iterator[tuple[Key, View]]:
        for kind in self._kinds:
            yield from self._observer.informer.indexed(kind, BY_OWNER, uid).items()

    # What is known of owners.

    def _unknown_owners(self, keys: Iterable[Key]) -> dict[str, Key]:
        """Return the owners, by uid, that neither the cache nor an earlier look knows."""
        unknown: dict[str, Key] = {}
        for key in keys:
            for reference in self._references(key):
                owner = _owner_key(reference, key.namespace)
                if owner and reference.uid not in self._present and reference.uid not in self._absent:
                    unknown[reference.uid] = owner
        return unknown

    def _references(self, key: Key) -> Iterable[OwnerReference]:
        encoded = self._observer.informer.encoded(key)
        return encoded.parse().metadata.owner_references if encoded else ()

    async def _confirm_absences(self, keys: Iterable[Key]) -> None:
        """Read unknown owners live; who is not there under that uid is absent for good: uids never come back."""
        unknown = list(self._unknown_owners(keys).items())
        for start in range(0, len(unknown), LIVE_READS):
            chunk = unknown[start : start + LIVE_READS]
            await asyncio.gather(*(self._confirm_absence(uid, owner) for uid, owner in chunk))

    async def _confirm_absence(self, uid: str, owner: Key) -> None:
        try:
            found = (await self._api.get(owner)).parse().metadata.uid
        except NotFoundError:
            found = ""
        except RollplaneError as exc:
            log.warning("owner not read", extra={"object": str(owner), "detail": exc.message})
            return
        if found != uid:
            self._absent[uid] = None
            while len(self._absent) > REMEMBERED_UIDS:
                self._absent.popitem(last=False)

    def _standing(self, reference: OwnerReference, namespace: str) -> Standing:
        """Return how it stands with an owner; one that could not be read counts as solid, for waiting loses nothing."""
        key = self._present.get(reference.uid)
        if key is not None and key.namespace in ("", namespace):
            view = self._observer.informer.get(key)
            waiting = view is not None and view.terminating and FOREGROUND in view.finalizers
            return Standing.WAITING if waiting else Standing.SOLID
        if key is not None or reference.uid in self._absent:
            return Standing.DANGLING
        return Standing.SOLID

    # What is done.

    def _process(self, key: Key, fence: Fence | None) -> None:
        view = self._observer.informer.get(key)
        encoded = self._observer.informer.encoded(key)
        if fence is None or view is None or encoded is None:
            self.queue.done(key)
            return
        options = WriteOptions(NAME, fence=fence, omit_object=True)
        message = encoded.parse()
        if view.terminating and ORPHAN in view.finalizers:
            writes = self._orphan(key, view, message, options)
        elif view.terminating and FOREGROUND in view.finalizers:
            writes = self._delete_dependents(key, view, message, options)
        else:
            writes = self._judge(key, view, message, options)
        self._submit(key, writes)

    def _judge(self, key: Key, view: View, message: ApiObject, options: WriteOptions) -> list[Write]:
        standings = [self._standing(reference, key.namespace) for reference in message.metadata.owner_references]
        has_dependents = any(True for _ in self._dependents(view.uid))
        match judge(message.metadata, standings, has_dependents=has_dependents):
            case Detach(uids):
                return [_detach(message, uids, options)]
            case Collect(propagation):
                return [_delete(key, view.uid, propagation, options)]
            case _:
                return []

    def _orphan(self, key: Key, view: View, message: ApiObject, options: WriteOptions) -> list[Write]:
        """Cut the dependents loose first; the finalizer goes once none is left."""
        dependents = list(self._dependents(view.uid))
        writes: list[Write] = []
        for dependent, _ in dependents:
            encoded = self._observer.informer.encoded(dependent)
            if encoded is not None:
                writes.append(_detach(encoded.parse(), frozenset({view.uid}), options))
        return writes or [_drop_finalizer(message, ORPHAN, options)]

    def _delete_dependents(self, key: Key, view: View, message: ApiObject, options: WriteOptions) -> list[Write]:
        """Delete the dependents, in the foreground where they have some themselves; wait for those that block."""
        writes: list[Write] = []
        blocking = False
        for dependent, seen in self._dependents(view.uid):
            blocking = blocking or self._blocks(dependent, view.uid)
            if not seen.terminating:
                deep = any(True for _ in self._dependents(seen.uid))
                policy = Propagation.FOREGROUND if deep else Propagation.BACKGROUND
                writes.append(_delete(dependent, seen.uid, policy, options))
        if not blocking:
            writes.append(_drop_finalizer(message, FOREGROUND, options))
        return writes

    def _blocks(self, dependent: Key, owner_uid: str) -> bool:
        references = self._references(dependent)
        return any(reference.uid == owner_uid and reference.block_owner_deletion for reference in references)

    def _submit(self, key: Key, writes: list[Write]) -> None:
        """Send all writes of a key; it is done when all are answered, and looked at again when one failed."""
        missing = len(writes)
        failed: list[RollplaneError] = []

        def answered(answer: Answer) -> None:
            nonlocal missing
            missing -= 1
            if not isinstance(answer, WriteResult | NotFoundError):
                failed.append(answer)
            if missing == 0:
                self._finish(key, failed)

        if not writes:
            self.queue.done(key)
            return
        for write in writes:
            try:
                future = self._writer.submit(write)
            except RollplaneError as exc:
                answered(exc)
                continue
            future.add_done_callback(lambda done: None if done.cancelled() else answered(done.result()))

    def _finish(self, key: Key, failed: list[RollplaneError]) -> None:
        for failure in failed:
            if not isinstance(failure, ConflictError):
                log.warning("not collected", extra={"object": str(key), "detail": failure.message})
        if failed:
            self.queue.failed(key)
        else:
            self.queue.done(key)


def _owner_key(reference: OwnerReference, namespace: str) -> Key | None:
    """Return where the owner must be: in the dependent's namespace or cluster-scoped; None for a kind unknown here."""
    kind = BY_API_VERSION_KIND.get((reference.api_version, reference.kind))
    if kind is None:
        return None
    return Key(kind, namespace if kind.namespaced else "", reference.name)


def _delete(key: Key, uid: str, propagation: Propagation, options: WriteOptions) -> Delete:
    return Delete(key, propagation=propagation, preconditions=Preconditions(uid=uid), options=options)


def _detach(message: ApiObject, uids: frozenset[str], options: WriteOptions) -> Update:
    kept = without_references(message.metadata.owner_references, uids)
    del message.metadata.owner_references[:]
    message.metadata.owner_references.extend(kept)
    return Update(Encoded.of(message), options)


def _drop_finalizer(message: ApiObject, finalizer: str, options: WriteOptions) -> Update:
    kept = [one for one in message.metadata.finalizers if one != finalizer]
    del message.metadata.finalizers[:]
    message.metadata.finalizers.extend(kept)
    return Update(Encoded.of(message), options)
