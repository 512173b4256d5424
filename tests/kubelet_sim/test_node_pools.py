"""Pools of nodes: how they are written, what is wrong with them, and which nodes come of them."""

from __future__ import annotations

from pathlib import Path

import pytest

from rollplane_kubelet_sim.limits import MAX_NODES
from rollplane_kubelet_sim.node_pools.files import parse_node_file
from rollplane_kubelet_sim.node_pools.grammar import parse_pool
from rollplane_kubelet_sim.node_pools.planning import plan_nodes
from rollplane_kubelet_sim.node_pools.pools import NodePool, NodeShape, PlannedNode, Taint
from rollplane_kubelet_sim.settings import read_arguments, read_fleet
from rollplane_machinery.errors import BadRequestError, InvalidError

GPU = (
    "name=gpu,count=3,zone=eu-1a,zone=eu-1b,region=eu-1,type=g5.xlarge,role=worker,role=gpu,cpu=16,memory=64Gi,pods=110,"
    "storage=200Gi,resource.nvidia.com/gpu=4,allocatable.cpu=15500m,allocatable.storage=180Gi,label.team=ml,"
    "taint=nvidia.com/gpu=present:NoSchedule,taint=slow:PreferNoSchedule,unschedulable=true"
)
GPU_FILE = """
pools:
- name: gpu
  count: 3
  zone: [eu-1a, eu-1b]
  region: eu-1
  type: g5.xlarge
  role: [worker, gpu]
  label: {team: ml}
  taint: ["nvidia.com/gpu=present:NoSchedule", "slow:PreferNoSchedule"]
  cpu: 16
  memory: 64Gi
  pods: 110
  storage: 200Gi
  resource: {nvidia.com/gpu: 4}
  allocatable: {cpu: 15.5, storage: 180Gi}
  unschedulable: true
"""


def test_a_pool_is_written_on_one_line_or_in_a_file() -> None:
    pool = parse_pool(GPU)
    assert parse_node_file(GPU_FILE, "nodes.yaml") == (pool,)
    assert (pool.count, pool.zones, pool.roles) == (3, ("eu-1a", "eu-1b"), ("worker", "gpu"))
    assert pool.taints == (Taint("nvidia.com/gpu", "present", "NoSchedule"), Taint("slow", "", "PreferNoSchedule"))


def test_a_node_bears_what_its_pool_says_and_what_every_node_bears() -> None:
    node = plan_nodes([parse_pool(GPU)])[1]
    assert dict(node.labels) == {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/instance-type": "g5.xlarge",
        "beta.kubernetes.io/os": "linux",
        "failure-domain.beta.kubernetes.io/region": "eu-1",
        "failure-domain.beta.kubernetes.io/zone": "eu-1b",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": "gpu-1",
        "kubernetes.io/os": "linux",
        "node-role.kubernetes.io/gpu": "",
        "node-role.kubernetes.io/worker": "",
        "node.kubernetes.io/instance-type": "g5.xlarge",
        "team": "ml",
        "topology.kubernetes.io/region": "eu-1",
        "topology.kubernetes.io/zone": "eu-1b",
    }
    assert node.capacity == {
        "cpu": "16",
        "ephemeral-storage": "200Gi",
        "memory": "64Gi",
        "nvidia.com/gpu": "4",
        "pods": "110",
    }
    assert node.allocatable == dict(node.capacity) | {"cpu": "15500m", "ephemeral-storage": "180Gi"}
    assert node.unschedulable


def test_a_pool_may_be_of_another_machine() -> None:
    (node,) = plan_nodes([parse_pool("count=1,label.kubernetes.io/os=windows,label.kubernetes.io/arch=arm64")])
    assert (node.os, node.architecture) == ("windows", "arm64")
    assert node.labels["beta.kubernetes.io/os"] == "windows"


