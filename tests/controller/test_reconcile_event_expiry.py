"""Events are kept for an hour after they were last seen (docs/semantics/api-conventions.md section 12)."""

from __future__ import annotations

import asyncio

from rollplane.core.v1 import Event
from rollplane_apiserver.core import Core
from rollplane_apiserver.core.identity import Identity, Role
from rollplane_apiserver.store.memory_store import MemoryStore
from rollplane_client.batch_writer import BatchWriter
from rollplane_controller.reconcile.event_expiry import KEPT_SECONDS, EventExpiry
from rollplane_machinery.api import Create, Fence, ListQuery
from rollplane_machinery.clock import SystemClock
from rollplane_machinery.kinds import EVENT, Encoded
from tests.end_to_end.waiting import until

FENCE = Fence("cluster", 1)


async def test_old_events_go_and_recent_ones_stay() -> None:
    clock = SystemClock()
    async with Core(MemoryStore(), clock) as core, asyncio.TaskGroup() as tasks:
        api = core.as_identity(Identity("manager", Role.CONTROLLER))
        user = core.as_identity(Identity("user", Role.EDITOR))
        await api.raise_fence(FENCE)
        for name, age in (("old", KEPT_SECONDS + 10), ("recent", KEPT_SECONDS / 2)):
            await user.write(Create(Encoded.of(_event(name, clock.now() - age))))
        before = core.revision
        writer = BatchWriter(api, clock=clock)
        expiry = EventExpiry(api, writer, clock=clock, fence=lambda: FENCE)
        running = [tasks.create_task(writer.run()), tasks.create_task(expiry.run())]
        expiry.wake_all()
        await until(lambda: core.revision > before and writer.pending == 0, 10, "nothing was swept")
        page = await user.list(ListQuery(EVENT))
        assert [encoded.parse().metadata.name for encoded in page.objects] == ["recent"]
        for task in running:
            task.cancel()


async def test_without_its_shard_it_touches_nothing() -> None:
    clock = SystemClock()
    async with Core(MemoryStore(), clock) as core, asyncio.TaskGroup() as tasks:
        user = core.as_identity(Identity("user", Role.EDITOR))
        await user.write(Create(Encoded.of(_event("old", clock.now() - KEPT_SECONDS - 10))))
        writer = BatchWriter(user, clock=clock)
        expiry = EventExpiry(user, writer, clock=clock, fence=lambda: None)
        running = tasks.create_task(expiry.run())
        expiry.wake_all()
        await until(lambda: expiry.queue.is_quiet(), 10, "it never rests")
        assert len((await user.list(ListQuery(EVENT))).objects) == 1
        running.cancel()


def _event(name: str, last_seen: float) -> Event:
    event = Event(reason="Test", message="m", type="Normal", count=1)
    event.metadata.namespace, event.metadata.name = "default", name
    event.involved_object.namespace = "default"
    event.last_timestamp.seconds = int(last_seen)
    return event
