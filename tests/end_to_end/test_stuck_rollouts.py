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
from rollplane_kubelet_sim.stages.schema import parse_profile
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
    "host port, a node for each replica": (
        "",
        "ports: [{containerPort: 80, hostPort: 80}]",
        "0/3 nodes are available: 3 node(s) didn't have free ports for the requested pod ports.",
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
CLAIM = """volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]"""
MISSING: dict[str, tuple[str, str, str]] = {
    "missing ConfigMap": ("", "envFrom: [{configMapRef: {name: settings}}]", 'configmap "settings" not found'),
    "missing Secret": ("", "envFrom: [{secretRef: {name: token}}]", 'secret "token" not found'),
    "missing claim": (CLAIM, "", '0/3 nodes are available: persistentvolumeclaim "data" not found.'),
    "unknown priority class": ("priorityClassName: nope", "", "no PriorityClass with name nope was found"),
    "cpu that no node has": ("", "resources: {requests: {cpu: 99}}", "0/3 nodes are available: 3 Insufficient cpu."),
    "node selector that no node matches": (
        "nodeSelector: {disk: ssd}",
        "",
        "0/3 nodes are available: 3 node(s) didn't match Pod's node affinity/selector.",
    ),
    "node by name that does not take it": (
        "nodeName: node-1\n      nodeSelector: {disk: ssd}",
        "",
        "NodeAffinity: Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity",
    ),
    "node by name that is full": (
        "nodeName: node-1",
        "resources: {requests: {cpu: 99}}",
        "failed, OutOfcpu: Pod was rejected: Node didn't have enough resource: cpu, requested: 99000, used: 0",
    ),
}
IMAGES: dict[str, tuple[str, str]] = {
    "image that is not there": ("web:404", "ErrImagePull"),
    "readiness that never comes": ("web:unready", "become ready"),
    "crash at the start": ("web:crash", "CrashLoopBackOff"),
}
PROFILE = parse_profile(
    """
name: stuck
quiet: true
rules:
- {stage: ready, match: {image: "web:unready"}, outcome: never}
- {stage: crash, match: {image: "web:crash"}}
"""
)


@asynccontextmanager
async def three_zones() -> AsyncIterator[Plane]:
    """A served plane with controllers, and three nodes in a zone each."""
    async with running_plane() as plane, asyncio.TaskGroup() as tasks:
        manager = Manager(plane.in_process(Role.CONTROLLER), "manager", clock=plane.clock, random=Random(3))
        fleet = Fleet(plane.in_process(Role.NODE), FleetSettings(nodes=3), PROFILE, clock=plane.clock)
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


@pytest.mark.parametrize(("image", "reason"), IMAGES.values(), ids=IMAGES)
async def test_an_update_brings_pods_that_do_not_run(image: str, reason: str, tmp_path: Path) -> None:
    async with three_zones() as plane:
        cli, path = Cli(plane.address), tmp_path / "web.yaml"
        path.write_text(DEPLOYMENT.format(spec="", container="", round=1))
        await cli.ok("apply", "-f", str(path))
        assert (await cli.run("rollout", "status", "deploy/web", "--timeout=20s")).code == 0
        await cli.ok("set", "image", "deploy/web", f"web={image}")
        await is_stuck(cli, reason)


PRIORITY = "{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: high}, value: 100}"
LARGE = "resources: {requests: {cpu: 20}}"


async def test_pods_that_are_preempted_find_no_other_place(tmp_path: Path) -> None:
    async with three_zones() as plane:
        cli, path = Cli(plane.address), tmp_path / "web.yaml"
        path.write_text(DEPLOYMENT.format(spec="", container=LARGE, round=1))
        await cli.ok("apply", "-f", str(path))
        assert (await cli.run("rollout", "status", "deploy/web", "--timeout=20s")).code == 0
        urgent = DEPLOYMENT.format(spec="priorityClassName: high", container=LARGE, round=1).replace("web", "urgent")
        path.write_text(f"{PRIORITY}\n---\n{urgent}")
        await cli.ok("apply", "-f", str(path))
        assert (await cli.run("rollout", "status", "deploy/urgent", "--timeout=20s")).code == 0
        await is_stuck(cli, "0/3 nodes are available: 3 Insufficient cpu.")


BUDGET = """{apiVersion: policy/v1, kind: PodDisruptionBudget, metadata: {name: guard},
spec: {minAvailable: 3, selector: {matchLabels: {app: web}}}}"""


async def test_a_budget_that_allows_nothing_blocks_a_drain(tmp_path: Path) -> None:
    async with three_zones() as plane:
        cli, path = Cli(plane.address), tmp_path / "web.yaml"
        path.write_text(f"{BUDGET}\n---\n{DEPLOYMENT.format(spec='', container='', round=1)}")
        await cli.ok("apply", "-f", str(path))
        assert (await cli.run("rollout", "status", "deploy/web", "--timeout=20s")).code == 0
        drained = await cli.run("drain", "node-1", "--timeout=1s")
        assert drained.code == 1
        assert "Cannot evict pod as it would violate the pod's disruption budget." in drained.out + drained.err
        assert (await cli.ok("get", "pods", "-l", "app=web")).count("Running") == 3


async def is_stuck(cli: Cli, reason: str) -> None:
    """Wait until the plane says why; that a rollout does not finish is then told without waiting for it."""
    async with asyncio.timeout(20):
        while reason not in (told := await cli.run("why", "deploy/web")).out:
            assert told.code in (0, 1), told
    status = await cli.run("rollout", "status", "deploy/web", "--timeout=3s")
    assert status.code == 1
    assert reason in status.out + status.err
