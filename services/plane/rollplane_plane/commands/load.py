"""``rollplane load``: the load tester, reached from the one command."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from rollplane_cli.command import Command, output
from rollplane_cli.failures import FAILED, CommandError, UsageError
from rollplane_cli.flags import number, seconds, text
from rollplane_cli.session import Session
from rollplane_client.grpc_api import connect
from rollplane_load.report_text import table
from rollplane_load.rollover import Load, RolloverTest
from rollplane_machinery.errors import SetupError
from rollplane_plane.commands.folder import ReleaseFlags, release_name
from rollplane_plane.plane import EmbeddedPlane, PlaneSettings


class LoadFlags(ReleaseFlags):
    """Flags of ``load rollover``."""

    deployments = number("How many Deployments", default=100)
    replicas = number("Pods of each", default=10)
    overlap = text("Part of v2 that is up when v3 is set, 0 to 1", default="0.3")
    nodes = number("Nodes of the plane that is started", default=100)
    profile = text("How its pods live", default="instant")
    timeout = seconds("How long each phase may take", default=600.0)
    output = output("table", "json")


async def rollover(flags: LoadFlags, session: Session) -> int:
    """Measure rollovers and print the report; exit code 1 when an invariant was broken."""
    try:
        load = Load(
            flags.deployments,
            flags.replicas,
            _fraction(flags),
            namespace=session.namespace if session.namespace_given else "",
            timeout_seconds=flags.timeout,
        )
        async with _target(flags, session) as (address, pids), connect(address, name="load") as api:
            report = await RolloverTest(api, load, clock=session.clock, pids=pids).run()
    except ValueError as exc:
        raise UsageError(str(exc)) from exc
    except SetupError as exc:  # the plane of its own did not come up
        raise CommandError(exc.message) from exc
    as_json = flags.output == "json"
    session.console.say(json.dumps(report.as_json(), indent=2) if as_json else table(report))
    return FAILED if report.invariant_violations else 0


@asynccontextmanager
async def _target(flags: LoadFlags, session: Session) -> AsyncIterator[tuple[str, Mapping[str, int]]]:
    """Yield the address of the plane to measure and the processes it consists of, as far as they are ours.

    Without --server and $ROLLPLANE_SERVER that is a durable plane of our own, which has ended when the context ends.
    """
    load_tester = {"load tester": os.getpid()}
    if flags.server or session.environ.get("ROLLPLANE_SERVER"):
        yield session.server, load_tester
        return
    with tempfile.TemporaryDirectory(prefix="rollplane-load-") as folder:
        settings = PlaneSettings(
            Path(folder), port=0, nodes=flags.nodes, profile=flags.profile, kubernetes=release_name(flags, session)
        )
        async with EmbeddedPlane(settings) as plane:
            services = {child.name: child.pid for child in plane.children[1:]}
            yield plane.address, {"redis": plane.store_pid, **services, **load_tester}


def _fraction(flags: LoadFlags) -> float:
    text = flags.overlap
    try:
        return float(text)
    except ValueError:
        raise UsageError(f'invalid argument "{text}" for "--overlap" flag: not a number') from None


ROLLOVER = Command(
    "[--deployments D] [--replicas R] [--overlap F] [--kubernetes RELEASE] [-o json]",
    "Create, update, and update again while the first is in flight; in a namespace made for it (-n names it), on a "
    "plane of its own unless --server or ROLLPLANE_SERVER names one.",
    LoadFlags,
    rollover,
)
