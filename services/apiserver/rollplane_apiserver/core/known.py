"""What rules read of a kind that is kept as JSON, read once for each state of an object."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

from rollplane.stored.v1 import StoredObject
from rollplane_apiserver.watch.cache import Cache
from rollplane_apiserver.watch.entry import Entry
from rollplane_machinery.kinds import Kind

T = TypeVar("T")


class Known(Generic[T]):
    """The objects of one kind as ``read`` understands them, as the cache holds them now."""

    def __init__(self, cache: Cache, kind: Kind, read: Callable[[StoredObject], T]) -> None:
        self._cache = cache
        self._kind = kind
        self._read = read
        self._known: dict[str, tuple[int, T]] = {}

    def of(self, namespace: str) -> Sequence[T]:
        """Return those of ``namespace``, by name. Where there is none anywhere it costs next to nothing."""
        count = self._cache.count(self._kind)
        if len(self._known) > 2 * count:
            self._known.clear()  # most are gone
        return [self._read_once(entry) for entry in self._cache.snapshot(self._kind, namespace)] if count else ()

    def _read_once(self, entry: Entry) -> T:
        revision, value = self._known.get(entry.key, (0, None))
        if value is None or revision != entry.revision:
            value = self._read(entry.encoded.read_as(StoredObject))
            self._known[entry.key] = entry.revision, value
        return value
