"""Taints of nodes: docs/semantics/pod-lifecycle.md section 9, loss step 2, return, and cordon."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rollplane.core.v1 import Node
from rollplane_machinery.times import to_seconds
from rollplane_planners.node_lifecycle.planner import plan_node
from rollplane_planners.node_lifecycle.taints import no_execute_taints, plan_taints
from rollplane_planners.node_lifecycle.times import DEFAULT_TIMES
from tests.planners.nodes import NOW, health, node, taint_pairs

UNREACHABLE, NOT_READY = "node.kubernetes.io/unreachable", "node.kubernetes.io/not-ready"
LOST = {"Ready": "Unknown"}
SICK = {"Ready": "False"}
FINE = {"Ready": "True"}
Pairs = list[tuple[str, str]]

CASES: dict[str, tuple[Node, bool, bool, Pairs, bool]] = {
    # node, granted, lifted → taints, waits
    "ready: none": (node(conditions=FINE), False, False, [], False),
    "never said anything: none": (node(), False, False, [], False),
    "2 unknown: unreachable NoSchedule at once": (
        node(conditions=LOST),
        False,
        False,
        [(UNREACHABLE, "NoSchedule")],
        True,
    ),
    "2 NoExecute when it is granted": (
        node(conditions=LOST),
        True,
        False,
        [(UNREACHABLE, "NoSchedule"), (UNREACHABLE, "NoExecute")],
        False,
    ),
    "2 reported not ready: not-ready instead": (
        node(conditions=SICK),
        True,
        False,
        [(NOT_READY, "NoSchedule"), (NOT_READY, "NoExecute")],
        False,
    ),
    "2 not-ready becomes unreachable: swapped without a grant": (
        node(conditions=LOST, taints=((NOT_READY, "NoSchedule"), (NOT_READY, "NoExecute"))),
        False,
        False,
        [(UNREACHABLE, "NoSchedule"), (UNREACHABLE, "NoExecute")],
        False,
    ),
    "2 unreachable becomes not-ready: swapped without a grant": (
        node(conditions=SICK, taints=((UNREACHABLE, "NoSchedule"), (UNREACHABLE, "NoExecute"))),
        False,
        False,
        [(NOT_READY, "NoSchedule"), (NOT_READY, "NoExecute")],
        False,
    ),
    "all zones down: NoExecute goes, NoSchedule stays": (
        node(conditions=LOST, taints=((UNREACHABLE, "NoSchedule"), (UNREACHABLE, "NoExecute"))),
        True,
        True,
        [(UNREACHABLE, "NoSchedule")],
        False,
    ),
    "return: all of ours go": (
        node(conditions=FINE, taints=((UNREACHABLE, "NoSchedule"), (UNREACHABLE, "NoExecute"))),
        False,
        False,
        [],
        False,
    ),
    "others' taints stay": (
        node(
            conditions=FINE, taints=(("gpu", "NoSchedule"), (UNREACHABLE, "NoSchedule"), ("maintenance", "NoExecute"))
        ),
        False,
        False,
        [("gpu", "NoSchedule"), ("maintenance", "NoExecute")],
        False,
    ),
    "out-of-service is an operator's": (
        node(conditions=FINE, taints=(("node.kubernetes.io/out-of-service", "NoExecute"),)),
        False,
        False,
        [("node.kubernetes.io/out-of-service", "NoExecute")],
        False,
    ),
    "cordon": (
        node(conditions=FINE, unschedulable=True),
        False,
        False,
        [("node.kubernetes.io/unschedulable", "NoSchedule")],
        False,
    ),
    "uncordon": (
        node(conditions=FINE, taints=(("node.kubernetes.io/unschedulable", "NoSchedule"),)),
        False,
        False,
        [],
        False,
    ),
    "pressures": (
        node(conditions={**FINE, "MemoryPressure": "True", "DiskPressure": "True", "PIDPressure": "True"}),
        False,
        False,
        [(f"node.kubernetes.io/{what}-pressure", "NoSchedule") for what in ("memory", "disk", "pid")],
        False,
    ),
    "network": (
        node(conditions={**FINE, "NetworkUnavailable": "True"}),
        False,
        False,
        [("node.kubernetes.io/network-unavailable", "NoSchedule")],
        False,
    ),
    "pressure nobody knows of": (node(conditions={**FINE, "MemoryPressure": "Unknown"}), False, False, [], False),
}


@pytest.mark.parametrize(("before", "granted", "lifted", "expected", "waits"), CASES.values(), ids=CASES)
def test_plan_taints(before: Node, granted: bool, lifted: bool, expected: Pairs, waits: bool) -> None:
    planned = plan_taints(before, granted=granted, lifted=lifted, now=NOW)
    after = planned.node or before
    assert taint_pairs(after) == expected
    assert planned.waits is waits
    assert plan_taints(after, granted=granted, lifted=lifted, now=NOW + 1).node is None


def test_taints_tell_when_they_were_added() -> None:
    planned = plan_taints(node(conditions=LOST), granted=True, lifted=False, now=NOW + 7)
    assert planned.node is not None
    assert {to_seconds(taint.time_added) for taint in planned.node.spec.taints} == {NOW + 7}


@given(
    ready=st.sampled_from(["True", "False", "Unknown"]),
    taints=st.lists(
        st.sampled_from(
            [
                (UNREACHABLE, "NoSchedule"),
                (NOT_READY, "NoExecute"),
                (UNREACHABLE, "NoExecute"),
                ("own", "NoExecute"),
                (UNREACHABLE, "PreferNoSchedule"),
            ]
        ),
        unique=True,
    ),
    granted=st.booleans(),
    lifted=st.booleans(),
    unschedulable=st.booleans(),
)
def test_planning_again_changes_nothing_and_two_loss_taints_never_stand_together(
    ready: str, taints: Pairs, granted: bool, lifted: bool, unschedulable: bool
) -> None:
    before = node(conditions={"Ready": ready}, taints=tuple(taints), unschedulable=unschedulable)
    after = plan_taints(before, granted=granted, lifted=lifted, now=NOW).node or before
    assert plan_taints(after, granted=granted, lifted=lifted, now=NOW).node is None
    ours = [pair for pair in taint_pairs(after) if pair[0] in (UNREACHABLE, NOT_READY) and pair[1] == "NoExecute"]
    assert len(ours) <= 1
    assert not (ours and (ready == "True" or lifted))
    foreign = [pair for pair in taints if pair in (("own", "NoExecute"), (UNREACHABLE, "PreferNoSchedule"))]
    assert [pair for pair in taint_pairs(after) if pair in foreign] == foreign


def test_no_execute_taints_are_all_of_them() -> None:
    tainted = node(taints=((UNREACHABLE, "NoSchedule"), (UNREACHABLE, "NoExecute"), ("own", "NoExecute")))
    assert [taint.key for taint in no_execute_taints(tainted)] == [UNREACHABLE, "own"]


def test_plan_node_writes_conditions_first_then_taints_and_pods() -> None:
    ready = node(conditions=FINE)
    first = plan_node(
        ready, health(), DEFAULT_TIMES, granted=False, lifted=False, now=NOW, monotonic=DEFAULT_TIMES.grace_seconds + 1
    )
    assert first.status is not None
    assert (first.spec, first.lost_pods) == (None, False)
    lost = health("Unknown")
    second = plan_node(first.status, lost, DEFAULT_TIMES, granted=False, lifted=False, now=NOW, monotonic=100.0)
    assert second.status is None
    assert taint_pairs(second.spec) == [(UNREACHABLE, "NoSchedule")]
    assert (second.waits, second.lost_pods) == (True, True)


def test_plan_node_leaves_pods_of_a_node_that_reports_itself_not_ready_to_its_kubelet() -> None:
    plan = plan_node(
        node(conditions=SICK), health("False"), DEFAULT_TIMES, granted=False, lifted=False, now=NOW, monotonic=1.0
    )
    assert not plan.lost_pods
    assert taint_pairs(plan.spec) == [(NOT_READY, "NoSchedule")]
