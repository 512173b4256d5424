"""Whatever is placed, moved and taken away: no placement breaks a required constraint, and none is refused in vain.

Both are judged by a checker that counts anew, pod by pod, from the specs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rollplane.core.v1 import Node, PodAffinityTerm, PodSpec, TopologySpreadConstraint
from rollplane_machinery.selectors.labels import label_selector_of
from tests.planners.placing import APod, World
from tests.planners.test_plan_pod_affinity import HOST, ZONE, away, beside, in_zone, term
from tests.planners.test_plan_topology_spread import spread, spreading

NAMESPACES = {"shop": {"team": "red"}, "bank": {"team": "blue"}}
APPS = ("web", "db")


@dataclass
class Checker:
    """Nodes and the pods on them, with their specs."""

    nodes: Mapping[str, Node]
    pods: dict[APod, tuple[PodSpec, str]] = field(default_factory=dict)

    def may_run(self, pod: APod, spec: PodSpec, name: str) -> bool:
        """Tell whether the node may take the pod, by the rules that must hold."""
        node = self.nodes[name].metadata.labels
        near = spec.affinity.pod_affinity.required_during_scheduling_ignored_during_execution
        far = spec.affinity.pod_anti_affinity.required_during_scheduling_ignored_during_execution
        return (
            self._near(pod, near, node)
            and not any(self._means_one_there(one, pod, node) for one in far)
            and not any(self._is_kept_away(pod, other, node) for other in self.pods)
            and all(self._is_even(pod, spec, one, node) for one in spec.topology_spread_constraints)
        )

    def _means(self, one: PodAffinityTerm, owner: APod, other: APod) -> bool:
        named = set(one.namespaces)
        if not named and not one.HasField("namespace_selector"):
            named = {owner.namespace}
        if one.HasField("namespace_selector"):
            by_labels = label_selector_of(one.namespace_selector)
            named |= {name for name, labels in NAMESPACES.items() if by_labels.matches(labels)}
        same = all(other.labels.get(key) == owner.labels[key] for key in one.match_label_keys if key in owner.labels)
        selector = label_selector_of(one.label_selector)
        return other.namespace in named and same and selector.matches(other.labels)

    def _place(self, pod: APod, key: str) -> str | None:
        return self.nodes[self.pods[pod][1]].metadata.labels.get(key)

    def _near(self, pod: APod, terms: Iterable[PodAffinityTerm], node: Mapping[str, str]) -> bool:
        terms = list(terms)
        if any(one.topology_key not in node for one in terms):
            return False
        meant = [other for other in self.pods if all(self._means(one, pod, other) for one in terms)]
        keys = [one.topology_key for one in terms]
        if all(any(self._place(other, key) == node[key] for other in meant) for key in keys):
            return True
        nobody = not any(self._place(other, key) is not None for other in meant for key in keys)
        return nobody and all(self._means(one, pod, pod) for one in terms)

    def _means_one_there(self, one: PodAffinityTerm, pod: APod, node: Mapping[str, str]) -> bool:
        place = node.get(one.topology_key)
        return place is not None and any(
            self._means(one, pod, other) and self._place(other, one.topology_key) == place for other in self.pods
        )

    def _is_kept_away(self, pod: APod, other: APod, node: Mapping[str, str]) -> bool:
        far = self.pods[other][0].affinity.pod_anti_affinity.required_during_scheduling_ignored_during_execution
        return any(
            self._means(one, other, pod)
            and self._place(other, one.topology_key) is not None
            and self._place(other, one.topology_key) == node.get(one.topology_key)
            for one in far
        )

    def _is_even(self, pod: APod, spec: PodSpec, one: TopologySpreadConstraint, node: Mapping[str, str]) -> bool:
        if one.topology_key not in node:
            return False
        keys = [each.topology_key for each in spec.topology_spread_constraints]
        eligible = [each.metadata.labels for each in self.nodes.values()]
        counts = {labels[one.topology_key]: 0 for labels in eligible if all(key in labels for key in keys)}
        selector = label_selector_of(one.label_selector)

        def counted(other: APod) -> bool:
            same = [other.labels.get(key) == pod.labels[key] for key in one.match_label_keys if key in pod.labels]
            return other.namespace == pod.namespace and selector.matches(other.labels) and all(same)

        for other, (_, on) in self.pods.items():
            labels = self.nodes[on].metadata.labels
            if counted(other) and not other.terminating and all(key in labels for key in keys):
                counts[labels[one.topology_key]] += 1
        least = min(counts.values(), default=0) if len(counts) >= one.min_domains else 0
        return counts.get(node[one.topology_key], 0) + counted(pod) - least <= one.max_skew


def terms() -> st.SearchStrategy[dict[str, Any]]:
    chosen: st.SearchStrategy[dict[str, Any]] = st.sampled_from(
        [
            {},
            {"namespaces": ["bank"]},
            {"namespaceSelector": {}},
            {"namespaceSelector": {"matchLabels": {"team": "red"}}},
        ]
    )
    keys = st.sampled_from([{}, {"matchLabelKeys": ["version"]}])
    return st.builds(
        lambda app, key, fields, more: term({"app": app}, key, **fields, **more),
        st.sampled_from(APPS),
        st.sampled_from([HOST, ZONE]),
        chosen,
        keys,
    )


def spreads() -> st.SearchStrategy[dict[str, Any]]:
    more: st.SearchStrategy[dict[str, Any]] = st.sampled_from([{}, {"minDomains": 3}, {"matchLabelKeys": ["version"]}])
    return st.builds(
        lambda key, skew, fields: spread(key, skew, **fields), st.sampled_from([HOST, ZONE]), st.integers(1, 2), more
    )


def _merged(near: list[dict[str, Any]], far: list[dict[str, Any]], even: list[dict[str, Any]]) -> PodSpec:
    spec = spreading(*even)
    if near:
        spec.affinity.MergeFrom(beside(*near).affinity)
    if far:
        spec.affinity.MergeFrom(away(*far).affinity)
    return spec


SPECS = st.builds(
    _merged,
    st.lists(terms(), max_size=2),
    st.lists(terms(), max_size=2),
    st.lists(spreads(), max_size=2, unique_by=lambda one: one["topologyKey"]),
)
STEPS = st.tuples(
    st.sampled_from(["place", "place", "place", "end", "mark"]),
    st.integers(0, 2),
    st.sampled_from(APPS),
    st.sampled_from(["1", "2"]),
    st.sampled_from(sorted(NAMESPACES)),
)
NODES = st.lists(st.sampled_from(["a", "b", "c", ""]), min_size=1, max_size=6)


@given(NODES, st.lists(SPECS, min_size=3, max_size=3), st.lists(STEPS, max_size=25))
def test_no_placement_breaks_a_required_constraint(
    zones: list[str], specs: list[PodSpec], steps: list[tuple[str, int, str, str, str]]
) -> None:
    world = World().put(*(in_zone(f"n{at}", zone) for at, zone in enumerate(zones)))
    for name, labels in NAMESPACES.items():
        world.namespace(name, **labels)
    checker = Checker(world.nodes)
    for what, index, app, version, namespace in steps:
        if what == "place":
            _place(world, checker, specs[index], namespace, {"app": app, "version": version})
        elif checker.pods:
            _disturb(world, checker, what, index)


def _place(world: World, checker: Checker, spec: PodSpec, namespace: str, labels: dict[str, str]) -> None:
    demand = world.demand(spec, namespace, labels)
    choice, pod = world.cluster.choose(demand), APod(demand)
    may = {name for name in world.nodes if checker.may_run(pod, spec, name)}
    assert choice.node in may if may else choice.node == "", (choice, may)
    if choice.node:
        checker.pods[world.run(choice.node, demand)] = spec, choice.node


def _disturb(world: World, checker: Checker, what: str, index: int) -> None:
    pod = list(checker.pods)[index % len(checker.pods)]
    spec, node = checker.pods.pop(pod)
    if what == "end":
        world.end(pod)
    else:
        world.mark(pod)
        checker.pods[list(world.placed)[-1]] = spec, node
