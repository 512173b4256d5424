"""``rollplane up``: the embedded control plane, until Ctrl-C."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

from rollplane_cli.command import Command
from rollplane_cli.failures import CommandError
from rollplane_cli.flags import Arguments, Flag, FlagType
from rollplane_cli.session import Session
from rollplane_client.embedded import EmbeddedPlane, PlaneSettings
from rollplane_client.embedded.plane import DEFAULT_PORT
from rollplane_machinery.errors import RollplaneError

DEFAULT_DATA = ".rollplane"


async def run(arguments: Arguments, session: Session) -> int:
    """Run the plane until Ctrl-C or SIGTERM; everything it started has ended when this returns."""
    settings = _settings(arguments)
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    started = session.clock.monotonic()
    try:
        async with EmbeddedPlane(settings) as plane:
            seconds = session.clock.monotonic() - started
            session.console.say(
                f"ready server={plane.address} nodes={settings.nodes} profile={settings.profile} "
                f"data={settings.data} seconds={seconds:.1f}"
            )
            await stop.wait()
    except* RollplaneError as group:
        raise CommandError(str(group.exceptions[0])) from group
    return 0


def _settings(arguments: Arguments) -> PlaneSettings:
    nodes, port = arguments.number("nodes"), arguments.number("port")
    return PlaneSettings(
        Path(arguments.text("data")).absolute(),
        port=DEFAULT_PORT if port is None else port,
        nodes=10 if nodes is None else nodes,
        profile=arguments.text("profile"),
    )


UP = Command(
    "[--nodes N] [--profile NAME|FILE] [--data FOLDER] [--port PORT]",
    "Start a whole control plane with simulated nodes; Ctrl-C ends it, its data stay.",
    run,
    (
        Flag("nodes", "How many simulated nodes; 0 for none (default 10)", type=FlagType.NUMBER),
        Flag("profile", "How pods live: instant, realistic, flaky, manual, or a file", default="realistic"),
        Flag("data", "Folder that keeps the objects between runs", default=DEFAULT_DATA),
        Flag(
            "port", f"Port of the apiserver; a free one if it is taken (default {DEFAULT_PORT})", type=FlagType.NUMBER
        ),
    ),
)
