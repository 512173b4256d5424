"""Going back by itself: a rollout that fails returns, once, to the revision that was last available everywhere.

Not Kubernetes' doing, and off unless the workload asks for it (``rollplane.dev/auto-rollback: "true"``). A rollout has
failed when its progress deadline has passed (Deployments have one), or when a pod of the new revision fails lastingly
(``pod_trouble``); what may heal by itself is waited for.

There is never a storm: only a revision that was available everywhere is gone back to, from there no way leads further
back, and a revision that was given up once is never given up again, also when somebody applies it again. Revisions are
remembered by their objects' names, for numbers change when a revision returns.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field

from rollplane.apps.v1 import DaemonSet, Deployment, DeploymentCondition, StatefulSet
from rollplane.core.v1 import PodTemplateSpec
from rollplane_machinery.conditions import get_condition, remove_condition, replace_condition
from rollplane_machinery.extensions import AUTO_ROLLBACK, AUTO_ROLLED_BACK, LAST_AVAILABLE, ROLLED_BACK, ROLLING_BACK
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.well_known import CHANGE_CAUSE
from rollplane_planners.deployment import conditions as c
from rollplane_planners.deployment.status import is_complete
from rollplane_planners.model import (
    NOTHING,
    Plan,
    PlannedEvent,
    Severity,
    UpdateObject,
    UpdateObjectStatus,
)
from rollplane_planners.pod_trouble import NEVER
from rollplane_planners.pods import PodView
from rollplane_planners.reasons import wait
from rollplane_planners.rolled_back import REASON, RolledBack

Workload = Deployment | StatefulSet | DaemonSet

REMEMBERED = 20
"""Names kept of revisions that were given up; the oldest go first."""


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a rollout has failed: a word for the condition, and a sentence for people."""

    reason: str
    text: str


@dataclass(frozen=True, slots=True)
class Release:
    """A revision that there is: ``name`` is its ReplicaSet's or ControllerRevision's, ``number`` its present one."""

    name: str
    number: int
    template: PodTemplateSpec
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RolloutView:
    """A workload and its releases, as last observed.

    ``present`` is the name of the release of the template it has now, "" while there is none yet; ``pods`` are the
    live pods of that release.
    """

    workload: Workload
    releases: Sequence[Release]
    present: str
    pods: Sequence[PodView]


def is_wanted(workload: Workload) -> bool:
    """Tell whether the user has opted in."""
    return workload.metadata.annotations.get(AUTO_ROLLBACK) == "true"


def given_up(workload: Workload) -> list[str]:
    """Return the names of the revisions that were rolled back automatically, oldest first."""
    return [name for name in workload.metadata.annotations.get(AUTO_ROLLED_BACK, "").split(",") if name]


def plan_auto_rollback(view: RolloutView, now: float) -> Plan:
    """Return what the rollout's state asks for: remember a success, go back from a failure, or nothing.

    A Deployment says why in a condition first and goes back in the next step, so that the condition outlives whatever
    comes of it. ``now`` is seconds since the epoch.
    """
    workload = view.workload
    if not is_wanted(workload) or is_being_deleted(workload.metadata) or not _is_observed(view):
        return NOTHING
    remembered = workload.metadata.annotations.get(LAST_AVAILABLE, "")
    if remembered == view.present:
        return NOTHING
    if _is_available_everywhere(workload):
        return _remember(view)
    failure = _decided(view) or _failure(view, now)
    return _go_back(view, remembered, failure, now) if failure is not None else _look_again(view, now)


def _is_observed(view: RolloutView) -> bool:
    """Tell whether the status speaks of the present template, and its controller may act on it."""
    workload = view.workload
    if workload.status.observed_generation < workload.metadata.generation or not view.present:
        return False
    if isinstance(workload, Deployment):
        return not workload.spec.paused
    return workload.spec.update_strategy.type == "RollingUpdate"


def _is_available_everywhere(workload: Workload) -> bool:
    """Tell whether the present template runs wherever it should; a workload of no pods proves nothing."""
    if isinstance(workload, Deployment):
        return workload.spec.replicas > 0 and is_complete(workload, workload.status)
    if isinstance(workload, StatefulSet):
        members = workload.status
        counts = {members.updated_replicas, members.available_replicas, members.replicas}
        return workload.spec.replicas > 0 and counts == {workload.spec.replicas}
    daemons = workload.status
    desired = daemons.desired_number_scheduled
    return desired > 0 and min(daemons.updated_number_scheduled, daemons.number_available) >= desired


