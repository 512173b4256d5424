"""The last changes of the log, held once for all watchers and bounded in bytes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from rollplane_apiserver.store.interface import Change
from rollplane_apiserver.watch.entry import Entry, View, with_revision
from rollplane_apiserver.watch.waiter import Waiter, kinds_of
from rollplane_machinery import kinds
from rollplane_machinery.api import EventType, WatchEvent
from rollplane_machinery.kinds import Encoded, Kind

_EVENT_OVERHEAD = 1024  # bytes of Python objects around one event: itself, its views and what was made for watchers
_COMPACT_AFTER = 1024


class RingEvent:
    """One change, with everything that watchers derive from it made at most once and shared by them.

    ``replaced`` is what the cache held before, so that older states can be told. ``before`` is the previous content
    where labels or selectable fields changed; None means that the object matches now what it matched before.
    ``replaced_size`` is what ``replaced`` adds in bytes, 0 when another event of the ring holds it anyway.
    """

    __slots__ = (
        "_after",
        "_plain",
        "_told",
        "before",
        "encoded",
        "key",
        "kind",
        "previous",
        "replaced",
        "replaced_size",
        "revision",
        "type",
    )

    def __init__(self, change: Change, kind: Kind, replaced: Entry | None, *, replaced_size: int = 0) -> None:
        self.kind = kind
        self.key = change.key
        self.type = change.type
        self.revision = change.revision
        self.replaced = replaced
        self.replaced_size = replaced_size
        self.encoded = Encoded(self.kind, with_revision(change.value, change.revision))
        self._after: View | None = None
        self.previous: Encoded | None = None
        self.before: View | None = None
        if change.type is EventType.MODIFIED and change.previous is not None:
            # Whoever sees the object go gets its last matching content under the revision at which it went.
            self.previous = Encoded(self.kind, with_revision(change.previous, change.revision))
            self.before = View(change.key, self.previous)
        self._plain: WatchEvent | None = None  # as most are told it
        self._told: dict[tuple[EventType, bool], WatchEvent] | None = None

    @property
    def after(self) -> View:
        """The content that is stored now, or was last."""
        if self._after is None:
            self._after = View(self.key, self.encoded)
        return self._after

    @property
    def size(self) -> int:
        """Bytes this event keeps alive, roughly."""
        before = len(self.previous.value) if self.previous else 0
        return len(self.encoded.value) + before + _EVENT_OVERHEAD + self.replaced_size

    def told_as(self, event_type: EventType, *, metadata_only: bool) -> WatchEvent:
        """Return the event as one kind of watcher is told it."""
        if event_type is self.type and not metadata_only:
            if self._plain is None:
                self._plain = WatchEvent(event_type, self.encoded, self.revision)
            return self._plain
        variant = (event_type, metadata_only)
        if self._told is None:
            self._told = {}
        told = self._told.get(variant)
        if told is None:
            content = self.encoded
            if event_type is EventType.DELETED and self.previous is not None:
                content = self.previous
            told = WatchEvent(event_type, trimmed(content) if metadata_only else content, self.revision)
            self._told[variant] = told
        return told


def kind_of_change(resource: str, value: bytes) -> Kind | None:
    """Return the kind of a stored object; custom ones say it themselves. None for what a newer version has made."""
    return kinds.BY_RESOURCE.get(resource) or kinds.custom_kind_in(value)


def trimmed(encoded: Encoded) -> Encoded:
    """Return the object with nothing but its metadata."""
    bare = encoded.kind.new()
    bare.metadata.CopyFrom(encoded.parse().metadata)
    return Encoded(encoded.kind, bare.SerializeToString(deterministic=True))


class Ring:
    """Events by position; a position counts every event since the last reset and never shifts.

    ``start`` is the revision such that every change after it, up to ``revision``, is in the ring. Not for threads.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._events: list[RingEvent | None] = []
        self._base = 0  # position of self._events[0]
        self._first = 0  # position of the oldest event that is kept
        self._waiters: dict[Waiter, None] = {}
        self._gaps: list[tuple[int, int]] = []
        self.start = 0
        self.revision = 0
        self.incarnation = 0
        self.closed = False

    @property
    def first(self) -> int:
        """Position of the oldest event kept."""
        return self._first

    @property
    def size(self) -> int:
        """Bytes that the events kept hold alive, roughly."""
        return self._bytes

    @property
    def end(self) -> int:
        """Position behind the newest event."""
        return self._base + len(self._events)

    def reset(self, revision: int) -> None:
        """Forget everything and begin after ``revision``; positions taken before are void (``incarnation`` tells)."""
        self._events.clear()
        self._bytes = 0
        self._base = self._first = 0
        self._gaps.clear()
        self.start = self.revision = revision
        self.incarnation += 1
        self._wake()

    def publish(self, events: Sequence[RingEvent], revision: int, gaps: Sequence[tuple[int, int]] = ()) -> None:
        """Append events and move on to ``revision``; the oldest go when there are too many bytes.

        ``gaps`` are what jumps left out: the revisions before and behind each.
        """
        if revision == self.revision and not events:
            return
        self._gaps = [gap for gap in (*self._gaps, *gaps) if gap[1] > self.start] if gaps else self._gaps
        self._events.extend(events)
        self._bytes += sum(event.size for event in events)
        self.revision = revision
        while self._bytes > self._max_bytes:
            self._drop_oldest()
        self._tell(events)

    def close(self) -> None:
        """Tell every cursor to end after what is there."""
        self.closed = True
        self._wake()

    def events(self, position: int, limit: int) -> list[RingEvent]:
        """Return at most ``limit`` events from ``position`` on; it must not be before ``first``."""
        at = position - self._base
        return [event for event in self._events[at : at + limit] if event is not None]

    def event_at(self, revision: int) -> RingEvent | None:
        """Return the change that ``revision`` made, None when it is not kept or not known yet."""
        if not self.start < revision <= self.revision:
            return None
        found = self.events(self.position_after(revision - 1), 1)
        return found[0] if found and found[0].revision == revision else None

    def holds(self, revision: int) -> bool:
        """Return whether all that followed ``revision`` is here, and it is one that was not lost in a jump."""
        within = self.start <= revision <= self.revision
        return within and not any(before < revision < behind for before, behind in self._gaps)

    def position_after(self, revision: int) -> int:
        """Return the position of the first event after ``revision``; the ring must not have dropped it."""
        skipped = self._first - self._base
        at = bisect_right(self._events, revision, lo=skipped, key=_revision)
        return self._base + at

    def has_moved(self, revision: int, incarnation: int) -> bool:
        """Return whether the ring is beyond ``revision``, was reset since ``incarnation``, or is closed."""
        return self.revision > revision or self.incarnation != incarnation or self.closed

    async def moved(self, waiter: Waiter, due: float) -> float:
        """Wait as ``waiter`` does, until something is published that concerns it, or the ring is reset or closed."""
        self._waiters[waiter] = None
        try:
            return await waiter.wait(due)
        finally:
            self._waiters.pop(waiter, None)

    def _tell(self, events: Sequence[RingEvent]) -> None:
        """Wake who waits for any of ``events``; others hear that the ring has moved without them."""
        changed = kinds_of(event.kind for event in events)
        for waiter in self._waiters:
            if waiter.concerns(changed):
                waiter.wake()
            else:
                waiter.pass_by()

    def _wake(self) -> None:
        for waiter in self._waiters:
            waiter.wake()

    def _drop_oldest(self) -> None:
        at = self._first - self._base
        event = self._events[at]
        if event is None:
            raise AssertionError("the first event of the ring is kept")
        self._bytes -= event.size
        self.start = event.revision
        self._events[at] = None
        self._first += 1
        if at > _COMPACT_AFTER and at * 2 > len(self._events):
            del self._events[: at + 1]
            self._base += at + 1


def _revision(event: RingEvent | None) -> int:
    return event.revision if event is not None else 0
