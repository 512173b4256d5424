"""Gates: a key that wrote may neither create nor delete before the informer has seen those writes.

They take the place of Kubernetes' expectations (docs/semantics/replicaset.md section 4), which count the events
awaited. One sequence of revisions for all kinds makes counting needless: once the informer has reached the revision
of the last write, it has seen every one of them, and whatever others did before.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Gates(Generic[K]):
    """For each key the highest revision that its writes returned, as long as the informer is behind it.

    Wire ``reach`` to the informer's progress and give what it returns to the work queue. Pure bookkeeping: no method
    blocks. Its size is bounded by the keys that wrote and are not caught up.
    """

    def __init__(self) -> None:
        self._reached = 0
        self._wanted: dict[K, int] = {}
        self._asked: set[K] = set()
        self._order = itertools.count()
        self._heap: list[tuple[int, int, K]] = []

    def __len__(self) -> int:
        """Return how many keys are shut."""
        return len(self._wanted)

    @property
    def reached(self) -> int:
        """The revision that the informer has reached."""
        return self._reached

    def shut(self, key: K, revision: int) -> None:
        """Shut ``key``'s gate until ``revision`` is reached; an earlier revision never opens it sooner."""
        if revision > max(self._reached, self._wanted.get(key, 0)):
            self._wanted[key] = revision
            heapq.heappush(self._heap, (revision, next(self._order), key))

    def is_open(self, key: K) -> bool:
        """Return whether the informer has seen all that ``key`` wrote; a key told no is named when it has."""
        if key not in self._wanted:
            return True
        self._asked.add(key)
        return False

    def reach(self, revision: int) -> list[K]:
        """Record that the informer has reached ``revision``; return the keys that asked and whose gates now opened."""
        if revision > self._reached:
            self._reached = revision
        opened = []
        while self._heap and self._heap[0][0] <= self._reached:
            wanted, _, key = heapq.heappop(self._heap)
            if self._wanted.get(key) != wanted:
                continue  # a later write has moved the gate; its own entry follows in the heap
            del self._wanted[key]
            if key in self._asked:
                self._asked.discard(key)
                opened.append(key)
        return opened
