"""What is promised of StatefulSets and DaemonSets, judged from the same stream.

Of a StatefulSet:

- no ordinal ever has two pods;
- a pod below the partition is made at the current revision;
- under OrderedReady a pod is made only when all below it have been ready, and a pod out of range goes only when none
  above it is left.

Of a DaemonSet:

- no node has two live pods, or three while surging;
- under RollingUpdate the deletion of a ready old pod leaves a ready one on all but maxUnavailable of the nodes that its
  status says should run one, as long as none broke by itself or was evicted. No race excuses it: what was not ready
  when its deletion was decided is not deleted once it is.

Users may delete what they like, so nothing is concluded from a pod's absence alone. A controller acts on what it has
seen, here as on Kubernetes: what any version of a set allows counts as allowed until its status tells of a later one.
While a DaemonSet's present generation has not been observed its deletions are not judged: nodes may have ceased to be
its own. Which nodes are its own is known by their number only, so that pods on others count too.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from rollplane.apps.v1 import DaemonSet, StatefulSet
from rollplane.core.v1 import Pod
from rollplane_machinery.conditions import is_true
from rollplane_machinery.int_or_string import resolve
from rollplane_machinery.invariants.world import controller_uid
from rollplane_machinery.metadata import is_being_deleted
from rollplane_machinery.pods import DISRUPTION_TARGET, is_pod_active, is_pod_ready
from rollplane_machinery.well_known import GENERATION_LABEL, REVISION_LABEL, TEMPLATE_GENERATION

AnySet = StatefulSet | DaemonSet
ORDINAL_KINDS = frozenset({"StatefulSet", "DaemonSet"})
S = TypeVar("S", bound=StatefulSet | DaemonSet)


@dataclass(frozen=True, slots=True)
class Member:
    """A pod of a set; ``place`` is its ordinal or its node. ``was_ready`` stays True once it has been."""

    name: str
    owner: str
    place: str
    revision: str
    generation: str
    live: bool
    terminating: bool
    ready: bool
    was_ready: bool
    disrupted: bool


class OrdinalRules:
    """Remembers sets and their pods by uid; ``put_*`` return what the change breaks, as subject and text."""

    def __init__(self) -> None:
        self._sets: dict[str, AnySet] = {}
        self._former: dict[str, dict[int, AnySet]] = {}
        """The last version of each generation, below the present one, that a set's controller may still go by."""
        self._unsure: set[str] = set()
        """Sets that were first seen when their controllers might still go by versions from before."""
        self._members: dict[str, dict[str, Member]] = defaultdict(dict)
        self._owners: dict[str, str] = {}
        self._been_ready: dict[str, set[str]] = defaultdict(set)
        self._early: dict[str, dict[str, Pod]] = defaultdict(dict)
        """Pods that were seen before what controls them, as in a first state, by their controllers' uids."""

    @property
    def known(self) -> set[str]:
        """The uids of all sets there are."""
        return set(self._sets)

    def put_set(self, message: AnySet) -> None:
        """Remember a set, and what it was, as long as its controller may not have seen more."""
        uid = message.metadata.uid
        if (before := self._sets.get(uid)) is not None:
            former = {**self._former.get(uid, {}), before.metadata.generation: before}
            seen = message.status.observed_generation
            self._former[uid] = {generation: one for generation, one in former.items() if generation >= seen}
        elif message.metadata.generation > 1:
            self._unsure.add(uid)
        if message.status.observed_generation >= message.metadata.generation:
            self._unsure.discard(uid)
        self._sets[uid] = message
        for pod in self._early.pop(uid, {}).values():
            list(self.put_pod(pod))

    def remove(self, uid: str) -> None:
        """Forget the object with that uid, of whatever kind."""
        self._sets.pop(uid, None)
        self._former.pop(uid, None)
        self._unsure.discard(uid)
        self._been_ready.pop(uid, None)
        owner = self._owners.pop(uid, "")
        for kept in (self._members, self._early):
            kept.get(owner, {}).pop(uid, None)

    def put_pod(self, message: Pod) -> Iterator[tuple[str, str]]:
        """Remember a pod, and yield what its coming, or its going, breaks."""
        owner = self._sets.get(controller := controller_uid(message.metadata, ORDINAL_KINDS))
        if owner is None:
            if controller:
                self._early[controller][message.metadata.uid] = message
                self._owners[message.metadata.uid] = controller
            return
        uid = message.metadata.uid
        before = self._members[owner.metadata.uid].get(uid)
        member = _member(message, owner, before)
        self._members[member.owner][uid] = member
        self._owners[uid] = member.owner
        if member.ready:
            self._been_ready[member.owner].add(member.place)
        subject = f"{owner.metadata.namespace}/{owner.metadata.name}"
        if isinstance(owner, StatefulSet):
            texts = self._check_ordinal(owner, member, before)
        else:
            texts = self._check_daemon(owner, member, before)
        yield from ((subject, text) for text in texts)

    # StatefulSets.

    def _check_ordinal(self, owner: StatefulSet, member: Member, before: Member | None) -> Iterator[str]:
        others = [one for one in self._of(member) if one is not member]
        if before is None:
            if any(one.place == member.place for one in others):
                yield f"there are two pods {member.name}"
            yield from self._check_partition(owner, member)
            if self._is_ordered(owner):
                yield from self._check_order(owner, member, others)
        elif member.terminating and not before.terminating and self._is_ordered(owner):
            above = [one.name for one in others if int(one.place) > int(member.place)]
            out_of_range = not any(_in_range(one, int(member.place)) for one in self._gone_by(owner))
            if above and out_of_range and not member.disrupted:
                yield f"{member.name} is deleted while {above[0]} is still there"

    def _check_partition(self, owner: StatefulSet, member: Member) -> Iterator[str]:
        strategy = owner.spec.update_strategy
        below = int(member.place) - owner.spec.ordinals.start < strategy.rolling_update.partition
        current = {one.status.current_revision for one in self._gone_by(owner)} - {""}
        settled = owner.status.observed_generation >= owner.metadata.generation
        if strategy.type == "RollingUpdate" and below and settled and current and member.revision not in current:
            yield f"{member.name} is below the partition and made at {member.revision}"

    def _check_order(self, owner: StatefulSet, member: Member, others: list[Member]) -> Iterator[str]:
        """A lower pod that has gone since it was ready may have been deleted meanwhile; one never ready cannot."""
        present = {one.place: one for one in others}
        first = max(one.spec.ordinals.start for one in self._gone_by(owner))
        for ordinal in map(str, range(first, int(member.place))):
            lower = present.get(ordinal)
            was_ready = lower.was_ready if lower else ordinal in self._been_ready[member.owner]
            if not was_ready:
                yield f"{member.name} is made before ordinal {ordinal} is ready"

    # DaemonSets.

    def _check_daemon(self, owner: DaemonSet, member: Member, before: Member | None) -> Iterator[str]:
        if member.live and (before is None or before.place != member.place):
            here = sum(one.live and one.place == member.place for one in self._of(member))
            most = 2 if owner.metadata.uid in self._unsure or any(map(_surges, self._gone_by(owner))) else 1
            if here > most:
                yield f"{here} pods on {member.place}, at most {most} are allowed"
        if before is not None and member.terminating and not before.terminating and before.ready:
            yield from self._check_unavailable(owner, member)

    def _check_unavailable(self, owner: DaemonSet, member: Member) -> Iterator[str]:
        settled = owner.status.observed_generation >= owner.metadata.generation
        new = member.generation == owner.metadata.annotations.get(TEMPLATE_GENERATION, "")
        rolling = owner.spec.update_strategy.type == "RollingUpdate"
        if not settled or new or not rolling or member.disrupted:
            return
        served = {one.place for one in self._of(member) if one.live and (one.ready or one.was_ready)}
        bare, most = owner.status.desired_number_scheduled - len(served), _max_unavailable(owner)
        if bare > most:
            yield f"{bare} nodes are without a ready pod after {member.name} was deleted, at most {most} may be"

    def _is_ordered(self, owner: StatefulSet) -> bool:
        """Return whether its order can be judged."""
        return owner.spec.pod_management_policy != "Parallel" and owner.metadata.uid not in self._unsure

    def _gone_by(self, owner: S) -> list[S]:
        """Return the versions of a set that what its controller does now may have been decided by."""
        former = self._former.get(owner.metadata.uid, {}).values()
        return [owner, *(one for one in former if isinstance(one, type(owner)))]

    def _of(self, member: Member) -> list[Member]:
        return list(self._members[member.owner].values())


