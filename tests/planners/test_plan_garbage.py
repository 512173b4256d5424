"""docs/semantics/api-conventions.md section 4 (garbage) and 11 (namespaces), pod-lifecycle.md section 10 (pod GC)."""

from __future__ import annotations

from collections import Counter

import pytest

from rollplane.core.v1 import Namespace, Node
from rollplane.meta.v1 import ObjectMeta
from rollplane_machinery.api import Propagation
from rollplane_machinery.kinds import DEPLOYMENT, EVENT, LEASE, NODE, POD
from rollplane_planners.garbage import Collect, Detach, Keep, Standing, Verdict, detach, judge, unblock
from rollplane_planners.namespace import CONTENT, Remainder, may_go, other_finalizers, with_conditions
from rollplane_planners.pod_gc import QUARANTINE_SECONDS, is_out_of_service, plan_sweep
from rollplane_planners.pods import PodView
from tests.planners.pods import NOW, a_node, a_view

SOLID, WAITING, DANGLING = Standing.SOLID, Standing.WAITING, Standing.DANGLING
BACKGROUND, FOREGROUND, ORPHAN = Propagation.BACKGROUND, Propagation.FOREGROUND, Propagation.ORPHAN


def dependent(owners: int, *finalizers: str, terminating: bool = False) -> ObjectMeta:
    metadata = ObjectMeta(finalizers=finalizers)
    for number in range(owners):
        metadata.owner_references.add(uid=f"o{number}", block_owner_deletion=True)
    if terminating:
        metadata.deletion_timestamp.seconds = int(NOW)
    return metadata


# The dependent, how it stands with each owner, whether it has dependents itself.
VERDICTS: dict[str, tuple[ObjectMeta, list[Standing], bool, Verdict]] = {
    "no owners": (dependent(0), [], False, Keep()),
    "solid": (dependent(1), [SOLID], False, Keep()),
    "any solid: dangling references go": (dependent(2), [DANGLING, SOLID], False, Detach(frozenset({"o0"}))),
    "any solid: waiting references go": (dependent(2), [SOLID, WAITING], True, Detach(frozenset({"o1"}))),
    "dangling": (dependent(1), [DANGLING], False, Collect(BACKGROUND)),
    "all dangling": (dependent(2), [DANGLING, DANGLING], True, Collect(BACKGROUND)),
    "waiting, without dependents": (dependent(1), [WAITING], False, Collect(BACKGROUND)),
    "waiting, with dependents": (dependent(1), [WAITING], True, Collect(FOREGROUND)),
    "waiting and dangling, with dependents": (dependent(2), [DANGLING, WAITING], True, Collect(FOREGROUND)),
    "policy from its own finalizers: orphan": (dependent(1, "orphan"), [DANGLING], True, Collect(ORPHAN)),
    "policy from its own finalizers: foreground": (
        dependent(1, "foregroundDeletion"),
        [DANGLING],
        True,
        Collect(FOREGROUND),
    ),
    "going already": (dependent(1, terminating=True), [DANGLING], True, Keep()),
    "going, yet with a solid owner": (
        dependent(2, terminating=True),
        [DANGLING, SOLID],
        True,
        Detach(frozenset({"o0"})),
    ),
}


@pytest.mark.parametrize(("metadata", "standings", "has_dependents", "expected"), VERDICTS.values(), ids=VERDICTS)
def test_verdict(metadata: ObjectMeta, standings: list[Standing], has_dependents: bool, expected: Verdict) -> None:
    assert judge(metadata, standings, has_dependents=has_dependents) == expected


def test_a_circle_is_broken_by_clearing_block_owner_deletion() -> None:
    metadata = dependent(2)
    verdict = judge(metadata, [WAITING, WAITING], has_dependents=True, in_circle=True)
    assert verdict == Collect(FOREGROUND, unblock=True)
    unblock(metadata)
    assert [reference.block_owner_deletion for reference in metadata.owner_references] == [False, False]


def test_detaching_leaves_the_other_owners() -> None:
    metadata = dependent(3)
    detach(metadata, frozenset({"o0", "o2"}))
    assert [reference.uid for reference in metadata.owner_references] == ["o1"]


def names(pods: list[PodView] | tuple[PodView, ...]) -> list[str]:
    return [pod.name for pod in pods]


def test_pod_gc_1_finished_pods_beyond_the_limit_oldest_first() -> None:
    pods = [a_view(f"p{age}", phase="Failed" if age % 2 else "Succeeded", age=age) for age in (5, 9, 7, 1)]
    sweep = plan_sweep([*pods, a_view("runs", age=99)], {"n"}, {}, NOW, terminated_limit=2)
    assert names(list(sweep.doomed)) == ["p9", "p7"]
    assert not plan_sweep(pods, {"n"}, {}, NOW, terminated_limit=4).doomed


