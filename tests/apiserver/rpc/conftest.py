"""Fixtures of the gRPC adapter's tests."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from rollplane_service.admission import Limits
from tests.apiserver.rpc.serving import ScriptedCore, Served, serving


@pytest.fixture
async def served() -> AsyncIterator[Served]:
    """A server with default limits over an Api the test scripts."""
    async with serving(ScriptedCore(), Limits()) as running:
        yield running
