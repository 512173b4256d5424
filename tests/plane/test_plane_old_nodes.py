"""A plane with fewer nodes than its last run parts from those it has not."""

from __future__ import annotations

from rollplane.core.v1 import Node
from rollplane_apiserver.core import Core, Identity
from rollplane_apiserver.core.identity import Role
from rollplane_apiserver.store.memory_store import MemoryStore
from rollplane_kubelet_sim.node_pools.pools import FLEET_ANNOTATION
from rollplane_machinery.api import Create, ListQuery
from rollplane_machinery.clock import SystemClock
from rollplane_machinery.kinds import NODE, Encoded
from rollplane_plane.old_nodes import remove_old_nodes

NINE = [f"node-{number}" for number in range(9)]


def node(name: str, fleet: str = "") -> Node:
    made = Node()
    made.metadata.name = name
    if fleet:
        made.metadata.annotations[FLEET_ANNOTATION] = fleet
    return made


async def test_the_fleet_s_own_nodes_beyond_its_number_go() -> None:
    names = [*(f"node-{number}" for number in range(12)), "node-x", "node-02", "other-11", "xnode-11", "node-1-11"]
    async with Core(MemoryStore(), SystemClock()) as core:
        api = core.as_identity(Identity("up", Role.ADMIN))
        await api.batch([Create(Encoded.of(node(name))) for name in names])
        assert await remove_old_nodes(api, "node", NINE) == ["node-9", "node-10", "node-11"]
        left = {one.value for one in (await api.list(ListQuery(NODE))).objects}
        stay = {Node.FromString(value).metadata.name for value in left}
        assert stay == set(names) - {"node-9", "node-10", "node-11"}
        assert await remove_old_nodes(api, "node", NINE) == []


async def test_a_node_that_says_whose_it_is_goes_by_that() -> None:
    """Pools give names of their own, and so does a file; another fleet's node may be called as ours are."""
    made = [node("gpu-1", "node"), node("gpu-10", "node"), node("gpu-9", "node"), node("worker.example", "node")]
    made += [node("node-0", "node"), node("node-11", "other")]
    async with Core(MemoryStore(), SystemClock()) as core:
        api = core.as_identity(Identity("up", Role.ADMIN))
        await api.batch([Create(Encoded.of(one)) for one in made])
        gone = await remove_old_nodes(api, "node", ["node-0", "gpu-1"])
        assert gone == ["gpu-9", "gpu-10", "worker.example"]
