"""A DaemonSet with its pods, sorted by node into new and old, and whether its controller has a move left.

Source of the rules: docs/semantics/daemonset.md sections 3, 5 and 6.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from rollplane.apps.v1 import ControllerRevision, DaemonSet
from rollplane.core.v1 import Pod
from rollplane_machinery.metadata import controller_uid, is_being_deleted
from rollplane_machinery.pods import is_pod_available
from rollplane_machinery.well_known import REVISION_LABEL
from rollplane_planners.limits import daemon_set_max_surge, daemon_set_max_unavailable


@dataclass(frozen=True, slots=True)
class NodeView:
    """The pods of one node that are not being deleted."""

    new: tuple[Pod, ...]
    old: tuple[Pod, ...]


@dataclass(frozen=True)
class DaemonSetView:
    """``nodes`` are those with pods, by name; ``ending`` are pods that are being deleted."""

    daemon_set: DaemonSet
    nodes: Mapping[str, NodeView]
    ending: tuple[Pod, ...]

    @property
    def called(self) -> str:
        return f'daemon set "{self.daemon_set.metadata.name}"'

    @property
    def new_pods(self) -> tuple[Pod, ...]:
        return tuple(pod for node in self.nodes.values() for pod in node.new)

    @property
    def old_pods(self) -> tuple[Pod, ...]:
        return tuple(pod for node in self.nodes.values() for pod in node.old)

    @property
    def is_on_delete(self) -> bool:
        return self.daemon_set.spec.update_strategy.type == "OnDelete"

    @property
    def is_complete(self) -> bool:
        status, desired = self.daemon_set.status, self.daemon_set.status.desired_number_scheduled
        done = status.updated_number_scheduled >= desired and status.number_available >= desired
        return done and not self.old_pods and not self.ending

    @property
    def max_surge(self) -> int:
        """How many nodes may run two pods; percentages of the nodes round up."""
        return daemon_set_max_surge(self.daemon_set, self.daemon_set.status.desired_number_scheduled)

    @property
    def max_unavailable(self) -> int:
        """How many nodes may be without an available pod; percentages round up, and it is at least one."""
        return daemon_set_max_unavailable(self.daemon_set, self.daemon_set.status.desired_number_scheduled)

    def is_available(self, pod: Pod, now: float) -> bool:
        return is_pod_available(pod, self.daemon_set.spec.min_ready_seconds, now)

    def unavailable_new_pods(self, now: float) -> tuple[Pod, ...]:
        return tuple(pod for pod in self.new_pods if not self.is_available(pod, now))

    def controller_can_move(self, now: float) -> bool:
        """Whether the controller would create or delete a pod now, by its own arithmetic."""
        status = self.daemon_set.status
        # The status may lag behind the pods that were seen, and the other way round.
        if min(status.current_number_scheduled, len(self.nodes)) < status.desired_number_scheduled:
            return True
        if any(len(node.new) > 1 or len(node.old) > 1 for node in self.nodes.values()):
            return True
        if self.is_on_delete:
            return False
        return self._can_surge(now) if self.max_surge else self._can_roll(now)

    def _can_roll(self, now: float) -> bool:
        nodes = self.nodes.values()
        only_old = [node for node in nodes if node.old and not node.new]
        useless = [node for node in only_old if not self.is_available(node.old[0], now)]
        candidates = len(only_old) - len(useless)
        serving = sum(bool(node.new) and not node.old and self.is_available(node.new[0], now) for node in nodes)
        unavailable = len(self.nodes) - candidates - serving
        return bool(useless) or (candidates > 0 and unavailable < self.max_unavailable)

    def _can_surge(self, now: float) -> bool:
        only_old = [node for node in self.nodes.values() if node.old and not node.new]
        pairs = [node for node in self.nodes.values() if node.old and node.new]
        surging = sum(not self.is_available(node.new[0], now) for node in pairs)
        if any(not self.is_available(node.old[0], now) for node in (*only_old, *pairs)) or surging < len(pairs):
            return True
        return bool(only_old) and surging < self.max_surge


def daemon_set_view(
    daemon_set: DaemonSet, revisions: Iterable[ControllerRevision], pods: Iterable[Pod]
) -> DaemonSetView:
    """Return the view; what the set does not control is left out. The present template's revision is the highest."""
    uid = daemon_set.metadata.uid
    owned = [each for each in revisions if controller_uid(each.metadata) == uid]
    latest = max(owned, key=lambda each: each.revision, default=None)
    hash_ = latest.metadata.labels.get(REVISION_LABEL, "") if latest is not None else ""
    mine = sorted((pod for pod in pods if controller_uid(pod.metadata) == uid), key=lambda pod: str(pod.metadata.name))
    by_node: dict[str, list[Pod]] = {}
    for pod in mine:
        if not is_being_deleted(pod.metadata):
            by_node.setdefault(node_of(pod), []).append(pod)
    nodes = {name: _split(by_node[name], hash_) for name in sorted(by_node)}
    return DaemonSetView(daemon_set, nodes, tuple(pod for pod in mine if is_being_deleted(pod.metadata)))


def _split(pods: Sequence[Pod], hash_: str) -> NodeView:
    new = tuple(pod for pod in pods if pod.metadata.labels.get(REVISION_LABEL, "") == hash_)
    return NodeView(new, tuple(pod for pod in pods if pod not in new))


def node_of(pod: Pod) -> str:
    """Return the node a daemon's pod runs on or is meant for, empty when it is meant for none."""
    if pod.spec.node_name:
        return pod.spec.node_name
    required = pod.spec.affinity.node_affinity.required_during_scheduling_ignored_during_execution
    fields = [field for term in required.node_selector_terms for field in term.match_fields]
    return next((field.values[0] for field in fields if field.key == "metadata.name" and field.values), "")
