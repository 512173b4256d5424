"""Which nodes run a daemon, how its pods are made, and its history: docs/semantics/daemonset.md sections 2, 3 and 7."""

from __future__ import annotations

from typing import Any

import pytest

from rollplane.core.v1 import Node
from rollplane_controller.reconcile.daemon_sets import FailureBackoff
from rollplane_planners.daemon_set.placement import daemon_spec, eligibility
from rollplane_planners.hashing import template_hash
from rollplane_planners.model import CreateObject
from rollplane_planners.scheduling.nodes import node_view
from tests.planners.daemon_sets import (
    a_daemon_set,
    a_revision,
    created,
    daemon,
    daemons,
    nodes,
    plan,
    revision_steps,
    status_of,
    steps,
)
from tests.planners.pods import a_node


def affinity(*terms: dict[str, Any]) -> dict[str, Any]:
    required = {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": list(terms)}}
    return {"affinity": {"nodeAffinity": required}}


def expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"matchExpressions": [{"key": key, "operator": operator, "values": list(values)}]}


def taint(effect: str, key: str = "k") -> list[dict[str, str]]:
    return [{"key": key, "value": "v", "effect": effect}]


NODE_NAME = {"matchFields": [{"key": "metadata.name", "operator": "In", "values": ["n0"]}]}
LABELLED = a_node("n0", labels={"disk": "ssd", "size": "8"})
BOTH = {
    "matchExpressions": [
        *expression("disk", "In", "ssd")["matchExpressions"],
        *expression("gpu", "Exists")["matchExpressions"],
    ]
}

ELIGIBLE: dict[str, tuple[dict[str, Any], Node, tuple[bool, bool]]] = {
    "otherwise": ({}, a_node("n0"), (True, True)),
    "nodeName of another": ({"nodeName": "n1"}, a_node("n0"), (False, False)),
    "nodeName of this one": ({"nodeName": "n0"}, a_node("n0"), (True, True)),
    "nodeSelector fails": ({"nodeSelector": {"disk": "hdd"}}, LABELLED, (False, False)),
    "nodeSelector holds": ({"nodeSelector": {"disk": "ssd"}}, LABELLED, (True, True)),
    "affinity fails": (affinity(expression("disk", "In", "hdd")), LABELLED, (False, False)),
    "affinity: terms are alternatives": (
        affinity(expression("disk", "In", "hdd"), expression("disk", "In", "ssd")),
        LABELLED,
        (True, True),
    ),
    "affinity: expressions of a term all hold": (affinity(BOTH), LABELLED, (False, False)),
    "affinity: NotIn matches an absent key": (affinity(expression("gpu", "NotIn", "a")), LABELLED, (True, True)),
    "affinity: DoesNotExist": (affinity(expression("gpu", "DoesNotExist")), LABELLED, (True, True)),
    "affinity: Gt": (affinity(expression("size", "Gt", "7")), LABELLED, (True, True)),
    "affinity: Lt": (affinity(expression("size", "Lt", "8")), LABELLED, (False, False)),
    "affinity: an empty term matches nothing": (affinity({}), LABELLED, (False, False)),
    "affinity: no term matches nothing": (affinity(), LABELLED, (False, False)),
    "affinity: by name": (affinity(NODE_NAME), a_node("n0"), (True, True)),
    "affinity: by another name": (affinity(NODE_NAME), a_node("n1"), (False, False)),
    "NoSchedule": ({}, a_node("n0", taints=taint("NoSchedule")), (False, True)),
    "NoExecute": ({}, a_node("n0", taints=taint("NoExecute")), (False, False)),
    "PreferNoSchedule": ({}, a_node("n0", taints=taint("PreferNoSchedule")), (True, True)),
    "tolerated": (
        {"tolerations": [{"key": "k", "operator": "Exists"}]},
        a_node("n0", taints=taint("NoExecute")),
        (True, True),
    ),
    "NoExecute tolerated, NoSchedule not": (
        {"tolerations": [{"key": "k", "operator": "Exists", "effect": "NoExecute"}]},
        a_node("n0", taints=[*taint("NoExecute"), *taint("NoSchedule")]),
        (False, True),
    ),
    "cordoned": ({}, a_node("n0", unschedulable=True), (True, True)),
    "not ready": ({}, a_node("n0", taints=taint("NoExecute", "node.kubernetes.io/not-ready")), (True, True)),
    "unreachable": ({}, a_node("n0", taints=taint("NoExecute", "node.kubernetes.io/unreachable")), (True, True)),
    "disk pressure": ({}, a_node("n0", taints=taint("NoSchedule", "node.kubernetes.io/disk-pressure")), (True, True)),
    "memory pressure": (
        {},
        a_node("n0", taints=taint("NoSchedule", "node.kubernetes.io/memory-pressure")),
        (True, True),
    ),
    "pid pressure": ({}, a_node("n0", taints=taint("NoSchedule", "node.kubernetes.io/pid-pressure")), (True, True)),
    "no network": (
        {},
        a_node("n0", taints=taint("NoSchedule", "node.kubernetes.io/network-unavailable")),
        (False, True),
    ),
    "no network, but the host's": (
        {"hostNetwork": True},
        a_node("n0", taints=taint("NoSchedule", "node.kubernetes.io/network-unavailable")),
        (True, True),
    ),
    "no room does not matter": ({}, a_node("n0", cpu="0", pods="0"), (True, True)),
}


