"""An apiserver in this process, behind a real gRPC server, which tests stop and start again."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

from rollplane.apps.v1 import Deployment
from rollplane.core.v1 import ConfigMap, Container, Pod
from rollplane_apiserver.core import ADMIN, Core, Identity, Role
from rollplane_apiserver.core.settings import CoreSettings
from rollplane_apiserver.rpc.server import RpcServer
from rollplane_apiserver.store.interface import Store
from rollplane_apiserver.store.memory_store import MemoryStore
from rollplane_client.informer import Informer
from rollplane_machinery.api import Api, Create, EventType, Key, ObjectApi, WatchFilter, WatchQuery
from rollplane_machinery.clock import Clock, SystemClock
from rollplane_machinery.kinds import ApiObject, Encoded, Kind


class NoMetrics:
    """Counts nothing."""

    def call_ended(self, service: str, method: str, code: str, seconds: float) -> None:
        """Do nothing."""


class Plane:
    """One apiserver over a store that outlives it. ``address`` stays the same from one start to the next."""

    def __init__(
        self,
        store: Store | None = None,
        *,
        listen: str = "127.0.0.1:0",
        clock: Clock | None = None,
        settings: CoreSettings = CoreSettings(),  # noqa: B008 - frozen
    ) -> None:
        self.store = store or MemoryStore()
        self.clock = clock or SystemClock()
        self._listen = listen
        self._settings = settings
        self._stack = AsyncExitStack()
        self.core: Core
        self.server: RpcServer

    @property
    def address(self) -> str:
        return self._listen

    async def start(self) -> None:
        """Load the core and serve; raises OSError when the address is taken."""
        self.core = await self._stack.enter_async_context(
            Core(self.store, self.clock, settings=self._settings, randomness=random.Random(7))
        )
        self.server = await self._stack.enter_async_context(RpcServer(self.core, self.clock, NoMetrics()))
        port = await self.server.listen(self._listen)
        if self._listen.endswith(":0"):
            self._listen = f"127.0.0.1:{port}"

    async def stop(self) -> None:
        """Cut off all calls and forget everything but the store."""
        await self._stack.aclose()

    def in_process(self, role: Role = Role.ADMIN) -> Api:
        """Return the core's own Api."""
        return self.core.as_identity(ADMIN if role is Role.ADMIN else Identity(role.value, role))


async def caught_up(informer: Informer[Any], revision: int) -> None:
    """Return once the cache shows everything up to ``revision`` and the handlers know."""
    reached = asyncio.Event()

    def note(now: int) -> None:
        if now >= revision:
            reached.set()

    informer.on_progress(note)
    if informer.synced.is_set():
        note(informer.revision)
    await reached.wait()


@asynccontextmanager
async def running_plane(store: Store | None = None, *, listen: str = "127.0.0.1:0") -> AsyncIterator[Plane]:
    """Run a plane for as long as the context lasts."""
    plane = Plane(store, listen=listen)
    await plane.start()
    try:
        yield plane
    finally:
        await plane.stop()


def config_map(name: str, *, namespace: str = "default", data: str = "", **labels: str) -> ConfigMap:
    """Return a small object that no rule touches."""
    message = ConfigMap()
    message.metadata.namespace = namespace
    message.metadata.name = name
    message.metadata.labels.update(labels)
    message.data["text"] = data
    return message


def pod(name: str, *, namespace: str = "default", **labels: str) -> Pod:
    """Return a pod with one container."""
    message = Pod()
    message.metadata.namespace = namespace
    message.metadata.name = name
    message.metadata.labels.update(labels)
    message.spec.containers.append(Container(name="app", image="app:v1"))
    return message


def deployment(name: str, *, replicas: int = 3, image: str = "app:v1") -> Deployment:
    """Return a Deployment of one container."""
    message = Deployment()
    message.metadata.namespace = "default"
    message.metadata.name = name
    message.spec.replicas = replicas
    message.spec.selector.match_labels["app"] = name
    message.spec.template.metadata.labels["app"] = name
    message.spec.template.spec.containers.append(Container(name="app", image=image))
    return message


async def create(api: ObjectApi, message: ApiObject) -> int:
    """Create ``message`` and return its revision."""
    return (await api.write(Create(Encoded.of(message)))).revision


async def watched(api: ObjectApi, query: WatchQuery, until: Callable[[list[tuple[EventType, str]]], bool]) -> int:
    """Read a watch until the (type, name) pairs seen so far satisfy ``until``; return the last revision."""
    seen: list[tuple[EventType, str]] = []
    async with api.watch(query) as batches:
        async for batch in batches:
            seen += [(event.type, name_of(event.object)) for event in batch.events]
            if until(seen):
                return batch.revision
    raise AssertionError(f"the watch ended after {seen}")


def name_of(encoded: Encoded) -> str:
    """Return the object's name."""
    return str(encoded.parse().metadata.name)


def key(kind: Kind, name: str, namespace: str = "default") -> Key:
    """Return a key in the namespace that tests use."""
    return Key(kind, namespace, name)


def everything(*kinds: Kind) -> tuple[WatchFilter, ...]:
    """Return filters that show all objects of ``kinds``."""
    return tuple(WatchFilter(kind) for kind in kinds)
