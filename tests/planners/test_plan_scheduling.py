"""docs/semantics/pod-lifecycle.md section 2: which node takes a pod, and what is said when none does."""

from __future__ import annotations

from typing import Any

import pytest

from rollplane.core.v1 import Node, Pod, PodSpec
from rollplane_machinery.codec import from_json
from rollplane_machinery.releases import release_of
from rollplane_planners.scheduling.cluster import Cluster, node_view
from rollplane_planners.scheduling.demand import Resources, demand_of, requests_of
from tests.planners.pods import a_node


def a_spec(**fields: Any) -> PodSpec:
    requests = fields.pop("requests", None)
    container = {"name": "c", "image": "i", "resources": {"requests": requests or {}}, "ports": fields.pop("ports", [])}
    pod = from_json({"apiVersion": "v1", "kind": "Pod", "spec": {"containers": [container], **fields}})
    assert isinstance(pod, Pod)
    return pod.spec


def cluster_of(*nodes: Node) -> Cluster:
    cluster = Cluster()
    for node in nodes:
        cluster.put_node(node_view(node))
    return cluster


def placed(cluster: Cluster, spec: PodSpec, count: int) -> list[str]:
    """Choose nodes for ``count`` such pods, each counted where it goes."""
    demand = demand_of(spec)
    chosen = []
    for _ in range(count):
        choice = cluster.choose(demand)
        chosen.append(choice.node or choice.why)
        if choice.node:
            cluster.add(choice.node, demand.resources, demand.host_ports)
    return chosen


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
    choice = cluster_of(a_node("n", labels=LABELS)).choose(demand_of(a_spec(**affinity(expression))))
    assert bool(choice.node) is fits
    if not fits:
        assert choice.why == "0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector."


def test_terms_are_alternatives_and_expressions_are_not() -> None:
    here = {"key": "zone", "operator": "In", "values": ["a"]}
    there = {"key": "zone", "operator": "In", "values": ["b"]}
    cluster = cluster_of(a_node("n", labels=LABELS))
    assert cluster.choose(demand_of(a_spec(**affinity(there, here)))).node == "n"
    both = affinity(here)
    terms = both["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    terms[0]["matchExpressions"].append(there)
    assert cluster.choose(demand_of(a_spec(**both))).node == ""


def test_an_empty_term_matches_nothing() -> None:
    required: dict[str, Any] = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [{}]}}
    spec = a_spec(affinity={"nodeAffinity": required})
    assert cluster_of(a_node("n")).choose(demand_of(spec)).node == ""


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
    assert bool(cluster.choose(demand_of(a_spec(nodeSelector=selector))).node) is fits


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
    choice = cluster.choose(demand_of(a_spec(tolerations=tolerations)))
    assert bool(choice.node) is fits
    if not fits:
        assert choice.why == "0/1 nodes are available: 1 node(s) had untolerated taint(s)."


SENTENCES = {
    "1.23": "1 node(s) had taint {gpu: yes}, that the pod didn't tolerate",
    "1.24": "1 node(s) had untolerated taint {gpu: yes}",
    "1.34.1": "1 node(s) had untolerated taint {gpu: yes}",
    "1.34.2": "1 node(s) had untolerated taint(s)",
    "1.37": "1 node(s) had untolerated taint(s)",
}


@pytest.mark.parametrize(("release", "sentence"), SENTENCES.items())
def test_taints_are_told_in_the_words_of_the_release(release: str, sentence: str) -> None:
    cluster = Cluster(release_of(release).taint_sentence)
    cluster.put_node(node_view(a_node("n", taints=[TAINT])))
    assert cluster.choose(demand_of(a_spec())).why == f"0/1 nodes are available: {sentence}."


def test_a_cordoned_node_takes_only_who_tolerates_it() -> None:
    cluster = cluster_of(a_node("n", unschedulable=True))
    assert cluster.choose(demand_of(a_spec())).why == "0/1 nodes are available: 1 node(s) were unschedulable."
    tolerant = a_spec(tolerations=[{"key": "node.kubernetes.io/unschedulable", "operator": "Exists"}])
    assert cluster.choose(demand_of(tolerant)).node == "n"


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
    cluster = cluster_of(a_node("n", cpu="1"))
    demand = demand_of(a_spec(requests={"cpu": "1"}))
    assert placed(cluster, a_spec(requests={"cpu": "1"}), 2) == ["n", "0/1 nodes are available: 1 Insufficient cpu."]
    cluster.remove("n", demand.resources)
    assert cluster.choose(demand).node == "n"


