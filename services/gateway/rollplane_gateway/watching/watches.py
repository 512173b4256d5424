"""The watches of one process: what they are read from, and the one clockwork that reminds them all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from random import random
from types import TracebackType
from typing import Protocol, Self

from rollplane_gateway.watching.feed import Feed
from rollplane_gateway.watching.hub import Reader
from rollplane_gateway.watching.places import shared
from rollplane_gateway.watching.shapes import Shapes
from rollplane_machinery.api import ListQuery, Page, WatchApi, WatchFilter
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import Outcome, UnavailableError
from rollplane_machinery.kinds import Kind

MIB = 1024 * 1024
_TICK_SECONDS = 1.0


class Upstream(WatchApi, Protocol):
    """What of the API watches are made from."""

    async def list(self, query: ListQuery) -> Page: ...


class Watches:
    """``async with Watches(api, clock, shapes) as watches`` keeps upstreams going; leaving it ends every watch.

    ``feed_bytes`` bounds what one upstream's hubs hold for their slowest readers. ``chance`` gives numbers from 0 to 1.
    """

    def __init__(
        self,
        api: Upstream,
        clock: Clock,
        shapes: Shapes,
        *,
        feed_bytes: int = 32 * MIB,
        chance: Callable[[], float] = random,
    ) -> None:
        self.api = api
        self.clock = clock
        self.shapes = shapes
        self.chance = chance
        self._feed_bytes = feed_bytes
        self._feeds: dict[WatchFilter, Feed] = {}
        self._running: dict[Feed, asyncio.Task[None]] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._ticking: asyncio.Task[None] | None = None

    @property
    def readers(self) -> int:
        """How many watch."""
        return sum(1 for feed in self._running for _ in feed.readers)

    @property
    def hubs(self) -> int:
        """How many different watches there are."""
        return sum(len(feed.hubs) for feed in self._running)

    @property
    def upstreams(self) -> int:
        """How many watches they are read from."""
        return len(self._running)

    @property
    def bytes(self) -> int:
        """What is held for readers that are yet to read it."""
        return sum(feed.bytes for feed in self._running)

    async def __aenter__(self) -> Self:
        self._tasks = asyncio.TaskGroup()
        await self._tasks.__aenter__()
        self._ticking = self._tasks.create_task(self._tick())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        tasks, self._tasks = self._tasks, None
        if tasks is None or self._ticking is None:
            raise RuntimeError("the watches have not been entered")
        for task in (self._ticking, *self._running.values()):
            task.cancel()
        await tasks.__aexit__(None, None, None)  # what went wrong outside is not this group's to wrap

    async def present(self, where: WatchFilter) -> int:
        """Return a revision that was present a moment ago, for ``can_join``."""
        feed = self._feeds.get(shared(where)[0])
        return feed.revision if feed is not None else await self.present_of(where.kind)

    async def present_of(self, kind: Kind, min_revision: int = 0) -> int:
        """Return the present revision, once it is at least ``min_revision``; raises what listing raises."""
        return (await self.api.list(ListQuery(kind, limit=1, min_revision=min_revision))).revision

    def can_join(self, where: WatchFilter, revision: int, present: int) -> bool:
        """Return whether ``join`` is possible for who has read up to ``revision``.

        Nobody starts an upstream for others from before ``present``: what is long past may take long to read, or be
        forgotten, which only who asks for it is to be told.
        """
        upstream, place = shared(where)
        feed = self._feeds.get(upstream)
        return revision >= present if feed is None else feed.covers(place, revision)

    @asynccontextmanager
    async def joined(self, where: WatchFilter, revision: int) -> AsyncIterator[Reader]:
        """Give a reader of what follows ``revision``; raises what opening a watch raises.

        The last one that leaves stops the upstream.
        """
        upstream, place = shared(where)
        feed = self._feeds.get(upstream) or self._started(upstream, revision)
        reader = feed.join(place, revision)
        try:
            await feed.opened()
            yield reader
        finally:
            feed.leave(reader)
            self._stop_unread(feed)

    def _stop_unread(self, feed: Feed) -> None:
        task = self._running.get(feed)
        if task is not None and not feed.hubs:
            task.cancel()
            self._forget(feed)

    def _started(self, where: WatchFilter, revision: int) -> Feed:
        if self._tasks is None:
            raise UnavailableError("watches are ended; watch again", outcome=Outcome.NOT_SENT)
        feed = self._feeds[where] = Feed(where, revision, self._feed_bytes)
        self._running[feed] = self._tasks.create_task(self._run(feed))
        return feed

    async def _run(self, feed: Feed) -> None:
        try:
            await feed.run(self.api)
        finally:
            self._forget(feed)

    def _forget(self, feed: Feed) -> None:
        """Those who still read what ended read it to its end; who comes now gets another one."""
        self._running.pop(feed, None)
        if self._feeds.get(feed.where) is feed:
            del self._feeds[feed.where]

    async def _tick(self) -> None:
        """Wake the readers that are due: one timer for all of them."""
        wait = _TICK_SECONDS
        while True:
            await self.clock.sleep(wait)
            now = self.clock.monotonic()
            wait = _TICK_SECONDS
            for feed in self._running:
                for reader in feed.readers:
                    if reader.due <= now:
                        reader.wake()
                    else:
                        wait = min(wait, reader.due - now)
