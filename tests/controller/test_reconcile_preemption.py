"""Preemption in a plane: victims are told and end, the place is kept meanwhile, whatever fails in between."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from rollplane.core.v1 import Pod
from rollplane.policy.v1 import PodDisruptionBudget
from rollplane.stored.v1 import StoredObject
from rollplane_machinery.api import ObjectApi, Patch, UpdateStatus, WatchFilter, WatchQuery, Write
from rollplane_machinery.conditions import get_condition
from rollplane_machinery.errors import ConflictError, RollplaneError
from rollplane_machinery.invariants import WATCHED, InvariantChecker
from rollplane_machinery.kinds import POD, PRIORITY_CLASS
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.pods import DISRUPTION_TARGET, POD_SCHEDULED
from rollplane_machinery.releases import LATEST, Release, release_of
from tests.controller.plane import LossyApi, MortalApi, Plane, RefusingApi, a_plane
from tests.planners.pods import a_node, a_pod

FULL = "0/1 nodes are available: 1 Insufficient cpu."
ENDING = f"{FULL} preemption: not eligible due to a terminating pod on the nominated node."
PRIORITIES = {"low": 1, "high": 100, "higher": 200}


@asynccontextmanager
async def a_watched_plane(release: Release = LATEST) -> AsyncIterator[Plane]:
    """Run a plane without nodes, in which nobody goes but for a more urgent pod that has a place there."""
    checker = InvariantChecker()
    async with a_plane(nodes=0, release=release) as plane:
        query = WatchQuery(tuple(map(WatchFilter, WATCHED)), send_initial_state=True)

        async def watch() -> None:
            async with plane.user.watch(query) as batches:
                async for batch in batches:
                    checker.feed(batch)

        plane.running["watch"] = plane.tasks.create_task(watch())
        yield plane
    assert checker.events
    assert [str(one) for one in checker.violations] == []


async def ready(plane: Plane, cpu: str = "4", nodes: int = 1) -> None:
    for name, value in PRIORITIES.items():
        made = StoredObject(api_version=PRIORITY_CLASS.api_version, kind=PRIORITY_CLASS.name)
        made.metadata.name = name
        made.members["value"].json = json.dumps(value).encode()
        await plane.create(made)
    for at in range(nodes):
        await plane.node(a_node(f"n{at}", cpu=cpu))


async def make(plane: Plane, name: str, cpu: str, priority: str = "") -> None:
    pod = a_pod(name, owner="", node="", phase="", labels={"app": name})
    pod.metadata.ClearField("uid")
    pod.spec.containers[0].resources.requests["cpu"].string = cpu
    pod.spec.priority_class_name = priority
    await plane.create(pod)
    await plane.quiet()


async def found(plane: Plane, name: str) -> Pod:
    pod = await plane.find(POD, name)
    assert isinstance(pod, Pod)
    return pod


async def node_of(plane: Plane, name: str) -> str:
    return (await found(plane, name)).spec.node_name


async def why(plane: Plane, name: str) -> str:
    condition = get_condition((await found(plane, name)).status.conditions, POD_SCHEDULED)
    assert condition is not None
    return condition.message


async def test_victim_makes_way_and_the_preemptor_takes_its_place() -> None:
    async with a_watched_plane() as plane:
        await plane.start()
        await ready(plane)
        await make(plane, "low", "4", "low")
        await make(plane, "high", "3", "high")
        low, high = await found(plane, "low"), await found(plane, "high")
        condition = get_condition(low.status.conditions, DISRUPTION_TARGET)
        assert is_being_deleted(low.metadata)
        assert condition is not None
        assert (condition.status, condition.reason, condition.message, condition.observed_generation) == (
            "True",
            "PreemptionByScheduler",
            "default-scheduler: preempting to accommodate a higher priority pod",
            1,
        )
        (event,) = await plane.events("Preempted")
        assert event.message == f"Preempted by pod {high.metadata.uid} on node n0"
        assert (event.involved_object.name, event.type, event.source.component) == (
            "low",
            "Normal",
            "default-scheduler",
        )
        assert (high.spec.node_name, high.status.nominated_node_name) == ("", "n0")
        assert await why(plane, "high") == ENDING
        assert FULL in {event.message for event in await plane.events("FailedScheduling")}
        await plane.finish()
        await plane.quiet()
        assert await node_of(plane, "high") == "n0"
        assert len(await plane.events("Preempted")) == 1


async def test_place_is_kept_from_the_less_urgent() -> None:
    async with a_watched_plane() as plane:
        await plane.start()
        await ready(plane)
        for name in ("a", "b"):
            await make(plane, name, "2", "low")
        await make(plane, "high", "4", "high")
        await make(plane, "next", "1", "low")
        await plane.delete(POD, "a", grace_period_seconds=0)
        await plane.quiet()
        assert (await node_of(plane, "next"), await node_of(plane, "high")) == ("", "")
        await plane.finish()
        await plane.quiet()
        assert (await node_of(plane, "next"), await node_of(plane, "high")) == ("", "n0")


async def test_more_urgent_takes_the_place_that_was_kept() -> None:
    async with a_watched_plane() as plane:
        await plane.start()
        await ready(plane)
        await make(plane, "low", "4", "low")
        await make(plane, "high", "4", "high")
        await make(plane, "higher", "4", "higher")
        assert (await found(plane, "higher")).status.nominated_node_name == "n0"
        await plane.pass_time(15)
        assert (await found(plane, "high")).status.nominated_node_name == ""
        await plane.finish()
        await plane.quiet()
        assert (await node_of(plane, "high"), await node_of(plane, "higher")) == ("", "n0")


async def test_the_most_urgent_is_looked_at_first() -> None:
    async with a_watched_plane() as plane:
        await ready(plane)
        for name, priority in (("first", ""), ("low", "low"), ("high", "high")):
            await make(plane, name, "4", priority)
        await plane.start()
        await plane.quiet()
        assert [await node_of(plane, name) for name in ("first", "low", "high")] == ["", "", "n0"]
        assert await plane.events("Preempted") == []


async def test_who_never_preempts_waits() -> None:
    async with a_watched_plane() as plane:
        await plane.start()
        await ready(plane)
        calm = StoredObject(api_version=PRIORITY_CLASS.api_version, kind=PRIORITY_CLASS.name)
        calm.metadata.name = "calm"
        calm.members["value"].json, calm.members["preemptionPolicy"].json = b"500", b'"Never"'
        await plane.create(calm)
        await make(plane, "low", "4", "low")
        await make(plane, "calm", "4", "calm")
        assert await why(plane, "calm") == f"{FULL} preemption: not eligible due to preemptionPolicy=Never."
        assert not is_being_deleted((await found(plane, "low")).metadata)


async def test_budgets_are_kept_where_they_can_be() -> None:
    async with a_watched_plane() as plane:
        await plane.start()
        await ready(plane, nodes=2)
        budget = PodDisruptionBudget()
        budget.metadata.namespace, budget.metadata.name = "shop", "guard"
        budget.spec.selector.match_labels["app"] = "guarded"
        budget.spec.min_available.int_val = 1
        await plane.create(budget)
        await make(plane, "guarded", "4")
        await make(plane, "free", "4", "low")
        await make(plane, "high", "4", "high")
        assert [is_being_deleted((await found(plane, name)).metadata) for name in ("guarded", "free")] == [False, True]


async def test_place_goes_with_the_pod_it_is_kept_for() -> None:
    async with a_watched_plane() as plane:
        await plane.start()
        await ready(plane)
        await make(plane, "low", "4", "low")
        await make(plane, "high", "4", "high")
        await make(plane, "next", "4", "low")
        await plane.delete(POD, "high")
        await plane.quiet()
        assert await node_of(plane, "next") == "", "the victim still ends"
        await plane.finish()
        await plane.quiet()
        assert await node_of(plane, "next") == "n0"


async def test_another_scheduler_goes_on_where_the_first_died() -> None:
    async with a_watched_plane() as plane:
        mortal: list[MortalApi] = []

        def wrap(api: ObjectApi) -> ObjectApi:
            mortal.append(MortalApi(api))
            return mortal[0]

        await plane.start("first", wrap)
        await ready(plane)
        await make(plane, "low", "4", "low")
        await make(plane, "high", "4", "high")
        mortal[0].dead = True
        await plane.start("second")
        await plane.pass_time(40)
        await make(plane, "next", "4", "low")
        await plane.finish()
        await plane.pass_time(5)
        assert (await node_of(plane, "high"), await node_of(plane, "next")) == ("n0", "")
        assert len(await plane.events("Preempted")) == 1


def marks(write: Write) -> bool:
    return isinstance(write, Patch) and write.subresource == "status"


async def test_lost_answers_preempt_once() -> None:
    async with a_watched_plane() as plane:
        await plane.start(wrap=lambda api: LossyApi(api, marks, 2))
        await ready(plane, nodes=2)
        await make(plane, "low", "4", "low")
        await make(plane, "other", "4", "low")
        await make(plane, "high", "4", "high")
        going = [is_being_deleted((await found(plane, name)).metadata) for name in ("low", "other")]
        assert sorted(going) == [False, True]
        await plane.finish()
        await plane.quiet()
        assert await node_of(plane, "high") != ""


async def test_nomination_that_conflicts_preempts_once() -> None:
    async with a_watched_plane() as plane:
        refused: list[Write] = []

        def conflict(write: Write) -> RollplaneError | None:
            if not isinstance(write, UpdateStatus) or write.object.key.name != "high" or len(refused) == 2:
                return None
            refused.append(write)
            return ConflictError("somebody was faster")

        await plane.start(wrap=lambda api: RefusingApi(api, conflict))
        await ready(plane, nodes=2)
        await make(plane, "low", "4", "low")
        await make(plane, "other", "4", "low")
        await make(plane, "high", "4", "high")
        await plane.pass_time(10)
        going = [is_being_deleted((await found(plane, name)).metadata) for name in ("low", "other")]
        assert (len(refused), sorted(going)) == (2, [False, True])
        assert (await found(plane, "high")).status.nominated_node_name != ""


WORDS = {"1.20": "Preempted by shop/high on node n0", "1.27": "Preempted by a pod on node n0"}


@pytest.mark.parametrize(("release", "words"), WORDS.items())
async def test_victims_are_told_by_release(release: str, words: str) -> None:
    async with a_watched_plane(release_of(release)) as plane:
        await plane.start()
        await ready(plane)
        await make(plane, "low", "4", "low")
        await make(plane, "high", "4", "high")
        assert [event.message for event in await plane.events("Preempted")] == [words]
