"""``rollplane up``: the embedded control plane, until Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from rollplane_cli.command import Command
from rollplane_cli.failures import CommandError
from rollplane_cli.flags import Flags, number, text
from rollplane_cli.session import Session
from rollplane_machinery.errors import RollplaneError
from rollplane_plane.plane import DEFAULT_PORT, EmbeddedPlane, PlaneSettings
from rollplane_service.logs import start_logging

DEFAULT_DATA = ".rollplane"
DEFAULT_NODES = 10


class UpFlags(Flags):
    """Flags of ``up``."""

    nodes = number(f"How many simulated nodes; 0 for none (default {DEFAULT_NODES})", default=DEFAULT_NODES)
    profile = text("How pods live: instant, realistic, flaky, manual, or a file", default="realistic")
    node_prefix = text("What the names of the nodes begin with", default="node")
    data = text("Folder that keeps the objects between runs", default=DEFAULT_DATA)
    port = number(f"Port of the apiserver; a free one if it is taken (default {DEFAULT_PORT})", default=DEFAULT_PORT)


async def run(flags: UpFlags, session: Session) -> int:
    """Run the plane until Ctrl-C or SIGTERM; everything it started has ended when this returns."""
    settings = _settings(flags)
    start_logging("warning", session.console.err)
    stop = asyncio.Event()
    for each in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(each, stop.set)
    try:
        async with asyncio.TaskGroup() as tasks:
            # A task of its own, so that Ctrl-C also ends a plane that is still starting.
            plane = tasks.create_task(_keep_up(settings, session))
            await stop.wait()
            plane.cancel()
    except* (RollplaneError, OSError) as group:
        raise CommandError(_words(_first(group))) from group
    return 0


async def _keep_up(settings: PlaneSettings, session: Session) -> None:
    started = session.clock.monotonic()
    async with EmbeddedPlane(settings) as plane:
        seconds = session.clock.monotonic() - started
        session.console.say(
            f"ready server={plane.address} nodes={settings.nodes} profile={settings.profile} "
            f"data={settings.data} seconds={seconds:.1f}"
        )
        await asyncio.Event().wait()


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    found = group.exceptions[0]
    return _first(found) if isinstance(found, BaseExceptionGroup) else found


def _words(error: BaseException) -> str:
    if isinstance(error, OSError) and error.filename:
        return f"{error.filename}: {error.strerror}"
    return str(error)


def _settings(flags: UpFlags) -> PlaneSettings:
    try:
        return PlaneSettings(
            Path(flags.data).absolute(),
            port=flags.port,
            nodes=flags.nodes,
            profile=flags.profile,
            node_prefix=flags.node_prefix,
        )
    except ValueError as exc:
        raise CommandError(str(exc)) from exc


UP = Command(
    "[--nodes N] [--profile NAME|FILE] [--data FOLDER] [--port PORT]",
    "Start a whole control plane with simulated nodes; Ctrl-C ends it, its data stay.",
    UpFlags,
    run,
)
