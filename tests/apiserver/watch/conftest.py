"""A core over a store in memory."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator

import pytest

from rollplane_apiserver.core import Core
from rollplane_machinery.clock import FakeClock
from tests.apiserver.core.office import CountingStore, Office


@pytest.fixture
async def office() -> AsyncIterator[Office]:
    store, clock = CountingStore(), FakeClock()
    async with Core(store, clock, randomness=random.Random(1)) as core:
        yield Office(core, store, clock)