def _member(message: Pod, owner: AnySet, before: Member | None) -> Member:
    metadata = message.metadata
    ready = is_pod_ready(message)
    terminating = is_being_deleted(metadata)
    ordinal = metadata.name.rpartition("-")[2]
    return Member(
        name=metadata.name,
        owner=owner.metadata.uid,
        place=ordinal if isinstance(owner, StatefulSet) else _node_of(message),
        revision=metadata.labels.get(REVISION_LABEL, ""),
        generation=metadata.labels.get(GENERATION_LABEL, ""),
        live=is_pod_active(message),
        terminating=terminating,
        ready=ready,
        was_ready=ready or (before is not None and before.was_ready),
        disrupted=is_true(message.status.conditions, DISRUPTION_TARGET),
    )


def _node_of(pod: Pod) -> str:
    """Return the node a daemon's pod runs on or is meant for."""
    if pod.spec.node_name:
        return pod.spec.node_name
    required = pod.spec.affinity.node_affinity.required_during_scheduling_ignored_during_execution
    fields = (field for term in required.node_selector_terms for field in term.match_fields)
    return next((field.values[0] for field in fields if field.values), "")


def _in_range(stateful_set: StatefulSet, ordinal: int) -> bool:
    start = stateful_set.spec.ordinals.start
    return start <= ordinal < start + stateful_set.spec.replicas


def _surges(daemon_set: DaemonSet) -> bool:
    rolling = daemon_set.spec.update_strategy.rolling_update
    return rolling.HasField("max_surge") and resolve(rolling.max_surge, 1, round_up=True) > 0


def _max_unavailable(daemon_set: DaemonSet) -> int:
    """Reckoned here and not by the planners' limits, on purpose: whoever checks must not share the error."""
    rolling, desired = daemon_set.spec.update_strategy.rolling_update, daemon_set.status.desired_number_scheduled
    most = resolve(rolling.max_unavailable, desired, round_up=True) if rolling.HasField("max_unavailable") else 1
    return most if _surges(daemon_set) else max(1, most)
