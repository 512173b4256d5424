"""An apiserver in this process, over memory, behind a real gRPC server."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from rollplane_apiserver.core import Role
from rollplane_client.grpc_api import connect
from rollplane_machinery.api import Api
from tests.clients.python.plane import Plane, running_plane


@pytest.fixture
async def plane() -> AsyncIterator[Plane]:
    async with running_plane() as plane:
        yield plane


WAYS = ("in process", "over gRPC")


@asynccontextmanager
async def reached(plane: Plane, way: str, role: Role) -> AsyncIterator[Api]:
    """Reach the apiserver one way or the other."""
    if way == "in process":
        yield plane.in_process(role)
        return
    async with connect(plane.address, role=role.value) as api:
        yield api


@pytest.fixture(params=WAYS)
async def api(request: pytest.FixtureRequest, plane: Plane) -> AsyncIterator[Api]:
    """Each way to the same apiserver in turn, as an admin."""
    async with reached(plane, request.param, Role.ADMIN) as api:
        yield api


@pytest.fixture(params=WAYS)
async def controller(request: pytest.FixtureRequest, plane: Plane) -> AsyncIterator[Api]:
    """Each way to the same apiserver in turn, as a controller."""
    async with reached(plane, request.param, Role.CONTROLLER) as api:
        yield api
