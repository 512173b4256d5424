"""Which pods nobody else will ever remove (docs/semantics/pod-lifecycle.md section 10).

Finished pods beyond a bound, pods on nodes that are no more, and pods whose deletion no kubelet will confirm because
none ever had them, or because their node was put out of service.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass

from rollplane.core.v1 import Node
from rollplane_machinery.nodes import is_node_ready
from rollplane_planners.pods import PodView

TERMINATED_LIMIT = 12_500
"""Finished pods kept in the whole plane."""
QUARANTINE_SECONDS = 40.0
"""How long a node must have been missing before its pods are given up: it may only be re-registering."""
OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
"""The taint by which an operator vouches that nothing runs on a node any more."""


@dataclass(frozen=True, slots=True)
class Sweep:
    """``doomed`` pods can go now. ``missing_since`` is when each node that pods name was first found missing.

    The pods of ``lost`` nodes can go once a live look confirms that these nodes do not exist.
    """

    doomed: Sequence[PodView]
    missing_since: Mapping[str, float]
    lost: Mapping[str, Sequence[PodView]]


def plan_sweep(
    pods: Iterable[PodView],
    nodes: Collection[str],
    missing_since: Mapping[str, float],
    now: float,
    *,
    out_of_service: Collection[str] = frozenset(),
    terminated_limit: int = TERMINATED_LIMIT,
) -> Sweep:
    """Return what one sweep finds; ``missing_since`` is that of the last one, times are monotonic seconds."""
    finished: list[PodView] = []
    unconfirmed: list[PodView] = []
    homeless: dict[str, list[PodView]] = {}
    for pod in pods:
        if pod.node_name and pod.node_name not in nodes:
            homeless.setdefault(pod.node_name, []).append(pod)
        elif pod.finished:
            finished.append(pod)
        elif pod.terminating and (not pod.node_name or pod.node_name in out_of_service):
            unconfirmed.append(pod)
    since = {node: missing_since.get(node, now) for node in homeless}
    lost = {node: homeless[node] for node, time in since.items() if now - time >= QUARANTINE_SECONDS}
    return Sweep([*_oldest(finished, len(finished) - terminated_limit), *unconfirmed], since, lost)


def is_out_of_service(node: Node) -> bool:
    """Tell whether the pods of a node may be taken for gone: it carries the taint, and is not ready."""
    return not is_node_ready(node) and any(taint.key == OUT_OF_SERVICE for taint in node.spec.taints)


def _oldest(pods: list[PodView], count: int) -> list[PodView]:
    return sorted(pods, key=lambda pod: (pod.created, pod.namespace, pod.name))[: max(0, count)]
