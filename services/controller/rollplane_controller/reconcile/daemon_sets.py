"""Observing for the DaemonSet planner, and the back-off of nodes whose daemon pods fail."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rollplane.apps.v1 import ControllerRevision, DaemonSet
from rollplane.core.v1 import Node
from rollplane_client.batch_writer import Answer
from rollplane_controller.reconcile.observer import Observer
from rollplane_controller.reconcile.ownership import Names, wake_owners
from rollplane_controller.reconcile.reconciler import Failure, Reconciler, Wake
from rollplane_controller.reconcile.views import View
from rollplane_controller.reconcile.wire_writes import Sent
from rollplane_machinery.api import Delete, EventType, Key, WriteResult
from rollplane_machinery.clock import Clock
from rollplane_machinery.kinds import CONTROLLER_REVISION, DAEMON_SET, NODE, POD
from rollplane_machinery.releases import Release
from rollplane_planners.daemon_set import DaemonSetView, plan_daemon_set
from rollplane_planners.model import NOTHING, Plan
from rollplane_planners.scheduling.nodes import NodeView, node_view

BACKOFF_SECONDS, BACKOFF_CAP_SECONDS, FORGET_SECONDS = 1.0, 900.0, 1800.0


@dataclass(frozen=True, slots=True)
class _Failures:
    """How often a node's daemon pod failed in a row, and when it was last replaced."""

    count: int
    at: float


class FailureBackoff:
    """Waits between replacements of failed pods: 1 s doubling to 15 min for each (set, generation, node)."""

    def __init__(self) -> None:
        self._failures: dict[tuple[str, int, str], _Failures] = {}

    def remaining(self, key: tuple[str, int, str], now: float) -> float:
        """Return the seconds until the node's next failed pod may be replaced."""
        failures = self._failures.get(key)
        if failures is None:
            return 0.0
        delay = min(BACKOFF_SECONDS * 2.0 ** (failures.count - 1), BACKOFF_CAP_SECONDS)
        return max(0.0, failures.at + delay - now)

    def note(self, key: tuple[str, int, str], now: float) -> None:
        """Count a replacement; records that nothing was added to for half an hour are forgotten."""
        self._failures = {one: old for one, old in self._failures.items() if now - old.at < FORGET_SECONDS}
        before = self._failures.get(key)
        self._failures[key] = _Failures(before.count + 1 if before else 1, now)


class DaemonSetReconciler(Reconciler):
    """Wakes on DaemonSets, their pods and revisions, and on nodes that change where a daemon should run."""

    kind = DAEMON_SET

    def __init__(self, observer: Observer, release: Release, clock: Clock) -> None:
        super().__init__(observer, release)
        self._clock = clock
        self._nodes: dict[str, NodeView] = {}
        self._backoff = FailureBackoff()
        self._failed: dict[Key, dict[str, tuple[str, int, str]]] = {}
        """By set, the failed pods its last plan saw, and what a replacement counts against."""

    def attach(self, wake: Wake) -> None:
        informer = self._observer.informer
        informer.add_handler(DAEMON_SET, lambda _type, key, _old, _new: wake(key))
        for dependent in (POD, CONTROLLER_REVISION):
            wake_owners(self._observer, DAEMON_SET, dependent, wake)

        def on_node(type_: EventType, key: Key, _old: View | None, _new: View | None) -> None:
            if self._take_node(type_, key):
                for daemon_set, _ in list(informer.items(DAEMON_SET)):
                    wake(daemon_set)

        informer.add_handler(NODE, on_node)

    def plan(self, key: Key, failure: Failure | None, now: float) -> Plan:
        daemon_set = self._observer.message(key, DaemonSet)
        if daemon_set is None:
            return NOTHING
        metadata = daemon_set.metadata
        generation = (metadata.uid, daemon_set.status.observed_generation)
        view = DaemonSetView(
            daemon_set,
            list(self._nodes.values()),
            self._observer.claimable_pods(metadata.uid, metadata.namespace),
            self._observer.claimable(CONTROLLER_REVISION, ControllerRevision, metadata.uid, metadata.namespace),
            self._observer.fetch_pod,
            lambda node: self._backoff.remaining((*generation, node), now),
            Names(self._observer, CONTROLLER_REVISION, metadata.namespace),
            self._release,
            self._observer.templates,
        )
        self._failed[key] = {pod.name: (*generation, pod.node_name) for pod in view.pods if pod.phase == "Failed"}
        return plan_daemon_set(view, now)

    def answered(self, key: Key, plan: Plan, sent: Sequence[Sent], answers: Sequence[Answer]) -> None:
        """Count the failed pods that were deleted against their nodes."""
        failed = self._failed.pop(key, {})
        for one, answer in zip(sent, answers, strict=True):
            gone = one.write.key if isinstance(one.write, Delete) and isinstance(answer, WriteResult) else None
            if gone is not None and gone.kind is POD and gone.name in failed:
                self._backoff.note(failed[gone.name], self._clock.now())

    def _take_node(self, type_: EventType, key: Key) -> bool:
        """Remember a node as scheduling sees it; tells whether that has changed."""
        node = self._observer.message(key, Node)
        if type_ is EventType.DELETED or node is None:
            return self._nodes.pop(key.name, None) is not None
        seen = node_view(node)
        changed = self._nodes.get(key.name) != seen
        self._nodes[key.name] = seen
        return changed
