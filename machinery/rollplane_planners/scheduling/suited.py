"""The nodes that suit pods of one node selector, node affinity and set of tolerations, whatever room there is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from rollplane.core.v1 import Affinity, PodSpec
from rollplane_machinery.frozen import frozen
from rollplane_machinery.selectors.requirement import Labels
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
from rollplane_planners.scheduling.tallies import Places

Bias = tuple[int, int]
"""Taints that the pod should avoid, and less the weight of what it prefers; less is better."""


@frozen
class Grouping:
    """Nodes that have some labels in common: those labels with the names, and the number of each node's group."""

    groups: Sequence[tuple[Labels, Sequence[str]]]
    number_of: Mapping[str, int]


@dataclass(slots=True)
class Suited:
    """``nodes`` may take such pods; ``matching`` may but for their taints; ``biases`` are those that are not 0, 0.

    What is found out about them for one template is kept for the next.
    """

    nodes: Mapping[str, NodeView]
    matching: Sequence[NodeView]
    biases: Mapping[str, Bias]
    _groupings: dict[Sequence[str], Grouping] = field(default_factory=dict)
    _places: dict[object, Places] = field(default_factory=dict)

    def grouped(self, keys: tuple[str, ...]) -> Grouping:
        """Return the nodes by their values of the labels ``keys``."""
        grouping = self._groupings.get(keys)
        if grouping is None:
            grouping = self._groupings[keys] = _grouping(self.nodes, keys)
        return grouping

    def places(self, of: object, find: Callable[[], Places]) -> Places:
        """Return what ``find`` returned when ``of`` was asked for first."""
        places = self._places.get(of)
        if places is None:
            places = self._places[of] = find()
        return places


def _grouping(nodes: Mapping[str, NodeView], keys: Iterable[str]) -> Grouping:
    numbers: dict[tuple[str | None, ...], int] = {}
    groups: list[tuple[Labels, list[str]]] = []
    number_of = {}
    for name, node in nodes.items():
        values = tuple([node.labels.get(key) for key in keys])
        number = numbers.setdefault(values, len(groups))
        if number == len(groups):
            groups.append((node.labels, []))
        groups[number][1].append(name)
        number_of[name] = number
    return Grouping(groups, number_of)


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
    return Suited({node.name: node for node in free}, matching, biases)


def is_tolerated(node: NodeView, spec: PodSpec) -> bool:
    """Tell whether no taint keeps the pod from the node."""
    return not node.taints or untolerated(node.taints, spec.tolerations, (NO_SCHEDULE, NO_EXECUTE)) is None


def _bias(node: NodeView, spec: PodSpec) -> Bias:
    avoided = count_untolerated(node.taints, spec.tolerations, PREFER_NO_SCHEDULE) if node.taints else 0
    return avoided, -preference(spec.affinity, node.name, node.labels)
