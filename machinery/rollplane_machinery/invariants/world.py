"""What a watcher knows at one moment: objects by uid, and who controls whom."""

from __future__ import annotations

import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from rollplane.apps.v1 import Deployment, ReplicaSet
from rollplane.core.v1 import Pod, ReplicationController
from rollplane.meta.v1 import ObjectMeta
from rollplane_machinery.conditions import is_true
from rollplane_machinery.deployments import REVISION
from rollplane_machinery.int_or_string import resolve
from rollplane_machinery.metadata import controller_of, is_being_deleted
from rollplane_machinery.pods import DISRUPTION_TARGET, is_pod_active, is_pod_ready

OWNER_KINDS = frozenset({"Deployment", "ReplicaSet", "ReplicationController", "StatefulSet", "DaemonSet"})
DESIRED_REPLICAS = "deployment.kubernetes.io/desired-replicas"


@dataclass(slots=True)
class PodFacts:
    """A pod, as far as promises are made about it; ``was_ready`` stays True once it has been.

    ``disrupted`` tells that somebody beside its controllers sends it away: an eviction, a lost node.
    """

    name: str
    owner: str
    ready: bool
    active: bool
    terminating: bool
    was_ready: bool
    disrupted: bool


@dataclass(slots=True)
class PodCounts:
    """How many pods there are below something, kept up as pods change: a large set is judged at each of its pods.

    ``active`` ones, of these the ``ready``, those ``unproven`` that never were, and those ``broken`` that are no more;
    ``failed`` ones that were ready and neither run nor are being deleted.
    """

    active: int = 0
    ready: int = 0
    unproven: int = 0
    broken: int = 0
    failed: int = 0

    def count(self, pod: PodFacts, by: int) -> None:
        """Count a pod in (1) or out (-1)."""
        if pod.active:
            self.active += by
            self.ready += by * pod.ready
            self.unproven += by * (not pod.was_ready)
            self.broken += by * (pod.was_ready and not pod.ready)
        elif pod.was_ready and not pod.terminating:
            self.failed += by

    def add(self, other: PodCounts) -> None:
        """Count all in that ``other`` counts."""
        self.active += other.active
        self.ready += other.ready
        self.unproven += other.unproven
        self.broken += other.broken
        self.failed += other.failed


@dataclass(slots=True)
class SetFacts:
    """A ReplicaSet or ReplicationController; ``most_wanted`` is the largest size its controller may still be acting on.

    ``desired`` is the Deployment's size it was last written for; ``rescaled`` tells that its own size last changed
    along with that. ``sequential`` tells that it last grew under Recreate, in a rollout, and that no set beside it has
    grown in another way since, whose pods may live along with its own. ``given_up`` counts the pods it was shrunk by
    that its status did not show available then: nothing was thought to be lost with them; ``gone`` counts those deleted
    since that were ready, as far as they are that many. ``least_available`` is what its Deployment promised when it
    last shrank.
    """

    name: str
    owner: str
    size: int
    most_wanted: int
    desired: str
    rescaled: bool
    sequential: bool
    given_up: int
    gone: int
    least_available: int


@dataclass(slots=True)
class DeploymentFacts:
    """A Deployment; all but ``rolling`` holds for every generation that may still be acted on.

    ``sequential`` tells that it rolls out by Recreate, and is not paused.
    """

    name: str
    rolling: bool
    sequential: bool
    revision: int
    most_total: int
    least_available: int


