"""What a kubelet registers its node with, and what it tells of it (docs/semantics/pod-lifecycle.md section 9)."""

from __future__ import annotations

import re

import pytest

from rollplane_kubelet_sim.node_news import NodeNews, change_notes, cordon_note, start_notes
from rollplane_kubelet_sim.node_objects import condition_statuses, node_object
from rollplane_kubelet_sim.node_pools.planning import plan_nodes
from rollplane_kubelet_sim.node_pools.pools import NodePool
from rollplane_kubelet_sim.stages.containers import Note
from rollplane_machinery.releases import release_of

HEALTHY = condition_statuses(ready=True)


@pytest.mark.parametrize(("release", "version"), [("1.20", "v1.20.0"), ("1.35.2", "v1.35.2"), ("1.37", "v1.37.0")])
def test_a_node_bears_what_every_kubelet_sets(release: str, version: str) -> None:
    node = node_object(plan_nodes((), 1, first=7)[0], release_of(release).version, 0.0)
    assert dict(node.metadata.labels) == {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": "node-7",
        "kubernetes.io/os": "linux",
    }
    info = node.status.node_info
    assert (info.operating_system, info.architecture, info.kubelet_version) == ("linux", "amd64", version)
    assert info.container_runtime_version
    assert info.os_image
    assert info.kernel_version
    assert [(each.type, each.address) for each in node.status.addresses] == [
        ("InternalIP", "172.16.0.8"),
        ("Hostname", "node-7"),
    ]
    assert not node.status.images


def test_machines_differ_by_name_and_stay_themselves() -> None:
    def info(name: str) -> tuple[str, str, str]:
        (plan,) = plan_nodes([NodePool(count=1, exact=name)])
        found = node_object(plan, "v1", 0.0).status.node_info
        return found.machine_id, found.system_uuid, found.boot_id

    assert info("a") == info("a")
    assert len({*info("a"), *info("b")}) == 6
    assert re.fullmatch(r"[0-9a-f]{32}", info("a")[0])


def reasons(notes: object) -> list[str]:
    assert isinstance(notes, tuple | list)
    return [note.reason for note in notes]


def test_a_new_node_is_told_of_step_by_step() -> None:
    assert reasons(start_notes("n", registered=True)) == [
        "Starting",
        "NodeHasSufficientMemory",
        "NodeHasNoDiskPressure",
        "NodeHasSufficientPID",
        "NodeAllocatableEnforced",
        "NodeReady",
    ]
    assert start_notes("n", registered=True)[-1].message == "Node n status is now: NodeReady"


def test_a_kubelet_that_finds_its_node_has_started_and_no_more() -> None:
    assert reasons(start_notes("n", registered=False)) == ["Starting", "NodeAllocatableEnforced"]


CHANGES = {
    "nothing": (HEALTHY, HEALTHY, []),
    "heard again": (
        dict.fromkeys(HEALTHY, "Unknown"),
        HEALTHY,
        ["NodeHasSufficientMemory", "NodeHasNoDiskPressure", "NodeHasSufficientPID", "NodeReady"],
    ),
    "not ready": (HEALTHY, condition_statuses(ready=False), ["NodeNotReady"]),
    "ready again": (condition_statuses(ready=False), HEALTHY, ["NodeReady"]),
}


@pytest.mark.parametrize(("before", "after", "told"), CHANGES.values(), ids=CHANGES)
def test_changes_of_conditions_are_told(before: dict[str, str], after: dict[str, str], told: list[str]) -> None:
    assert reasons(list(change_notes("n", before, after))) == told


def test_cordoning_is_told() -> None:
    assert cordon_note("n", unschedulable=True) == Note(
        "NodeNotSchedulable", "Node n status is now: NodeNotSchedulable"
    )
    assert cordon_note("n", unschedulable=False).reason == "NodeSchedulable"


def test_a_fleet_that_starts_does_not_tell_everything_at_once() -> None:
    told: list[str] = []
    news = NodeNews(lambda name, _note: told.append(name))
    for number in range(30):
        news.add(f"n{number}", start_notes("n", registered=False))
    news.tell()
    assert len(told) == 40
    news.tell()
    assert len(told) == 60
    assert told[:4] == ["n0", "n0", "n1", "n1"]
