"""The steps of a rolling update, which go on after the server's restart."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager

from rollplane_cli.reading import GIVE_UP_SECONDS
from rollplane_cli.session import Session
from rollplane_machinery.api import RollingUpdate, RollingUpdateProgress, RolloutState
from rollplane_machinery.errors import UnavailableError

_RETRY_SECONDS = 0.2


@asynccontextmanager
async def follow(session: Session, update: RollingUpdate) -> AsyncIterator[AsyncIterator[RollingUpdateProgress]]:
    """Open the steps of ``update``, each told once, the last one DONE or FAILED.

    The iterator raises UnavailableError when the server stays away for GIVE_UP_SECONDS.
    """
    async with aclosing(_steps(session, update)) as steps:
        yield steps


async def _steps(session: Session, update: RollingUpdate) -> AsyncGenerator[RollingUpdateProgress, None]:
    api, clock = await session.api(), session.clock
    revision, last = update.revision, ""
    down_since: float | None = None
    while True:
        try:
            async with api.watch_rolling_update(update.target, update.source, revision) as steps:
                async for step in steps:
                    down_since, revision = None, step.revision
                    if step.message != last:  # the first step after a restart may be the last one before it
                        yield step
                    last = step.message
                    if step.state is not RolloutState.PROGRESSING:
                        return
        except UnavailableError:
            down_since = clock.monotonic() if down_since is None else down_since
            if clock.monotonic() - down_since > GIVE_UP_SECONDS:
                raise
        await clock.sleep(_RETRY_SECONDS)
