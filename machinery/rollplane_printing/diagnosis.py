"""Why a Deployment's rollout is where it is: one sentence, and the pods behind it.

The first thing that holds it is told, from what a user did (a pause) over what is broken to what merely takes time.
"""

from __future__ import annotations

from collections.abc import Callable

from rollplane_machinery.conditions import TRUE, get_condition
from rollplane_machinery.pods import is_pod_ready
from rollplane_printing.findings import (
    COMPLETE,
    PROGRESSING,
    TERMINATING,
    Diagnosis,
    counted,
    failing,
    on_their_way,
    unobserved,
    without_node,
)
from rollplane_printing.rollout_view import RolloutView

PAUSED = "DeploymentPaused"
DEADLINE_EXCEEDED = "ProgressDeadlineExceeded"
_NEW = "new pod"


def diagnose(view: RolloutView, now: float) -> Diagnosis:
    """Return why the rollout is where it is, as of ``now`` (seconds since the epoch)."""
    findings = (_unobserved, _complete, _paused, _no_replica_set, _refused, _troubled, _unschedulable, _unavailable)
    found = next((found for find in findings if (found := find(view, now)) is not None), None)
    return _with_deadline(view, found or _ending(view))


Finding = Callable[[RolloutView, float], Diagnosis | None]
"""Returns the diagnosis when its case is at hand."""


def _called(view: RolloutView) -> str:
    return f'deployment "{view.deployment.metadata.name}"'


def _unobserved(view: RolloutView, _now: float) -> Diagnosis | None:
    return unobserved(_called(view), view.deployment.metadata, view.deployment.status.observed_generation)


def _complete(view: RolloutView, _now: float) -> Diagnosis | None:
    if not view.is_complete or view.deployment.spec.paused:
        return None
    count = view.deployment.spec.replicas
    verb = "is" if count == 1 else "are"
    return Diagnosis(f"{_called(view)} is complete: {counted(count, 'pod')} {verb} updated and available", COMPLETE)


def _paused(view: RolloutView, _now: float) -> Diagnosis | None:
    if not view.deployment.spec.paused:
        return None
    waiting = "" if view.is_complete else ": its changes wait until it is resumed"
    return Diagnosis(f"{_called(view)} is paused{waiting}", PAUSED)


def _no_replica_set(view: RolloutView, _now: float) -> Diagnosis | None:
    if view.new is not None:
        return None
    progressing = get_condition(view.deployment.status.conditions, "Progressing")
    if progressing is not None and progressing.reason == "ReplicaSetCreateError":
        return Diagnosis(f"{_called(view)} cannot make its ReplicaSet: {progressing.message}", progressing.reason)
    if view.is_recreate and (pods := (*view.old_pods, *view.ending)):
        sentence = f"waits for {counted(len(pods), 'old pod')} to end before the first new one starts (Recreate)"
        return Diagnosis(f"{_called(view)} {sentence}", "OldPodsRunning", pods)
    return Diagnosis(f"{_called(view)} waits for its controller to make the new ReplicaSet", "NoReplicaSet")


def _refused(view: RolloutView, _now: float) -> Diagnosis | None:
    failure = get_condition(view.deployment.status.conditions, "ReplicaFailure")
    if failure is None or failure.status != TRUE:
        return None
    return Diagnosis(f"{_called(view)} cannot have its pods made: {failure.message}", failure.reason)


def _troubled(view: RolloutView, now: float) -> Diagnosis | None:
    waiting = view.unavailable_new_pods(now)
    found = failing(waiting)
    if found is None:
        return None
    fails = found.told(_NEW)
    if len(found.pods) == len(waiting) and view.is_settled and not view.controller_can_move:
        sentence = f"{_called(view)} cannot proceed: {fails}; {_why_stuck(view)}"
        return Diagnosis(sentence, found.trouble.reason, found.pods, is_stuck=True)
    return Diagnosis(f"{_called(view)} waits while {fails}", found.trouble.reason, found.pods)


def _why_stuck(view: RolloutView) -> str:
    if not view.old_pods:
        return "nothing else can move"
    return f"nothing else can move, since {counted(view.limits.min_available, 'pod')} must stay available"


def _unschedulable(view: RolloutView, now: float) -> Diagnosis | None:
    return without_node(_called(view), view.unavailable_new_pods(now), _NEW)


def _unavailable(view: RolloutView, now: float) -> Diagnosis | None:
    least = view.deployment.spec.min_ready_seconds
    return on_their_way(_called(view), view.unavailable_new_pods(now), _NEW, least)


def _ending(view: RolloutView) -> Diagnosis:
    """All new pods there are do well, so the old ones are next, or more new ones."""
    if view.ending:
        sentence = f"waits for {counted(len(view.ending), 'old pod')} to end"
        return Diagnosis(f"{_called(view)} {sentence}", TERMINATING, view.ending)
    sick = tuple(pod for pod in view.old_pods if not is_pod_ready(pod))
    if sick and not view.controller_can_move:
        sentence = f"waits for {counted(len(sick), 'old pod')} to become ready or to be replaced"
        return Diagnosis(f"{_called(view)} {sentence}", "OldPodsNotReady", sick)
    return Diagnosis(f"{_called(view)} waits for its controllers to take the next step", PROGRESSING, view.old_pods)


def _with_deadline(view: RolloutView, found: Diagnosis) -> Diagnosis:
    """Say as well that the progress deadline has passed; what is waited for stays the same."""
    progressing = get_condition(view.deployment.status.conditions, "Progressing")
    if found.is_complete or progressing is None or progressing.reason != DEADLINE_EXCEEDED:
        return found
    seconds = view.deployment.spec.progress_deadline_seconds
    sentence = f"{found.sentence}; its progress deadline of {seconds} s has passed"
    return Diagnosis(sentence, found.reason, found.pods, found.is_stuck)
