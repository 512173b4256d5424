"""``rollplane down``: the end of a plane that ``rollplane up`` started on a data folder, in whatever terminal."""

from __future__ import annotations

import asyncio
from pathlib import Path

from rollplane_cli.command import Command
from rollplane_cli.failures import CommandError
from rollplane_cli.flags import seconds
from rollplane_cli.session import Session
from rollplane_machinery.errors import SetupError
from rollplane_plane.commands.folder import DataFlags, folder_of
from rollplane_plane.merged import NOTE, take_out
from rollplane_service.presence import Presence, ask_to_end, claimed, plane_on

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
    else:
        await _await_end(found, data, flags, session)
        session.console.say(f"the plane on {data} has ended; its data stay")
    _tidy(data, session)
    return 0


async def _await_end(found: Presence, data: Path, flags: DownFlags, session: Session) -> None:
    try:
        async with asyncio.timeout(flags.timeout or None):
            while plane_on(data) == found:
                await session.clock.sleep(LOOK_SECONDS)
    except TimeoutError as exc:
        raise CommandError(f"the plane on {data}, process {found.pid}, has not ended") from exc


def _tidy(data: Path, session: Session) -> None:
    """Take out what a plane that was killed left in the user's kubeconfig."""
    if not (data / NOTE).exists() or plane_on(data) is not None:
        return
    try:
        with claimed(data):
            cleaned = take_out(data)
    except (SetupError, OSError) as exc:
        raise CommandError(f"a killed plane's context cannot be taken out of the kubeconfig: {exc}") from exc
    session.console.say(f"the context of a plane that was killed is out of {cleaned}")


DOWN = Command("[--data FOLDER]", "End the plane that runs on a data folder; its data stay.", DownFlags, run)
