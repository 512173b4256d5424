"""The examples run as they are printed, against a real apiserver."""

from __future__ import annotations

import asyncio
import shutil
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from rollplane.apps.v1 import Deployment
from rollplane_client.informer import Informer
from rollplane_client.typed import parse
from rollplane_machinery.api import Delete, Key, ObjectApi, UpdateStatus, WatchFilter
from rollplane_machinery.errors import ConflictError
from rollplane_machinery.kinds import DEPLOYMENT, POD, Encoded
from tests.clients.python.plane import Plane, create, key, pod

ROOT = Path(__file__).resolve().parents[3]
SECONDS = 60.0


@asynccontextmanager
async def process(*command: str | Path, cwd: Path) -> AsyncIterator[Process]:
    """Run a command for at most as long as the context lasts."""
    running = await asyncio.create_subprocess_exec(*map(str, command), cwd=cwd, stdout=PIPE, stderr=PIPE)
    try:
        async with asyncio.timeout(SECONDS):
            yield running
    finally:
        if running.returncode is None:
            running.kill()
        await running.communicate()


async def lines(*command: str | Path, cwd: Path) -> list[str]:
    """Run a command to its end and return what it printed; what it complains of fails the test."""
    async with process(*command, cwd=cwd) as running:
        out, err = await running.communicate()
    assert running.returncode == 0, err.decode()
    return out.decode().splitlines()


@asynccontextmanager
async def deployments_made_available(plane: Plane) -> AsyncIterator[None]:
    """Stand in for controllers and kubelets: report every Deployment as rolled out, first half of it, then all."""
    api = plane.in_process().objects
    queue: asyncio.Queue[Key] = asyncio.Queue()
    informer = Informer(api, [WatchFilter(DEPLOYMENT)], lambda _kind, value: value, clock=plane.clock)
    informer.add_handler(DEPLOYMENT, lambda _type, found, _old, _new: queue.put_nowait(found))

    async def report() -> None:
        while True:
            await report_progress(api, await queue.get())

    async with asyncio.TaskGroup() as tasks:
        running = [tasks.create_task(informer.run()), tasks.create_task(report())]
        yield
        for task in running:
            task.cancel()


async def report_progress(api: ObjectApi, found: Key) -> None:
    web = parse(Deployment, await api.get(found))
    status, replicas = web.status, web.spec.replicas
    is_new = status.observed_generation != web.metadata.generation
    status.observed_generation = web.metadata.generation
    status.replicas = status.updated_replicas = replicas
    status.ready_replicas = status.available_replicas = 1 if is_new else replicas
    try:
        await api.write(UpdateStatus(Encoded.of(web)))
    except ConflictError:
        return  # its change is on the way to us


async def test_python_rollout(plane: Plane) -> None:
    async with deployments_made_available(plane):
        printed = await lines(sys.executable, "rollout.py", plane.address, cwd=ROOT / "examples/python")
    assert 'deployment "web" successfully rolled out' in printed
    assert printed[-1] == "web: 3 of 3 available"
    web = parse(Deployment, await plane.in_process().objects.get(key(DEPLOYMENT, "web")))
    assert web.spec.template.spec.containers[0].image == "nginx:1.28"


async def test_python_watch_pods(plane: Plane) -> None:
    api = plane.in_process().objects
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
    folder = tmp_path / "examples/node"
    shutil.copytree(ROOT / "examples/node", folder, ignore=shutil.ignore_patterns("node_modules"))
    (tmp_path / "protos").symlink_to(ROOT / "protos")
    async with process(npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", cwd=folder) as install:
        _, err = await install.communicate()
    if install.returncode != 0:
        pytest.skip(f"npm cannot install here: {err.decode()[-200:]}")
    printed = await lines(node, "rollout.mjs", plane.address, cwd=folder)
    assert printed[0].startswith("created web at revision ")
    assert printed[1:] == [
        "found web with 3 replicas",
        "TYPE_ADDED web app:v1",
        "TYPE_MODIFIED web app:v2",
        'error 5: deployments.apps "none" not found',
    ]
