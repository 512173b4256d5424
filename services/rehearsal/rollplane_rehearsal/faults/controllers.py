"""The controllers of a plane and what befalls them: killed, restarted, paused; any number at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from rollplane_controller.manager import Manager
from rollplane_rehearsal.faults.network import FaultyApi


@dataclass(slots=True)
class Life:
    """One life of a manager, and its network."""

    manager: Manager
    network: FaultyApi
    task: asyncio.Task[None]


class Controllers:
    """``make`` returns the manager of a name and its network; each life has a name of its own."""

    def __init__(self, make: Callable[[str], tuple[Manager, FaultyApi]], tasks: asyncio.TaskGroup) -> None:
        self._make = make
        self._tasks = tasks
        self._lives = 0
        self._running: list[Life] = []

    def __iter__(self) -> Iterator[Life]:
        return iter(self._running)

    def __len__(self) -> int:
        return len(self._running)

    async def start(self) -> None:
        """Start one more, and wait until it has had its first look."""
        self._running.append(self._begin())
        await self._running[-1].manager.ready()

    async def kill(self, which: int = 0) -> None:
        """End one that can say nothing any more, and begin another: what it held runs out first."""
        self._running[which].network.cut_off()
        await self.restart(which)

    async def restart(self, which: int = 0) -> None:
        """End one, which gives up what it holds if the network lets it, and begin another."""
        await _end(self._running[which])
        self._running[which] = self._begin()

    async def stop(self, which: int = 0) -> None:
        """End one for good, which gives up what it holds."""
        await _end(self._running.pop(which))

    def is_quiet(self, revision: int, within_seconds: float = 0.5) -> bool:
        """Return whether all have seen and done everything up to ``revision``, and nothing is due soon."""
        return all(life.manager.is_quiet(revision, within_seconds) for life in self._running)

    def end(self) -> None:
        """Cancel all."""
        for life in self._running:
            life.task.cancel()

    def _begin(self) -> Life:
        self._lives += 1
        manager, network = self._make(f"manager-{self._lives}")
        return Life(manager, network, self._tasks.create_task(manager.run()))


async def _end(life: Life) -> None:
    life.task.cancel()
    await asyncio.wait({life.task})
