"""Why a DaemonSet's rollout is where it is: pods that fail or are on their way, and the limit that holds the rest."""

from __future__ import annotations

from collections.abc import Callable

from rollplane_machinery.pods import is_pod_ready
from rollplane_printing.daemon_set_view import DaemonSetView
from rollplane_printing.findings import (
    COMPLETE,
    ON_DELETE,
    TERMINATING,
    Diagnosis,
    counted,
    failing,
    next_step,
    on_their_way,
    unobserved,
    without_node,
)

_NEW = "new pod"


def diagnose_daemon_set(view: DaemonSetView, now: float) -> Diagnosis:
    """Return why the rollout is where it is, as of ``now`` (seconds since the epoch)."""
    findings = (_unobserved, _complete, _troubled, _unschedulable, _unavailable, _on_delete, _ending, _sick)
    return next((found for find in findings if (found := find(view, now)) is not None), next_step(view.called))


Finding = Callable[[DaemonSetView, float], Diagnosis | None]
"""Returns the diagnosis when its case is at hand."""


def _unobserved(view: DaemonSetView, _now: float) -> Diagnosis | None:
    return unobserved(view.called, view.daemon_set.metadata, view.daemon_set.status.observed_generation)


def _complete(view: DaemonSetView, _now: float) -> Diagnosis | None:
    if not view.is_complete:
        return None
    count = view.daemon_set.status.desired_number_scheduled
    sentence = f"is complete: {counted(count, 'node')} {'runs' if count == 1 else 'run'} an updated, available pod"
    return Diagnosis(f"{view.called} {sentence}", COMPLETE)


def _troubled(view: DaemonSetView, now: float) -> Diagnosis | None:
    waiting = view.unavailable_new_pods(now)
    found = failing(waiting)
    if found is None:
        return None
    fails = found.told(_NEW)
    if len(found.pods) == len(waiting) and not view.ending and not view.controller_can_move(now):
        sentence = f"{view.called} cannot proceed: {fails}; nothing else can move{_limit(view)}"
        return Diagnosis(sentence, found.trouble.reason, found.pods, is_stuck=True)
    return Diagnosis(f"{view.called} waits while {fails}", found.trouble.reason, found.pods)


def _limit(view: DaemonSetView) -> str:
    """Which limit keeps the old pods where they are; empty when there are none, or nothing would replace them."""
    if not view.old_pods or view.is_on_delete:
        return ""
    if view.max_surge:
        return f", since no more than {counted(view.max_surge, 'node')} may run two pods (maxSurge)"
    return f", since no more than {counted(view.max_unavailable, 'node')} may be without an available pod"


def _unschedulable(view: DaemonSetView, now: float) -> Diagnosis | None:
    return without_node(view.called, view.unavailable_new_pods(now), _NEW)


def _unavailable(view: DaemonSetView, now: float) -> Diagnosis | None:
    least = view.daemon_set.spec.min_ready_seconds
    return on_their_way(view.called, view.unavailable_new_pods(now), _NEW, least)


def _on_delete(view: DaemonSetView, _now: float) -> Diagnosis | None:
    if not view.is_on_delete or not view.old_pods or view.ending:
        return None
    count = counted(len(view.old_pods), "pod")
    sentence = f"waits for {count} of its former template to be deleted by hand (OnDelete)"
    return Diagnosis(f"{view.called} {sentence}", ON_DELETE, view.old_pods)


def _ending(view: DaemonSetView, _now: float) -> Diagnosis | None:
    if not view.ending:
        return None
    sentence = f"waits for {counted(len(view.ending), 'old pod')} to end"
    return Diagnosis(f"{view.called} {sentence}", TERMINATING, view.ending)


def _sick(view: DaemonSetView, now: float) -> Diagnosis | None:
    sick = tuple(pod for pod in view.old_pods if not is_pod_ready(pod))
    if not sick or view.controller_can_move(now):
        return None
    sentence = f"waits for {counted(len(sick), 'old pod')} to become ready or to be replaced"
    return Diagnosis(f"{view.called} {sentence}", "OldPodsNotReady", sick)
