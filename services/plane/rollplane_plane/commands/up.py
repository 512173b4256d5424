"""``rollplane up``: the embedded control plane, until Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from rollplane_cli.command import Command
from rollplane_cli.failures import CommandError
from rollplane_cli.flags import Arguments, Flag, FlagType
from rollplane_cli.session import Session
from rollplane_machinery.errors import RollplaneError
from rollplane_plane.plane import DEFAULT_PORT, EmbeddedPlane, PlaneSettings
from rollplane_service.logs import start_logging

DEFAULT_DATA = ".rollplane"
DEFAULT_NODES = 10


async def run(arguments: Arguments, session: Session) -> int:
    """Run the plane until Ctrl-C or SIGTERM; everything it started has ended when this returns."""
    settings = _settings(arguments)
    start_logging("warning", session.console.err)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
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


def _settings(arguments: Arguments) -> PlaneSettings:
    nodes, port = arguments.number("nodes"), arguments.number("port")
    try:
        return PlaneSettings(
            Path(arguments.text("data")).absolute(),
            port=DEFAULT_PORT if port is None else port,
            nodes=DEFAULT_NODES if nodes is None else nodes,
            profile=arguments.text("profile"),
            node_prefix=arguments.text("node-prefix"),
        )
    except ValueError as exc:
        raise CommandError(str(exc)) from exc


UP = Command(
    "[--nodes N] [--profile NAME|FILE] [--data FOLDER] [--port PORT]",
    "Start a whole control plane with simulated nodes; Ctrl-C ends it, its data stay.",
    run,
    (
        Flag("nodes", f"How many simulated nodes; 0 for none (default {DEFAULT_NODES})", type=FlagType.NUMBER),
        Flag("profile", "How pods live: instant, realistic, flaky, manual, or a file", default="realistic"),
        Flag("node-prefix", "What the names of the nodes begin with", default="node"),
        Flag("data", "Folder that keeps the objects between runs", default=DEFAULT_DATA),
        Flag(
            "port", f"Port of the apiserver; a free one if it is taken (default {DEFAULT_PORT})", type=FlagType.NUMBER
        ),
    ),
)
