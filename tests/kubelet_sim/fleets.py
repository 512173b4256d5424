"""Fleets on a core with the memory store, in one process and on virtual time; pods are bound by hand."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from random import Random
from typing import cast

from rollplane.coordination.v1 import Lease
from rollplane.core.v1 import ConfigMap, EnvVar, Event, Node, Pod
from rollplane_apiserver.core import Core
from rollplane_apiserver.core.identity import Identity, Role
from rollplane_apiserver.store.interface import Store
from rollplane_apiserver.store.memory_store import MemoryStore
from rollplane_kubelet_sim.fleet import PROFILE_DATA, PROFILE_KEY, Fleet, FleetSettings
from rollplane_kubelet_sim.profiles import shipped_profile
from rollplane_kubelet_sim.stages.rules import Profile
from rollplane_kubelet_sim.stages.schema import parse_profile
from rollplane_machinery.api import Api, Create, Delete, Key, ListQuery, ObjectApi, Patch, PatchType, Write, WriteResult
from rollplane_machinery.errors import NotFoundError, RollplaneError
from rollplane_machinery.kinds import CONFIG_MAP, EVENT, LEASE, NODE, POD, Encoded
from rollplane_rehearsal.virtual_time import LoopClock


class CountingApi:
    """An Api that counts the writes through it, and may refuse some of them."""

    def __init__(self, api: Api) -> None:
        self._api = api
        self.writes: list[Write] = []
        self.batches = 0
        self.failures: list[RollplaneError] = []
        self.refuse: Callable[[Write], RollplaneError | None] = lambda _write: None
        self.watch, self.get, self.list = api.watch, api.get, api.list

    async def batch(self, writes: Sequence[Write]) -> Sequence[WriteResult | RollplaneError]:
        if self.failures:
            raise self.failures.pop()
        self.batches += 1
        self.writes += writes
        refusals = [self.refuse(write) for write in writes]
        passed = iter(await self._api.batch([w for w, refusal in zip(writes, refusals, strict=True) if not refusal]))
        return [refusal or next(passed) for refusal in refusals]

    def __getattr__(self, name: str) -> object:
        return getattr(self._api, name)


class World:
    """A plane without controllers: the test binds and deletes pods itself."""

    def __init__(self, core: Core, tasks: asyncio.TaskGroup) -> None:
        self.api: Api = core.as_identity(Identity("user", Role.ADMIN))
        self._core = core
        self._tasks = tasks
        self.running: list[asyncio.Task[None]] = []

    def node_api(self) -> CountingApi:
        """Return a node's Api of its own."""
        return CountingApi(self._core.as_identity(Identity("kubelet", Role.NODE)))

    async def fleet(
        self,
        profile: str | Profile = "instant",
        *,
        settings: FleetSettings | None = None,
        api: CountingApi | None = None,
    ) -> tuple[Fleet, asyncio.Task[None]]:
        """Start a fleet and return it, ready, with the task that it lives in."""
        lived_by = shipped_profile(profile) if isinstance(profile, str) else profile
        node_api = cast("ObjectApi", api or self.node_api())
        fleet = Fleet(node_api, settings or FleetSettings(nodes=2), lived_by, clock=LoopClock())
        task = self._tasks.create_task(fleet.run())
        self.running.append(task)
        await fleet.ready.wait()
        return fleet, task

    async def pod(
        self,
        name: str = "web",
        node: str = "node-0",
        image: str = "nginx:1",
        env: Sequence[EnvVar] = (),
        init: str = "",
        **spec: object,
    ) -> None:
        """Create a pod that is bound already; ``init`` is the image of an init container."""
        pod = Pod()
        pod.metadata.name, pod.metadata.namespace = name, "default"
        pod.spec.node_name = node
        pod.spec.containers.add(name="app", image=image, env=env)
        if init:
            pod.spec.init_containers.add(name="init", image=init)
        for field, value in spec.items():
            setattr(pod.spec, field, value)
        await self.api.write(Create(Encoded.of(pod)))

    async def get(self, name: str = "web") -> Pod:
        return Pod.FromString((await self.api.get(Key(POD, "default", name))).value)

    async def node(self, name: str = "node-0") -> Node:
        return Node.FromString((await self.api.get(Key(NODE, "", name))).value)

    async def lease(self, name: str = "node-0") -> Lease:
        return Lease.FromString((await self.api.get(Key(LEASE, "kube-node-lease", name))).value)

    async def is_gone(self, name: str = "web") -> bool:
        try:
            await self.get(name)
        except NotFoundError:
            return True
        return False

    async def events(self) -> list[Event]:
        page = await self.api.list(ListQuery(EVENT))
        return [Event.FromString(encoded.value) for encoded in page.objects]

    async def reasons(self) -> list[str]:
        return [event.reason for event in await self.events()]

    async def delete(self, name: str = "web", grace: int | None = None) -> None:
        await self.api.write(Delete(Key(POD, "default", name), grace))

    async def order(self, word: str, name: str = "web") -> None:
        patch = json.dumps({"metadata": {"annotations": {"sim.rollplane.dev/do": word}}}).encode()
        await self.api.write(Patch(Key(POD, "default", name), PatchType.MERGE, patch))

    async def patch(self, name: str, change: object) -> None:
        await self.api.write(Patch(Key(POD, "default", name), PatchType.MERGE, json.dumps(change).encode()))

    async def patch_node(self, name: str, change: object) -> None:
        await self.api.write(Patch(Key(NODE, "", name), PatchType.MERGE, json.dumps(change).encode()))

    async def set_profile(self, text: str) -> None:
        """Change the profile at run time, as a user does."""
        patch = json.dumps({"data": {PROFILE_DATA: text}}).encode()
        try:
            await self.api.write(Patch(PROFILE_KEY, PatchType.MERGE, patch))
        except NotFoundError:
            config = ConfigMap()
            config.metadata.namespace, config.metadata.name = PROFILE_KEY.namespace, PROFILE_KEY.name
            config.data[PROFILE_DATA] = text
            await self.api.write(Create(Encoded.of(config)))

    async def drop_profile(self) -> None:
        await self.api.write(Delete(Key(CONFIG_MAP, PROFILE_KEY.namespace, PROFILE_KEY.name)))


@asynccontextmanager
async def world(store: Store | None = None) -> AsyncIterator[World]:
    """Run a core until the block ends; fleets started in it end with it."""
    async with Core(store or MemoryStore(), LoopClock(), randomness=Random(7)) as core, asyncio.TaskGroup() as tasks:
        here = World(core, tasks)
        yield here
        for task in here.running:
            task.cancel()


def is_ready(pod: Pod) -> bool:
    return any(condition.type == "Ready" and condition.status == "True" for condition in pod.status.conditions)


def profile(text: str) -> Profile:
    return parse_profile(text)
