"""Custom kinds over gRPC: a client needs no registry, since each object says what it is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from rollplane.stored.v1 import StoredObject
from rollplane_apiserver.store.memory_store import MemoryStore
from rollplane_client.customs import read_all
from rollplane_client.grpc_api import connect
from rollplane_client.informer import Informer
from rollplane_gateway.catalogue import Catalogue
from rollplane_machinery.api import Create, Delete, Key, ListQuery, Scale, WatchBatch, WatchFilter, WatchQuery
from rollplane_machinery.clock import SystemClock
from rollplane_machinery.errors import NotFoundError
from rollplane_machinery.kinds import ANY_CUSTOM, Encoded, by_resource
from rollplane_machinery.releases import LATEST
from tests.clients.python.plane import caught_up, running_plane
from tests.customs import GROUP, stored_custom, stored_definition

TABS = by_resource(f"crontabs.{GROUP}")


async def until(batches: AsyncIterator[WatchBatch], revision: int) -> AsyncIterator[WatchBatch]:
    """Yield what a watch tells, up to ``revision``."""
    async for batch in batches:
        yield batch
        if batch.revision >= revision:
            return


async def test_through_two_apiservers_at_once() -> None:
    store = MemoryStore()
    async with (
        asyncio.timeout(30),
        running_plane(store) as first,
        running_plane(store) as second,
        connect(first.address, role="admin") as one,
        connect(second.address, role="admin") as two,
        asyncio.TaskGroup() as tasks,
    ):
        informer = Informer(two, [WatchFilter(ANY_CUSTOM)], lambda _: "", clock=SystemClock())
        running = tasks.create_task(informer.run())
        await informer.synced.wait()
        with pytest.raises(NotFoundError):
            await two.list(ListQuery(TABS))
        await one.write(Create(Encoded.of(stored_definition())))
        made = await two.write(Create(Encoded.of(stored_custom("one"))))
        key = Key(TABS, "default", "one")
        stored = (await one.get(key)).read_as(StoredObject)
        assert (stored.kind, stored.custom.plural, stored.custom.namespaced) == ("CronTab", "crontabs", True)
        (listed,) = (await one.list(ListQuery(TABS))).objects
        assert listed.key == key
        scaled = await two.scale(Scale(key, 4))
        await caught_up(informer, scaled.revision)
        assert [found for found, _ in informer.items(ANY_CUSTOM)] == [key]
        assert informer.get(key) is not None
        assert [kind.resource for kind in (await read_all(two)).kinds] == [TABS.resource]
        assert (await Catalogue(two, LATEST).renewed()).kind_names[TABS.resource] == "CronTab"
        async with one.watch(WatchQuery((WatchFilter(TABS),), from_revision=made.revision)) as batches:
            gone = await two.write(Delete(key))
            seen = [event.revision async for batch in until(batches, gone.revision) for event in batch.events]
        assert seen == [scaled.revision, gone.revision]
        running.cancel()
