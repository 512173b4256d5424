"""A log that watches read from, grown and ended by the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rollplane.core.v1 import ConfigMap
from rollplane.meta.v1 import ObjectMeta
from rollplane_machinery.api import EventType, ListQuery, Page, WatchBatch, WatchEvent, WatchFilter, WatchQuery
from rollplane_machinery.errors import ExpiredError
from rollplane_machinery.kinds import Encoded


class Log:
    """One ConfigMap is added for each revision; a watch of one name is told of that one, and of the time that passes.

    ``queries`` are the watches opened so far, ``open`` how many are, ``read`` up to where any has read.
    """

    def __init__(self, length: int = 0) -> None:
        self.length = length
        self.oldest = 0
        self.queries: list[WatchQuery] = []
        self.open = 0
        self.read = 0
        self.refusal: Exception | None = None
        self._error: Exception | None = None
        self._moved = asyncio.Event()

    def grow(self, count: int = 1) -> None:
        """Add events."""
        self.length += count
        self._wake()

    def fail(self, error: Exception) -> None:
        """End every watch by ``error``."""
        self._error = error
        self._wake()

    def _wake(self) -> None:
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()

    async def list(self, query: ListQuery) -> Page:
        return Page((), self.length)

    @asynccontextmanager
    async def watch(self, query: WatchQuery) -> AsyncIterator[AsyncIterator[WatchBatch]]:
        self.queries.append(query)
        if self.refusal is not None:
            raise self.refusal
        self.open += 1
        try:
            yield self._batches(query)
        finally:
            self.open -= 1

    async def _batches(self, query: WatchQuery) -> AsyncIterator[WatchBatch]:
        (where,) = query.filters
        read = query.from_revision
        if query.send_initial_state:
            read = self.length
            state = [event(number) for number in range(1, read + 1) if _matches(where, number)]
            yield WatchBatch(state, read, initial_state_complete=True)
        while True:
            if self._error is not None:
                raise self._error
            if read < self.oldest:
                raise ExpiredError("too old")
            moved = self._moved
            if read < self.length:
                read += 1
                self.read = max(read, self.read)
                yield WatchBatch([event(read)] if _matches(where, read) else [], read)
                continue
            await moved.wait()


def _matches(where: WatchFilter, revision: int) -> bool:
    return where.field_selector in ("", f"metadata.name=c{revision}")


def event(revision: int) -> WatchEvent:
    """The event of one revision."""
    added = ConfigMap(metadata=ObjectMeta(name=f"c{revision}", resource_version=str(revision)))
    return WatchEvent(EventType.ADDED, Encoded.of(added), revision)
