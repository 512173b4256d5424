"""docs/semantics/pod-lifecycle.md section 2: required affinity and anti-affinity to other pods, rule by rule."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from rollplane.core.v1 import Node, PodSpec
from tests.planners.placing import World, a_spec, available
from tests.planners.pods import a_node

WEB, DB = {"app": "web"}, {"app": "db"}
HOST, ZONE = "kubernetes.io/hostname", "topology.kubernetes.io/zone"
ALONE = "node(s) didn't match pod affinity rules"
OWN = "node(s) didn't match pod anti-affinity rules"
OTHERS = "node(s) didn't satisfy existing pods anti-affinity rules"


def in_zone(name: str, zone: str, **fields: Any) -> Node:
    return a_node(name, labels={HOST: name, ZONE: zone} if zone else {HOST: name}, **fields)


def term(labels: Mapping[str, str] | None, key: str = ZONE, **fields: Any) -> dict[str, Any]:
    selector = {} if labels is None else {"labelSelector": {"matchLabels": dict(labels)}}
    return {**selector, "topologyKey": key, **fields}


def beside(*terms: dict[str, Any]) -> PodSpec:
    return a_spec(affinity={"podAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": list(terms)}})


def away(*terms: dict[str, Any]) -> PodSpec:
    return a_spec(affinity={"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": list(terms)}})


def two_zones() -> World:
    """Two zones, two nodes each, and a node in none; a pod of db is on a1."""
    nodes = [in_zone("a1", "a"), in_zone("a2", "a"), in_zone("b1", "b"), in_zone("b2", "b"), in_zone("none", "")]
    world = World().put(*nodes).namespace("shop", team="red").namespace("bank", team="blue")
    world.run("a1", world.demand(a_spec(), "shop", DB))
    return world


PLACES: dict[str, tuple[PodSpec, list[str]]] = {
    "affinity, same zone": (beside(term(DB)), ["a1", "a2"]),
    "affinity, same host": (beside(term(DB, HOST)), ["a1"]),
    "affinity, all terms must hold": (beside(term(DB), term(DB, HOST)), ["a1"]),
    "affinity, a pod counts only when all terms mean it": (beside(term(DB), term(WEB)), []),
    "affinity, nobody there": (beside(term({"app": "cache"})), []),
    "affinity, no selector means nobody": (beside(term(None)), []),
    "affinity, empty selector means everybody": (beside(term({})), ["a1", "a2"]),
    "affinity, no node has the key": (beside(term(DB, "rack")), []),
    "anti-affinity, other zone or none": (away(term(DB)), ["b1", "b2", "none"]),
    "anti-affinity, other host": (away(term(DB, HOST)), ["a2", "b1", "b2", "none"]),
    "anti-affinity, each term by itself": (away(term(DB, HOST), term(WEB)), ["a2", "b1", "b2", "none"]),
    "anti-affinity, a key that no node has": (away(term(DB, "rack")), ["a1", "a2", "b1", "b2", "none"]),
    "anti-affinity, no selector means nobody": (away(term(None)), ["a1", "a2", "b1", "b2", "none"]),
    "namespaces, another": (beside(term(DB, namespaces=["bank"])), []),
    "namespaces, several": (beside(term(DB, namespaces=["bank", "shop"])), ["a1", "a2"]),
    "namespaceSelector, matches": (beside(term(DB, namespaceSelector={"matchLabels": {"team": "red"}})), ["a1", "a2"]),
    "namespaceSelector, matches not": (beside(term(DB, namespaceSelector={"matchLabels": {"team": "blue"}})), []),
    "namespaceSelector, empty means all": (beside(term(DB, namespaceSelector={})), ["a1", "a2"]),
    "namespaces and namespaceSelector add up": (
        beside(term(DB, namespaces=["shop"], namespaceSelector={"matchLabels": {"team": "blue"}})),
        ["a1", "a2"],
    ),
}


def allowed(world: World, spec: PodSpec, namespace: str = "shop", labels: Mapping[str, str] = WEB) -> list[str]:
    """Return all nodes that take such a pod, found by choosing and closing what was chosen."""
    found = []
    demand = world.demand(spec, namespace, labels)
    while name := world.cluster.choose(demand).node:
        found.append(name)
        closed = Node()
        closed.CopyFrom(world.nodes[name])
        closed.spec.unschedulable = True
        world.put(closed)
    return sorted(found)


@pytest.mark.parametrize(("spec", "nodes"), PLACES.values(), ids=PLACES)
def test_required_pod_affinity(spec: PodSpec, nodes: list[str]) -> None:
    assert allowed(two_zones(), spec) == nodes


def test_a_term_without_namespaces_means_the_pods_own() -> None:
    assert allowed(two_zones(), beside(term(DB)), "bank") == []
    assert len(allowed(two_zones(), away(term(DB)), "bank")) == 5


def test_first_pod_of_a_group_that_wants_itself() -> None:
    """No other pod is needed where none is, as long as the node has the key."""
    world = two_zones()
    assert world.place(beside(term(WEB)), 3, **WEB) == ["a2", "a1", "a2"], "the first decides the zone"
    assert two_zones().choose(beside(term(WEB), term(WEB, "rack")), "shop", WEB).why == available(
        5, f"5 {ALONE}", lasting=5
    )
    assert allowed(two_zones(), beside(term(WEB)), labels={"app": "other"}) == []


def test_first_pod_of_a_group_across_namespaces() -> None:
    spec = beside(term(WEB, namespaceSelector={"matchLabels": {"team": "red"}}))
    assert allowed(two_zones(), spec, "shop") == ["a1", "a2", "b1", "b2"]
    assert allowed(two_zones(), spec, "bank") == []


def test_existing_pods_anti_affinity() -> None:
    """Symmetry: who runs and wants to be alone keeps away those that do not mind."""
    world = two_zones()
    alone = world.run("b1", world.demand(away(term(WEB)), "shop", {"app": "alone"}))
    assert world.place(a_spec(), 2, **WEB) == ["a2", "none"]
    world.end(alone)
    assert world.place(a_spec(), 1, **WEB) == ["b1"]
    assert world.place(a_spec(), 1, **DB) == ["b2"]


def test_existing_pods_anti_affinity_of_another_namespace() -> None:
    world = two_zones()
    world.run("b1", world.demand(away(term(WEB, namespaceSelector={})), "bank", {"app": "alone"}))
    assert allowed(world, a_spec()) == ["a1", "a2", "none"]


def test_what_keeps_away_and_comes_back_is_honoured_again() -> None:
    world = World().put(in_zone("a", "a"))
    demand = world.demand(away(term(WEB)), "shop", {"app": "alone"})
    for _ in range(2):
        alone = world.run("a", demand)
        assert world.choose(a_spec(), "shop", WEB).node == ""
        world.end(alone)
        assert world.choose(a_spec(), "shop", WEB).node == "a"


def test_match_label_keys() -> None:
    """The pods of one's own version alone count."""
    spec = away(term(WEB, HOST, matchLabelKeys=["version", "absent"]))
    world = World().put(in_zone("a", "a"), in_zone("b", "b"))
    assert world.place(spec, 3, **WEB, version="1") == ["a", "b", available(2, f"2 {OWN}")]
    assert world.place(spec, 2, **WEB, version="2") == ["a", "b"]


