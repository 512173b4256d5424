"""Events are kept for an hour, while there is room (docs/semantics/api-conventions.md section 12)."""

from __future__ import annotations

from typing import Any

import pytest

from rollplane.core.v1 import Event
from rollplane_controller.reconcile.event_expiry import COUNT_SECONDS, SWEEP_SECONDS, EventLimits
from rollplane_controller.shards import ALL_SHARDS
from rollplane_machinery.api import Key, ListQuery, ObjectApi, Page
from rollplane_machinery.kinds import EVENT
from tests.controller.plane import PlainApi, a_plane, names_of

KEPT_SECONDS = 3600.0


async def test_old_events_go_and_recent_ones_stay() -> None:
    async with a_plane(nodes=0) as plane:
        for name, age in (("old", KEPT_SECONDS + 10), ("recent", KEPT_SECONDS / 2)):
            await plane.create(_event(name, plane.clock.now() - age))
        await plane.start()
        await plane.quiet()
        assert names_of(await plane.all(EVENT, "default")) == ["recent"]


class SmallPages(PlainApi):
    """Gives events one at a time."""

    async def list(self, query: ListQuery) -> Page:
        limit = 1 if query.kind is EVENT else query.limit
        return await super().list(
            ListQuery(query.kind, query.namespace, limit=limit, continue_token=query.continue_token)
        )


async def test_a_sweep_goes_through_all_pages_and_begins_again() -> None:
    async with a_plane(nodes=0) as plane:
        for number in range(5):
            await plane.create(
                _event(f"e{number}", plane.clock.now() - KEPT_SECONDS * (number % 2) - KEPT_SECONDS + 60)
            )
        await plane.start(wrap=SmallPages)
        await plane.quiet()
        assert names_of(await plane.all(EVENT, "default")) == ["e0", "e2", "e4"]
        await plane.pass_time(SWEEP_SECONDS + 60)
        assert names_of(await plane.all(EVENT, "default")) == []


async def test_of_too_many_the_oldest_go_within_a_minute() -> None:
    async with a_plane(nodes=0) as plane:
        for number in range(8):
            await plane.create(_event(f"e{number}", plane.clock.now() - number))
        await plane.start(wrap=SmallPages, event_limits=EventLimits(most=10))
        await plane.quiet()
        assert len(await plane.all(EVENT, "default")) == 8
        for number in range(8, 12):
            await plane.create(_event(f"e{number}", plane.clock.now() - 20 - number))
        await plane.pass_time(COUNT_SECONDS + 5)
        assert sorted(names_of(await plane.all(EVENT, "default"))) == sorted(f"e{number}" for number in range(9))


async def test_of_too_many_in_one_moment_all_stay_until_a_later_one_comes() -> None:
    """Nothing tells which is the oldest; what matters is that it does not spin."""
    async with a_plane(nodes=0) as plane:
        moment = plane.clock.now()
        for number in range(5):
            await plane.create(_event(f"e{number}", moment))
        await plane.start(event_limits=EventLimits(most=3))
        await plane.pass_time(COUNT_SECONDS * 2)
        assert len(await plane.all(EVENT, "default")) == 5
        await plane.create(_event("later", moment + 1))
        await plane.pass_time(COUNT_SECONDS * 2)
        assert names_of(await plane.all(EVENT, "default")) == ["later"]


@pytest.mark.parametrize("limits", [{"kept_seconds": 0.0}, {"most": 0}])
def test_limits_that_keep_nothing_are_refused(limits: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="want more than none"):
        EventLimits(**limits)


async def test_without_its_shard_it_touches_nothing() -> None:
    async with a_plane() as plane:
        first = await plane.start("first")
        await plane.until(lambda: len(first.shards.owned) == len(ALL_SHARDS), "the first does not own all")
        asked: list[Key] = []

        class Watched(PlainApi):
            async def list(self, query: ListQuery) -> Page:
                if query.kind is EVENT:
                    asked.append(Key(EVENT, "", ""))
                return await super().list(query)

        def wrap(api: ObjectApi) -> ObjectApi:
            return Watched(api)

        await plane.start("second", wrap)
        await plane.pass_time(30)
        assert asked == []


def _event(name: str, last_seen: float) -> Event:
    event = Event(reason="Test", message="m", type="Normal", count=1)
    event.metadata.namespace, event.metadata.name = "default", name
    event.involved_object.namespace = "default"
    event.last_timestamp.seconds = int(last_seen)
    return event
