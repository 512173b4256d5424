"""Nodes that are lost and come back, drains' budgets: the whole plane in one process, in virtual time."""

from __future__ import annotations

import asyncio

from rollplane.core.v1 import Node, Pod
from rollplane_machinery.conditions import get_condition, is_pod_ready
from tests.end_to_end.fleet_plane import FleetPlane, fleet_plane
from tests.end_to_end.virtual_time import in_virtual_time, until

UNREACHABLE = "node.kubernetes.io/unreachable"


def ready_status(node: Node) -> str:
    condition = get_condition(node.status.conditions, "Ready")
    return condition.status if condition else ""


def taints(node: Node) -> set[tuple[str, str]]:
    return {(taint.key, taint.effect) for taint in node.spec.taints}


def is_going(pod: Pod) -> bool:
    return pod.metadata.HasField("deletion_timestamp")


async def _all_available(plane: FleetPlane, name: str, count: int) -> None:
    async def holds() -> bool:
        return await plane.available(name) == count

    await until(holds, 60, f"{name} never has {count} available pods")


async def _node_ready(plane: FleetPlane, name: str, status: str, seconds: float) -> None:
    async def holds() -> bool:
        return ready_status(await plane.node(name)) == status

    await until(holds, seconds, f"{name} is never {status}")


def test_node_lost_pods_are_not_ready_then_replaced_and_the_node_returns() -> None:
    async def story() -> None:
        async with fleet_plane(3) as plane:
            await plane.deploy("web", 6)
            await _all_available(plane, "web", 6)
            lost = await plane.pods(node="node-1")
            assert len(lost) == 2
            silent_since = plane.clock.now()
            await plane.silence("node-1")

            await _node_ready(plane, "node-1", "Unknown", 60)
            assert 30 <= plane.clock.now() - silent_since <= 51
            await asyncio.sleep(1)
            assert {is_pod_ready(pod) for pod in await plane.pods(node="node-1")} == {False}
            assert await plane.available("web") == 4
            node = await plane.node("node-1")
            assert (UNREACHABLE, "NoSchedule") in taints(node)
            assert {one.reason for one in node.status.conditions} == {"NodeStatusUnknown"}
            assert "Node node-1 status is now: NodeNotReady" in await plane.messages("NodeNotReady")
            await asyncio.sleep(6)
            assert (UNREACHABLE, "NoExecute") in taints(await plane.node("node-1"))
            assert not any(map(is_going, await plane.pods()))

            await _all_available_after(plane, "web", 6, 310)
            assert 335 <= plane.clock.now() - silent_since <= 362
            assert all(map(is_going, await plane.pods(node="node-1")))
            reasons = {
                get_condition(pod.status.conditions, "DisruptionTarget").reason  # type: ignore[union-attr]
                for pod in await plane.pods(node="node-1")
            }
            assert reasons == {"DeletionByTaintManager"}

            await plane.silence()
            await _node_ready(plane, "node-1", "True", 15)
            await asyncio.sleep(2)
            assert taints(await plane.node("node-1")) == set()
            assert await plane.pods(node="node-1") == []
            assert len(await plane.pods()) == 6

    in_virtual_time(story)


async def _all_available_after(plane: FleetPlane, name: str, count: int, seconds: float) -> None:
    async def holds() -> bool:
        return await plane.available(name) == count

    await until(holds, seconds, f"{name} never has {count} available pods again")


def test_node_that_returns_in_time_keeps_its_pods() -> None:
    async def story() -> None:
        async with fleet_plane(3) as plane:
            await plane.deploy("web", 3)
            await _all_available(plane, "web", 3)
            before = {pod.metadata.uid for pod in await plane.pods()}
            await plane.silence("node-0")
            await _node_ready(plane, "node-0", "Unknown", 60)
            await asyncio.sleep(100)
            await plane.silence()
            await _node_ready(plane, "node-0", "True", 15)
            await _all_available(plane, "web", 3)
            await asyncio.sleep(400)
            assert {pod.metadata.uid for pod in await plane.pods()} == before
            cancelled = [text for text in await plane.messages("TaintManagerEviction") if "Cancelling" in text]
            assert len(cancelled) == 1

    in_virtual_time(story)
