"""Caches of bytes by bytes, bounded together, that forget what has not been asked for in a while."""

from __future__ import annotations

Key = bytes | tuple[bytes | int, ...]
_ENTRY_BYTES = 200  # the Python objects around one entry


class Budget:
    """What some caches may hold together: about ``max_bytes``, keys included."""

    def __init__(self, max_bytes: int) -> None:
        self._half = max_bytes // 2
        self._spent = 0
        self._caches: list[ByteCache] = []

    def cache(self) -> ByteCache:
        """Return a new cache that spends from here."""
        cache = ByteCache(self)
        self._caches.append(cache)
        return cache

    def spend(self, size: int) -> None:
        """Take note of ``size`` bytes more; half of the budget makes a generation."""
        self._spent += size
        if self._spent > self._half:
            self._spent = 0
            for cache in self._caches:
                cache.age()


class ByteCache:
    """Two generations instead of an order: what was asked for since the last change of generations survives the next.

    A hit costs one look into a dict, and there is nothing to move about. ``young`` is the same dict for ever, so that
    who asks often may look into it without a call; ``get`` looks further.
    """

    __slots__ = ("_budget", "_old", "young")

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self.young: dict[Key, bytes] = {}
        self._old: dict[Key, bytes] = {}

    def get(self, key: Key) -> bytes | None:
        """Return what was put under ``key``, if it is still there."""
        value = self.young.get(key)
        if value is None and (value := self._old.get(key)) is not None:
            self.put(key, value)
        return value

    def put(self, key: Key, value: bytes) -> bytes:
        """Keep ``value``, and return it."""
        self.young[key] = value
        self._budget.spend(_size(key) + len(value) + _ENTRY_BYTES)
        return value

    def age(self) -> None:
        """Begin a generation."""
        self._old = self.young.copy()
        self.young.clear()


def _size(key: Key) -> int:
    return len(key) if isinstance(key, bytes) else sum(len(part) for part in key if isinstance(part, bytes))