def test_mismatch_label_keys() -> None:
    """The pods of other tenants alone count."""
    spec = away(term(WEB, HOST, mismatchLabelKeys=["tenant"]))
    world = World().put(in_zone("a", "a"), in_zone("b", "b"))
    assert world.place(spec, 1, **WEB, tenant="1") == ["a"]
    assert world.place(spec, 2, **WEB, tenant="2") == ["b", "b"]
    assert world.place(spec, 1, **WEB, tenant="1") == ["a"]


def test_terminating_pods_still_count() -> None:
    world = World().put(in_zone("a", "a"))
    pod = world.run("a", world.demand(a_spec(), "shop", DB))
    assert world.choose(beside(term(DB)), "shop", WEB).node == "a"
    world.mark(pod)
    assert world.choose(beside(term(DB)), "shop", WEB).node == "a"
    assert world.choose(away(term(DB)), "shop", WEB).node == ""


def test_counts_follow_the_labels_of_nodes_and_namespaces() -> None:
    world = World().put(in_zone("a", "a"), in_zone("b", "b")).namespace("bank", team="blue")
    world.run("a", world.demand(a_spec(), "bank", DB))
    spec = beside(term(DB, namespaceSelector={"matchLabels": {"team": "red"}}))
    assert world.choose(spec, "shop", WEB).node == ""
    world.namespace("bank", team="red")
    assert allowed(world, spec) == ["a"]
    world.put(in_zone("a", "b"), in_zone("b", "b"))
    assert allowed(world, spec) == ["a", "b"]
    world.cluster.put_namespace("bank", None)
    assert world.choose(spec, "shop", WEB).node == ""


def test_namespaces_matter_only_where_somebody_goes_by_their_labels() -> None:
    world = World().put(in_zone("a", "a"))
    assert world.choose(beside(term(DB)), "shop", WEB).node == ""
    assert not world.cluster.put_namespace("bank", {"team": "blue"})
    assert world.choose(beside(term(DB, namespaceSelector={})), "shop", WEB).node == ""
    assert not world.cluster.put_namespace("bank", {"team": "blue"}), "nothing has changed"
    assert world.cluster.put_namespace("bank", {"team": "red"})


def test_what_another_pods_arrival_helps_is_told() -> None:
    world = World().put(in_zone("a", "a"))
    assert world.choose(beside(term(DB)), "shop", WEB).node == ""
    demand = world.demand(a_spec(), "shop", {"app": "other"})
    assert not world.cluster.add("a", world.run("a", demand)), "nobody waits for such a pod"


def test_sentences_count_each_rule() -> None:
    world = World().put(in_zone("a", "a"), in_zone("b", "b"), in_zone("c", "c"), in_zone("d", "d"))
    world.run("a", world.demand(away(term(WEB)), "shop", DB))
    world.run("b", world.demand(a_spec(), "shop", WEB))
    world.run("d", world.demand(a_spec(), "shop", {"app": "cache"}))
    spec = away(term(WEB))
    spec.affinity.pod_affinity.CopyFrom(beside(term({"app": "cache"})).affinity.pod_affinity)
    assert world.choose(spec, "shop", WEB).node == "d"
    spec = away(term(WEB), term({"app": "cache"}))
    world.put(in_zone("c", "c", cpu="1"))
    spec.containers[0].resources.requests["cpu"].string = "2"
    assert world.choose(spec, "shop", WEB).why == available(4, f"1 Insufficient cpu, 1 {OTHERS}, 2 {OWN}", lasting=1)


def test_three_replicas_on_three_hosts_leave_no_room_for_a_fourth() -> None:
    world = World().put(*(in_zone(name, "a") for name in "abc"))
    assert world.place(away(term(WEB, HOST)), 4, **WEB) == ["a", "b", "c", available(3, f"3 {OWN}")]
