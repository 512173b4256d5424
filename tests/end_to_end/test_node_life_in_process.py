"""Nodes that are lost and come back, drains' budgets: the whole plane in one process, in virtual time."""

from __future__ import annotations

import asyncio

from rollplane.apps.v1 import Deployment, StatefulSet
from rollplane.core.v1 import Container, Node, Pod
from rollplane_machinery.api import EventType, WatchFilter, WatchQuery
from rollplane_machinery.conditions import get_condition
from rollplane_machinery.kinds import POD
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.pods import is_pod_ready
from rollplane_rehearsal import run
from tests.clients.cli.drain_session import drain
from tests.end_to_end.fleet_plane import FleetPlane, fleet_plane

UNREACHABLE = "node.kubernetes.io/unreachable"


def ready_status(node: Node) -> str:
    condition = get_condition(node.status.conditions, "Ready")
    return condition.status if condition else ""


def taints(node: Node) -> set[tuple[str, str]]:
    return {(taint.key, taint.effect) for taint in node.spec.taints}


def is_going(pod: Pod) -> bool:
    return is_being_deleted(pod.metadata)


async def _all_available(plane: FleetPlane, name: str, count: int) -> None:
    async def holds() -> bool:
        return await plane.available(name) == count

    await plane.until(holds, 60, f"{name} never has {count} available pods")


async def _node_ready(plane: FleetPlane, name: str, status: str, seconds: float) -> None:
    async def holds() -> bool:
        return ready_status(await plane.node(name)) == status

    await plane.until(holds, seconds, f"{name} is never {status}")


def test_node_lost_pods_are_not_ready_then_replaced_and_the_node_returns() -> None:
    async def story() -> None:
        async with fleet_plane(3) as plane:
            await plane.deploy("web", 6)
            await _all_available(plane, "web", 6)
            lost = await plane.pods(node="node-1")
            assert len(lost) == 2
            silent_since = plane.clock.now()
            plane.silence("node-1")

            await _node_ready(plane, "node-1", "Unknown", 60)
            assert 40 <= plane.clock.now() - silent_since <= 61
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

            plane.silence()
            await _node_ready(plane, "node-1", "True", 15)
            await asyncio.sleep(2)
            assert taints(await plane.node("node-1")) == set()
            assert await plane.pods(node="node-1") == []
            assert len(await plane.pods()) == 6

    run(story())


async def _all_available_after(plane: FleetPlane, name: str, count: int, seconds: float) -> None:
    async def holds() -> bool:
        return await plane.available(name) == count

    await plane.until(holds, seconds, f"{name} never has {count} available pods again")


def test_node_that_returns_in_time_keeps_its_pods() -> None:
    async def story() -> None:
        async with fleet_plane(3) as plane:
            await plane.deploy("web", 3)
            await _all_available(plane, "web", 3)
            before = {pod.metadata.uid for pod in await plane.pods()}
            plane.silence("node-0")
            await _node_ready(plane, "node-0", "Unknown", 60)
            await asyncio.sleep(100)
            plane.silence()
            await _node_ready(plane, "node-0", "True", 15)
            await _all_available(plane, "web", 3)
            await asyncio.sleep(400)
            assert {pod.metadata.uid for pod in await plane.pods()} == before
            cancelled = [text for text in await plane.messages("TaintManagerEviction") if "Cancelling" in text]
            assert len(cancelled) == 1

    run(story())


