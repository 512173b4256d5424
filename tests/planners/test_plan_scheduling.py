"""docs/semantics/pod-lifecycle.md section 2: which node takes a pod, and what is said when none does."""

from __future__ import annotations

from typing import Any

import pytest

from rollplane.core.v1 import Node, PodSpec
from rollplane_machinery.releases import release_of
from rollplane_planners.scheduling.demand import demand_of, requests_of
from rollplane_planners.scheduling.nodes import node_view
from rollplane_planners.scheduling.resources import Resources
from tests.planners.placing import World, a_spec, available
from tests.planners.pods import a_node


def cluster_of(*nodes: Node) -> World:
    return World().put(*nodes)


def placed(world: World, spec: PodSpec, count: int) -> list[str]:
    return world.place(spec, count)


def affinity(*expressions: dict[str, Any], field: str = "matchExpressions") -> dict[str, Any]:
    terms = [{field: [expression]} for expression in expressions]
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}}
    return {"affinity": {"nodeAffinity": required}}


LABELS = {"zone": "a", "disk": "ssd", "cores": "8"}
OPERATORS: dict[str, tuple[dict[str, Any], bool]] = {
    "In, listed": ({"key": "zone", "operator": "In", "values": ["a", "b"]}, True),
    "In, not listed": ({"key": "zone", "operator": "In", "values": ["b"]}, False),
    "In, label absent": ({"key": "rack", "operator": "In", "values": [""]}, False),
    "NotIn, listed": ({"key": "zone", "operator": "NotIn", "values": ["a"]}, False),
    "NotIn, not listed": ({"key": "zone", "operator": "NotIn", "values": ["b"]}, True),
    "NotIn, label absent": ({"key": "rack", "operator": "NotIn", "values": ["1"]}, True),
    "Exists": ({"key": "disk", "operator": "Exists"}, True),
    "Exists, absent": ({"key": "rack", "operator": "Exists"}, False),
    "DoesNotExist": ({"key": "disk", "operator": "DoesNotExist"}, False),
    "DoesNotExist, absent": ({"key": "rack", "operator": "DoesNotExist"}, True),
    "Gt": ({"key": "cores", "operator": "Gt", "values": ["7"]}, True),
    "Gt, equal": ({"key": "cores", "operator": "Gt", "values": ["8"]}, False),
    "Gt, no number": ({"key": "zone", "operator": "Gt", "values": ["1"]}, False),
    "Lt": ({"key": "cores", "operator": "Lt", "values": ["9"]}, True),
    "Lt, equal": ({"key": "cores", "operator": "Lt", "values": ["8"]}, False),
    "Lt, absent": ({"key": "rack", "operator": "Lt", "values": ["9"]}, False),
    "unknown operator": ({"key": "zone", "operator": "Near", "values": ["a"]}, False),
}


@pytest.mark.parametrize(("expression", "fits"), OPERATORS.values(), ids=OPERATORS)
def test_required_node_affinity(expression: dict[str, Any], fits: bool) -> None:
    choice = cluster_of(a_node("n", labels=LABELS)).choose(a_spec(**affinity(expression)))
    assert bool(choice.node) is fits
    if not fits:
        assert choice.why == available(1, "1 node(s) didn't match Pod's node affinity/selector", lasting=1)


def test_terms_are_alternatives_and_expressions_are_not() -> None:
    here = {"key": "zone", "operator": "In", "values": ["a"]}
    there = {"key": "zone", "operator": "In", "values": ["b"]}
    cluster = cluster_of(a_node("n", labels=LABELS))
    assert cluster.choose(a_spec(**affinity(there, here))).node == "n"
    both = affinity(here)
    terms = both["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    terms[0]["matchExpressions"].append(there)
    assert cluster.choose(a_spec(**both)).node == ""


def test_an_empty_term_matches_nothing() -> None:
    required: dict[str, Any] = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{}]}}
    spec = a_spec(affinity={"nodeAffinity": required})
    assert cluster_of(a_node("n")).choose(spec).node == ""


def test_a_node_by_its_name() -> None:
    by_name = affinity({"key": "metadata.name", "operator": "In", "values": ["b", "gone"]}, field="matchFields")
    cluster = cluster_of(*(a_node(name) for name in "abc"))
    assert placed(cluster, a_spec(**by_name), 2) == ["b", "b"]


SELECTORS: dict[str, tuple[dict[str, str], bool]] = {
    "none": ({}, True),
    "one label": ({"zone": "a"}, True),
    "all labels must hold": ({"zone": "a", "disk": "hdd"}, False),
    "absent": ({"rack": "1"}, False),
}


@pytest.mark.parametrize(("selector", "fits"), SELECTORS.values(), ids=SELECTORS)
def test_node_selector(selector: dict[str, str], fits: bool) -> None:
    cluster = cluster_of(a_node("n", labels=LABELS))
    assert bool(cluster.choose(a_spec(nodeSelector=selector)).node) is fits