@pytest.mark.parametrize(("pod", "node", "expected"), ELIGIBLE.values(), ids=ELIGIBLE)
def test_eligibility(pod: dict[str, Any], node: Node, expected: tuple[bool, bool]) -> None:
    """2: should run, should continue running."""
    found = eligibility(daemon_spec(a_daemon_set(pod=pod)), node_view(node))
    assert (found.should_run, found.should_continue) == expected


def test_own_toleration_of_the_same_trouble_loses_its_time() -> None:
    """2: same key, effect, operator and value is overwritten, others are kept beside it."""
    key = "node.kubernetes.io/not-ready"
    own = [
        {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 5},
        {"key": key, "operator": "Equal", "value": "x", "effect": "NoExecute", "tolerationSeconds": 7},
    ]
    found = [one for one in daemon_spec(a_daemon_set(pod={"tolerations": own})).tolerations if one.key == key]
    assert sorted((one.operator, one.HasField("toleration_seconds")) for one in found) == [
        ("Equal", True),
        ("Exists", False),
    ]


def test_pod_is_tied_to_its_node() -> None:
    """3: labels, owner, and a required affinity whose terms are replaced; the scheduler binds it."""
    pods = created(plan(a_daemon_set(pod=affinity(expression("disk", "In", "ssd"))), [LABELLED], []))
    (pod,) = pods
    assert dict(pod.metadata.labels) == {
        "app": "log",
        "controller-revision-hash": "v2",
        "pod-template-generation": "2",
    }
    terms = pod.spec.affinity.node_affinity.required_during_scheduling_ignored_during_execution.node_selector_terms
    (term,) = terms
    assert not term.match_expressions
    assert [(one.key, one.operator, list(one.values)) for one in term.match_fields] == [("metadata.name", "In", ["n0"])]
    assert pod.spec.node_name == ""
    (owner,) = pod.metadata.owner_references
    assert (owner.kind, owner.name, owner.controller) == ("DaemonSet", "log", True)


def _revisions(image: str, *known: tuple[str, str, int]) -> list[Any]:
    daemon_set = a_daemon_set(image)
    return [a_revision(daemon_set, of, number, name=name) for name, of, number in known]


HISTORY: dict[str, tuple[str, list[tuple[str, str, int]], list[str]]] = {
    "none equal: created with the next number": ("v3", [("a", "v1", 1), ("b", "v2", 2)], ["+3"]),
    "none at all": ("v1", [], ["+1"]),
    "equal to the latest: nothing": ("v2", [("a", "v1", 1), ("b", "v2", 2)], []),
    "equal to an earlier one: raised": ("v1", [("a", "v1", 1), ("b", "v2", 2)], ["a=3"]),
    "several equal: the highest is kept": ("v1", [("a", "v1", 1), ("b", "v1", 2)], ["-a"]),
}


@pytest.mark.parametrize(("image", "known", "expected"), HISTORY.values(), ids=HISTORY)
def test_history(image: str, known: list[tuple[str, str, int]], expected: list[str]) -> None:
    """7.3."""
    assert revision_steps(plan(a_daemon_set(image), nodes(0), [], revisions=_revisions(image, *known))) == expected


