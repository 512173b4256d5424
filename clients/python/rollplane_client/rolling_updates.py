"""The steps of a rolling update, which go on after the server's restart."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from rollplane_client.watching import BRIEF, resumed
from rollplane_machinery.api import RollingUpdate, RollingUpdateProgress, RolloutApi, RolloutState
from rollplane_machinery.clock import Clock


@asynccontextmanager
async def follow(
    api: RolloutApi, update: RollingUpdate, clock: Clock
) -> AsyncIterator[AsyncIterator[RollingUpdateProgress]]:
    """Open the steps of ``update``, each told once, the last one DONE or FAILED.

    The iterator raises UnavailableError when the server stays away.
    """
    async with aclosing(_steps(api, update, clock)) as steps:
        yield steps


async def _steps(api: RolloutApi, update: RollingUpdate, clock: Clock) -> AsyncGenerator[RollingUpdateProgress, None]:
    revision, last = update.revision, ""
    async with resumed(lambda: api.watch_rolling_update(update.target, update.source, revision), clock, BRIEF) as steps:
        async for step in steps:
            revision = step.revision
            if step.message != last:  # the first step after a restart may be the last one before it
                yield step
            last = step.message
            if step.state is not RolloutState.PROGRESSING:
                return
