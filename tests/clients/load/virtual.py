"""Loads on planes in virtual time: the whole of a load, in a second and the same each time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from rollplane_load.cluster import Kill, RollingUpdates, Target
from rollplane_load.planes import ServerRollingUpdates
from rollplane_load.results import run_document
from rollplane_load.running import Run
from rollplane_load.scenario.model import Scenario
from rollplane_load.scenario.reading import read_scenario
from rollplane_load.usage import Processes
from tests.end_to_end.fleet_plane import FleetPlane

PROFILE = "name: instant\nrules: []\n"


def target(plane: FleetPlane, *, kills: Mapping[str, Kill] | None = None, profile: str | None = PROFILE) -> Target:
    """Return ``plane`` as a target."""
    rolling: RollingUpdates = ServerRollingUpdates(plane.api, plane.clock)
    return Target(
        "virtual", {}, plane.api, plane.api, Processes(dict), rolling=rolling, kills=kills or {}, profile=profile
    )


def scenario(text: str, **changed: Any) -> Scenario:
    """Return the scenario in ``text``."""
    return replace(read_scenario(text, "test"), **changed)


async def carried_out(plane: FleetPlane, wanted: Scenario, **more: Any) -> dict[str, Any]:
    """Carry ``wanted`` out on ``plane`` and return its figures."""
    return run_document(await Run(wanted, target(plane, **more), clock=plane.clock).run())
