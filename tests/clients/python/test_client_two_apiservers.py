"""Two apiservers over one store: a client that knows both loses one and goes on with the other."""

from __future__ import annotations

import asyncio

from rollplane_apiserver.store.memory_store import MemoryStore
from rollplane_client.backoff import Backoff
from rollplane_client.grpc_api import connect
from rollplane_client.informer import Informer
from rollplane_machinery.api import WatchFilter
from rollplane_machinery.clock import SystemClock
from rollplane_machinery.kinds import CONFIG_MAP
from tests.clients.python.plane import caught_up, config_map, create, running_plane


async def test_one_goes_and_then_the_other_in_turn() -> None:
    store = MemoryStore()
    async with (
        asyncio.timeout(30),
        running_plane(store) as one,
        running_plane(store) as two,
        connect(f"{one.address},{two.address}", role="admin") as api,
        asyncio.TaskGroup() as tasks,
    ):
        backoff = Backoff(base_seconds=0.001, cap_seconds=0.01)
        informer = Informer(api, [WatchFilter(CONFIG_MAP)], lambda _encoded: "", clock=SystemClock(), backoff=backoff)
        told: list[str] = []
        informer.add_handler(CONFIG_MAP, lambda _type, found, _old, _new: told.append(found.name))
        running = tasks.create_task(informer.run())
        await informer.synced.wait()
        names = []
        for turn, plane in enumerate((one, two, one, two)):
            await plane.stop()
            for number in range(5):
                names.append(f"turn-{turn}-{number}")
                last = await create(api, config_map(names[-1]))
            await caught_up(informer, last)
            await plane.start()
        assert told == names
        assert informer.reloads == 1
        running.cancel()
