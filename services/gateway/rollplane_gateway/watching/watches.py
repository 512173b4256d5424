"""The watches of one process: their hubs, and the one clockwork that reminds them all."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import random
from types import TracebackType
from typing import Protocol, Self

from rollplane_gateway.watching.hub import Hub, Reader
from rollplane_gateway.watching.shapes import Shapes
from rollplane_machinery.api import ListQuery, Page, WatchApi, WatchFilter
from rollplane_machinery.clock import Clock
from rollplane_machinery.errors import Outcome, UnavailableError

MIB = 1024 * 1024
_TICK_SECONDS = 1.0


class Upstream(WatchApi, Protocol):
    """What of the API watches are made from."""

    async def list(self, query: ListQuery) -> Page: ...


class Watches:
    """``async with Watches(api, clock, shapes) as watches`` keeps hubs going; leaving it ends every watch.

    ``hub_bytes`` bounds what one hub holds for its slowest reader. ``chance`` gives numbers from 0 to 1.
    """

    def __init__(
        self,
        api: Upstream,
        clock: Clock,
        shapes: Shapes,
        *,
        hub_bytes: int = 32 * MIB,
        chance: Callable[[], float] = random,
    ) -> None:
        self.api = api
        self.clock = clock
        self.shapes = shapes
        self.chance = chance
        self._hub_bytes = hub_bytes
        self._hubs: dict[WatchFilter, Hub] = {}
        self._running: dict[Hub, asyncio.Task[None]] = {}
        self._tasks: asyncio.TaskGroup | None = None
        self._ticking: asyncio.Task[None] | None = None

    @property
    def readers(self) -> int:
        """How many watch."""
        return sum(len(hub.readers) for hub in self._running)

    @property
    def hubs(self) -> int:
        """How many different watches there are."""
        return len(self._running)

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

    def can_join(self, where: WatchFilter, revision: int) -> bool:
        """Return whether ``join`` is possible for who has read up to ``revision``."""
        hub = self._hubs.get(where)
        return hub is None or hub.covers(revision)

    async def join(self, where: WatchFilter, revision: int) -> Reader:
        """Return a reader of what follows ``revision``; ``leave`` must follow. Raises what opening a watch raises."""
        hub = self._hubs.get(where) or self._started(where, revision)
        reader = hub.join(revision)
        try:
            await hub.opened()
        except BaseException:
            self.leave(reader)
            raise
        return reader

    def leave(self, reader: Reader) -> None:
        """Forget ``reader``; the last one stops its hub."""
        hub = reader.hub
        hub.leave(reader)
        task = self._running.get(hub)
        if task is not None and not hub.readers:
            task.cancel()
            self._forget(hub)

    def _started(self, where: WatchFilter, revision: int) -> Hub:
        if self._tasks is None:
            raise UnavailableError("watches are ended; watch again", outcome=Outcome.NOT_SENT)
        hub = self._hubs[where] = Hub(where, revision, self._hub_bytes)
        self._running[hub] = self._tasks.create_task(self._run(hub))
        return hub

    async def _run(self, hub: Hub) -> None:
        try:
            await hub.run(self.api)
        finally:
            self._forget(hub)

    def _forget(self, hub: Hub) -> None:
        """Those who still read a hub that ended read it to its end; who comes now gets another one."""
        self._running.pop(hub, None)
        if self._hubs.get(hub.where) is hub:
            del self._hubs[hub.where]

    async def _tick(self) -> None:
        """Wake the readers that are due: one timer for all of them."""
        wait = _TICK_SECONDS
        while True:
            await self.clock.sleep(wait)
            now = self.clock.monotonic()
            wait = _TICK_SECONDS
            for hub in self._running:
                for reader in hub.readers:
                    if reader.due <= now:
                        reader.wake()
                    else:
                        wait = min(wait, reader.due - now)
