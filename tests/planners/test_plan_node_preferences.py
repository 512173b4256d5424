"""docs/semantics/pod-lifecycle.md section 2: which of several nodes that fit, wish by wish; and what else fills one."""

from __future__ import annotations

from typing import Any

import pytest

from rollplane.core.v1 import Node, PodSpec
from rollplane_planners.scheduling.demand import requests_of
from rollplane_planners.scheduling.resources import Resources
from tests.planners.placing import World, a_spec, available
from tests.planners.pods import a_node
from tests.planners.test_plan_pod_affinity import DB, HOST, WEB, in_zone, term

PREFERRED = "preferredDuringSchedulingIgnoredDuringExecution"


def node_wish(weight: int, key: str, *values: str) -> dict[str, Any]:
    expression = {"key": key, "operator": "In", "values": list(values)}
    return {"weight": weight, "preference": {"matchExpressions": [expression]}}


def wishing(**kinds: list[dict[str, Any]]) -> PodSpec:
    return a_spec(affinity={kind: {PREFERRED: wishes} for kind, wishes in kinds.items()})


def test_preferred_node_affinity_sums_weights() -> None:
    nodes = [
        a_node("a"),
        a_node("b", labels={"disk": "ssd"}),
        a_node("c", labels={"disk": "ssd", "new": "yes"}, pods="2"),
    ]
    spec = wishing(nodeAffinity=[node_wish(10, "disk", "ssd"), node_wish(1, "new", "yes")])
    assert World().put(*nodes).place(spec, 4) == ["c", "c", "b", "b"]


def test_prefer_no_schedule_goes_before_all_wishes() -> None:
    taint = {"key": "old", "effect": "PreferNoSchedule"}
    world = World().put(a_node("a", labels={"disk": "ssd"}, taints=[taint]), a_node("b", pods="1"))
    spec = wishing(nodeAffinity=[node_wish(100, "disk", "ssd")])
    assert world.place(spec, 2) == ["b", "a"]
    tolerant = a_spec(tolerations=[{"key": "old", "operator": "Exists"}])
    assert World().put(a_node("a", taints=[taint]), a_node("b")).place(tolerant, 1) == ["a"]


@pytest.mark.parametrize("key", [HOST, "topology.kubernetes.io/zone"])
def test_preferred_pod_affinity(key: str) -> None:
    world = World().put(in_zone("a", "a"), in_zone("b", "b"), in_zone("c", "c"), in_zone("d", "c"))
    world.run("b", world.demand(a_spec(), "shop", DB))
    spec = wishing(podAffinity=[{"weight": 5, "podAffinityTerm": term(DB, key)}])
    assert world.place(spec, 3, **WEB) == ["b", "b", "b"]


def test_preferred_pod_affinity_to_a_pod_that_comes_later() -> None:
    world = World().put(in_zone("a", "a"), in_zone("b", "b"))
    spec = wishing(podAffinity=[{"weight": 5, "podAffinityTerm": term(DB, HOST)}])
    assert world.place(spec, 1, **WEB) == ["a"]
    world.run("a", world.demand(a_spec(), "shop", {"app": "other"}))
    world.run("a", world.demand(a_spec(), "shop", DB))
    assert world.place(spec, 1, **WEB) == ["a"]


@pytest.mark.parametrize("key", [HOST, "topology.kubernetes.io/zone"])
def test_preferred_pod_anti_affinity(key: str) -> None:
    """Spread over hosts as long as there are any, then doubled up."""
    world = World().put(in_zone("a", "a"), in_zone("b", "b"))
    for _ in range(4):
        world.run("b", world.demand(a_spec(), "shop", DB))
    spec = wishing(podAntiAffinity=[{"weight": 100, "podAffinityTerm": term(WEB, key)}])
    assert world.place(spec, 4, **WEB) == ["a", "b", "a", "b"]


def port(address: str = "", number: int = 80) -> list[dict[str, Any]]:
    return [{"containerPort": number, "hostPort": number, "hostIP": address}]


ADDRESSES: dict[str, tuple[str, str, bool]] = {
    "another address": ("10.0.0.1", "10.0.0.2", True),
    "the same address": ("10.0.0.1", "10.0.0.1", False),
    "all addresses and one": ("", "10.0.0.1", False),
    "one address and all": ("10.0.0.1", "0.0.0.0", False),  # noqa: S104 - nothing is bound
    "all addresses twice": ("", "0.0.0.0", False),  # noqa: S104 - nothing is bound
}


@pytest.mark.parametrize(("taken", "wanted", "fits"), ADDRESSES.values(), ids=ADDRESSES)
def test_host_ip_in_port_conflicts(taken: str, wanted: str, fits: bool) -> None:
    world = World().put(a_node("a"))
    assert world.place(a_spec(ports=port(taken)), 1) == ["a"]
    assert bool(world.choose(a_spec(ports=port(wanted))).node) is fits


def with_devices(name: str, **allocatable: str) -> Node:
    node = a_node(name)
    for resource, amount in allocatable.items():
        node.status.allocatable[resource.replace("_", "-").replace("gpu", "example.com/gpu")].string = amount
    return node


OTHERS: dict[str, tuple[dict[str, str], dict[str, str], int, str]] = {
    "ephemeral-storage": ({"ephemeral_storage": "1Gi"}, {"ephemeral-storage": "400Mi"}, 2, "ephemeral-storage"),
    "extended resource": ({"gpu": "3"}, {"example.com/gpu": "1"}, 3, "example.com/gpu"),
    "a node without it": ({}, {"example.com/gpu": "1"}, 0, "example.com/gpu"),
    "beside cpu": ({"gpu": "3"}, {"example.com/gpu": "1", "cpu": "2"}, 2, "cpu"),
}


@pytest.mark.parametrize(("offered", "asked", "count", "scarce"), OTHERS.values(), ids=OTHERS)
def test_ephemeral_storage_and_extended_resources(
    offered: dict[str, str], asked: dict[str, str], count: int, scarce: str
) -> None:
    world = World().put(with_devices("a", **offered))
    names = world.place(a_spec(requests=asked), count + 1)
    assert names[:-1] == ["a"] * count
    assert names[-1] == available(1, f"1 Insufficient {scarce}", lasting=int(not count))


LEVELS: dict[str, tuple[dict[str, Any], Resources]] = {
    "in place of the containers'": ({"requests": {"cpu": "3"}}, Resources(3_000, 1024)),
    "of one resource, the other from the containers": ({"requests": {"memory": "4Ki"}}, Resources(1_000, 4096)),
    "a limit counts where nobody requests": (
        {"limits": {"cpu": "9", "memory": "9Ki", "hugepages-2Mi": "2Mi"}},
        Resources(1_000, 1024, (("hugepages-2Mi", 2 << 20),)),
    ),
}


@pytest.mark.parametrize(("level", "total"), LEVELS.values(), ids=LEVELS)
def test_pod_level_requests(level: dict[str, Any], total: Resources) -> None:
    assert requests_of(a_spec(requests={"cpu": "1", "memory": "1Ki"}, resources=level)) == total
