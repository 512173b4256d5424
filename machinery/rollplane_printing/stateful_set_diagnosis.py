"""Why a StatefulSet's rollout is where it is: the gate of OrderedReady, the update's limit, or a pod on its way.

Findings come in the order in which the controller would come upon them (docs/semantics/statefulset.md section 5).
"""

from __future__ import annotations

from collections.abc import Callable

from rollplane.core.v1 import Pod
from rollplane_machinery.extensions import HEAL_STUCK_ROLLOUT
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.pods import is_pod_active
from rollplane_printing.findings import (
    COMPLETE,
    ON_DELETE,
    PROGRESSING,
    TERMINATING,
    Diagnosis,
    counted,
    failing,
    next_step,
    on_their_way,
    unobserved,
    without_node,
)
from rollplane_printing.pod_trouble import trouble_of
from rollplane_printing.stateful_set_view import StatefulSetView

FORCED_ROLLBACK = "ForcedRollbackNeeded"
"""A pod of a template that is no longer wanted blocks the set until somebody deletes it."""


def diagnose_stateful_set(view: StatefulSetView, now: float) -> Diagnosis:
    """Return why the rollout is where it is, as of ``now`` (seconds since the epoch)."""
    findings = (_unobserved, _complete, _gate, _surplus, _outdated, _unavailable)
    return next((found for find in findings if (found := find(view, now)) is not None), next_step(view.called))


Finding = Callable[[StatefulSetView, float], Diagnosis | None]
"""Returns the diagnosis when its case is at hand."""


def _unobserved(view: StatefulSetView, _now: float) -> Diagnosis | None:
    return unobserved(view.called, view.stateful_set.metadata, view.stateful_set.status.observed_generation)


def _complete(view: StatefulSetView, now: float) -> Diagnosis | None:
    if view.surplus or view.outdated or view.first_unavailable(now) is not None:
        return None
    kept = sum(pod is not None and not view.is_updated(pod) for pod in view.slots.values())
    if kept:
        partition = view.stateful_set.spec.update_strategy.rolling_update.partition
        rest = f"{counted(kept, 'pod')} below the partition of {partition} {'keeps' if kept == 1 else 'keep'}"
        sentence = f"is complete as far as its partition lets it: {rest} the former revision"
    else:
        sentence = f"is complete: {counted(len(view.slots), 'pod')} {_be(len(view.slots))} updated and available"
    return Diagnosis(f"{view.called} {sentence}", COMPLETE)


def _gate(view: StatefulSetView, now: float) -> Diagnosis | None:
    """An ordered set does nothing else before its lowest unavailable pod is there and available."""
    at = view.first_unavailable(now) if view.is_ordered else None
    if at is None:
        return None
    pod = view.slots[at]
    name = f"{view.stateful_set.metadata.name}-{at}"
    if pod is None:
        return Diagnosis(f"{view.called} waits for its controller to make {name}{_behind(view, at)}", PROGRESSING)
    if not is_pod_active(pod):
        return Diagnosis(f"{view.called} waits for {name} to end{_behind(view, at)}", TERMINATING, (pod,))
    return _trap(view, at, pod) or _failing_gate(view, at, pod) or _waiting_gate(view, at, pod)


def _trap(view: StatefulSetView, at: int, pod: Pod) -> Diagnosis | None:
    """The well-known one: the template was corrected, and the set goes on waiting for the pod of the broken one."""
    if not view.is_left_over(at, pod) or view.is_on_delete:
        return None
    name, trouble = pod.metadata.name, trouble_of(pod)
    if trouble is None:
        return None
    what = f"{name} runs a template that is no longer wanted and fails, {trouble}"
    if view.heals_itself:
        return Diagnosis(f"{view.called} waits for its controller to replace {name}: {what}", FORCED_ROLLBACK, (pod,))
    cure = (
        f'delete it ("rollplane delete pod {name}") to go on, or set its annotation {HEAL_STUCK_ROLLOUT}=true to '
        "have that done"
    )
    sentence = f"cannot proceed: {what}; OrderedReady replaces no pod before it is available: {cure}"
    return Diagnosis(f"{view.called} {sentence}", FORCED_ROLLBACK, (pod,), is_stuck=True)


