"""``rollplane demo``: the whole story on a plane of its own, or on the one named by --server."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib import resources
from pathlib import Path

from rollplane_cli.command import Command
from rollplane_cli.demo.killer import Kill, killers_of
from rollplane_cli.demo.story import Story
from rollplane_cli.demo.theatre import StoryError, Theatre
from rollplane_cli.failures import CommandError
from rollplane_cli.flags import Arguments
from rollplane_cli.session import Session
from rollplane_client.embedded import EmbeddedPlane, PlaneSettings
from rollplane_client.grpc_api import connect

NODES = 10


async def run(arguments: Arguments, session: Session) -> int:
    """Tell the story; exit code 1 with one line when a step does not come out as it must."""
    manifests = str(resources.files("rollplane_cli.demo").joinpath("manifests"))
    started = session.clock.monotonic()
    async with _plane(arguments, session) as (address, killers), connect(address, name="demo") as api:
        theatre = Theatre(api, address, session.console, session.clock)
        try:
            await Story(theatre, manifests, killers).tell()
        except StoryError as exc:
            raise CommandError(str(exc)) from exc
    session.console.say(f"It took {session.clock.monotonic() - started:.0f} s.")
    return 0


@asynccontextmanager
async def _plane(arguments: Arguments, session: Session) -> AsyncIterator[tuple[str, Mapping[str, Kill]]]:
    """Yield the plane's address and how to kill its parts: those of a plane that is not ours stay alive."""
    if arguments.text("server"):
        yield arguments.text("server"), {}
        return
    with tempfile.TemporaryDirectory(prefix="rollplane-demo-") as folder:
        started = session.clock.monotonic()
        async with EmbeddedPlane(PlaneSettings(Path(folder), port=0, nodes=NODES, profile="instant")) as plane:
            seconds = session.clock.monotonic() - started
            session.console.say(
                f"A control plane with {NODES} simulated nodes is up at {plane.address}, {seconds:.1f} s."
            )
            yield plane.address, killers_of(plane)


DEMO = Command(
    "[--server ADDRESS]",
    "Roll two Deployments through everything that can happen to them, checking every step.",
    run,
)
