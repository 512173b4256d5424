"""Who is woken by what the ring publishes: whom it concerns, and others only to tell how far they have come."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from rollplane_apiserver.store.interface import Change
from rollplane_apiserver.watch.ring import Ring, RingEvent
from rollplane_apiserver.watch.waiter import Waiter
from rollplane_machinery.api import EventType
from rollplane_machinery.kinds import ANY_CUSTOM, CONFIG_MAP, POD, CustomKind, Kind
from rollplane_rehearsal import in_virtual_time

WIDGET = CustomKind("example.com", "v1", "Widget", "widgets")


async def _woken(waiter: Waiter, published: Iterable[tuple[float, Kind]], due: float) -> tuple[float, float]:
    """Let a waiter wait while changes are published at their moments; return when it was woken, and what was due."""
    ring, loop = Ring(1024 * 1024), asyncio.get_running_loop()
    waiting = asyncio.ensure_future(ring.moved(waiter, loop.time() + due))
    began = loop.time()
    for revision, (at, kind) in enumerate(published, 1):
        await asyncio.sleep(began + at - loop.time())
        change = Change(revision, EventType.ADDED, kind.resource, "default/x", b"")
        ring.publish([RingEvent(change, kind, None)], revision)
    in_the_end = await waiting
    waiter.end()
    return round(loop.time() - began, 9), round(in_the_end - began, 9)


@in_virtual_time
async def test_what_concerns_a_watcher_wakes_it_at_once() -> None:
    assert await _woken(Waiter([POD], 0.1), [(0.5, POD)], due=3.0) == (0.5, 3.0)
    assert await _woken(Waiter([ANY_CUSTOM], 0.1), [(0.5, WIDGET)], due=3.0) == (0.5, 3.0)


@in_virtual_time
async def test_of_other_changes_it_hears_a_while_after_the_first() -> None:
    others = [(0.5, CONFIG_MAP), (0.55, CONFIG_MAP), (0.59, WIDGET)]
    assert await _woken(Waiter([POD], 0.1), others, due=3.0) == (0.6, 0.6)


@in_virtual_time
async def test_nothing_wakes_it_at_its_time() -> None:
    assert await _woken(Waiter([POD], 0.1), [], due=3.0) == (3.0, 3.0)


@in_virtual_time
async def test_a_timer_of_an_earlier_wait_wakes_nobody_early() -> None:
    waiter = Waiter([POD], 0.1)
    ring, loop = Ring(1024 * 1024), asyncio.get_running_loop()
    waiting = asyncio.ensure_future(ring.moved(waiter, 1.0))
    await asyncio.sleep(0.5)
    ring.reset(7)
    await waiting
    await ring.moved(waiter, 2.5)
    assert loop.time() == 2.5
