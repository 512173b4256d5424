"""The independent watcher: when a rollout is done, by spec and status alone; and what a lost log costs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from rollplane.apps.v1 import DaemonSet, Deployment, StatefulSet
from rollplane.core.v1 import ReplicationController
from rollplane_load.doneness import Watched, look_at
from rollplane_load.lag import LagMeter
from rollplane_load.watcher import Watcher
from rollplane_machinery.api import EventType, Key, WatchBatch, WatchEvent, WatchQuery
from rollplane_machinery.clock import FakeClock
from rollplane_machinery.errors import ExpiredError, TimedOutError
from rollplane_machinery.kinds import DEPLOYMENT, POD, REPLICA_SET, Encoded


def _deployment(
    replicas: int = 3, *, generation: int = 2, observed: int = 2, paused: bool = False, **counts: int
) -> Deployment:
    made = Deployment()
    made.metadata.name, made.metadata.namespace, made.metadata.generation = "web", "x", generation
    made.spec.replicas, made.spec.paused, made.status.observed_generation = replicas, paused, observed
    for name in ("replicas", "updated_replicas", "available_replicas"):
        setattr(made.status, name, counts.get(name, replicas))
    return made


def _stateful_set(*, current: str = "r2", updated: int = 3, ready: int = 3) -> StatefulSet:
    made = StatefulSet()
    made.spec.replicas = made.status.replicas = 3
    made.status.update_revision, made.status.current_revision = "r2", current
    made.status.updated_replicas = updated
    made.status.ready_replicas = ready  # up to 1.21 availableReplicas is never told
    return made


def _daemon_set(*, wanted: int = 2, updated: int = 2, available: int = 2) -> DaemonSet:
    made = DaemonSet()
    made.status.desired_number_scheduled, made.status.updated_number_scheduled = wanted, updated
    made.status.number_available = available
    return made


def _controller(*, available: int = 2) -> ReplicationController:
    made = ReplicationController()
    made.spec.replicas = made.status.replicas = 2
    made.status.available_replicas = available
    return made


DONE: dict[str, tuple[Watched, bool]] = {
    "a Deployment": (_deployment(), True),
    "one whose change nobody has seen": (_deployment(observed=1), False),
    "one with a pod too many": (_deployment(replicas=3, updated_replicas=2), False),
    "one that is not up": (_deployment(available_replicas=2), False),
    "one that is paused": (_deployment(paused=True), False),
    "one of no pods": (_deployment(0), True),
    "a StatefulSet": (_stateful_set(), True),
    "one that rolls": (_stateful_set(current="r1", updated=2), False),
    "one whose counts are those of its last rollout": (_stateful_set(updated=0), True),
    "one that is not ready": (_stateful_set(ready=2), False),
    "a DaemonSet": (_daemon_set(), True),
    "one of an old template": (_daemon_set(updated=1), False),
    "one that nobody has looked at": (_daemon_set(wanted=0, updated=0, available=0), False),
    "a ReplicationController": (_controller(), True),
    "one that is short of pods": (_controller(available=1), False),
}


@pytest.mark.parametrize(("workload", "done"), DONE.values(), ids=DONE)
def test_when_a_rollout_is_done(workload: Watched, done: bool) -> None:
    assert look_at(workload).done is done


def test_nothing_is_up_to_date_before_the_change_was_seen() -> None:
    assert look_at(_deployment(observed=1)).available == 3
    stale = _stateful_set()
    stale.metadata.generation = 5
    assert look_at(stale).updated == 0


class Told:
    """A cluster whose watch shows what is put into ``batches``; an error ends it."""

    def __init__(self) -> None:
        self.batches: asyncio.Queue[WatchBatch | ExpiredError] = asyncio.Queue()
        self.queries: list[WatchQuery] = []

    @asynccontextmanager
    async def watch(self, query: WatchQuery) -> AsyncIterator[AsyncIterator[WatchBatch]]:
        self.queries.append(query)
        yield self._items()

    async def _items(self) -> AsyncIterator[WatchBatch]:
        while True:
            item = await self.batches.get()
            if isinstance(item, ExpiredError):
                raise item
            yield item

    def __getattr__(self, name: str) -> Any:
        raise AssertionError(f"a watcher only watches, and does not {name}")


@asynccontextmanager
async def watching() -> AsyncIterator[tuple[Watcher, Told, FakeClock]]:
    told, clock = Told(), FakeClock()
    watcher = Watcher(told, "x", clock=clock)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(watcher.run())
        told.batches.put_nowait(WatchBatch((), 1, initial_state_complete=True))
        await watcher.synced.wait()
        yield watcher, told, clock
        running.cancel()


def _show(told: Told, revision: int, message: Deployment, type_: EventType = EventType.MODIFIED) -> None:
    told.batches.put_nowait(WatchBatch((WatchEvent(type_, Encoded.of(message), revision),), revision))


KEY = Key(DEPLOYMENT, "x", "web")


async def test_done_is_what_was_seen_at_the_write_or_after_it() -> None:
    async with watching() as (watcher, told, _):
        _show(told, 5, _deployment())
        waiting = asyncio.ensure_future(watcher.done(KEY, 7, 60.0))
        await asyncio.sleep(0)
        _show(told, 6, _deployment())
        _show(told, 7, _deployment(observed=1))
        await watcher.until(lambda: watcher.changes == 3, 60.0, "it is not told")
        assert not waiting.done()
        _show(told, 8, _deployment())
        await waiting
        await watcher.done(KEY, 8, 60.0)
        assert (watcher.desired, watcher.available, watcher.changes) == (3, 3, 4)
        _show(told, 9, _deployment(), EventType.DELETED)
        await watcher.until(lambda: not watcher.is_there(KEY), 60.0, "it is there")
        assert (watcher.desired, watcher.available) == (0, 0)


async def test_a_log_that_was_lost_is_followed_from_the_state_again() -> None:
    async with watching() as (watcher, told, _):
        _show(told, 5, _deployment())
        told.batches.put_nowait(ExpiredError("too old"))
        event = WatchEvent(EventType.ADDED, Encoded.of(_deployment(4)), 0)
        told.batches.put_nowait(WatchBatch((event,), 0))
        told.batches.put_nowait(WatchBatch((), 20, initial_state_complete=True))
        await watcher.until(lambda: watcher.restarts == 1 and watcher.desired == 4, 60.0, "it is not followed")
        assert [query.send_initial_state for query in told.queries] == [True, True]


async def test_what_does_not_come_is_given_up() -> None:
    async with watching() as (watcher, _, _clock):
        with pytest.raises(TimedOutError, match=r"deployment web is not done after 0\.01 s"):
            await watcher.done(KEY, 7, 0.01)
        with pytest.raises(TimedOutError, match=r"never after 0\.01 s"):
            await watcher.until(lambda: False, 0.01, "never")


async def test_lag_is_from_the_answer_to_the_event() -> None:
    clock = FakeClock()
    meter = LagMeter(clock)
    meter.answered(DEPLOYMENT, 5)
    await clock.advance(0.25)
    meter.seen(POD, 5)
    meter.seen(DEPLOYMENT, 4)
    meter.seen(DEPLOYMENT, 5)
    assert meter.seconds == [pytest.approx(0.25)]
    meter.seen(REPLICA_SET, 9)
    meter.answered(REPLICA_SET, 8)
    assert meter.seconds[1:] == [0.0]
