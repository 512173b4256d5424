"""The invariant checker finds what StatefulSets and DaemonSets must not do, and nothing in what they may."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from rollplane.apps.v1 import DaemonSet, StatefulSet
from rollplane.core.v1 import Pod
from rollplane_machinery.api import EventType, WatchBatch, WatchEvent
from rollplane_machinery.int_or_string import of
from rollplane_machinery.invariants import InvariantChecker
from rollplane_machinery.kinds import ApiObject, Encoded


class Story:
    """Tells the checker of one set, called db, and its pods."""

    def __init__(self) -> None:
        self.checker = InvariantChecker()
        self._revisions = itertools.count(10)
        self.checker.feed(WatchBatch([], 9, initial_state_complete=True))

    def tell(self, message: ApiObject, type_: EventType = EventType.MODIFIED) -> None:
        at = next(self._revisions)
        self.checker.feed(WatchBatch([WatchEvent(type_, Encoded.of(message), at)], at))

    def stateful_set(
        self,
        replicas: int = 3,
        *,
        start: int = 0,
        partition: int = 0,
        current: str = "v1",
        policy: str = "",
        generation: int = 1,
        observed: int = 0,
    ) -> None:
        one = StatefulSet()
        one.metadata.name, one.metadata.namespace, one.metadata.uid = "db", "shop", "s"
        one.metadata.generation, one.status.observed_generation = generation, observed or generation
        one.spec.ordinals.start = start
        one.spec.replicas, one.spec.pod_management_policy = replicas, policy or "OrderedReady"
        one.spec.update_strategy.type = "RollingUpdate"
        one.spec.update_strategy.rolling_update.partition = partition
        one.status.current_revision = current
        self.tell(one)

    def daemon_set(self, nodes: int = 2, *, unavailable: int = 1, surge: int = 0, observed: bool = True) -> None:
        one = DaemonSet()
        one.metadata.name, one.metadata.namespace, one.metadata.uid = "db", "shop", "s"
        one.metadata.annotations["deprecated.daemonset.template.generation"] = "2"
        one.metadata.generation, one.status.observed_generation = 2, 2 if observed else 1
        one.status.desired_number_scheduled = nodes
        one.spec.update_strategy.type = "RollingUpdate"
        rolling = one.spec.update_strategy.rolling_update
        rolling.max_unavailable.CopyFrom(of(unavailable))
        rolling.max_surge.CopyFrom(of(surge))
        self.tell(one)

    def pod(
        self,
        name: str,
        *,
        uid: str = "",
        node: str = "",
        revision: str = "v1",
        generation: str = "1",
        ready: bool = True,
        going: bool = False,
        evicted: bool = False,
        type_: EventType = EventType.MODIFIED,
    ) -> None:
        pod = Pod()
        pod.metadata.name, pod.metadata.namespace, pod.metadata.uid = name, "shop", uid or f"{name}-uid"
        pod.metadata.owner_references.add(uid="s", kind="StatefulSet", controller=True)
        pod.metadata.labels.update({"controller-revision-hash": revision, "pod-template-generation": generation})
        pod.spec.node_name = node
        pod.status.phase = "Running"
        pod.status.conditions.add(type="Ready", status="True" if ready else "False")
        if going:
            pod.metadata.deletion_timestamp.seconds = 1
        if evicted:
            pod.status.conditions.add(type="DisruptionTarget", status="True")
        self.tell(pod, type_)

    @property
    def found(self) -> list[str]:
        return [violation.message for violation in self.checker.violations]


def _two_of_one_ordinal(story: Story) -> None:
    story.stateful_set()
    story.pod("db-0")
    story.pod("db-0", uid="another")


def _updated_below_the_partition(story: Story) -> None:
    story.stateful_set(partition=1)
    story.pod("db-0", revision="v2")


def _made_too_early(story: Story) -> None:
    story.stateful_set()
    story.pod("db-0", ready=False)
    story.pod("db-1")


def _made_out_of_order(story: Story) -> None:
    story.stateful_set()
    story.pod("db-1")


def _removed_out_of_order(story: Story) -> None:
    _three_members(story)
    story.stateful_set(1, generation=2)
    story.pod("db-1", going=True)


def _removed_for_what_is_long_observed(story: Story) -> None:
    _three_members(story)
    story.stateful_set(1, generation=2, observed=1)
    story.stateful_set(1, generation=3, observed=2)
    story.pod("db-1", going=True)


def _two_on_a_node(story: Story) -> None:
    story.daemon_set()
    story.pod("a", node="n")
    story.pod("b", node="n")


def _three_on_a_node(story: Story) -> None:
    story.daemon_set(unavailable=0, surge=1)
    for name in "abc":
        story.pod(name, node="n")


def _too_many_unavailable(story: Story) -> None:
    story.daemon_set()
    for name in "ab":
        story.pod(name, node=name)
    for name in "ab":
        story.pod(name, node=name, going=True)


def _ready_when_they_were_deleted(story: Story) -> None:
    """They were of no use when that was decided, which excuses nobody: their deletions ought to have been refused."""
    story.daemon_set()
    for name in "ab":
        story.pod(name, node=name, ready=False)
    for name in "ab":
        story.pod(name, node=name)
    for name in "ab":
        story.pod(name, node=name, going=True)


def _gone_before_the_successor_is_made(story: Story) -> None:
    story.daemon_set()
    for name in "ab":
        story.pod(name, node=name)
    story.pod("a", node="a", going=True)
    story.pod("a", node="a", type_=EventType.DELETED)
    story.pod("b", node="b", going=True)


def _gone_before_the_successor_is_ready(story: Story) -> None:
    story.daemon_set(1, unavailable=0, surge=1)
    story.pod("a", node="n")
    story.pod("b", node="n", generation="2", ready=False)
    story.pod("a", node="n", going=True)


WRONG: dict[str, tuple[Callable[[Story], None], str]] = {
    "two pods of one ordinal": (_two_of_one_ordinal, "there are two pods db-0"),
    "updated below the partition": (_updated_below_the_partition, "db-0 is below the partition and made at v2"),
    "made before its predecessor is ready": (_made_too_early, "db-1 is made before ordinal 0 is ready"),
    "made before its predecessor": (_made_out_of_order, "db-1 is made before ordinal 0 is ready"),
    "removed before its successor": (_removed_out_of_order, "db-1 is deleted while db-2 is still there"),
    "removed before its successor, the former size forgotten": (
        _removed_for_what_is_long_observed,
        "db-1 is deleted while db-2 is still there",
    ),
    "two daemons on a node": (_two_on_a_node, "2 pods on n, at most 1 are allowed"),
    "three daemons on a node": (_three_on_a_node, "3 pods on n, at most 2 are allowed"),
    "too many unavailable": (
        _too_many_unavailable,
        "2 nodes are without a ready pod after b was deleted, at most 1 may be",
    ),
    "ready again before it goes": (
        _ready_when_they_were_deleted,
        "2 nodes are without a ready pod after b was deleted, at most 1 may be",
    ),
    "before its neighbour has a successor": (
        _gone_before_the_successor_is_made,
        "2 nodes are without a ready pod after b was deleted, at most 1 may be",
    ),
    "surge, and deleted too soon": (
        _gone_before_the_successor_is_ready,
        "1 nodes are without a ready pod after a was deleted, at most 0 may be",
    ),
}


@pytest.mark.parametrize(("tell", "message"), WRONG.values(), ids=WRONG)
def test_violation_is_found(tell: Callable[[Story], None], message: str) -> None:
    story = Story()
    tell(story)
    assert story.found == [message]


def _three_members(story: Story) -> None:
    story.stateful_set()
    for ordinal in range(3):
        story.pod(f"db-{ordinal}")


def _replaced(story: Story) -> None:
    _three_members(story)
    story.pod("db-2", going=True)
    story.pod("db-2", type_=EventType.DELETED)
    story.pod("db-2", uid="next", revision="v2")


def _scaled_down_in_order(story: Story) -> None:
    _three_members(story)
    story.stateful_set(1)
    for ordinal in (2, 1):
        story.pod(f"db-{ordinal}", going=True)
        story.pod(f"db-{ordinal}", type_=EventType.DELETED)


def _deleted_by_a_user(story: Story) -> None:
    _three_members(story)
    story.pod("db-0", going=True)
    story.pod("db-0", type_=EventType.DELETED)
    story.pod("db-2", going=True)
    story.pod("db-2", type_=EventType.DELETED)
    story.pod("db-2", uid="next")


def _made_at_the_former_current_revision(story: Story) -> None:
    story.stateful_set(partition=1)
    story.stateful_set(partition=1, current="v2")
    story.pod("db-0")


def _replaced_by_a_decision_that_scaling_down_overtook(story: Story) -> None:
    """As on Kubernetes, whose controller goes by its cache and deletes by uid alone; so do two changes in a row."""
    _three_members(story)
    story.stateful_set(2, generation=2, observed=1)
    story.stateful_set(1, generation=3, observed=1)
    story.pod("db-1", going=True)


def _made_by_a_decision_that_new_ordinals_overtook(story: Story) -> None:
    story.stateful_set(start=2)
    story.stateful_set(start=0, generation=2, observed=1)
    story.pod("db-2")


def _decided_before_one_looked(story: Story) -> None:
    story.stateful_set(1, generation=3, observed=2)
    story.pod("db-2", ready=False)
    story.pod("db-1", ready=False)
    story.pod("db-1", ready=False, going=True)


def _parallel(story: Story) -> None:
    story.stateful_set(policy="Parallel")
    story.pod("db-2", ready=False)
    story.pod("db-0", ready=False)


def _surging(story: Story) -> None:
    story.daemon_set(1, unavailable=0, surge=1)
    story.pod("a", node="n")
    story.pod("b", node="n", generation="2")
    story.pod("a", node="n", going=True)


def _one_after_another(story: Story) -> None:
    story.daemon_set()
    for name in "ab":
        story.pod(name, node=name)
    for name in "ab":
        story.pod(name, node=name, going=True)
        story.pod(name, node=name, type_=EventType.DELETED)
        story.pod(f"{name}2", node=name, generation="2")


def _evicted(story: Story) -> None:
    story.daemon_set()
    for name in "ab":
        story.pod(name, node=name)
    for name in "ab":
        story.pod(name, node=name, going=True, evicted=True)


def _no_longer_on_these_nodes(story: Story) -> None:
    story.daemon_set(1)
    for name in "abc":
        story.pod(name, node=name)
    for name in "bc":
        story.pod(name, node=name, going=True)


def _not_observed(story: Story) -> None:
    story.daemon_set(observed=False)
    for name in "ab":
        story.pod(name, node=name)
    for name in "ab":
        story.pod(name, node=name, going=True)


def _seen_before_its_set(story: Story) -> None:
    story.pod("db-1")
    story.stateful_set()
    story.pod("db-1", ready=False)


RIGHT = {
    "replaced": _replaced,
    "scaled down in order": _scaled_down_in_order,
    "deleted by a user": _deleted_by_a_user,
    "made while the current revision changes": _made_at_the_former_current_revision,
    "replaced by a decision that scaling down overtook": _replaced_by_a_decision_that_scaling_down_overtook,
    "made by a decision that new ordinals overtook": _made_by_a_decision_that_new_ordinals_overtook,
    "decided before one looked": _decided_before_one_looked,
    "Parallel": _parallel,
    "surge": _surging,
    "one node after another": _one_after_another,
    "evicted": _evicted,
    "nodes that ceased to be its own": _no_longer_on_these_nodes,
    "set not observed yet": _not_observed,
    "seen before its set": _seen_before_its_set,
}


@pytest.mark.parametrize("tell", RIGHT.values(), ids=RIGHT)
def test_what_is_allowed_is_no_violation(tell: Callable[[Story], None]) -> None:
    story = Story()
    tell(story)
    assert story.found == []


def test_orphans_at_rest_are_found() -> None:
    story = Story()
    _three_members(story)
    assert story.checker.check_at_rest() == []
    gone = StatefulSet()
    gone.metadata.uid = "s"
    story.tell(gone, EventType.DELETED)
    assert {violation.message for violation in story.checker.check_at_rest()} == {"its owner is gone"}