class _Low:
    """Follows pods from their watch and keeps the smallest number that were ready at any moment."""

    def __init__(self) -> None:
        self._ready: set[str] = set()
        self.least: int | None = None

    async def follow(self, plane: FleetPlane) -> None:
        query = WatchQuery((WatchFilter(POD),), send_initial_state=True)
        initial = True
        async with plane.api.watch(query) as batches:
            async for batch in batches:
                for event in batch.events:
                    pod = event.object.parse()
                    assert isinstance(pod, Pod)
                    self._take(pod, gone=event.type is EventType.DELETED)
                    if not initial:
                        self._note()
                initial = initial and not batch.initial_state_complete

    def _take(self, pod: Pod, *, gone: bool) -> None:
        if gone or is_going(pod) or not is_pod_ready(pod):
            self._ready.discard(pod.metadata.uid)
        else:
            self._ready.add(pod.metadata.uid)

    def _note(self) -> None:
        self.least = len(self._ready) if self.least is None else min(self.least, len(self._ready))


def test_draining_every_node_in_turn_never_goes_below_the_budget() -> None:
    async def story() -> None:
        async with fleet_plane(3) as plane:
            await plane.deploy("web", 6)
            await _all_available(plane, "web", 6)
            await plane.protect("web", min_available=5)
            await asyncio.sleep(1)
            low = _Low()
            following = asyncio.ensure_future(low.follow(plane))
            for name in ("node-0", "node-1", "node-2"):
                ran = await drain(plane, name)
                assert ran.code == 0
                assert ran.out.endswith(f"node/{name} drained\n")
                assert "will retry after 5s" in ran.err
                assert await plane.pods(node=name) == []
                await _uncordon(plane, name)
                await _all_available(plane, "web", 6)
            following.cancel()
            assert low.least == 5
            assert len(plane.log)

    run(story())


def test_drain_in_the_midst_of_a_rollover_completes_and_so_does_the_rollover() -> None:
    async def story() -> None:
        async with fleet_plane(3) as plane:
            await plane.deploy("web", 9)
            await _all_available(plane, "web", 9)
            await plane.protect("web", min_available="50%")
            await asyncio.sleep(1)
            for image in ("app:v2", "app:v3"):
                await plane.client.set_image(Deployment, "default", "web", {"app": image})
            ran = await drain(plane, "node-1")
            assert ran.code == 0, ran
            assert await plane.pods(node="node-1") == []

            async def rolled() -> bool:
                pods = await plane.pods()
                return len(pods) == 9 and {pod.spec.containers[0].image for pod in pods} == {"app:v3"}

            await plane.until(rolled, 120, "the rollover never ends")
            await _all_available(plane, "web", 9)

    run(story())


def test_stateful_pod_of_a_lost_node_waits_for_its_return() -> None:
    async def story() -> None:
        async with fleet_plane(3) as plane:
            await plane.client.create(_stateful_set("db", 3))

            async def whole() -> bool:
                return (await plane.client.get(StatefulSet, "default", "db")).status.available_replicas == 3

            await plane.until(whole, 60, "db is never whole")
            lost = next(pod for pod in await plane.pods() if pod.metadata.name == "db-1")
            plane.silence(lost.spec.node_name)
            await asyncio.sleep(420)
            (kept,) = [pod for pod in await plane.pods() if pod.metadata.name == "db-1"]
            assert kept.metadata.uid == lost.metadata.uid
            assert is_going(kept)
            plane.silence()
            await plane.until(whole, 60, "db is never whole again")
            (new,) = [pod for pod in await plane.pods() if pod.metadata.name == "db-1"]
            assert new.metadata.uid != lost.metadata.uid

    run(story())


def _stateful_set(name: str, replicas: int) -> StatefulSet:
    stateful_set = StatefulSet()
    stateful_set.metadata.namespace, stateful_set.metadata.name = "default", name
    stateful_set.spec.replicas = replicas
    stateful_set.spec.service_name = name
    stateful_set.spec.selector.match_labels["app"] = name
    stateful_set.spec.template.metadata.labels["app"] = name
    stateful_set.spec.template.spec.containers.append(Container(name="db", image="db:v1"))
    return stateful_set


async def _uncordon(plane: FleetPlane, name: str) -> None:
    node = await plane.node(name)
    node.spec.unschedulable = False
    await plane.client.update(node)
