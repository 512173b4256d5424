"""PodDisruptionBudgets on a whole plane: their status is kept, and evictions respect it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from rollplane.apps.v1 import DaemonSet, Deployment
from rollplane.core.v1 import Container, Pod, PodCondition
from rollplane.policy.v1 import PodDisruptionBudget
from rollplane_machinery.api import Evict, Key, UpdateStatus, WriteResult
from rollplane_machinery.conditions import get_condition
from rollplane_machinery.errors import InternalError, TooManyRequestsError
from rollplane_machinery.int_or_string import of
from rollplane_machinery.kinds import POD, Encoded
from rollplane_machinery.times import time_of
from rollplane_rehearsal import run
from tests.end_to_end.fleet_plane import NAMESPACE, FleetPlane, fleet_plane

Counts = tuple[int, int, int, int]


def told(story: Callable[[FleetPlane], Awaitable[None]], replicas: int = 4) -> None:
    """Run ``story`` on a plane of three nodes with a Deployment ``web``."""

    async def lived() -> None:
        async with fleet_plane() as plane:
            await plane.deploy("web", replicas)
            await settle(plane, replicas)
            await story(plane)

    run(lived())


async def settle(plane: FleetPlane, replicas: int) -> None:
    async def available() -> bool:
        return await plane.available("web") == replicas and len(await plane.pods()) == replicas

    await plane.until(available, 30, f"web never settles at {replicas}")


async def counts(plane: FleetPlane, name: str = "web") -> Counts:
    """Return expected pods, desired healthy, current healthy and allowed disruptions, once all has been seen."""
    await asyncio.sleep(0.5)
    budget = await plane.budget(name)
    status = budget.status
    assert status.observed_generation == budget.metadata.generation
    return status.expected_pods, status.desired_healthy, status.current_healthy, status.disruptions_allowed


def eviction(pod: Pod) -> Evict:
    return Evict(Key(POD, pod.metadata.namespace, pod.metadata.name))


async def scale(plane: FleetPlane, replicas: int) -> None:
    deployment = await plane.client.get(Deployment, NAMESPACE, "web")
    deployment.spec.replicas = replicas
    await plane.client.update(deployment)


def test_status_follows_pods_scale_and_spec() -> None:
    async def story(plane: FleetPlane) -> None:
        await plane.protect("web", min_available="50%")
        assert await counts(plane) == (4, 2, 4, 2)
        await scale(plane, 7)
        await settle(plane, 7)
        assert await counts(plane) == (7, 4, 7, 3)
        budget = await plane.budget("web")
        budget.spec.ClearField("min_available")
        budget.spec.max_unavailable.CopyFrom(of(1))
        await plane.client.update(budget)
        assert await counts(plane) == (7, 6, 7, 1)
        budget = await plane.budget("web")
        budget.spec.selector.match_labels["app"] = "other"
        await plane.client.update(budget)
        assert await counts(plane) == (0, 0, 0, 0)
        assert "No matching pods found" in await plane.messages("NoPods")

    told(story)


def test_budget_counts_pods_that_come_under_it_by_their_labels() -> None:
    async def story(plane: FleetPlane) -> None:
        budget = PodDisruptionBudget()
        budget.metadata.namespace, budget.metadata.name = NAMESPACE, "gold"
        budget.spec.selector.match_labels["tier"] = "gold"
        budget.spec.min_available.CopyFrom(of(1))
        await plane.client.create(budget)
        assert await counts(plane, "gold") == (0, 1, 0, 0)
        for pod in (await plane.pods())[:2]:
            pod.metadata.labels["tier"] = "gold"
            await plane.client.update(pod)
        assert await counts(plane, "gold") == (2, 1, 2, 1)

    told(story)


def test_evictions_draw_on_the_budget_and_replacements_fill_it_again() -> None:
    async def story(plane: FleetPlane) -> None:
        await plane.protect("web", min_available=3)
        assert await counts(plane) == (4, 3, 4, 1)
        first, second, *_ = await plane.pods()
        answers = await plane.api.batch([eviction(first), eviction(second)])
        assert [type(answer) for answer in answers] == [WriteResult, TooManyRequestsError]
        refused = answers[1]
        assert isinstance(refused, TooManyRequestsError)
        assert "needs 3 healthy pods and has 4 currently" in refused.causes[0].message
        await settle(plane, 4)
        assert await counts(plane) == (4, 3, 4, 1)
        assert not (await plane.budget("web")).status.disrupted_pods
        await plane.api.write(eviction(second))

    told(story)


def test_evictions_at_one_moment_never_take_more_than_allowed() -> None:
    async def story(plane: FleetPlane) -> None:
        await plane.protect("web", min_available=2)
        assert (await counts(plane))[3] == 2
        answers = await asyncio.gather(
            *(plane.api.write(eviction(pod)) for pod in await plane.pods()), return_exceptions=True
        )
        assert sum(isinstance(answer, WriteResult) for answer in answers) == 2
        assert sum(isinstance(answer, TooManyRequestsError) for answer in answers) == 2

    told(story)


def test_budget_just_changed_is_not_drawn_on_before_it_is_counted() -> None:
    async def story(plane: FleetPlane) -> None:
        await plane.protect("web", min_available=1)
        assert (await counts(plane))[3] == 3
        await plane.faults.stop_controller()
        budget = await plane.budget("web")
        budget.spec.min_available.CopyFrom(of(4))
        await plane.client.update(budget)
        with pytest.raises(TooManyRequestsError, match="would violate"):
            await plane.api.write(eviction((await plane.pods())[0]))

    told(story)


def test_pod_under_two_budgets_cannot_be_evicted() -> None:
    async def story(plane: FleetPlane) -> None:
        await plane.protect("web", min_available=1)
        twin = PodDisruptionBudget()
        twin.metadata.namespace, twin.metadata.name = NAMESPACE, "twin"
        twin.spec.selector.match_labels["app"] = "web"
        twin.spec.max_unavailable.CopyFrom(of(1))
        await plane.client.create(twin)
        await asyncio.sleep(1)
        with pytest.raises(InternalError, match="more than one PodDisruptionBudget"):
            await plane.api.write(eviction((await plane.pods())[0]))

    told(story)


def test_granted_eviction_that_comes_to_nothing_is_forgotten_after_two_minutes() -> None:
    async def story(plane: FleetPlane) -> None:
        await plane.protect("web", min_available=3)
        assert (await counts(plane))[3] == 1
        (pod, *_) = await plane.pods()
        pod.metadata.finalizers.append("example.com/hold")
        pod = await plane.client.update(pod)
        budget = await plane.budget("web")
        budget.status.disrupted_pods[pod.metadata.name].seconds = int(plane.clock.now())
        await plane.api.write(UpdateStatus(Encoded.of(budget)))
        assert await counts(plane) == (4, 3, 3, 0)
        await asyncio.sleep(125)
        assert await counts(plane) == (4, 3, 4, 1)
        assert len(await plane.messages("NotDeleted")) == 1

    told(story)


def test_pod_that_was_to_go_and_did_not_says_so_after_two_minutes() -> None:
    async def story(plane: FleetPlane) -> None:
        (pod, by_kubelet, *_) = await plane.pods()
        since = plane.clock.now()
        await say_target(plane, pod, "EvictionByEvictionAPI")
        await say_target(plane, by_kubelet, "TerminationByKubelet")
        await asyncio.sleep(115)
        assert (await target(plane, pod)).status == "True"
        await asyncio.sleep(10)
        undone = await target(plane, pod)
        assert (undone.status, undone.reason, undone.message) == ("False", "", "")
        assert undone.last_transition_time.seconds >= int(since) + 120
        assert (await target(plane, by_kubelet)).status == "True", "a kubelet may take its time"

    told(story)


def test_new_controller_takes_back_what_grew_stale_meanwhile() -> None:
    async def story(plane: FleetPlane) -> None:
        (pod, *_) = await plane.pods()
        await plane.faults.stop_controller()
        await say_target(plane, pod, "EvictionByEvictionAPI")
        await asyncio.sleep(150)
        await plane.faults.add_controller()
        await asyncio.sleep(20)
        assert (await target(plane, pod)).status == "False"

    told(story)


async def say_target(plane: FleetPlane, pod: Pod, reason: str) -> None:
    """Say on the pod that it is about to go, as whoever does not delete it in the end."""
    pod.status.conditions.add(
        type="DisruptionTarget",
        status="True",
        reason=reason,
        message="about to go",
        last_transition_time=time_of(plane.clock.now()),
    )
    await plane.api.write(UpdateStatus(Encoded.of(pod)))


async def target(plane: FleetPlane, pod: Pod) -> PodCondition:
    found = await plane.client.get(Pod, NAMESPACE, pod.metadata.name)
    condition = get_condition(found.status.conditions, "DisruptionTarget")
    assert condition is not None
    return condition


def test_lost_node_takes_from_what_the_budget_allows() -> None:
    async def story(plane: FleetPlane) -> None:
        await plane.protect("web", min_available=2)
        assert await counts(plane) == (3, 2, 3, 1)
        plane.silence("node-1")
        await asyncio.sleep(55)
        assert await counts(plane) == (3, 2, 2, 0)
        plane.silence()
        await asyncio.sleep(15)
        assert await counts(plane) == (3, 2, 3, 1)

    told(story, replicas=3)


def test_daemon_sets_have_no_scale_to_count_from() -> None:
    async def story(plane: FleetPlane) -> None:
        daemon_set = DaemonSet()
        daemon_set.metadata.namespace, daemon_set.metadata.name = NAMESPACE, "agent"
        daemon_set.spec.selector.match_labels["app"] = "agent"
        daemon_set.spec.template.metadata.labels["app"] = "agent"
        daemon_set.spec.template.spec.containers.append(Container(name="agent", image="agent:v1"))
        await plane.client.create(daemon_set)
        await plane.protect("agent", min_available="50%")
        await asyncio.sleep(3)
        (condition,) = (await plane.budget("agent")).status.conditions
        assert (condition.status, condition.reason) == ("False", "SyncFailed")
        assert condition.message.startswith('found no controllers for pod "agent-')

    told(story)
