"""Automatic rollback: when, where to, and never twice."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from typing import Any

import pytest

from rollplane.apps.v1 import DaemonSet, Deployment, StatefulSet
from rollplane.core.v1 import PodTemplateSpec
from rollplane_machinery.codec import from_json
from rollplane_machinery.conditions import get_condition
from rollplane_machinery.extensions import AUTO_ROLLBACK, AUTO_ROLLED_BACK, LAST_AVAILABLE, ROLLING_BACK
from rollplane_planners.auto_rollback import Release, RolloutView, Workload, plan_auto_rollback
from rollplane_planners.deployment import conditions as c
from rollplane_planners.model import NOTHING, Plan, UpdateObject, UpdateObjectStatus
from rollplane_planners.pod_trouble import PATIENCE_SECONDS
from rollplane_planners.pods import PodView, pod_view
from rollplane_planners.rolled_back import REASON, rolled_back
from rollplane_rules.defaults import apply_defaults
from tests.planners.pods import NOW, a_pod

KINDS = ("Deployment", "StatefulSet", "DaemonSet")


def a_workload(kind: str = "StatefulSet", *, available: bool = False, **annotations: str) -> Workload:
    """Return a workload that has opted in, last available at "good", and now runs "bad"."""
    notes = {AUTO_ROLLBACK: "true", LAST_AVAILABLE: "good"}
    notes.update({f"rollplane.dev/{name.replace('_', '-')}": text for name, text in annotations.items()})
    template = {"metadata": {"labels": {"app": "w"}}, "spec": {"containers": [{"name": "w", "image": "w:bad"}]}}
    workload = from_json(
        {
            "apiVersion": "apps/v1",
            "kind": kind,
            "metadata": {"name": "w", "namespace": "shop", "annotations": notes},
            "spec": {"selector": {"matchLabels": {"app": "w"}}, "template": template},
        }
    )
    assert isinstance(workload, Deployment | StatefulSet | DaemonSet)
    apply_defaults(workload)
    workload.metadata.generation = workload.status.observed_generation = 3
    if isinstance(workload, DaemonSet):
        workload.status.desired_number_scheduled = 1
        workload.status.updated_number_scheduled = workload.status.number_available = int(available)
    else:
        workload.status.replicas = 1
        workload.status.updated_replicas = workload.status.available_replicas = int(available)
    return workload


def a_release(name: str, number: int) -> Release:
    template = PodTemplateSpec()
    template.spec.containers.add(name="w", image=f"w:{name}")
    return Release(name, number, template, {"kubernetes.io/change-cause": f"to {name}"})


RELEASES = [a_release("good", 1), a_release("bad", 2)]


def a_failing_pod(
    *, waiting: str = "ImagePullBackOff", message: str = "", restarts: int = 0, age: float = 100
) -> PodView:
    pod = a_pod("w-x", restarts=restarts, age=age)
    pod.status.container_statuses[0].state.waiting.reason = waiting
    pod.status.container_statuses[0].state.waiting.message = message
    return pod_view(pod)


def plan(workload: Workload, *pods: PodView, present: str = "bad", releases: list[Release] | None = None) -> Plan:
    return plan_auto_rollback(RolloutView(workload, RELEASES if releases is None else releases, present, pods), NOW)


def images(made: Plan) -> list[str]:
    """Return the images of the templates a plan restores."""
    return [_template(write).spec.containers[0].image for write in made.writes if isinstance(write, UpdateObject)]


def _template(write: UpdateObject) -> PodTemplateSpec:
    assert isinstance(write.object, Deployment | StatefulSet | DaemonSet)
    return write.object.spec.template


CAUSES: dict[str, tuple[PodView, str]] = {
    "image is not there": (
        a_failing_pod(waiting="ErrImagePull", message="not found", age=1),
        'fails, image "web:1" cannot be pulled: not found (ErrImagePull)',
    ),
    "image still cannot be pulled": (a_failing_pod(), 'fails, image "web:1" cannot be pulled (ImagePullBackOff)'),
    "image name is no name": (
        a_failing_pod(waiting="InvalidImageName", age=1),
        'fails, "web:1" is no image name (InvalidImageName)',
    ),
    "three restarts": (
        a_failing_pod(waiting="CrashLoopBackOff", restarts=3),
        'fails, container "web" keeps crashing (CrashLoopBackOff)',
    ),
}


@pytest.mark.parametrize("kind", ["StatefulSet", "DaemonSet"])
@pytest.mark.parametrize(("pod", "text"), CAUSES.values(), ids=CAUSES)
def test_goes_back(kind: str, pod: PodView, text: str) -> None:
    made = plan(a_workload(kind), pod)
    assert images(made) == ["w:good"]
    (write,) = made.writes
    assert isinstance(write, UpdateObject)
    notes = write.object.metadata.annotations
    assert notes[AUTO_ROLLED_BACK] == "bad"
    assert notes["kubernetes.io/change-cause"] == "to good"
    story = rolled_back(write.object)  # type: ignore[arg-type] # one of the three kinds
    assert story is not None
    assert (story.revision, story.number, story.to, story.text) == ("bad", 2, 1, f"pod w-x {text}")
    (event,) = write.events
    assert event.reason == "AutoRollback"
    assert event.message == f'Revision "bad" is rolled back to revision 1 ("good"): pod w-x {text}'


def test_deployment_says_why_in_a_condition_first() -> None:
    deployment = a_workload("Deployment")
    (announced,) = plan(deployment, a_failing_pod()).writes
    assert isinstance(announced, UpdateObjectStatus)
    assert isinstance(announced.object, Deployment)
    condition = get_condition(announced.object.status.conditions, REASON)
    assert condition is not None
    assert (condition.status, condition.reason) == ("True", "ImagePullBackOff")
    assert condition.message.startswith('"bad" is rolled back to revision 1 ("good"): pod w-x fails, image')
    # Once decided it is carried out, whatever has become of the pod, and whatever the condition says by now.
    condition.message = "told in other words"
    made = plan(announced.object)
    assert images(made) == ["w:good"]
    assert made.writes[0].object.metadata.annotations[AUTO_ROLLED_BACK] == "bad"  # type: ignore[union-attr]
    assert ROLLING_BACK not in made.writes[0].object.metadata.annotations  # type: ignore[union-attr]


@pytest.mark.parametrize("decision", ["", "no JSON", "[]", '{"revision": "bad"}', '{"revision": "worse"}'])
def test_a_decision_that_is_none_for_the_present_revision_is_made_anew(decision: str) -> None:
    deployment = a_workload("Deployment")
    deployment.metadata.annotations[ROLLING_BACK] = decision
    assert plan(deployment) == NOTHING
    (announced,) = plan(deployment, a_failing_pod()).writes
    assert isinstance(announced, UpdateObjectStatus)


def _late(deployment: Workload, replica_set: str) -> Workload:
    assert isinstance(deployment, Deployment)
    text = f'ReplicaSet "{replica_set}" has timed out progressing.'
    condition = c.new_condition(c.PROGRESSING, "False", c.PROGRESS_DEADLINE_EXCEEDED, text, NOW)
    deployment.status.conditions.append(condition)
    return deployment


def test_passed_deadline_is_a_failure() -> None:
    (write,) = plan(_late(a_workload("Deployment"), "bad")).writes
    assert isinstance(write, UpdateObjectStatus)
    assert isinstance(write.object, Deployment)
    condition = get_condition(write.object.status.conditions, REASON)
    assert condition is not None
    assert condition.reason == "ProgressDeadlineExceeded"


def test_deadline_of_an_earlier_rollout_is_none() -> None:
    assert plan(_late(a_workload("Deployment"), "former")) == NOTHING


def _changed(kind: str, change: Callable[[Any], None]) -> Workload:
    workload = a_workload(kind)
    change(workload)
    return workload


def _paused(workload: Deployment) -> None:
    workload.spec.paused = True


def _deleted(workload: Workload) -> None:
    workload.metadata.deletion_timestamp.seconds = int(NOW)


def _unobserved(workload: Workload) -> None:
    workload.metadata.generation += 1


def _on_delete(workload: StatefulSet) -> None:
    workload.spec.update_strategy.type = "OnDelete"


def _not_asked(workload: Workload) -> None:
    del workload.metadata.annotations[AUTO_ROLLBACK]


def _asked_otherwise(workload: Workload) -> None:
    workload.metadata.annotations[AUTO_ROLLBACK] = "yes"


NEVER: dict[str, Workload] = {
    "not opted in": _changed("StatefulSet", _not_asked),
    "another value": _changed("StatefulSet", _asked_otherwise),
    "paused": _changed("Deployment", _paused),
    "being deleted": _changed("StatefulSet", _deleted),
    "status of a former generation": _changed("DaemonSet", _unobserved),
    "OnDelete": _changed("StatefulSet", _on_delete),
}


@pytest.mark.parametrize("workload", NEVER.values(), ids=NEVER)
def test_does_nothing(workload: Workload) -> None:
    assert plan(workload, a_failing_pod()) == NOTHING


def test_what_may_heal_is_looked_at_again_when_it_may_no_longer() -> None:
    made = plan(a_workload(), a_failing_pod(waiting="ErrImagePull", message="connection reset by peer", age=10))
    assert made == Plan(requeue_after=PATIENCE_SECONDS - 10)


def test_two_restarts_are_not_three() -> None:
    assert plan(a_workload(), a_failing_pod(waiting="CrashLoopBackOff", restarts=2)) == NOTHING


def test_never_twice_for_one_revision() -> None:
    made = plan(a_workload(auto_rolled_back="worse,bad"), a_failing_pod())
    assert made.writes == ()
    (reason,) = made.reasons
    assert str(reason) == ('is not rolled back: "bad" fails again, and it was rolled back automatically once already')


def test_another_revision_is_rolled_back_too() -> None:
    (write,) = plan(a_workload(auto_rolled_back="worse"), a_failing_pod()).writes
    assert isinstance(write, UpdateObject)
    assert write.object.metadata.annotations[AUTO_ROLLED_BACK] == "worse,bad"


def test_no_way_leads_back_from_the_last_available_one() -> None:
    """What was available everywhere is where a rollback ends, also when its pods fail now."""
    assert plan(a_workload(), a_failing_pod(), present="good") == NOTHING


@pytest.mark.parametrize("known", [[], [RELEASES[1]]], ids=["no history", "trimmed"])
def test_nothing_to_go_back_to(known: list[Release]) -> None:
    made = plan(a_workload(), a_failing_pod(), releases=known)
    assert made.writes == ()
    assert 'no revision before "bad" was ever available' in str(made.reasons[0])


@pytest.mark.parametrize("kind", KINDS)
def test_success_is_remembered(kind: str) -> None:
    workload = a_workload(kind, available=True)
    if isinstance(workload, Deployment):
        workload.status.conditions.append(c.new_condition(REASON, "True", "ErrImagePull", "an old story", NOW))
    (write,) = plan(workload).writes
    assert isinstance(write, UpdateObjectStatus)
    assert write.object.metadata.annotations[LAST_AVAILABLE] == "bad"
    if isinstance(write.object, Deployment):
        assert get_condition(write.object.status.conditions, REASON) is None
    assert isinstance(write.object, Deployment | StatefulSet | DaemonSet)
    assert plan(deepcopy(write.object)) == NOTHING


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])
def test_no_pods_prove_nothing(kind: str) -> None:
    workload = a_workload(kind)
    assert isinstance(workload, Deployment | StatefulSet)
    workload.spec.replicas = workload.status.replicas = 0
    assert plan(workload) == NOTHING