TAINT = {"key": "gpu", "value": "yes", "effect": "NoSchedule"}
TOLERATIONS: dict[str, tuple[str, list[dict[str, Any]], bool]] = {
    "none": ("NoSchedule", [], False),
    "equal": ("NoSchedule", [{"key": "gpu", "operator": "Equal", "value": "yes", "effect": "NoSchedule"}], True),
    "operator left out means Equal": ("NoSchedule", [{"key": "gpu", "value": "yes"}], True),
    "another value": ("NoSchedule", [{"key": "gpu", "operator": "Equal", "value": "no"}], False),
    "exists": ("NoSchedule", [{"key": "gpu", "operator": "Exists"}], True),
    "exists without a key covers all": ("NoSchedule", [{"operator": "Exists"}], True),
    "another effect": ("NoSchedule", [{"key": "gpu", "operator": "Exists", "effect": "NoExecute"}], False),
    "any effect": ("NoExecute", [{"key": "gpu", "operator": "Exists"}], True),
    "NoExecute, not tolerated": ("NoExecute", [], False),
    "PreferNoSchedule is no obstacle": ("PreferNoSchedule", [], True),
}


@pytest.mark.parametrize(("effect", "tolerations", "fits"), TOLERATIONS.values(), ids=TOLERATIONS)
def test_taints(effect: str, tolerations: list[dict[str, Any]], fits: bool) -> None:
    cluster = cluster_of(a_node("n", taints=[{**TAINT, "effect": effect}]))
    choice = cluster.choose(a_spec(tolerations=tolerations))
    assert bool(choice.node) is fits
    if not fits:
        assert choice.why == available(1, "1 node(s) had untolerated taint(s)", lasting=1)


SENTENCES = {
    "1.23": "1 node(s) had taint {gpu: yes}, that the pod didn't tolerate",
    "1.24": "1 node(s) had untolerated taint {gpu: yes}",
    "1.34.1": "1 node(s) had untolerated taint {gpu: yes}",
    "1.34.2": "1 node(s) had untolerated taint(s)",
    "1.37": "1 node(s) had untolerated taint(s)",
}


@pytest.mark.parametrize(("release", "sentence"), SENTENCES.items())
def test_taints_are_told_in_the_words_of_the_release(release: str, sentence: str) -> None:
    world = World(release_of(release)).put(a_node("n", taints=[TAINT]))
    assert world.choose(a_spec()).why.startswith(f"0/1 nodes are available: {sentence}.")


PREEMPTION = {
    "1.23": "",
    "1.24": " preemption: {}.",
    "1.25": " preemption: {}..",
    "1.29": " preemption: {}..",
    "1.30": " preemption: {}.",
    "1.34": " no new claims to deallocate, preemption: {}.",
    "1.36": " no new claims to deallocate, preemption: {}.",
    "1.37": " preemption: {}.",
}


@pytest.mark.parametrize(("release", "sentence"), PREEMPTION.items())
def test_preemption_is_told_in_the_words_of_the_release(release: str, sentence: str) -> None:
    world = World(release_of(release)).put(a_node("n", unschedulable=True), a_node("m", cpu="2"))
    world.place(a_spec(requests={"cpu": "1"}), 1)
    said = "1 No preemption victims found for incoming pod, 1 Preemption is not helpful for scheduling"
    assert world.choose(a_spec(requests={"cpu": "2"})).why == (
        "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable."
        + sentence.format(f"0/2 nodes are available: {said}")
    )


@pytest.mark.parametrize(("release", "helpful"), [("1.33", True), ("1.34", False)])
def test_preemption_does_not_help_on_a_node_that_is_too_small(release: str, helpful: bool) -> None:
    why = World(release_of(release)).put(a_node("n", cpu="1")).choose(a_spec(requests={"cpu": "2"})).why
    assert ("1 No preemption victims found for incoming pod" in why) is helpful
    assert ("1 Preemption is not helpful for scheduling" in why) is not helpful


def test_a_cordoned_node_takes_only_who_tolerates_it() -> None:
    cluster = cluster_of(a_node("n", unschedulable=True))
    assert cluster.choose(a_spec()).why == available(1, "1 node(s) were unschedulable", lasting=1)
    tolerant = a_spec(tolerations=[{"key": "node.kubernetes.io/unschedulable", "operator": "Exists"}])
    assert cluster.choose(tolerant).node == "n"


ROOM: dict[str, tuple[dict[str, str], dict[str, str], int]] = {
    "cpu": ({"cpu": "2"}, {"cpu": "500m"}, 4),
    "cpu is rounded up to thousandths": ({"cpu": "1m"}, {"cpu": "0.0004"}, 1),
    "memory": ({"memory": "1Gi"}, {"memory": "300Mi"}, 3),
    "pods": ({"pods": "2"}, {}, 2),
    "pods in another form": ({"pods": "2e0"}, {}, 2),
    "the scarcer counts": ({"cpu": "8", "memory": "1Gi"}, {"cpu": "1", "memory": "1Gi"}, 1),
    "nothing asked for fits into nothing": ({"cpu": "0", "memory": "0", "pods": "3"}, {}, 3),
}


