"""The rollout verbs over a real core in memory."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

import pytest

from rollplane_apiserver.core import ADMIN, Core
from rollplane_apiserver.rollout.edit import Turns
from rollplane_apiserver.rollout.rollouts import Rollouts
from rollplane_apiserver.store.memory_store import MemoryStore
from rollplane_machinery.clock import FakeClock, SystemClock
from tests.apiserver.rollout.workshop import Workshop


@pytest.fixture
async def workshop() -> AsyncIterator[Workshop]:
    """A core, the verbs over it, and a clock for the verbs that the test moves."""
    async with Core(MemoryStore(), SystemClock(), randomness=random.Random(1)) as core:
        objects, clock = core.as_identity(ADMIN), FakeClock()
        yield Workshop(objects, Rollouts(objects, clock, Turns()), clock)
