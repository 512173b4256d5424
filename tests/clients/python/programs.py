"""Running programs against a plane, with somebody who stands in for controllers and kubelets."""

from __future__ import annotations

import asyncio
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from rollplane.apps.v1 import Deployment
from rollplane_client.informer import Informer
from rollplane_client.typed import parse
from rollplane_machinery.api import Key, ObjectApi, UpdateStatus, WatchFilter
from rollplane_machinery.errors import ConflictError
from rollplane_machinery.kinds import DEPLOYMENT, Encoded
from tests.clients.python.plane import Plane

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
    api = plane.in_process()
    queue: asyncio.Queue[Key] = asyncio.Queue()
    informer = Informer(api, [WatchFilter(DEPLOYMENT)], lambda encoded: encoded.value, clock=plane.clock)
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
