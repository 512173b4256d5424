"""What is told at one place, for all who watch it.

A reader holds no queue: it has a place among the batches, which are kept until everybody has read them or they are too
many. Whoever reads too slowly for that ends with Expired.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from itertools import islice

from rollplane_gateway.watching.batch import Batch
from rollplane_gateway.watching.places import Place
from rollplane_machinery.api import WatchBatch
from rollplane_machinery.errors import ExpiredError, RollplaneError


class Level:
    """What the hubs of one upstream have in common.

    It is read up to ``revision``; ``bytes`` are what they hold together; ``caught_up`` is set when a reader has nothing
    left to read.
    """

    def __init__(self, revision: int) -> None:
        self.revision = revision
        self.bytes = 0
        self.caught_up = asyncio.Event()


class Reader:
    """A place in a hub: everything after ``after`` is yet to be read. ``due`` is when it wants to be woken anyhow."""

    def __init__(self, hub: Hub, after: int, position: int) -> None:
        self.hub = hub
        self.after = after
        self.position = position
        self.batch: Batch | None = None
        self.due = math.inf
        self._taken = after
        self._waiter: asyncio.Future[None] | None = None

    @property
    def is_behind(self) -> bool:
        """Whether there is something to take."""
        return self.position < self.hub.end

    @property
    def revision(self) -> int:
        """Up to where everything was taken, whatever the upstream told others since."""
        return self._taken if self.is_behind else max(self._taken, self.hub.level.revision)

    def take(self) -> Batch | None:
        """Return the next batch, None when there is none yet; the one before counts as read.

        Raises ExpiredError when the reader fell behind, or what ended the hub.
        """
        batch = self.batch = self.hub.batch_for(self)
        if batch is not None:
            self._taken = max(self._taken, batch.revision)
            self.position += 1
        return batch

    def wake(self) -> None:
        """End ``wait``."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def wait(self) -> None:
        """Wait for another batch, the end, or ``due``."""
        self._waiter = asyncio.get_running_loop().create_future()
        try:
            await self._waiter
        finally:
            self._waiter = None


class Hub:
    """What happens to the objects of ``place`` after ``start``, as far as not everybody has read it."""

    def __init__(self, place: Place, level: Level, start: int) -> None:
        self.place = place
        self.level = level
        self.start = start
        self.bytes = 0
        self.readers: set[Reader] = set()
        self.error: RollplaneError | None = None
        self._batches: deque[Batch] = deque()
        self._first = 0

    def __len__(self) -> int:
        """How many batches are held."""
        return len(self._batches)

    @property
    def end(self) -> int:
        """The position behind the last batch."""
        return self._first + len(self._batches)

    def covers(self, revision: int) -> bool:
        """Return whether who has read up to ``revision`` can go on here."""
        return self.error is None and revision >= self.start

    def join(self, revision: int) -> Reader:
        """Return a new reader of what follows ``revision``, which must be covered."""
        read = sum(1 for batch in self._batches if batch.revision <= revision)
        reader = Reader(self, revision, self._first + read)
        for batch in islice(self._batches, read, None):
            batch.unread += 1
        self.readers.add(reader)
        return reader

    def batch_for(self, reader: Reader) -> Batch | None:
        """Return the batch at the position of ``reader``, which is done with the one before; see ``Reader.take``."""
        self._put_down(reader)
        if reader.position < self._first:
            raise ExpiredError(
                f"too old resource version: {reader.after} ({self.start}): the watch was read too slowly"
            )
        if reader.is_behind:
            return self._batches[reader.position - self._first]
        self.level.caught_up.set()
        if self.error is not None:
            raise self.error
        return None

    def leave(self, reader: Reader) -> None:
        """Forget ``reader``."""
        self.readers.remove(reader)
        for batch in islice(self._batches, max(0, reader.position - self._first), None):
            batch.unread -= 1
        self._put_down(reader)
        self._forget_read()
        self.level.caught_up.set()

    def publish(self, batch: WatchBatch) -> None:
        """Add what happened, and wake the readers."""
        made = Batch(batch, self._grow, unread=len(self.readers))
        self._batches.append(made)
        self._grow(made.size)
        self._wake()

    def drop(self) -> None:
        """Forget the oldest batch, read or not."""
        batch = self._batches.popleft()
        batch.let_go()
        self._grow(-batch.size)
        self.start = batch.revision
        self._first += 1

    def fail(self, error: RollplaneError) -> None:
        """End what follows by ``error``."""
        self.error = error
        self._wake()

    def _put_down(self, reader: Reader) -> None:
        batch, reader.batch = reader.batch, None
        if batch is not None:
            batch.unread -= 1
            self._forget_read()

    def _forget_read(self) -> None:
        while self._batches and not self._batches[0].unread:
            self.drop()

    def _grow(self, size: int) -> None:
        self.bytes += size
        self.level.bytes += size

    def _wake(self) -> None:
        for reader in self.readers:
            reader.wake()
