"""One sync of a Deployment, in the order of docs/semantics/deployment.md section 4."""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import field

from rollplane.apps.v1 import Deployment, DeploymentStatus, ReplicaSet
from rollplane_machinery.conditions import FALSE, TRUE, UNKNOWN, replace_condition
from rollplane_machinery.deployments import REVISION
from rollplane_machinery.frozen import frozen
from rollplane_machinery.kinds import DEPLOYMENT
from rollplane_machinery.releases import LATEST, Release
from rollplane_machinery.selectors import pod_selector_of
from rollplane_planners.claims import Owner, claim_objects
from rollplane_planners.deployment import conditions as c
from rollplane_planners.deployment import history, recreate, revisions, rollback, rolling, scaling
from rollplane_planners.deployment import status as st
from rollplane_planners.deployment.annotations import integer
from rollplane_planners.deployment.drafts import Draft
from rollplane_planners.deployment.explanation import PodsBySet, explain, name_taken, old_pods_running
from rollplane_planners.limits import RECREATE, Limits, limits_of
from rollplane_planners.model import (
    Plan,
    PlanBuilder,
    PlannedEvent,
    Severity,
    UpdateObjectStatus,
)
from rollplane_planners.pods import PodView
from rollplane_planners.templates import AS_STORED, Templates


@frozen
class DeploymentView:
    """A Deployment and what surrounds it, as last observed.

    ``replica_sets`` are those it controls and the orphans of its namespace. ``taken_names`` are the names of all
    ReplicaSets there, whoever controls them. ``running_pods`` counts, by the controlling ReplicaSet's uid, pods neither
    Succeeded nor Failed; only Recreate asks for it. ``pods`` holds each set's pods by its uid, where the reasons shall
    name them; what is planned does not depend on it. ``create_error`` says what refused the last creation of a
    ReplicaSet, if anything did. ``release`` is the one behaved as.
    """

    deployment: Deployment
    replica_sets: Sequence[ReplicaSet]
    taken_names: Container[str] = frozenset()
    running_pods: Mapping[str, int] = field(default_factory=dict)
    pods: PodsBySet = field(default_factory=dict)
    create_error: str = ""
    release: Release = LATEST
    templates: Templates = AS_STORED


def plan_deployment(view: DeploymentView, now: float) -> Plan:
    """Return the next step of this Deployment's rollout; ``now`` is seconds since the epoch."""
    deployment = view.deployment
    selector = deployment.spec.selector
    if not selector.match_labels and not selector.match_expressions:
        return _selecting_all(deployment)
    return _Sync(view, now).run()


def _selecting_all(deployment: Deployment) -> Plan:
    text = "This deployment is selecting all pods. A non-empty selector is required."
    event = PlannedEvent("SelectingAll", text, Severity.WARNING)
    if deployment.status.observed_generation >= deployment.metadata.generation:
        return Plan(events=(event,))
    wanted = Deployment()
    wanted.CopyFrom(deployment)
    wanted.status.observed_generation = deployment.metadata.generation
    return Plan(writes=(UpdateObjectStatus(wanted),), events=(event,))


