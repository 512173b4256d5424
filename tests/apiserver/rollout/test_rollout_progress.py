"""The sentences of ``kubectl rollout status``, word for word, and when each is said."""

from __future__ import annotations

from typing import Any

import pytest

from rollplane.apps import v1 as apps
from rollplane_apiserver.rollout.progress import look_at
from rollplane_apiserver.rollout.workloads import RolledOut
from rollplane_machinery.api import RolloutState
from rollplane_machinery.errors import InvalidError
from rollplane_machinery.extensions import ROLLED_BACK
from rollplane_planners.rolled_back import RolledBack
from tests.apiserver.rollout.workshop import exactly

PROGRESSING, DONE, FAILED = RolloutState.PROGRESSING, RolloutState.DONE, RolloutState.FAILED


def deployment(
    updated: int,
    total: int,
    available: int,
    *,
    replicas: int = 3,
    generation: int = 2,
    observed: int = 2,
    paused: bool = False,
    conditions: tuple[tuple[str, str, str], ...] = (),
) -> apps.Deployment:
    message = apps.Deployment()
    message.metadata.name = "web"
    message.metadata.resource_version = "41"
    message.metadata.generation = generation
    message.spec.replicas = replicas
    message.spec.paused = paused
    message.status.observed_generation = observed
    message.status.updated_replicas = updated
    message.status.replicas = total
    message.status.available_replicas = available
    message.status.ready_replicas = available
    for type_, status, reason in conditions:
        message.status.conditions.add(type=type_, status=status, reason=reason)
    return message


WAITING = 'Waiting for deployment "web" rollout to finish: '
LATE = (("Progressing", "False", "ProgressDeadlineExceeded"),)
DEPLOYMENTS: dict[str, tuple[apps.Deployment, RolloutState, str, str]] = {
    "not seen yet": (
        deployment(3, 3, 3, generation=3),
        PROGRESSING,
        "Waiting for deployment spec update to be observed...",
        "",
    ),
    "not all updated": (
        deployment(2, 4, 3),
        PROGRESSING,
        WAITING + "2 out of 3 new replicas have been updated...",
        "",
    ),
    "old ones left": (deployment(3, 4, 3), PROGRESSING, WAITING + "1 old replicas are pending termination...", ""),
    "not all available": (
        deployment(3, 3, 1),
        PROGRESSING,
        WAITING + "1 of 3 updated replicas are available...",
        "",
    ),
    "done": (deployment(3, 3, 3), DONE, 'deployment "web" successfully rolled out', ""),
    "done at zero": (deployment(0, 0, 0, replicas=0), DONE, 'deployment "web" successfully rolled out', ""),
    "too late": (
        deployment(1, 4, 3, conditions=LATE),
        FAILED,
        'deployment "web" exceeded its progress deadline',
        "ProgressDeadlineExceeded",
    ),
    "too late for the rollout before": (
        deployment(1, 4, 3, generation=3, conditions=LATE),
        PROGRESSING,
        "Waiting for deployment spec update to be observed...",
        "ProgressDeadlineExceeded",
    ),
    "pods refused": (
        deployment(0, 0, 0, conditions=(("ReplicaFailure", "True", "FailedCreate"),)),
        PROGRESSING,
        WAITING + "0 out of 3 new replicas have been updated...",
        "FailedCreate",
    ),
    "paused": (
        deployment(0, 3, 3, paused=True),
        PROGRESSING,
        WAITING + "0 out of 3 new replicas have been updated...",
        "DeploymentPaused",
    ),
}


@pytest.mark.parametrize(("message", "state", "sentence", "reason"), DEPLOYMENTS.values(), ids=DEPLOYMENTS)
def test_deployments(message: apps.Deployment, state: RolloutState, sentence: str, reason: str) -> None:
    look = look_at(message)
    assert (look.state, look.message, look.reason) == (state, sentence, reason)
    status = message.status
    assert (look.desired, look.updated, look.ready, look.available, look.total, look.revision) == (
        message.spec.replicas,
        status.updated_replicas,
        status.ready_replicas,
        status.available_replicas,
        status.replicas,
        41,
    )


def stateful_set(ready: int, updated: int, *, partition: int | None = 0, **status: Any) -> apps.StatefulSet:
    message = apps.StatefulSet()
    message.metadata.generation = 2
    message.spec.replicas = 3
    message.spec.update_strategy.type = "RollingUpdate"
    if partition is not None:
        message.spec.update_strategy.rolling_update.partition = partition
    message.status.observed_generation = 2
    message.status.ready_replicas = ready
    message.status.updated_replicas = updated
    for name, value in status.items():
        setattr(message.status, name, value)
    return message