@pytest.mark.parametrize(("node", "requests", "fitting"), ROOM.values(), ids=ROOM)
def test_resources(node: dict[str, str], requests: dict[str, str], fitting: int) -> None:
    chosen = placed(cluster_of(a_node("n", **node)), a_spec(requests=requests), fitting + 1)  # type: ignore[arg-type]
    assert chosen[:-1] == ["n"] * fitting
    assert chosen[-1].startswith("0/1 nodes are available: 1 ")


def test_requests_are_those_of_all_containers_or_the_largest_init_container() -> None:
    def container(name: str, cpu: str) -> dict[str, Any]:
        return {"name": name, "image": "i", "resources": {"requests": {"cpu": cpu}}}

    spec = a_spec(
        containers=[container("a", "1"), container("b", "500m")],
        initContainers=[container("i", "2"), container("j", "1")],
        overhead={"cpu": "100m", "memory": "1Ki"},
    )
    assert requests_of(spec) == Resources(2_100, 1024)


def test_room_comes_back_when_a_pod_goes() -> None:
    world = cluster_of(a_node("n", cpu="1"))
    spec = a_spec(requests={"cpu": "1"})
    assert placed(world, spec, 2) == ["n", available(1, "1 Insufficient cpu")]
    world.end(next(iter(world.placed)))
    assert world.choose(spec).node == "n"


def test_room_that_comes_back_on_a_cordoned_node_is_not_offered() -> None:
    world = cluster_of(a_node("a", cpu="1", unschedulable=True), a_node("b", cpu="4"))
    spec = a_spec(requests={"cpu": "1"})
    on_cordoned = world.run("a", world.demand(spec))
    assert placed(world, spec, 1) == ["b"]
    world.end(on_cordoned)
    assert world.choose(spec).node == "b"


def test_host_ports_are_taken_once_for_each_protocol() -> None:
    port = {"containerPort": 80, "hostPort": 8080}
    cluster = cluster_of(a_node("a"), a_node("b"))
    sentence = available(2, "2 node(s) didn't have free ports for the requested pod ports")
    assert placed(cluster, a_spec(ports=[port]), 3) == ["a", "b", sentence]
    assert placed(cluster, a_spec(ports=[{**port, "protocol": "UDP"}]), 1) == ["a"]
    assert placed(cluster, a_spec(ports=[{**port, "hostPort": 8081}]), 1) == ["b"]


def test_pods_spread_over_the_emptiest_nodes_in_the_order_of_names() -> None:
    cluster = cluster_of(*(a_node(name) for name in "cab"))
    assert placed(cluster, a_spec(), 7) == ["a", "b", "c", "a", "b", "c", "a"]


def test_pods_of_other_templates_count_when_spreading() -> None:
    world = cluster_of(a_node("a"), a_node("b"))
    assert placed(world, a_spec(), 2) == ["a", "b"]
    world.end(next(pod for pod, node in world.placed.items() if node == "b"))
    assert placed(world, a_spec(requests={"cpu": "1"}), 1) == ["b"]


def test_a_node_that_appears_grows_or_goes() -> None:
    world = cluster_of()
    cluster, spec = world.cluster, a_spec(requests={"cpu": "3"})
    assert world.choose(spec).why == "no nodes available to schedule pods"
    assert cluster.put_node(node_view(a_node("n", cpu="2")))
    assert world.choose(spec).why == available(1, "1 Insufficient cpu", lasting=1)
    assert not cluster.put_node(node_view(a_node("n", cpu="2"))), "nothing that matters has changed"
    assert cluster.put_node(node_view(a_node("n", cpu="4")))
    assert world.choose(spec).node == "n"
    assert cluster.remove_node("n")
    assert not cluster.remove_node("n")
    assert world.choose(spec).node == ""


def test_the_sentence_counts_each_obstacle() -> None:
    cluster = cluster_of(
        a_node("small", cpu="1", memory="1Gi"),
        a_node("full", pods="0"),
        a_node("cordoned", unschedulable=True),
        a_node("tainted", taints=[TAINT]),
        a_node("also-tainted", taints=[TAINT]),
        a_node("elsewhere", labels={"zone": "b"}),
    )
    cluster.put(a_node("right", labels={"zone": "a"}, cpu="1"))
    spec = a_spec(nodeSelector={"zone": "a"}, requests={"cpu": "2", "memory": "2Gi"})
    assert cluster.choose(spec).why == available(
        7,
        "1 Insufficient cpu, 1 node(s) were unschedulable, "
        "2 node(s) had untolerated taint(s), 3 node(s) didn't match Pod's node affinity/selector",
        lasting=7,
    )
    assert cluster_of(a_node("n", cpu="1", memory="1Gi", pods="0")).choose(spec_without_zone()).why == available(
        1, "1 Insufficient cpu, 1 Insufficient memory, 1 Too many pods", lasting=1
    )


def spec_without_zone() -> PodSpec:
    return a_spec(requests={"cpu": "2", "memory": "2Gi"})


def test_pods_of_one_template_share_their_demand() -> None:
    assert (
        demand_of(a_spec(nodeSelector={"a": "1", "b": "2"})).key
        == demand_of(a_spec(nodeSelector={"b": "2", "a": "1"})).key
    )
    assert demand_of(a_spec()).key != demand_of(a_spec(requests={"cpu": "1"})).key
