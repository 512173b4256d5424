"""Node life on a whole plane in virtual time: the shells of the node lifecycle controller and the taint manager."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from rollplane.core.v1 import Event, Node, NodeCondition, Pod
from rollplane.meta.v1 import Time
from rollplane_machinery.api import UpdateStatus
from rollplane_machinery.conditions import get_condition
from rollplane_machinery.kinds import Encoded
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.pods import is_pod_ready
from rollplane_machinery.releases import release_of
from rollplane_planners.node_lifecycle.times import NodeTimes, times_of
from rollplane_printing.pod_status import pod_status
from rollplane_rehearsal import run
from tests.end_to_end.fleet_plane import FleetPlane, fleet_plane
from tests.planners.nodes import taint_pairs

UNREACHABLE, NOT_READY = "node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready"
NO_SCHEDULE, NO_EXECUTE = "NoSchedule", "NoExecute"


def told(story: Callable[[FleetPlane], Awaitable[None]], nodes: int = 3, zones: str = "") -> None:
    """Run ``story`` on a plane of ``nodes`` nodes, which may be silent for 40 s as up to 1.31.

    ``zones`` names a zone for each, one letter each.
    """

    async def lived() -> None:
        labels = {f"node-{at}": {"topology.kubernetes.io/zone": zone} for at, zone in enumerate(zones)}
        async with fleet_plane(nodes, times=times_of(release_of("1.31")), labels=labels) as plane:
            await asyncio.sleep(6)
            await story(plane)

    run(lived())


async def tainted(plane: FleetPlane, effect: str) -> list[str]:
    """Return the names of the nodes that are lost and carry that effect."""
    nodes = await plane.client.list(Node)
    lost = (UNREACHABLE, NOT_READY)
    return [one.metadata.name for one in nodes if any((key, effect) in taint_pairs(one) for key in lost)]


async def ready(plane: FleetPlane, name: str) -> NodeCondition:
    condition = get_condition((await plane.node(name)).status.conditions, "Ready")
    assert condition is not None
    return condition


async def settle(plane: FleetPlane, name: str, replicas: int) -> None:
    async def available() -> bool:
        return await plane.available(name) == replicas

    await plane.until(available, 30, f"{name} is never available")


async def create_node(plane: FleetPlane, name: str, *, heartbeat: bool = False) -> None:
    node = Node()
    node.metadata.name = name
    if heartbeat:
        node.status.conditions.add(
            type="Ready", status="True", last_heartbeat_time=Time(seconds=int(plane.clock.now()))
        )
    await plane.client.create(node)


def test_row_startup_grace_node_that_never_reports_is_unknown_after_60_s() -> None:
    async def story(plane: FleetPlane) -> None:
        await create_node(plane, "stranger")
        await asyncio.sleep(58)
        assert not (await plane.node("stranger")).status.conditions
        await asyncio.sleep(9)
        condition = await ready(plane, "stranger")
        assert (condition.status, condition.reason) == ("Unknown", "NodeStatusNeverUpdated")
        assert (UNREACHABLE, NO_SCHEDULE) in taint_pairs(await plane.node("stranger"))

    told(story)


def test_either_signal_heartbeats_without_a_lease_keep_a_node_alive() -> None:
    async def story(plane: FleetPlane) -> None:
        await create_node(plane, "old-style", heartbeat=True)
        for _ in range(6):
            await asyncio.sleep(30)
            node = await plane.node("old-style")
            node.status.conditions[0].last_heartbeat_time.CopyFrom(Time(seconds=int(plane.clock.now())))
            await plane.api.write(UpdateStatus(Encoded.of(node)))
        assert (await ready(plane, "old-style")).status == "True"
        await asyncio.sleep(60)
        assert (await ready(plane, "old-style")).status == "Unknown"

    told(story)


def test_either_signal_leases_alone_keep_nodes_alive() -> None:
    async def story(plane: FleetPlane) -> None:
        before = (await ready(plane, "node-0")).last_heartbeat_time.seconds
        await asyncio.sleep(280)
        after = await ready(plane, "node-0")
        assert (after.status, after.last_heartbeat_time.seconds) == ("True", before)
        assert await tainted(plane, NO_SCHEDULE) == []

    told(story)


def test_loss_2_not_ready_by_its_kubelet_and_then_silent_swaps_the_taint() -> None:
    async def story(plane: FleetPlane) -> None:
        plane.live_by(unready_nodes=("node-1",))
        await asyncio.sleep(8)
        assert taint_pairs(await plane.node("node-1")) == [(NOT_READY, NO_SCHEDULE), (NOT_READY, NO_EXECUTE)]
        plane.live_by(silent_nodes=("node-1",), unready_nodes=("node-1",))
        await asyncio.sleep(60)
        assert taint_pairs(await plane.node("node-1")) == [(UNREACHABLE, NO_SCHEDULE), (UNREACHABLE, NO_EXECUTE)]
        plane.live_by()
        await asyncio.sleep(15)
        assert taint_pairs(await plane.node("node-1")) == []

    told(story)


def test_row_eviction_rate_one_node_in_ten_seconds() -> None:
    async def story(plane: FleetPlane) -> None:
        plane.silence("node-1", "node-2", "node-3", "node-4")
        await asyncio.sleep(56)
        assert len(await tainted(plane, NO_SCHEDULE)) == 4
        counts = []
        for _ in range(10):
            counts.append(len(await tainted(plane, NO_EXECUTE)))
            await asyncio.sleep(5)
        assert counts == sorted(counts)
        gaps = [counts.count(number) for number in (2, 3)]
        assert gaps == [2, 2]
        assert counts[-1] == 4

    told(story, nodes=12)


def test_row_eviction_rate_disrupted_small_zone_evicts_nobody_until_it_is_better() -> None:
    async def story(plane: FleetPlane) -> None:
        plane.silence("node-0", "node-1", "node-2", "node-3")
        await asyncio.sleep(200)
        assert len(await tainted(plane, NO_SCHEDULE)) == 4
        assert await tainted(plane, NO_EXECUTE) == []
        plane.silence("node-0", "node-1", "node-2")
        await asyncio.sleep(60)
        assert await tainted(plane, NO_EXECUTE) == ["node-0", "node-1", "node-2"]

    told(story, nodes=6)


def test_row_eviction_rate_all_zones_down_stops_evictions_and_removes_taints() -> None:
    async def story(plane: FleetPlane) -> None:
        await plane.deploy("web", 3)
        await settle(plane, "web", 3)
        plane.silence("node-0")
        await asyncio.sleep(60)
        assert await tainted(plane, NO_EXECUTE) == ["node-0"]
        plane.silence("node-0", "node-1", "node-2")
        await asyncio.sleep(60)
        assert await tainted(plane, NO_EXECUTE) == []
        assert await tainted(plane, NO_SCHEDULE) == ["node-0", "node-1", "node-2"]
        await asyncio.sleep(420)
        assert not any(is_being_deleted(pod.metadata) for pod in await plane.pods())
        plane.silence()
        await asyncio.sleep(15)
        assert await tainted(plane, NO_SCHEDULE) == []
        await settle(plane, "web", 3)

    told(story)


def test_row_eviction_rate_zone_that_is_down_alone_is_evicted_at_the_full_rate() -> None:
    async def story(plane: FleetPlane) -> None:
        plane.silence("node-0", "node-1")
        await asyncio.sleep(70)
        assert await tainted(plane, NO_EXECUTE) == ["node-0", "node-1"]

    told(story, nodes=4, zones="aabb")


def test_loss_3_pods_are_shown_as_not_ready_once_then_it_is_the_kubelets_word() -> None:
    async def story(plane: FleetPlane) -> None:
        await plane.deploy("web", 3)
        await settle(plane, "web", 3)
        plane.silence("node-1")
        await asyncio.sleep(52)
        (pod,) = await plane.pods(node="node-1")
        assert not is_pod_ready(pod)
        assert (pod.status.phase, pod.status.container_statuses[0].ready) == ("Running", True)
        assert "Node is not ready" in await plane.messages("NodeNotReady")
        ready_again = get_condition(pod.status.conditions, "Ready")
        assert ready_again is not None
        ready_again.status = "True"
        await plane.api.write(UpdateStatus(Encoded.of(pod)))
        await asyncio.sleep(30)
        (pod,) = await plane.pods(node="node-1")
        assert is_pod_ready(pod)

    told(story)


def test_loss_4_tolerations_decide_when_pods_go() -> None:
    async def story(plane: FleetPlane) -> None:
        for name, seconds in (("at-once", 0), ("soon", 20), ("late", None)):
            await plane.deploy(name, 3, toleration_seconds=seconds)
            await settle(plane, name, 3)
        plane.silence("node-1")

        async def evictable() -> bool:
            return await tainted(plane, NO_EXECUTE) == ["node-1"]

        await plane.until(evictable, 70, "node-1 is never tainted")
        seen = []
        for wait in (1, 17, 5, 260, 25):
            await asyncio.sleep(wait)
            pods = await plane.pods(node="node-1")
            seen.append(sorted(_app(pod) for pod in pods if is_being_deleted(pod.metadata)))
        assert seen == [
            ["at-once"],
            ["at-once"],
            ["at-once", "soon"],
            ["at-once", "soon"],
            ["at-once", "late", "soon"],
        ]
        marked = [text for text in await plane.messages("TaintManagerEviction") if text.startswith("Marking for")]
        assert len(marked) == 3

    told(story)


def test_loss_4_operators_taint_drives_away_who_does_not_tolerate_it_at_once() -> None:
    async def story(plane: FleetPlane) -> None:
        await plane.deploy("web", 3)
        await settle(plane, "web", 3)
        await _taint(plane, "node-0", "maintenance")
        await settle(plane, "web", 3)
        await asyncio.sleep(1)
        assert await plane.pods(node="node-0") == []
        assert len(await plane.pods()) == 3
        assert taint_pairs(await plane.node("node-0")) == [("maintenance", NO_EXECUTE)]

    told(story)


def test_loss_4_infinite_toleration_keeps_the_pod() -> None:
    async def story(plane: FleetPlane) -> None:
        pod = Pod()
        pod.metadata.namespace, pod.metadata.name = "default", "patient"
        pod.spec.node_name = "node-1"
        pod.spec.containers.add(name="app", image="app:v1")
        pod.spec.tolerations.add(key=UNREACHABLE, operator="Exists", effect=NO_EXECUTE)
        await plane.client.create(pod)
        await asyncio.sleep(2)
        plane.silence("node-1")
        await asyncio.sleep(420)
        assert await tainted(plane, NO_EXECUTE) == ["node-1"]
        (kept,) = await plane.pods(node="node-1")
        assert not is_being_deleted(kept.metadata)
        assert await plane.messages("TaintManagerEviction") == []

    told(story)


def test_loss_4_time_runs_from_first_sight_and_starts_anew_after_a_cancellation() -> None:
    async def story(plane: FleetPlane) -> None:
        await plane.deploy("web", 3, toleration_seconds=60)
        await settle(plane, "web", 3)
        for _ in range(3):
            plane.live_by(unready_nodes=("node-1",))
            await asyncio.sleep(45)
            plane.live_by()
            await asyncio.sleep(15)
        assert not any(is_being_deleted(pod.metadata) for pod in await plane.pods())
        cancelled = [text for text in await plane.messages("TaintManagerEviction") if text.startswith("Cancelling")]
        assert len(cancelled) == 1
        before = {pod.metadata.uid for pod in await plane.pods(node="node-1")}
        plane.live_by(unready_nodes=("node-1",))
        await asyncio.sleep(75)
        assert not before & {pod.metadata.uid for pod in await plane.pods()}

    told(story)


def test_cordon_taints_and_running_pods_stay() -> None:
    async def story(plane: FleetPlane) -> None:
        await plane.deploy("web", 3)
        await settle(plane, "web", 3)
        await _cordon(plane, "node-1", cordon=True)
        await asyncio.sleep(1)
        assert taint_pairs(await plane.node("node-1")) == [("node.kubernetes.io/unschedulable", NO_SCHEDULE)]
        assert len(await plane.pods(node="node-1")) == 1
        await plane.deploy("more", 4)
        await settle(plane, "more", 4)
        assert len(await plane.pods(node="node-1")) == 1
        await _cordon(plane, "node-1", cordon=False)
        await asyncio.sleep(1)
        assert taint_pairs(await plane.node("node-1")) == []

    told(story)


def test_controllers_that_were_away_begin_with_the_benefit_of_the_doubt() -> None:
    async def story(plane: FleetPlane) -> None:
        plane.silence("node-1")
        await plane.faults.stop_controller()
        await asyncio.sleep(300)
        started = plane.clock.now()
        await plane.faults.add_controller()
        await asyncio.sleep(38)
        assert (await ready(plane, "node-1")).status == "True"
        await asyncio.sleep(25)
        condition = await ready(plane, "node-1")
        assert condition.status == "Unknown"
        assert condition.last_transition_time.seconds > started + 40
        assert [(await ready(plane, name)).status for name in ("node-0", "node-2")] == ["True", "True"]

    told(story)


def test_controllers_that_take_over_finish_what_was_begun() -> None:
    async def story(plane: FleetPlane) -> None:
        await plane.deploy("web", 3)
        await settle(plane, "web", 3)
        plane.silence("node-1")

        async def unknown() -> bool:
            return (await ready(plane, "node-1")).status == "Unknown"

        await plane.until(unknown, 60, "node-1 is never unknown")
        await plane.faults.stop_controller()
        await asyncio.sleep(20)
        await plane.faults.add_controller()
        await asyncio.sleep(20)
        assert (UNREACHABLE, NO_EXECUTE) in taint_pairs(await plane.node("node-1"))
        assert [is_pod_ready(pod) for pod in await plane.pods(node="node-1")] == [False]
        await asyncio.sleep(310)
        assert all(is_being_deleted(pod.metadata) for pod in await plane.pods(node="node-1"))
        await settle(plane, "web", 3)

    told(story)


def test_node_that_is_removed_and_comes_back_under_its_name_is_a_new_one() -> None:
    async def story(plane: FleetPlane) -> None:
        await create_node(plane, "guest")
        await asyncio.sleep(50)
        await plane.client.delete(Node, "", "guest")
        await asyncio.sleep(1)
        await create_node(plane, "guest")
        await asyncio.sleep(50)
        assert not (await plane.node("guest")).status.conditions
        await asyncio.sleep(20)
        assert (await ready(plane, "guest")).status == "Unknown"

    told(story)


def test_times_are_settings() -> None:
    async def lived() -> None:
        times = NodeTimes(monitor_seconds=0.5, grace_seconds=12, eviction_rate=10)
        async with fleet_plane(12, times=times) as plane:
            await plane.deploy("web", 12, toleration_seconds=1)
            await settle(plane, "web", 12)
            plane.silence("node-1", "node-2", "node-3")
            await asyncio.sleep(17)
            assert len(await tainted(plane, NO_EXECUTE)) == 3
            await settle(plane, "web", 12)

    run(lived())


def _app(pod: Pod) -> str:
    return pod.metadata.labels["app"]


async def _taint(plane: FleetPlane, name: str, key: str) -> None:
    node = await plane.node(name)
    node.spec.taints.add(key=key, effect=NO_EXECUTE)
    await plane.client.update(node)


async def _cordon(plane: FleetPlane, name: str, *, cordon: bool) -> None:
    node = await plane.node(name)
    node.spec.unschedulable = cordon
    await plane.client.update(node)


async def news(plane: FleetPlane, reason: str) -> list[str]:
    """Return the messages of node Events of that reason, sorted."""
    events = await plane.client.list(Event)
    return sorted(each.message for each in events if each.reason == reason and each.involved_object.kind == "Node")


def test_nodes_that_come_and_go_are_told_of() -> None:
    async def story(plane: FleetPlane) -> None:
        await create_node(plane, "guest", heartbeat=True)
        await asyncio.sleep(6)
        names = ("guest", "node-0", "node-1", "node-2")
        assert await news(plane, "RegisteredNode") == [
            f"Node {name} event: Registered Node {name} in Controller" for name in names
        ]
        guest = await plane.node("guest")
        await plane.client.delete(Node, "", "guest")
        await asyncio.sleep(6)
        (removed,) = [each for each in await plane.client.list(Event) if each.reason == "RemovingNode"]
        assert removed.message == "Node guest event: Removing Node guest from Controller"
        assert removed.involved_object.uid == guest.metadata.uid
        await asyncio.sleep(30)
        assert [each.count for each in await plane.client.list(Event) if each.reason == "RegisteredNode"] == [1] * 4

    told(story)


def test_a_gated_pod_waits_for_its_gates_to_go() -> None:
    async def story(plane: FleetPlane) -> None:
        pod = Pod()
        pod.metadata.name, pod.metadata.namespace = "gated", "default"
        pod.spec.containers.add(name="app", image="nginx:1")
        pod.spec.scheduling_gates.add(name="quota")
        pod.spec.node_selector["disk"] = "ssd"
        await plane.client.create(pod)
        await asyncio.sleep(20)
        gated = await plane.client.get(Pod, "default", "gated")
        assert (gated.spec.node_name, pod_status(gated)) == ("", "SchedulingGated")
        assert not [each for each in await plane.client.list(Event) if each.reason == "FailedScheduling"]
        gated.spec.scheduling_gates.pop()
        await plane.client.update(gated)
        await asyncio.sleep(2)
        said = get_condition((await plane.client.get(Pod, "default", "gated")).status.conditions, "PodScheduled")
        assert said is not None
        assert (said.reason, said.observed_generation) == ("Unschedulable", 2)
        node = await plane.node("node-1")
        node.metadata.labels["disk"] = "ssd"
        await plane.client.update(node)
        await asyncio.sleep(12)
        placed = await plane.client.get(Pod, "default", "gated")
        assert (placed.spec.node_name, pod_status(placed)) == ("node-1", "Running")

    told(story)


def test_node_selectors_by_operating_system_are_met() -> None:
    async def story(plane: FleetPlane) -> None:
        pod = Pod()
        pod.metadata.name, pod.metadata.namespace = "linux", "default"
        pod.spec.containers.add(name="app", image="nginx:1")
        pod.spec.node_selector.update({"kubernetes.io/os": "linux", "kubernetes.io/arch": "amd64"})
        await plane.client.create(pod)
        await asyncio.sleep(2)
        assert (await plane.client.get(Pod, "default", "linux")).spec.node_name

    told(story)
