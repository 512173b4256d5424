"""A followed rollout: one look for each state the object was in, until it ends."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from functools import partial

import pytest

from rollplane.apps import v1 as apps
from rollplane_machinery import kinds
from rollplane_machinery.api import Delete, Key, RolloutState, RolloutStatus
from rollplane_machinery.errors import ConflictError, InvalidError, NotFoundError, UnsupportedError
from tests.apiserver.rollout.workshop import DB, REVISION, WEB, Workshop, deployment, exactly, workload

WAITING = 'Waiting for deployment "web" rollout to finish: '


def _settle(updated: int, total: int, available: int, message: apps.Deployment) -> None:
    message.status.observed_generation = message.metadata.generation
    message.status.updated_replicas = updated
    message.status.replicas = total
    message.status.available_replicas = message.status.ready_replicas = available


async def test_a_rollout_is_followed_to_its_end(workshop: Workshop) -> None:
    stored = await workshop.create(deployment())
    async with workshop.rollouts.rollout_status(WEB) as looks:
        first = await anext(looks)
        assert first.message == "Waiting for deployment spec update to be observed..."
        sentences = []
        for updated, total, available in [(1, 3, 2), (3, 4, 3), (3, 3, 2), (3, 3, 3)]:
            await workshop.change_status(stored, partial(_settle, updated, total, available))
            sentences.append((await anext(looks)).message.removeprefix(WAITING))
        assert sentences == [
            "1 out of 3 new replicas have been updated...",
            "1 old replicas are pending termination...",
            "2 of 3 updated replicas are available...",
            'deployment "web" successfully rolled out',
        ]
        assert await _rest(looks) == []


async def _rest(looks: AsyncIterator[RolloutStatus]) -> list[RolloutStatus]:
    return [look async for look in looks]


async def test_a_rollout_that_is_done_says_so_at_once(workshop: Workshop) -> None:
    stored = await workshop.create(deployment())
    await workshop.change_status(stored, partial(_settle, 3, 3, 3))
    async with workshop.rollouts.rollout_status(WEB) as looks:
        (look,) = await _rest(looks)
    assert look.state is RolloutState.DONE
    assert (look.desired, look.updated, look.total) == (3, 3, 3)


async def test_a_rollout_that_is_too_late_fails(workshop: Workshop) -> None:
    stored = await workshop.create(deployment())

    def late(message: apps.Deployment) -> None:
        _settle(1, 3, 2, message)
        message.status.conditions.add(type="Progressing", status="False", reason="ProgressDeadlineExceeded")

    await workshop.change_status(stored, late)
    async with workshop.rollouts.rollout_status(WEB) as looks:
        (look,) = await _rest(looks)
    assert (look.state, look.message, look.reason) == (
        RolloutState.FAILED,
        'deployment "web" exceeded its progress deadline',
        "ProgressDeadlineExceeded",
    )


async def test_what_is_not_there_is_not_found(workshop: Workshop) -> None:
    async with workshop.rollouts.rollout_status(WEB) as looks:
        with pytest.raises(NotFoundError, match=exactly('deployments.apps "web" not found')):
            await anext(looks)


async def test_a_deletion_ends_it(workshop: Workshop) -> None:
    await workshop.create(deployment())
    async with workshop.rollouts.rollout_status(WEB) as looks:
        await anext(looks)
        await workshop.objects.write(Delete(WEB))
        with pytest.raises(NotFoundError, match=exactly("object has been deleted")):
            await anext(looks)


async def test_another_object_does_not_count(workshop: Workshop) -> None:
    stored = await workshop.create(deployment())
    other = deployment()
    other.metadata.name = "other"
    async with workshop.rollouts.rollout_status(WEB) as looks:
        await anext(looks)
        await workshop.create(other)
        await workshop.change_status(stored, partial(_settle, 3, 3, 3))
        assert [look.message for look in await _rest(looks)] == ['deployment "web" successfully rolled out']


async def test_one_revision_only(workshop: Workshop) -> None:
    wanted = deployment()
    wanted.metadata.annotations[REVISION] = "4"
    await workshop.create(wanted)
    async with workshop.rollouts.rollout_status(WEB, 4) as looks:
        assert (await anext(looks)).state is RolloutState.PROGRESSING
    async with workshop.rollouts.rollout_status(WEB, 3) as looks:
        with pytest.raises(
            ConflictError, match=r"^desired revision \(3\) is different from the running revision \(4\)$"
        ):
            await anext(looks)


async def test_a_stateful_set_that_waits_for_deletions_has_no_status(workshop: Workshop) -> None:
    wanted = workload(kinds.STATEFUL_SET, "db")
    assert isinstance(wanted, apps.StatefulSet)
    wanted.spec.update_strategy.type = "OnDelete"
    await workshop.create(wanted)
    async with workshop.rollouts.rollout_status(DB) as looks:
        with pytest.raises(InvalidError, match="only available for RollingUpdate"):
            await anext(looks)


def test_kinds_without_a_rollout(workshop: Workshop) -> None:
    with pytest.raises(
        UnsupportedError, match=exactly("no status viewer has been implemented for ReplicationController")
    ):
        workshop.rollouts.rollout_status(Key(kinds.REPLICATION_CONTROLLER, "default", "x"))
    with pytest.raises(UnsupportedError, match="one revision"):
        workshop.rollouts.rollout_status(DB, 3)


async def test_leaving_ends_the_watch(workshop: Workshop) -> None:
    await workshop.create(deployment())
    async with asyncio.timeout(5), workshop.rollouts.rollout_status(WEB) as looks:
        await anext(looks)
