"""One watch from its first byte to its last: state, changes, bookmarks, the end."""

from __future__ import annotations

import math
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager

from rollplane_gateway.watching.batch import Batch
from rollplane_gateway.watching.hub import Reader
from rollplane_gateway.watching.question import Question
from rollplane_gateway.watching.shapes import Shape
from rollplane_gateway.watching.voice import Voice
from rollplane_gateway.watching.watches import Watches
from rollplane_machinery.api import WatchBatch, WatchQuery
from rollplane_machinery.errors import ExpiredError, RollplaneError, UnavailableError

BOOKMARK_SECONDS = 60.0
INITIAL_EVENTS_END = "k8s.io/initial-events-end"


@asynccontextmanager
async def opened(watches: Watches, question: Question, shape: Shape) -> AsyncIterator[AsyncIterator[bytes]]:
    """Open a watch, whose pieces the iterator gives, each of whole events.

    Raises what opening it raises, but for a version that is no longer known, which libraries look for among the events
    only. That, and what happens to it later, is told as an ERROR event, unless the server goes away: then it just
    ends, and the client comes again.
    """
    async with AsyncExitStack() as stack:
        watch = _Watch(watches, question, shape, stack)
        await watch.open()
        yield await stack.enter_async_context(aclosing(watch.pieces()))


class _Watch:
    """A watch reads an upstream of its own until it can join those who ask the same, or the like."""

    def __init__(self, watches: Watches, question: Question, shape: Shape, stack: AsyncExitStack) -> None:
        self._watches = watches
        self._question = question
        self._voice = Voice(question.where.kind, shape)
        self._stack = stack
        self._own: AsyncIterator[WatchBatch] | None = None
        self._leaving_own = AsyncExitStack()
        self._reader: Reader | None = None
        self._revision = question.revision
        self._present = 0
        self._knows_state = not question.initial
        now = watches.clock.monotonic()
        self._ends = now + question.timeout_seconds
        self._bookmark_due = now + BOOKMARK_SECONDS if question.bookmarks else math.inf
        self._is_over = False
        self._expired: ExpiredError | None = None

    async def open(self) -> None:
        """Get to where the first piece can be waited for."""
        await self._settle_revision()
        try:
            await self._open_upstream()
        except ExpiredError as exc:
            self._expired = exc

    async def _open_upstream(self) -> None:
        if self._can_join():
            await self._join()
        else:
            await self._open_own()

    async def _settle_revision(self) -> None:
        """Learn the present revision, or wait until the state is as new as it is to be."""
        question, watches = self._question, self._watches
        if question.from_now or (question.initial and question.revision):
            self._present = self._revision = await watches.present_of(question.where.kind, question.revision)
        elif not question.initial:
            self._present = await watches.present(question.where)

    def _can_join(self) -> bool:
        return self._knows_state and self._watches.can_join(self._question.where, self._revision, self._present)

    async def _open_own(self) -> None:
        await self._stack.enter_async_context(self._leaving_own)
        where, initial = self._question.where, not self._knows_state
        watch = self._watches.api.watch(WatchQuery((where,), 0 if initial else self._revision, initial))
        self._own = await self._leaving_own.enter_async_context(watch)

    async def _join(self) -> None:
        joined = self._watches.joined(self._question.where, self._revision)
        self._reader = await self._stack.enter_async_context(joined)
        await self._leaving_own.aclose()

    async def pieces(self) -> AsyncGenerator[bytes, None]:
        """Yield whole events, some at a time."""
        try:
            async with aclosing(self._batches()) as batches:
                async for batch in batches:
                    if piece := self._told(batch) + self._timely():
                        yield piece
                    if self._is_over:
                        return
        except UnavailableError:
            return
        except RollplaneError as exc:
            yield self._voice.error(exc)

    async def _batches(self) -> AsyncGenerator[Batch | None, None]:
        """Yield what comes; None says that time passed."""
        if self._expired is not None:
            raise self._expired
        if self._own is not None:
            async for batch in self._own:
                yield Batch(batch)
                if self._can_join():
                    await self._join()
                    break
        while self._reader is not None:
            if (read := self._reader.take()) is None:
                self._reader.due = min(self._ends, self._bookmark_due)
                await self._reader.wait()
            yield read

    def _told(self, batch: Batch | None) -> bytes:
        if batch is None:
            return b""
        told = self._voice.events(batch, 0 if self._reader is None else self._reader.after)
        self._revision = batch.revision or self._revision
        if batch.completes_state:
            self._knows_state = True
            if self._question.marks_initial_end:
                told += self._voice.bookmark(self._revision, {INITIAL_EVENTS_END: "true"})
        return told

    def _timely(self) -> bytes:
        """Return the bookmark that is due, the last one just before the end."""
        now = self._watches.clock.monotonic()
        self._is_over = now >= self._ends
        if not self._knows_state or not (now >= self._bookmark_due or (self._is_over and self._question.bookmarks)):
            return b""
        self._bookmark_due = now + BOOKMARK_SECONDS
        if self._reader is not None:
            self._revision = max(self._revision, self._reader.revision)
        return self._voice.bookmark(self._revision)