KNOWN = (
    "known are name, count, zone, region, type, role, label, taint, cpu, memory, pods, storage, resource, allocatable, "
    "unschedulable"
)
BAD = {
    "cont=3": f"cont: unknown field, did you mean count? {KNOWN}",
    "name=gpu,price=3": f"price: unknown field; {KNOWN}",
    "zone": "zone: has no value, want FIELD=VALUE, such as count=20; several are joined by commas",
    "count=many": "count: must be a whole number from 1 to 16384; is 'many'",
    "count=0": "count: must be a whole number from 1 to 16384; is 0",
    "cpu=1,cpu=2": "cpu: is there twice",
    "label.team=a,label.team=b": "label.team: is there twice",
    "cpu=lots": "cpu: is 'lots', want a quantity of 0 or more, such as 16, 500m or 64Gi",
    "memory=-1": "memory: is '-1', want a quantity of 0 or more, such as 16, 500m or 64Gi",
    "cpu=4,allocatable.cpu=5": "allocatable.cpu: is 5, more than the capacity of 4",
    "taint=gpu": (
        "taint: is 'gpu', want key=value:EFFECT or key:EFFECT, EFFECT NoSchedule, PreferNoSchedule, NoExecute"
    ),
    "taint=a=b:NoSchedule,taint=a=c:NoSchedule": "taint: two taints have one key and one effect",
    "unschedulable=yes": "unschedulable: must be true or false, is 'yes'",
    "label=x": "label: must be a mapping of text to text",
}


@pytest.mark.parametrize(("written", "complaint"), BAD.items(), ids=BAD)
def test_what_is_wrong_with_a_pool_is_said_with_its_field(written: str, complaint: str) -> None:
    with pytest.raises(InvalidError) as refused:
        parse_pool(written)
    assert refused.value.message == f"node pool {written!r}: {complaint}"


@pytest.mark.parametrize(
    "written", ["name=Bad_Name", "zone=a b", "role=a b", "label.a b=c", "label.a=b c", "taint=a b:NoSchedule"]
)
def test_names_are_those_of_kubernetes(written: str) -> None:
    with pytest.raises(InvalidError, match=r"is '.*': "):
        parse_pool(written)


def names(nodes: tuple[PlannedNode, ...]) -> list[str]:
    return [node.name for node in nodes]


SIZES: dict[str, tuple[list[str], int | None, list[str]]] = {
    "nobody says": ([], None, [f"node-{number}" for number in range(10)]),
    "plain nodes": ([], 2, ["node-0", "node-1"]),
    "pools alone": (["name=a,count=2", "name=b,count=1"], None, ["a-0", "a-1", "b-0"]),
    "the rest is plain": (["name=a,count=1"], 3, ["a-0", "node-0", "node-1"]),
    "the rest is shared": (
        ["name=a", "name=b,count=1", "name=c"],
        6,
        ["a-0", "a-1", "a-2", "b-0", "c-0", "c-1"],
    ),
    "ten are shared": (["name=a,count=1", "name=b"], None, ["a-0", *(f"b-{number}" for number in range(10))]),
    "nothing is left to share": (["name=a,count=1", "name=b"], 1, ["a-0"]),
    "pools without names go on counting": (["zone=a,count=2", "zone=b,count=1"], 4, [f"node-{n}" for n in range(4)]),
    "none": ([], 0, []),
}


@pytest.mark.parametrize(("pools", "nodes", "expected"), SIZES.values(), ids=SIZES)
def test_how_many_nodes_there_are(pools: list[str], nodes: int | None, expected: list[str]) -> None:
    planned = plan_nodes([parse_pool(pool) for pool in pools], nodes)
    assert names(planned) == expected
    assert [node.number for node in planned] == list(range(len(expected)))


def test_fleets_of_one_plane_number_their_nodes_apart() -> None:
    pools = [parse_pool("name=a,count=1"), parse_pool("zone=z,count=2")]
    assert names(plan_nodes(pools, first=50)) == ["a-50", "node-50", "node-51"]
    assert [node.number for node in plan_nodes(pools, first=50)] == [50, 51, 52]
    assert names(plan_nodes((), 1, prefix="edge")) == ["edge-0"]


def test_zones_take_turns() -> None:
    planned = plan_nodes([parse_pool("zone=a,zone=b,zone=c")], 7)
    assert [node.labels["topology.kubernetes.io/zone"] for node in planned] == ["a", "b", "c", "a", "b", "c", "a"]


