"""Each fault does what its name says, and no promise of a rollout is broken by it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from rollplane.core.v1 import Node, Pod
from rollplane_kubelet_sim.profiles import shipped_profile
from rollplane_machinery.conditions import get_condition
from rollplane_machinery.pods import is_pod_ready
from rollplane_rehearsal import Plane, in_virtual_time
from tests.rehearsal.manifests import budget, daemon_set, deployment

LOST_SECONDS = 120.0


@asynccontextmanager
async def _plane(replicas: int = 3) -> AsyncIterator[Plane]:
    """Run a plane with a Deployment that is rolled out; check at the end that all is well."""
    async with Plane(nodes=3) as plane:
        await plane.apply(deployment(replicas=replicas))
        await plane.until_rolled_out()
        await plane.at_rest()
        yield plane
        await plane.until_rolled_out()
        await plane.at_rest()
        assert await plane.check_at_rest() == []


async def _ready(plane: Plane, node: str) -> str:
    found = await plane.client.get(Node, "", node)
    condition = get_condition(found.status.conditions, "Ready")
    return condition.status if condition is not None else ""


async def _pods_on(plane: Plane, node: str) -> list[Pod]:
    return await plane.client.list(Pod, field_selector=f"spec.nodeName={node}")


@in_virtual_time
async def test_a_silenced_node_is_lost_until_it_speaks_again() -> None:
    async with _plane() as plane:
        plane.faults.silence("node-1")
        await plane.advance(LOST_SECONDS)
        assert await _ready(plane, "node-1") == "Unknown"
        plane.faults.unsilence("node-1")
        await plane.advance(LOST_SECONDS)
        assert await _ready(plane, "node-1") == "True"


@in_virtual_time
async def test_an_unready_node_says_so_itself() -> None:
    async with _plane() as plane:
        plane.faults.unready("node-1")
        await plane.advance(LOST_SECONDS)
        assert await _ready(plane, "node-1") == "False"
        plane.faults.live_by(shipped_profile("instant"))


@in_virtual_time
async def test_a_restarted_kubelet_takes_its_pods_up_again() -> None:
    async with _plane() as plane:
        await plane.client.delete(Node, "", "node-1")
        await plane.advance(LOST_SECONDS)
        names = {node.metadata.name for node in await plane.client.list(Node)}
        assert "node-1" not in names  # only a kubelet that starts registers
        plane.faults.restart_kubelet("node-1")
        await plane.advance(LOST_SECONDS)
        assert await _ready(plane, "node-1") == "True"


@in_virtual_time
async def test_a_broken_image_stops_a_rollout_until_another_is_chosen() -> None:
    async with _plane() as plane:
        plane.faults.break_image("web:v2", "manifest unknown")
        await plane.apply(deployment(image="web:v2"))
        await plane.advance(30.0)
        waiting = [pod for pod in await plane.client.list(Pod) if not is_pod_ready(pod)]
        (told,) = [pod.status.container_statuses[0].state.waiting.message for pod in waiting]
        assert "manifest unknown" in told
        await plane.apply(deployment(image="web:v3"))


@in_virtual_time
async def test_slow_pulls_take_their_time() -> None:
    async with _plane() as plane:
        plane.faults.slow_pulls(40.0, "web:*")
        await plane.apply(deployment(image="web:v2"))
        assert 120.0 <= await plane.until_rolled_out() < 130.0  # one at a time


@in_virtual_time
async def test_a_drain_waits_for_budgets_and_leaves_daemons() -> None:
    async with _plane(replicas=6) as plane:
        await plane.apply(budget(minAvailable=5), daemon_set())
        await plane.until_rolled_out()
        assert await plane.faults.drain("node-1") == []
        assert [pod.metadata.labels["app"] for pod in await _pods_on(plane, "node-1")] == ["agent"]
        await plane.until_rolled_out()
        await plane.faults.uncordon("node-1")
        assert not (await plane.client.get(Node, "", "node-1")).spec.unschedulable


@in_virtual_time
async def test_a_drain_that_must_not_end_names_what_is_left() -> None:
    async with _plane() as plane:
        await plane.apply(budget(minAvailable=3))
        await plane.at_rest()
        left = await plane.faults.drain("node-1", seconds=30.0)
        assert len(left) == len(await _pods_on(plane, "node-1")) > 0


@in_virtual_time
async def test_a_killed_controllers_work_is_taken_over_once_its_leases_have_run_out() -> None:
    async with _plane() as plane:
        await plane.faults.kill_controller()
        await plane.apply(deployment(image="web:v2"))
        assert 5.0 < await plane.until_rolled_out() <= 15.0


@in_virtual_time
async def test_a_restarted_controllers_work_is_taken_over_at_once() -> None:
    async with _plane() as plane:
        await plane.faults.restart_controller()
        await plane.apply(deployment(image="web:v2"))
        assert await plane.until_rolled_out() <= 2.0


@in_virtual_time
async def test_of_two_controllers_the_other_goes_on() -> None:
    async with _plane() as plane:
        await plane.faults.add_controller()
        await plane.faults.stop_controller()
        assert len(plane.controllers) == 1
        await plane.apply(deployment(image="web:v2"))
        assert await plane.until_rolled_out() <= 15.0


@in_virtual_time
async def test_a_paused_controller_goes_on_where_it_was() -> None:
    async with _plane() as plane:
        await plane.apply(deployment(image="web:v2"))
        await plane.faults.pause_controller(30.0)
        assert await plane.until_rolled_out() < 30.0


@in_virtual_time
async def test_stale_watches_delay_and_harm_nothing() -> None:
    async with _plane() as plane:
        plane.faults.stall_watches(7.0)
        await plane.apply(deployment(image="web:v2"))
        assert await plane.until_rolled_out() >= 7.0


@in_virtual_time
async def test_lost_answers_make_no_pod_twice() -> None:
    async with _plane() as plane:
        plane.faults.lose_answers(0.5, 60.0)
        await plane.apply(deployment(replicas=12, image="web:v2"))
        await plane.until_rolled_out()
        (life,) = plane.controllers
        assert life.network.counts["answer lost"] > 0
        assert list(life.network.counts) == ["answer lost"]


@in_virtual_time
async def test_a_full_store_takes_nothing_until_it_has_room() -> None:
    async with _plane() as plane:
        await plane.apply(deployment(image="web:v2"))
        plane.faults.fill_store(20.0)
        assert await plane.until_rolled_out() >= 20.0
