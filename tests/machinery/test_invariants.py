"""The invariant checker finds each kind of violation, and none where there is none."""

from __future__ import annotations

import itertools
from collections.abc import Callable

import pytest

from rollplane.apps.v1 import ControllerRevision, Deployment, ReplicaSet, StatefulSet
from rollplane.core.v1 import Pod, ReplicationController
from rollplane_machinery.api import EventType, WatchBatch, WatchEvent
from rollplane_machinery.int_or_string import of
from rollplane_machinery.invariants import InvariantChecker
from rollplane_machinery.kinds import ApiObject, Encoded

DESIRED = "deployment.kubernetes.io/desired-replicas"


class Story:
    """Tells the checker of one Deployment, its sets and pods."""

    def __init__(self) -> None:
        self.checker = InvariantChecker()
        self._revisions = itertools.count(10)
        self.checker.feed(WatchBatch([], 9, initial_state_complete=True))

    def tell(self, message: ApiObject, type_: EventType = EventType.MODIFIED, revision: int = 0) -> None:
        at = revision or next(self._revisions)
        self.checker.feed(WatchBatch([WatchEvent(type_, Encoded.of(message), at)], at))

    def deployment(
        self,
        replicas: int = 3,
        *,
        surge: int = 1,
        unavailable: int = 1,
        strategy: str = "RollingUpdate",
        revision: int = 1,
        paused: bool = False,
        observed: bool = True,
    ) -> None:
        one = Deployment()
        one.metadata.name, one.metadata.namespace, one.metadata.uid = "web", "shop", "d"
        one.metadata.annotations["deployment.kubernetes.io/revision"] = str(revision)
        one.metadata.generation, one.status.observed_generation = 2, 2 if observed else 1
        one.spec.replicas, one.spec.paused, one.spec.strategy.type = replicas, paused, strategy
        one.spec.strategy.rolling_update.max_surge.CopyFrom(of(surge))
        one.spec.strategy.rolling_update.max_unavailable.CopyFrom(of(unavailable))
        self.tell(one)

    def replica_set(
        self, name: str, size: int, *, desired: int = 3, observed: bool = True, available: int | None = None
    ) -> None:
        """Tell of a set; ``available`` is what its status says, by default as many as it wants."""
        one = ReplicaSet()
        one.metadata.name, one.metadata.namespace, one.metadata.uid = name, "shop", name
        one.metadata.annotations[DESIRED] = str(desired)
        one.metadata.generation, one.status.observed_generation = 2, 2 if observed else 1
        one.metadata.owner_references.add(uid="d", kind="Deployment", controller=True)
        one.spec.replicas = size
        one.status.available_replicas = size if available is None else available
        one.status.replicas = size if observed else size + 1
        self.tell(one)

    def pod(
        self,
        name: str,
        of_set: str,
        *,
        ready: bool = False,
        going: bool = False,
        phase: str = "Running",
        kind: str = "ReplicaSet",
    ) -> Pod:
        pod = Pod()
        pod.metadata.name, pod.metadata.namespace, pod.metadata.uid = name, "shop", name
        pod.metadata.owner_references.add(uid=of_set, kind=kind, controller=True)
        pod.status.phase = phase
        pod.status.conditions.add(type="Ready", status="True" if ready else "False")
        if going:
            pod.metadata.deletion_timestamp.seconds = 5
        self.tell(pod)
        return pod

    def running(self, of_set: str, count: int, *, ready: bool = True) -> None:
        self.replica_set(of_set, count)
        for number in range(count):
            self.pod(f"{of_set}-{number}", of_set, ready=ready)


def too_many_in_total(story: Story) -> None:
    story.deployment(3, surge=1)
    story.running("a", 3)
    story.replica_set("b", 2)


def more_pods_than_wanted(story: Story) -> None:
    story.deployment(3)
    story.running("a", 3)
    story.pod("surplus", "a")