def test_pod_gc_2_pods_of_missing_nodes_after_their_quarantine() -> None:
    pods = [a_view("here", node="n"), a_view("stranded", node="gone"), a_view("finished", node="gone", phase="Failed")]
    first = plan_sweep(pods, {"n"}, {}, 100.0)
    assert first.missing_since == {"gone": 100.0}
    assert not first.lost
    early = plan_sweep(pods, {"n"}, first.missing_since, 100.0 + QUARANTINE_SECONDS - 1)
    assert not early.lost
    due = plan_sweep(pods, {"n"}, early.missing_since, 100.0 + QUARANTINE_SECONDS)
    assert {node: names(list(stranded)) for node, stranded in due.lost.items()} == {"gone": ["stranded", "finished"]}
    assert not due.doomed, "only a live look makes them doomed"


def test_pod_gc_2_a_node_that_returns_starts_anew() -> None:
    pods = [a_view("a", node="n")]
    away = plan_sweep(pods, set(), {}, 0.0)
    back = plan_sweep(pods, {"n"}, away.missing_since, 20.0)
    assert back.missing_since == {}
    assert not plan_sweep(pods, set(), back.missing_since, 45.0).lost


def test_pod_gc_3_terminating_pods_that_were_never_scheduled() -> None:
    pods = [
        a_view("never", node="", terminating=True),
        a_view("waits", node=""),
        a_view("its-kubelet-will", terminating=True),
    ]
    assert names(list(plan_sweep(pods, {"n"}, {}, NOW).doomed)) == ["never"]


OUT = [{"key": "node.kubernetes.io/out-of-service", "effect": "NoExecute"}]


@pytest.mark.parametrize(
    ("node", "ready", "expected"),
    [(a_node("n", taints=OUT), False, True), (a_node("n", taints=OUT), True, False), (a_node("n"), False, False)],
    ids=["tainted and silent", "tainted, yet ready", "silent"],
)
def test_pod_gc_4_terminating_pods_of_nodes_out_of_service(node: Node, ready: bool, expected: bool) -> None:
    node.status.conditions.add(type="Ready", status="True" if ready else "Unknown")
    assert is_out_of_service(node) is expected
    pods = [a_view("ends", terminating=True), a_view("runs")]
    closed = frozenset({"n"}) if expected else frozenset()
    assert names(list(plan_sweep(pods, {"n"}, {}, NOW, out_of_service=closed).doomed)) == ["ends"] * expected


def a_namespace(*finalizers: str) -> Namespace:
    namespace = Namespace()
    namespace.metadata.name = "shop"
    namespace.spec.finalizers.extend(finalizers)
    return namespace


def test_a_namespace_may_go_when_nothing_is_left() -> None:
    left = [Remainder(POD, 2)]
    assert may_go(a_namespace("kubernetes"), [])
    assert not may_go(a_namespace("kubernetes"), left)
    assert not may_go(a_namespace("other"), []), "ours is gone already"
    assert other_finalizers(a_namespace("a", "kubernetes", "b")) == ["a", "b"]


def test_a_namespace_holds_every_namespaced_kind() -> None:
    assert {POD, DEPLOYMENT, EVENT, LEASE} <= set(CONTENT)
    assert NODE not in CONTENT


def test_a_namespace_says_what_it_waits_for() -> None:
    left = [Remainder(POD, 2, Counter({"keep": 1})), Remainder(DEPLOYMENT, 1)]
    waiting = with_conditions(a_namespace("kubernetes"), left, [], NOW)
    said = {one.type: (one.status, one.message) for one in waiting.status.conditions}
    assert said == {
        "NamespaceDeletionDiscoveryFailure": ("False", "All resources successfully discovered"),
        "NamespaceDeletionGroupVersionParsingFailure": ("False", "All legacy kube types successfully parsed"),
        "NamespaceDeletionContentFailure": (
            "False",
            "All content successfully deleted, may be waiting on finalization",
        ),
        "NamespaceContentRemaining": (
            "True",
            "Some resources are remaining: deployments.apps has 1 resource instances, pods. has 2 resource instances",
        ),
        "NamespaceFinalizersRemaining": (
            "True",
            "Some content in the namespace has finalizers remaining: keep in 1 resource instances",
        ),
    }
    assert with_conditions(waiting, left, [], NOW + 60) == waiting
    empty = with_conditions(waiting, [], [], NOW + 60)
    assert {one.status for one in empty.status.conditions} == {"False"}
    moved = {one.type for one in empty.status.conditions if one.last_transition_time.seconds == int(NOW) + 60}
    assert moved == {"NamespaceContentRemaining", "NamespaceFinalizersRemaining"}


def test_a_namespace_says_which_deletions_failed_until_they_succeed() -> None:
    failed = with_conditions(a_namespace("kubernetes"), [], ["secrets: no", "pods: no"], NOW)
    said = {one.type: one for one in failed.status.conditions}["NamespaceDeletionContentFailure"]
    assert (said.status, said.reason) == ("True", "ContentDeletionFailed")
    assert said.message == "Failed to delete all resource types, 2 remaining: pods: no, secrets: no"
    healed = with_conditions(failed, [], [], NOW + 60)
    said = {one.type: one for one in healed.status.conditions}["NamespaceDeletionContentFailure"]
    assert (said.status, said.reason) == ("False", "ContentDeleted")
    assert said.last_transition_time.seconds == int(NOW) + 60
