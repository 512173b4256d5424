"""An apiserver in this process, over memory, behind a real gRPC server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from rollplane_apiserver.core import Role
from rollplane_client.grpc_api import GrpcApi, connect
from tests.clients.python.plane import Apis, Plane, running_plane


@pytest.fixture
async def plane() -> AsyncIterator[Plane]:
    async with running_plane() as plane:
        yield plane


@pytest.fixture
async def api(plane: Plane) -> AsyncIterator[GrpcApi]:
    """The Api over gRPC, as an admin."""
    async with connect(plane.address, role="admin") as api:
        yield api


WAYS = ("in process", "over gRPC")


@asynccontextmanager
async def reached(plane: Plane, way: str, role: Role) -> AsyncIterator[Apis]:
    """Reach the apiserver one way or the other."""
    if way == "in process":
        yield plane.in_process(role)
        return
    async with connect(plane.address, role=role.value) as api:
        yield Apis(api, api)


@pytest.fixture(params=WAYS)
async def apis(request: pytest.FixtureRequest, plane: Plane) -> AsyncIterator[Apis]:
    """Each way to the same apiserver in turn, as an admin."""
    async with reached(plane, request.param, Role.ADMIN) as apis:
        yield apis


@pytest.fixture(params=WAYS)
async def controller(request: pytest.FixtureRequest, plane: Plane) -> AsyncIterator[Apis]:
    """Each way to the same apiserver in turn, as a controller."""
    async with reached(plane, request.param, Role.CONTROLLER) as apis:
        yield apis
