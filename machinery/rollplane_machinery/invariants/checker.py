"""The checker: feed it watch events in order, read the violations.

What is promised of a Deployment under RollingUpdate:

- the sizes of its ReplicaSets never add up to more than replicas + maxSurge;
- a ReplicaSet never has more live pods than it was told to have (nor has a ReplicationController);
- deleting pods never leaves fewer ready ones than replicas - maxUnavailable, as long as none broke by itself and none
  was evicted (a Deployment that is made smaller in mid-rollout gives up its share of each version, ready or not). It is
  judged by what was known when a ReplicaSet was shrunk, the number of available pods in its status: a pod that was
  given up before it was known to be available may become ready before it goes;
- revisions only grow.

Under Recreate no pod of a new version comes into being while one of an old version lives (scaling and changes while
paused do not wait). And of everything: revisions of the stream strictly grow, and at rest no object names an owner
that is gone, and nothing is written. No pod is preempted but for a more urgent one that its node is kept for
(preemption.py). What is promised of StatefulSets and DaemonSets is told in ordinals.py, what of
the history of all of them in revisions.py.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rollplane.apps.v1 import ControllerRevision, DaemonSet, Deployment, ReplicaSet, StatefulSet
from rollplane.core.v1 import Pod, ReplicationController
from rollplane_machinery.api import EventType, WatchBatch, WatchEvent
from rollplane_machinery.invariants.ordinals import OrdinalRules
from rollplane_machinery.invariants.preemption import PreemptionRules
from rollplane_machinery.invariants.revisions import RevisionRules
from rollplane_machinery.invariants.world import DeploymentFacts, PodCounts, PodFacts, SetFacts, World
from rollplane_machinery.kinds import (
    CONTROLLER_REVISION,
    DAEMON_SET,
    DEPLOYMENT,
    POD,
    REPLICA_SET,
    REPLICATION_CONTROLLER,
    STATEFUL_SET,
    ApiObject,
    Kind,
)

WATCHED: tuple[Kind, ...] = (
    DEPLOYMENT,
    REPLICA_SET,
    REPLICATION_CONTROLLER,
    STATEFUL_SET,
    DAEMON_SET,
    CONTROLLER_REVISION,
    POD,
)


@dataclass(frozen=True, slots=True)
class Violation:
    """A promise that was broken, at the revision that shows it."""

    revision: int
    subject: str
    message: str

    def __str__(self) -> str:
        return f"revision {self.revision}: {self.subject}: {self.message}"


class InvariantChecker:
    """Follows one watch over WATCHED kinds from their first state on."""

    def __init__(self) -> None:
        self._world = World()
        self._ordinals = OrdinalRules()
        self._revisions = RevisionRules()
        self._preemption = PreemptionRules()
        self._revision = 0
        self._at_rest = False
        self._disturbed: set[str] = set()
        """Deployments, by uid, that lost a pod to an eviction or a node, and were not whole again since."""
        self.violations: list[Violation] = []
        self.events = 0

    def feed(self, batch: WatchBatch) -> None:
        """Take in a batch; events of the initial state are only remembered, not judged."""
        for event in batch.events:
            self._take(event, judge=batch.revision > 0 and not batch.initial_state_complete)

    def _take(self, event: WatchEvent, *, judge: bool) -> None:
        self.events += 1
        if judge:
            if event.revision <= self._revision:
                self._report(event.revision, str(event.object.kind), f"follows revision {self._revision}")
            self._revision = event.revision
        message = event.object.parse()
        if judge and self._at_rest:
            name = f"{message.metadata.namespace}/{message.metadata.name}"
            self._report(event.revision, name, f"{event.type.name.lower()} while all was at rest")
        self._follow_history(event, message, judge=judge)
        if event.type is EventType.DELETED:
            self._world.remove(message.metadata.uid)
            self._ordinals.remove(message.metadata.uid)
            self._revisions.remove(message.metadata.uid)
            self._preemption.remove(message.metadata.uid)
        elif isinstance(message, Deployment):
            before = self._world.put_deployment(message)
            if _is_whole(message):
                self._disturbed.discard(message.metadata.uid)
            if judge and before is not None:
                self._check_revision(event.revision, message, before)
        elif isinstance(message, ReplicaSet | ReplicationController):
            before_set = self._world.put_set(message)
            if judge:
                self._check_total(event.revision, message, before_set)
        elif isinstance(message, StatefulSet | DaemonSet):
            self._ordinals.put_set(message)
        elif isinstance(message, Pod):
            broken = [*self._ordinals.put_pod(message), *self._preemption.put_pod(message)]
            for subject, text in broken if judge else ():
                self._report(event.revision, subject, text)
            before_pod = self._world.put_pod(message)
            if judge:
                self._check_pod(event.revision, message.metadata.uid, before_pod)

    def _follow_history(self, event: WatchEvent, message: ApiObject, *, judge: bool) -> None:
        if event.type is not EventType.DELETED and isinstance(message, Deployment | StatefulSet | DaemonSet):
            self._revisions.put_workload(message)
        if judge and event.type is EventType.ADDED and isinstance(message, ReplicaSet | ControllerRevision):
            for subject, text in self._revisions.add_revision(message):
                self._report(event.revision, subject, text)

    def rest(self) -> None:
        """All is at rest from now on, until ``stir``: whatever is written meanwhile breaks a promise."""
        self._at_rest = True

    def stir(self) -> None:
        """Somebody is about to change something."""
        self._at_rest = False

    def _report(self, revision: int, subject: str, message: str) -> None:
        self.violations.append(Violation(revision, subject, message))

    def _check_revision(self, revision: int, message: Deployment, before: DeploymentFacts) -> None:
        now = self._world.deployments[message.metadata.uid]
        if now.revision < before.revision:
            self._report(revision, now.name, f"its revision went back from {before.revision} to {now.revision}")

    def _check_total(self, revision: int, message: ReplicaSet | ReplicationController, before: SetFacts | None) -> None:
        """Growth is judged; a total that is too high because the limit was lowered is not growth."""
        facts = self._world.sets[message.metadata.uid]
        deployment = self._world.deployments.get(facts.owner)
        if deployment is None or not deployment.rolling or facts.size <= (before.size if before is not None else 0):
            return
        total = sum(one.size for _, one in self._world.sets_of(facts.owner))
        if total > deployment.most_total:
            text = f"its ReplicaSets want {total} pods, at most {deployment.most_total} are allowed"
            self._report(revision, deployment.name, text)

    def _check_pod(self, revision: int, uid: str, before: PodFacts | None) -> None:
        pod = self._world.pods[uid]
        owner = self._world.sets.get(pod.owner)
        if owner is None:
            return
        if before is None and pod.active:
            self._check_births(revision, pod, owner)
        if before is not None and pod.terminating and not before.terminating and before.ready:
            self._check_deletion(revision, pod, owner)

    def _check_births(self, revision: int, pod: PodFacts, owner: SetFacts) -> None:
        alive = self._world.counts_of(pod.owner).active
        if alive > owner.most_wanted:
            self._report(revision, owner.name, f"{alive} live pods, {owner.most_wanted} are wanted")
        deployment = self._world.deployments.get(owner.owner)
        if deployment is not None and owner.sequential:
            self._check_recreate(revision, pod, owner, deployment)

    def _check_recreate(self, revision: int, pod: PodFacts, owner: SetFacts, deployment: DeploymentFacts) -> None:
        others = (uid for uid, _ in self._world.sets_of(owner.owner) if uid != pod.owner)
        old = [one.name for uid in others for one in self._world.pods_of(uid) if one.active or one.terminating]
        if old:
            self._report(revision, deployment.name, f"{pod.name} came into being while {old[0]} still lived")

    def _check_deletion(self, revision: int, pod: PodFacts, owner: SetFacts) -> None:
        """Judge only deletions that the ReplicaSet's size asks for: users may delete what they like.

        Rollouts and evictions do not ask each other. What a rollout had decided on is carried out, though an eviction
        came between; so a Deployment is not judged from an eviction on until it is whole again.
        """
        if pod.disrupted:
            self._disturbed.add(owner.owner)
        if owner.owner in self._disturbed:
            return
        deployment = self._world.deployments.get(owner.owner)
        alive = self._world.counts_of(pod.owner).active
        if deployment is None or not deployment.rolling or owner.rescaled or alive < owner.size:
            return
        if owner.gone < owner.given_up:
            # Decided when it was not known to be available, however few were: nothing was to be lost by it.
            owner.gone += 1
            return
        counts = self._world.counts_below(owner.owner)
        # Carried out by the limits it was decided by, though they may have been raised since.
        least = min(deployment.least_available, owner.least_available)
        if counts.ready + self._broken(owner.owner, counts) < least:
            text = f"{counts.ready} pods ready after {pod.name} was deleted, at least {least} are promised"
            self._report(revision, deployment.name, text)

    def _broken(self, uid: str, counts: PodCounts) -> int:
        """Return how many pods of a Deployment are not ready through no fault of its controllers; ``counts`` are its.

        Those that were ready once; failed ones for as long as what replaces them is not there or was never ready; and
        those that their set had been shrunk by before they were known to be available.
        """
        sets = [one for _, one in self._world.sets_of(uid)]
        missing = max(0, sum(one.size for one in sets) - counts.active)
        given_up = sum(one.given_up for one in sets)
        return counts.broken + min(counts.failed, missing + counts.unproven) + given_up

    def check_at_rest(self) -> list[Violation]:
        """Report every object whose controller is gone; return all violations so far. Call it when all is at rest."""
        known = {*self._world.deployments, *self._world.sets, *self._ordinals.known}
        for name, owner in self._owned():
            if owner and owner not in known:
                self._report(self._revision, name, "its owner is gone")
        return self.violations

    def _owned(self) -> Iterable[tuple[str, str]]:
        yield from ((one.name, one.owner) for one in self._world.sets.values())
        yield from ((one.name, one.owner) for one in self._world.pods.values())


def _is_whole(deployment: Deployment) -> bool:
    """Tell whether its status shows all pods up to date and available."""
    wanted, status = deployment.spec.replicas, deployment.status
    return wanted == status.available_replicas == status.updated_replicas == status.replicas
