"""The fleet's nodes: registration, heartbeats, silence and return (docs/semantics/pod-lifecycle.md section 9)."""

from __future__ import annotations

import asyncio

from rollplane.core.v1 import Node
from rollplane_apiserver.store.memory_store import MemoryStore
from rollplane_kubelet_sim.fleet import FleetSettings
from rollplane_kubelet_sim.node_pools.grammar import parse_pool
from rollplane_machinery.api import Create, Delete, Key, Update, UpdateStatus
from rollplane_machinery.errors import NotFoundError, Outcome, UnavailableError
from rollplane_machinery.kinds import LEASE, NODE, Encoded
from rollplane_machinery.releases import release_of
from rollplane_machinery.times import to_seconds
from rollplane_rehearsal.virtual_time import LoopClock, in_virtual_time
from tests.apiserver.watch.switchable import SwitchableStore
from tests.kubelet_sim.fleets import World, is_ready, world


def ready(node: Node) -> tuple[str, str]:
    found = next(condition for condition in node.status.conditions if condition.type == "Ready")
    return found.status, found.reason


async def age(here: World, name: str = "node-0") -> float:
    """Return how many seconds ago a node's lease was renewed."""
    return LoopClock().now() - to_seconds((await here.lease(name)).spec.renew_time)


async def mark_lost(here: World, name: str = "node-0") -> None:
    """Do what the node lifecycle controller does when a node falls silent."""
    node = await here.node(name)
    for condition in node.status.conditions:
        condition.status, condition.reason = "Unknown", "NodeStatusUnknown"
    await here.api.write(UpdateStatus(Encoded.of(node)))


@in_virtual_time
async def test_nodes_register_with_what_they_offer() -> None:
    async with world() as here:
        await here.fleet(settings=FleetSettings("edge", 3, 7))
        node = await here.node("edge-9")
        assert ready(node) == ("True", "KubeletReady")
        assert {name: amount.string for name, amount in node.status.allocatable.items()} == {
            "cpu": "32",
            "ephemeral-storage": "100Gi",
            "memory": "128Gi",
            "pods": "250",
        }
        assert node.metadata.labels["kubernetes.io/hostname"] == "edge-9"
        assert (await here.lease("edge-9")).spec.lease_duration_seconds == 40


@in_virtual_time
async def test_leases_are_renewed_every_ten_seconds() -> None:
    async with world() as here:
        await here.fleet(settings=FleetSettings(nodes=10))
        ages = []
        for _ in range(60):
            await asyncio.sleep(1)
            ages.append(await age(here))
        assert max(ages) <= 11
        versions = {(await here.lease(f"node-{n}")).metadata.resource_version for n in range(10)}
        assert len(versions) == 10


@in_virtual_time
async def test_node_status_is_posted_at_least_every_five_minutes() -> None:
    async with world() as here:
        await here.fleet()
        await asyncio.sleep(250)
        first = (await here.node()).status.conditions[0].last_heartbeat_time.seconds
        await asyncio.sleep(100)
        node = await here.node()
        assert 300 <= node.status.conditions[0].last_heartbeat_time.seconds - first <= 311
        assert {condition.last_transition_time.seconds for condition in node.status.conditions} == {first}


@in_virtual_time
async def test_a_silent_node_says_nothing_and_returns() -> None:
    async with world() as here:
        await here.fleet()
        await here.pod("stays")
        await asyncio.sleep(5)
        await here.set_profile("silent_nodes: node-0")
        await asyncio.sleep(1)
        await here.pod("comes")
        await here.pod("elsewhere", "node-1")
        await here.delete("stays")
        await mark_lost(here)
        await asyncio.sleep(100)
        assert await age(here) > 90
        assert await age(here, "node-1") <= 11
        assert (await here.get("comes")).status.HasField("start_time") is False
        assert is_ready(await here.get("elsewhere"))
        assert not await here.is_gone("stays")
        assert ready(await here.node())[0] == "Unknown"
        await here.drop_profile()
        await asyncio.sleep(12)
        assert await age(here) <= 11
        assert is_ready(await here.get("comes"))
        assert await here.is_gone("stays")
        assert ready(await here.node()) == ("True", "KubeletReady")


@in_virtual_time
async def test_a_node_that_others_marked_is_reported_healthy_again() -> None:
    async with world() as here:
        await here.fleet()
        await mark_lost(here)
        await asyncio.sleep(2)
        assert ready(await here.node()) == ("True", "KubeletReady")


@in_virtual_time
async def test_an_unready_node_says_so_and_recovers() -> None:
    async with world() as here:
        await here.fleet()
        await here.set_profile("unready_nodes: node-0")
        await asyncio.sleep(2)
        assert ready(await here.node()) == ("False", "KubeletNotReady")
        assert ready(await here.node("node-1"))[0] == "True"
        assert await age(here) <= 11
        await here.drop_profile()
        await asyncio.sleep(2)
        assert ready(await here.node())[0] == "True"