def more_pods_than_a_controller_wants(story: Story) -> None:
    one = ReplicationController()
    one.metadata.name, one.metadata.namespace, one.metadata.uid = "old", "shop", "old"
    one.spec.replicas = 1
    story.tell(one)
    for name in ("first", "surplus"):
        story.pod(name, "old", kind="ReplicationController")


def too_few_available(story: Story) -> None:
    story.deployment(3, unavailable=1)
    story.running("a", 3)
    story.replica_set("a", 1, available=3)
    story.pod("a-0", "a", ready=True, going=True)
    story.pod("a-1", "a", ready=True, going=True)


def more_are_deleted_than_were_given_up(story: Story) -> None:
    """One of two was not known to be available when the set gave both up: that excuses one, not two."""
    story.deployment(3, unavailable=0)
    story.running("a", 3)
    story.replica_set("a", 1, observed=False, available=2)
    story.pod("a-0", "a", ready=True, going=True)
    story.pod("a-1", "a", ready=True, going=True)


def too_few_available_once_all_is_done(story: Story) -> None:
    """What was given up is forgotten when the set has the size it wants."""
    story.deployment(3, unavailable=1)
    story.running("a", 3)
    story.replica_set("a", 2, observed=False, available=2)
    story.pod("a-0", "a", ready=True, going=True)
    story.replica_set("a", 2)
    story.replica_set("a", 1, observed=False, available=2)
    story.pod("a-1", "a", ready=True, going=True)


def revision_goes_back(story: Story) -> None:
    story.deployment(revision=4)
    story.deployment(revision=3)


def recreate_overlaps(story: Story) -> None:
    story.deployment(1, strategy="Recreate")
    story.running("a", 1)
    story.replica_set("a", 0)
    story.pod("a-0", "a", ready=True, going=True)
    story.replica_set("b", 1)
    story.pod("b-0", "b")


def recreate_overlaps_in_a_generation_not_seen_yet(story: Story) -> None:
    story.deployment(1, strategy="Recreate")
    story.running("a", 1)
    story.replica_set("a", 0)
    story.deployment(2, strategy="Recreate", observed=False)
    story.replica_set("b", 1)
    story.pod("b-0", "b")


def stream_goes_back(story: Story) -> None:
    story.deployment()
    pod = Pod()
    pod.metadata.uid = "p"
    story.tell(pod, revision=3)


def owner_is_gone(story: Story) -> None:
    story.deployment()
    story.running("a", 1)
    gone = ReplicaSet()
    gone.metadata.uid = "a"
    story.tell(gone, EventType.DELETED)


def a_pod_of(
    story: Story, name: str, priority: int, *, node: str = "", nominated: str = "", preempted: bool = False
) -> None:
    pod = Pod()
    pod.metadata.name, pod.metadata.namespace, pod.metadata.uid = name, "shop", name
    pod.spec.priority, pod.spec.node_name, pod.status.nominated_node_name = priority, node, nominated
    if preempted:
        pod.status.conditions.add(type="DisruptionTarget", status="True", reason="PreemptionByScheduler")
    story.tell(pod)


def preempted_for_an_equal(story: Story) -> None:
    a_pod_of(story, "high", 5, nominated="n")
    a_pod_of(story, "low", 5, node="n", preempted=True)


def preempted_on_a_node_that_nobody_waits_for(story: Story) -> None:
    a_pod_of(story, "high", 5, nominated="m")
    a_pod_of(story, "low", 1, node="n", preempted=True)


def preempted_for_a_more_urgent_pod(story: Story) -> None:
    a_pod_of(story, "high", 5, nominated="n")
    a_pod_of(story, "low", 1, node="n", preempted=True)
    a_pod_of(story, "high", 5, node="n", nominated="n")
    a_pod_of(story, "low", 1, node="n", preempted=True)


