"""Everything that is to be seen of a rollout, in one stream: the server's looks, and why it is where it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import dataclass

from rollplane_cli.choosing import Found
from rollplane_cli.scene import WatchedScene
from rollplane_cli.session import Session
from rollplane_client.watching import BRIEF, resumed
from rollplane_machinery.api import Key, RolloutState, RolloutStatus
from rollplane_machinery.errors import RollplaneError
from rollplane_printing.diagnosis import Diagnosis
from rollplane_printing.scene import is_workload

_QUEUED = 256
"""Sights that may wait for a slow terminal; then the watches wait too, and the server drops them if they must."""


@dataclass(frozen=True, slots=True)
class Ended:
    """No more looks will come; ``error`` says why, None when the rollout has ended."""

    error: RollplaneError | None = None


Sight = RolloutStatus | Diagnosis | Ended


@asynccontextmanager
async def looks(session: Session, key: Key, revision: int) -> AsyncIterator[AsyncIterator[RolloutStatus]]:
    """Open the server's looks at a rollout, the last one DONE or FAILED; they go on after the server's restart."""
    async with aclosing(_looks(session, key, revision)) as stream:
        yield stream


async def _looks(session: Session, key: Key, revision: int) -> AsyncGenerator[RolloutStatus, None]:
    api = await session.api()
    last: RolloutStatus | None = None
    async with resumed(lambda: api.rollout_status(key, revision), session.clock, BRIEF) as statuses:
        async for status in statuses:
            if status != last:
                yield status
            last = status
            if status.state is not RolloutState.PROGRESSING:
                return


async def watch_rollout(session: Session, found: Found, revision: int, see: Callable[[Sight], bool]) -> None:
    """Hand every sight of the rollout to ``see`` until it says that it has seen enough, or all has ended.

    There are looks and diagnoses; a kind that nothing is known to diagnose of has only looks.
    """
    queue: asyncio.Queue[Sight] = asyncio.Queue(_QUEUED)
    workload = found.parse()
    async with asyncio.TaskGroup() as tasks:
        pumps = [tasks.create_task(_pump_looks(looks(session, found.key, revision), queue))]
        if is_workload(workload):
            scene = WatchedScene(session, found.key, workload)
            pumps.append(tasks.create_task(_pump_changes(scene, queue)))
            pumps.append(tasks.create_task(scene.explain(queue.put)))
        try:
            while not see(sight := await queue.get()) and not isinstance(sight, Ended):
                pass
        finally:
            for pump in pumps:
                pump.cancel()


async def _pump_looks(
    opened: AbstractAsyncContextManager[AsyncIterator[RolloutStatus]], queue: asyncio.Queue[Sight]
) -> None:
    try:
        async with opened as statuses:
            async for status in statuses:
                await queue.put(status)
        await queue.put(Ended())
    except RollplaneError as exc:
        await queue.put(Ended(exc))


async def _pump_changes(scene: WatchedScene, queue: asyncio.Queue[Sight]) -> None:
    try:
        await scene.observe()
    except RollplaneError as exc:
        await queue.put(Ended(exc))
