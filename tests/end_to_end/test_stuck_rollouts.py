"""Rollouts that get stuck on a real cluster, each with its reason: `rollout status` does not finish, `why` tells it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import pytest

from rollplane.core.v1 import Node
from rollplane_apiserver.core import Role
from rollplane_client.objects import Client
from rollplane_controller.manager import Manager
from rollplane_kubelet_sim.fleet import Fleet, FleetSettings
from rollplane_kubelet_sim.stages.rules import Profile
from tests.clients.cli.commands import Cli
from tests.clients.python.plane import Plane, running_plane

DEPLOYMENT = """
apiVersion: apps/v1
kind: Deployment
metadata: {{name: web}}
spec:
  replicas: 3
  strategy: {{rollingUpdate: {{maxSurge: 1, maxUnavailable: 0}}}}
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}, annotations: {{round: "{round}"}}}}
    spec:
      {spec}
      containers: [{{name: web, image: "web:1", {container}}}]
"""
AWAY = """affinity:
        podAntiAffinity:
          requiredDuringSchedulingIgnoredDuringExecution:
          - {labelSelector: {matchLabels: {app: web}}, topologyKey: kubernetes.io/hostname}"""
SPREAD = """topologySpreadConstraints:
      - {labelSelector: {matchLabels: {app: web}}, topologyKey: zone, maxSkew: 1, minDomains: 4,
         whenUnsatisfiable: DoNotSchedule}"""
STUCK: dict[str, tuple[str, str, str]] = {
    "required host anti-affinity, a node for each replica": (
        AWAY,
        "",
        "0/3 nodes are available: 3 node(s) didn't match pod anti-affinity rules.",
    ),
    "zone spread, a zone for each replica and one more wanted": (
        SPREAD,
        "",
        "0/3 nodes are available: 3 node(s) didn't match pod topology spread constraints.",
    ),
}
ALLOWED: dict[str, tuple[str, str, str, str]] = {
    "quota without room for a surge": (
        "kind: ResourceQuota, spec: {hard: {pods: 3}}",
        "",
        "",
        "exceeded quota: room, requested: pods=1, used: pods=3, limited: pods=3",
    ),
    "quota of cpu, which the update says nothing of": (
        "kind: ResourceQuota, spec: {hard: {requests.cpu: 3}}",
        "resources: {requests: {cpu: 500m}}",
        "resources: {}",
        "failed quota: room: must specify requests.cpu for: web",
    ),
    "limits that the update goes beyond": (
        "kind: LimitRange, spec: {limits: [{type: Container, max: {cpu: 500m}}]}",
        "resources: {limits: {cpu: 500m}}",
        "resources: {limits: {cpu: 1}}",
        "maximum cpu usage per Container is 500m, but limit is 1",
    ),
}
MISSING: dict[str, tuple[str, str, str]] = {
    "missing ConfigMap": ("", "envFrom: [{configMapRef: {name: settings}}]", 'configmap "settings" not found'),
    "missing Secret": ("", "envFrom: [{secretRef: {name: token}}]", 'secret "token" not found'),
}


@asynccontextmanager
async def three_zones() -> AsyncIterator[Plane]:
    """A served plane with controllers, and three nodes in a zone each."""
    async with running_plane() as plane, asyncio.TaskGroup() as tasks:
        manager = Manager(plane.in_process(Role.CONTROLLER), "manager", clock=plane.clock, random=Random(3))
        fleet = Fleet(plane.in_process(Role.NODE), FleetSettings(nodes=3), Profile("instant"), clock=plane.clock)
        running = [tasks.create_task(manager.run()), tasks.create_task(fleet.run())]
        await fleet.ready.wait()
        yield plane
        for task in running:
            task.cancel()


async def label_zones(plane: Plane) -> None:
    client = Client(plane.in_process(Role.ADMIN))
    for at, node in enumerate(await client.list(Node)):
        node.metadata.labels["zone"] = f"{at}"
        await client.update(node)


@pytest.mark.parametrize(("spec", "container", "reason"), STUCK.values(), ids=STUCK)
async def test_an_update_gets_stuck_and_why_says_so(spec: str, container: str, reason: str, tmp_path: Path) -> None:
    """The first rollout is all right; the update finds no place for the pod it surges with."""
    async with three_zones() as plane:
        cli, path = Cli(plane.address), tmp_path / "web.yaml"
        await label_zones(plane)
        path.write_text(DEPLOYMENT.format(spec=spec, container=container, round=1))
        await cli.ok("apply", "-f", str(path))
        assert (await cli.run("rollout", "status", "deploy/web", "--timeout=20s")).code == 0
        path.write_text(DEPLOYMENT.format(spec=spec, container=container, round=2))
        await cli.ok("apply", "-f", str(path))
        await is_stuck(cli, reason)
        assert (await cli.ok("get", "pods", "-l", "app=web")).count("Running") == 3, "nothing is lost meanwhile"


@pytest.mark.parametrize(("spec", "container", "reason"), MISSING.values(), ids=MISSING)
async def test_a_rollout_is_stuck_from_the_start(spec: str, container: str, reason: str, tmp_path: Path) -> None:
    async with three_zones() as plane:
        cli, path = Cli(plane.address), tmp_path / "web.yaml"
        path.write_text(DEPLOYMENT.format(spec=spec, container=container, round=1))
        await cli.ok("apply", "-f", str(path))
        await is_stuck(cli, reason)


@pytest.mark.parametrize(("allows", "before", "after", "reason"), ALLOWED.values(), ids=ALLOWED)
async def test_an_update_is_not_allowed_its_pods(
    allows: str, before: str, after: str, reason: str, tmp_path: Path
) -> None:
    async with three_zones() as plane:
        cli, path = Cli(plane.address), tmp_path / "web.yaml"
        path.write_text(f"{{apiVersion: v1, metadata: {{name: room}}, {allows}}}")
        await cli.ok("apply", "-f", str(path))
        path.write_text(DEPLOYMENT.format(spec="", container=before, round=1))
        await cli.ok("apply", "-f", str(path))
        assert (await cli.run("rollout", "status", "deploy/web", "--timeout=20s")).code == 0
        path.write_text(DEPLOYMENT.format(spec="", container=after, round=2))
        await cli.ok("apply", "-f", str(path))
        await is_stuck(cli, reason)
        assert (await cli.ok("get", "pods", "-l", "app=web")).count("Running") == 3, "nothing is lost meanwhile"


async def is_stuck(cli: Cli, reason: str) -> None:
    status = await cli.run("rollout", "status", "deploy/web", "--timeout=3s")
    assert status.code == 1
    assert reason in status.out + status.err
    assert reason in (await cli.run("why", "deploy/web")).out
