"""A load test works in a namespace of its own: what users have is left alone, and nothing of the test stays."""

from __future__ import annotations

import pytest

from rollplane.apps.v1 import Deployment
from rollplane.core.v1 import Namespace
from rollplane_load.cluster import Target
from rollplane_load.running import Run
from rollplane_load.scenario.model import rollover
from rollplane_load.usage import Processes
from rollplane_machinery.errors import BadRequestError
from rollplane_rehearsal import run
from tests.end_to_end.fleet_plane import FleetPlane, fleet_plane

SMALL = 2
USERS = """
apiVersion: v1
kind: Namespace
metadata: {name: load}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: load-0000, namespace: load}
spec:
  replicas: 1
  selector: {matchLabels: {app: mine}}
  template:
    metadata: {labels: {app: mine}}
    spec: {containers: [{name: app, image: "mine:1"}]}
"""


def _target(plane: FleetPlane) -> Target:
    return Target("in process", {}, plane.api, plane.api, Processes(dict))


def test_a_run_leaves_nothing_behind_and_everything_alone() -> None:
    async def story() -> None:
        async with fleet_plane(SMALL) as plane:
            await plane.client.create_yaml(USERS)
            before = [one.metadata.name for one in await plane.client.list(Namespace)]
            course = await Run(rollover(SMALL, SMALL, 0.3), _target(plane), clock=plane.clock).run()
            assert course.violations == []
            assert course.left == []
            assert [one.metadata.name for one in await plane.client.list(Namespace)] == before
            mine = await plane.client.get(Deployment, "load", "load-0000")
            assert mine.spec.template.spec.containers[0].image == "mine:1"

    run(story())


def test_a_namespace_that_is_there_is_refused() -> None:
    async def story() -> None:
        async with fleet_plane(SMALL) as plane:
            await plane.client.create_yaml(USERS)
            run = Run(rollover(SMALL, SMALL, 0.3), _target(plane), clock=plane.clock, namespace="load")
            with pytest.raises(BadRequestError, match='"load" is there already'):
                await run.run()
            assert len(await plane.client.list(Deployment, "load")) == 1

    run(story())