class _Sync:
    """The state of one sync: the sets as drafts, and the plan as it grows."""

    def __init__(self, view: DeploymentView, now: float) -> None:
        self.view = view
        self.now = now
        self.deployment = view.deployment
        self.owner = Owner.of(DEPLOYMENT, self.deployment.metadata)
        self.limits: Limits = limits_of(self.deployment.spec)
        self.result = PlanBuilder()

    def run(self) -> Plan:
        selector = pod_selector_of(self.deployment)
        owned = claim_objects(self.owner, self.view.replica_sets, selector, self.result)
        if self.result.writes:
            # Adopted or released sets are counted once they are ours, or gone, in the store too.
            return self.result.plan()
        self.sets = revisions.sort_out(self.deployment, owned, self.view.templates)
        self._choose_path()
        return self.result.plan()

    def _choose_path(self) -> None:
        if self.owner.deleting:
            self._finish(judge=False)
        elif paused_status := self._pause_or_resume():
            self._write_status(paused_status)
            self._explain(paused_status)
        elif self.deployment.spec.paused:
            self._scale()
        elif rollback.is_requested(self.deployment):
            self._roll_back()
        elif scaling.is_scaling_event(self.sets):
            self._scale()
        elif self.deployment.spec.strategy.type == RECREATE:
            self._recreate()
        else:
            self._roll()

    def _pause_or_resume(self) -> DeploymentStatus | None:
        """Return the status that first shows a pause or its end; None when it is shown already, or never is."""
        reason = c.progressing_reason(self.deployment.status)
        if not st.has_deadline(self.deployment) or reason == c.PROGRESS_DEADLINE_EXCEEDED:
            return None
        if self.deployment.spec.paused == (reason == c.DEPLOYMENT_PAUSED):
            return None
        paused = self.deployment.spec.paused
        word = c.DEPLOYMENT_PAUSED if paused else c.DEPLOYMENT_RESUMED
        text = "Deployment is paused" if paused else "Deployment is resumed"
        status = DeploymentStatus()
        status.CopyFrom(self.deployment.status)
        replace_condition(status.conditions, c.new_condition(c.PROGRESSING, UNKNOWN, word, text, self.now))
        return status

    def _scale(self) -> None:
        if self.sets.new:
            revisions.update_new(self.sets, self.sets.new)
        scaling.scale(self.sets, self.limits)
        if self.deployment.spec.paused and not rollback.is_requested(self.deployment):
            self.result.writes.extend(history.surplus_history(self.sets, self.view.release))
        self._finish(judge=False)

    def _roll_back(self) -> None:
        """Restore the revision asked for; a template without a set first gets an empty one, to be the latest."""
        if self.sets.new:
            self.result.writes.extend(rollback.plan_rollback(self.sets).writes)
        elif self._existing_or_created(lambda: 0):
            self._finish()

    def _roll(self) -> None:
        new = self._existing_or_created(lambda: rolling.new_size(self.sets, self.limits))
        if new is None:
            return
        if rolling.scale_up(self.sets, new, self.limits) or rolling.scale_down(self.sets, new, self.limits):
            self._finish()
            return
        self._clean_up_if_complete()
        self._finish()

    def _recreate(self) -> None:
        if self.sets.new:
            revisions.update_new(self.sets, self.sets.new)
        if recreate.scale_down_old(self.sets, self.limits):
            self._finish()
        elif waiting := recreate.old_pods_running(self.sets, self.view.running_pods):
            self._finish()
            self.result.explain = lambda: [old_pods_running(self._old_pods(), waiting)]
        else:
            self._recreate_new()

    def _old_pods(self) -> list[PodView]:
        return [pod for draft in self.sets.old for pod in self.view.pods.get(draft.uid, ()) if not pod.finished]

    def _recreate_new(self) -> None:
        new = self._existing_or_created(lambda: self.limits.replicas)
        if new is None:
            return
        if not new.resize(self.limits.replicas, self.limits):
            self._clean_up_if_complete()
        self._finish()

    def _existing_or_created(self, size: Callable[[], int]) -> Draft | None:
        """Return the new set, to be created if need be; None when its name is taken and the plan ends here."""
        if self.sets.new:
            revisions.update_new(self.sets, self.sets.new)
            return self.sets.new
        if revisions.new_name(self.deployment) in self.view.taken_names:
            self._count_collision()
            return None
        return revisions.create_new(self.sets, self.owner, size(), self.limits)

    def _count_collision(self) -> None:
        """Another set has our name: count the collision, so that the next sync computes another hash."""
        status = DeploymentStatus()
        status.CopyFrom(self.deployment.status)
        status.collision_count += 1
        self._write_status(status)
        self.result.reasons.append(name_taken(revisions.new_name(self.deployment)))

    def _clean_up_if_complete(self) -> None:
        if st.is_complete(self.deployment, self.deployment.status):
            self.result.writes.extend(history.surplus_history(self.sets, self.view.release))

    def _finish(self, *, judge: bool = True) -> None:
        """Plan the sets' writes and the status that goes with them."""
        writes = self.sets.writes(self.view.release)
        created = self.sets.new is not None and self.sets.new.stored is None
        status = self._created_status() if created else st.count(self.sets, self.limits, self.now)
        if judge and not created:
            self._mark_found(status)
            st.judge_progress(self.sets, status, self.now)
        if not self.view.create_error:
            self.result.writes.extend(writes)
        self._write_status(status)
        if self.view.create_error:
            # A write that fails holds back what follows it, and the failure must be shown.
            self.result.writes.extend(writes)
        self._explain(status)
        if judge and (again := st.recheck_after(self.deployment, status, self.now)) is not None:
            self.result.requeue(again)

    def _created_status(self) -> DeploymentStatus:
        """Return the stored status with what a creation shows at once; counts follow when the set reports them."""
        status = DeploymentStatus()
        status.CopyFrom(self.deployment.status)
        name = self.sets.new.name if self.sets.new else ""
        if self.view.create_error:
            text = f'Failed to create new replica set "{name}": {self.view.create_error}'
            condition = c.new_condition(c.PROGRESSING, FALSE, c.REPLICA_SET_CREATE_ERROR, text, self.now)
            self.result.events.append(PlannedEvent(c.REPLICA_SET_CREATE_ERROR, text, Severity.WARNING))
        else:
            text = f'Created new replica set "{name}"'
            condition = c.new_condition(c.PROGRESSING, TRUE, c.NEW_REPLICA_SET_CREATED, text, self.now)
        if st.has_deadline(self.deployment):
            replace_condition(status.conditions, condition)
        return status

    def _mark_found(self, status: DeploymentStatus) -> None:
        """An existing new set, met for the first time or made at last, starts the clock of the deadline."""
        reason = c.progressing_reason(status)
        if not self.sets.new or not st.has_deadline(self.deployment):
            return
        if not reason:
            word, text = c.FOUND_NEW_REPLICA_SET, f'Found new replica set "{self.sets.new.name}"'
        elif reason == c.REPLICA_SET_CREATE_ERROR:
            word, text = c.NEW_REPLICA_SET_CREATED, f'Created new replica set "{self.sets.new.name}"'
        else:
            return
        replace_condition(status.conditions, c.new_condition(c.PROGRESSING, TRUE, word, text, self.now))

    def _write_status(self, status: DeploymentStatus) -> None:
        """Plan the status, and the revision the Deployment shows, unless both are stored already."""
        revision = self._revision()
        shown = self.deployment.metadata.annotations.get(REVISION, "")
        if status == self.deployment.status and revision in ("", shown):
            return
        wanted = Deployment(metadata=self.deployment.metadata, status=status)
        if revision:
            wanted.metadata.annotations[REVISION] = revision
        self.result.writes.append(UpdateObjectStatus(wanted))

    def _revision(self) -> str:
        """Return the new set's revision, "" while it has none that is above those of all others."""
        number = self.sets.new.wanted.metadata.annotations.get(REVISION, "") if self.sets.new else ""
        return number if (integer(number) or 0) >= revisions.next_revision(self.sets) else ""

    def _explain(self, status: DeploymentStatus) -> None:
        self.result.explain = lambda: explain(self.sets, self.limits, status, self.view.pods, self.now)
