"""Every object of the cell in memory, kept exact by one reader of the log.

The cache answers at its own revision and, as far as the ring goes back, at older ones: each event of the ring knows
what it replaced. It decides nothing about who may read what, and whether it is new enough is asked of ``Freshness``.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
import logging
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence

from rollplane_apiserver.store.interface import Change, LogBatch, Store
from rollplane_apiserver.watch.claims import ClaimTable
from rollplane_apiserver.watch.definition_table import DefinitionTable
from rollplane_apiserver.watch.entry import Entry, entry_of
from rollplane_apiserver.watch.ring import Ring, RingEvent, kind_of_change
from rollplane_apiserver.watch.table import Table, Tables
from rollplane_machinery import kinds
from rollplane_machinery.api import EventType
from rollplane_machinery.clock import Clock
from rollplane_machinery.definitions import NO_CUSTOMS, Custom, Customs
from rollplane_machinery.errors import ExpiredError, InternalError, UnavailableError
from rollplane_machinery.kinds import BY_RESOURCE, KINDS, Encoded, Kind, custom_kind_in
from rollplane_machinery.packing import Packer, Settling, size_of
from rollplane_machinery.releases import LATEST, Release

log = logging.getLogger(__name__)

_RETRY_SECONDS = 0.1
_MAX_RETRY_SECONDS = 2.0


class Snapshot:
    """The objects of a kind as they were at one revision, in the order of their keys, behind some key.

    It looks into the live cache: read from it before the next await, or take a list of it.
    """

    def __init__(self, table: Table, namespace: str, was: Mapping[str, Entry | None], after: str) -> None:
        keys = table.keys(namespace)
        keys = keys[bisect_right(keys, after) :] if after else keys
        prefix = f"{namespace}/" if namespace else ""
        gone = sorted(key for key in was if key > after and key.startswith(prefix) and key not in table.entries)
        self._keys = list(heapq.merge(keys, gone)) if gone else keys
        self._was = was
        self._entries = table.entries

    def __len__(self) -> int:
        return len(self._keys) - sum(1 for key in self._keys if key in self._was and self._was[key] is None)

    def __iter__(self) -> Iterator[Entry]:
        for key in self._keys:
            entry = self._was[key] if key in self._was else self._entries[key]
            if entry is not None:
                yield entry


class Cache:
    """All objects at ``revision``; ``run`` must be running for it to move."""

    def __init__(self, store: Store, clock: Clock, ring: Ring, release: Release = LATEST) -> None:
        self._store = store
        self._clock = clock
        self.ring = ring
        self._told_by = release
        self._tables = _new_tables(release)
        self._waiters: list[tuple[int, int, asyncio.Future[None]]] = []
        self._order = itertools.count()
        self.revision = 0
        self.is_following = False
        self._loaded = asyncio.Event()
        self.loads = 0
        self._load_waiters: list[asyncio.Future[None]] = []
        self._next_wait = _RETRY_SECONDS
        self._settling: Settling[tuple[Kind, str]] | None = None
        self._packer = Packer()

    def entry(self, kind: Kind, key: str) -> Entry | None:
        """Return the object as last seen; it may have changed since."""
        return self._tables[kind].entries.get(key)

    @property
    def kinds(self) -> Iterable[Kind]:
        """The kinds of which there are, or could be, objects."""
        return self._tables.keys()

    def count(self, kind: Kind) -> int:
        """Return how many objects of a kind there are, as last seen."""
        return len(self._tables[kind].entries)

    def holder(self, kind: Kind, claim: str) -> str | None:
        """Return the key of the object of ``kind`` that holds ``claim``, as last seen."""
        table = self._tables[kind]
        return table.holders.get(claim) if isinstance(table, ClaimTable) else None

    @property
    def customs(self) -> Customs:
        """The custom kinds, as last seen."""
        table = self._tables[kinds.CUSTOM_RESOURCE_DEFINITION]
        return table.customs if isinstance(table, DefinitionTable) else NO_CUSTOMS

    def custom(self, kind: Kind) -> Custom | None:
        """Return what makes a custom kind, None when nothing does any more."""
        return self.customs.by_resource.get(kind.resource)

    def kinds_of(self, kind: Kind) -> Sequence[Kind]:
        """Return the kinds that are meant by ``kind``: itself, but by ANY_CUSTOM every custom one."""
        return [each for each in self._tables if each.is_custom] if kind == kinds.ANY_CUSTOM else (kind,)

    def snapshot(self, kind: Kind, namespace: str = "", *, revision: int | None = None, after: str = "") -> Snapshot:
        """Return the objects of a kind, of one namespace or of all, that come behind the key ``after``.

        ``revision`` asks for them as they were when the cache stood there; raises ExpiredError when the ring does not
        go back so far.
        """
        if revision is None or revision == self.revision:
            return Snapshot(self._tables[kind], namespace, {}, after)
        if not self.ring.start <= revision <= self.revision:
            raise ExpiredError(f"the state at revision {revision} is no longer known; list again")
        return Snapshot(self._tables[kind], namespace, self._as_it_was(kind, revision), after)

    def _as_it_was(self, kind: Kind, revision: int) -> dict[str, Entry | None]:
        """What changed after ``revision``, as it was at it: the first event behind it tells what it replaced."""
        was: dict[str, Entry | None] = {}
        for event in self.ring.events(self.ring.position_after(revision), self.ring.end):
            if event.kind == kind:
                was.setdefault(event.key, event.replaced)
        return was

    async def reached(self, revision: int) -> None:
        """Wait until the cache holds everything up to ``revision``."""
        if self.revision >= revision and self._loaded.is_set():
            return
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = (revision, next(self._order), waiter)
        heapq.heappush(self._waiters, waiting)
        try:
            await waiter
        except asyncio.CancelledError:
            if waiting in self._waiters:
                self._waiters.remove(waiting)
                heapq.heapify(self._waiters)
            raise

    async def loaded(self) -> None:
        """Wait until the cache was loaded for the first time."""
        await self._loaded.wait()

    async def next_load(self, seen: int) -> int:
        """Wait until everything was loaded more often than ``seen`` times, and return how often that is.

        After the first time history was lost: what must always exist may be gone.
        """
        while self.loads <= seen:
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._load_waiters.append(waiter)
            await waiter
        return self.loads

    async def run(self) -> None:
        """Load, then follow the log until cancelled; comes back by itself from whatever the store does.

        Raises SetupError, for a store that will not do.
        """
        while True:
            try:
                if not self._loaded.is_set():
                    await self._load()
                await self._follow()
            except ExpiredError as exc:
                log.warning("history was lost: reloading every object", extra={"at": self.revision, "cause": str(exc)})
                self._loaded.clear()
            except (UnavailableError, InternalError) as exc:
                log.warning("the store cannot be read", extra={"at": self.revision, "cause": str(exc)})
                await self._back_off()
            finally:
                self.is_following = False

    async def _back_off(self) -> None:
        """Wait longer after each failure in a row; what was read from the log ends the row."""
        seconds, self._next_wait = self._next_wait, min(self._next_wait * 2, _MAX_RETRY_SECONDS)
        await self._clock.sleep(seconds)

    async def _load(self) -> None:
        """Read everything: the scan is no snapshot, so the log since its start is played over it."""
        tables = _new_tables(self._told_by)
        async with self._store.scan() as (revision, chunks):
            async for chunk in chunks:
                for stored in chunk:
                    kind = kind_of_change(stored.resource, stored.value)
                    if kind is not None:
                        tables[kind].put(entry_of(kind, stored.key, stored.value, stored.revision))
        exact = await self._store.revision()
        async with self._store.follow(revision) as batches:
            while revision < exact:
                batch = await anext(batches)
                _replay(tables, batch)
                revision = batch.revision
        self._tables = tables
        self._settling = None
        self.revision = revision
        self.ring.reset(revision)
        self._loaded.set()
        self._release()
        self._tell_loaded()
        log.info("loaded", extra={"revision": revision, "objects": sum(len(t.entries) for t in tables.values())})

    async def _follow(self) -> None:
        await self._check_history()
        async with self._store.follow(self.revision) as batches:
            self.is_following = True
            async for batch in batches:
                self._next_wait = _RETRY_SECONDS
                self._apply(batch)

    async def _check_history(self) -> None:
        """Raise ExpiredError when the store is behind us: it came back from an older copy."""
        revision = await self._store.revision()
        if revision < self.revision:
            raise ExpiredError(f"the store is at revision {revision}, the cache at {self.revision}")

    def _apply(self, batch: LogBatch) -> None:
        events = [
            self._event(change, kind)
            for change in batch.changes
            if (kind := BY_RESOURCE.get(change.resource) or custom_kind_in(change.value)) is not None
        ]
        self.ring.publish(events, batch.revision, _gaps(self.revision, batch))
        self.revision = batch.revision
        self._release()

    def _event(self, change: Change, kind: Kind) -> RingEvent:
        table = self._tables[kind]
        known = table.entries.get(change.key)
        # What an event of the ring brought is counted there already.
        size = size_of(known.held) if known is not None and known.revision <= self.ring.start else 0
        event = RingEvent(change, kind, known, replaced_size=size)
        if change.type is EventType.DELETED:
            table.remove(change.key)
        else:
            # The key string of the table is kept, so that a hundred events of a pod share one.
            table.put(Entry(known.key if known else change.key, event.encoded, change.revision))
            if self._settling is not None:
                self._settling.note((kind, known.key if known else change.key))
        return event

    def settled(self) -> Sequence[tuple[Kind, str]]:
        """Return what has come to rest between the last two calls; the first begins to take note of what changes."""
        if self._settling is None:
            self._settling = Settling()
            for kind, table in self._tables.items():
                for key in table.entries:
                    self._settling.note((kind, key))
        return self._settling.turn()

    def pack(self, key: tuple[Kind, str]) -> None:
        """Hold an object packed until it changes; it then takes 3 µs to be read."""
        entry = self.entry(*key)
        if entry is not None and isinstance(entry.held, Encoded):
            entry.held = self._packer.pack(entry.held)

    def _tell_loaded(self) -> None:
        self.loads += 1
        waiters, self._load_waiters = self._load_waiters, []
        for waiter in waiters:
            if not waiter.done():
                waiter.set_result(None)

    def _release(self) -> None:
        while self._waiters and self._waiters[0][0] <= self.revision:
            _, _, waiter = heapq.heappop(self._waiters)
            if not waiter.done():
                waiter.set_result(None)


def _new_tables(release: Release) -> Tables:
    tables = Tables({kind: Table() for kind in KINDS})
    return Tables(tables | {kinds.SERVICE: ClaimTable(), kinds.CUSTOM_RESOURCE_DEFINITION: DefinitionTable(release)})


def _gaps(revision: int, batch: LogBatch) -> Sequence[tuple[int, int]]:
    """Return what jumps left out between ``revision`` and the end of the batch: the revisions before and behind each.

    Without a jump each change has the revision that follows.
    """
    if batch.revision - revision == len(batch.changes):
        return ()
    told = [revision, *(change.revision for change in batch.changes), batch.revision]
    return [(before, behind) for before, behind in itertools.pairwise(told) if behind > before + 1]


def _replay(tables: Tables, batch: LogBatch) -> None:
    for change in batch.changes:
        kind = kind_of_change(change.resource, change.value)
        if kind is None:
            continue
        if change.type is EventType.DELETED:
            tables[kind].remove(change.key)
        else:
            tables[kind].put(entry_of(kind, change.key, change.value, change.revision))