class World:
    """The objects seen so far; each ``put_*`` replaces what was known of one and returns what was known before."""

    def __init__(self) -> None:
        self.deployments: dict[str, DeploymentFacts] = {}
        self.sets: dict[str, SetFacts] = {}
        self.pods: dict[str, PodFacts] = {}
        self._sets_of: dict[str, dict[str, None]] = defaultdict(dict)
        self._pods_of: dict[str, dict[str, None]] = defaultdict(dict)
        self._counts: dict[str, PodCounts] = defaultdict(PodCounts)

    def put_deployment(self, message: Deployment) -> DeploymentFacts | None:
        before = self.deployments.get(message.metadata.uid)
        self.deployments[message.metadata.uid] = _deployment_facts(message, before)
        return before

    def put_set(self, message: ReplicaSet | ReplicationController) -> SetFacts | None:
        before = self.sets.get(message.metadata.uid)
        size = message.spec.replicas
        settled = message.status.observed_generation >= message.metadata.generation
        most = size if settled else max(size, _before_it_was_seen(message, before.most_wanted if before else None))
        owner, desired = controller_uid(message.metadata), message.metadata.annotations.get(DESIRED_REPLICAS, "")
        rescaled, sequential = self._how_it_changed(before, size, desired, owner)
        if size > (before.size if before is not None else 0) and not sequential:
            self._live_beside(owner)
        given_up = _given_up(before, message)
        gone = before.gone if before is not None and given_up else 0
        least = self._promised(before, size, owner)
        facts = SetFacts(
            _name(message.metadata), owner, size, most, desired, rescaled, sequential, given_up, gone, least
        )
        self._move(self._sets_of, message.metadata.uid, before.owner if before else "", facts.owner)
        self.sets[message.metadata.uid] = facts
        return before

    def _how_it_changed(self, before: SetFacts | None, size: int, desired: str, owner: str) -> tuple[bool, bool]:
        """Return whether a set is ``rescaled`` and ``sequential`` now: as it was, unless its size changes."""
        if before is not None and size == before.size:
            return before.rescaled, before.sequential
        rescaled = before is not None and desired != before.desired
        deployment = self.deployments.get(owner)
        rolls_out = deployment is not None and deployment.sequential and not rescaled
        grows = size > (before.size if before is not None else 0)
        return rescaled, rolls_out if grows else before is not None and before.sequential

    def _live_beside(self, owner: str) -> None:
        """A set grows without waiting for the others to go: they may replace their pods while it lives."""
        for _, one in self.sets_of(owner):
            one.sequential = False

    def _promised(self, before: SetFacts | None, size: int, owner: str) -> int:
        if before is not None and size >= before.size:
            return before.least_available
        deployment = self.deployments.get(owner)
        return deployment.least_available if deployment is not None else 0

    def put_pod(self, message: Pod) -> PodFacts | None:
        before = self.pods.get(message.metadata.uid)
        terminating = is_being_deleted(message.metadata)
        ready = is_pod_ready(message)
        facts = PodFacts(
            _name(message.metadata),
            controller_uid(message.metadata),
            ready,
            is_pod_active(message),
            terminating,
            ready or (before is not None and before.was_ready),
            is_true(message.status.conditions, DISRUPTION_TARGET),
        )
        self._move(self._pods_of, message.metadata.uid, before.owner if before else "", facts.owner)
        self.pods[message.metadata.uid] = facts
        if before is not None:
            self._counts[before.owner].count(before, -1)
        self._counts[facts.owner].count(facts, 1)
        return before

    def remove(self, uid: str) -> None:
        """Forget the object with that uid, of whatever kind."""
        self.deployments.pop(uid, None)
        if facts := self.sets.pop(uid, None):
            self._sets_of[facts.owner].pop(uid, None)
        if pod := self.pods.pop(uid, None):
            self._pods_of[pod.owner].pop(uid, None)
            self._counts[pod.owner].count(pod, -1)

    def sets_of(self, uid: str) -> Iterator[tuple[str, SetFacts]]:
        """Yield the ReplicaSets that a Deployment controls."""
        yield from ((one, self.sets[one]) for one in self._sets_of.get(uid, ()))

    def pods_of(self, uid: str) -> Iterator[PodFacts]:
        """Yield the pods that a ReplicaSet controls."""
        yield from (self.pods[one] for one in self._pods_of.get(uid, ()))

    def counts_of(self, uid: str) -> PodCounts:
        """Return how many pods a ReplicaSet controls."""
        return self._counts[uid]

    def counts_below(self, uid: str) -> PodCounts:
        """Return how many pods all ReplicaSets of a Deployment control."""
        counts = PodCounts()
        for set_uid in self._sets_of.get(uid, ()):
            counts.add(self._counts[set_uid])
        return counts

    @staticmethod
    def _move(index: dict[str, dict[str, None]], uid: str, before: str, after: str) -> None:
        if before != after:
            index[before].pop(uid, None)
        index[after][uid] = None


def _given_up(before: SetFacts | None, message: ReplicaSet | ReplicationController) -> int:
    """Return ``given_up``: it adds up while a set shrinks, and is forgotten once its status shows that that is done.

    A size once lowered is carried out, whatever has become ready since, and nobody takes it back: so is what the
    shrinking cost judged by what could be known then. On Kubernetes it is the same.
    """
    if before is None:
        return 0
    status, size = message.status, message.spec.replicas
    if size < before.size:
        return before.given_up + min(before.size - size, max(0, before.size - status.available_replicas))
    done = status.observed_generation >= message.metadata.generation and status.replicas <= size
    return 0 if done else before.given_up


def controller_uid(metadata: ObjectMeta, kinds: frozenset[str] = OWNER_KINDS) -> str:
    """Return the uid of the controlling object if it is of one of ``kinds``, else ""."""
    controller = controller_of(metadata)
    return controller.uid if controller is not None and controller.kind in kinds else ""


def _name(metadata: ObjectMeta) -> str:
    return f"{metadata.namespace}/{metadata.name}"


def _deployment_facts(message: Deployment, before: DeploymentFacts | None) -> DeploymentFacts:
    """Return the facts; while the controller has not seen the present generation, the former limits hold as well."""
    replicas, rolling = message.spec.replicas, message.spec.strategy.type == "RollingUpdate"
    sequential = not rolling and not message.spec.paused
    surge, unavailable = _limits(message) if rolling else (0, replicas)
    most, least = replicas + surge, max(0, replicas - unavailable)
    if message.status.observed_generation < message.metadata.generation:
        most = max(most, _before_it_was_seen(message, before.most_total if before else None))
        least = min(least, before.least_available if before else least if _is_new(message) else 0)
        sequential = sequential and (before.sequential if before else _is_new(message))
    revision = message.metadata.annotations.get(REVISION, "0")
    return DeploymentFacts(_name(message.metadata), rolling, sequential, int(revision), most, least)


def _is_new(message: Deployment | ReplicaSet | ReplicationController) -> bool:
    """Return whether there never was another version of it."""
    return message.metadata.generation <= 1


def _before_it_was_seen(message: Deployment | ReplicaSet | ReplicationController, known: int | None) -> int:
    """Return the most that a former version may have asked for, ``known`` if that was seen: else nobody can tell."""
    if known is not None:
        return known
    return 0 if _is_new(message) else sys.maxsize


def _limits(message: Deployment) -> tuple[int, int]:
    """Return surge (rounded up) and unavailability (rounded down), which may not both be 0.

    Reckoned here and not by the planners' limits, on purpose: whoever checks must not share the error.
    """
    rolling, replicas = message.spec.strategy.rolling_update, message.spec.replicas
    surge = resolve(rolling.max_surge, replicas, round_up=True)
    unavailable = resolve(rolling.max_unavailable, replicas, round_up=False)
    return surge, unavailable if surge or unavailable else 1
