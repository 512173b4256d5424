"""What befalls who calls an Api: each trouble strikes as often as it was asked to, and no more."""

from __future__ import annotations

import asyncio

import pytest

from rollplane.apps.v1 import Deployment
from rollplane.core.v1 import ConfigMap
from rollplane_client.objects import Client
from rollplane_machinery.api import Create, Key, ListQuery, Scale, WatchFilter, WatchQuery
from rollplane_machinery.errors import (
    ConflictError,
    ExpiredError,
    Outcome,
    RollplaneError,
    TooManyRequestsError,
    UnavailableError,
)
from rollplane_machinery.kinds import CONFIG_MAP, DEPLOYMENT, Encoded
from rollplane_rehearsal import Plane, in_virtual_time
from tests.rehearsal.manifests import deployment

WEB = Key(DEPLOYMENT, "default", "web")


def _config_map(name: str) -> ConfigMap:
    made = ConfigMap()
    made.metadata.namespace, made.metadata.name = "default", name
    return made


async def _names(plane: Plane) -> set[str]:
    return {each.metadata.name for each in await plane.client.list(ConfigMap, "default")}


@in_virtual_time
async def test_changes_meet_conflicts_and_creates_do_not() -> None:
    async with Plane() as plane:
        await plane.apply(deployment())
        api = plane.troubled()
        plane.troubles.conflict(times=2)
        await api.write(Create(Encoded.of(_config_map("settings"))))
        for _ in range(2):
            with pytest.raises(ConflictError, match=r'deployments\.apps "web": the object has been modified'):
                await api.scale(Scale(WEB, 1))
        assert plane.troubles.left == 0
        await api.scale(Scale(WEB, 1))
        assert (await plane.client.get(Deployment, "default", "web")).spec.replicas == 1


@in_virtual_time
async def test_who_is_sent_away_has_done_nothing() -> None:
    async with Plane() as plane:
        client = Client(plane.troubled())
        plane.troubles.busy(retry_after_seconds=7.0)
        plane.troubles.unavailable()
        with pytest.raises(TooManyRequestsError) as busy:
            await client.create(_config_map("a"))
        assert busy.value.retry_after_seconds == 7.0
        with pytest.raises(UnavailableError) as unavailable:
            await client.create(_config_map("b"))
        assert unavailable.value.outcome is Outcome.NOT_SENT
        assert not await _names(plane) & {"a", "b"}


@in_virtual_time
async def test_a_lost_answer_is_of_a_write_that_was_made() -> None:
    async with Plane() as plane:
        client = Client(plane.troubled())
        plane.troubles.lose_answers()
        with pytest.raises(UnavailableError) as lost:
            await client.create(_config_map("a"))
        assert (lost.value.outcome, isinstance(lost.value, ConnectionError)) == (Outcome.OUTCOME_UNKNOWN, True)
        assert "a" in await _names(plane)


@in_virtual_time
async def test_in_a_batch_they_strike_item_by_item() -> None:
    async with Plane() as plane:
        plane.troubles.busy()
        plane.troubles.lose_answers()
        writes = [Create(Encoded.of(_config_map(name))) for name in "abc"]
        answers = await plane.troubled().batch(writes)
        told = [type(each) if isinstance(each, RollplaneError) else None for each in answers]
        assert [each and each.__name__ for each in told] == ["TooManyRequestsError", "AnswerLostError", None]
        assert await _names(plane) & set("abc") == {"b", "c"}


@in_virtual_time
async def test_other_kinds_are_spared() -> None:
    async with Plane() as plane:
        plane.troubles.busy(resource="deployments.apps")
        await Client(plane.troubled()).create(_config_map("a"))
        assert plane.troubles.left == 1
        plane.troubles.clear()
        assert plane.troubles.left == 0


@in_virtual_time
async def test_watches_stall_and_expire() -> None:
    async with Plane() as plane:
        await plane.at_rest()
        began, seen = plane.seconds, list[tuple[float, str]]()
        page = await plane.api.list(ListQuery(CONFIG_MAP, "default"))
        query = WatchQuery((WatchFilter(CONFIG_MAP, ("default",)),), page.revision)

        async def follow() -> None:
            async with plane.troubled().watch(query) as batches:
                async for batch in batches:
                    seen.extend((plane.seconds, event.object.key.name) for event in batch.events)

        following = asyncio.ensure_future(follow())
        plane.troubles.stall_watches(10.0)
        await plane.advance(1.0)
        await plane.client.create(_config_map("a"))
        await plane.advance(20.0)
        assert [(at - began >= 10.0, name) for at, name in seen] == [(True, "a")]
        plane.troubles.expire_watches()
        with pytest.raises(ExpiredError):
            await following


@in_virtual_time
async def test_faults_are_called_off() -> None:
    async with Plane() as plane:
        plane.faults.break_image("*")
        plane.faults.fill_store()
        plane.faults.stall_watches()
        plane.faults.lose_answers(1.0)
        plane.faults.call_off()
        await plane.apply(deployment())
        await plane.until_rolled_out(60.0)
