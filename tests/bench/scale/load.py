"""What a plane holds while it is measured: Deployments whose pods are all there, and watchers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from rollplane.apps.v1 import Deployment
from rollplane.core.v1 import Namespace
from rollplane_client.grpc_api import connect
from rollplane_client.watching import resumed_watch
from rollplane_machinery.api import Api, Create, ObjectApi, WatchFilter, WatchQuery, WriteOptions
from rollplane_machinery.clock import SystemClock
from rollplane_machinery.errors import RollplaneError
from rollplane_machinery.kinds import DEPLOYMENT, POD, Encoded

NAMESPACE = "scale"
BATCH = 200
NAMESPACES = 10
"""Deployments are spread over so many, as shards are of namespaces."""


@dataclass(frozen=True)
class Load:
    """``pods`` in so many Deployments, the first of which have one more where they cannot be equal."""

    deployments: int
    pods: int
    watchers: int = 0


async def fill(address: str, load: Load, seconds: float) -> None:
    """Create the Deployments and wait until all their pods are available; raises TimeoutError, RollplaneError."""
    async with connect(address, name="scale") as api, asyncio.timeout(seconds):
        await _write(api, [Create(Encoded.of(_namespace(number))) for number in range(NAMESPACES)])
        made = [Create(Encoded.of(_deployment(load, number)), QUIET) for number in range(load.deployments)]
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(_all_available(api, load.pods))
            for start in range(0, len(made), BATCH):
                await _write(api, made[start : start + BATCH])


QUIET = WriteOptions(omit_object=True)


async def _write(api: ObjectApi, writes: list[Create]) -> None:
    for answer in await api.batch(writes):
        if isinstance(answer, RollplaneError):
            raise answer


async def _all_available(api: ObjectApi, pods: int) -> None:
    available: dict[tuple[str, str], int] = {}
    query = WatchQuery((WatchFilter(DEPLOYMENT),), send_initial_state=True)
    async with resumed_watch(api, query, SystemClock()) as batches:
        async for batch in batches:
            for event in batch.events:
                message = Deployment.FromString(event.object.value)
                available[event.object.key.namespace, event.object.key.name] = message.status.available_replicas
            if sum(available.values()) >= pods:
                return


@asynccontextmanager
async def watched(address: str, watchers: int) -> AsyncIterator[None]:
    """Keep so many watches of all pods open, each of which has read the whole state, for as long as the context is."""
    async with connect(address, name="watchers") as api, asyncio.TaskGroup() as tasks:
        begun = [asyncio.Event() for _ in range(watchers)]
        watches = [tasks.create_task(_watch(api, each)) for each in begun]
        for each in begun:
            await each.wait()
        yield
        for watch in watches:
            watch.cancel()


async def _watch(api: Api, begun: asyncio.Event) -> None:
    async with resumed_watch(api, WatchQuery((WatchFilter(POD),), send_initial_state=True), SystemClock()) as batches:
        async for batch in batches:
            if batch.initial_state_complete:
                begun.set()


def _namespace(number: int) -> Namespace:
    namespace = Namespace()
    namespace.metadata.name = f"{NAMESPACE}-{number}"
    return namespace


def _deployment(load: Load, number: int) -> Deployment:
    deployment = Deployment()
    name = deployment.metadata.name = f"app-{number:05}"
    deployment.metadata.namespace = f"{NAMESPACE}-{number % NAMESPACES}"
    deployment.spec.replicas = load.pods // load.deployments + (number < load.pods % load.deployments)
    deployment.spec.selector.match_labels["app"] = name
    deployment.spec.template.metadata.labels["app"] = name
    deployment.spec.template.spec.containers.add(name="app", image="app:v1")
    return deployment
