"""Holding what the watch shows to the invariants.

They are about changes of several kinds in the order in which they were made. A plane's own watch tells them in that
order. Through REST every kind has a watch of its own, so what they tell is held back for a moment and put in order by
resource version; what comes later still makes an honest judgement impossible, and is said.
"""

from __future__ import annotations

import heapq
import itertools

from rollplane_machinery.api import WatchBatch, WatchEvent
from rollplane_machinery.clock import Clock
from rollplane_machinery.invariants import InvariantChecker

HELD_SECONDS = 1.0


class Judge:
    """Fed with batches of one watch; ``violations`` are those so far."""

    def __init__(self, clock: Clock, *, in_order: bool) -> None:
        self._clock = clock
        self._in_order = in_order
        self._checker = InvariantChecker()
        self._held: list[tuple[int, int, float, WatchEvent]] = []
        self._numbers = itertools.count()
        self._released = 0
        self._past: list[str] = []
        self.late = 0

    def take(self, batch: WatchBatch) -> None:
        """Judge a batch, or what is old enough by now to be judged."""
        if self._in_order or not batch.revision or batch.initial_state_complete:
            self._checker.feed(batch)
            return
        now = self._clock.monotonic()
        for event in batch.events:
            self.late += event.revision <= self._released
            heapq.heappush(self._held, (event.revision, next(self._numbers), now, event))
        self._release(now - HELD_SECONDS)

    def _release(self, until: float) -> None:
        """Hand on what came before ``until``, and all that was made before it."""
        newest = max((revision for revision, _, came, _ in self._held if came <= until), default=0)
        ready = []
        while self._held and self._held[0][0] <= newest:
            ready.append(heapq.heappop(self._held)[3])
        if ready and not self.late:
            self._released = ready[-1].revision
            self._checker.feed(WatchBatch(ready, self._released))

    def begin_again(self) -> None:
        """The state is about to be told anew; what happened meanwhile nobody saw."""
        self._past += map(str, self._checker.violations)
        self._checker = InvariantChecker()
        self._held.clear()

    def verdict(self) -> list[str]:
        """Return all violations, once everything is at rest."""
        self._release(float("inf"))
        return [*self._past, *map(str, self._checker.check_at_rest())]
