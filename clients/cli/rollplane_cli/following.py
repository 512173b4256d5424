"""The steps of a rolling update, which go on after the server's restart."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from rollplane_cli.session import Session
from rollplane_client.watching import BRIEF, resumed
from rollplane_machinery.api import RollingUpdate, RollingUpdateProgress, RolloutState


@asynccontextmanager
async def follow(session: Session, update: RollingUpdate) -> AsyncIterator[AsyncIterator[RollingUpdateProgress]]:
    """Open the steps of ``update``, each told once, the last one DONE or FAILED.

    The iterator raises UnavailableError when the server stays away.
    """
    async with aclosing(_steps(session, update)) as steps:
        yield steps


async def _steps(session: Session, update: RollingUpdate) -> AsyncGenerator[RollingUpdateProgress, None]:
    api = await session.api()
    revision, last = update.revision, ""
    async with resumed(
        lambda: api.watch_rolling_update(update.target, update.source, revision), session.clock, BRIEF
    ) as steps:
        async for step in steps:
            revision = step.revision
            if step.message != last:  # the first step after a restart may be the last one before it
                yield step
            last = step.message
            if step.state is not RolloutState.PROGRESSING:
                return
