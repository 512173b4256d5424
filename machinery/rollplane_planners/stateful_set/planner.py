"""One sync of a StatefulSet, in the order of docs/semantics/statefulset.md section 5.

Under OrderedReady each round takes one step and ends; the pods' events bring the next. Parallel sets act on all slots
at once when they create and delete, but update one after another all the same.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping, Sequence
from dataclasses import dataclass, field

from rollplane.apps.v1 import ControllerRevision, StatefulSet
from rollplane.core.v1 import PersistentVolumeClaim, Pod
from rollplane_machinery.kinds import POD, STATEFUL_SET
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.releases import LATEST, MaxUnavailable, Release
from rollplane_machinery.selectors import pod_selector_of
from rollplane_planners import revision_history
from rollplane_planners.claims import Owner, claim_objects, claim_pods
from rollplane_planners.limits import stateful_set_max_unavailable
from rollplane_planners.model import (
    CreateObject,
    DeleteObject,
    Plan,
    PlanBuilder,
    PlannedEvent,
    UpdateObject,
    UpdateObjectStatus,
)
from rollplane_planners.pod_trouble import NEVER
from rollplane_planners.pods import PodView, seconds_until_available
from rollplane_planners.reasons import wait
from rollplane_planners.stateful_set import healing, volumes
from rollplane_planners.stateful_set.explanation import Round, explain
from rollplane_planners.stateful_set.identity import (
    has_identity,
    new_pod,
    ordinal_of,
    pod_name,
    restore_identity,
)
from rollplane_planners.stateful_set.known import known_to
from rollplane_planners.stateful_set.revisions import Versions, versions_of
from rollplane_planners.stateful_set.slots import ON_DELETE, Slot, Slots, sort_out
from rollplane_planners.stateful_set.status import Acts, status_of
from rollplane_planners.stateful_set.volumes import set_claims, uses_claims
from rollplane_planners.templates import AS_STORED, Templates

PARALLEL = "Parallel"
BURST = 500


@dataclass(frozen=True, slots=True)
class StatefulSetView:
    """A StatefulSet and its surroundings, as last observed.

    ``pods`` are those it controls and the orphans of its namespace, ``revisions`` likewise. ``claims`` holds the
    namespace's claims by name, ``taken_names`` all its revisions' names; ``fetch`` reads one of the pods whole.
    """

    stateful_set: StatefulSet
    pods: Sequence[PodView]
    revisions: Sequence[ControllerRevision]
    fetch: Callable[[PodView], Pod]
    claims: Mapping[str, PersistentVolumeClaim] = field(default_factory=dict)
    taken_names: Container[str] = frozenset()
    release: Release = LATEST
    templates: Templates = AS_STORED


def plan_stateful_set(view: StatefulSetView, now: float) -> Plan:
    """Return the next step of this set; ``now`` is seconds since the epoch."""
    return _Sync(view, now).run()


class _RoundEnds(Exception):  # noqa: N818 - it is no error: the round has done what it may
    """Raised by a step after which nothing else may happen in this round."""


class _Sync:
    def __init__(self, view: StatefulSetView, now: float) -> None:
        self.view = view
        self.now = now
        self.release = view.release
        self.set = known_to(view.release, view.stateful_set)
        self.owner = Owner.of(STATEFUL_SET, self.set.metadata)
        self.selector = pod_selector_of(self.set)
        self.min_ready = self.set.spec.min_ready_seconds
        self.monotonic = self.set.spec.pod_management_policy != PARALLEL
        self.result = PlanBuilder()
        self.acts = Acts()
        self.healed: set[Slot] = set()

    def run(self) -> Plan:
        pods = self._claim_pods()
        revisions = claim_objects(self.owner, self.view.revisions, self.selector, self.result)
        if self.result.writes:
            return self.result.plan()
        self.versions: Versions = versions_of(self.set, self.owner, revisions, self.view.taken_names, self._holds)
        if self.versions.write is not None:
            self.result.writes.append(self.versions.write)
        self.slots: Slots = sort_out(self.set, pods, self.versions.current.name, self.versions.update.name)
        self._act()
        self._explain()
        self._write_status()
        if not self.owner.deleting:
            self._truncate(revisions)
        self._requeue_for_availability()
        return self.result.plan()

    def _holds(self, revision: ControllerRevision) -> bool:
        by_meaning = self.release.revisions_by_meaning
        return self.view.templates.held(revision.data.raw, self.set.spec.template, by_meaning=by_meaning)

    # Claiming.

    def _claim_pods(self) -> list[PodView]:
        """Return the members: selected, and named after the set. Plan adoptions and releases."""
        return claim_pods(
            self.owner, self.view.pods, selects=self._is_member, fetch=self.view.fetch, result=self.result
        )

    def _is_member(self, pod: PodView) -> bool:
        return self.selector.matches(pod.labels) and ordinal_of(self.set, pod.name) is not None

    # The round.

    def _act(self) -> None:
        """Take this round's steps: slots first, then the condemned, then the update."""
        if self.owner.deleting:
            return
        try:
            for slot in self.slots.replicas:
                self._tend(slot)
            self._remove_condemned()
            if self.set.spec.update_strategy.type != ON_DELETE:
                self._update()
        except _RoundEnds:
            return

    def _end_if_ordered(self) -> None:
        if self.monotonic:
            raise _RoundEnds

    def _tend(self, slot: Slot) -> None:
        """Bring one slot to life; under OrderedReady nothing behind it happens before it is available."""
        if slot.ended:
            if not slot.terminating:
                self._delete(slot)
            self._end_if_ordered()
            return
        if not slot.created:
            if slot.pod is None:
                self._create(slot)
            self._end_if_ordered()
            return
        if slot.pending:
            self._make_claims(slot)
        if self.monotonic and self._is_unavailable(slot):
            self._heal(slot)
            raise _RoundEnds
        self._repair(slot)

    def _heal(self, slot: Slot) -> None:
        """At the gate: clear a pod that nobody wants any more, where the user asked for that."""
        if slot.pod is None or not healing.is_wanted(self.set):
            return
        if not healing.is_left_over(slot, self.versions, self._first_updated()):
            return
        if healing.may_be_replaced(slot, self.versions, self.now):
            text = f"replace Pod {slot.pod.name}, whose template is no longer wanted, to heal the rollout"
            self.result.events.append(PlannedEvent("HealedStuckRollout", text))
            # It goes out of order only because it is not ready, and therefore only as it was seen.
            self._delete(slot, self.view.fetch(slot.pod).metadata.resource_version)
            self.healed.add(slot)
        elif slot.pod.trouble is not None and slot.pod.trouble.lasting_from != NEVER:
            self.result.requeue(slot.pod.trouble.lasting_from - self.now)

    def _create(self, slot: Slot) -> None:
        """Plan the pod of an empty slot and the claims it needs."""
        if len(self.acts.created) >= BURST or self._must_wait_for_claims(slot):
            return
        self._make_claims(slot)
        name = pod_name(self.set, slot.ordinal)
        version = self.versions.current if slot.revision == self.versions.current.name else self.versions.update
        pod = new_pod(self.set, version.template, version.name, slot.ordinal, self.owner, self.release)
        event = PlannedEvent("SuccessfulCreate", f"create Pod {name} in StatefulSet {self.owner.name} successful")
        self.result.writes.append(CreateObject(pod, (event,)))
        self.acts.created.add(slot)

    def _must_wait_for_claims(self, slot: Slot) -> bool:
        """Tell whether a claim of the slot is about to go. One that is being deleted already ends the round."""
        name = pod_name(self.set, slot.ordinal)
        for _, claim in volumes.claims_of(self.set, slot.ordinal):
            stored = self.view.claims.get(claim.metadata.name)
            if stored is None:
                continue
            if volumes.is_stale(self.set, stored, name):
                self._wait_for_claim(f"waits for claim {claim.metadata.name} of {name}'s predecessor to be gone")
                return True
            if is_being_deleted(stored.metadata):
                self._wait_for_claim(f"waits for claim {claim.metadata.name} of {name}, which is being deleted")
                raise _RoundEnds
        return False

    def _wait_for_claim(self, text: str) -> None:
        self.result.reasons.append(wait("ClaimTerminating", text))

    def _make_claims(self, slot: Slot) -> None:
        name = pod_name(self.set, slot.ordinal)
        for _, claim in volumes.claims_of(self.set, slot.ordinal):
            if claim.metadata.name not in self.view.claims:
                owner = volumes.wanted_owner(self.set, None, condemned=False)
                if owner is not None:
                    claim.metadata.owner_references.append(owner)
                text = f"create Claim {claim.metadata.name} Pod {name} in StatefulSet {self.owner.name} success"
                self.result.writes.append(CreateObject(claim, (PlannedEvent("SuccessfulCreate", text),)))

    def _repair(self, slot: Slot) -> None:
        """Mend identity, claims and their ownership of a pod that is there."""
        if slot.pod is None or slot.terminating:
            return
        pod = self.view.fetch(slot.pod)
        self._fix_claim_owners(slot, pod, condemned=False)
        stored = uses_claims(self.set, pod, slot.ordinal)
        if stored and has_identity(self.set, pod, slot.ordinal):
            return
        wanted = Pod()
        wanted.CopyFrom(pod)
        restore_identity(self.set, wanted, slot.ordinal, self.release)
        if not stored:
            self._make_claims(slot)
            set_claims(self.set, wanted, slot.ordinal)
        text = f"update Pod {slot.pod.name} in StatefulSet {self.owner.name} successful"
        self.result.writes.append(UpdateObject(wanted, (PlannedEvent("SuccessfulUpdate", text),)))

    def _fix_claim_owners(self, slot: Slot, pod: Pod, *, condemned: bool) -> bool:
        """Plan what gives the slot's claims their right owners; tell whether any lacked it."""
        fixed = []
        for _, claim in volumes.claims_of(self.set, slot.ordinal):
            stored = self.view.claims.get(claim.metadata.name)
            if stored is not None:
                fixed.append(volumes.fix_owner(self.set, stored, pod, condemned=condemned))
        changes = [UpdateObject(claim) for claim in fixed if claim is not None]
        self.result.writes.extend(changes)
        return bool(changes)

    def _remove_condemned(self) -> None:
        """Delete pods out of range, the highest first; ordered sets one at a time."""
        unhealthy = self.slots.first_unhealthy(self.min_ready, self.now)
        for slot in self.slots.condemned:
            if slot.terminating:
                self._end_if_ordered()
                continue
            if self.monotonic and slot is not unhealthy and not slot.available(self.min_ready, self.now):
                raise _RoundEnds
            # A claim that is to go with the pod must have it as owner before it goes: the pod has to wait for that.
            if slot.pod is not None and not self._fix_claim_owners(slot, self.view.fetch(slot.pod), condemned=True):
                self._delete(slot)
                self.acts.removed.add(slot)
            self._end_if_ordered()

    # The update.

    def _first_updated(self) -> int:
        """Return the lowest ordinal the update may touch."""
        start = self.set.spec.ordinals.start
        return start + self.set.spec.update_strategy.rolling_update.partition

    def _update(self) -> None:
        """Replace pods of other revisions, from the highest ordinal down to the partition (section 6)."""
        targets = [slot for slot in reversed(self.slots.replicas) if slot.ordinal >= self._first_updated()]
        most = stateful_set_max_unavailable(self.set)
        if self.release.max_unavailable is not MaxUnavailable.IGNORED:
            self._update_several(targets, most)
            return
        for slot in targets:
            if self._is_outdated(slot):
                self._replace(slot)
                return
            if self._is_unavailable(slot):
                return

    def _update_several(self, targets: Sequence[Slot], most: int) -> None:
        """Replace as many at once as may be unavailable; pods below the partition count among those that are.

        Of old pods that are broken already nothing is lost: they are replaced first, and only those that are on their
        way to be replaced hold them back.
        """
        unavailable = [slot for slot in self.slots.replicas if self._is_unavailable(slot)]
        outdated = [slot for slot in targets if self._is_outdated(slot)]
        room = max(0, most - len(unavailable))
        if self.release.max_unavailable is MaxUnavailable.BROKEN_FIRST:
            broken = [slot for slot in outdated if slot in unavailable]
            for slot in broken[: max(0, most - (len(unavailable) - len(broken)))]:
                self._replace(slot)
            outdated = [slot for slot in outdated if slot not in broken]
        for slot in outdated[:room]:
            self._replace(slot)

    def _replace(self, slot: Slot) -> None:
        self._delete(slot)
        self.acts.replaced.add(slot)

    def _is_outdated(self, slot: Slot) -> bool:
        """Tell whether the update has yet to delete the slot's pod."""
        return slot.is_outdated(self.versions.update.name)

    def _is_unavailable(self, slot: Slot) -> bool:
        return slot.unavailable(self.min_ready, self.now)

    def _delete(self, slot: Slot, resource_version: str | None = None) -> None:
        if slot.pod is None:
            return
        text = f"delete Pod {slot.pod.name} in StatefulSet {self.owner.name} successful"
        event = PlannedEvent("SuccessfulDelete", text)
        pod = slot.pod
        self.result.writes.append(DeleteObject(POD, pod.namespace, pod.name, pod.uid, (event,), resource_version))

    # What follows every round.

    def _explain(self) -> None:
        """Say what holds the set, unless it is a claim, which was met on the way."""
        if self.result.reasons or self.owner.deleting:
            return
        done = Round(
            self.set,
            self.slots,
            self.versions,
            self.acts,
            self.healed,
            self.monotonic,
            self._first_updated(),
            self.now,
            self.release,
        )
        self.result.reasons.extend(explain(done))

    def _write_status(self) -> None:
        slots = (*self.slots.replicas, *self.slots.condemned)
        status = status_of(self.set, slots, self.versions, self.acts, self.now, self.release)
        if status == self.view.stateful_set.status:
            return
        wanted = StatefulSet()
        wanted.CopyFrom(self.set)
        wanted.status.CopyFrom(status)
        # A status that tells of what this round creates must not be stored when that fails; any other one must.
        tells_of_creations = bool(self.acts.created) or self.versions.write is not None
        self.result.writes.append(UpdateObjectStatus(wanted, regardless=not tells_of_creations))

    def _truncate(self, revisions: Sequence[ControllerRevision]) -> None:
        """Drop history beyond the limit; what runs, or is about to, does not count."""
        slots = (*self.slots.replicas, *self.slots.condemned)
        live = {slot.revision for slot in slots} | {self.versions.current.name, self.versions.update.name}
        limit = self.set.spec.revision_history_limit if self.set.spec.HasField("revision_history_limit") else 10
        self.result.writes.extend(revision_history.truncated(revisions, live, limit))

    def _requeue_for_availability(self) -> None:
        pods = [slot.pod for slot in self.slots.all if slot.running_ready and slot.pod is not None]
        self.result.requeue(seconds_until_available(pods, self.min_ready, self.now))
