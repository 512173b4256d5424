"""Why a Deployment's rollout is where it is, read off the plan that was just made for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rollplane.apps.v1 import DeploymentStatus
from rollplane_machinery.conditions import TRUE, get_condition
from rollplane_planners import reasons
from rollplane_planners.deployment import conditions as c
from rollplane_planners.deployment.drafts import Draft, ReplicaSets, total_size
from rollplane_planners.deployment.status import is_complete
from rollplane_planners.limits import Limits
from rollplane_planners.pods import PodView
from rollplane_planners.reasons import Reason, counted, verb
from rollplane_planners.rolled_back import with_story

PodsBySet = Mapping[str, Sequence[PodView]]
"""The pods of each ReplicaSet by its uid; empty when nobody has looked at them, as controllers do not."""


def explain(sets: ReplicaSets, limits: Limits, status: DeploymentStatus, pods: PodsBySet, now: float) -> list[Reason]:
    """Return what holds the rollout; nothing when it is complete. ``status`` is the one the plan leaves.

    After an automatic rollback that comes first, for as long as its story stands.
    """
    return with_story(sets.deployment, _holding(sets, limits, status, pods, now))


def _holding(sets: ReplicaSets, limits: Limits, status: DeploymentStatus, pods: PodsBySet, now: float) -> list[Reason]:
    deployment = sets.deployment
    complete = is_complete(deployment, deployment.status) and not _is_moving(sets)
    if deployment.spec.paused:
        waiting = "" if complete else ": its changes wait until it is resumed"
        return [reasons.wait(c.DEPLOYMENT_PAUSED, f"is paused{waiting}")]
    new = sets.new
    if new is None or new.stored is None:
        return [_uncreated(sets, status), *_overdue(sets, status)]
    holding = list(_about_new(new, status, pods.get(new.uid), now))
    if _is_moving(sets) or not (holding or complete):
        holding.append(reasons.step())
    return [*holding, *_limits(sets, new, limits, status), *_overdue(sets, status)] if holding else []


def _is_moving(sets: ReplicaSets) -> bool:
    return any(draft.size != draft.stored_size for draft in sets.all)


def _uncreated(sets: ReplicaSets, status: DeploymentStatus) -> Reason:
    told = (get_condition(one.conditions, c.PROGRESSING) for one in (status, sets.deployment.status))
    failure = next((one for one in told if one is not None and one.reason == c.REPLICA_SET_CREATE_ERROR), None)
    if failure is not None:
        return reasons.wait(failure.reason, f"cannot make its ReplicaSet: {failure.message}")
    return Reason("NoReplicaSet", reasons.Nature.STEP, "waits for its controller to make the new ReplicaSet")


def _about_new(new: Draft, status: DeploymentStatus, pods: Sequence[PodView] | None, now: float) -> Iterator[Reason]:
    """Yield why the new set's pods are not all there, or not available."""
    failure = get_condition(status.conditions, c.REPLICA_FAILURE)
    if failure is not None and failure.status == TRUE:
        yield reasons.refused(failure.reason, failure.message)
    if pods is not None:
        least = new.wanted.spec.min_ready_seconds
        waiting = [pod for pod in pods if pod.active and not pod.is_available(least, now)]
        if about := reasons.about_pods(waiting, "new pod", least, now):
            yield about
        if new.available < new.size and (failed := reasons.about_failed(pods, "new pod")):
            yield failed
    elif missing := max(0, new.size - new.available):
        is_are = verb(new.size, "is", "are")
        yield reasons.wait("PodsNotReady", f"waits: {missing} of {counted(new.size, 'new pod')} {is_are} not available")


def _limits(sets: ReplicaSets, new: Draft, limits: Limits, status: DeploymentStatus) -> Iterator[Reason]:
    if total_size(sets.old) and status.available_replicas <= limits.min_available:
        text = f"{counted(limits.min_available, 'pod')} must stay available (maxUnavailable {limits.max_unavailable})"
        yield reasons.limit("MaxUnavailable", text)
    if new.size < limits.replicas and total_size(sets.all) >= limits.max_total:
        text = f"there may be no more than {counted(limits.max_total, 'pod')} (maxSurge {limits.max_surge})"
        yield reasons.limit("MaxSurge", text)


def _overdue(sets: ReplicaSets, status: DeploymentStatus) -> Iterator[Reason]:
    progressing = get_condition(status.conditions, c.PROGRESSING)
    if progressing is not None and progressing.reason == c.PROGRESS_DEADLINE_EXCEEDED:
        seconds = sets.deployment.spec.progress_deadline_seconds
        yield reasons.note(progressing.reason, f"its progress deadline of {seconds} s has passed")


def old_pods_running(pods: Sequence[PodView], waiting: int) -> Reason:
    """Return that Recreate waits for ``waiting`` pods of the former version; ``pods`` are those that were looked at."""
    text = f"waits for {counted(waiting, 'old pod')} to end before the first new one starts (Recreate)"
    return reasons.wait("OldPodsRunning", text, pods)


def name_taken(name: str) -> Reason:
    """Return that another ReplicaSet has the name the new one would have had."""
    return reasons.step(f'make the new ReplicaSet under another name: "{name}" is taken')
