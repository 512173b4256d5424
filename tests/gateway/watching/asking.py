"""Watches of a log of the test's own, by a clock likewise: asked for, and read."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

from rollplane.meta.v1 import Status
from rollplane_gateway.rendering import Form, Renderer
from rollplane_gateway.watching import Question, Shape, Shapes, Watches
from rollplane_machinery.api import WatchFilter
from rollplane_machinery.clock import FakeClock
from rollplane_machinery.kinds import CONFIG_MAP
from tests.gateway.watching.upstream import Log

ALL = WatchFilter(CONFIG_MAP)


def make_watches(log: Log, clock: FakeClock, feed_bytes: int = 1 << 20) -> Watches:
    return Watches(log, clock, Shapes(Renderer(), clock), feed_bytes=feed_bytes)


def json_shape(watches: Watches) -> Shape:
    return watches.shapes.of_objects(Form.JSON, "v1")


def question(revision: int = 0, **more: Any) -> Question:
    return replace(Question(ALL, revision, initial=False, timeout_seconds=600.0), **more)


def named(number: int) -> WatchFilter:
    """The filter of the one that is added by the revision ``number``."""
    return WatchFilter(CONFIG_MAP, field_selector=f"metadata.name=c{number}")


def told(piece: bytes) -> list[str]:
    """Return the names in the events of ``piece``, or the type of an event that has none."""
    events = [json.loads(line) for line in piece.splitlines()]
    return [event["object"]["metadata"].get("name") or event["type"] for event in events]


async def next_told(pieces: AsyncIterator[bytes], count: int) -> list[str]:
    names: list[str] = []
    while len(names) < count:
        names += told(await anext(pieces))
    return names


def names(first: int, last: int) -> list[str]:
    return [f"c{number}" for number in range(first, last + 1)]


async def status_of_end(pieces: AsyncIterator[bytes]) -> dict[str, Any]:
    """Return the Status in the last event, behind which nothing may come."""
    event = json.loads(await anext(pieces))
    assert event["type"] == "ERROR"
    assert [piece async for piece in pieces] == []
    status: dict[str, Any] = event["object"]
    assert status["kind"] == Status.DESCRIPTOR.name
    return status


async def collected(pieces: AsyncIterator[bytes]) -> list[bytes]:
    return [piece async for piece in pieces]


async def passed(clock: FakeClock, seconds: int) -> None:
    """Let seconds pass one by one, as the clockwork counts them."""
    for _ in range(seconds):
        await settled()
        await clock.advance(1)
    await settled()


async def settled() -> None:
    """Let every task run that can."""
    for _ in range(10):
        await asyncio.sleep(0)
