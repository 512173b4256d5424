"""Two managers that share the shards of one plane, and what befalls them: killed, stopped, started anew."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from rollplane_controller.manager import Manager
from tests.faults.faulty_api import FaultyApi

PAUSE_SECONDS = (1.0, 25.0)
"""How long one stands still: its leases last 10 s."""


@dataclass(slots=True)
class Running:
    """One life of a manager, and its network."""

    manager: Manager
    network: FaultyApi
    task: asyncio.Task[None]


class Managers:
    """``make`` returns the manager of a name and its network; each life has a name of its own."""

    def __init__(
        self, make: Callable[[str], tuple[Manager, FaultyApi]], dice: Random, tasks: asyncio.TaskGroup
    ) -> None:
        self._make = make
        self._dice = dice
        self._tasks = tasks
        self._lives = 0
        self._running: list[Running] = []
        self.calm = False
        self.counts: Counter[str] = Counter()

    async def start(self) -> None:
        """Start both, one after the other."""
        for _ in range(2):
            self._running.append(self._begin())
            await self._running[-1].manager.ready()

    async def trouble(self) -> None:
        """Do something to one of them every few seconds, until ``calm``; what was begun is carried through."""
        while not self.calm:
            await asyncio.sleep(self._dice.uniform(0.0, 8.0))
            await self._dice.choice((self._kill, self._stop, self._restart))(self._dice.randrange(2))

    def is_quiet(self, revision: int) -> bool:
        """Return whether both have seen and done everything up to ``revision``."""
        return all(one.manager.is_quiet(revision) for one in self._running)

    def end(self) -> None:
        """Cancel both."""
        for one in self._running:
            one.task.cancel()

    def _begin(self) -> Running:
        self._lives += 1
        manager, network = self._make(f"manager-{self._lives}")
        return Running(manager, network, self._tasks.create_task(manager.run()))

    async def _kill(self, which: int) -> None:
        """End one that can say nothing any more: what it holds runs out."""
        self.counts["manager killed"] += 1
        self._running[which].network.cut_off()
        await self._replace(which)

    async def _restart(self, which: int) -> None:
        """End one that gives up what it holds, if the network lets it."""
        self.counts["manager restarted"] += 1
        await self._replace(which)

    async def _replace(self, which: int) -> None:
        self._running[which].task.cancel()
        await asyncio.wait({self._running[which].task})
        self._running[which] = self._begin()

    async def _stop(self, which: int) -> None:
        self.counts["manager paused"] += 1
        await self._running[which].network.stop(self._dice.uniform(*PAUSE_SECONDS))
