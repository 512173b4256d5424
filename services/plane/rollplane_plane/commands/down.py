"""``rollplane down``: the end of a plane that ``rollplane up`` started on a data folder, in whatever terminal."""

from __future__ import annotations

import asyncio

from rollplane_cli.command import Command
from rollplane_cli.failures import CommandError
from rollplane_cli.flags import seconds
from rollplane_cli.session import Session
from rollplane_plane.commands.folder import DataFlags, folder_of
from rollplane_plane.presence import ask_to_end, plane_on

LOOK_SECONDS = 0.05
DEFAULT_SECONDS = 75.0
"""More than the four children of a plane take, if each has to be killed in the end."""


class DownFlags(DataFlags):
    """Flags of ``down``."""

    timeout = seconds("How long to wait for the end", default=DEFAULT_SECONDS)


async def run(flags: DownFlags, session: Session) -> int:
    """End the plane and wait until it has; exit code 0 too when none runs, 1 when it does not end in time."""
    data = folder_of(flags)
    found = ask_to_end(data)
    if found is None:
        session.console.say(f"no plane runs on {data}")
        return 0
    try:
        async with asyncio.timeout(flags.timeout or None):
            while plane_on(data) == found:
                await session.clock.sleep(LOOK_SECONDS)
    except TimeoutError as exc:
        raise CommandError(f"the plane on {data}, process {found.pid}, has not ended") from exc
    session.console.say(f"the plane on {data} has ended; its data stay")
    return 0


DOWN = Command("[--data FOLDER]", "End the plane that runs on a data folder; its data stay.", DownFlags, run)