VIOLATIONS: dict[str, tuple[Callable[[Story], None], str]] = {
    "sizes above replicas + maxSurge": (too_many_in_total, "its ReplicaSets want 5 pods, at most 4 are allowed"),
    "more live pods than the set wants": (more_pods_than_wanted, "4 live pods, 3 are wanted"),
    "more live pods than the controller wants": (more_pods_than_a_controller_wants, "2 live pods, 1 are wanted"),
    "too few ready after a deletion": (too_few_available, "1 pods ready after shop/a-1 was deleted, at least 2"),
    "more deleted than given up": (
        more_are_deleted_than_were_given_up,
        "1 pods ready after shop/a-1 was deleted, at least 3",
    ),
    "too few ready once all is done": (
        too_few_available_once_all_is_done,
        "1 pods ready after shop/a-1 was deleted, at least 2",
    ),
    "a revision goes back": (revision_goes_back, "its revision went back from 4 to 3"),
    "two versions under Recreate": (recreate_overlaps, "shop/b-0 came into being while shop/a-0 still lived"),
    "two versions under Recreate, as ever": (
        recreate_overlaps_in_a_generation_not_seen_yet,
        "shop/b-0 came into being while shop/a-0 still lived",
    ),
    "the stream goes back": (stream_goes_back, "follows revision 10"),
    "a pod makes way for an equal": (
        preempted_for_an_equal,
        "shop/low: preempted on n, which is kept for nobody of a priority above 5",
    ),
    "a pod makes way for nobody": (
        preempted_on_a_node_that_nobody_waits_for,
        "shop/low: preempted on n, which is kept for nobody of a priority above 1",
    ),
    "an object outlives its owner": (owner_is_gone, "its owner is gone"),
}


@pytest.mark.parametrize(("tell", "text"), VIOLATIONS.values(), ids=VIOLATIONS)
def test_violation_is_found(tell: Callable[[Story], None], text: str) -> None:
    story = Story()
    tell(story)
    (violation,) = story.checker.check_at_rest()
    assert text in str(violation)


def limits_were_lowered(story: Story) -> None:
    story.deployment(5)
    story.running("a", 5)
    story.replica_set("b", 1)
    story.deployment(2)
    story.replica_set("a", 4)


def an_unseen_generation_may_be_acted_on_by_the_old_limits(story: Story) -> None:
    story.deployment(5, surge=2)
    story.running("a", 5)
    story.deployment(3, surge=0, observed=False)
    story.replica_set("b", 2)


def a_pod_broke_by_itself(story: Story) -> None:
    story.deployment(3, unavailable=1)
    story.running("a", 3)
    story.pod("a-0", "a", ready=False)
    story.replica_set("a", 2)
    story.pod("a-1", "a", ready=True, going=True)


def a_failed_pod_is_not_replaced_yet(story: Story) -> None:
    story.deployment(2, unavailable=1)
    story.running("a", 1)
    story.running("b", 1)
    story.pod("a-0", "a", phase="Failed")
    story.replica_set("b", 0)
    story.pod("b-0", "b", ready=True, going=True)


def a_pod_became_ready_unknown_to_its_sets_status(story: Story) -> None:
    story.deployment(2, unavailable=1)
    story.running("a", 1, ready=False)
    story.running("b", 1)
    story.pod("a-0", "a", ready=True)
    story.pod("b-0", "b", phase="Failed")
    story.replica_set("a", 0, observed=False, available=0)
    story.pod("a-0", "a", ready=True, going=True)


def a_pod_became_ready_after_it_was_given_up(story: Story) -> None:
    story.deployment(3, unavailable=0)
    story.running("a", 2)
    story.replica_set("a", 3, available=2)
    story.pod("a-2", "a")
    story.replica_set("a", 2, observed=False, available=2)
    story.pod("a-2", "a", ready=True)
    story.pod("a-2", "a", ready=True, going=True)


def a_pod_was_given_up_while_too_few_were_available_anyway(story: Story) -> None:
    """As when a first version that never came up is rolled over: what is of no use goes first."""
    story.deployment(3, unavailable=0)
    story.running("a", 3, ready=False)
    story.replica_set("a", 3, available=0)
    story.replica_set("a", 2, observed=False, available=0)
    story.pod("a-0", "a", ready=True)
    story.pod("a-0", "a", ready=True, going=True)