IMPOSSIBLE: dict[str, tuple[list[NodePool], int | None, str]] = {
    "too few": ([NodePool("a", 3)], 2, "nodes is 2, but the node pools have 3: leave out --nodes, or give them less"),
    "too many": ([], MAX_NODES + 1, f"the nodes are {MAX_NODES + 1}, want at most {MAX_NODES}"),
    "no name": ([NodePool("x" * 62, 1)], None, "node prefix is 'xxx.* of which no names of nodes can be made"),
    "no node's name": ([NodePool(count=1, exact="A")], None, "no node can be called 'A'"),
    "one name twice": (
        [NodePool("a", 2), NodePool(count=1, exact="a-1")],
        None,
        r"two nodes are called a-1: give the pools names of their own \(name=…\)",
    ),
}


@pytest.mark.parametrize(("pools", "nodes", "complaint"), IMPOSSIBLE.values(), ids=IMPOSSIBLE)
def test_pools_that_do_not_go_together_are_refused(pools: list[NodePool], nodes: int | None, complaint: str) -> None:
    with pytest.raises(InvalidError, match=complaint):
        plan_nodes(pools, nodes)


def test_what_a_pool_does_not_say_the_fleet_says() -> None:
    (node,) = plan_nodes([parse_pool("count=1,memory=8Gi")], shape=NodeShape(cpu="0.5", pods=7))
    assert node.capacity == {"cpu": "500m", "ephemeral-storage": "100Gi", "memory": "8Gi", "pods": "7"}
    with pytest.raises(BadRequestError):
        plan_nodes((), 1, shape=NodeShape(cpu="lots"))


REAL = """
apiVersion: v1
kind: List
metadata: {resourceVersion: ""}
items:
- apiVersion: v1
  kind: Node
  metadata:
    name: ip-10-0-1-7.eu-west-1.compute.internal
    uid: 2f5ce9b5-6b1c-4d2a-9d44-7f6a2f1b9f10
    resourceVersion: "81732"
    creationTimestamp: "2026-02-03T10:11:12Z"
    annotations: {node.alpha.kubernetes.io/ttl: "0", volumes.kubernetes.io/controller-managed-attach-detach: "true"}
    finalizers: [example.com/agent]
    managedFields: [{manager: kubelet, operation: Update}]
    labels:
      kubernetes.io/arch: arm64
      kubernetes.io/os: linux
      kubernetes.io/hostname: ip-10-0-1-7
      topology.kubernetes.io/zone: eu-west-1a
      node-role.kubernetes.io/worker: ""
  spec:
    podCIDR: 10.1.0.0/24
    providerID: aws:///eu-west-1a/i-0123
    unschedulable: true
    taints:
    - {key: node.kubernetes.io/unschedulable, effect: NoSchedule, timeAdded: "2026-02-03T10:11:12Z"}
    - {key: dedicated, value: db, effect: NoExecute}
  status:
    addresses: [{type: InternalIP, address: 10.0.1.7}]
    allocatable: {cpu: 3920m, ephemeral-storage: "18242267924", memory: 14930Mi, pods: "58", hugepages-2Mi: "0"}
    capacity: {cpu: "4", ephemeral-storage: 20959212Ki, memory: 15930Mi, pods: "58", hugepages-2Mi: "0"}
    conditions: [{type: Ready, status: "False"}]
    images: [{names: ["registry.example/app:1"], sizeBytes: 1}]
    nodeInfo: {architecture: arm64, kubeletVersion: v1.33.1}
"""


def test_a_real_cluster_s_nodes_are_taken_as_they_are() -> None:
    (node,) = plan_nodes(parse_node_file(REAL, "nodes.yaml"))
    assert node.name == "ip-10-0-1-7.eu-west-1.compute.internal"
    assert dict(node.labels) == {
        "beta.kubernetes.io/arch": "arm64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "arm64",
        "kubernetes.io/hostname": "ip-10-0-1-7",
        "kubernetes.io/os": "linux",
        "node-role.kubernetes.io/worker": "",
        "topology.kubernetes.io/zone": "eu-west-1a",
    }
    assert node.taints == (Taint("dedicated", "db", "NoExecute"),)
    assert node.capacity["ephemeral-storage"] == "20959212Ki"
    assert node.allocatable["cpu"] == "3920m"
    assert node.architecture == "arm64"
    assert node.unschedulable