async def exists(here: World, name: str) -> bool:
    try:
        await here.node(name)
    except NotFoundError:
        return False
    return True


@in_virtual_time
async def test_a_deleted_node_comes_back_when_its_kubelet_restarts() -> None:
    async with world() as here:
        api = here.node_api()
        await here.fleet(api=api)
        await here.api.write(Delete(Key(NODE, "", "node-0")))
        await here.api.write(Delete(Key(NODE, "", "node-1")))
        await asyncio.sleep(1)
        before = len(api.writes)
        await asyncio.sleep(60)
        assert not await exists(here, "node-0")
        assert api.writes[before:] == []
        await here.set_profile("restarts: {node-0: 1}")
        await asyncio.sleep(2)
        assert (await exists(here, "node-0"), await exists(here, "node-1")) == (True, False)


@in_virtual_time
async def test_nodes_that_the_store_lost_register_again() -> None:
    """It was emptied, or is an older copy: nobody deleted them. A node that somebody had deleted stays away."""
    store = SwitchableStore(MemoryStore())
    async with world(store) as here:
        fleet, _ = await here.fleet(settings=FleetSettings(nodes=3))
        await here.api.write(Delete(Key(NODE, "", "node-2")))
        await asyncio.sleep(2)
        assert (fleet.unregistered(), fleet.deleted()) == ("", "node-2: deleted, until their kubelets restart")
        emptied = MemoryStore()
        emptied.jump(1_000_000)
        await store.switch(emptied)
        await asyncio.sleep(15)
        assert [await exists(here, f"node-{number}") for number in range(3)] == [True, True, False]
        assert max([await age(here), await age(here, "node-1")]) <= 11
        assert fleet.unregistered() == ""


@in_virtual_time
async def test_a_fleet_says_which_nodes_are_not_registered() -> None:
    store = SwitchableStore(MemoryStore())
    async with world(store) as here:
        api = here.node_api()
        fleet, _ = await here.fleet(settings=FleetSettings(nodes=7), api=api)
        away = UnavailableError("no room", outcome=Outcome.NOT_SENT)
        api.refuse = lambda write: away if isinstance(write, Create) else None
        emptied = MemoryStore()
        emptied.jump(1_000_000)
        await store.switch(emptied)
        await asyncio.sleep(15)
        assert fleet.unregistered() == "node-0, node-1, node-2, node-3, node-4 and 2 more: not registered yet"
        api.refuse = lambda _write: None
        await asyncio.sleep(2)
        assert fleet.unregistered() == ""


@in_virtual_time
async def test_a_deleted_lease_is_written_anew() -> None:
    async with world() as here:
        await here.fleet()
        await here.api.write(Delete(Key(LEASE, "kube-node-lease", "node-0")))
        await asyncio.sleep(31)
        assert await age(here) <= 11


@in_virtual_time
async def test_a_restarted_fleet_renews_the_leases_it_finds() -> None:
    async with world() as here:
        _, task = await here.fleet()
        await asyncio.sleep(5)
        task.cancel()
        await asyncio.sleep(60)
        assert await age(here) > 50
        await here.fleet()
        await asyncio.sleep(11)
        assert await age(here) <= 11


@in_virtual_time
async def test_registration_and_heartbeats_outlast_a_server_that_is_away() -> None:
    async with world() as here:
        api = here.node_api()
        away = UnavailableError("nobody there", outcome=Outcome.NOT_SENT)
        api.failures = [away] * 3
        await here.fleet(api=api)
        assert ready(await here.node())[0] == "True"
        api.failures = [away] * 3
        await asyncio.sleep(30)
        assert await age(here) <= 11
        assert api.failures == []


LOUD = "realistic"


async def told(here: World, name: str = "node-0") -> list[str]:
    """Return the reasons of a node's Events, in the order in which they were told."""
    about = [event for event in await here.events() if event.involved_object.name == name]
    assert {event.involved_object.uid for event in about} <= {name}
    return [event.reason for event in sorted(about, key=lambda event: event.metadata.name.rpartition(".")[2])]


START = ["Starting", "NodeHasSufficientMemory", "NodeHasNoDiskPressure", "NodeHasSufficientPID"]


@in_virtual_time
async def test_nodes_tell_of_their_start_of_cordons_and_of_readiness() -> None:
    async with world() as here:
        await here.fleet(LOUD)
        await asyncio.sleep(3)
        assert await told(here) == [*START, "NodeAllocatableEnforced", "NodeReady"]
        for unschedulable in (True, False):
            node = await here.node()
            node.spec.unschedulable = unschedulable
            await here.api.write(Update(Encoded.of(node)))
            await asyncio.sleep(2)
        await here.set_profile("unready_nodes: node-0")
        await asyncio.sleep(3)
        await here.set_profile("name: well")
        await asyncio.sleep(3)
        assert (await told(here))[6:] == ["NodeNotSchedulable", "NodeSchedulable", "NodeNotReady"]
        counts = {event.reason: event.count for event in await here.events() if event.involved_object.name == "node-0"}
        assert counts["NodeReady"] == 2