def sizes_that_a_former_version_allowed_before_one_looked(story: Story) -> None:
    story.deployment(3, surge=1, observed=False)
    story.replica_set("a", 10)
    story.deployment(3, surge=1)


def pods_that_a_former_size_asked_for_before_one_looked(story: Story) -> None:
    one = ReplicaSet()
    one.metadata.name, one.metadata.namespace, one.metadata.uid = "a", "shop", "a"
    one.metadata.generation, one.status.observed_generation, one.spec.replicas = 2, 1, 1
    story.tell(one)
    story.pod("a-0", "a")
    story.pod("a-1", "a")


def the_limits_were_raised_after_the_set_was_shrunk(story: Story) -> None:
    story.deployment(2, unavailable=1)
    story.running("a", 2)
    story.replica_set("a", 1, available=2)
    story.deployment(2, unavailable=0)
    story.pod("a-0", "a", ready=True, going=True)


def a_set_is_created_empty(story: Story) -> None:
    story.deployment(3, surge=1)
    story.running("a", 3)
    story.deployment(1, surge=0, unavailable=1)
    story.replica_set("b", 0)


def a_user_deletes(story: Story) -> None:
    story.deployment(3, unavailable=0)
    story.running("a", 3)
    story.pod("a-0", "a", ready=True, going=True)
    story.pod("replacement", "a")


def a_user_scales_down_in_mid_rollout(story: Story) -> None:
    story.deployment(4, unavailable=1)
    story.running("a", 3)
    story.running("b", 2, ready=False)
    story.deployment(3, unavailable=0)
    story.replica_set("a", 2, desired=2)
    story.pod("a-0", "a", ready=True, going=True)


def a_set_still_acts_on_its_former_size(story: Story) -> None:
    story.deployment(3)
    story.replica_set("a", 3)
    story.replica_set("a", 1, observed=False)
    for number in range(3):
        story.pod(f"a-{number}", "a")


def rolling_became_recreate_in_mid_rollout(story: Story) -> None:
    story.deployment(3)
    story.running("a", 2)
    story.replica_set("b", 2)
    story.deployment(3, strategy="Recreate")
    story.pod("b-0", "b")


def rolling_began_beside_a_set_that_recreate_made(story: Story) -> None:
    story.deployment(2, strategy="Recreate")
    story.running("a", 2)
    story.deployment(2)
    story.replica_set("b", 1)
    story.pod("b-0", "b")
    story.pod("a-0", "a", ready=True, phase="Failed")
    story.pod("a-2", "a")


def rolling_had_begun_when_it_became_recreate_again(story: Story) -> None:
    rolling_began_beside_a_set_that_recreate_made(story)
    story.deployment(2, strategy="Recreate")
    story.pod("a-1", "a", ready=True, phase="Failed")
    story.pod("a-3", "a")


def an_unseen_generation_may_be_acted_on_by_the_old_strategy(story: Story) -> None:
    story.deployment(2)
    story.running("a", 2)
    story.deployment(2, strategy="Recreate", observed=False)
    story.replica_set("b", 1)
    story.pod("b-0", "b")


def a_recreating_deployment_is_scaled_while_paused(story: Story) -> None:
    story.deployment(1, strategy="Recreate", paused=True)
    story.running("a", 1)
    story.replica_set("b", 1)
    story.pod("b-0", "b")