def test_one_node_many_documents_and_json_are_files_of_nodes_too() -> None:
    one = '{"kind": "Node", "apiVersion": "v1", "metadata": {"name": "a"}}'
    listed = '{"kind": "NodeList", "items": [{"kind": "Node", "metadata": {"name": "b"}}]}'
    assert names(plan_nodes(parse_node_file(one, ""))) == ["a"]
    assert names(plan_nodes(parse_node_file(f"{one}\n---\n---\n{listed}\n---\npools: [{{count: 1}}]", ""))) == [
        "a",
        "b",
        "node-0",
    ]


BAD_FILES = {
    "empty": ("", "nodes: holds no nodes: want pools, or what kubectl get nodes -o yaml shows"),
    "no YAML": ("pools: [", "^nodes: line 2: is no YAML: [^;]*$"),
    "another kind": ("{kind: Pod, metadata: {name: a}}", "kind: is 'Pod', want Node or a list of them"),
    "inside a list": ("{kind: List, items: [{kind: Pod}]}", r"items\[0\].kind: is 'Pod'"),
    "an unknown field": ("pool: []", "pool: unknown field, did you mean pools"),
    "a field of a pool": ("pools: [{count: 1}, {cnt: 2}]", r"pools\[1\].cnt: unknown field, did you mean count"),
    "no list": ("pools: {a: 1}", "pools: must be a list of pools"),
    "a node without a name": ("{kind: Node}", "metadata.name: must be text, is None"),
    "a bad effect": (
        "{kind: Node, metadata: {name: a}, spec: {taints: [{key: a, effect: Never}]}}",
        r"spec.taints\[0\].effect: is 'Never', want NoSchedule",
    ),
    "a bad amount": (
        "{kind: Node, metadata: {name: a}, status: {capacity: {cpu: lots}}}",
        "status.capacity.cpu: is 'lots', want a quantity",
    ),
}


@pytest.mark.parametrize(("text", "complaint"), BAD_FILES.values(), ids=BAD_FILES)
def test_what_is_wrong_with_a_file_is_said_with_its_place(text: str, complaint: str) -> None:
    with pytest.raises(InvalidError, match=complaint):
        parse_node_file(text, "nodes")


def test_a_kubelet_that_starts_puts_its_own_labels_right_and_leaves_the_others() -> None:
    (node,) = plan_nodes([parse_pool("count=1,zone=a,label.team=ml,label.new=x")])
    stored = dict(node.labels) | {"topology.kubernetes.io/zone": "b", "team": "web", "user": "own"}
    del stored["new"]
    assert node.missing(node.labels) == {}
    assert node.missing(stored) == {"topology.kubernetes.io/zone": "a", "new": "x"}


def test_a_process_is_told_its_pools_by_flags_variables_and_a_file(tmp_path: Path) -> None:
    file = tmp_path / "nodes.yaml"
    file.write_text(REAL, encoding="utf-8")
    by_flags = ["--node-pool", "name=a,count=1", "--node-pool=zone=z", "--nodes", "3", "--first-node", "5"]
    expected = ["a-5", "node-5", "node-6"]
    assert names(read_fleet(read_arguments(by_flags, {})).planned()) == expected
    told = {"ROLLPLANE_NODE_POOL": "name=a,count=1; zone=z;", "ROLLPLANE_NODES": "3", "ROLLPLANE_FIRST_NODE": "5"}
    assert names(read_fleet(read_arguments([], told)).planned()) == expected
    both = read_arguments([f"--node-file={file}", "--node-pool=count=1"], {})
    assert names(read_fleet(both).planned()) == ["ip-10-0-1-7.eu-west-1.compute.internal", "node-0"]
    assert len(read_fleet(read_arguments([], {})).planned()) == 10


def test_the_example_is_a_file_of_nodes() -> None:
    path = Path(__file__).parents[2] / "examples" / "nodes.yaml"
    assert len(plan_nodes(parse_node_file(path.read_bytes(), path.name))) == 40
