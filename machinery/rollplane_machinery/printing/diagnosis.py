"""Why a Deployment's rollout is where it is: one sentence, and the pods behind it.

The first thing that holds it is told, from what a user did (a pause) over what is broken to what merely takes time.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rollplane.core.v1 import Pod
from rollplane_machinery.conditions import TRUE, get_condition, is_pod_ready
from rollplane_machinery.printing.pod_status import pod_status
from rollplane_machinery.printing.pod_trouble import Trouble, trouble_of, unschedulable
from rollplane_machinery.printing.rollout_view import RolloutView

COMPLETE = "Complete"
PAUSED = "DeploymentPaused"
UNOBSERVED = "NotObserved"
DEADLINE_EXCEEDED = "ProgressDeadlineExceeded"


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """``sentence`` says what the rollout waits for, ``reason`` the same in a word, ``pods`` are those it is about.

    ``is_stuck`` means that pods fail and neither controller nor any other pod can bring the rollout forward.
    """

    sentence: str
    reason: str
    pods: tuple[Pod, ...] = ()
    is_stuck: bool = False

    @property
    def is_complete(self) -> bool:
        return self.reason == COMPLETE


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
    if view.is_observed:
        return None
    seen, latest = view.deployment.status.observed_generation, view.deployment.metadata.generation
    sentence = f"{_called(view)} waits for its controller to see the latest change (generation {latest}, seen {seen})"
    return Diagnosis(sentence, UNOBSERVED)


def _complete(view: RolloutView, _now: float) -> Diagnosis | None:
    if not view.is_complete or view.deployment.spec.paused:
        return None
    count = view.deployment.spec.replicas
    verb = "is" if count == 1 else "are"
    return Diagnosis(f"{_called(view)} is complete: {_counted(count, 'pod')} {verb} updated and available", COMPLETE)


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
        sentence = f"waits for {_counted(len(pods), 'old pod')} to end before the first new one starts (Recreate)"
        return Diagnosis(f"{_called(view)} {sentence}", "OldPodsRunning", pods)
    return Diagnosis(f"{_called(view)} waits for its controller to make the new ReplicaSet", "NoReplicaSet")


def _refused(view: RolloutView, _now: float) -> Diagnosis | None:
    failure = get_condition(view.deployment.status.conditions, "ReplicaFailure")
    if failure is None or failure.status != TRUE:
        return None
    return Diagnosis(f"{_called(view)} cannot have its pods made: {failure.message}", failure.reason)


def _troubled(view: RolloutView, now: float) -> Diagnosis | None:
    waiting = view.unavailable_new_pods(now)
    troubles = {str(pod.metadata.name): trouble for pod in waiting if (trouble := trouble_of(pod)) is not None}
    if not troubles:
        return None
    stuck = len(troubles) == len(waiting) and view.is_settled and not view.controller_can_move
    pods = tuple(pod for pod in waiting if pod.metadata.name in troubles)
    first = _commonest(list(troubles.values()))
    fails = f"{_counted(len(pods), 'new pod')} {'fails' if len(pods) == 1 else 'fail'}, {first}"
    if stuck:
        return Diagnosis(
            f"{_called(view)} cannot proceed: {fails}; {_why_stuck(view)}", first.reason, pods, is_stuck=True
        )
    return Diagnosis(f"{_called(view)} waits while {fails}", first.reason, pods)


def _commonest(troubles: Sequence[Trouble]) -> Trouble:
    """The trouble most pods have; of several the first in their order."""
    return max(troubles, key=troubles.count)


def _why_stuck(view: RolloutView) -> str:
    if not view.old_pods:
        return "nothing else can move"
    return f"nothing else can move, since {_counted(view.min_available, 'pod')} must stay available"


def _unschedulable(view: RolloutView, now: float) -> Diagnosis | None:
    pods = tuple(pod for pod in view.unavailable_new_pods(now) if unschedulable(pod) is not None)
    if not pods:
        return None
    why = unschedulable(pods[0])
    sentence = f"waits for a node for {_counted(len(pods), 'new pod')}: {why}"
    return Diagnosis(f"{_called(view)} {sentence}", "Unschedulable", pods)


def _unavailable(view: RolloutView, now: float) -> Diagnosis | None:
    waiting = view.unavailable_new_pods(now)
    unready = tuple(pod for pod in waiting if not is_pod_ready(pod))
    if unready:
        words = ", ".join(sorted({pod_status(pod) for pod in unready}))
        sentence = f"waits for {_counted(len(unready), 'new pod')} to become ready ({words})"
        return Diagnosis(f"{_called(view)} {sentence}", "PodsNotReady", unready)
    if waiting:
        least = view.deployment.spec.min_ready_seconds
        sentence = f"waits until {_counted(len(waiting), 'new pod')} stayed ready for {least} s (minReadySeconds)"
        return Diagnosis(f"{_called(view)} {sentence}", "MinReadySeconds", waiting)
    return None


def _ending(view: RolloutView) -> Diagnosis:
    """All new pods there are do well, so the old ones are next, or more new ones."""
    if view.ending:
        sentence = f"waits for {_counted(len(view.ending), 'old pod')} to end"
        return Diagnosis(f"{_called(view)} {sentence}", "PodsTerminating", view.ending)
    sick = tuple(pod for pod in view.old_pods if not is_pod_ready(pod))
    if sick and not view.controller_can_move:
        sentence = f"waits for {_counted(len(sick), 'old pod')} to become ready or to be replaced"
        return Diagnosis(f"{_called(view)} {sentence}", "OldPodsNotReady", sick)
    return Diagnosis(f"{_called(view)} waits for its controllers to take the next step", "Progressing", view.old_pods)


def _with_deadline(view: RolloutView, found: Diagnosis) -> Diagnosis:
    """Say as well that the progress deadline has passed; what is waited for stays the same."""
    progressing = get_condition(view.deployment.status.conditions, "Progressing")
    if found.is_complete or progressing is None or progressing.reason != DEADLINE_EXCEEDED:
        return found
    seconds = view.deployment.spec.progress_deadline_seconds
    sentence = f"{found.sentence}; its progress deadline of {seconds} s has passed"
    return Diagnosis(sentence, found.reason, found.pods, found.is_stuck)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