def _failing_gate(view: StatefulSetView, at: int, pod: Pod) -> Diagnosis | None:
    trouble = trouble_of(pod)
    if trouble is None:
        return None
    sentence = f"cannot proceed: {pod.metadata.name} fails, {trouble}; nothing else can move{_behind(view, at)}"
    return Diagnosis(f"{view.called} {sentence}", trouble.reason, (pod,), is_stuck=True)


def _waiting_gate(view: StatefulSetView, at: int, pod: Pod) -> Diagnosis | None:
    least = view.stateful_set.spec.min_ready_seconds
    found = without_node(view.called, (pod,), "pod") or on_their_way(view.called, (pod,), "pod", least)
    if found is None:
        return None
    sentence = found.sentence.replace("1 pod", pod.metadata.name, 1) + _behind(view, at)
    return Diagnosis(sentence, found.reason, found.pods)


def _behind(view: StatefulSetView, at: int) -> str:
    """What OrderedReady keeps waiting behind the pod of ordinal ``at``; empty when that is nothing."""
    missing = sum(ordinal > at for ordinal in view.missing)
    old = sum(pod is not view.slots[at] for pod in view.outdated)
    kept = [
        f"{counted(missing, 'pod')} to be made" if missing else "",
        f"{counted(old, 'pod')} to be updated" if old else "",
        f"{counted(len(view.surplus), 'pod')} to be removed" if view.surplus else "",
    ]
    waiting = ", ".join(filter(None, kept))
    return f", since OrderedReady keeps all else waiting for it ({waiting})" if waiting else ""


def _surplus(view: StatefulSetView, _now: float) -> Diagnosis | None:
    if not view.surplus:
        return None
    sentence = f"waits for {counted(len(view.surplus), 'pod')} beyond its size to end"
    return Diagnosis(f"{view.called} {sentence}", TERMINATING, view.surplus)


def _outdated(view: StatefulSetView, now: float) -> Diagnosis | None:
    """Pods still to be replaced, when the update's limit holds them; who may go next is not waited for."""
    old = view.outdated
    if not old:
        return None
    if view.is_on_delete:
        sentence = f"waits for {counted(len(old), 'pod')} of its former template to be deleted by hand (OnDelete)"
        return Diagnosis(f"{view.called} {sentence}", ON_DELETE, old)
    if not view.is_update_held(now):
        sentence = f"waits for its controller to replace {old[0].metadata.name}"
        return Diagnosis(f"{view.called} {sentence}", PROGRESSING, old[:1])
    limit = f"no more than {counted(view.max_unavailable, 'pod')} may be unavailable (maxUnavailable)"
    return _held(view, view.holding_update(now), "" if view.missing else limit)


def _unavailable(view: StatefulSetView, now: float) -> Diagnosis | None:
    return _held(view, view.unavailable(now), "" if view.missing else "nothing else can move")


def _held(view: StatefulSetView, held: tuple[Pod, ...], limit: str) -> Diagnosis | None:
    """What keeps ``held`` from being available; ``limit`` says why nothing else moves, empty when something does."""
    ending = tuple(pod for pod in held if is_being_deleted(pod.metadata))
    found = failing([pod for pod in held if not is_being_deleted(pod.metadata)])
    if found is not None and len(found.pods) == len(held) and limit:
        sentence = f"cannot proceed: {found.told('pod')}; {limit}"
        return Diagnosis(f"{view.called} {sentence}", found.trouble.reason, found.pods, is_stuck=True)
    if found is not None:
        return Diagnosis(f"{view.called} waits while {found.told('pod')}", found.trouble.reason, found.pods)
    if ending:
        return Diagnosis(f"{view.called} waits for {counted(len(ending), 'pod')} to end", TERMINATING, ending)
    least = view.stateful_set.spec.min_ready_seconds
    return without_node(view.called, held, "pod") or on_their_way(view.called, held, "pod", least)


def _be(count: int) -> str:
    return "is" if count == 1 else "are"
