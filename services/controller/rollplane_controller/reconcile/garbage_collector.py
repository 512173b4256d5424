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
from rollplane_planners.garbage import (
    FOREGROUND,
    ORPHAN,
    Collect,
    Detach,
    Standing,
    detach,
    drop_finalizer,
    judge,
    unblock,
)

log = logging.getLogger(__name__)

NAME = "generic-garbage-collector"
ROUND = 256
LIVE_READS = 16
"""Most owners read live at a time."""
REMEMBERED_UIDS = 4096
RECHECK_SECONDS = 60.0


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
        self._alive: set[str] = set()
        self.queue: WorkQueue[Key] = WorkQueue(clock=clock)

    def attach(self) -> None:
        """Register with the informer; to be called before it runs."""
        for kind in self._kinds:
            self._observer.informer.add_handler(kind, self._on_change)

    def wake_all(self) -> None:
        """Look at everything that lacks an owner or is being deleted, as after the shard has been acquired."""
        for kind in self._kinds:
            for key, view in self._observer.informer.items(kind):
                if self._lacks_owner(view) or self._has_work(view):
                    self.queue.add(key)

    async def run(self) -> None:
        """Collect until cancelled."""
        await self._observer.informer.synced.wait()
        self.wake_all()
        while keys := await self.queue.take(ROUND):
            fence = self._fence()
            if fence is not None:
                await self._look_up_owners(keys)
            for key in keys:
                self._process(key, fence)
            await asyncio.sleep(0)

    # What the informer tells.

    def _on_change(self, type_: EventType, key: Key, old: View | None, new: View | None) -> None:
        if old is not None and (new is None or new.uid != old.uid):
            self._present.pop(old.uid, None)
            self._wake_dependents(old)
            self._wake_waiting(old.owner_uids)
            old = None
        if new is None:
            return
        self._present[new.uid] = key
        if old is not None and (old.owner_uids, old.blocked_uids) != (new.owner_uids, new.blocked_uids):
            # Whoever orphans waits until every dependent is cut loose, also one that does not block.
            self._wake_waiting(old.owner_uids)
        if self._has_work(new) or ((old is None or old.owner_uids != new.owner_uids) and self._lacks_owner(new)):
            self.queue.add(key)

    def _wake_dependents(self, gone: View) -> None:
        for key, _ in self._dependents(gone.uid):
            self.queue.add(key)

    def _wake_waiting(self, owner_uids: Iterable[str]) -> None:
        """Wake those owners that are being deleted: they may have waited for what has just changed."""
        for uid in owner_uids:
            owner = self._present.get(uid)
            view = self._observer.informer.get(owner) if owner else None
            if owner and view is not None and self._has_work(view):
                self.queue.add(owner)

    def _lacks_owner(self, view: View) -> bool:
        return any(self._seen_owner(uid, view.namespace) is None for uid in view.owner_uids)

    def _seen_owner(self, uid: str, namespace: str) -> Key | None:
        """Return where the cache has the owner; one in another namespace is none."""
        key = self._present.get(uid)
        return key if key is not None and key.namespace in ("", namespace) else None

    def _has_work(self, view: View) -> bool:
        return view.terminating and (FOREGROUND in view.finalizers or ORPHAN in view.finalizers)

    def _dependents(self, uid: str) -> Iterator[tuple[Key, View]]:
        for kind in self._kinds:
            yield from self._observer.informer.indexed(kind, BY_OWNER, uid).items()

    # What is known of owners.

    def _unseen_owners(self, key: Key) -> dict[str, Key]:
        """Return the owners of ``key``, by uid, that the cache does not show and that are not known to be absent."""
        return {
            reference.uid: owner
            for reference in self._references(key)
            if reference.uid not in self._present and reference.uid not in self._absent
            if (owner := _owner_key(reference, key.namespace)) is not None
        }

    def _references(self, key: Key) -> Iterable[OwnerReference]:
        encoded = self._observer.informer.encoded(key)
        return encoded.parse().metadata.owner_references if encoded else ()

    async def _look_up_owners(self, keys: Iterable[Key]) -> None:
        """Read the owners of a round that the cache does not show live, each once."""
        unseen: dict[str, Key] = {}
        for key in keys:
            unseen.update(self._unseen_owners(key))
        self._alive.clear()
        uids = list(unseen)
        for start in range(0, len(uids), LIVE_READS):
            await asyncio.gather(*(self._look_up(uid, unseen[uid]) for uid in uids[start : start + LIVE_READS]))

    async def _look_up(self, uid: str, owner: Key) -> None:
        """Note whether an owner exists; who is not there under that uid is absent for good: uids never come back."""
        try:
            found = (await self._api.get(owner)).parse().metadata.uid
        except NotFoundError:
            found = ""
        except RollplaneError as exc:
            log.warning("owner not read", extra={"object": str(owner), "detail": exc.message})
            return
        if found == uid:
            self._alive.add(uid)
            return
        self._absent[uid] = None
        while len(self._absent) > REMEMBERED_UIDS:
            self._absent.popitem(last=False)

    def _standing(self, reference: OwnerReference, namespace: str) -> Standing:
        """Return how it stands with an owner; one of a kind unknown here counts as solid: waiting loses nothing."""
        if key := self._seen_owner(reference.uid, namespace):
            view = self._observer.informer.get(key)
            return Standing.WAITING if view is not None and _waits(view) else Standing.SOLID
        gone = reference.uid in self._present or reference.uid in self._absent
        return Standing.DANGLING if gone else Standing.SOLID

    def _is_in_circle(self, view: View) -> bool:
        """Tell whether, by way of owners that wait in the foreground, an object is an owner of its own."""
        seen: set[str] = set()
        ahead = list(view.owner_uids)
        while ahead:
            uid = ahead.pop()
            key = self._present.get(uid)
            owner = self._observer.informer.get(key) if key else None
            if uid == view.uid:
                return True
            if owner is not None and uid not in seen and _waits(owner):
                seen.add(uid)
                ahead.extend(owner.owner_uids)
        return False

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
            self._submit(key, self._orphan(view, message, options))
        elif _waits(view):
            self._submit(key, self._advance_foreground(view, message, options))
        elif (unseen := self._unseen_owners(key).keys()) <= self._alive:
            self._submit(key, self._judge(key, view, message, options))
            if unseen:
                # Of a kind that is not watched, or younger than the cache: nothing will tell when it goes.
                self.queue.add_after(key, RECHECK_SECONDS)
        else:
            self.queue.failed(key)

    def _judge(self, key: Key, view: View, message: ApiObject, options: WriteOptions) -> list[Write]:
        standings = [self._standing(reference, key.namespace) for reference in message.metadata.owner_references]
        has_dependents = any(True for _ in self._dependents(view.uid))
        in_circle = Standing.WAITING in standings and self._is_in_circle(view)
        match judge(message.metadata, standings, has_dependents=has_dependents, in_circle=in_circle):
            case Detach(uids):
                return [_detached(message, uids, options)]
            case Collect(propagation, unblock_first):
                first = [_unblocked(message, options)] if unblock_first and view.blocked_uids else []
                return [*first, _deletion(key, view.uid, propagation, options)]
            case _:
                return []

    def _orphan(self, view: View, message: ApiObject, options: WriteOptions) -> list[Write]:
        """Cut the dependents loose first; the finalizer goes once none is left."""
        writes: list[Write] = []
        for dependent, _ in self._dependents(view.uid):
            encoded = self._observer.informer.encoded(dependent)
            if encoded is not None:
                writes.append(_detached(encoded.parse(), frozenset({view.uid}), options))
        return writes or [_without_finalizer(message, ORPHAN, options)]

    def _advance_foreground(self, view: View, message: ApiObject, options: WriteOptions) -> list[Write]:
        """Have the dependents judged; the finalizer goes once none is left that blocks."""
        blocking = False
        for dependent, seen in self._dependents(view.uid):
            blocking = blocking or view.uid in seen.blocked_uids
            if not seen.terminating:
                self.queue.add(dependent)
        if not blocking:
            return [_without_finalizer(message, FOREGROUND, options)]
        if view.blocked_uids and self._is_in_circle(view):
            return [_unblocked(message, options)]
        return []

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


def _waits(view: View) -> bool:
    """Tell whether an object is being deleted in the foreground."""
    return view.terminating and FOREGROUND in view.finalizers


def _deletion(key: Key, uid: str, propagation: Propagation, options: WriteOptions) -> Delete:
    return Delete(key, propagation=propagation, preconditions=Preconditions(uid=uid), options=options)


def _detached(message: ApiObject, uids: frozenset[str], options: WriteOptions) -> Update:
    detach(message.metadata, uids)
    return Update(Encoded.of(message), options)


def _unblocked(message: ApiObject, options: WriteOptions) -> Update:
    unblock(message.metadata)
    return Update(Encoded.of(message), options)


def _without_finalizer(message: ApiObject, finalizer: str, options: WriteOptions) -> Update:
    drop_finalizer(message.metadata, finalizer)
    return Update(Encoded.of(message), options)
