"""A Secret that nobody has made, as a user meets it: the pods wait, the rollout is not complete, then all is well."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random

import pytest

from rollplane_apiserver.core import Role
from rollplane_controller.manager import Manager
from rollplane_kubelet_sim.fleet import Fleet, FleetSettings
from rollplane_kubelet_sim.stages.rules import Profile
from tests.clients.cli.commands import Cli
from tests.clients.python.plane import Plane, running_plane

MAILER = """
apiVersion: apps/v1
kind: Deployment
metadata: {name: mailer}
spec:
  replicas: 2
  selector: {matchLabels: {app: mailer}}
  template:
    metadata: {labels: {app: mailer}}
    spec:
      containers:
      - name: mailer
        image: "mailer:2.0"
        env:
        - name: TOKEN
          valueFrom: {secretKeyRef: {name: mailer-token, key: token}}
        - name: HINT
          valueFrom: {configMapKeyRef: {name: mailer-hints, key: hint, optional: true}}
"""
MADE_LATER = """
apiVersion: v1
kind: Secret
metadata: {name: mailer-token}
stringData: {KEY: swordfish}
"""


@pytest.fixture
async def plane() -> AsyncIterator[Plane]:
    """A served plane with controllers and two nodes."""
    async with running_plane() as plane, asyncio.TaskGroup() as tasks:
        manager = Manager(plane.in_process(Role.CONTROLLER), "manager", clock=plane.clock, random=Random(3))
        fleet = Fleet(plane.in_process(Role.NODE), FleetSettings(nodes=2), Profile("instant"), clock=plane.clock)
        running = [tasks.create_task(manager.run()), tasks.create_task(fleet.run())]
        await fleet.ready.wait()
        yield plane
        for task in running:
            task.cancel()


async def test_a_rollout_waits_for_its_secret_and_goes_on_by_itself(plane: Plane, tmp_path: Path) -> None:
    cli = Cli(plane.address)

    async def apply(text: str) -> None:
        path = tmp_path / "manifest.yaml"
        path.write_text(text)
        await cli.ok("apply", "-f", str(path))

    async def status(seconds: int) -> int:
        return (await cli.run("rollout", "status", "deploy/mailer", f"--timeout={seconds}s")).code

    await apply(MAILER)
    assert await status(1) == 1
    pods = await cli.ok("get", "pods", "-l", "app=mailer")
    assert pods.count("CreateContainerConfigError") == 2
    assert 'Error: secret "mailer-token" not found' in await cli.ok("get", "events")
    assert 'secret "mailer-token" not found' in (await cli.run("why", "deploy/mailer")).out
    await apply(MADE_LATER.replace("KEY", "other"))
    assert await status(1) == 1
    key_missing = "couldn't find key token in Secret default/mailer-token"
    assert key_missing in (await cli.run("why", "deploy/mailer")).out
    await apply(MADE_LATER.replace("KEY", "token"))
    assert await status(10) == 0
    assert (await cli.ok("get", "pods", "-l", "app=mailer")).count("Running") == 2


CLAIMING = """
apiVersion: v1
kind: Pod
metadata: {name: ledger}
spec:
  containers: [{name: ledger, image: "ledger:1", volumeMounts: [{name: data, mountPath: /data}]}]
  volumes: [{name: data, persistentVolumeClaim: {claimName: books}}]
"""
CLAIM = """
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {name: books}
spec: {accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Gi}}}
"""


async def test_a_pod_waits_for_its_claim_with_the_schedulers_sentence(plane: Plane, tmp_path: Path) -> None:
    cli, path = Cli(plane.address), tmp_path / "manifest.yaml"

    async def shows(text: str, *line: str) -> None:
        async with asyncio.timeout(20):
            while text not in (await cli.ok(*line)):
                pass  # asking the plane lets it go on

    path.write_text(CLAIMING)
    await cli.ok("apply", "-f", str(path))
    await shows('0/2 nodes are available: persistentvolumeclaim "books" not found.', "get", "events")
    assert "Pending" in await cli.ok("get", "pods")
    path.write_text(CLAIM)
    await cli.ok("apply", "-f", str(path))
    await shows("Running", "get", "pods")