def test_pods_of_merged_revisions_take_the_kept_hash_first() -> None:
    """7.3: no pod is restarted because two revisions said the same; the spare one goes when nothing carries it."""
    known = _revisions("v1", ("a", "v1", 1), ("b", "v1", 2))
    made = plan(a_daemon_set("v1"), nodes(2), daemons("a", "b"), revisions=known)
    assert (steps(made), revision_steps(made)) == (["~n0-a"], [])
    made = plan(a_daemon_set("v1"), nodes(2), daemons("b", "b"), revisions=known)
    assert (steps(made), revision_steps(made)) == ([], ["-a"])


def test_revision_without_hash_is_labelled_with_its_name() -> None:
    """7.1."""
    daemon_set = a_daemon_set("v1")
    made = plan(daemon_set, nodes(1), [], revisions=[a_revision(daemon_set, "v1", 1, name="old", labelled=False)])
    assert (revision_steps(made), steps(made)) == (["old=1"], [])


def test_created_revision_and_a_collision() -> None:
    """7.3: the hash is that of pod templates; a name that is taken counts a collision, kept in the status."""
    daemon_set = a_daemon_set("v1")
    first = template_hash(daemon_set.spec.template, None)
    made = plan(daemon_set, nodes(1), [], revisions=[])
    (revision,) = (write.object for write in made.writes if isinstance(write, CreateObject))
    assert revision.metadata.name == f"log-{first}"
    assert revision.metadata.labels["controller-revision-hash"] == first
    made = plan(daemon_set, nodes(1), [], revisions=[], taken=[f"log-{first}"])
    (revision,) = (write.object for write in made.writes if isinstance(write, CreateObject))
    assert revision.metadata.name == f"log-{template_hash(daemon_set.spec.template, 1)}"
    assert status_of(made).collision_count == 1


TRIMMED: dict[str, tuple[int, list[str], list[str]]] = {
    "within the limit": (3, ["v4"], []),
    "the oldest go": (1, ["v4"], ["-v1", "-v2"]),
    "those whose hash is on a pod stay, and others go in their place": (1, ["v1"], ["-v2", "-v3"]),
    "as many as are too many": (2, ["v1"], ["-v2"]),
}


@pytest.mark.parametrize(("limit", "running", "expected"), TRIMMED.values(), ids=TRIMMED)
def test_trimming(limit: int, running: list[str], expected: list[str]) -> None:
    """7.4."""
    daemon_set = a_daemon_set("v4", revisionHistoryLimit=limit, updateStrategy={"type": "OnDelete"})
    known = [a_revision(daemon_set, f"v{number}", number) for number in (1, 2, 3, 4)]
    assert revision_steps(plan(daemon_set, nodes(1), daemons(*running), revisions=known)) == expected


UPDATED: dict[str, tuple[dict[str, str], bool]] = {
    "by its hash": ({"controller-revision-hash": "v2"}, True),
    "by another hash, whatever its generation": (
        {"controller-revision-hash": "v1", "pod-template-generation": "2"},
        False,
    ),
    "by its generation, from before there were hashes": ({"pod-template-generation": "2"}, True),
    "by an earlier generation": ({"pod-template-generation": "1"}, False),
    "by nothing": ({}, False),
}


@pytest.mark.parametrize(("labels", "updated"), UPDATED.values(), ids=UPDATED)
def test_updated_pods(labels: dict[str, str], updated: bool) -> None:
    """7, and 9 for pods of old releases."""
    pod = daemon(0, labels={"app": "log", **labels})
    assert steps(plan(a_daemon_set(), nodes(1), [pod])) == ([] if updated else [f"-{pod.metadata.name}"])


def test_back_off_of_failed_pods() -> None:
    """5: 1 s doubling to 15 min, for each set, generation and node; forgotten after half an hour without failure."""
    backoff, key, now = FailureBackoff(), ("uid", 1, "n0"), 0.0
    delays = []
    for _ in range(12):
        assert backoff.remaining(key, now) == 0.0
        backoff.note(key, now)
        delays.append(backoff.remaining(key, now))
        now += delays[-1]
    assert delays == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]
    assert backoff.remaining(("uid", 2, "n0"), now) == backoff.remaining(("uid", 1, "n1"), now) == 0.0
    backoff.note(key, now + 1801)
    assert backoff.remaining(key, now + 1801) == 1.0