INNOCENT = [
    limits_were_lowered,
    an_unseen_generation_may_be_acted_on_by_the_old_limits,
    a_pod_broke_by_itself,
    a_failed_pod_is_not_replaced_yet,
    a_pod_became_ready_unknown_to_its_sets_status,
    a_pod_became_ready_after_it_was_given_up,
    a_pod_was_given_up_while_too_few_were_available_anyway,
    sizes_that_a_former_version_allowed_before_one_looked,
    pods_that_a_former_size_asked_for_before_one_looked,
    the_limits_were_raised_after_the_set_was_shrunk,
    a_set_is_created_empty,
    a_user_deletes,
    a_user_scales_down_in_mid_rollout,
    a_set_still_acts_on_its_former_size,
    rolling_became_recreate_in_mid_rollout,
    rolling_began_beside_a_set_that_recreate_made,
    rolling_had_begun_when_it_became_recreate_again,
    an_unseen_generation_may_be_acted_on_by_the_old_strategy,
    a_recreating_deployment_is_scaled_while_paused,
    preempted_for_a_more_urgent_pod,
]


@pytest.mark.parametrize("tell", INNOCENT)
def test_what_is_no_violation(tell: Callable[[Story], None]) -> None:
    story = Story()
    tell(story)
    assert [str(one) for one in story.checker.check_at_rest()] == []


def test_the_initial_state_is_not_judged() -> None:
    checker = InvariantChecker()
    story = Story()
    pod = story.pod("old", "gone-since", ready=True)
    checker.feed(WatchBatch([WatchEvent(EventType.ADDED, Encoded.of(pod), 7)], 0))
    checker.feed(WatchBatch([], 40, initial_state_complete=True))
    assert checker.violations == []
    assert checker.events == 1


def a_stateful_set(image: str) -> StatefulSet:
    one = StatefulSet()
    one.metadata.name, one.metadata.namespace, one.metadata.uid = "db", "shop", "s"
    one.spec.template.spec.containers.add(image=image)
    return one


def a_revision(name: str, owner: str = "s") -> ControllerRevision:
    one = ControllerRevision()
    one.metadata.name, one.metadata.namespace, one.metadata.uid = name, "shop", name
    one.metadata.owner_references.add(uid=owner, kind="StatefulSet", controller=True)
    return one


def test_one_revision_for_each_time_a_template_was_set() -> None:
    story = Story()
    for image in ("v1", "v2", "v1"):
        story.tell(a_stateful_set(image))
        story.tell(a_stateful_set(image))
    for name in ("a", "b", "c"):
        story.tell(a_revision(name), EventType.ADDED)
    story.tell(a_revision("z", owner="another"), EventType.ADDED)
    assert story.checker.violations == []


def test_history_without_end_is_found() -> None:
    """Also when each revision is cut loose as soon as it is made."""
    story = Story()
    story.tell(a_stateful_set("v1"))
    for name in ("a", "b"):
        revision = a_revision(name)
        story.tell(revision, EventType.ADDED)
        del revision.metadata.owner_references[:]
        story.tell(revision)
    (violation,) = story.checker.violations
    assert violation.subject == "shop/b"
    assert "set 1 times" in violation.message


def test_a_revision_that_was_dropped_may_be_made_anew() -> None:
    story = Story()
    story.tell(a_stateful_set("v1"))
    story.tell(a_revision("a"), EventType.ADDED)
    story.tell(a_revision("a"), EventType.DELETED)
    story.tell(a_revision("b"), EventType.ADDED)
    assert story.checker.violations == []


def test_templates_that_were_set_before_one_looked_have_revisions_too() -> None:
    """Of three generations the first was observed: each may have had a template, and a revision on its way."""
    story = Story()
    late = a_stateful_set("v3")
    late.metadata.generation, late.status.observed_generation = 3, 1
    story.tell(late)
    for name in ("a", "b", "c"):
        story.tell(a_revision(name), EventType.ADDED)
    assert story.checker.violations == []
    story.tell(a_revision("d"), EventType.ADDED)
    assert len(story.checker.violations) == 1


def test_what_is_written_at_rest_is_found() -> None:
    story = Story()
    story.tell(a_stateful_set("v1"))
    story.checker.rest()
    story.tell(a_stateful_set("v1"))
    story.checker.stir()
    story.tell(a_stateful_set("v2"))
    (violation,) = story.checker.violations
    assert (violation.subject, violation.message) == ("shop/db", "modified while all was at rest")
