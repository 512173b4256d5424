"""What is due when: one heap for all pods of a fleet, one time for each."""

from __future__ import annotations

import heapq
import itertools
from typing import Generic, TypeVar

K = TypeVar("K")


class DueTimes(Generic[K]):
    """Keys, each with the earliest time it was scheduled for; those of one time come in the order they were given."""

    def __init__(self) -> None:
        self._due: dict[K, float] = {}
        self._heap: list[tuple[float, int, K]] = []
        self._order = itertools.count()

    def __len__(self) -> int:
        return len(self._due)

    def schedule(self, key: K, due: float) -> bool:
        """Take note of ``due`` unless the key is due earlier; tells whether it was taken."""
        if due >= self._due.get(key, float("inf")):
            return False
        self._due[key] = due
        heapq.heappush(self._heap, (due, next(self._order), key))
        return True

    def discard(self, key: K) -> None:
        """Forget a key."""
        self._due.pop(key, None)

    @property
    def earliest(self) -> float | None:
        """The time of the first key, None when there is none."""
        while self._heap and self._due.get(self._heap[0][2]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def take(self, now: float, limit: int) -> list[K]:
        """Remove and return the keys due at ``now``, earliest first, at most ``limit``."""
        taken: list[K] = []
        while len(taken) < limit and (earliest := self.earliest) is not None and earliest <= now:
            _, _, key = heapq.heappop(self._heap)
            del self._due[key]
            taken.append(key)
        return taken
