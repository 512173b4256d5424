"""``rollplane demo``: the whole story on a plane of its own, or on the one named by --server."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from rollplane_cli.command import Command
from rollplane_cli.failures import CommandError, UsageError
from rollplane_cli.flags import texts
from rollplane_cli.session import Session
from rollplane_client.grpc_api import connect
from rollplane_machinery.errors import SetupError
from rollplane_plane.commands.folder import ReleaseFlags, release_name
from rollplane_plane.demo.story import Story
from rollplane_plane.demo.theatre import StoryError, Theatre
from rollplane_plane.killer import Kill, killer_by_command, killers_of
from rollplane_plane.plane import EmbeddedPlane, PlaneSettings

NODES = 10


class DemoFlags(ReleaseFlags):
    """Flags of ``demo``."""

    kill = texts(
        "Shell command that kills a part of the plane at --server in the middle of a rollover; may be repeated"
    )


async def run(flags: DemoFlags, session: Session) -> int:
    """Tell the story; exit code 1 with one line when a step does not come out as it must."""
    # Deaths and returns are part of the story, which tells of them itself.
    for room in ("rollplane_client", "rollplane_plane"):
        logging.getLogger(room).addHandler(logging.NullHandler())
    started = session.clock.monotonic()
    try:
        async with _plane(flags, session) as (address, killers), connect(address, name="demo") as api:
            theatre = Theatre(api, address, session.console, session.clock)
            story = Story(theatre, killers)
            await story.tell()
    except (StoryError, SetupError, OSError) as exc:
        raise CommandError(str(exc)) from exc
    session.console.say(
        f"\nAll {len(story.steps)} steps came out right, in {session.clock.monotonic() - started:.0f} s: "
        f"{theatre.commands} commands, {theatre.witness.events} changes watched, no invariant broken."
    )
    return 0


@asynccontextmanager
async def _plane(flags: DemoFlags, session: Session) -> AsyncIterator[tuple[str, Mapping[str, Kill]]]:
    """Yield the plane's address and how to kill its parts; of a plane that is not ours, the caller has to know."""
    given = _killers(flags.kill)
    if flags.server:
        yield flags.server, given
        return
    with tempfile.TemporaryDirectory(prefix="rollplane-demo-") as folder:
        started = session.clock.monotonic()
        async with EmbeddedPlane(_settings(Path(folder), flags, session)) as plane:
            seconds = session.clock.monotonic() - started
            session.console.say(
                f"A control plane with {NODES} simulated nodes is up at {plane.address}, {seconds:.1f} s."
            )
            yield plane.address, killers_of(plane)


def _settings(folder: Path, flags: DemoFlags, session: Session) -> PlaneSettings:
    release = release_name(flags, session)
    try:
        return PlaneSettings(folder, port=0, nodes=NODES, profile="instant", kubernetes=release)
    except ValueError as exc:
        raise CommandError(str(exc)) from exc


def _killers(given: Sequence[str]) -> Mapping[str, Kill]:
    """Return the killers that ``--kill NAME=COMMAND`` names, in their order; raises UsageError."""
    killers: dict[str, Kill] = {}
    for one in given:
        name, equals, command = one.partition("=")
        if not (name and equals and command):
            raise UsageError(f'invalid argument "{one}" for "--kill" flag: want NAME=COMMAND')
        killers[name] = killer_by_command(command)
    return killers


DEMO = Command(
    "[--kubernetes RELEASE] [--server ADDRESS [--kill NAME=COMMAND]...]",
    "Roll two Deployments through everything that can happen to them, checking every step.",
    DemoFlags,
    run,
)
