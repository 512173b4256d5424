"""One upstream watch, read by all who watch the same.

A reader holds no queue: it has a place among the batches, which are kept until everybody has read them or they are too
many. Whoever reads too slowly for that ends with Expired.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections import deque

from rollplane_gateway.watching.batch import Batch
from rollplane_machinery.api import WatchApi, WatchBatch, WatchFilter, WatchQuery
from rollplane_machinery.errors import ExpiredError, InternalError, Outcome, RollplaneError, UnavailableError

log = logging.getLogger(__name__)

_AHEAD_BYTES = 256 * 1024  # what a hub reads ahead of its quickest reader


class Reader:
    """A place in a hub: everything after ``after`` is yet to be read. ``due`` is when it wants to be woken anyhow."""

    def __init__(self, hub: Hub, after: int, position: int) -> None:
        self.hub = hub
        self.after = after
        self.position = position
        self.due = math.inf
        self._waiter: asyncio.Future[None] | None = None

    @property
    def revision(self) -> int:
        """Up to where everything is known, once nothing is left to take."""
        return max(self.after, self.hub.revision)

    def take(self) -> Batch | None:
        """Return the next batch, None when there is none yet.

        Raises ExpiredError when the reader fell behind, or what ended the hub.
        """
        return self.hub.batch_for(self)

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
    """What happens to the objects of ``where`` after ``start``, as far as not everybody has read it.

    It reads no faster than the quickest of its readers, and holds at most ``max_bytes`` for the others.
    """

    def __init__(self, where: WatchFilter, revision: int, max_bytes: int) -> None:
        self.where = where
        self.start = self.revision = revision
        self.readers: set[Reader] = set()
        self.error: RollplaneError | None = None
        self._max_bytes = max_bytes
        self._bytes = 0
        self._batches: deque[Batch] = deque()
        self._first = 0
        self._caught_up = asyncio.Event()
        self._opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def covers(self, revision: int) -> bool:
        """Return whether who has read up to ``revision`` can go on here."""
        return self.error is None and revision >= self.start

    def join(self, revision: int) -> Reader:
        """Return a new reader of what follows ``revision``, which must be covered."""
        read = sum(1 for batch in self._batches if batch.revision <= revision)
        reader = Reader(self, revision, self._first + read)
        self.readers.add(reader)
        return reader

    def batch_for(self, reader: Reader) -> Batch | None:
        """Return the next batch of ``reader``, which moves on behind it."""
        if reader.position < self._first:
            raise ExpiredError(
                f"too old resource version: {reader.after} ({self.start}): the watch was read too slowly"
            )
        at = reader.position - self._first
        if at < len(self._batches):
            reader.position += 1
            return self._batches[at]
        self._caught_up.set()
        if self.error is not None:
            raise self.error
        return None

    def leave(self, reader: Reader) -> None:
        """Forget ``reader``."""
        self.readers.discard(reader)
        self._caught_up.set()

    async def opened(self) -> None:
        """Wait until the upstream watch is open; raises what kept it from that."""
        await asyncio.shield(self._opened)

    async def run(self, api: WatchApi) -> None:
        """Read the upstream until it ends or the task is cancelled."""
        try:
            async with api.watch(WatchQuery((self.where,), self.revision)) as batches:
                self._opened.set_result(None)
                async for batch in batches:
                    self.publish(batch)
                    await self._paced()
            self._end(UnavailableError("the server ended the watch; watch again", outcome=Outcome.NOT_SENT))
        except RollplaneError as exc:
            self._end(exc)
        except Exception as exc:
            log.exception("a watch ended by a defect")
            self._end(InternalError(f"a watch ended by a defect: {exc}"))
        finally:
            self._end(UnavailableError("watches are ended; watch again", outcome=Outcome.NOT_SENT))

    def publish(self, batch: WatchBatch) -> None:
        """Add what happened, and wake the readers if it is more than that time passed."""
        if batch.events:
            self._forget_read()
            made = Batch(batch, self._grow)
            self._batches.append(made)
            self._grow(made.size)
            while self._bytes > self._max_bytes and len(self._batches) > 1:
                self._drop()
        self.revision = batch.revision
        if batch.events:
            self._wake()

    async def _paced(self) -> None:
        """Wait until somebody has read everything, if that is much."""
        while self._bytes > _AHEAD_BYTES and all(reader.position < self._end_position for reader in self.readers):
            self._caught_up.clear()
            await self._caught_up.wait()

    @property
    def _end_position(self) -> int:
        return self._first + len(self._batches)

    def _grow(self, size: int) -> None:
        self._bytes += size

    def _forget_read(self) -> None:
        read_by_all = min((reader.position for reader in self.readers), default=self._first)
        while self._first < read_by_all:
            self._drop()

    def _drop(self) -> None:
        batch = self._batches.popleft()
        self._bytes -= batch.size
        self.start = batch.revision
        self._first += 1

    def _end(self, error: RollplaneError) -> None:
        if self.error is not None:
            return
        self.error = error
        if not self._opened.done():
            self._opened.set_exception(error)
            self._opened.exception()  # somebody may have gone before being told
        self._wake()

    def _wake(self) -> None:
        for reader in self.readers:
            reader.wake()
