"""Looks that ask the Api: so many at a time, each within its deadline, the rest in line."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

from rollplane_client.timeouts import within
from rollplane_controller.reconcile.reconciler import Look
from rollplane_machinery.clock import Clock
from rollplane_planners.model import Plan

Found = Callable[[Plan | Exception], None]


class LiveLooks:
    """Runs looks in ``tasks``, at most ``most`` at a time; what takes longer than ``seconds`` fails."""

    def __init__(self, tasks: asyncio.TaskGroup, clock: Clock, most: int, seconds: float) -> None:
        self._tasks = tasks
        self._clock = clock
        self._most = most
        self._seconds = seconds
        self._waiting: deque[tuple[Look, Found]] = deque()
        self._running = 0

    def ask(self, look: Look, found: Found) -> None:
        """Run ``look`` when there is room, then call ``found`` with its plan or with what it raised."""
        self._waiting.append((look, found))
        self._start()

    def _start(self) -> None:
        while self._waiting and self._running < self._most:
            self._running += 1
            self._tasks.create_task(self._run(*self._waiting.popleft()))

    async def _run(self, look: Look, found: Found) -> None:
        answer: Plan | Exception
        try:
            answer = await within(self._clock, self._seconds, look())
        except Exception as exc:
            answer = exc
        self._running -= 1
        found(answer)
        self._start()
