"""The nodes that suit pods of one node selector, node affinity and set of tolerations, whatever room there is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rollplane.core.v1 import Affinity, PodSpec
from rollplane_planners.scheduling.node_affinity import (
    NO_EXECUTE,
    NO_SCHEDULE,
    PREFER_NO_SCHEDULE,
    count_untolerated,
    matches_affinity,
    named_nodes,
    preference,
    untolerated,
)
from rollplane_planners.scheduling.nodes import NodeView

Bias = tuple[int, int]
"""Taints that the pod should avoid, and less the weight of what it prefers; less is better."""


@dataclass(frozen=True, slots=True)
class Suited:
    """``nodes`` may take such pods; ``matching`` may but for their taints; ``biases`` are those that are not 0, 0."""

    nodes: list[NodeView]
    matching: list[NodeView]
    biases: Mapping[str, Bias]


def selection_of(spec: PodSpec) -> bytes:
    """Return a key that is equal for pods which the same nodes suit."""
    affinity = Affinity(node_affinity=spec.affinity.node_affinity)
    chosen = PodSpec(node_selector=spec.node_selector, tolerations=spec.tolerations, affinity=affinity)
    return chosen.SerializeToString(deterministic=True)


def suited_of(spec: PodSpec, nodes: Mapping[str, NodeView]) -> Suited:
    """Return which of ``nodes``, by name, suit a pod."""
    names = named_nodes(spec.affinity)
    candidates = nodes.values() if names is None else [nodes[name] for name in names if name in nodes]
    matching = [node for node in candidates if matches_affinity(spec, node.name, node.labels)]
    free = [one for one in matching if is_tolerated(one, spec)]
    biases = {node.name: bias for node in free if any(bias := _bias(node, spec))}
    return Suited(free, matching, biases)


def is_tolerated(node: NodeView, spec: PodSpec) -> bool:
    """Tell whether no taint keeps the pod from the node."""
    return not node.taints or untolerated(node.taints, spec.tolerations, (NO_SCHEDULE, NO_EXECUTE)) is None


def _bias(node: NodeView, spec: PodSpec) -> Bias:
    avoided = count_untolerated(node.taints, spec.tolerations, PREFER_NO_SCHEDULE) if node.taints else 0
    return avoided, -preference(spec.affinity, node.name, node.labels)
