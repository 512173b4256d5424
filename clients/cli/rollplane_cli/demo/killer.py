"""Sudden death, for stories about recovery."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable, Mapping

from rollplane_client.embedded import EmbeddedPlane

Kill = Callable[[], Awaitable[None]]
"""Ends a process the hard way (SIGKILL); whoever supervises it starts it again."""


def killers_of(plane: EmbeddedPlane) -> Mapping[str, Kill]:
    """Return how to kill the parts of an embedded plane, by name."""

    def killer(pid: Callable[[], int]) -> Kill:
        async def kill() -> None:
            os.kill(pid(), signal.SIGKILL)

        return kill

    return {
        "controller": killer(lambda: plane.controller.pid),
        "apiserver": killer(lambda: plane.apiserver.pid),
        "redis": killer(lambda: plane.store_pid),
    }
