"""Sudden death, for stories about recovery and for loads."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable, Mapping

from rollplane_plane.plane import EmbeddedPlane

Kill = Callable[[], Awaitable[None]]
"""Ends a process the hard way (SIGKILL); whoever supervises it starts it again."""


def killer(pid: Callable[[], int]) -> Kill:
    """Return how to kill the process that ``pid`` tells at that moment."""

    async def kill() -> None:
        os.kill(pid(), signal.SIGKILL)

    return kill


def killers_of(plane: EmbeddedPlane) -> Mapping[str, Kill]:
    """Return how to kill the parts of an embedded plane that decide and remember, by name."""
    return {
        "controller": killer(lambda: plane.controller.pid),
        "apiserver": killer(lambda: plane.apiserver.pid),
        "redis": killer(lambda: plane.store_pid),
    }


def killer_by_command(command: str) -> Kill:
    """Return how to kill by a shell command, for a plane whose processes are not ours; its failure is an OSError."""

    async def kill() -> None:
        process = await asyncio.create_subprocess_shell(command)
        if code := await process.wait():
            raise OSError(f"{command!r} ended with code {code}")

    return kill
