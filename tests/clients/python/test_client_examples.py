"""The examples run as they are printed, against a real apiserver."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from rollplane.apps.v1 import Deployment
from rollplane_client.typed import parse
from rollplane_machinery.api import Delete
from rollplane_machinery.kinds import DEPLOYMENT, POD
from tests.clients.python.plane import Plane, create, key, pod
from tests.clients.python.programs import deployments_made_available, lines, process

ROOT = Path(__file__).resolve().parents[3]


async def test_python_rollout(plane: Plane) -> None:
    for _ in range(2):
        async with deployments_made_available(plane):
            printed = await lines(sys.executable, "rollout.py", plane.address, cwd=ROOT / "examples/python")
        assert 'deployment "web" successfully rolled out' in printed
        assert printed[-1] == "web: 3 of 3 available"
    web = parse(Deployment, await plane.in_process().get(key(DEPLOYMENT, "web")))
    assert web.spec.template.spec.containers[0].image == "nginx:1.28"


async def test_python_watch_pods(plane: Plane) -> None:
    api = plane.in_process()
    await create(api, pod("a"))
    command = (sys.executable, ROOT / "examples/python/watch_pods.py", plane.address)
    async with process(*command, cwd=ROOT) as running:
        assert running.stdout is not None
        assert await running.stdout.readline() == "ADDED    default/a - → Pending\n".encode()
        await api.write(Delete(key(POD, "a"), grace_period_seconds=0))
        assert await running.stdout.readline() == "DELETED  default/a Pending → -\n".encode()


async def test_node(plane: Plane, tmp_path: Path) -> None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if not (node and npm):
        pytest.skip("Node with npm is not installed")
    folder = tmp_path / "mine"
    shutil.copytree(ROOT / "examples/node", folder, ignore=shutil.ignore_patterns("node_modules"))
    (folder / "protos").symlink_to(ROOT / "protos")
    async with process(npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", cwd=folder) as install:
        _, err = await install.communicate()
    if install.returncode != 0:
        pytest.skip(f"npm cannot install here: {err.decode()[-200:]}")
    for verb in ("created", "set back"):
        printed = await lines(node, "rollout.mjs", plane.address, cwd=folder)
        assert printed[0].startswith(f"{verb} web at revision ")
        assert printed[1:] == [
            "found web with 3 replicas",
            "TYPE_ADDED web app:v1",
            "TYPE_MODIFIED web app:v2",
            'error 5: deployments.apps "none" not found',
        ]
