"""The informer's store: for each object its bytes and a small view, and indexes over the views.

Plain dictionaries, synchronous and pure: what is fed in, and when, is the informer's business.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from rollplane_client.by_kind import ByKind
from rollplane_machinery.api import EventType, Key, WatchEvent
from rollplane_machinery.kinds import Encoded, Kind
from rollplane_machinery.packing import Held, Packer, Settling, unpacked

T = TypeVar("T")

View = Callable[[Encoded], T]
"""Makes of an object the few fields its user needs between two looks; must not keep the whole message.

Read with ``Encoded.read_as``, the object is parsed once for its view and its key.
"""

IndexValues = Callable[[T], tuple[Hashable, ...]]
"""Returns under which values a view is found; none leaves it out."""


@dataclass(slots=True)
class Entry(Generic[T]):
    """One object as last seen; ``revision`` is that of its last change."""

    held: Held
    view: T
    revision: int

    @property
    def encoded(self) -> Encoded:
        return unpacked(self.held)


class Change(NamedTuple, Generic[T]):
    """What became of one object; ``old`` is None for ADDED, ``new`` for DELETED."""

    type: EventType
    key: Key
    old: T | None
    new: T | None


class _Index(Generic[T]):
    """Views by the values that ``values`` gives for them."""

    def __init__(self, values: IndexValues[T]) -> None:
        self._values = values
        self.buckets: dict[Hashable, dict[Key, T]] = {}

    @property
    def values(self) -> Collection[Hashable]:
        return self.buckets.keys()

    def put(self, key: Key, view: T) -> None:
        for value in self._values(view):
            self.buckets.setdefault(value, {})[key] = view

    def move(self, key: Key, before: T | None, view: T) -> None:
        """Put ``view`` in the place of ``before``; what is found under the same values keeps its place."""
        if before is not None:
            values = self._values(view)
            if self._values(before) == values:
                for value in values:
                    self.buckets[value][key] = view
                return
            self.drop(key, before)
        self.put(key, view)

    def drop(self, key: Key, view: T) -> None:
        for value in self._values(view):
            bucket = self.buckets.get(value)
            if bucket is not None:
                bucket.pop(key, None)
                if not bucket:
                    del self.buckets[value]


class Cache(Generic[T]):
    """Objects by key. Views must not change once made: indexes and callers share them."""

    def __init__(self, view: View[T]) -> None:
        self._view = view
        self._entries: ByKind[dict[Key, Entry[T]]] = ByKind(dict)
        self._indexes: ByKind[dict[str, _Index[T]]] = ByKind(dict)
        self._settling: Settling[Key] | None = None
        self._packer = Packer()

    def expect(self, kind: Kind) -> None:
        """Keep objects of ``kind`` by themselves; by ANY_CUSTOM those of all custom kinds together."""
        _ = self._entries[kind], self._indexes[kind]

    def __len__(self) -> int:
        return sum(map(len, self._entries.values()))

    def get(self, key: Key) -> T | None:
        """Return the view of one object, None when it is not there."""
        entry = self._entries[key.kind].get(key)
        return None if entry is None else entry.view

    def entry(self, key: Key) -> Entry[T] | None:
        """Return bytes, view and revision of one object, None when it is not there."""
        return self._entries[key.kind].get(key)

    def items(self, kind: Kind) -> Iterator[tuple[Key, T]]:
        """Yield keys and views of one kind, those first seen first; nothing may be fed in meanwhile."""
        for key, entry in self._entries[kind].items():
            yield key, entry.view

    def present(self, kinds: Iterable[Kind]) -> list[Kind]:
        """Return those of ``kinds`` of which there are objects."""
        return [kind for kind in kinds if self._entries[kind]]

    def count(self, kind: Kind) -> int:
        """Return how many objects of ``kind`` there are."""
        return len(self._entries[kind])

    def add_index(self, kind: Kind, name: str, values: IndexValues[T]) -> None:
        """Keep an index of ``kind`` under ``name`` from now on; raises ValueError when there is one."""
        self.expect(kind)
        indexes = self._indexes[kind]
        if name in indexes:
            raise ValueError(f"{kind} has an index {name!r} already")
        index = indexes[name] = _Index(values)
        for key, view in self.items(kind):
            index.put(key, view)

    def indexed(self, kind: Kind, name: str, value: Hashable) -> Mapping[Key, T]:
        """Return keys and views found under ``value``, those put there first first; raises KeyError for no index.

        The mapping is the index's own: read it before anything is fed in, and do not change it.
        """
        return self._indexes[kind][name].buckets.get(value, {})

    def values(self, kind: Kind, name: str) -> Collection[Hashable]:
        """Return the values under which any view is found; raises KeyError for no index. As ``indexed``, it is live."""
        return self._indexes[kind][name].values

    def read(self, event: WatchEvent) -> tuple[Key, Entry[T]]:
        """Return the key and the entry that ``event`` is about, without taking them up."""
        encoded = event.object
        view = self._view(encoded)  # first: it may come upon the key
        return encoded.key, Entry(encoded, view, event.revision)

    def apply(self, event: WatchEvent) -> Change[T] | None:
        """Take up one event; return the change it made, None when it told nothing new."""
        if event.type is EventType.DELETED:
            return self.remove(event.object.key)
        return self.put(*self.read(event))

    def put(self, key: Key, entry: Entry[T]) -> Change[T] | None:
        """Store one entry; return the change, None when the same bytes were there already."""
        entries = self._entries[key.kind]
        before = entries.get(key)
        if before is not None and before.encoded.value == entry.encoded.value:
            return None
        entries[key] = entry
        if self._settling is not None:
            self._settling.note(key)
        old = None if before is None else before.view
        for index in self._indexes[key.kind].values():
            index.move(key, None if before is None else before.view, entry.view)
        return Change(EventType.ADDED if before is None else EventType.MODIFIED, key, old, entry.view)

    def remove(self, key: Key) -> Change[T] | None:
        """Drop one object; return the change, None when it was not there."""
        before = self._entries[key.kind].pop(key, None)
        if before is None:
            return None
        for index in self._indexes[key.kind].values():
            index.drop(key, before.view)
        return Change(EventType.DELETED, key, before.view, None)

    def settled(self) -> Sequence[Key]:
        """Return what has come to rest between the last two calls; the first begins to take note of what changes."""
        if self._settling is None:
            self._settling = Settling()
            for entries in self._entries.values():
                for key in entries:
                    self._settling.note(key)
        return self._settling.turn()

    def pack(self, key: Key) -> None:
        """Hold an object packed until it changes; nothing else of it does. Its bytes then take 3 µs to be had."""
        entry = self.entry(key)
        if entry is not None and isinstance(entry.held, Encoded):
            entry.held = self._packer.pack(entry.held)

    def replace(self, state: Mapping[Key, Entry[T]]) -> list[Change[T]]:
        """Become exactly ``state``; return what changed, deletions first."""
        gone = [key for entries in self._entries.values() for key in entries if key not in state]
        changes = [self.remove(key) for key in gone]
        changes += [self.put(key, entry) for key, entry in state.items()]
        return [change for change in changes if change is not None]