def _remember(view: RolloutView) -> Plan:
    """Note the revision; a story of an earlier one that failed is over."""
    wanted = deepcopy(view.workload)
    wanted.metadata.annotations[LAST_AVAILABLE] = view.present
    wanted.metadata.annotations.pop(ROLLING_BACK, None)
    if isinstance(wanted, Deployment):
        remove_condition(wanted.status.conditions, REASON)
    # With the status, because an annotation written with the spec would be a new generation of a Deployment.
    return Plan(writes=(UpdateObjectStatus(wanted),))


def _failure(view: RolloutView, now: float) -> Failure | None:
    """Return what has gone wrong with the present revision."""
    workload = view.workload
    if isinstance(workload, Deployment):
        progressing = get_condition(workload.status.conditions, c.PROGRESSING)
        late = progressing is not None and progressing.reason == c.PROGRESS_DEADLINE_EXCEEDED
        # The condition of an earlier rollout may still stand: it names the set it speaks of.
        if progressing is not None and late and f'"{view.present}"' in progressing.message:
            return Failure(c.PROGRESS_DEADLINE_EXCEEDED, "its progress deadline has passed")
    for pod in sorted(view.pods, key=lambda pod: pod.name):
        if pod.trouble is not None and pod.trouble.is_lasting(now):
            return Failure(pod.trouble.reason, f"pod {pod.name} fails, {pod.trouble}")
    return None


def _decided(view: RolloutView) -> Failure | None:
    """Return the failure for which the present revision was given up already; a decision nobody can read is none."""
    try:
        told = json.loads(view.workload.metadata.annotations.get(ROLLING_BACK, "{}"))
        return Failure(str(told["reason"]), str(told["text"])) if told["revision"] == view.present else None
    except (ValueError, TypeError, KeyError):
        return None


def _look_again(view: RolloutView, now: float) -> Plan:
    """Come back when the first failure that may yet heal counts as lasting."""
    due = [pod.trouble.lasting_from for pod in view.pods if pod.trouble is not None]
    first = min(due, default=NEVER)
    return NOTHING if first == NEVER else Plan(requeue_after=first - now)


def _go_back(view: RolloutView, remembered: str, failure: Failure, now: float) -> Plan:
    if view.present in given_up(view.workload):
        text = f'is not rolled back: "{view.present}" fails again, and it was rolled back automatically once already'
        return Plan(reasons=(wait(REASON, text),))
    target = next((release for release in view.releases if release.name == remembered), None)
    if target is None:
        text = f'is not rolled back: no revision before "{view.present}" was ever available ({failure.text})'
        return Plan(reasons=(wait(REASON, text),))
    text = f'"{view.present}" is rolled back to revision {target.number} ("{target.name}"): {failure.text}'
    if isinstance(view.workload, Deployment) and _decided(view) is None:
        decision = {"revision": view.present, "reason": failure.reason, "text": failure.text}
        condition = c.new_condition(REASON, "True", failure.reason, text, now)
        return _announce(view.workload, json.dumps(decision), condition)
    event = PlannedEvent(REASON, f"Revision {text}", Severity.WARNING)
    return Plan(writes=(UpdateObject(_restored(view, target, failure), (event,)),))


def _announce(deployment: Deployment, decision: str, condition: DeploymentCondition) -> Plan:
    """Tell people in a condition, and the next step in an annotation."""
    wanted = Deployment()
    wanted.CopyFrom(deployment)
    wanted.metadata.annotations[ROLLING_BACK] = decision
    remove_condition(wanted.status.conditions, REASON)
    replace_condition(wanted.status.conditions, condition)
    return Plan(writes=(UpdateObjectStatus(wanted),))


def _restored(view: RolloutView, target: Release, failure: Failure) -> Workload:
    """Return the workload with the target's template, the failed revision on its list and its story told."""
    wanted = deepcopy(view.workload)
    wanted.spec.template.CopyFrom(target.template)
    annotations = wanted.metadata.annotations
    annotations[AUTO_ROLLED_BACK] = ",".join([*given_up(view.workload), view.present][-REMEMBERED:])
    annotations[ROLLED_BACK] = _story(view, target, failure).to_json()
    annotations.pop(ROLLING_BACK, None)
    annotations.pop(CHANGE_CAUSE, None)
    if CHANGE_CAUSE in target.annotations:
        annotations[CHANGE_CAUSE] = target.annotations[CHANGE_CAUSE]
    return wanted


def _story(view: RolloutView, target: Release, failure: Failure) -> RolledBack:
    number = next((release.number for release in view.releases if release.name == view.present), 0)
    return RolledBack(view.present, number, target.number, failure.reason, failure.text)
