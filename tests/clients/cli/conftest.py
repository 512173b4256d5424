"""A plane in this process, a command line that speaks to it, and somebody who stands in for its controllers."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.clients.cli.commands import Cli
from tests.clients.cli.stand_in import StandIn
from tests.clients.python.plane import Plane, running_plane


@pytest.fixture
async def plane() -> AsyncIterator[Plane]:
    async with running_plane() as plane:
        yield plane


@pytest.fixture
def cli(plane: Plane) -> Cli:
    return Cli(plane.address)


@pytest.fixture
def stand_in(plane: Plane) -> StandIn:
    return StandIn(plane.in_process())