REVISIONS = {"current_revision": "web-a", "update_revision": "web-b", "current_replicas": 2}
STATEFUL_SETS: dict[str, tuple[apps.StatefulSet, RolloutState, str]] = {
    "not seen yet": (
        stateful_set(3, 3, observed_generation=1),
        PROGRESSING,
        "Waiting for statefulset spec update to be observed...",
    ),
    "never seen": (
        stateful_set(3, 3, observed_generation=0),
        PROGRESSING,
        "Waiting for statefulset spec update to be observed...",
    ),
    "not ready": (stateful_set(1, 3), PROGRESSING, "Waiting for 2 pods to be ready..."),
    "not updated": (
        stateful_set(3, 1),
        PROGRESSING,
        "Waiting for partitioned roll out to finish: 1 out of 3 new pods have been updated...",
    ),
    "down to the partition": (
        stateful_set(3, 1, partition=2),
        DONE,
        "partitioned roll out complete: 1 new pods have been updated...",
    ),
    "done": (stateful_set(3, 3), DONE, "partitioned roll out complete: 3 new pods have been updated..."),
    "between revisions": (
        stateful_set(3, 1, partition=None, **REVISIONS),
        PROGRESSING,
        "waiting for statefulset rolling update to complete 1 pods at revision web-b...",
    ),
    "at one revision": (
        stateful_set(3, 3, partition=None, **REVISIONS | {"update_revision": "web-a"}),
        DONE,
        "statefulset rolling update complete 2 pods at revision web-a...",
    ),
}


@pytest.mark.parametrize(("message", "state", "sentence"), STATEFUL_SETS.values(), ids=STATEFUL_SETS)
def test_stateful_sets(message: apps.StatefulSet, state: RolloutState, sentence: str) -> None:
    look = look_at(message)
    assert (look.state, look.message) == (state, sentence)


def daemon_set(updated: int, available: int, *, observed: int = 2, desired: int = 6) -> apps.DaemonSet:
    message = apps.DaemonSet()
    message.metadata.name = "agent"
    message.metadata.generation = 2
    message.spec.update_strategy.type = "RollingUpdate"
    message.status.observed_generation = observed
    message.status.desired_number_scheduled = desired
    message.status.updated_number_scheduled = updated
    message.status.number_available = available
    return message


DAEMON_SETS: dict[str, tuple[apps.DaemonSet, RolloutState, str]] = {
    "not seen yet": (daemon_set(6, 6, observed=1), PROGRESSING, "Waiting for daemon set spec update to be observed..."),
    "not updated": (
        daemon_set(2, 6),
        PROGRESSING,
        'Waiting for daemon set "agent" rollout to finish: 2 out of 6 new pods have been updated...',
    ),
    "not available": (
        daemon_set(6, 5),
        PROGRESSING,
        'Waiting for daemon set "agent" rollout to finish: 5 of 6 updated pods are available...',
    ),
    "done": (daemon_set(6, 6), DONE, 'daemon set "agent" successfully rolled out'),
    "wanted nowhere": (
        daemon_set(0, 0, desired=0),
        DONE,
        'daemon set "agent" successfully rolled out: no node is to run it',
    ),
}


@pytest.mark.parametrize(("message", "state", "sentence"), DAEMON_SETS.values(), ids=DAEMON_SETS)
def test_daemon_sets(message: apps.DaemonSet, state: RolloutState, sentence: str) -> None:
    look = look_at(message)
    assert (look.state, look.message) == (state, sentence)


@pytest.mark.parametrize("message", [daemon_set(6, 6), stateful_set(3, 3)])
def test_on_delete_has_no_progress(message: apps.DaemonSet | apps.StatefulSet) -> None:
    message.spec.update_strategy.type = "OnDelete"
    with pytest.raises(InvalidError, match=exactly("rollout status is only available for RollingUpdate strategy type")):
        look_at(message)


STORY = RolledBack("web-bad", 2, 3, "ErrImagePull", "pod web-x fails (ErrImagePull)")


@pytest.mark.parametrize("message", [deployment(3, 3, 3), stateful_set(3, 3), daemon_set(6, 6)])
def test_one_that_was_rolled_back_has_failed(message: RolledOut) -> None:
    message.metadata.annotations[ROLLED_BACK] = STORY.to_json()
    for revision in (0, 2):
        look = look_at(message, revision)
        assert (look.state, look.reason) == (FAILED, "AutoRollback")
        sentence = (
            f'"{message.metadata.name}" was rolled back automatically from revision 2 ("web-bad") to revision 3: '
        )
        assert look.message.endswith(f"{sentence}{STORY.text}")
    assert look_at(message, 3).state is DONE, "the rollout back has gone well, for whoever asks after that one"


@pytest.mark.parametrize("story", ["", "no JSON", "[]", '{"revision": "web-bad"}'])
def test_a_story_nobody_can_read_is_none(story: str) -> None:
    message = deployment(3, 3, 3)
    message.metadata.annotations[ROLLED_BACK] = story
    assert look_at(message).state is DONE
