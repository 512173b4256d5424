"""What a pod wants of the pods around it: affinity to them, distance from them, an even spread.

Pods are chosen by labels and namespaces, and a node label says what counts as one place. Two pods with equal
constraints want the same, whatever their own labels are.
Source: kubernetes/kubernetes pkg/scheduler/framework/plugins/interpodaffinity and podtopologyspread.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

from rollplane.core.v1 import PodAffinityTerm, PodSpec, TopologySpreadConstraint
from rollplane.meta.v1 import LabelSelector as SelectorMessage
from rollplane_machinery.selectors.labels import NOTHING, LabelSelector, label_selector_of
from rollplane_machinery.selectors.requirement import Labels, Operator, Requirement

DO_NOT_SCHEDULE = "DoNotSchedule"
IGNORE, HONOR = "Ignore", "Honor"


@dataclass(frozen=True, slots=True)
class Matcher:
    """Which pods are meant: those ``selector`` matches, in ``namespaces`` and where ``namespace_selector`` matches."""

    selector: LabelSelector
    namespaces: frozenset[str]
    namespace_selector: LabelSelector = NOTHING

    def __repr__(self) -> str:
        return repr((self.selector, sorted(self.namespaces), self.namespace_selector))

    def matches(self, namespace: str, labels: Labels, namespaces: Mapping[str, Labels]) -> bool:
        """Tell whether a pod is meant; ``namespaces`` are the labels of all namespaces."""
        if namespace not in self.namespaces and not self.namespace_selector.matches(namespaces.get(namespace, {})):
            return False
        return self.selector.matches(labels)


Matchers = tuple[Matcher, ...]
"""Which pods are meant: those that all of them mean."""


@dataclass(frozen=True, slots=True)
class Term:
    """Pods, and the node label whose equal values make one place."""

    pods: Matchers
    topology_key: str


@dataclass(frozen=True, slots=True)
class Spread:
    """How evenly ``pods`` are spread over places; ``counts_itself`` tells whether the pod is one of them.

    Nodes that the pod may not go to by its node affinity, or for their taints, count only where that is not honoured.
    """

    pods: Matchers
    topology_key: str
    max_skew: int
    min_domains: int
    honors_affinity: bool
    honors_taints: bool
    counts_itself: bool


@dataclass(frozen=True, slots=True)
class Constraints:
    """What must hold; and wishes, by weight, those to keep away with a negative one.

    All terms of ``affinity`` mean the same pods: those that each of its terms selects. ``attracts_itself`` tells
    whether the pod is one of them: then the first needs no other.
    """

    affinity: tuple[Term, ...] = ()
    attracts_itself: bool = False
    anti_affinity: tuple[Term, ...] = ()
    spread: tuple[Spread, ...] = ()
    wishes: tuple[tuple[int, Term], ...] = ()
    wished_spread: tuple[Spread, ...] = ()


FREE = Constraints()
"""Those of a pod that does not care."""


def constraints_of(
    spec: PodSpec, namespace: str, labels: Labels, namespaces: Mapping[str, Labels] = MappingProxyType({})
) -> Constraints:
    """Return the constraints of a pod of that namespace with those labels; FREE itself when it has none.

    ``namespaces`` are the labels of all namespaces.
    """
    affinity, spreads = spec.affinity, spec.topology_spread_constraints
    if not spreads and not affinity.HasField("pod_affinity") and not affinity.HasField("pod_anti_affinity"):
        return FREE
    near, far = affinity.pod_affinity, affinity.pod_anti_affinity
    beside = _beside(near.required_during_scheduling_ignored_during_execution, namespace, labels)
    hard = [one for one in spreads if one.when_unsatisfiable == DO_NOT_SCHEDULE]
    soft = [one for one in spreads if one.when_unsatisfiable != DO_NOT_SCHEDULE]
    weighed = [(one.weight, one) for one in near.preferred_during_scheduling_ignored_during_execution]
    weighed += [(-one.weight, one) for one in far.preferred_during_scheduling_ignored_during_execution]
    return Constraints(
        beside,
        bool(beside) and all(one.matches(namespace, labels, namespaces) for one in beside[0].pods),
        away_from(spec, namespace, labels),
        tuple(_spread(one, namespace, labels) for one in hard),
        tuple((weight, _term(one.pod_affinity_term, namespace, labels)) for weight, one in weighed),
        tuple(_spread(one, namespace, labels) for one in soft),
    )


def away_from(spec: PodSpec, namespace: str, labels: Labels) -> tuple[Term, ...]:
    """Return the required anti-affinity of a pod, which holds both ways while it runs."""
    if not spec.affinity.HasField("pod_anti_affinity"):
        return ()
    terms = spec.affinity.pod_anti_affinity.required_during_scheduling_ignored_during_execution
    return tuple(_term(one, namespace, labels) for one in terms)


def _beside(messages: Iterable[PodAffinityTerm], namespace: str, labels: Labels) -> tuple[Term, ...]:
    terms = [_term(one, namespace, labels) for one in messages]
    pods = tuple(term.pods[0] for term in terms)
    return tuple(Term(pods, term.topology_key) for term in terms)


def _term(message: PodAffinityTerm, namespace: str, labels: Labels) -> Term:
    selector = _selector(message)
    selector = selector.narrowed(_own(message.match_label_keys, labels, Operator.IN))
    selector = selector.narrowed(_own(message.mismatch_label_keys, labels, Operator.NOT_IN))
    by_labels = NOTHING
    if message.HasField("namespace_selector"):
        by_labels = label_selector_of(message.namespace_selector)
    named = frozenset(message.namespaces)
    if not named and not message.HasField("namespace_selector"):
        named = frozenset({namespace})
    return Term((Matcher(selector, named, by_labels),), message.topology_key)


def _spread(message: TopologySpreadConstraint, namespace: str, labels: Labels) -> Spread:
    selector = _selector(message).narrowed(_own(message.match_label_keys, labels, Operator.EQUALS))
    return Spread(
        (Matcher(selector, frozenset({namespace})),),
        message.topology_key,
        message.max_skew,
        message.min_domains or 1,
        message.node_affinity_policy != IGNORE,
        message.node_taints_policy == HONOR,
        selector.matches(labels),
    )


def _selector(message: PodAffinityTerm | TopologySpreadConstraint) -> LabelSelector:
    """Return the selector of pods; an absent one matches none."""
    absent: SelectorMessage | None = None
    return label_selector_of(message.label_selector if message.HasField("label_selector") else absent)


def _own(keys: Sequence[str], labels: Labels, operator: Operator) -> list[Requirement]:
    """Return requirements for the values of the pod's own labels; keys it does not have are passed over."""
    return [Requirement(key, operator, (labels[key],)) for key in keys if key in labels]
