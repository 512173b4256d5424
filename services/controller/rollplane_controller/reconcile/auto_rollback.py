"""Observing for automatic rollback: which workloads ask for it, what they have run, and how their new pods fare."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rollplane.apps.v1 import ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet
from rollplane_controller.reconcile.observer import BY_UID, Observer
from rollplane_controller.reconcile.reconciler import Failure, Reconciler, Wake
from rollplane_controller.reconcile.views import View
from rollplane_machinery.api import EventType, Key
from rollplane_machinery.deployments import REVISION, without_hash
from rollplane_machinery.extensions import AUTO_ROLLBACK
from rollplane_machinery.kinds import CONTROLLER_REVISION, POD, REPLICA_SET, Kind
from rollplane_machinery.well_known import REVISION_LABEL
from rollplane_planners import revision_history
from rollplane_planners.auto_rollback import Release, RolloutView, Workload, is_wanted, plan_auto_rollback
from rollplane_planners.daemon_set.history import hash_of
from rollplane_planners.deployment import revisions
from rollplane_planners.deployment.annotations import integer
from rollplane_planners.model import NOTHING, Plan
from rollplane_planners.pods import PodView
from rollplane_planners.templates import Templates, template_in

_WORD = AUTO_ROLLBACK.encode()


class AutoRollbackReconciler(Reconciler):
    """Wakes on workloads of one kind that have opted in, and on their pods; costs next to nothing for all others."""

    def __init__(self, observer: Observer, kind: Kind) -> None:
        self.kind = kind
        super().__init__(observer)
        self._opted: dict[str, Key] = {}
        """The workloads that have opted in, by uid."""

    @property
    def name(self) -> str:
        return f"{self.kind.singular}-auto-rollback"

    def attach(self, wake: Wake) -> None:
        def on_workload(type_: EventType, key: Key, old: View | None, new: View | None) -> None:
            if self._note(type_, key, old or new):
                wake(key)

        def on_pod(_type: EventType, _key: Key, _old: View | None, new: View | None) -> None:
            owner = self._owner_uid(new) if self._opted and new is not None else None
            if owner in self._opted:
                wake(self._opted[owner])

        self._observer.informer.add_handler(self.kind, on_workload)
        self._observer.informer.add_handler(POD, on_pod)

    def plan(self, key: Key, failure: Failure | None, now: float) -> Plan:
        workload = self._workload(key)
        return plan_auto_rollback(self._observe(workload), now) if workload and is_wanted(workload) else NOTHING

    def _workload(self, key: Key) -> Workload | None:
        message_type: type[Workload] = self.kind.message  # type: ignore[assignment] # one of the three, by wiring
        return self._observer.message(key, message_type)

    def _note(self, type_: EventType, key: Key, view: View | None) -> bool:
        """Remember whether the workload has opted in; tell it."""
        workload = None if type_ is EventType.DELETED or not self._may_want(key) else self._workload(key)
        if workload is None or not is_wanted(workload):
            if view is not None:
                self._opted.pop(view.uid, None)
            return False
        self._opted[workload.metadata.uid] = key
        return True

    def _may_want(self, key: Key) -> bool:
        """Tell whether the workload bears the word at all: most do not, and each change of each is asked about."""
        encoded = self._observer.informer.encoded(key)
        return encoded is not None and _WORD in encoded.value

    def _owner_uid(self, pod: View) -> str | None:
        """Return the uid of the workload over a pod, through its ReplicaSet if there is one between."""
        if self.kind.message is not Deployment or not pod.controller_uid:
            return pod.controller_uid
        sets = self._observer.informer.indexed(REPLICA_SET, BY_UID, pod.controller_uid).values()
        return next((one.controller_uid for one in sets), None)

    def _observe(self, workload: Workload) -> RolloutView:
        if isinstance(workload, Deployment):
            return self._observe_deployment(workload)
        found = self._observer.claimable(
            CONTROLLER_REVISION, ControllerRevision, workload.metadata.uid, workload.metadata.namespace
        )
        known = revision_history.in_order(found)
        present = _present_of(workload, known, self._observer.templates)
        label = present.metadata.name if isinstance(workload, StatefulSet) and present else ""
        if isinstance(workload, DaemonSet) and present:
            label = hash_of(present)
        pods = _live(self._observer.controlled_pods(workload.metadata.uid))
        name = present.metadata.name if present else ""
        return RolloutView(
            workload,
            [_release(one) for one in known],
            name,
            [one for one in pods if one.labels.get(REVISION_LABEL) == label],
        )

    def _observe_deployment(self, deployment: Deployment) -> RolloutView:
        found = (
            self._observer.message(key, ReplicaSet)
            for key, _ in self._observer.controlled(REPLICA_SET, deployment.metadata.uid)
        )
        sets = revisions.sort_out(deployment, (one for one in found if one is not None), self._observer.templates)
        releases = [
            Release(
                draft.name,
                integer(draft.annotations.get(REVISION)) or 0,
                without_hash(draft.wanted.spec.template),
                draft.annotations,
            )
            for draft in sets.all
        ]
        if sets.new is None:
            return RolloutView(deployment, releases, "", ())
        return RolloutView(deployment, releases, sets.new.name, _live(self._observer.controlled_pods(sets.new.uid)))


def _live(pods: Iterable[PodView]) -> list[PodView]:
    return [pod for pod in pods if not pod.terminating]


def _present_of(
    workload: StatefulSet | DaemonSet, known: Iterable[ControllerRevision], templates: Templates
) -> ControllerRevision | None:
    """Return the revision of the template the workload has now, the latest if several say the same."""
    template = workload.spec.template
    same = [one for one in known if templates.held(one.data.raw, template, by_meaning=True)]
    return same[-1] if same else None


def _release(revision: ControllerRevision) -> Release:
    annotations: Mapping[str, str] = dict(revision.metadata.annotations)
    template = template_in(revision.data.raw)
    return Release(revision.metadata.name, revision.revision, template, annotations)
