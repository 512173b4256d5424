"""A queue of keys to look at: each key once, never processed twice at a time, later after a failure.

The queue decides when a key is looked at; what is done then, and whether it failed, is its user's business. The idea
of the dirty and the processing set is that of kubernetes/client-go ``util/workqueue/queue.go``.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

from rollplane_client.backoff import Backoff, Jitter, no_jitter
from rollplane_client.lanes import Lanes
from rollplane_client.tally import Tally
from rollplane_machinery.clock import Clock

K = TypeVar("K", bound=Hashable)

DEFAULT_BACKOFF = Backoff(base_seconds=0.005, cap_seconds=60.0, spread=0.0)


def _all_alike(_key: object) -> int:
    return 0


class QueueStats:
    """What a queue has seen: keys added, keys failed, seconds they waited to be taken, seconds they were worked on."""

    __slots__ = ("adds", "retries", "waits", "works")

    def __init__(self) -> None:
        self.adds = 0
        self.retries = 0
        self.waits = Tally()
        self.works = Tally()


class WorkQueue(Generic[K]):
    """Keys in the order they were first added, the more urgent before the others.

    ``urgency`` is asked when a key becomes ready; all are alike without it. The bound of the queue is the number of
    different keys: adding one that waits already changes nothing. A key that is added while it is being processed comes
    back once it is finished. Not thread-safe; any number of tasks of one loop may take.
    """

    def __init__(
        self,
        *,
        clock: Clock,
        backoff: Backoff = DEFAULT_BACKOFF,
        jitter: Jitter = no_jitter,
        urgency: Callable[[K], int] = _all_alike,
    ) -> None:
        self._clock = clock
        self._backoff = backoff
        self._jitter = jitter
        self._urgency = urgency
        self._ready: Lanes[K] = Lanes()
        self._waiting: dict[K, float] = {}
        """Since when (monotonic) each key is ready."""
        self._processing: dict[K, float] = {}
        """Since when each key is being processed."""
        self._dirty: set[K] = set()
        self._failures: dict[K, int] = {}
        self._due: dict[K, float] = {}
        self._delayed: list[tuple[float, int, K]] = []
        self._order = itertools.count()
        self._changed = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._alarm: asyncio.Future[None] | None = None
        self._alarm_due = 0.0
        self._closed = False
        self.stats = QueueStats()

    def __len__(self) -> int:
        """Return how many keys are ready now; neither delayed nor processed ones count."""
        self._promote_due()
        return len(self._ready)

    def is_quiet(self, within_seconds: float = 0.0) -> bool:
        """Return whether no key is ready or processed, and none becomes ready within that time by itself."""
        self._promote_due()
        horizon = self._clock.monotonic() + within_seconds
        return not self._ready and not self._processing and all(due > horizon for due in self._due.values())

    def failures(self, key: K) -> int:
        """Return how often ``key`` has failed since it last succeeded."""
        return self._failures.get(key, 0)

    def add(self, key: K) -> None:
        """Make ``key`` ready, or mark it to come back when it is being processed. Ignored after ``close``."""
        if self._closed:
            return
        if key in self._processing:
            self._dirty.add(key)
        elif key not in self._waiting:
            self._waiting[key] = self._clock.monotonic()
            self._ready.append(key, self._urgency(key))
            self.stats.adds += 1
            self._changed.set()

    def add_after(self, key: K, delay_seconds: float) -> None:
        """Add ``key`` once ``delay_seconds`` have passed; of several delays the one that ends first counts."""
        if self._closed:
            return
        if delay_seconds <= 0:
            self.add(key)
            return
        due = self._clock.monotonic() + delay_seconds
        if due < self._due.get(key, float("inf")):
            self._due[key] = due
            heapq.heappush(self._delayed, (due, next(self._order), key))
            self._drop_overtaken()
            self._changed.set()

    async def take(self, limit: int = 1) -> list[K]:
        """Return at least one and at most ``limit`` ready keys, which then count as being processed.

        Blocks until a key is ready. Returns an empty list once the queue is closed. Each key returned must be ended by
        ``done`` or ``failed``. Cancelling it takes no key.
        """
        while not self._closed:
            self._promote_due()
            if self._ready:
                return self._take_ready(limit)
            self._changed.clear()
            await self._wait_for_change()
        return []

    def done(self, key: K) -> None:
        """End the processing of ``key``: its failures are forgotten; it comes back if it was added meanwhile."""
        self._failures.pop(key, None)
        self._finish(key)

    def failed(self, key: K, *, retry_after_seconds: float = 0.0) -> float:
        """End the processing of ``key`` and add it again after its back-off; return that delay in seconds.

        The delay is at least ``retry_after_seconds``. If the key was added meanwhile, it is ready at once as well: the
        news may be what it was waiting for.
        """
        failures = self._failures.get(key, 0)
        self._failures[key] = failures + 1
        self.stats.retries += 1
        delay = max(self._backoff.seconds(failures, self._jitter), retry_after_seconds)
        self.add_after(key, delay)
        self._finish(key)
        return delay

    def forget(self, key: K) -> None:
        """Drop the failures and delays recorded for ``key``, as when its object is gone."""
        self._failures.pop(key, None)
        self._due.pop(key, None)

    def close(self) -> None:
        """Take no more keys and wake every ``take``; keys being processed may still be ended."""
        self._closed = True
        self._ready.clear()
        self._waiting.clear()
        self._due.clear()
        self._delayed.clear()
        self._drop_alarm()
        self._changed.set()

    async def drained(self) -> None:
        """Wait until no key is being processed."""
        await self._idle.wait()

    def _take_ready(self, limit: int) -> list[K]:
        keys = [self._ready.popleft() for _ in range(min(limit, len(self._ready)))]
        now = self._clock.monotonic()
        for key in keys:
            self.stats.waits.add(now - self._waiting.pop(key))
            self._processing[key] = now
        self._idle.clear()
        return keys

    def _finish(self, key: K) -> None:
        started = self._processing.pop(key, None)
        if started is None:
            raise ValueError(f"{key} is not being processed")
        self.stats.works.add(self._clock.monotonic() - started)
        if key in self._dirty:
            self._dirty.discard(key)
            self.add(key)
        if not self._processing:
            self._idle.set()

    def _promote_due(self) -> None:
        now = self._clock.monotonic()
        while self._delayed and self._delayed[0][0] <= now:
            due, _, key = heapq.heappop(self._delayed)
            # An entry that an earlier delay or forget() has overtaken stays in the heap and is passed over here.
            if self._due.get(key) == due:
                del self._due[key]
                self.add(key)

    def _drop_overtaken(self) -> None:
        """Keep the heap within twice what it is good for, however often delays are shortened or forgotten."""
        if len(self._delayed) > 2 * len(self._due) + 64:
            self._delayed = [entry for entry in self._delayed if self._due.get(entry[2]) == entry[0]]
            heapq.heapify(self._delayed)

    async def _wait_for_change(self) -> None:
        """Return when a key may have become ready: by an add, by the passing of time, or by closing."""
        if self._delayed:
            self._set_alarm(self._delayed[0][0])
        try:
            await self._changed.wait()
        except asyncio.CancelledError:
            self._drop_alarm()
            raise

    def _set_alarm(self, due: float) -> None:
        """See to it that the queue is looked at when it is ``due`` (monotonic).

        An alarm outlives the wait it was set for: one for an earlier moment will do, and the next is set then.
        """
        if self._alarm is not None:
            if self._alarm_due <= due:
                return
            self._drop_alarm()
        self._alarm_due = due
        self._alarm = asyncio.ensure_future(self._clock.sleep(due - self._clock.monotonic()))
        self._alarm.add_done_callback(self._ring)

    def _drop_alarm(self) -> None:
        if self._alarm is not None:
            self._alarm.remove_done_callback(self._ring)
            self._alarm.cancel()
            self._alarm = None

    def _ring(self, _alarm: asyncio.Future[None]) -> None:
        self._alarm = None
        self._changed.set()
