"""An informer keeps a local cache of what watches show, and tells its handlers of each change, in order.

It owns one watch over any number of kinds, so that the single revision it has reached holds for all of them. It
resumes after a loss, and reloads when it has been away too long; neither is visible but by the time it takes. The
contract follows kubernetes/client-go ``tools/cache/shared_informer.go``.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Generic, TypeVar

from rollplane_client.backoff import Backoff, Jitter, no_jitter
from rollplane_client.by_kind import ByKind
from rollplane_client.cache import Cache, Change, Entry, IndexValues, View
from rollplane_client.watching import Patience, is_passing, resumed
from rollplane_machinery.api import EventType, Key, WatchApi, WatchBatch, WatchFilter, WatchQuery
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import ExpiredError, RollplaneError
from rollplane_machinery.kinds import Encoded, Kind

log = logging.getLogger(__name__)

T = TypeVar("T")

Handler = Callable[[EventType, Key, T | None, T | None], None]
"""Called with the type, the key, the old view and the new one; must not block."""

DEFAULT_BACKOFF = Backoff(base_seconds=0.05, cap_seconds=5.0)


class Informer(Generic[T]):
    """A cache of all objects that ``filters`` (not overlapping) show.

    ``run`` must be running in a task of the owner's. Handlers are called synchronously, change by change in the order
    of commits; the cache already shows the change. An object that was replaced by a namesake while the informer was
    away is told as MODIFIED: compare uids. After a reload the cache shows the whole new state before the first
    handler is called; no ``await`` lies between, so nobody else ever sees a part of it.

    Reading never blocks. What is read is as of ``revision``.
    """

    def __init__(
        self,
        api: WatchApi,
        filters: Sequence[WatchFilter],
        view: View[T],
        *,
        clock: Clock,
        backoff: Backoff = DEFAULT_BACKOFF,
        jitter: Jitter = no_jitter,
    ) -> None:
        self._api = api
        self._filters = tuple(filters)
        self._clock = clock
        self._backoff = backoff
        self._jitter = jitter
        self._cache: Cache[T] = Cache(view)
        self._handlers: ByKind[list[Handler[T]]] = ByKind(list)
        for wanted in self._filters:
            self._cache.expect(wanted.kind)
            _ = self._handlers[wanted.kind]
        self._progress: list[Callable[[int], None]] = []
        self._revision = 0
        self._resumable = False
        self._staged: dict[Key, Entry[T]] | None = None
        self.synced = asyncio.Event()
        """Set once the first whole state is in the cache and the handlers know of it."""
        self.reloads = 0
        """How often the whole state was loaded; the first time counts, and handlers see the load they are told of."""

    @property
    def revision(self) -> int:
        """Everything up to this revision is in the cache, what the filters leave out included; 0 before ``synced``."""
        return self._revision

    def get(self, key: Key) -> T | None:
        """Return the view of one object, None when it is not there."""
        return self._cache.get(key)

    def encoded(self, key: Key) -> Encoded | None:
        """Return the bytes of one object, None when it is not there."""
        entry = self._cache.entry(key)
        return None if entry is None else entry.encoded

    def items(self, kind: Kind) -> Iterator[tuple[Key, T]]:
        """Yield keys and views of one kind; do not await meanwhile."""
        return self._cache.items(kind)

    def present(self, kinds: Iterable[Kind]) -> list[Kind]:
        """Return those of ``kinds`` of which the cache holds objects."""
        return self._cache.present(kinds)

    def count(self, kind: Kind) -> int:
        """Return how many objects of ``kind`` the cache holds."""
        return self._cache.count(kind)

    def add_index(self, kind: Kind, name: str, values: IndexValues[T]) -> None:
        """Keep an index of ``kind`` by what ``values`` returns for a view; raises ValueError when it is there."""
        self._cache.add_index(kind, name, values)

    def indexed(self, kind: Kind, name: str, value: Hashable) -> Mapping[Key, T]:
        """Return keys and views found under ``value``; read them before the next await."""
        return self._cache.indexed(kind, name, value)

    def index_values(self, kind: Kind, name: str) -> Collection[Hashable]:
        """Return the values under which any view is found; read them before the next await."""
        return self._cache.values(kind, name)

    def add_handler(self, kind: Kind, handler: Handler[T]) -> None:
        """Tell ``handler`` of all changes of ``kind``; what is in the cache already is told at once, as ADDED.

        Raises KeyError when no filter names the kind. What a handler raises ends ``run``.
        """
        if kind not in self._handlers:
            raise KeyError(kind)
        self._handlers[kind].append(handler)
        for key, view in list(self._cache.items(kind)):
            handler(EventType.ADDED, key, None, view)

    @property
    def packable(self) -> Cache[T]:
        """What it holds, for whoever packs what is at rest."""
        return self._cache

    def on_progress(self, callback: Callable[[int], None]) -> None:
        """Call ``callback`` with the revision reached, each time after the handlers were told all up to it."""
        self._progress.append(callback)

    async def run(self) -> None:
        """Keep the cache up to date until cancelled.

        Losses are logged, waited out with back-off and resumed. Raises what no repetition can mend, such as
        ForbiddenError or BadRequestError, and whatever a handler or the view function raises.
        """
        patience = Patience(self._backoff)
        async with resumed(self._watch, self._clock, patience, jitter=self._jitter, may_resume=self._note) as batches:
            async for batch in batches:
                self._take(batch)

    def _watch(self) -> AbstractAsyncContextManager[AsyncIterator[WatchBatch]]:
        """Open the watch, from where we are or from the whole state on."""
        self._staged = None if self._resumable else {}
        query = WatchQuery(
            self._filters,
            from_revision=self._revision if self._resumable else 0,
            send_initial_state=not self._resumable,
        )
        return self._api.watch(query)

    def _take(self, batch: WatchBatch) -> None:
        if self._staged is None:
            self._tell(map(self._cache.apply, batch.events))
            self._advance(batch.revision)
            return
        self._staged.update(map(self._cache.read, batch.events))
        if batch.initial_state_complete:
            state, self._staged = self._staged, None
            self._load(state, batch.revision)

    def _load(self, state: Mapping[Key, Entry[T]], revision: int) -> None:
        self.reloads += 1
        self._tell(self._cache.replace(state))
        # A store that was never written to is at revision 0, from which a watch cannot be resumed.
        self._resumable = revision > 0
        self.synced.set()
        self._advance(revision)

    def _tell(self, changes: Iterable[Change[T] | None]) -> None:
        for change in changes:
            if change is not None:
                for handler in self._handlers[change.key.kind]:
                    handler(*change)

    def _advance(self, revision: int) -> None:
        """Take note that everything up to ``revision`` has been seen, and tell who follows the progress."""
        if revision < self._revision:
            return
        self._revision = revision
        self._resumable = self._resumable or revision > 0
        for callback in self._progress:
            callback(revision)

    def _note(self, exc: RollplaneError) -> bool:
        """Log why the watch ended; return whether to go on, by a reload where the log no longer reaches back."""
        log.warning("watch lost", extra={"reason": exc.reason, "detail": exc.message, "revision": self._revision})
        is_expired = isinstance(exc, ExpiredError)
        self._resumable = self._resumable and not is_expired
        return is_expired or is_passing(exc)
