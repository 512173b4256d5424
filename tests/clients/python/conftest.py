"""An apiserver in this process, over memory, behind a real gRPC server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

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


@pytest.fixture(params=["in process", "over gRPC"])
async def apis(request: pytest.FixtureRequest, plane: Plane) -> AsyncIterator[Apis]:
    """Each way to the same apiserver in turn."""
    if request.param == "in process":
        yield plane.in_process()
        return
    async with connect(plane.address, role="admin") as api:
        yield Apis(api, api)
