"""What a controller keeps of a pod: the few fields that planning reads, taken from the message once."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from rollplane.core.v1 import Pod
from rollplane_planners.claims import controller_of
from rollplane_planners.scheduling.demand import Resources, host_ports_of, requests_of

DELETION_COST = "controller.kubernetes.io/pod-deletion-cost"
_INT32 = re.compile(r"0|-?[1-9][0-9]{0,9}")
FINAL_PHASES = frozenset({"Succeeded", "Failed"})


@dataclass(frozen=True, slots=True)
class PodView:
    """A pod as last observed. Times are seconds since the epoch; ``ready_since`` is None while it is not Ready."""

    namespace: str
    name: str
    uid: str
    labels: Mapping[str, str]
    controller_uid: str | None
    created: float
    node_name: str
    phase: str
    ready_since: float | None
    terminating: bool
    restarts: int
    deletion_cost: int
    waiting: str
    image: str
    scheduler: str
    requests: Resources
    host_ports: frozenset[tuple[str, int]]

    @property
    def ready(self) -> bool:
        return self.ready_since is not None

    @property
    def active(self) -> bool:
        """Whether it counts as running or about to run: neither finished nor being deleted."""
        return not self.terminating and self.phase not in FINAL_PHASES

    def available_at(self, min_ready_seconds: int) -> float | None:
        """Return the time from which on it counts as available, None while it is not Ready."""
        return None if self.ready_since is None else self.ready_since + min_ready_seconds

    def is_available(self, min_ready_seconds: int, now: float) -> bool:
        """Tell whether it has been Ready for longer than ``min_ready_seconds`` (0: at all)."""
        since = self.available_at(min_ready_seconds)
        return since is not None and (min_ready_seconds == 0 or since < now)


def pod_view(pod: Pod) -> PodView:
    """Return the view of ``pod``."""
    metadata, status = pod.metadata, pod.status
    controller = controller_of(metadata.owner_references)
    statuses = status.container_statuses
    return PodView(
        namespace=metadata.namespace,
        name=metadata.name,
        uid=metadata.uid,
        labels=dict(metadata.labels),
        controller_uid=controller.uid if controller else None,
        created=float(metadata.creation_timestamp.seconds),
        node_name=pod.spec.node_name,
        phase=status.phase,
        ready_since=_ready_since(pod),
        terminating=metadata.HasField("deletion_timestamp"),
        restarts=max((one.restart_count for one in statuses), default=0),
        deletion_cost=_deletion_cost(metadata.annotations.get(DELETION_COST, "")),
        waiting=next((one.state.waiting.reason for one in statuses if one.state.waiting.reason), ""),
        image=pod.spec.containers[0].image if pod.spec.containers else "",
        scheduler=pod.spec.scheduler_name,
        requests=requests_of(pod.spec),
        host_ports=host_ports_of(pod.spec),
    )


def _ready_since(pod: Pod) -> float | None:
    for condition in pod.status.conditions:
        if condition.type == "Ready":
            return float(condition.last_transition_time.seconds) if condition.status == "True" else None
    return None


def _deletion_cost(text: str) -> int:
    """Return the cost, 0 when it is missing or no int32 in plain decimal."""
    cost = int(text) if _INT32.fullmatch(text) else 0
    return cost if -(2**31) <= cost < 2**31 else 0