@in_virtual_time
async def test_a_quiet_profile_tells_nothing_of_nodes() -> None:
    async with world() as here:
        await here.fleet("instant")
        await asyncio.sleep(3)
        assert await told(here) == []


@in_virtual_time
async def test_a_node_of_an_older_plane_gets_labels_and_version_when_its_kubelet_starts() -> None:
    async with world() as here:
        old = Node()
        old.metadata.name = "node-0"
        old.metadata.labels.update({"kubernetes.io/hostname": "node-0", "disk": "ssd"})
        old.status.node_info.kubelet_version = "v1.33.0-rollplane"
        await here.api.write(Create(Encoded.of(old)))
        await here.fleet(LOUD, settings=FleetSettings(nodes=2, release=release_of("1.29")))
        await asyncio.sleep(12)
        node = await here.node()
        assert node.metadata.labels["kubernetes.io/os"] == "linux"
        assert node.metadata.labels["disk"] == "ssd"
        assert node.status.node_info.kubelet_version == "v1.29.0"
        assert (await told(here))[:2] == ["Starting", "NodeAllocatableEnforced"]
        node.metadata.labels.pop("kubernetes.io/os")
        await here.api.write(Update(Encoded.of(node)))
        await asyncio.sleep(30)
        assert "kubernetes.io/os" not in (await here.node()).metadata.labels, "set at registration only"


@in_virtual_time
async def test_nodes_of_pools_register_as_planned() -> None:
    pool = parse_pool(
        "name=gpu,count=2,zone=a,zone=b,cpu=4,taint=gpu=yes:NoSchedule,taint=slow:NoExecute,unschedulable=true"
    )
    async with world() as here:
        fleet, _ = await here.fleet(settings=FleetSettings(nodes=3, pools=(pool,)))
        assert list(fleet.nodes) == ["gpu-0", "gpu-1", "node-0"]
        node = await here.node("gpu-1")
        assert node.metadata.labels["topology.kubernetes.io/zone"] == "b"
        assert node.metadata.annotations["sim.rollplane.dev/fleet"] == "node"
        assert [(taint.key, taint.value, taint.effect) for taint in node.spec.taints] == [
            ("gpu", "yes", "NoSchedule"),
            ("slow", "", "NoExecute"),
        ]
        assert node.spec.unschedulable
        assert node.status.capacity["cpu"].string == node.status.allocatable["cpu"].string == "4"
        assert {(await here.node(name)).status.addresses[0].address for name in fleet.nodes} == {
            "172.16.0.1",
            "172.16.0.2",
            "172.16.0.3",
        }


@in_virtual_time
async def test_what_users_set_on_a_node_stays_while_its_kubelet_reports_and_restarts() -> None:
    async with world() as here:
        pools = (parse_pool("zone=a,label.team=ml"),)
        _, task = await here.fleet(settings=FleetSettings(nodes=1, pools=pools))
        node = await here.node()
        node.metadata.labels.update({"team": "web", "own": "yes"})
        node.spec.taints.add(key="mine", effect="NoSchedule")
        await here.api.write(Update(Encoded.of(node)))
        await asyncio.sleep(700)
        task.cancel()
        await here.fleet(settings=FleetSettings(nodes=1, pools=pools))
        await asyncio.sleep(700)
        node = await here.node()
        kept = {name: node.metadata.labels[name] for name in ("team", "own", "topology.kubernetes.io/zone")}
        assert kept == {"team": "web", "own": "yes", "topology.kubernetes.io/zone": "a"}
        assert [taint.key for taint in node.spec.taints] == ["mine"]


@in_virtual_time
async def test_other_pools_on_an_older_plane_change_zones_and_what_nodes_offer() -> None:
    async with world() as here:
        _, task = await here.fleet(settings=FleetSettings(nodes=1, pools=(parse_pool("zone=a,cpu=4"),)))
        node = await here.node()
        node.status.capacity["example.com/dongle"].string = "2"
        await here.api.write(UpdateStatus(Encoded.of(node)))
        task.cancel()
        await here.fleet(
            settings=FleetSettings(nodes=1, pools=(parse_pool("zone=b,cpu=8,allocatable.cpu=7,label.new=x"),))
        )
        await asyncio.sleep(12)
        node = await here.node()
        assert (node.metadata.labels["topology.kubernetes.io/zone"], node.metadata.labels["new"]) == ("b", "x")
        assert (node.status.capacity["cpu"].string, node.status.allocatable["cpu"].string) == ("8", "7")
        assert node.status.capacity["example.com/dongle"].string == "2"
        assert ready(node)[0] == "True"
