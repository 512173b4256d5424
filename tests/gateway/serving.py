"""A gateway on a free loopback port over a core on the memory store, and a plain client for it: real sockets."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from random import Random
from typing import Any

import aiohttp
from prometheus_client import CollectorRegistry

from rollplane_apiserver.core import Core
from rollplane_apiserver.core.identity import Identity, Role
from rollplane_apiserver.core.settings import CoreSettings
from rollplane_apiserver.store.memory_store import MemoryStore
from rollplane_gateway.calls import Page
from rollplane_gateway.composing import gateway_routes, make_backend
from rollplane_gateway.limits import Limits
from rollplane_gateway.metrics import Metrics
from rollplane_gateway.server import GatewayServer
from rollplane_machinery.api import Api
from rollplane_machinery.clock import Clock, SystemClock
from rollplane_machinery.releases import LATEST, Release
from rollplane_service.health import Health

DEPLOYMENTS = "/apis/apps/v1/namespaces/default/deployments"
PODS = "/api/v1/namespaces/default/pods"
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"


@dataclass(frozen=True, slots=True)
class Got:
    """An answer: its status, headers (by lower-case name) and body."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    warnings: tuple[str, ...] = ()

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def content_type(self) -> str:
        return self.headers.get("content-type", "")


@dataclass(frozen=True, slots=True)
class Served:
    """A running gateway: ``url`` to ask, ``api`` and ``core`` behind it."""

    url: str
    api: Api
    core: Core
    session: aiohttp.ClientSession
    server: GatewayServer
    health: Health

    @property
    def port(self) -> int:
        return int(self.url.rpartition(":")[2])

    async def ask(self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None) -> Got:
        """Send one request; a body that is not bytes goes as JSON."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        given = {"Content-Type": "application/json"} if data is not None and not isinstance(body, bytes) else {}
        async with self.session.request(
            method, self.url + path, data=data, headers={**given, **(headers or {})}
        ) as got:
            lower = {name.lower(): value for name, value in got.headers.items()}
            return Got(got.status, lower, await got.read(), tuple(got.headers.getall("Warning", [])))

    async def get(self, path: str, **headers: str) -> Got:
        return await self.ask("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})


@asynccontextmanager
async def serving(
    *,
    pages: Mapping[str, Page] | None = None,
    through: Callable[[Api], Api] = lambda api: api,
    release: Release = LATEST,
    clock: Clock | None = None,
    limits: Limits = Limits(),  # noqa: B008 - frozen
    settings: CoreSettings = CoreSettings(),  # noqa: B008 - frozen
) -> AsyncIterator[Served]:
    """Run a gateway within the context: ``through`` what is made of the core's Api, with further ``pages``."""
    clock = clock or SystemClock()
    settings = replace(settings, release=release)
    async with Core(MemoryStore(), clock, settings=settings, randomness=Random(7)) as core:
        api = core.as_identity(Identity("gateway", Role.EDITOR))
        health, metrics = Health(), Metrics(CollectorRegistry())
        health.started = True
        routes = gateway_routes(release, health, metrics.registry)
        routes = replace(routes, pages={**routes.pages, **(pages or {})})
        async with (
            GatewayServer(make_backend(through(api), clock, release), routes, metrics, limits=limits) as server,
            aiohttp.ClientSession() as session,
        ):
            port = await server.listen("127.0.0.1", 0)
            yield Served(f"http://127.0.0.1:{port}", api, core, session, server, health)


def deployment(name: str = "web", replicas: int = 3) -> dict[str, Any]:
    """A Deployment as a client writes it."""
    labels = {"app": name}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels},
                "spec": {"containers": [{"name": "nginx", "image": "nginx:1.27"}]},
            },
        },
    }


def config_map(name: str = "settings", **data: str) -> dict[str, Any]:
    """A ConfigMap as a client writes it."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}
