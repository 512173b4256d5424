"""A watcher: a position in the ring, a filter, and the rules by which a change becomes an event.

A cursor holds no queue. It reads the initial state from a snapshot, older changes from the store's log, and then the
ring; whoever reads too slowly falls out of the ring and ends with Expired.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass

from rollplane_apiserver.store.interface import Store
from rollplane_apiserver.watch.cache import Cache
from rollplane_apiserver.watch.entry import Entry, View
from rollplane_apiserver.watch.filters import FilterSet
from rollplane_apiserver.watch.ring import RingEvent, kind_of_change, trimmed
from rollplane_apiserver.watch.slice import Slice
from rollplane_apiserver.watch.waiter import Waiter
from rollplane_machinery.api import EventType, WatchBatch, WatchEvent
from rollplane_machinery.errors import ExpiredError, NotFoundError, Outcome, UnavailableError
from rollplane_machinery.kinds import ANY_CUSTOM, CUSTOM_RESOURCE_DEFINITION

_EXAMINE = 512  # events taken from the ring at a time
_FRAME_BYTES = 128  # what an event takes on the wire beside its object


@dataclass(frozen=True, slots=True)
class CursorLimits:
    """``batch_bytes`` cuts a batch; after ``progress_seconds`` a watcher hears of a log that moved without it.

    After ``idle_seconds`` without anything to tell it gets an empty batch, by which it knows that we are alive.
    ``catch_ups`` bounds how many read from the log at a time. A watcher that takes longer than ``stall_seconds`` for a
    batch of its initial state loses it.
    """

    batch_bytes: int
    progress_seconds: float
    idle_seconds: float
    catch_ups: asyncio.Semaphore
    stall_seconds: float = 60.0


class Cursor:
    """One watcher of everything after ``revision``; with ``initial_state`` of the present state and what follows it."""

    def __init__(
        self,
        cache: Cache,
        store: Store,
        filters: FilterSet,
        limits: CursorLimits,
        *,
        revision: int = 0,
        initial_state: bool = False,
    ) -> None:
        self._cache = cache
        self._ring = cache.ring
        self._customs = [kind for kind in filters.kinds if kind.is_custom and kind != ANY_CUSTOM]
        self._store = store
        self._filters = filters
        self._limits = limits
        self._revision = cache.revision if initial_state else revision
        # References taken at once: whatever happens to the cache while they are sent, this is the state at _revision.
        self._initial: deque[Entry] | None = None
        if initial_state:
            self._initial = deque(
                entry
                for wanted in filters.kinds
                for kind in cache.kinds_of(wanted)
                for namespace in filters.namespaces(wanted)
                for entry in cache.snapshot(kind, namespace)
            )
        self._incarnation = self._ring.incarnation
        self._position = 0
        self._in_ring = self._join_ring()
        # That a custom kind is no more is told by its definition.
        heeded = (*filters.kinds, CUSTOM_RESOURCE_DEFINITION) if self._customs else filters.kinds
        self._waiter = Waiter(heeded, limits.progress_seconds)

    async def batches(self) -> AsyncGenerator[WatchBatch, None]:
        """Yield what there is to tell, without end.

        Raises ExpiredError when the revision is no longer in the log, a jump made it void, or the reader fell out of
        the ring; UnavailableError when watches are ended or the log cannot be read.
        """
        try:
            for phase in self._phases():
                async with aclosing(phase) as batches:
                    async for batch in batches:
                        yield batch
        finally:
            self._waiter.end()

    def _phases(self) -> Iterator[AsyncGenerator[WatchBatch, None]]:
        if self._initial is not None:
            initial, self._initial = self._initial, None
            yield self._send_initial(initial)
        while True:
            if not self._in_ring:
                yield self._catch_up()
            yield self._follow_ring()
            # History was reloaded under us: the log knows whether our revision is still part of it.
            self._in_ring = False

    async def _send_initial(self, entries: deque[Entry]) -> AsyncGenerator[WatchBatch, None]:
        part = _Part(self._limits.batch_bytes)
        turn = Slice(self._filters.terms)
        while entries:
            event = self._initially(entries.popleft())
            if event is not None and (full := part.add(event)):
                with self._held_for(entries):
                    yield WatchBatch(full, 0)
            if turn.is_over():
                await asyncio.sleep(0)
                turn = Slice(self._filters.terms)
        yield WatchBatch(part.events, self._revision, initial_state_complete=True)

    def _initially(self, entry: Entry) -> WatchEvent | None:
        kind, encoded = entry.held.kind, entry.encoded
        if not self._filters.matches(kind, View(entry.key, encoded)):
            return None
        content = trimmed(encoded) if self._filters.is_metadata_only(kind) else encoded
        return WatchEvent(EventType.ADDED, content, entry.revision)

    @contextmanager
    def _held_for(self, entries: deque[Entry]) -> Iterator[None]:
        """Keep the state that is yet to be sent while a batch is taken, but not for ever: the past takes memory."""
        letting_go = asyncio.get_running_loop().call_later(self._limits.stall_seconds, entries.clear)
        held = len(entries)
        try:
            yield
        finally:
            letting_go.cancel()
        if len(entries) < held:
            raise ExpiredError(f"the initial state was not taken within {self._limits.stall_seconds} s; watch again")

    async def _catch_up(self) -> AsyncGenerator[WatchBatch, None]:
        """Read from the store's log until the ring takes over.

        Few read at a time, since all share the one store; nobody keeps others from reading while it is being sent.
        """
        while not self._join_ring():
            self._check_open()
            async with self._limits.catch_ups:
                changes = await self._store.changes(self._revision)
            if changes.revision == self._revision:
                # The ring is yet to get where another apiserver has been.
                await self._ring_moves(self._limits.idle_seconds)
            events = deque(
                RingEvent(change, kind, None)
                for change in changes.changes
                if (kind := kind_of_change(change.resource, change.value)) is not None
            )
            while events:
                for batch in self._tell(self._told(events)):
                    yield batch
                await asyncio.sleep(0)
            self._revision = changes.revision
            yield WatchBatch((), self._revision)

    async def _ring_moves(self, seconds: float) -> None:
        """Wait until the ring moves in any way, or for ``seconds``."""
        anything = Waiter((), progress_seconds=0.0)
        try:
            await self._ring.moved(anything, asyncio.get_running_loop().time() + seconds)
        finally:
            anything.end()

    def _join_ring(self) -> bool:
        """Step into the ring, if it holds everything after our revision; of one that was lost the log tells."""
        if not self._ring.holds(self._revision):
            return False
        self._incarnation = self._ring.incarnation
        self._position = self._ring.position_after(self._revision)
        return True

    async def _follow_ring(self) -> AsyncGenerator[WatchBatch, None]:
        """Yield from the ring until it is reset."""
        loop = asyncio.get_running_loop()
        told = self._revision
        due = loop.time() + self._limits.idle_seconds  # when the watcher must hear of us
        while self._incarnation == self._ring.incarnation:
            for batch in self._tell(self._examine()):
                if batch.events or loop.time() >= due:
                    yield batch
                    told, due = batch.revision, loop.time() + self._limits.idle_seconds
            if self._revision < self._ring.revision:
                await asyncio.sleep(0)
                continue
            self._check_open()
            if told < self._revision:
                due = min(due, loop.time() + self._limits.progress_seconds)
            if not self._ring.has_moved(self._revision, self._incarnation):
                due = await self._ring.moved(self._waiter, due)

    def _examine(self) -> Sequence[WatchEvent]:
        """Take the next events of the ring, as many as a slice is enough for, moving on behind them."""
        if self._position < self._ring.first:
            raise ExpiredError(f"the watcher fell behind: revision {self._revision} is no longer held; watch again")
        events = deque(self._ring.events(self._position, _EXAMINE))
        self._position += len(events)
        told = self._told(events)
        self._position -= len(events)
        if self._position == self._ring.end:
            self._revision = self._ring.revision
        return told

    def _told(self, events: deque[RingEvent]) -> Sequence[WatchEvent]:
        """Take as many ``events`` as a slice is enough for; return what is to be told of them."""
        told: list[WatchEvent] = []
        turn = Slice(2 * self._filters.terms)  # asked of the object as it was, too
        while events:
            event = events.popleft()
            self._revision = event.revision
            if not self._filters.concerns(event.kind):
                continue
            if (one := self._event(event)) is not None:
                told.append(one)
            if turn.is_over():
                break
        return told

    def _check_open(self) -> None:
        for kind in self._customs:
            if self._cache.custom(kind) is None:
                raise NotFoundError("the server could not find the requested resource", resource=kind.resource)
        if self._ring.closed:
            raise UnavailableError("the server ends its watches; resume", outcome=Outcome.NOT_SENT)

    def _tell(self, told: Iterable[WatchEvent]) -> Iterator[WatchBatch]:
        """Cut what the watcher is to be told into batches, the last of which reaches our revision."""
        part = _Part(self._limits.batch_bytes)
        for event in told:
            if full := part.add(event):
                yield WatchBatch(full, full[-1].revision)
        yield WatchBatch(part.events, self._revision)

    def _event(self, event: RingEvent) -> WatchEvent | None:
        """Return what this watcher is told of a change: beginning and ceasing to match are ADDED and DELETED."""
        filters, kind = self._filters, event.kind
        if filters.takes_all(kind):
            return event.told_as(event.type, metadata_only=filters.is_metadata_only(kind))
        matches = filters.matches(kind, event.after)
        if event.before is None or not filters.selects(kind):
            told = event.type if matches else None
        else:
            matched = filters.matches(kind, event.before)
            told = _transition(matched, matches and event.type is not EventType.DELETED)
        return event.told_as(told, metadata_only=filters.is_metadata_only(kind)) if told else None


def _transition(matched: bool, matches: bool) -> EventType | None:
    if matches:
        return EventType.MODIFIED if matched else EventType.ADDED
    return EventType.DELETED if matched else None


class _Part:
    """The next batch's events, of at most ``limit`` bytes or one event."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self.events: list[WatchEvent] = []

    def add(self, event: WatchEvent) -> Sequence[WatchEvent]:
        """Add ``event``; return the events before it when it begins the next part, else none."""
        length = len(event.object.value) + _FRAME_BYTES
        full: Sequence[WatchEvent] = ()
        if self.events and self._size + length > self._limit:
            full, self.events, self._size = self.events, [], 0
        self.events.append(event)
        self._size += length
        return full