def test_room_that_comes_back_on_a_cordoned_node_is_not_offered() -> None:
    cordoned = a_node("a", cpu="1")
    cordoned.spec.unschedulable = True
    cluster = cluster_of(cordoned, a_node("b", cpu="4"))
    demand = demand_of(a_spec(requests={"cpu": "1"}))
    cluster.add("a", demand.resources)
    assert cluster.choose(demand).node == "b"
    cluster.add("b", demand.resources)
    cluster.remove("a", demand.resources)
    assert cluster.choose(demand).node == "b"


def test_host_ports_are_taken_once_for_each_protocol() -> None:
    port = {"containerPort": 80, "hostPort": 8080}
    cluster = cluster_of(a_node("a"), a_node("b"))
    sentence = "0/2 nodes are available: 2 node(s) didn't have free ports for the requested pod ports."
    assert placed(cluster, a_spec(ports=[port]), 3) == ["a", "b", sentence]
    assert placed(cluster, a_spec(ports=[{**port, "protocol": "UDP"}]), 1) == ["a"]
    assert placed(cluster, a_spec(ports=[{**port, "hostPort": 8081}]), 1) == ["b"]


def test_pods_spread_over_the_emptiest_nodes_in_the_order_of_names() -> None:
    cluster = cluster_of(*(a_node(name) for name in "cab"))
    assert placed(cluster, a_spec(), 7) == ["a", "b", "c", "a", "b", "c", "a"]


def test_pods_of_other_templates_count_when_spreading() -> None:
    cluster = cluster_of(a_node("a"), a_node("b"))
    assert placed(cluster, a_spec(), 2) == ["a", "b"]
    cluster.remove("b", Resources())
    assert placed(cluster, a_spec(requests={"cpu": "1"}), 1) == ["b"]


def test_a_node_that_appears_grows_or_goes() -> None:
    cluster = cluster_of()
    demand = demand_of(a_spec(requests={"cpu": "3"}))
    assert cluster.choose(demand).why == "no nodes available to schedule pods"
    assert cluster.put_node(node_view(a_node("n", cpu="2")))
    assert cluster.choose(demand).why == "0/1 nodes are available: 1 Insufficient cpu."
    assert not cluster.put_node(node_view(a_node("n", cpu="2"))), "nothing that matters has changed"
    assert cluster.put_node(node_view(a_node("n", cpu="4")))
    assert cluster.choose(demand).node == "n"
    cluster.remove_node("n")
    assert cluster.choose(demand).node == ""


def test_the_sentence_counts_each_obstacle() -> None:
    cluster = cluster_of(
        a_node("small", cpu="1", memory="1Gi"),
        a_node("full", pods="0"),
        a_node("cordoned", unschedulable=True),
        a_node("tainted", taints=[TAINT]),
        a_node("also-tainted", taints=[TAINT]),
        a_node("elsewhere", labels={"zone": "b"}),
    )
    cluster.put_node(node_view(a_node("right", labels={"zone": "a"}, cpu="1")))
    spec = a_spec(nodeSelector={"zone": "a"}, requests={"cpu": "2", "memory": "2Gi"})
    assert cluster.choose(demand_of(spec)).why == (
        "0/7 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable, "
        "2 node(s) had untolerated taint(s), 3 node(s) didn't match Pod's node affinity/selector."
    )
    assert cluster_of(a_node("n", cpu="1", memory="1Gi", pods="0")).choose(demand_of(spec_without_zone())).why == (
        "0/1 nodes are available: 1 Insufficient cpu, 1 Insufficient memory, 1 Too many pods."
    )


def spec_without_zone() -> PodSpec:
    return a_spec(requests={"cpu": "2", "memory": "2Gi"})


def test_pods_of_one_template_share_their_demand() -> None:
    assert (
        demand_of(a_spec(nodeSelector={"a": "1", "b": "2"})).key
        == demand_of(a_spec(nodeSelector={"b": "2", "a": "1"})).key
    )
    assert demand_of(a_spec()).key != demand_of(a_spec(requests={"cpu": "1"})).key
